"""The search of logged models: its own filters, its page tokens, datasets; and the file of a trace's spans."""

import pytest

from tests.compat.wire_client import Json, Wire

INVALID = "INVALID_PARAMETER_VALUE"
SEARCH = "logged-models/search"


def names(found: Json) -> list[str]:
    return [model["info"]["name"] for model in found.get("models", [])]


def create(wire: Wire, name: str, *, experiment: str = "0") -> str:
    made = wire.post("logged-models", experiment_id=experiment, name=name, params=[{"key": "p", "value": name}])
    return str(made["model"]["info"]["model_id"])


@pytest.mark.parametrize(
    ("filter", "says"),
    [
        ("name = 'a' OR name = 'b'", "Invalid filter string: \"name = 'a' OR name = 'b'\". Expected a list"),
        ("word", "Invalid filter string: 'word'. Expected a list of comparisons"),
        ("param.p = 'a'", "Invalid entity type: 'param'. Expected one of ['attributes', 'metrics', 'params', 'tags']."),
        ("name > 'a'", "Invalid comparison operator for attributes.name: '>'. Expected one of ('=', '!=', 'LIKE'"),
        ("metrics.m LIKE 'a'", "Invalid comparison operator for metrics.m: 'LIKE'. Expected one of ("),
        ("tags.t IS NULL", "Expected a comparison with 3 tokens."),
    ],
)
def test_filters_that_are_refused(wire: Wire, filter: str, says: str) -> None:
    assert says in wire.refused(SEARCH, 400, INVALID, experiment_ids=["0"], filter=filter)


def test_orders_and_requests_that_are_refused(wire: Wire) -> None:
    assert "'experiment_ids'" in wire.refused(SEARCH, 400, INVALID)
    for field, says in (
        ("word", "field name: word"),
        ("params.p", "field name: params.p. Only metrics are supported."),
    ):
        asked = {"experiment_ids": ["0"], "order_by": [{"field_name": field}]}
        assert says in wire.refused(SEARCH, 400, INVALID, **asked)


def test_a_page_token_is_good_for_its_search_alone(wire: Wire) -> None:
    for name in ("a", "b", "c"):
        create(wire, name)
    by_name = [{"field_name": "name"}]
    asked = {"experiment_ids": ["0"], "order_by": by_name}
    page = wire.post(SEARCH, **asked, max_results=2)
    token = page["next_page_token"]
    rest = wire.post(SEARCH, **asked, max_results=2, page_token=token)
    assert names(page) + names(rest) == ["a", "b", "c"]
    assert "next_page_token" not in rest
    for other, says in (
        ({"filter": "name = 'a'"}, "Filter string in the page token does not match the requested filter string."),
        ({"experiment_ids": ["0", "1"]}, "Experiment IDs in the page token do not match"),
        ({"order_by": []}, "Order by in the page token does not match"),
    ):
        assert says in wire.refused(SEARCH, 400, INVALID, **{**asked, **other}, page_token=token)
    assert "Invalid page token" in wire.refused(SEARCH, 400, INVALID, **asked, page_token="nonsense")


def test_models_measured_on_a_dataset(wire: Wire) -> None:
    run = wire.new_run()
    for name, dataset in (("here", "d1"), ("there", "d2")):
        measured = {"model_id": create(wire, name), "dataset_name": dataset, "dataset_digest": "x"}
        wire.post("runs/log-metric", run_id=run, key="m", value=1, timestamp=1, **measured)
    create(wire, "nowhere")
    asked = {"experiment_ids": ["0"], "datasets": [{"dataset_name": "d1", "dataset_digest": "x"}]}
    assert names(wire.post(SEARCH, **asked)) == ["here"]
    assert names(wire.post(SEARCH, **asked, filter="metrics.m > 0")) == ["here"]
    assert names(wire.post(SEARCH, **asked, filter="metrics.m > 1")) == []


@pytest.mark.parametrize(
    ("filter", "says"),
    [
        ("name='a' OR name='b'", "Invalid clause(s) in filter string"),
        ("name IN ('a')", "Invalid comparator 'IN' not one of"),
        ("tag.t IN ('a')", "Invalid comparator 'IN' not one of"),
        ("metrics.m > 1", "Invalid entity type 'metrics'"),
        ("name > 'a'", "Invalid comparator '>' not one of"),
        ("word = 'a'", "Invalid attribute key 'word' specified"),
    ],
)
def test_filters_of_traces(wire: Wire, filter: str, says: str) -> None:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    answer = wire.http.post("/api/3.0/mlflow/traces/search", json={"locations": [place], "filter": filter})
    assert (answer.status_code, answer.json()["error_code"]) == (400, INVALID)
    assert says in answer.json()["message"]


def test_the_spans_of_a_trace_as_a_file(wire: Wire) -> None:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    info = {"trace_id": "tr-of-a-file", "trace_location": place, "request_time": "1970-01-01T00:00:01Z", "state": "OK"}
    wire.http.post("/api/3.0/mlflow/traces", json={"trace": {"trace_info": info}}).raise_for_status()
    for version in ("2.0", "3.0"):
        path = f"/ajax-api/{version}/mlflow/get-trace-artifact"
        file = wire.http.get(path, params={"request_id": "tr-of-a-file"})
        assert (file.status_code, file.json()) == (200, {"spans": []})
        assert file.headers["content-disposition"] == "attachment; filename=traces.json"
    assert wire.http.get(path).json()["error_code"] == INVALID
    assert wire.http.get(path, params={"request_id": "none"}).status_code == 404
