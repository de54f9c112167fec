"""The ingest routes: what a run logs. On the event loop, because they only wait for the writer's commit.

Bodies are decoded by prebuilt msgspec decoders straight into columns; there is no object per point beyond the decoded
entry. A param's value is kept as it was sent (`1e-05` stays `1e-05`), so it is decoded as raw JSON.
"""

import msgspec
import numpy as np
from msgspec import Raw

from gnomon import wire
from gnomon_server.api.bodies import parse_body
from gnomon_server.api.ingest import Logged, ingest_route
from gnomon_server.core.liveness import check_in_interval_secs
from gnomon_server.model import names
from gnomon_server.model.batches import BatchKept, RunBatch
from gnomon_server.model.errors import (
    AccessDenied,
    InvalidRequest,
    ParamConflict,
    RunArchived,
    RunNotFound,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
    invalid_field,
)
from gnomon_server.model.points import MAX_STEP, MAX_TIME_MS, Keys, PointBatch, extremes

TAG = "logging"
MAX_ENTRIES = 10_000
RAISES = (
    InvalidRequest,
    ParamConflict,
    RunArchived,
    AccessDenied,
    RunNotFound,
    TooLarge,
    UnsupportedMedia,
    Unavailable,
)
_MAX_STEP_INT = int(MAX_STEP)


class ParamsBody(wire.Request, frozen=True):
    """`wire.ParamsLog` with the values as they were sent."""

    params: dict[str, Raw]


class ParamBody(wire.Request, frozen=True):
    key: str
    value: Raw


class BatchBody(wire.Request, frozen=True):
    """`wire.BatchLog` with the param values as they were sent."""

    metrics: list[wire.MetricEntry] = []
    params: list[ParamBody] = []
    tags: list[wire.TagEntry] = []


@ingest_route("check-in", tag=TAG, body_doc=wire.CheckIn, is_body_optional=True, gives=wire.CheckedIn, raises=RAISES)
async def check_in(logged: Logged) -> wire.CheckedIn:
    """Say that the job of a run lives, and promise to say it again: in `next_secs`, as the answer names them.

    The promise is the run's, whichever of its processes keeps it. When it is broken for the server's time-out, the run
    ends as `killed`; a check-in after that makes it `running` again. An `end`, or a change of the status, takes the
    promise back. `next_secs` is 0 when the server gives no run up.
    """
    if logged.body:
        parse_body(logged.body, wire.CheckIn)
    await keep(logged, RunBatch(run=logged.run, is_check_in=True))
    timeout_secs = logged.services.settings.check_in_timeout_secs
    return wire.CheckedIn(run_id=logged.run, next_secs=check_in_interval_secs(timeout_secs) if timeout_secs else 0)


@ingest_route("log-metrics", tag=TAG, body_doc=wire.MetricsLog, gives=wire.MetricsLogged, raises=RAISES)
async def log_metrics(logged: Logged) -> wire.MetricsLogged:
    """Log metrics to a run: one value each, at one step and time.

    Durable when answered. Without `step` it is 0, without `timestamp` it is now.
    """
    points = decode_metrics(logged.body, now_ms=logged.services.now_ms())
    await keep(logged, RunBatch(run=logged.run, points=points))
    return wire.MetricsLogged(run_id=logged.run, metrics=len(points))


@ingest_route("log-params", tag=TAG, body_doc=wire.ParamsLog, gives=wire.ParamsLogged, raises=RAISES)
async def log_params(logged: Logged) -> wire.ParamsLogged:
    """Log parameters to a run.

    A param is written once: the same value again is fine, another is refused and nothing of the request is kept.
    """
    body = parse_body(logged.body, ParamsBody)
    _refuse_many(len(body.params), "params")
    params: dict[str, str] = {}
    for key, value in body.params.items():
        _add_param(params, names.key(key, field=f"params.{key}"), _param_text(value, field=f"params.{key}"))
    await keep(logged, RunBatch(run=logged.run, params=params))
    return wire.ParamsLogged(run_id=logged.run, params=len(body.params))


@ingest_route("log-batch", tag=TAG, body_doc=wire.BatchLog, gives=wire.BatchLogged, raises=RAISES)
async def log_batch(logged: Logged) -> wire.BatchLogged:
    """Log metrics, params and tags to a run: all or nothing, durable when answered.

    Up to 10,000 entries. A point that comes again with the same key, step, timestamp and value counts once.
    """
    body, points = decode_batch(logged.body, now_ms=logged.services.now_ms())
    params: dict[str, str] = {}
    for position, param in enumerate(body.params):
        field = f"params[{position}]"
        key = names.key(param.key, field=f"{field}.key")
        _add_param(params, key, _param_text(param.value, field=f"{field}.value"))
    tags: dict[str, str | None] = {}
    for position, tag in enumerate(body.tags):
        key = names.key(tag.key, field=f"tags[{position}].key")
        tags[key] = names.tag_value(tag.value, field=f"tags[{position}].value")
    await keep(logged, RunBatch(run=logged.run, points=points, params=params, tags=tags))
    return wire.BatchLogged(run_id=logged.run, metrics=len(body.metrics), params=len(body.params), tags=len(body.tags))


