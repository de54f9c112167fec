"""Entities to MLflow's messages. Pure functions.

A run's name is a field of the run here and also a tag there, so the tag is made on the way out; a client that removed
the tag left an empty one in its place, and then none is made. Values that are infinite leave as the largest double,
because that is how MLflow's own store hands them out.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from gnomon_server.api.mlflow import model_wire, wire
from gnomon_server.core.access import Principal
from gnomon_server.core.full_runs import FullRun
from gnomon_server.core.roles import ANONYMOUS
from gnomon_server.model.entities import Experiment, LatestPoint
from gnomon_server.model.points import Points
from gnomon_server.model.registry import (
    DatasetInput,
    LoggedModel,
    ModelStatus,
    ModelVersion,
    RegisteredModel,
    RunLinks,
)

RUN_NAME = "mlflow.runName"
CONTEXT = "mlflow.data.context"
_MODEL_STATUS: Mapping[ModelStatus, str] = {
    "pending": "LOGGED_MODEL_PENDING",
    "ready": "LOGGED_MODEL_READY",
    "failed": "LOGGED_MODEL_UPLOAD_FAILED",
}
_LARGEST = 1.7976931348623157e308


def experiment_message(principal: Principal, experiment: Experiment) -> wire.Experiment:
    return wire.Experiment(
        experiment_id=str(experiment.number),
        name=experiment.name,
        artifact_location=experiment.artifact_location,
        lifecycle_stage=experiment.lifecycle_stage,
        last_update_time=experiment.updated_ms,
        creation_time=experiment.created_ms,
        workspace=principal.tenant_name,
        tags=_pairs(experiment.tags),
    )


def run_info(full: FullRun) -> wire.RunInfo:
    run = full.run
    more = {} if run.end_ms is None else {"end_time": run.end_ms}
    return wire.RunInfo(
        run_id=run.uid,
        run_uuid=run.uid,
        run_name=run.name,
        experiment_id=str(full.experiment_number),
        user_id=run.created_by,
        status=run.status.upper(),
        start_time=run.start_ms,
        artifact_uri=run.artifact_uri,
        lifecycle_stage=run.lifecycle_stage,
        **more,
    )


def run_message(full: FullRun) -> wire.Run:
    tags = {**full.run.tags, RUN_NAME: full.run.name}
    if full.run.tags.get(RUN_NAME) == "":
        del tags[RUN_NAME]
    data = wire.RunData(
        metrics=[_latest(point) for point in full.latest],
        params=_pairs(full.run.params),
        tags=_pairs(tags),
    )
    return wire.Run(info=run_info(full), data=data, inputs=_inputs(full.links), outputs=_outputs(full.links))


def history_messages(key: str, points: Points, *, run_id: str = "") -> list[wire.Metric]:
    """Points as they stand, in their order."""
    steps = np.floor(points.step).astype(np.int64).tolist()
    columns = zip(_values(points), points.time_ms.tolist(), steps, strict=True)
    return [wire.Metric(key, value, time_ms, step, run_id) for value, time_ms, step in columns]


def by_time(points: Points) -> Points:
    """The points in MLflow's order: time, step, value; NaN counts as 0."""
    values = np.nan_to_num(points.value, nan=0.0, posinf=_LARGEST, neginf=-_LARGEST)
    order = np.lexsort((values, points.step, points.time_ms))
    return Points(points.step[order], points.time_ms[order], points.value[order])


def model_message(model: LoggedModel) -> model_wire.LoggedModel:
    info = model_wire.LoggedModelInfo(
        model_id=model.uid,
        experiment_id=str(model.experiment_number),
        name=model.name,
        creation_timestamp_ms=model.created_ms,
        last_updated_timestamp_ms=model.updated_ms,
        artifact_uri=model.artifact_uri,
        status=_MODEL_STATUS[model.status],
        model_type=model.model_type,
        source_run_id=model.source_run,
        tags=_pairs(model.tags),
    )
    metrics = [
        wire.Metric(
            one.key,
            _value(one.value),
            one.time_ms,
            int(one.step // 1),
            one.run,
            model.uid,
            one.dataset_name,
            one.dataset_digest,
        )
        for one in model.metrics
    ]
    return model_wire.LoggedModel(info, model_wire.LoggedModelData(_pairs(model.params), metrics))


def registered_message(found: RegisteredModel) -> model_wire.RegisteredModel:
    # MLflow's server tells aliases beside the versions here, and with a version where that is asked for alone.
    return model_wire.RegisteredModel(
        name=found.name,
        creation_timestamp=found.created_ms,
        last_updated_timestamp=found.updated_ms,
        description=found.description or UNSET,
        latest_versions=[version_message(replace(one, aliases=())) for one in found.latest],
        tags=_pairs(found.tags),
        aliases=[model_wire.AliasTold(alias, str(version)) for alias, version in found.aliases.items()],
    )


def version_message(found: ModelVersion) -> model_wire.ModelVersion:
    return model_wire.ModelVersion(
        name=found.name,
        version=str(found.version),
        creation_timestamp=found.created_ms,
        last_updated_timestamp=found.updated_ms,
        current_stage=found.stage,
        description=found.description,
        source=found.source,
        run_id=found.run,
        status="READY",
        run_link=found.run_link,
        user_id="" if found.created_by == ANONYMOUS else found.created_by,
        model_id=found.model or UNSET,
        tags=_pairs(found.tags),
        aliases=list(found.aliases),
    )


def _inputs(links: RunLinks) -> wire.RunInputs:
    return wire.RunInputs(
        [_dataset(one) for one in links.datasets], [wire.ModelInput(one.model) for one in links.inputs]
    )


def _outputs(links: RunLinks) -> wire.RunOutputs:
    return wire.RunOutputs([wire.ModelOutput(one.model, one.step) for one in links.outputs])


def _dataset(one: DatasetInput) -> wire.DatasetInput:
    data = one.dataset
    tags = {**one.tags, **({CONTEXT: one.context} if one.context else {})}
    told = wire.Dataset(
        data.name, data.digest, data.source_type, data.source, data.schema or UNSET, data.profile or UNSET
    )
    return wire.DatasetInput(told, _pairs(tags))


def _latest(point: LatestPoint) -> wire.Metric:
    return wire.Metric(point.key, _value(point.value), point.time_ms, int(point.step // 1))


def _values(points: Points) -> list[float | str]:
    values: list[float | str] = points.value.tolist()
    for place in np.flatnonzero(~np.isfinite(points.value)).tolist():
        values[place] = _value(float(points.value[place]))
    return values


def _value(value: float) -> float | str:
    if value != value:
        return "NaN"
    return min(max(value, -_LARGEST), _LARGEST)


def _pairs(values: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[wire.KeyValue]:
    items = values.items() if isinstance(values, Mapping) else values
    return [wire.KeyValue(key, value) for key, value in items]
