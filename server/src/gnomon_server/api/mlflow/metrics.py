"""The routes of metric histories."""

import numpy as np
from msgspec import Struct, UnsetType
from numpy.typing import NDArray

from gnomon_server.api.mlflow import wire
from gnomon_server.api.mlflow.convert import by_time, history_messages
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.limits import MAX_HISTORY_RUNS, MAX_INTERVAL_POINTS
from gnomon_server.api.mlflow.paging import offset_of, token_at
from gnomon_server.api.mlflow.reading import DOCS
from gnomon_server.api.route import Call
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.points import EMPTY, Points

IntArray = NDArray[np.int64]
_MAX_BULK_POINTS = 25_000


class MetricsListed(Struct, frozen=True):
    """Its list is there when it is empty, too."""

    metrics: list[wire.Metric]


@wire_route("GET", "/2.0/mlflow/metrics/get-history", needs="runs.get", asks=wire.MetricHistory)
def get_history(call: Call[wire.MetricHistory, None]) -> wire.MetricsFound:
    """Get all points of one metric by time; an unknown metric, or run, has none."""
    body = call.body
    run = body.run_id or body.run_uuid
    limit = None if isinstance(body.max_results, UnsetType) else body.max_results
    if limit is not None and limit <= 0:
        raise InvalidRequest(
            f"Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer."
        )
    offset = offset_of(body.page_token)
    points = by_time(call.services.full_runs.histories(call.principal, [run], body.metric_key).get(run, EMPTY))
    end = len(points) if limit is None else min(offset + limit, len(points))
    page = _taken(points, slice(offset, end))
    return wire.MetricsFound(history_messages(body.metric_key, page), token_at(end, total=len(points)))


def read_interval(call: Call[wire.HistoryInterval, None]) -> wire.MetricsFound:
    """Get evenly chosen points of one metric of many runs, the first and the last among them."""
    body = call.body
    _refuse_many_runs(body.run_ids, "GetMetricHistoryBulkInterval")
    if not 1 <= body.max_results <= MAX_INTERVAL_POINTS:
        raise InvalidRequest(f"max_results must be between 1 and {MAX_INTERVAL_POINTS}.{DOCS}")
    steps = None
    if not isinstance(body.start_step, UnsetType) and not isinstance(body.end_step, UnsetType):
        if body.start_step > body.end_step:
            raise InvalidRequest(
                f"end_step must be greater than start_step. Found start_step={body.start_step} "
                f"and end_step={body.end_step}."
            )
        steps = (float(body.start_step), float(body.end_step))
    elif body.start_step != body.end_step:
        raise InvalidRequest("If either start step or end step are specified, both must be specified.")
    found = call.services.full_runs.histories(call.principal, body.run_ids, body.metric_key, steps=steps)
    listed: list[wire.Metric] = []
    for run in body.run_ids:
        points = found.get(run, EMPTY)
        chosen = _spread(len(points), body.max_results)
        kept = Points(points.step[chosen], points.time_ms[chosen], points.value[chosen])
        listed += history_messages(body.metric_key, kept, run_id=run)
    return wire.MetricsFound(listed)


get_history_interval = wire_route(
    "GET", "/2.0/mlflow/metrics/get-history-bulk-interval", needs="runs.read", asks=wire.HistoryInterval
)(read_interval)


@wire_route(
    "GET",
    "/2.0/mlflow/metrics/get-history-bulk",
    needs="runs.read",
    asks=wire.HistoryBulk,
    prefixes=("/ajax-api",),
)
def get_history_bulk(call: Call[wire.HistoryBulk, None]) -> MetricsListed:
    """Get all points of one metric of many runs, up to a bound."""
    body = call.body
    if not body.run_id:
        raise InvalidRequest("GetMetricHistoryBulk request must specify at least one run_id.")
    if not body.metric_key:
        raise InvalidRequest("GetMetricHistoryBulk request must specify a metric_key.")
    _refuse_many_runs(body.run_id, "GetMetricHistoryBulk")
    limit = min(body.max_results, _MAX_BULK_POINTS)
    found = call.services.full_runs.histories(call.principal, body.run_id, body.metric_key)
    listed: list[wire.Metric] = []
    for run in sorted(found):
        kept = _taken(by_time(found[run]), slice(0, max(limit - len(listed), 0)))
        listed += history_messages(body.metric_key, kept, run_id=run)
    return MetricsListed(listed)


def _spread(count: int, most: int) -> IntArray:
    """Which of so many points stand for all: the first of each of `most` parts of like size, and the very last."""
    if count <= most:
        return np.arange(count)
    small, larger = divmod(count, most)  # the first `larger` parts have one more
    parts = np.arange(most)
    chosen = parts * small + np.minimum(parts, larger)
    chosen[-1] = count - 1
    return chosen


def _refuse_many_runs(runs: list[str], request: str) -> None:
    if len(runs) > MAX_HISTORY_RUNS:
        is_interval = request.endswith("Interval")
        bound, more = ("must specify at most", DOCS) if is_interval else ("cannot specify more than", "")
        raise InvalidRequest(
            f"{request} request {bound} {MAX_HISTORY_RUNS} run_ids. Received {len(runs)} run_ids.{more}"
        )


def _taken(points: Points, part: slice) -> Points:
    return Points(points.step[part], points.time_ms[part], points.value[part])


ROUTES = [get_history, get_history_interval, get_history_bulk]
