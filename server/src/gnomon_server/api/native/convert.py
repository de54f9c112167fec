"""Entities to the messages of the native API. Pure functions."""

from collections.abc import Mapping

import numpy as np

from gnomon import wire
from gnomon_server.api.times import iso_time
from gnomon_server.core.comparison import ComparedMetric, RunComparison
from gnomon_server.core.metrics import ReducedRun, SeriesPage
from gnomon_server.model.entities import Experiment, Run
from gnomon_server.model.points import Floats


def experiment_response(experiment: Experiment) -> wire.ExperimentResponse:
    return wire.ExperimentResponse(
        id=experiment.uid,
        number=experiment.number,
        name=experiment.name,
        description=experiment.description,
        artifact_location=experiment.artifact_location,
        lifecycle_stage=experiment.lifecycle_stage,
        tags=dict(experiment.tags),
        created_at=iso_time(experiment.created_ms),
        last_updated=iso_time(experiment.updated_ms),
        run_count=experiment.run_count,
    )


def run_response(run: Run) -> wire.RunResponse:
    return wire.RunResponse(
        id=run.uid,
        experiment_id=run.experiment_uid,
        name=run.name,
        description=run.description,
        status=run.status,
        lifecycle_stage=run.lifecycle_stage,
        start_time=iso_time(run.start_ms),
        end_time=None if run.end_ms is None else iso_time(run.end_ms),
        duration_ms=run.duration_ms,
        artifact_uri=run.artifact_uri,
        params=dict(run.params),
        metrics=wire_metrics(run.metrics),
        tags=dict(run.tags),
        created_by=run.created_by,
    )


def compared_run(run: Run) -> wire.ComparedRun:
    return wire.ComparedRun(
        run_id=run.uid, name=run.name, status=run.status, params=dict(run.params), metrics=wire_metrics(run.metrics)
    )


def comparison(found: RunComparison) -> wire.Comparison:
    return wire.Comparison(
        metric_comparison={name: _metric_comparison(metric) for name, metric in found.metrics.items()},
        param_differences={name: dict(values) for name, values in found.param_differences.items()},
        best_run=found.best_run,
    )


def series_points(page: SeriesPage) -> wire.SeriesPoints:
    points = page.points
    return wire.SeriesPoints(
        key=page.key,
        total=page.total,
        step=wire_steps(points.step),
        timestamp=points.time_ms.tolist(),
        value=wire_values(points.value),
    )


def reduced_series(one: ReducedRun) -> wire.ReducedSeries:
    buckets = one.buckets
    return wire.ReducedSeries(
        run_id=one.run,
        key=one.key,
        n=one.n,
        nonfinite=int(buckets.nonfinite.sum()),
        x=wire_floats(buckets.x),
        first=_nullable(buckets.first),
        last=_nullable(buckets.last),
        min=_nullable(buckets.low),
        max=_nullable(buckets.high),
        mean=_nullable(buckets.mean),
        count=buckets.count.tolist(),
    )


def wire_metrics(metrics: Mapping[str, float]) -> dict[str, wire.Number]:
    return {name: wire.to_wire(value) for name, value in metrics.items()}


def wire_steps(steps: Floats) -> list[int | float]:
    """Steps as they were sent: integers as integers, decimals as decimals."""
    if len(steps) and bool((steps == np.floor(steps)).all()):
        whole: list[int | float] = steps.astype(np.int64).tolist()
        return whole
    return [int(step) if step.is_integer() else step for step in steps.tolist()]


def wire_values(values: Floats) -> list[wire.Number]:
    listed: list[wire.Number] = values.tolist()
    for position in np.flatnonzero(~np.isfinite(values)).tolist():
        listed[position] = wire.to_wire(float(values[position]))
    return listed


def wire_floats(values: Floats) -> list[float]:
    listed: list[float] = values.tolist()
    return listed


def _nullable(values: Floats) -> list[float | None]:
    listed: list[float | None] = values.tolist()
    for position in np.flatnonzero(np.isnan(values)).tolist():
        listed[position] = None
    return listed


def _metric_comparison(metric: ComparedMetric) -> wire.MetricComparison:
    return wire.MetricComparison(
        direction=metric.direction,
        best_run_id=metric.best_run,
        best_value=None if metric.best_value is None else wire.to_wire(metric.best_value),
        all_values={run: None if value is None else wire.to_wire(value) for run, value in metric.values.items()},
    )
