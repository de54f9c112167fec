"""Finding runs by the data that they took in, and the models that clients of MLflow 2 note among a run's tags."""

import json
from typing import Any

import pytest

from tests.compat.wire_client import Wire


def _used(name: str, digest: str, context: str) -> dict[str, Any]:
    dataset = {"name": name, "digest": digest, "source_type": "local", "source": "here"}
    return {"tags": [{"key": "mlflow.data.context", "value": context}], "dataset": dataset}


@pytest.fixture
def runs(wire: Wire) -> dict[str, str]:
    """Three runs: `first` trained on a, `both` trained on a and measured on b, `none` without data."""
    made = {name: wire.new_run(run_name=name) for name in ("first", "both", "none")}
    wire.post("runs/log-inputs", run_id=made["first"], datasets=[_used("a", "1", "train")])
    wire.post("runs/log-inputs", run_id=made["both"], datasets=[_used("a", "1", "train"), _used("b", "2", "eval")])
    return {uid: name for name, uid in made.items()}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("dataset.name = 'a'", {"first", "both"}),
        ("datasets.name = 'b'", {"both"}),
        ("dataset.digest LIKE '2%'", {"both"}),
        ("dataset.context = 'eval'", {"both"}),
        ("dataset.context ILIKE 'TRAIN'", {"first", "both"}),
        ("dataset.name IN ('b', 'c')", {"both"}),
        ("dataset.name NOT IN ('a')", {"both"}),
        ("dataset.name != 'a'", {"both"}),
        ("dataset.name = 'a' AND dataset.name = 'b'", {"both"}),
        ("dataset.name = 'a' AND run_name = 'first'", {"first"}),
        ("dataset.name = 'c'", set()),
    ],
)
def test_runs_by_their_datasets(wire: Wire, runs: dict[str, str], text: str, names: set[str]) -> None:
    found = wire.post("runs/search", experiment_ids=["0"], filter=text).get("runs", [])
    assert {runs[run["info"]["run_id"]] for run in found} == names
    assert len(found) == len(names)  # a run with two datasets is found once


@pytest.mark.parametrize("text", ["dataset.colour = 'x'", "dataset. = 'x'", "dataset.name = 1", "dataset = 'x'"])
def test_what_datasets_are_not_found_by(wire: Wire, text: str) -> None:
    wire.refused("runs/search", 400, "INVALID_PARAMETER_VALUE", experiment_ids=["0"], filter=text)


def test_runs_are_not_ordered_by_datasets(wire: Wire) -> None:
    wire.refused("runs/search", 400, "INVALID_PARAMETER_VALUE", experiment_ids=["0"], order_by=["dataset.name"])


def test_models_among_the_tags(wire: Wire) -> None:
    run = wire.new_run()
    models = [
        {"artifact_path": path, "flavors": {"python": {}}, "run_id": run, "utc_time_created": "2026"} for path in "ab"
    ]
    for model in models:
        wire.post("runs/log-model", run_id=run, model_json=json.dumps(model))
    tags = {tag["key"]: tag["value"] for tag in wire.get("runs/get", run_id=run)["run"]["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == models


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "Missing value for required parameter 'model_json'"),
        ({"model_json": "no"}, "Malformed model info"),
        ({"model_json": "[]"}, "missing mandatory fields"),
        ({"model_json": '{"run_id": "r", "flavors": {}}'}, "{'artifact_path', 'utc_time_created'}"),
        ({"model_json": 5}, "Invalid value 5 for parameter 'model_json'"),
    ],
)
def test_models_that_are_refused(wire: Wire, body: dict[str, Any], says: str) -> None:
    message = wire.refused("runs/log-model", 400, "INVALID_PARAMETER_VALUE", run_id=wire.new_run(), **body)
    assert says in message
