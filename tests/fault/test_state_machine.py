"""Any sequence of requests, with restarts and `kill -9` in it, leaves what a few dictionaries say it must.

STM-01 and TEN-02: hypothesis drives a real server over HTTP and a `TenantModel` for each of three tenants side by side.
After every request what it touched is read back; at every restart and at the end everything of all tenants is compared.
"""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.fault.run_log import database_faults
from tests.support import tracker_strategies as drawn
from tests.support.server_process import ServerProcess
from tests.support.tracker_model import (
    ExperimentModel,
    Point,
    RunModel,
    TenantModel,
    exact,
    merge_tags,
    sequenced,
    to_wire,
)

T = TypeVar("T")

# Tails are sealed all the time, so that what is read comes from both forms.
OFTEN_SEALED = {"GNOMON_SEAL_POINTS": "20", "GNOMON_SEAL_SEGMENTS": "4", "GNOMON_SEAL_IDLE_SECS": "0.2"}

# Tenants are new in each example, of all tests that share a database.
SERIAL = itertools.count()


class Tracker(RuleBasedStateMachine):
    """Three tenants of one server; each rule is one request, or the end of the server's process."""

    def __init__(self, server: ServerProcess, serial: Iterator[int], *, most_restarts: int) -> None:
        super().__init__()
        self.server = server
        self.restarts = 0
        self.most_restarts = most_restarts  # each costs as much as hundreds of requests
        number = next(serial)
        self.tenants = {f"m{number}-{letter}": TenantModel() for letter in "abc"}
        self.client = httpx.Client(base_url=f"{server.base_url}/api/v1", timeout=60)

    # Requests

    def ask(self, tenant: str, method: str, path: str, **options: Any) -> httpx.Response:
        return self.client.request(method, f"/experiments{path}", headers={"X-Tenant-ID": tenant}, **options)

    def expect(self, answer: httpx.Response, refusal: str, *, status: int = 200) -> Any:
        """The answer as the model foretold it: taken, or refused with this code."""
        if refusal:
            assert (answer.status_code, answer.json()["code"]) == (400, refusal), answer.text
            return None
        assert answer.status_code == status, answer.text
        return answer.json()

    def pick_tenant(self, at: int) -> str:
        return pick(list(self.tenants), at)

    def pick_run(self, at: int) -> tuple[str, RunModel]:
        return pick([(tenant, run) for tenant, model in self.tenants.items() for run in model.runs], at)

    def pick_experiment(self, at: int) -> tuple[str, ExperimentModel]:
        return pick([(tenant, one) for tenant, model in self.tenants.items() for one in model.experiments], at)

    def has_runs(self) -> bool:
        return any(model.runs for model in self.tenants.values())

    def active_runs(self) -> list[tuple[str, RunModel]]:
        return [(tenant, run) for tenant, model in self.tenants.items() for run in model.runs if run.is_active]

    def has_active_runs(self) -> bool:
        return bool(self.active_runs())

    def has_experiments(self) -> bool:
        return any(model.experiments for model in self.tenants.values())

    # Experiments

    @initialize()
    def begin(self) -> None:
        for at in range(len(self.tenants)):
            self.create_experiment(at, "one", {})
            self.create_run(at, {"team": "a"})

    @rule(at=drawn.places, name=drawn.names, tags=drawn.tags)
    def create_experiment(self, at: int, name: str, tags: dict[str, str]) -> None:
        tenant = self.pick_tenant(at)
        model = self.tenants[tenant]
        answer = self.ask(tenant, "POST", "", json={"name": name, "tags": tags})
        made = self.expect(answer, "already_exists" if model.is_taken(name) else "", status=201)
        if made is not None:
            model.experiments.append(ExperimentModel(made["id"], name, tags=dict(tags)))

    @precondition(has_experiments)
    @rule(at=drawn.places, changes=drawn.tag_changes, description=st.sampled_from(["", "why"]))
    def change_experiment(self, at: int, changes: dict[str, str | None], description: str) -> None:
        tenant, one = self.pick_experiment(at)
        body = {"tags": changes, "description": description}
        answer = self.ask(tenant, "PATCH", f"/{one.id}", json=body)
        self.expect(answer, "")
        merge_tags(one.tags, changes)
        one.description = description
        self.compare_experiment(tenant, one)

    @precondition(has_experiments)
    @rule(at=drawn.places)
    def archive_experiment(self, at: int) -> None:
        tenant, one = self.pick_experiment(at)
        self.expect(self.ask(tenant, "DELETE", f"/{one.id}"), "")
        self.tenants[tenant].archive(one)
        self.compare_experiment(tenant, one)

    @precondition(has_experiments)
    @rule(at=drawn.places)
    def restore_experiment(self, at: int) -> None:
        tenant, one = self.pick_experiment(at)
        self.expect(self.ask(tenant, "POST", f"/{one.id}/restore"), "")
        self.tenants[tenant].restore(one)
        self.compare_experiment(tenant, one)

    @precondition(has_experiments)
    @rule(at=drawn.places)
    def purge_experiment(self, at: int) -> None:
        tenant, one = self.pick_experiment(at)
        refusal = self.tenants[tenant].purge_experiment(one)
        self.expect(self.ask(tenant, "POST", f"/{one.id}/purge"), refusal)
        if not refusal:
            assert self.ask(tenant, "GET", f"/{one.id}").status_code == 404

    # Runs

    @precondition(has_experiments)
    @rule(at=drawn.places, tags=drawn.tags)
    def create_run(self, at: int, tags: dict[str, str]) -> None:
        tenant, one = self.pick_experiment(at)
        answer = self.ask(tenant, "POST", "/runs", json={"experiment_id": one.id, "name": "r", "tags": tags})
        made = self.expect(answer, "" if one.is_active else "experiment_archived", status=201)
        if made is not None:
            self.tenants[tenant].runs.append(RunModel(made["id"], one, "r", tags=dict(tags)))

    @precondition(has_runs)
    @rule(at=drawn.places, series=drawn.series, params=drawn.params, tags=drawn.tags)
    def log_batch(self, at: int, series: dict[str, list[Point]], params: dict[str, str], tags: dict[str, str]) -> None:
        tenant, run = self.pick_run(at)
        body = {
            "metrics": [
                {"key": key, "step": step, "timestamp": time_ms, "value": to_wire(value)}
                for key, points in series.items()
                for step, time_ms, value in points
            ],
            "params": [{"key": key, "value": value} for key, value in params.items()],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        answer = self.ask(tenant, "POST", f"/runs/{run.id}/log-batch", json=body)
        kept = self.expect(answer, run.log(series, params, tags))
        if kept is not None:
            counts = (sum(map(len, series.values())), len(params), len(tags))
            assert (kept["metrics"], kept["params"], kept["tags"]) == counts
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places, key=drawn.keys, step=st.sampled_from(drawn.FULL_STEPS), value=drawn.values)
    def log_metric(self, at: int, key: str, step: int, value: float) -> None:
        tenant, run = self.pick_run(at)
        body = {"metrics": {key: to_wire(value)}, "step": step, "timestamp": 5}
        answer = self.ask(tenant, "POST", f"/runs/{run.id}/log-metrics", json=body)
        self.expect(answer, run.log({key: [(step, 5, value)]}, {}, {}))
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places, params=drawn.params)
    def log_params(self, at: int, params: dict[str, str]) -> None:
        tenant, run = self.pick_run(at)
        answer = self.ask(tenant, "POST", f"/runs/{run.id}/log-params", json={"params": params})
        self.expect(answer, run.log({}, params, {}))
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places, series=drawn.series, params=drawn.params, again=st.booleans())
    def log_sequenced(self, at: int, series: dict[str, list[Point]], params: dict[str, str], again: bool) -> None:
        tenant, run = self.pick_run(at)
        path, body = f"/runs/{run.id}/batches", sequenced(run.next_seq, series, params)
        refusal = run.log_sequenced(series, params)
        kept = self.expect(self.ask(tenant, "POST", path, json=body), refusal)
        assert kept is None or not kept["duplicate"]
        if again and kept is not None:
            assert self.expect(self.ask(tenant, "POST", path, json=body), "")["duplicate"]
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places, path=drawn.paths, data=drawn.contents)
    def log_artifact(self, at: int, path: str, data: bytes) -> None:
        tenant, run = self.pick_run(at)
        directory, _, name = path.rpartition("/")
        where = {"artifact_path": directory} if directory else {}
        answer = self.ask(tenant, "POST", f"/runs/{run.id}/log-artifact", params=where, files={"file": (name, data)})
        self.expect(answer, run.put_file(path, data))
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places, status=st.sampled_from(["finished", "failed", "killed"]))
    def end_run(self, at: int, status: str) -> None:
        tenant, run = self.pick_run(at)
        self.expect(self.ask(tenant, "POST", f"/runs/{run.id}/end", json={"status": status}), run.end(status))
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places, name=drawn.names, changes=drawn.tag_changes)
    def change_run(self, at: int, name: str, changes: dict[str, str | None]) -> None:
        tenant, run = self.pick_run(at)
        answer = self.ask(tenant, "PATCH", f"/runs/{run.id}", json={"name": name, "tags": changes})
        self.expect(answer, run.change(name, changes))
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places)
    def archive_run(self, at: int) -> None:
        tenant, run = self.pick_run(at)
        self.expect(self.ask(tenant, "DELETE", f"/runs/{run.id}"), run.archive())
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places)
    def restore_run(self, at: int) -> None:
        tenant, run = self.pick_run(at)
        self.expect(self.ask(tenant, "POST", f"/runs/{run.id}/restore"), run.restore())
        self.compare_run(tenant, run)

    @precondition(has_runs)
    @rule(at=drawn.places)
    def purge_run(self, at: int) -> None:
        tenant, run = self.pick_run(at)
        refusal = self.tenants[tenant].purge_run(run)
        self.expect(self.ask(tenant, "POST", f"/runs/{run.id}/purge"), refusal)
        if not refusal:
            assert self.ask(tenant, "GET", f"/runs/{run.id}").status_code == 404

    @precondition(has_runs)
    @rule(at=drawn.places, method=st.sampled_from(["GET", "DELETE", "PATCH"]))
    def reach_for_the_run_of_another(self, at: int, method: str) -> None:
        tenant, run = self.pick_run(at)
        other = next(name for name in self.tenants if name != tenant)
        body = {"json": {"name": "taken"}} if method == "PATCH" else {}
        answer = self.ask(other, method, f"/runs/{run.id}", **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "tenant_access_denied")
        self.compare_run(tenant, run)

    @rule(at=drawn.places, value=st.sampled_from(["1", "2"]), status=st.sampled_from(["running", "finished"]))
    def search(self, at: int, value: str, status: str) -> None:
        tenant = self.pick_tenant(at)
        filter_text = f"params.lr = '{value}' and status = '{status}'"
        found = self.expect(self.ask(tenant, "GET", "/runs", params={"filter": filter_text, "limit": 1000}), "")
        runs = [r for r in self.tenants[tenant].runs if r.is_active and r.params.get("lr") == value]
        matching = {run.id for run in runs if run.status == status}
        assert {run["id"] for run in found["runs"]} == matching
        assert found["total"] == len(matching)

    # The process

    @precondition(lambda self: self.restarts < self.most_restarts)
    @rule(is_killed=st.booleans())
    def restart(self, is_killed: bool) -> None:
        if is_killed:
            self.server.kill()
        else:
            assert self.server.stop() == 0
        self.restart_client()
        self.compare_everything()

    @precondition(lambda self: self.restarts < self.most_restarts and self.has_active_runs())
    @rule(at=drawn.places, batches=st.lists(drawn.series, min_size=1, max_size=20), delay_ms=st.integers(0, 40))
    def kill_while_logging(self, at: int, batches: list[dict[str, list[Point]]], delay_ms: int) -> None:
        """A sender that retries: what was under way counts once, whether its answer got out or not."""
        tenant, run = pick(self.active_runs(), at)
        bodies = []
        for batch in batches:
            bodies.append(sequenced(run.next_seq, batch, {}))
            run.log_sequenced(batch, {})
        sender = threading.Thread(target=send_until_cut, args=(self.server, tenant, run, bodies))
        sender.start()
        time.sleep(delay_ms / 1000)
        self.server.kill()
        sender.join()
        self.restart_client()
        for body in bodies:
            self.expect(self.ask(tenant, "POST", f"/runs/{run.id}/batches", json=body), "")
        self.compare_everything()

    def restart_client(self) -> None:
        self.restarts += 1
        self.client.close()
        self.server.start()
        self.client = httpx.Client(base_url=f"{self.server.base_url}/api/v1", timeout=60)

    # What is there

    def compare_experiment(self, tenant: str, one: ExperimentModel) -> None:
        found = self.expect(self.ask(tenant, "GET", f"/{one.id}"), "")
        stage = "active" if one.is_active else "deleted"
        assert (found["name"], found["description"], found["tags"]) == (one.name, one.description, one.tags)
        assert (found["lifecycle_stage"], found["run_count"]) == (stage, self.tenants[tenant].run_count(one))

    def compare_run(self, tenant: str, run: RunModel) -> None:
        found = self.expect(self.ask(tenant, "GET", f"/runs/{run.id}"), "")
        assert (found["params"], found["tags"], found["metrics"]) == (run.params, run.tags, run.latest())
        stage = "active" if run.is_active else "deleted"
        assert (found["name"], found["status"], found["lifecycle_stage"]) == (run.name, run.status, stage)
        history = self.expect(self.ask(tenant, "GET", f"/runs/{run.id}/history", params={"limit": 100_000}), "")
        stored = {
            one["key"]: [
                exact((step, time_ms, float(value)))
                for step, time_ms, value in zip(one["step"], one["timestamp"], one["value"], strict=True)
            ]
            for one in history["series"]
        }
        assert stored == {key: [exact(point) for point in run.series(key)] for key in run.points}

    def compare_files(self, tenant: str, run: RunModel) -> None:
        for path, data in run.files.items():
            answer = self.ask(tenant, "GET", f"/runs/{run.id}/artifacts/{path}")
            assert (answer.status_code, answer.content) == (200, data), path
        top = self.expect(self.ask(tenant, "GET", f"/runs/{run.id}/artifacts"), "")
        assert {entry["path"] for entry in top["artifacts"]} == {path.partition("/")[0] for path in run.files}

    def compare_everything(self) -> None:
        for tenant, model in self.tenants.items():
            for is_active, stage in ((True, "active"), (False, "deleted")):
                query = {"lifecycle_stage": stage, "limit": 1000}
                listed = self.expect(self.ask(tenant, "GET", "", params=query), "")
                newest_first = [one.id for one in reversed(model.experiments) if one.is_active == is_active]
                assert [one["id"] for one in listed["experiments"]] == newest_first
                listed = self.expect(self.ask(tenant, "GET", "/runs", params=query), "")
                assert {run["id"] for run in listed["runs"]} == {r.id for r in model.runs if r.is_active == is_active}
            for one in model.experiments:
                self.compare_experiment(tenant, one)
            for run in model.runs:
                self.compare_run(tenant, run)
                self.compare_files(tenant, run)

    def teardown(self) -> None:
        try:
            self.compare_everything()
        finally:
            self.client.close()


def pick(choices: Sequence[T], at: int) -> T:
    return choices[at % len(choices)]


def send_until_cut(server: ServerProcess, tenant: str, run: RunModel, bodies: list[dict[str, Any]]) -> None:
    headers = {"X-Tenant-ID": tenant}
    with httpx.Client(base_url=f"{server.base_url}/api/v1", headers=headers, timeout=60) as client:
        for body in bodies:
            try:
                client.post(f"/experiments/runs/{run.id}/batches", json=body)
            except httpx.TransportError:
                return


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("machine") / "home", "--quiet", env=OFTEN_SEALED).start()
    yield running
    assert running.stop() == 0
    assert database_faults(running.home / "gnomon.db") == []


@pytest.mark.parametrize(
    ("examples", "steps", "most_restarts"),
    [
        pytest.param(6, 40, 1, id="small"),
        pytest.param(300, 100, 3, id="large", marks=[pytest.mark.nightly, pytest.mark.timeout(7200)]),
    ],
)
def test_the_server_does_what_the_model_does(
    server: ServerProcess, examples: int, steps: int, most_restarts: int
) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Tracker(server, SERIAL, most_restarts=most_restarts),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=examples < 100,  # the same in every run of the suite, another every night
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
