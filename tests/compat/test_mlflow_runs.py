"""Runs by MLflow's wire: their life, their names, search and paging."""

import re

import pytest

from tests.compat.wire_client import Json, Wire
from tests.support.server_process import ServerProcess


def tags_of(run: Json) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}


def get(wire: Wire, run: str) -> Json:
    found: Json = wire.get("runs/get", run_id=run)["run"]
    return found


def search(wire: Wire, **asked: object) -> list[str]:
    found = wire.post("runs/search", **{"experiment_ids": ["0"], **asked})
    return [run["info"]["run_name"] for run in found.get("runs", [])]


def test_create_answers_the_whole_run(wire: Wire) -> None:
    made = wire.post(
        "runs/create",
        experiment_id="0",
        user_id="ada",
        run_name="first",
        start_time=1_700_000_000_000,
        tags=[{"key": "mlflow.user", "value": "ada"}, {"key": "k", "value": "v"}],
    )["run"]
    info = made["info"]
    assert info["run_id"] == info["run_uuid"]
    assert {key: info[key] for key in ("run_name", "experiment_id", "user_id", "status", "start_time")} == {
        "run_name": "first",
        "experiment_id": "0",
        "user_id": "ada",
        "status": "RUNNING",
        "start_time": 1_700_000_000_000,
    }
    assert info["artifact_uri"].endswith(f"/{info['run_id']}/artifacts")
    assert "end_time" not in info
    assert "metrics" not in made["data"]
    assert "params" not in made["data"]
    assert tags_of(made) == {"mlflow.user": "ada", "k": "v", "mlflow.runName": "first"}
    assert made["inputs"] == {}
    assert get(wire, info["run_id"]) == {**made, "outputs": {}}


