"""What a run logs, by MLflow's four routes. On the event loop and past the framework, because they wait for a commit.

The whole request is checked before anything is kept, and it is kept as a whole.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np
from anyio import to_thread
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from msgspec import UnsetType

from gnomon_server.api.ingest import IngestTable, Logged
from gnomon_server.api.mlflow import wire
from gnomon_server.api.mlflow.convert import RUN_NAME
from gnomon_server.api.mlflow.declare import PREFIXES, wire_route
from gnomon_server.api.mlflow.errors import say_error
from gnomon_server.api.mlflow.limits import (
    MAX_PARAM_VALUE,
    MAX_TAG_VALUE,
    checked_key,
    refuse_large_batch,
    refuse_repeated_params,
)
from gnomon_server.api.mlflow.reading import invalid_value, missing_value, read_body
from gnomon_server.api.mlflow.runs import run_of
from gnomon_server.api.route import Call, json_answer
from gnomon_server.model import names
from gnomon_server.model.batches import RunBatch
from gnomon_server.model.errors import InvalidRequest, ParamConflict
from gnomon_server.model.points import MAX_STEP, MAX_TIME_MS, PointBatch
from gnomon_server.model.registry import ModelMetric

_MAX_STEP = int(MAX_STEP)


async def log_metric(logged: Logged) -> wire.Nothing:
    """Log one point of one metric."""
    body = read_body(logged.body, wire.LogMetric)
    points = _columns([body], path="")
    await _keep(logged, RunBatch(run=run_of(body), points=points))
    await _keep_of_models(logged, run_of(body), [body])
    return wire.Nothing()


async def log_parameter(logged: Logged) -> wire.Nothing:
    """Log one param."""
    body = read_body(logged.body, wire.RunPair)
    key = names.key(checked_key(body.key, path="key", what="Param key"))
    await _keep(logged, RunBatch(run=run_of(body), params={key: body.value[:MAX_PARAM_VALUE]}))
    return wire.Nothing()


async def set_tag(logged: Logged) -> wire.Nothing:
    """Set one tag."""
    body = read_body(logged.body, wire.RunPair)
    name, tags = _tags([body], path="")
    await _keep(logged, RunBatch(run=run_of(body), tags=tags, name=name))
    return wire.Nothing()


async def log_batch(logged: Logged) -> wire.Nothing:
    """Log metrics, params and tags together."""
    body = read_body(logged.body, wire.LogBatch)
    refuse_large_batch(len(body.metrics), len(body.params), len(body.tags))
    points = _columns(body.metrics, path="metrics") if body.metrics else None
    refuse_repeated_params([param.key for param in body.params])
    params = {
        _key(param.key, f"params[{place}].key", "Param key"): names.param_value(param.value[:MAX_PARAM_VALUE])
        for place, param in enumerate(body.params)
    }
    name, tags = _tags(body.tags, path="tags")
    batch = RunBatch(run=run_of(body), points=points, params=params, tags=tags, name=name)
    await _keep(logged, batch, say_conflict=_say_conflict_in_batch)
    await _keep_of_models(logged, run_of(body), body.metrics)
    return wire.Nothing()


def _say_conflict(conflict: ParamConflict, run: str) -> str:
    return (
        f"Param with key='{conflict.key}' was already logged with value='{conflict.old}' for run ID='{run}'. "
        f"Attempted logging new value '{conflict.new}'."
    )


def _say_conflict_in_batch(conflict: ParamConflict, run: str) -> str:
    logged = [{"key": key, "old_value": old, "new_value": new} for key, old, new in conflict.all]
    return f"Params were already logged='{logged}' for run ID='{run}'."


async def _keep(
    logged: Logged, batch: RunBatch, *, say_conflict: Callable[[ParamConflict, str], str] = _say_conflict
) -> None:
    """Queue the batch and wait until the group that holds it is on the disk."""
    services = logged.services
    services.rates.take_points(logged.principal, 0 if batch.points is None else len(batch.points))
    ticket = services.ingest.append(logged.principal.tenant, batch, waker=services.waker)
    try:
        await services.waker.committed(ticket)
    except ParamConflict as conflict:
        raise InvalidRequest(f"Changing param values is not allowed. {say_conflict(conflict, batch.run)}") from None


async def _keep_of_models(logged: Logged, run: str, entries: Sequence[wire.MetricSent | wire.LogMetric]) -> None:
    """Keep what was measured of logged models with them too. The points of the run are kept already; sent again, they
    count once, so a client may simply try again.
    """
    metrics = [
        (
            entry.model_id,
            ModelMetric(
                names.key(entry.key),
                entry.value,
                float(entry.step),
                entry.timestamp,
                run,
                entry.dataset_name,
                entry.dataset_digest,
            ),
        )
        for entry in entries
        if entry.model_id and not isinstance(entry.value, UnsetType) and not isinstance(entry.timestamp, UnsetType)
    ]
    if metrics:
        await to_thread.run_sync(logged.services.models.log_metrics, logged.principal, metrics)


def _columns(entries: Sequence[wire.MetricSent | wire.LogMetric], *, path: str) -> PointBatch:
    """Checked columns. Bounds are checked on the integers: as doubles, 2^53 + 1 would pass for 2^53."""
    first: dict[str, int] = {}  # where each key stands first
    for place, entry in enumerate(entries):
        first.setdefault(entry.key, place)
    numbers = {key: number for number, key in enumerate(first)}
    values = [entry.value for entry in entries if not isinstance(entry.value, UnsetType)]
    times = [entry.timestamp for entry in entries if not isinstance(entry.timestamp, UnsetType)]
    steps = [entry.step for entry in entries]
    if "" in first or not len(values) == len(times) == len(entries):
        raise _incomplete(entries, path)
    keys = [_key(key, _at(path, place, "name"), "Metric name") for key, place in first.items()]
    for field, column, low, high in (("timestamp", times, 0, MAX_TIME_MS), ("step", steps, -_MAX_STEP, _MAX_STEP)):
        if not low <= min(column) <= max(column) <= high:
            place = next(place for place, number in enumerate(column) if not low <= number <= high)
            why = f"it must lie between {low} and {high}."
            if field == "timestamp" and column[place] < low:
                metric = f"metric '{entries[place].key}' (value={values[place]})"
                why = f"{metric}. Timestamp must be a nonnegative long (64-bit integer) "
            raise invalid_value(_at(path, place, field), column[place], why)
    return PointBatch(
        names=keys,
        key=np.array([numbers[entry.key] for entry in entries], np.uint32),
        step=np.array(steps, np.float64),
        time_ms=np.array(times, np.int64),
        value=np.array(values, np.float64),
    )


def _incomplete(entries: Sequence[wire.MetricSent | wire.LogMetric], path: str) -> InvalidRequest:
    """What is missing first."""
    for place, entry in enumerate(entries):
        for field, value in (("key", entry.key), ("value", entry.value), ("timestamp", entry.timestamp)):
            if isinstance(value, UnsetType) or value == "":
                return missing_value(_at(path, place, field))
    raise AssertionError("called when something is missing")


def _tags(entries: Sequence[wire.Pair | wire.RunPair], *, path: str) -> tuple[str | None, dict[str, str | None]]:
    """The tags, without the one that is the run's name; and that name, where it is there."""
    tags: dict[str, str | None] = {}
    for place, entry in enumerate(entries):
        at = _at(path, place, "key")
        tags[_key(entry.key, at, at)] = names.tag_value(entry.value[:MAX_TAG_VALUE], field=_at(path, place, "value"))
    name = tags.get(RUN_NAME)
    if name is None:
        return None, tags
    # What stands in the place of the tag when a client has removed it goes.
    return names.run_name(name, field=RUN_NAME), {**tags, RUN_NAME: None}


