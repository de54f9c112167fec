"""Entities to MLflow's messages. Pure functions.

A run's name is a field of the run here and also a tag there, so the tag is made on the way out. Values that are
infinite leave as the largest double, because that is how MLflow's own store hands them out.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from gnomon_server.api.mlflow import wire
from gnomon_server.core.access import Principal
from gnomon_server.core.full_runs import FullRun
from gnomon_server.model.entities import Experiment, LatestPoint
from gnomon_server.model.points import Points

RUN_NAME = "mlflow.runName"
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
    data = wire.RunData(
        metrics=[_latest(point, full.run.uid) for point in full.latest],
        params=_pairs(full.run.params),
        tags=_pairs({**full.run.tags, RUN_NAME: full.run.name}),
    )
    return wire.Run(info=run_info(full), data=data, inputs=wire.RunInputs(), outputs=wire.RunOutputs())


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


def _latest(point: LatestPoint, run_id: str) -> wire.Metric:
    return wire.Metric(point.key, _value(point.value), point.time_ms, int(point.step // 1), run_id)


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
