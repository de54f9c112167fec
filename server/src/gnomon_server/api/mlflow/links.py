"""The routes of what runs took in and gave out: datasets and logged models."""

from collections.abc import Sequence

import msgspec

from gnomon_server.api.mlflow import wire
from gnomon_server.api.mlflow.convert import CONTEXT
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.reading import missing_value
from gnomon_server.api.mlflow.runs import run_of
from gnomon_server.api.mlflow.search_words import shown_set
from gnomon_server.api.route import Call
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.registry import Dataset, DatasetInput, ModelUse

_MAX_DATASETS = 5_000
_MAX_LENGTHS = {"name": 500, "digest": 36, "schema": 1_048_575, "source": 65_535, "profile": 16_777_215}
_MAX_TAG_KEY = 255
_MAX_TAG_VALUE = 500
_MAX_EXPERIMENTS = 20
_MODEL_HISTORY = "mlflow.log-model.history"
_MODEL_FIELDS = {"artifact_path", "flavors", "run_id", "utc_time_created"}


@wire_route("POST", "/2.0/mlflow/runs/log-inputs", needs="runs.log", asks=wire.LogInputs)
def log_inputs(call: Call[wire.LogInputs, None]) -> wire.Nothing:
    """Say which datasets and models a run took in."""
    body = call.body
    if len(body.datasets) > _MAX_DATASETS:
        raise InvalidRequest(f"A request can log at most {_MAX_DATASETS} datasets; got {len(body.datasets)}.")
    inputs = [_input(sent, f"datasets[{place}]") for place, sent in enumerate(body.datasets)]
    call.services.models.link_inputs(call.principal, run_of(body), inputs, _uses(body.models))
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/runs/outputs", needs="runs.log", asks=wire.LogOutputs)
def log_outputs(call: Call[wire.LogOutputs, None]) -> wire.Nothing:
    """Say which models a run gave out."""
    call.services.models.link_outputs(call.principal, run_of(call.body), _uses(call.body.models))
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/runs/log-model", needs="runs.log", asks=wire.LogModel)
def log_model(call: Call[wire.LogModel, None]) -> wire.Nothing:
    """Note a model among the run's tags, as clients before MLflow 3 do; they upload its files by themselves."""
    body = call.body
    try:
        model = msgspec.json.decode(body.model_json)
    except msgspec.DecodeError as error:
        raise InvalidRequest(
            f"Malformed model info. \n {body.model_json[:200]} \n is not a valid JSON. ({error})"
        ) from None
    missing = _MODEL_FIELDS - set(model) if isinstance(model, dict) else _MODEL_FIELDS
    if missing:
        raise InvalidRequest(f"Model json is missing mandatory fields: {shown_set(sorted(missing))}")
    call.services.full_runs.extend_tag(call.principal, run_of(body), _MODEL_HISTORY, model)
    return wire.Nothing()


def find_datasets(call: Call[wire.SearchDatasets, None]) -> wire.DatasetsFound:
    """List the datasets that the runs of some experiments took in."""
    ids = call.body.experiment_ids
    if not ids:
        raise InvalidRequest("SearchDatasets request must specify at least one experiment_id.")
    if len(ids) > _MAX_EXPERIMENTS:
        raise InvalidRequest(
            f"SearchDatasets request cannot specify more than {_MAX_EXPERIMENTS} experiment_ids. "
            f"Received {len(ids)} experiment_ids."
        )
    found = call.services.models.datasets(call.principal, [number_of(one) for one in ids])
    return wire.DatasetsFound(
        [wire.DatasetSummary(str(one.experiment_number), one.name, one.digest, one.context) for one in found]
    )


search_datasets = wire_route(
    "POST",
    "/2.0/mlflow/experiments/search-datasets",
    needs="experiments.read",
    asks=wire.SearchDatasets,
    prefixes=("/ajax-api",),
)(find_datasets)


def _input(sent: wire.DatasetInputSent, path: str) -> DatasetInput:
    dataset = Dataset(**{name: getattr(sent.dataset, name) for name in Dataset.__struct_fields__})
    for name in ("name", "digest", "source_type", "source"):
        if not getattr(dataset, name):
            raise missing_value(f"{path}.dataset.{name}")
    for name, most in _MAX_LENGTHS.items():
        if len(getattr(dataset, name)) > most:
            raise _too_long(name, most)
    tags: dict[str, str] = {}
    for tag in sent.tags:
        if len(tag.key) > _MAX_TAG_KEY:
            raise _too_long("key", _MAX_TAG_KEY)
        if len(tag.value) > _MAX_TAG_VALUE:
            raise _too_long("value", _MAX_TAG_VALUE)
        tags[tag.key] = tag.value
    return DatasetInput(dataset, tags.pop(CONTEXT, ""), tags)


def _too_long(name: str, most: int) -> InvalidRequest:
    return InvalidRequest(f"'{name}' exceeds the maximum length of {most} characters")


def _uses(models: Sequence[wire.ModelSent]) -> list[ModelUse]:
    for place, model in enumerate(models):
        if not model.model_id:
            raise missing_value(f"models[{place}].model_id")
    return [ModelUse(model.model_id, model.step) for model in models]


ROUTES = [log_inputs, log_outputs, log_model, search_datasets]