def decode_metrics(body: bytes, *, now_ms: int) -> PointBatch:
    """The points of a body of `log-metrics` as checked columns, of `now_ms` where it says no time."""
    parsed = parse_body(body, wire.MetricsLog)
    count = len(parsed.metrics)
    _refuse_many(count, "metrics")
    time_ms = now_ms if parsed.timestamp is None else parsed.timestamp
    _refuse_out_of_bounds([parsed.step], [time_ms], step_field="step", time_field="timestamp")
    return PointBatch(
        names=[names.key(key, field=f"metrics.{key}") for key in parsed.metrics],
        key=np.arange(count, dtype=np.uint32),
        step=np.array([parsed.step] * count, np.float64),
        time_ms=np.array([time_ms] * count, np.int64),
        value=np.array(list(parsed.metrics.values()), np.float64),
    )


def decode_batch(body: bytes, *, now_ms: int) -> tuple[BatchBody, PointBatch | None]:
    """The body of `log-batch`, its points as checked columns. An entry without a time is of `now_ms`."""
    parsed = parse_body(body, BatchBody)
    _refuse_many(len(parsed.metrics) + len(parsed.params) + len(parsed.tags), "metrics, params and tags")
    return parsed, _entry_columns(parsed.metrics, now_ms=now_ms) if parsed.metrics else None


async def keep(logged: Logged, batch: RunBatch) -> BatchKept:
    """Queue the batch and wait until the group that holds it is on the disk."""
    services = logged.services
    services.rates.take_points(logged.principal, 0 if batch.points is None else len(batch.points))
    ticket = services.ingest.append(logged.principal.tenant, batch, waker=services.waker)
    kept = await services.waker.committed(ticket)
    assert isinstance(kept, BatchKept)
    return kept


def _entry_columns(entries: list[wire.MetricEntry], *, now_ms: int) -> PointBatch:
    sent = [entry.key for entry in entries]
    key_column, places = _key_column(sent)
    times = [now_ms if (time_ms := entry.timestamp) is None else time_ms for entry in entries]
    return _columns(
        _clean_keys(places, sent),
        [entry.value for entry in entries],
        [entry.step for entry in entries],
        times,
        key_column=key_column,
    )


def _key_column(sent: list[str]) -> tuple[Keys, list[str]]:
    """Each key's place among the distinct ones, and those in the order they came."""
    # Most loops log the same metrics at every step: comparing keys is cheaper than hashing each, which are all new.
    try:
        width = sent.index(sent[0], 1)
    except ValueError:
        width = len(sent)
    repeats, rest = divmod(len(sent), width)
    if not rest and sent == sent[:width] * repeats and len(set(sent[:width])) == width:
        return np.tile(np.arange(width, dtype=np.uint32), repeats), sent[:width]
    places = {key: place for place, key in enumerate(dict.fromkeys(sent))}
    return np.array([places[key] for key in sent], np.uint32), list(places)


def _clean_keys(places: list[str], sent: list[str]) -> list[str]:
    try:
        return [names.key(name) for name in places]
    except InvalidRequest:  # only then is it worth finding out where the wrong one stands
        return [names.key(name, field=f"metrics[{sent.index(name)}].key") for name in places]


def _columns(
    keys: list[str], values: list[wire.Number], steps: list[int | float], times: list[int], *, key_column: Keys
) -> PointBatch:
    try:
        step, time_ms = np.array(steps, np.float64), np.array(times, np.int64)
    except OverflowError:
        _refuse_out_of_bounds(steps, times)
        raise
    # As doubles, 2^53 + 1 would pass for 2^53, so whatever comes near is judged as it was sent.
    least, greatest = extremes(step)
    if not (least > -MAX_STEP and greatest < MAX_STEP):
        _refuse_out_of_bounds(steps, times)
    first_ms, last_ms = extremes(time_ms)
    if first_ms < 0 or last_ms > MAX_TIME_MS:
        _refuse_out_of_bounds(steps, times)
    return PointBatch(
        names=keys,
        key=key_column,
        step=step,
        time_ms=time_ms,
        value=np.array(values, np.float64),  # "NaN" and the infinities by their names too
    )


def _refuse_out_of_bounds(
    steps: list[int | float], times: list[int], *, step_field: str = "", time_field: str = ""
) -> None:
    """Refuse the first step or time that is out of bounds."""
    for place, step in enumerate(steps):
        if not -_MAX_STEP_INT <= step <= _MAX_STEP_INT:
            field = step_field or f"metrics[{place}].step"
            raise invalid_field(field, "is beyond 2^53 in size, where steps lose exactness")
    for place, time_ms in enumerate(times):
        if not 0 <= time_ms <= MAX_TIME_MS:
            field = time_field or f"metrics[{place}].timestamp"
            raise invalid_field(field, "is not Unix milliseconds between 1970 and 9999")


def _refuse_many(count: int, what: str) -> None:
    if count > MAX_ENTRIES:
        field = "body" if "," in what else what
        raise invalid_field(field, f"holds {count} {what}; send at most {MAX_ENTRIES} in one request")


def _add_param(params: dict[str, str], key: str, text: str) -> None:
    if params.setdefault(key, text) != text:
        raise ParamConflict(key, old=params[key], new=text)


def _param_text(value: Raw, *, field: str) -> str:
    """A scalar as text: a string is itself, anything else stays as it was written."""
    raw = bytes(value).strip()
    if raw[:1] in (b"{", b"["):
        raise invalid_field(field, "is not a string, number or boolean; flatten it into params of its own")
    text = msgspec.json.decode(raw, type=str) if raw[:1] == b'"' else raw.decode("ascii")
    return names.param_value(text, field=field)


INGEST = [check_in, log_metrics, log_params, log_batch]
