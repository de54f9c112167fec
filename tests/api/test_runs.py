"""Runs through the public door: create, read, find, change, end, archive, restore, compare."""

import re

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess


def new_run(api: httpx.Client, experiment: str, **fields: object) -> str:
    answer = api.post("/experiments/runs", json={"experiment_id": experiment, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_create_answers_the_whole_run(api: httpx.Client, experiment: str) -> None:
    body = {"experiment_id": experiment, "name": "first", "description": "d", "tags": {"team": "risk"}}
    answer = api.post("/experiments/runs", json=body)
    assert answer.status_code == 201
    run = answer.json()
    assert answer.headers["location"] == f"/api/v1/experiments/runs/{run['id']}"
    assert re.fullmatch("[0-9a-f]{32}", run["id"])
    assert run["artifact_uri"]
    assert run["created_by"]
    assert run["start_time"].endswith("Z")
    expected = {
        "experiment_id": experiment,
        "name": "first",
        "description": "d",
        "status": "running",
        "lifecycle_stage": "active",
        "end_time": None,
        "duration_ms": None,
        "params": {},
        "metrics": {},
        "tags": {"team": "risk"},
    }
    assert {key: run[key] for key in expected} == expected
    assert api.get(f"/experiments/runs/{run['id']}").json() == run
    assert api.get(f"/experiments/{experiment}").json()["run_count"] == 1


def test_a_run_without_a_name_gets_a_readable_one(api: httpx.Client, experiment: str) -> None:
    run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()
    assert re.fullmatch(r"[a-z]+-\d+", run["name"])


def test_a_run_needs_an_experiment_that_exists(server: ServerProcess, api: httpx.Client, experiment: str) -> None:
    assert_problem(api.post("/experiments/runs", json={"experiment_id": "f" * 32}), 404, "experiment_not_found")
    assert_problem(api.post("/experiments/runs", json={}), 400, "invalid_request", field="experiment_id")
    with server.client("runs-foreign") as other:
        refused = other.post("/experiments/runs", json={"experiment_id": experiment})
        assert_problem(refused, 403, "tenant_access_denied")


def test_runs_is_never_an_experiment_id(api: httpx.Client) -> None:
    assert "runs" in api.get("/experiments/runs").json()


@pytest.mark.parametrize("status", ["finished", "failed", "killed"])
def test_end_sets_status_and_time_and_repeats_itself(api: httpx.Client, run: str, status: str) -> None:
    answer = api.post(f"/experiments/runs/{run}/end", json={"status": status})
    assert answer.status_code == 200
    ended = answer.json()
    assert ended["status"] == status
    assert ended["end_time"] is not None
    assert ended["duration_ms"] >= 0
    assert api.post(f"/experiments/runs/{run}/end", json={"status": status}).json() == ended


def test_end_without_a_body_finishes(api: httpx.Client, run: str) -> None:
    assert api.post(f"/experiments/runs/{run}/end").json()["status"] == "finished"


def test_end_takes_a_time(api: httpx.Client, run: str) -> None:
    body = {"status": "finished", "end_time": "2035-01-02T03:04:05.678Z"}
    assert api.post(f"/experiments/runs/{run}/end", json=body).json()["end_time"] == body["end_time"]


@pytest.mark.parametrize(
    "body",
    [
        {"status": "running"},
        {"status": "done"},
        {"end_time": "yesterday"},
        {"end_time": "1999-01-01T00:00:00Z"},
        {"x": 1},
    ],
)
def test_a_wrong_end_changes_nothing(api: httpx.Client, run: str, body: dict[str, object]) -> None:
    assert_problem(api.post(f"/experiments/runs/{run}/end", json=body), 400, "invalid_request")
    assert api.get(f"/experiments/runs/{run}").json()["status"] == "running"


def test_late_points_of_an_ended_run_are_taken(api: httpx.Client, run: str) -> None:
    api.post(f"/experiments/runs/{run}/end")
    assert api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 1}}).status_code == 200


