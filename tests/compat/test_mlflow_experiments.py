"""Experiments by MLflow's wire: ids, names, lifecycle, search, and what is said to mistakes."""

import pytest

from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess

DOCS = " See the API docs for more information about request parameters."
MISSING = f"Missing value for required parameter '{{}}'.{DOCS}"


def names(wire: Wire, **asked: object) -> list[str]:
    found = wire.post("experiments/search", **{"max_results": 100, **asked})
    return [one["name"] for one in found.get("experiments", [])]


def test_default_is_there_from_the_start(wire: Wire) -> None:
    experiment = wire.get("experiments/get", experiment_id="0")["experiment"]
    assert (experiment["name"], experiment["lifecycle_stage"]) == ("Default", "active")
    assert names(wire) == ["Default"]
    assert wire.get("experiments/get-by-name", experiment_name="Default")["experiment"] == experiment


def test_ids_count_up_as_decimal_strings(wire: Wire) -> None:
    assert [wire.post("experiments/create", name=name)["experiment_id"] for name in ("a", "b")] == ["1", "2"]
    experiment = wire.get("experiments/get", experiment_id="2")["experiment"]
    assert experiment["name"] == "b"
    assert experiment["artifact_location"].startswith("mlflow-artifacts:/")
    assert "tags" not in experiment
    assert isinstance(experiment["creation_time"], int)


def test_the_native_api_sees_the_same_experiment(wire: Wire, server: ServerProcess, tenant: str) -> None:
    wire.post("experiments/create", name="shared", tags=[{"key": "team", "value": "risk"}])
    with server.client(tenant) as api:
        (found,) = api.get("/experiments").json()["experiments"]
        assert (found["number"], found["name"], found["tags"]) == (1, "shared", {"team": "risk"})
        api.post("/experiments", json={"name": "native"})
    assert set(names(wire)) == {"native", "shared", "Default"}


def test_a_name_is_taken_by_a_deleted_experiment_too(wire: Wire) -> None:
    wire.post("experiments/create", name="a")
    wire.post("experiments/delete", experiment_id="1")
    message = wire.refused("experiments/create", 400, "RESOURCE_ALREADY_EXISTS", name="a")
    assert message == "Experiment(name=a) already exists."
    found = wire.get("experiments/get-by-name", experiment_name="a")["experiment"]
    assert found["lifecycle_stage"] == "deleted"


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "message"),
    [
        ("experiments/create", {}, 400, "INVALID_PARAMETER_VALUE", MISSING.format("name")),
        ("experiments/create", {"name": ""}, 400, "INVALID_PARAMETER_VALUE", MISSING.format("name")),
        (
            "experiments/create",
            {"name": 123},
            400,
            "INVALID_PARAMETER_VALUE",
            f"Invalid value 123 for parameter 'name' supplied:  Hint: Value was of type 'int'.{DOCS}",
        ),
        (
            "experiments/delete",
            {"experiment_id": "99"},
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "No Experiment with id=99 exists",
        ),
        (
            "experiments/delete",
            {"experiment_id": "abc"},
            400,
            "INVALID_PARAMETER_VALUE",
            "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.",
        ),
        ("experiments/update", {"experiment_id": "0"}, 400, "INVALID_PARAMETER_VALUE", MISSING.format("new_name")),
    ],
)
def test_mistakes(wire: Wire, path: str, body: dict[str, object], status: int, code: str, message: str) -> None:
    assert wire.refused(path, status, code, **body) == message


def test_an_unknown_name_is_not_found_in_the_words_that_clients_branch_on(wire: Wire) -> None:
    answer = wire.get("experiments/get-by-name", 404, experiment_name="none")
    expected = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Could not find experiment with name 'none'"}
    assert answer == expected


def test_delete_and_restore_take_the_runs_along(wire: Wire) -> None:
    experiment = wire.post("experiments/create", name="a")["experiment_id"]
    run = wire.new_run(experiment)
    assert wire.post("experiments/delete", experiment_id=experiment) == {}
    assert wire.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "deleted"
    wire.refused("experiments/delete", 404, "RESOURCE_DOES_NOT_EXIST", experiment_id=experiment)
    message = wire.refused("runs/create", 400, "INVALID_PARAMETER_VALUE", experiment_id=experiment)
    assert "must be in the 'active' state" in message
    wire.post("experiments/restore", experiment_id=experiment)
    assert wire.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "active"
    wire.refused("experiments/restore", 404, "RESOURCE_DOES_NOT_EXIST", experiment_id=experiment)


def test_rename(wire: Wire) -> None:
    wire.post("experiments/create", name="a")
    wire.post("experiments/create", name="b")
    assert wire.post("experiments/update", experiment_id="1", new_name="c") == {}
    assert wire.get("experiments/get", experiment_id="1")["experiment"]["name"] == "c"
    wire.refused("experiments/update", 400, "BAD_REQUEST", experiment_id="1", new_name="b")
    wire.post("experiments/delete", experiment_id="1")
    wire.refused("experiments/update", 400, "INVALID_STATE", experiment_id="1", new_name="d")