def test_the_name_and_its_tag_are_one(wire: Wire) -> None:
    run = wire.new_run(tags=[{"key": "mlflow.runName", "value": "by tag"}])
    assert get(wire, run)["info"]["run_name"] == "by tag"
    wire.post("runs/set-tag", run_id=run, key="mlflow.runName", value="by set-tag")
    assert get(wire, run)["info"]["run_name"] == "by set-tag"
    wire.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": "by batch"}])
    assert get(wire, run)["info"]["run_name"] == "by batch"
    assert wire.post("runs/update", run_id=run, run_name="by update")["run_info"]["run_name"] == "by update"
    assert tags_of(get(wire, run))["mlflow.runName"] == "by update"
    clash = {"run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]}
    wire.refused("runs/create", 400, "INVALID_PARAMETER_VALUE", experiment_id="0", **clash)
    assert get(wire, wire.new_run())["info"]["run_name"]


def test_update_ends_and_reopens_a_run(wire: Wire) -> None:
    run = wire.new_run(start_time=1_700_000_000_000)
    info = wire.post("runs/update", run_id=run, status="FINISHED", end_time=1_700_000_005_000)["run_info"]
    assert (info["status"], info["end_time"]) == ("FINISHED", 1_700_000_005_000)
    assert wire.post("runs/update", run_id=run, status=4)["run_info"]["status"] == "FAILED"
    info = wire.post("runs/update", run_id=run, status="RUNNING")["run_info"]
    assert info["status"] == "RUNNING"
    assert "end_time" not in info
    wire.refused("runs/update", 400, "INVALID_PARAMETER_VALUE", run_id=run, status="DONE")
    wire.refused("runs/update", 404, "RESOURCE_DOES_NOT_EXIST", run_id="f" * 32, status="FINISHED")
    # Old clients call it run_uuid.
    assert wire.post("runs/update", run_uuid=run, status="KILLED")["run_info"]["status"] == "KILLED"


def test_a_deleted_run_takes_nothing(wire: Wire) -> None:
    run = wire.new_run()
    assert wire.post("runs/delete", run_id=run) == {}
    assert wire.post("runs/delete", run_id=run) == {}
    assert get(wire, run)["info"]["lifecycle_stage"] == "deleted"
    expected = f"The run {run} must be in the 'active' state. Current state is deleted."
    for path, body in (
        ("runs/log-metric", {"key": "a", "value": 1, "timestamp": 1}),
        ("runs/log-parameter", {"key": "a", "value": "1"}),
        ("runs/set-tag", {"key": "a", "value": "1"}),
        ("runs/log-batch", {"tags": [{"key": "a", "value": "1"}]}),
        ("runs/delete-tag", {"key": "a"}),
        ("runs/update", {"status": "FINISHED"}),
    ):
        assert wire.refused(path, 400, "INVALID_PARAMETER_VALUE", run_id=run, **body) == expected
    assert wire.post("runs/restore", run_id=run) == {}
    wire.post("runs/set-tag", run_id=run, key="a", value="1")
    assert wire.post("runs/delete-tag", run_id=run, key="a") == {}
    wire.refused("runs/delete-tag", 404, "RESOURCE_DOES_NOT_EXIST", run_id=run, key="a")


def test_an_unknown_run_is_not_found(wire: Wire) -> None:
    unknown = "5eed" * 8
    for path, body in (
        ("runs/log-metric", {"key": "a", "value": 1, "timestamp": 1}),
        ("runs/delete", {}),
        ("runs/restore", {}),
        ("runs/set-tag", {"key": "a", "value": "1"}),
    ):
        message = wire.refused(path, 404, "RESOURCE_DOES_NOT_EXIST", run_id=unknown, **body)
        assert message == f"Run with id={unknown} not found"
    assert wire.get("runs/get", 404, run_id=unknown)["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_another_tenant_sees_nothing(wire: Wire, server: ServerProcess, tenant: str) -> None:
    run = wire.new_run()
    other = Wire(server.base_url, f"{tenant}-other")
    assert other.get("runs/get", 403, run_id=run)["error_code"] == "PERMISSION_DENIED"
    other.refused("runs/log-metric", 403, "PERMISSION_DENIED", run_id=run, key="a", value=1, timestamp=1)
    assert other.get("metrics/get-history", run_id=run, metric_key="a") == {}
    clash = wire.http.get(
        "/api/2.0/mlflow/runs/get", params={"run_id": run}, headers={"X-Tenant-ID": f"{tenant}-other"}
    )
    assert (clash.status_code, clash.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    other.http.close()


@pytest.fixture
def ranked(wire: Wire) -> Wire:
    """Four runs: acc .1 .2 .3 and none; the first is deleted in no view of it."""
    for place, name in enumerate(("r1", "r2", "r3")):
        run = wire.new_run(run_name=name, start_time=1_000 + place)
        wire.post(
            "runs/log-batch",
            run_id=run,
            metrics=[{"key": "acc", "value": (place + 1) / 10, "timestamp": 1}],
            params=[{"key": "lr", "value": f"0.{place}"}],
            tags=[{"key": "Team name", "value": "Risk" if place else "Fraud"}],
        )
    run = wire.new_run(run_name="r4", start_time=2_000)
    wire.post("runs/log-metric", run_id=run, key="nan", value="NaN", timestamp=1)
    return wire


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["r4", "r3", "r2", "r1"]),
        ("metrics.acc > 0.15", ["r3", "r2"]),
        ("metric.acc >= 2e-1 AND params.lr = '0.1'", ["r2"]),
        ('params.lr = "0.2"', ["r3"]),
        ("tags.`Team name` ILIKE 'risk'", ["r3", "r2"]),
        ("tags.`Team name` LIKE 'risk'", []),
        ("tags.`Team name` != 'Risk'", ["r1"]),
        ("params.lr IS NULL", ["r4"]),
        ("run_name = 'r2'", ["r2"]),
        ("attributes.`run name` LIKE 'r_' and attributes.start_time < 1002", ["r2", "r1"]),
        ("tags.mlflow.runName = 'r2'", ["r2"]),
        ("attribute.status = 'RUNNING' and Created > 1001", ["r4", "r3"]),
        ("metrics.nan != 5", ["r4"]),
        ("metrics.nan = 0", []),
        ("metrics.acc > 0.25 and ", ["r3"]),
    ],
)
def test_filters(ranked: Wire, text: str, expected: list[str]) -> None:
    assert search(ranked, filter=text) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["metrics.acc"], ["r1", "r2", "r3", "r4"]),
        (["metrics.acc DESC"], ["r3", "r2", "r1", "r4"]),
        (["params.lr DESC"], ["r3", "r2", "r1", "r4"]),
        (["tag.`Team name`", "start_time"], ["r1", "r2", "r3", "r4"]),
        (["attribute.start_time ASC"], ["r1", "r2", "r3", "r4"]),
        (["tags.mlflow.runName desc"], ["r4", "r3", "r2", "r1"]),
    ],
)
def test_orders(ranked: Wire, order: list[str], expected: list[str]) -> None:
    assert search(ranked, order_by=order) == expected


