"""Runs, sentence by sentence of the API's description: create, change, end, reopen, archive, list, compare."""

import re
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem

Json = dict[str, Any]
FIELDS = {
    "id",
    "experiment_id",
    "name",
    "description",
    "status",
    "lifecycle_stage",
    "start_time",
    "end_time",
    "duration_ms",
    "artifact_uri",
    "params",
    "metrics",
    "tags",
    "created_by",
}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def _run(api: httpx.Client, experiment: str, **fields: object) -> str:
    answer = api.post("/experiments/runs", json={"experiment_id": experiment, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _log(api: httpx.Client, run: str, *points: tuple[str, int | float, int, float | str]) -> None:
    entries = [{"key": key, "step": step, "timestamp": ms, "value": value} for key, step, ms, value in points]
    assert api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries}).status_code == 200


def test_a_run_has_exactly_these_fields_everywhere(api: httpx.Client, experiment: str) -> None:
    made = api.post("/experiments/runs", json={"experiment_id": experiment}).json()
    path = f"/experiments/runs/{made['id']}"
    answers = [
        made,
        api.get(path).json(),
        api.get("/experiments/runs").json()["runs"][0],
        api.patch(path, json={"tags": {"a": "b"}}).json(),
        api.post(f"{path}/end").json(),
        api.delete(path).json(),
        api.post(f"{path}/restore").json(),
    ]
    for answer in answers:
        assert set(answer) == FIELDS
        assert re.fullmatch("[0-9a-f]{32}", answer["id"])
        assert answer["experiment_id"] == experiment
        assert re.fullmatch(TIME, answer["start_time"])
        assert answer["end_time"] is None or re.fullmatch(TIME, answer["end_time"])
    assert set(api.get("/experiments/runs").json()) == {"runs", "total", "limit", "offset"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 501}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"description": "d" * 1001}, "description"),
        ({"tags": {"a": None}}, "tags.a"),
        ({"tags": {"k" * 251: "v"}}, "tags"),
        ({"tags": {"k": "v" * 8001}}, "tags.k"),
        ({"status": "finished"}, "status"),
        ({"experiment_id": 1}, "experiment_id"),
    ],
)
def test_a_wrong_field_of_a_new_run_is_named(api: httpx.Client, experiment: str, fields: Json, wrong: str) -> None:
    refused = api.post("/experiments/runs", json={"experiment_id": experiment, **fields})
    assert_problem(refused, 400, "invalid_request", field=wrong)
    assert api.get("/experiments/runs").json()["total"] == 0


def test_names_of_runs_need_not_be_unique_and_may_be_long(api: httpx.Client, experiment: str) -> None:
    ids = {_run(api, experiment, name="n" * 500) for _ in range(2)}
    assert len(ids) == 2
    made = api.get(f"/experiments/runs/{_run(api, experiment, name=None, description=None, tags=None)}").json()
    assert made["name"]
    assert (made["description"], made["tags"]) == ("", {})


def test_duration_is_end_less_start_in_milliseconds(api: httpx.Client, run: str) -> None:
    for end in ("2999-01-01T00:00:00.123Z", "2999-01-01T02:00:00.123+02:00", 32_472_144_000_123):
        ended = api.post(f"/experiments/runs/{run}/end", json={"end_time": end}).json()
        assert ended["end_time"] == "2999-01-01T00:00:00.123Z"
        start = datetime.fromisoformat(ended["start_time"])
        stop = datetime.fromisoformat(ended["end_time"])
        assert ended["duration_ms"] == round((stop - start).total_seconds() * 1000)


def test_the_same_end_again_answers_the_same(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}/end"
    for body in ({"status": "failed", "end_time": "2999-01-01T00:00:00.000Z"}, {"status": "killed"}, None):
        first = api.post(path, json=body) if body else api.post(path)
        again = api.post(path, json=body) if body else api.post(path)
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json() == api.get(f"/experiments/runs/{run}").json()


@pytest.mark.parametrize("end", ["yesterday", "2000-01-01T00:00:00Z", -1, 253_402_300_800_000, "", 1.5, True, [], "0"])
def test_a_wrong_end_time_changes_nothing(api: httpx.Client, run: str, end: object) -> None:
    refused = api.post(f"/experiments/runs/{run}/end", json={"end_time": end})
    assert_problem(refused, 400, "invalid_request", field="end_time")
    assert api.get(f"/experiments/runs/{run}").json()["status"] == "running"


