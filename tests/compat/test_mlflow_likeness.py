"""Corners in which answers were unlike those of MLflow's own server, when both were sent the same."""

import base64

import pytest

from tests.compat.wire_client import Wire

CODE = "INVALID_PARAMETER_VALUE"


def test_a_page_that_is_too_large_is_told_like_any_other_value(wire: Wire) -> None:
    said = "Invalid value 50001 for parameter 'max_results' supplied:  Hint: Value was of type 'int'."
    assert wire.refused("runs/search", 400, CODE, experiment_ids=["0"], max_results=50_001).startswith(said)


def test_of_a_list_of_plain_values_the_whole_is_told(wire: Wire) -> None:
    said = "Invalid value [5] for parameter 'order_by' supplied:  Hint: Value was of type 'list'."
    assert wire.refused("runs/search", 400, CODE, experiment_ids=["0"], order_by=[5]).startswith(said)


def test_a_token_that_names_no_place_is_told_as_it_was_read(wire: Wire) -> None:
    token = base64.b64encode(b'{"x": 1}').decode()
    said = "Invalid page token, parsed value={'x': 1}"
    assert wire.refused("runs/search", 400, CODE, experiment_ids=["0"], page_token=token) == said


def test_an_alias_that_none_can_have_is_removed_like_any_that_is_not_there(wire: Wire) -> None:
    wire.post("registered-models/create", name="m")
    for alias in ("v1", "latest"):
        assert wire.send("DELETE", "registered-models/alias", {"name": "m", "alias": alias}) == {}
    assert (
        "Invalid alias name"
        in wire.send("DELETE", "registered-models/alias", {"name": "m", "alias": "a b"}, 400)["message"]
    )


@pytest.mark.parametrize("path", ["registered-models/delete-tag", "model-versions/delete-tag"])
def test_a_tag_that_none_can_have_is_not_removed(wire: Wire, path: str) -> None:
    wire.post("registered-models/create", name="m")
    wire.post("model-versions/create", name="m", source="s3://bucket/m")
    answer = wire.send("DELETE", path, {"name": "m", "version": "1", "key": "k*"}, 400)
    assert answer["message"].startswith("Invalid value \"k*\" for parameter 'key' supplied: Names may only contain")


def test_a_logged_model_tells_its_type_and_run_when_it_has_none(wire: Wire) -> None:
    info = wire.post("logged-models", experiment_id="0", name="n")["model"]["info"]
    assert (info["model_type"], info["source_run_id"]) == ("", "")


def test_a_new_run_has_no_outputs_yet(wire: Wire) -> None:
    run = wire.post("runs/create", experiment_id="0")["run"]
    assert (run["inputs"], "outputs" in run) == ({}, False)
    assert wire.get("runs/get", run_id=run["info"]["run_id"])["run"]["outputs"] == {}


def test_model_info_that_is_no_json_is_told(wire: Wire) -> None:
    said = wire.refused("runs/log-model", 400, CODE, run_id=wire.new_run(), model_json="x")
    assert said.startswith("Malformed model info. \n x \n is not a valid JSON.")


def test_the_name_of_the_default_experiment_is_taken_from_the_start(wire: Wire) -> None:
    said = wire.refused("experiments/create", 400, "RESOURCE_ALREADY_EXISTS", name="Default")
    assert said == "Experiment(name=Default) already exists."
    assert wire.get("experiments/get-by-name", experiment_name="Default")["experiment"]["experiment_id"] == "0"


def test_no_experiment_is_renamed_to_the_default_one(wire: Wire) -> None:
    other = wire.post("experiments/create", name="other")["experiment_id"]
    wire.refused("experiments/update", 400, "BAD_REQUEST", experiment_id=other, new_name="Default")
    assert wire.get("experiments/get", experiment_id="0")["experiment"]["name"] == "Default"


def test_a_dataset_of_a_search_of_models_has_a_name(wire: Wire) -> None:
    asked = {"experiment_ids": ["0"], "datasets": [{"dataset_digest": "1"}]}
    said = "`dataset_name` in the `datasets` clause must be specified."
    assert wire.refused("logged-models/search", 400, CODE, **asked) == said