def test_pages(ranked: Wire) -> None:
    page = ranked.post("runs/search", experiment_ids=["0"], max_results=3)
    assert [run["info"]["run_name"] for run in page["runs"]] == ["r4", "r3", "r2"]
    last = ranked.post("runs/search", experiment_ids=["0"], max_results=3, page_token=page["next_page_token"])
    assert [run["info"]["run_name"] for run in last["runs"]] == ["r1"]
    assert "next_page_token" not in last
    assert "next_page_token" not in ranked.post("runs/search", experiment_ids=["0"], max_results=4)
    message = ranked.refused("runs/search", 400, "INVALID_PARAMETER_VALUE", experiment_ids=["0"], page_token="!")
    assert message == "Invalid page token, could not base64-decode"


def test_views_and_experiments(ranked: Wire) -> None:
    found = ranked.post("runs/search", experiment_ids=["0"], filter="run_name = 'r1'")["runs"][0]
    ranked.post("runs/delete", run_id=found["info"]["run_id"])
    assert search(ranked) == ["r4", "r3", "r2"]
    assert search(ranked, run_view_type="DELETED_ONLY") == ["r1"]
    assert search(ranked, run_view_type="ALL") == ["r4", "r3", "r2", "r1"]
    assert ranked.post("runs/search") == {}
    assert search(ranked, experiment_ids=["17"]) == []


@pytest.mark.parametrize(
    "body",
    [
        {"max_results": 0},
        {"max_results": -1},
        {"max_results": 50_001},
        {"filter": "acc > 1"},
        {"filter": "metrics.acc > 'a'"},
        {"filter": "params.lr > 0.1 or"},
        {"filter": "params.lr = 1;"},
        {"order_by": ["metrics.acc NULLS LAST"]},
        {"order_by": ["metrics.acc", "metrics.acc DESC"]},
        {"run_view_type": "NONE"},
    ],
)
def test_searches_that_make_no_sense(wire: Wire, body: dict[str, object]) -> None:
    wire.refused("runs/search", 400, "INVALID_PARAMETER_VALUE", **{"experiment_ids": ["0"], **body})


def test_a_run_without_a_name_gets_one_of_three_parts(wire: Wire) -> None:
    run = wire.post("runs/create", experiment_id="0")["run"]
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d+", run["info"]["run_name"])


def test_a_run_that_ends_without_a_time_has_no_end(wire: Wire) -> None:
    run = wire.new_run()
    assert "end_time" not in wire.post("runs/update", run_id=run, status="FINISHED")["run_info"]
    assert wire.post("runs/update", run_id=run, end_time=5)["run_info"]["end_time"] == 5


def test_the_tag_that_tells_the_name_is_removed_and_comes_back_with_a_new_name(wire: Wire) -> None:
    run = wire.new_run(run_name="first", tags=[{"key": "a", "value": "1"}])

    def told() -> tuple[str, str | None]:
        found = wire.get("runs/get", run_id=run)["run"]
        tags = {tag["key"]: tag["value"] for tag in found["data"]["tags"]}
        assert tags["a"] == "1"
        return found["info"]["run_name"], tags.get("mlflow.runName")

    def remove() -> None:
        wire.post("runs/delete-tag", run_id=run, key="mlflow.runName")
        assert told()[1] is None

    assert told() == ("first", "first")
    remove()
    assert told() == ("first", None)
    wire.refused("runs/delete-tag", 404, "RESOURCE_DOES_NOT_EXIST", run_id=run, key="mlflow.runName")
    wire.post("runs/update", run_id=run, status="FINISHED")
    assert told() == ("first", None)
    wire.post("runs/update", run_id=run, run_name="second")
    assert told() == ("second", "second")
    remove()
    wire.post("runs/set-tag", run_id=run, key="mlflow.runName", value="third")
    assert told() == ("third", "third")
    remove()
    wire.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": "fourth"}])
    assert told() == ("fourth", "fourth")