def test_an_ended_run_is_reopened_and_ended_again(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    api.post(f"{path}/end", json={"status": "failed"})
    _log(api, run, ("late", 1, 1, 0.5))
    reopened = api.patch(path, json={"status": "running"}).json()
    assert (reopened["status"], reopened["end_time"], reopened["duration_ms"]) == ("running", None, None)
    assert reopened["metrics"] == {"late": 0.5}
    assert api.post(f"{path}/end").json()["status"] == "finished"


def test_late_params_tags_and_files_of_an_ended_run_are_taken_too(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    ended = api.post(f"{path}/end").json()
    body = {"params": [{"key": "p", "value": 1}], "tags": [{"key": "t", "value": "x"}]}
    assert api.post(f"{path}/log-batch", json=body).status_code == 200
    assert api.post(f"{path}/log-artifact", files={"file": ("a", b"x")}).status_code == 200
    after = api.get(path).json()
    assert (after["params"], after["tags"], after["status"]) == ({"p": "1"}, {"t": "x"}, "finished")
    assert after["end_time"] == ended["end_time"]


@pytest.mark.parametrize(
    "body", [{"name": None}, {"tags": {"a": 1}}, {"status": "done"}, {"status": None}, {"description": 1}, {}]
)
def test_a_wrong_patch_changes_nothing(api: httpx.Client, run: str, body: Json) -> None:
    before = api.get(f"/experiments/runs/{run}").json()
    mixed = {"name": "changed", **body} if body else body
    assert_problem(api.patch(f"/experiments/runs/{run}", json=mixed), 400, "invalid_request")
    assert api.get(f"/experiments/runs/{run}").json() == before


def test_an_archived_run_is_read_not_written(api: httpx.Client, experiment: str, run: str) -> None:
    path = f"/experiments/runs/{run}"
    _log(api, run, ("loss", 1, 1, 0.5))
    archived = api.delete(path)
    assert archived.status_code == 200
    assert api.delete(path).json() == archived.json() == api.get(path).json()
    for answer in (
        api.patch(path, json={"name": "x"}),
        api.post(f"{path}/end"),
        api.post(f"{path}/log-metrics", json={"metrics": {"a": 1}}),
        api.post(f"{path}/log-params", json={"params": {"a": 1}}),
        api.post(f"{path}/log-batch", json={}),
        api.post(f"{path}/batches", json={"writer": "w", "seq": 0}),
        api.post(f"{path}/log-artifact", files={"file": ("a", b"x")}),
    ):
        assert_problem(answer, 400, "run_archived")
    assert api.get(f"{path}/history").json()["series"][0]["total"] == 1
    restored = api.post(f"{path}/restore")
    assert (restored.status_code, restored.json()["lifecycle_stage"]) == (200, "active")
    assert api.post(f"{path}/restore").json() == restored.json()


def test_lists_take_experiments_status_and_search_together(api: httpx.Client, experiment: str) -> None:
    other = api.post("/experiments", json={"name": "other"}).json()["id"]
    first, second = _run(api, experiment, name="Alpha 100%"), _run(api, experiment, name="beta_1")
    third = _run(api, other, name="alpha 2")
    api.post(f"/experiments/runs/{second}/end", json={"status": "failed"})

    def found(**params: object) -> list[str]:
        answer = api.get("/experiments/runs", params=params)  # type: ignore[arg-type]  # httpx takes what str() takes
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["total"] == len(page["runs"])
        return [one["id"] for one in page["runs"]]

    assert found() == [third, second, first]
    assert found(experiment_id=experiment) == [second, first]
    assert found(experiment_id=[experiment, other, experiment]) == [third, second, first]
    assert found(search="ALPHA") == [third, first]
    assert found(search="%") == [first]
    assert found(search="_") == [second]
    assert found(status="failed") == [second]
    assert found(status="failed", search="alpha") == []
    assert found(experiment_id=experiment, filter="name like '%a%'", order_by="name asc") == [first, second]
    assert found(filter="status = 'running' and name ilike 'ALPHA%'", experiment_id=other) == [third]
    assert found(lifecycle_stage="deleted") == []
    for params in ({"status": "RUNNING"}, {"status": ""}, {"lifecycle_stage": "x"}):
        assert_problem(api.get("/experiments/runs", params=params), 400, "invalid_request", field=next(iter(params)))


def test_latest_is_the_greatest_step_time_and_value(api: httpx.Client, run: str) -> None:
    def latest() -> float | str:
        return api.get(f"/experiments/runs/{run}").json()["metrics"]["m"]  # type: ignore[no-any-return]

    for points, expected in (
        ([(1, 5, 1.0), (1, 5, 3.0), (1, 5, 2.0)], 3.0),
        ([(1, 4, 9.0)], 3.0),
        ([(0, 99, 9.0)], 3.0),
        ([(1, 6, -7.0)], -7.0),
        ([(2, 0, -1.0), (2, 0, "NaN")], "NaN"),
        ([(2, 0, 0.5)], 0.5),
        ([(3, 0, "-Infinity"), (3, 0, "NaN")], "NaN"),
        ([(3.5, 0, "Infinity")], "Infinity"),
        ([(-1, 10**12, 7.0)], "Infinity"),
    ):
        _log(api, run, *(("m", *point) for point in points))  # type: ignore[misc]
        assert latest() == expected, points


def test_compare_is_exact_about_values_draws_and_directions(api: httpx.Client, experiment: str) -> None:
    a, b, c = (_run(api, experiment, name=name) for name in "abc")
    _log(api, a, ("loss", 0, 0, 1.0), ("acc", 0, 0, 0.9), ("odd", 0, 0, "NaN"), ("top", 0, 0, "Infinity"))
    _log(api, b, ("loss", 0, 0, 2.0), ("acc", 0, 0, 0.9), ("odd", 0, 0, "NaN"), ("top", 0, 0, 3.0))

    def compare(*ids: str, **body: object) -> Json:
        answer = api.post("/experiments/runs/compare", json={"run_ids": list(ids), **body})
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        assert set(found) == {"runs", "comparison"}
        assert set(found["comparison"]) == {"metric_comparison", "param_differences", "best_run"}
        assert all(set(one) == {"run_id", "name", "status", "params", "metrics"} for one in found["runs"])
        comparison: Json = found["comparison"]
        return comparison

    everything = compare(a, b, c)
    assert set(everything["metric_comparison"]) == {"loss", "acc", "odd", "top"}
    assert everything["metric_comparison"]["odd"] == {
        "direction": "max",
        "best_run_id": None,
        "best_value": None,
        "all_values": {a: "NaN", b: "NaN", c: None},
    }
    assert everything["metric_comparison"]["top"]["best_value"] == "Infinity"
    assert everything["metric_comparison"]["loss"]["all_values"] == {a: 1.0, b: 2.0, c: None}
    assert everything["best_run"] == a
    assert compare(a, b, metrics=["loss", "top"], directions={"top": "min"})["best_run"] is None
    assert compare(a, b, metrics=["loss"], directions={"loss": "max"})["best_run"] == b
    nothing = compare(a, b, metrics=["nowhere"])
    assert nothing["metric_comparison"]["nowhere"]["all_values"] == {a: None, b: None}
    assert nothing["best_run"] is None
    assert compare(a, b, metrics=[])["metric_comparison"] == {}
    for body in ({"directions": {"loss": "up"}}, {"metrics": "loss"}, {"run_ids": "ab"}, {"run_ids": [a, 1]}):
        refused = api.post("/experiments/runs/compare", json={"run_ids": [a, b], **body})
        assert_problem(refused, 400, "invalid_request", field=next(iter(body)))


def test_metrics_are_doubles_in_every_answer(api: httpx.Client, experiment: str, run: str) -> None:
    other = _run(api, experiment)
    values = {"third": 1 / 3, "tiny": 5e-324, "huge": 1.7976931348623157e308, "int": 2**53, "zero": 0}
    for one in (run, other):
        assert api.post(f"/experiments/runs/{one}/log-metrics", json={"metrics": values}).status_code == 200
    found = [
        api.get(f"/experiments/runs/{run}").json()["metrics"],
        api.get("/experiments/runs", params={"experiment_id": experiment}).json()["runs"][0]["metrics"],
        api.post("/experiments/runs/compare", json={"run_ids": [run, other]}).json()["runs"][0]["metrics"],
    ]
    for metrics in found:
        assert metrics == values