def test_tags(wire: Wire) -> None:
    wire.post("experiments/set-experiment-tag", experiment_id="0", key="a", value="1")
    wire.post("experiments/set-experiment-tag", experiment_id="0", key="a", value="2")
    assert wire.get("experiments/get", experiment_id="0")["experiment"]["tags"] == [{"key": "a", "value": "2"}]
    assert wire.post("experiments/delete-experiment-tag", experiment_id="0", key="a") == {}
    wire.refused("experiments/delete-experiment-tag", 404, "RESOURCE_DOES_NOT_EXIST", experiment_id="0", key="a")
    wire.post("experiments/delete", experiment_id="0")
    wire.refused("experiments/set-experiment-tag", 400, "INVALID_PARAMETER_VALUE", experiment_id="0", key="a")


def test_search_filters_orders_and_pages(wire: Wire) -> None:
    for name in ("alpha", "Alpine", "beta"):
        wire.post("experiments/create", name=name, tags=[{"key": "first", "value": name[0]}])
    by_name = {"order_by": ["name"]}
    assert names(wire, **by_name) == ["Alpine", "Default", "alpha", "beta"]
    assert names(wire, filter="name LIKE 'alp%'") == ["alpha"]
    assert names(wire, filter="attribute.name ILIKE 'alp%'", **by_name) == ["Alpine", "alpha"]
    assert names(wire, filter="tags.first = 'b'") == ["beta"]
    assert names(wire, filter="tag.first != 'b' AND name != 'alpha'") == ["Alpine"]
    assert names(wire, filter="tags.first IS NULL") == ["Default"]
    assert names(wire, filter="experiment_id IN ('1', '3')", order_by=["experiment_id DESC"]) == ["beta", "alpha"]
    assert names(wire, filter="creation_time > 0 and last_update_time < 10") == []
    wire.post("experiments/delete", experiment_id="1")
    assert names(wire, view_type="DELETED_ONLY") == ["alpha"]
    assert len(names(wire, view_type=3)) == 4
    page = wire.post("experiments/search", max_results=2, order_by=["name"], view_type="ALL")
    assert [one["name"] for one in page["experiments"]] == ["Alpine", "Default"]
    rest = wire.post(
        "experiments/search", max_results=2, order_by=["name"], view_type="ALL", page_token=page["next_page_token"]
    )
    assert [one["name"] for one in rest["experiments"]] == ["alpha", "beta"]
    assert "next_page_token" not in rest
    by_query = wire.get("experiments/search", max_results=1, order_by="name DESC", view_type="ALL")
    assert by_query["experiments"][0]["name"] == "beta"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"max_results": 0},
        {"max_results": 50_001},
        {"max_results": 5, "filter": "name > 'a'"},
        {"max_results": 5, "filter": "params.a = '1'"},
        {"max_results": 5, "filter": "name = 'a' or name = 'b'"},
        {"max_results": 5, "order_by": ["tags.a"]},
        {"max_results": 5, "order_by": ["name", "name DESC"]},
        {"max_results": 5, "page_token": "!!"},
        {"max_results": 5, "view_type": "SOME"},
    ],
)
def test_searches_that_make_no_sense(wire: Wire, body: dict[str, object]) -> None:
    wire.refused("experiments/search", 400, "INVALID_PARAMETER_VALUE", **body)


def test_an_experiment_from_elsewhere_keeps_its_id_where_that_is_free(wire: Wire) -> None:
    made = wire.post("experiments/create", name="moved", experiment_id="41", creation_time=1_600_000_000_000)
    assert made == {"experiment_id": "41"}
    found = wire.get("experiments/get", experiment_id="41")["experiment"]
    assert (found["name"], found["creation_time"]) == ("moved", 1_600_000_000_000)
    assert wire.post("experiments/create", name="the same", experiment_id="41") == {"experiment_id": "42"}
    assert wire.post("experiments/create", name="too high", experiment_id="9" * 12) == {"experiment_id": "43"}
    assert wire.post("experiments/create", name="default's", experiment_id="0") == {"experiment_id": "44"}
    wire.refused("experiments/create", 400, "INVALID_PARAMETER_VALUE", name="odd", creation_time=-1)
    wire.refused("experiments/create", 400, "INVALID_PARAMETER_VALUE", name="odd", experiment_id="x")


def test_restoring_an_experiment_restores_the_runs_deleted_before_it_too(wire: Wire) -> None:
    experiment = wire.post("experiments/create", name="restored")["experiment_id"]
    run = wire.new_run(experiment)
    wire.post("runs/delete", run_id=run)
    wire.post("experiments/delete", experiment_id=experiment)
    message = wire.refused("runs/create", 400, "INVALID_PARAMETER_VALUE", experiment_id=experiment)
    assert message == f"The experiment {experiment} must be in the 'active' state. Current state is deleted."
    wire.post("experiments/restore", experiment_id=experiment)
    assert wire.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "active"


def test_an_experiment_before_the_first_is_not_found(wire: Wire) -> None:
    assert wire.get("experiments/get", 404, experiment_id="-1")["message"] == "No Experiment with id=-1 exists"