def test_patch_reopens_an_ended_run(api: httpx.Client, run: str) -> None:
    api.post(f"/experiments/runs/{run}/end")
    reopened = api.patch(f"/experiments/runs/{run}", json={"status": "running", "name": "again"}).json()
    assert (reopened["status"], reopened["end_time"], reopened["name"]) == ("running", None, "again")


def test_tags_merge_and_null_removes(api: httpx.Client, run: str) -> None:
    api.patch(f"/experiments/runs/{run}", json={"tags": {"a": "1", "b": "2"}})
    changed = api.patch(f"/experiments/runs/{run}", json={"tags": {"a": None, "b": "3"}}).json()
    assert changed["tags"] == {"b": "3"}


def test_archive_and_restore_one_run(api: httpx.Client, experiment: str, run: str) -> None:
    archived = api.delete(f"/experiments/runs/{run}")
    assert (archived.status_code, archived.json()["lifecycle_stage"]) == (200, "deleted")
    assert api.delete(f"/experiments/runs/{run}").json() == archived.json()
    assert api.get("/experiments/runs", params={"experiment_id": experiment}).json()["total"] == 0
    gone = {"experiment_id": experiment, "lifecycle_stage": "deleted"}
    assert api.get("/experiments/runs", params=gone).json()["total"] == 1
    for path, body in (
        ("log-params", {"params": {"a": 1}}),
        ("log-batch", {"tags": [{"key": "a", "value": "b"}]}),
        ("end", {}),
    ):
        assert_problem(api.post(f"/experiments/runs/{run}/{path}", json=body), 400, "run_archived")
    assert api.post(f"/experiments/runs/{run}/restore").json()["lifecycle_stage"] == "active"
    assert api.get(f"/experiments/{experiment}").json()["run_count"] == 1


def test_the_total_of_an_unfiltered_list_follows_every_archiving(api: httpx.Client, experiment: str, run: str) -> None:
    other = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]

    def totals() -> tuple[int, int]:
        mine = api.get("/experiments/runs", params={"experiment_id": experiment}).json()
        everywhere = api.get("/experiments/runs", params={"limit": 1000}).json()
        assert mine["total"] == len(mine["runs"])
        assert everywhere["total"] == len(everywhere["runs"])
        return mine["total"], everywhere["total"]

    _, before = totals()
    api.delete(f"/experiments/runs/{other}")
    assert totals() == (1, before - 1)
    api.delete(f"/experiments/{experiment}")
    assert totals() == (0, before - 2)
    api.post(f"/experiments/{experiment}/restore")
    assert totals() == (1, before - 1)


def test_a_run_of_an_archived_experiment_is_restored_with_it(api: httpx.Client, experiment: str, run: str) -> None:
    api.delete(f"/experiments/{experiment}")
    assert_problem(api.post(f"/experiments/runs/{run}/restore"), 400, "experiment_archived")


def test_list_filters_orders_and_pages(api: httpx.Client, experiment: str) -> None:
    runs = []
    for number in range(5):
        run = new_run(api, experiment, name=f"run-{number}", tags={"team": "risk" if number % 2 else "ads"})
        api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": number / 10}})
        api.post(f"/experiments/runs/{run}/log-params", json={"params": {"opt": "adam" if number < 3 else "sgd"}})
        runs.append(run)
    api.post(f"/experiments/runs/{runs[0]}/end", json={"status": "failed"})

    def found(**params: object) -> list[str]:
        answer = api.get("/experiments/runs", params={"experiment_id": experiment, **params})
        assert answer.status_code == 200, answer.text
        return [run["name"] for run in answer.json()["runs"]]

    assert found() == ["run-4", "run-3", "run-2", "run-1", "run-0"]
    assert found(filter="metrics.loss < 0.3 and params.opt = 'adam' and not status = 'failed'") == ["run-2", "run-1"]
    assert found(filter="tags.team ilike 'RIS%'", order_by="metrics.loss asc") == ["run-1", "run-3"]
    assert found(order_by="metrics.loss desc", limit=2, offset=1) == ["run-3", "run-2"]
    assert found(status="failed") == ["run-0"]
    assert found(search="RUN-3") == ["run-3"]
    page = api.get("/experiments/runs", params={"experiment_id": experiment, "limit": 2}).json()
    assert (page["total"], page["limit"], page["offset"]) == (5, 2, 0)


