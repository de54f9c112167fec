"""Live streams: what is committed is told, to those of its tenant, once, and a stream never holds the server up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess


class Event(NamedTuple):
    name: str
    data: dict[str, Any]


class Listener:
    """Reads one stream event by event, as a browser does."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.last_id = ""

    def events(self) -> Iterator[Event]:
        name, data = "", ""
        for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = value
            elif field == "id":
                self.last_id = value
            elif not line and name:
                yield Event(name, json.loads(data))
                name, data = "", ""

    def next(self, name: str | None = None) -> Event:
        """The next event, or the next of this name."""
        return next(event for event in self.events() if name in (None, event.name))

    def settle(self) -> None:
        """Read up to the id that follows the event just read."""
        before = self.last_id
        while self.last_id == before:
            line = next(self._lines)
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")


@contextmanager
def listening(api: httpx.Client, experiment: str, last_id: str | None = None) -> Iterator[Listener]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    with api.stream("GET", f"/experiments/{experiment}/live", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield Listener(answer)


def new_run(api: httpx.Client, experiment: str, **more: Any) -> str:
    answer = api.post("/experiments/runs", json={"experiment_id": experiment, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def log(api: httpx.Client, run: str, step: float, **metrics: Any) -> None:
    answer = api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": metrics, "step": step})
    assert answer.status_code == 200, answer.text


def test_a_stream_begins_with_how_things_stand(api: httpx.Client, experiment: str, run: str) -> None:
    with listening(api, experiment) as listener:
        event = listener.next()
    assert event == Event(
        "experiment", {"id": experiment, "name": "fraud", "lifecycle_stage": "active", "run_count": 1, "running": 1}
    )


def test_a_run_is_told_from_its_beginning_to_its_end(api: httpx.Client, experiment: str) -> None:
    with listening(api, experiment) as listener:
        listener.next("experiment")
        run = new_run(api, experiment, name="swift-1")
        counts = listener.next().data
        assert (counts["run_count"], counts["running"]) == (1, 1)
        begun = listener.next("run").data
        assert (begun["id"], begun["name"], begun["status"], begun["end_time"]) == (run, "swift-1", "running", None)
        log(api, run, 7, loss=0.5, acc="NaN")
        told = listener.next("metrics").data
        assert (told["run_id"], told["partial"]) == (run, False)
        assert sorted(told["metrics"], key=lambda metric: metric["key"]) == [
            {"key": "acc", "n": 1, "step": 7, "value": "NaN"},
            {"key": "loss", "n": 1, "step": 7, "value": 0.5},
        ]
        assert api.post(f"/experiments/runs/{run}/end", json={"status": "finished"}).status_code == 200
        assert listener.next("experiment").data["running"] == 0
        ended = listener.next("run").data
        assert (ended["status"], ended["duration_ms"] is None) == ("finished", False)


def test_every_commit_is_told_and_the_last_word_is_the_last_value(api: httpx.Client, experiment: str, run: str) -> None:
    with listening(api, experiment) as listener:
        listener.next("experiment")
        for step in range(100):
            log(api, run, step, loss=float(step))
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["n"] < 100:
            (metric,) = listener.next("metrics").data["metrics"]
            seen.append(metric)
    assert seen[-1] == {"key": "loss", "n": 100, "step": 99, "value": 99.0}
    assert [metric["n"] for metric in seen] == sorted({metric["n"] for metric in seen})


def test_changes_of_params_tags_names_and_lifecycle_are_told(api: httpx.Client, experiment: str, run: str) -> None:
    with listening(api, experiment) as listener:
        listener.next("experiment")
        api.post(f"/experiments/runs/{run}/log-params", json={"params": {"lr": "0.1"}})
        assert listener.next("run").data["id"] == run
        api.patch(f"/experiments/runs/{run}", json={"tags": {"a": "b"}, "name": "renamed"})
        assert listener.next("run").data["name"] == "renamed"
        api.delete(f"/experiments/runs/{run}")
        assert listener.next("experiment").data["run_count"] == 0
        assert listener.next("run").data["lifecycle_stage"] == "deleted"
        api.patch(f"/experiments/{experiment}", json={"name": "fraud 2"})
        assert listener.next("experiment").data["name"] == "fraud 2"
        api.delete(f"/experiments/{experiment}")
        assert listener.next().name == "reset"
        assert listener.next("experiment").data["lifecycle_stage"] == "deleted"


def test_what_was_refused_is_not_told(api: httpx.Client, experiment: str, run: str) -> None:
    api.post(f"/experiments/runs/{run}/log-params", json={"params": {"lr": "0.1"}})
    archived = new_run(api, experiment)
    api.delete(f"/experiments/runs/{archived}")
    with listening(api, experiment) as listener:
        listener.next("experiment")
        refused = api.post(f"/experiments/runs/{run}/log-batch", json={"params": [{"key": "lr", "value": "9"}]})
        assert refused.status_code == 400
        refused = api.post(f"/experiments/runs/{archived}/log-metrics", json={"metrics": {"a": 1}})
        assert refused.status_code == 400
        log(api, run, 1, loss=1.0)
        assert listener.next().name == "metrics"


def test_a_run_with_very_many_new_values_is_told_as_a_whole(api: httpx.Client, experiment: str, run: str) -> None:
    with listening(api, experiment) as listener:
        listener.next("experiment")
        log(api, run, 1, **{f"layer/{number}": 1.0 for number in range(201)})
        assert listener.next("metrics").data == {"run_id": run, "partial": True, "metrics": []}


def test_a_stream_shows_its_own_tenant_and_experiment_alone(
    server: ServerProcess, api: httpx.Client, experiment: str, run: str
) -> None:
    with server.client("live-foreign") as other, listening(api, experiment) as listener:
        listener.next("experiment")
        foreign = other.post("/experiments", json={"name": "fraud"}).json()["id"]
        neighbour = api.post("/experiments", json={"name": "neighbour"}).json()["id"]
        with listening(other, foreign) as foreign_listener:
            assert foreign_listener.next().data["id"] == foreign
            for client, place in ((other, foreign), (api, neighbour)):
                log(client, new_run(client, place), 1, secret=1.0)
                client.delete(f"/experiments/{place}")
            log(api, run, 1, loss=1.0)
            told = listener.next()
            assert (told.name, told.data["run_id"]) == ("metrics", run)
            assert {metric["key"] for metric in told.data["metrics"]} == {"loss"}
        assert_problem(other.get(f"/experiments/{experiment}/live"), 403, "tenant_access_denied")
    assert_problem(api.get(f"/experiments/{'f' * 32}/live"), 404, "experiment_not_found")


def test_a_stream_resumes_with_what_changed_in_between(api: httpx.Client, experiment: str, run: str) -> None:
    still = new_run(api, experiment)
    with listening(api, experiment) as listener:
        listener.next("experiment")
        log(api, run, 1, loss=1.0)
        listener.next("metrics")
        listener.settle()
    log(api, run, 2, loss=0.5)
    begun = new_run(api, experiment)
    with listening(api, experiment, listener.last_id) as resumed:
        assert resumed.next().data["run_count"] == 3
        assert [resumed.next("run").data["id"] for _ in range(2)] == [run, begun]
        told = [resumed.next("metrics").data for _ in range(2)]
        assert [(one["run_id"], one["partial"]) for one in told] == [(run, True), (begun, True)]
        resumed.settle()
        log(api, still, 1, loss=1.0)
        assert resumed.next().data["run_id"] == still
    with listening(api, experiment, resumed.last_id) as again:
        assert again.next().name == "experiment"
        assert again.next().data["id"] == still


@pytest.mark.parametrize("what", ["", "/keys", "/table?columns=name", "/groups?by=name"])
def test_a_stream_begins_where_a_list_was_read(api: httpx.Client, experiment: str, what: str) -> None:
    new_run(api, experiment)
    read = api.get(f"/experiments/{experiment}{what}")
    assert read.status_code == 200
    begun = new_run(api, experiment)
    log(api, begun, 1, loss=1.0)
    with listening(api, experiment, read.headers["gnomon-revision"]) as listener:
        assert listener.next().name == "experiment"
        assert listener.next().data["id"] == begun
        assert listener.next("metrics").data["run_id"] == begun


@pytest.mark.parametrize("last_id", ["", "x", "000000000000-1", "{epoch}-", "{epoch}-x", "{epoch}-999999999", "-1"])
def test_an_id_that_nobody_knows_resets(api: httpx.Client, experiment: str, last_id: str) -> None:
    with listening(api, experiment) as listener:
        listener.settle()
    with listening(api, experiment, last_id.format(epoch=listener.last_id.partition("-")[0])) as resumed:
        assert resumed.next() == Event("reset", {"reason": "behind"})
        assert resumed.next().name == "experiment"


def test_an_archived_experiment_may_be_watched(api: httpx.Client, experiment: str) -> None:
    api.delete(f"/experiments/{experiment}")
    with listening(api, experiment) as listener:
        assert listener.next().data["lifecycle_stage"] == "deleted"
        api.post(f"/experiments/{experiment}/restore")
        assert listener.next().name == "reset"


def is_full(api: httpx.Client, experiment: str) -> bool:
    with api.stream("GET", f"/experiments/{experiment}/live") as answer:
        return answer.status_code == 503


def test_past_the_most_streams_one_more_is_refused_until_one_ends(tmp_path: Path) -> None:
    running = ServerProcess(tmp_path / "home", env={"GNOMON_LIVE_STREAMS": "2"}).start()
    with running.client() as api:
        experiment = api.post("/experiments", json={"name": "a"}).json()["id"]
        with listening(api, experiment) as first:
            first.next()
            with listening(api, experiment) as second:
                second.next()
                refused = api.get(f"/experiments/{experiment}/live")
                assert_problem(refused, 503, "too_many_streams")
                assert int(refused.headers["retry-after"]) > 0
            while is_full(api, experiment):
                pass  # the server hears a little later that a client has left
            new_run(api, experiment)
            assert first.next("run").name == "run"
    assert running.stop() == 0


def test_a_stopping_server_ends_its_streams_and_does_not_wait_for_them(tmp_path: Path) -> None:
    # It would wait for a day for a request under way.
    running = ServerProcess(tmp_path / "home", env={"GNOMON_DRAIN_SECS": "86400"}).start()
    with running.client() as api, running.client() as second_api:
        experiment = api.post("/experiments", json={"name": "a"}).json()["id"]
        with listening(api, experiment) as first, listening(second_api, experiment) as second:
            first.next()
            second.next()
            assert running.stop() == 0
            for listener in (first, second):
                assert list(listener.events()) == []  # the end of the body, not a broken connection
    assert "Traceback" not in running.log_path.read_text()


def test_the_document_names_the_stream(server: ServerProcess) -> None:
    operation = httpx.get(f"{server.base_url}/openapi.json").json()["paths"]["/api/v1/experiments/{experiment_id}/live"]
    assert list(operation["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