def _key(key: str, path: str, what: str) -> str:
    if not key:
        raise missing_value(path)
    return names.key(checked_key(key, path=path, what=what), field=path)


def _at(path: str, place: int, field: str) -> str:
    return f"{path}[{place}].{field}" if path else field


_FUNCTIONS: dict[str, Callable[[Logged], Awaitable[Any]]] = {
    "log-metric": log_metric,
    "log-parameter": log_parameter,
    "set-tag": set_tag,
    "log-batch": log_batch,
}


def _handler(name: str, function: Callable[[Logged], Awaitable[Any]]) -> HTTPRouteHandler:
    """The same for Litestar, which answers in-process tests and 405."""

    async def handle(call: Call[None, None]) -> Response[bytes]:
        content_type = call.request.headers.get("content-type", "")
        logged = Logged(call.services, call.principal, "", await call.request.body(), content_type)
        return json_answer(await function(logged))

    handle.__name__ = function.__name__
    handle.__doc__ = function.__doc__
    return wire_route("POST", f"/2.0/mlflow/runs/{name}", needs="runs.log")(handle)


ROUTES = [_handler(name, function) for name, function in _FUNCTIONS.items()]
INGEST = IngestTable(
    {f"{prefix}/2.0/mlflow/runs/{name}": function for prefix in PREFIXES for name, function in _FUNCTIONS.items()},
    say_error,
)