def test_a_wrong_filter_points_at_the_character(api: httpx.Client) -> None:
    refused = api.get("/experiments/runs", params={"filter": "metrics.loss << 3"})
    assert_problem(refused, 400, "invalid_filter", field="filter")
    assert "^" in refused.json()["errors"][0]["message"]


def test_a_list_names_only_experiments_of_the_tenant(server: ServerProcess, api: httpx.Client, experiment: str) -> None:
    assert_problem(api.get("/experiments/runs", params={"experiment_id": "f" * 32}), 404, "experiment_not_found")
    with server.client("runs-foreign-list") as other:
        refused = other.get("/experiments/runs", params={"experiment_id": experiment})
        assert_problem(refused, 403, "tenant_access_denied")
        assert other.get("/experiments/runs").json()["total"] == 0


def test_compare_finds_the_best_and_the_differences(api: httpx.Client, experiment: str) -> None:
    runs = [new_run(api, experiment, name=name) for name in ("a", "b", "c")]
    for run, acc, loss, lr in zip(runs, (0.8, 0.9, "NaN"), (0.3, 0.342, 0.2), (0.01, 0.1, 0.01), strict=True):
        body = {
            "metrics": [{"key": "val_accuracy", "value": acc}, {"key": "val_loss", "value": loss}],
            "params": [{"key": "lr", "value": lr}, {"key": "same", "value": 1}],
        }
        assert api.post(f"/experiments/runs/{run}/log-batch", json=body).status_code == 200
    api.post(f"/experiments/runs/{runs[0]}/log-params", json={"params": {"only": "here"}})
    answer = api.post("/experiments/runs/compare", json={"run_ids": runs, "metrics": ["val_accuracy", "val_loss"]})
    assert answer.status_code == 200
    compared = answer.json()
    assert [run["run_id"] for run in compared["runs"]] == runs
    assert set(compared["runs"][0]) == {"run_id", "name", "status", "params", "metrics"}
    comparison = compared["comparison"]
    accuracy = comparison["metric_comparison"]["val_accuracy"]
    assert accuracy == {
        "direction": "max",
        "best_run_id": runs[1],
        "best_value": 0.9,
        "all_values": {runs[0]: 0.8, runs[1]: 0.9, runs[2]: "NaN"},
    }
    loss = comparison["metric_comparison"]["val_loss"]
    assert (loss["direction"], loss["best_run_id"], loss["best_value"]) == ("min", runs[2], 0.2)
    assert comparison["param_differences"] == {
        "lr": {runs[0]: "0.01", runs[1]: "0.1", runs[2]: "0.01"},
        "only": {runs[0]: "here", runs[1]: None, runs[2]: None},
    }
    assert comparison["best_run"] is None

    body = {"run_ids": runs[:2], "metrics": ["val_loss", "val_accuracy"], "directions": {"val_loss": "max"}}
    comparison = api.post("/experiments/runs/compare", json=body).json()["comparison"]
    assert comparison["best_run"] == runs[1]


def test_compare_takes_2_to_10_distinct_runs(server: ServerProcess, api: httpx.Client, experiment: str) -> None:
    runs = [new_run(api, experiment) for _ in range(11)]

    def compare(ids: list[str]) -> httpx.Response:
        return api.post("/experiments/runs/compare", json={"run_ids": ids})

    assert compare(runs[:10]).status_code == 200
    for ids in ([], runs[:1], runs, [runs[0], runs[0]]):
        assert_problem(compare(ids), 400, "invalid_request", field="run_ids")
    assert_problem(compare([runs[0], "f" * 32]), 404, "run_not_found")
    with server.client("compare-foreign") as other:
        mine = other.post("/experiments", json={"name": "mine"}).json()["id"]
        own = new_run(other, mine)
        refused = other.post("/experiments/runs/compare", json={"run_ids": [own, runs[0]]})
        assert_problem(refused, 403, "tenant_access_denied")
