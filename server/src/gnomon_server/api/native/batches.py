"""Batches with an identity, for senders that retry: each is kept exactly once, however often and however late it comes.

Points are columns, series names once: JSON with lists, or MessagePack with raw little-endian columns, decoded from the
same Struct. The server keeps the last `seq` of each writer for ever, moved in the transaction that keeps the batch.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from gnomon import wire
from gnomon_server.api.bodies import invalid_shape, parse_body
from gnomon_server.api.ingest import Logged, ingest_route
from gnomon_server.api.native.logging import MAX_ENTRIES, RAISES, keep
from gnomon_server.core.access import Principal
from gnomon_server.core.experiments import clean_tag_map
from gnomon_server.core.ingest import MAX_KEYS_PER_RUN
from gnomon_server.model import names
from gnomon_server.model.batches import Identity, NewRun, RunBatch
from gnomon_server.model.errors import (
    ExperimentArchived,
    ExperimentNotFound,
    InvalidRequest,
    SequenceGap,
    invalid_field,
)
from gnomon_server.model.points import MAX_STEP, MAX_TIME_MS, PointBatch, extremes

TAG = "logging"
MSGPACK = "application/msgpack"
# The SDK's uploader sends what gathered during an outage: larger than a request made by hand, still a bounded one.
MAX_POINTS = 100_000
MAX_WRITER = 64
# Far more than a job can log, and far from the end of a 64-bit sum.
MAX_THINNED = 2**40
_decode_msgpack = msgspec.msgpack.Decoder(wire.SequencedBatch).decode


@ingest_route(
    "batches",
    tag=TAG,
    body_doc=wire.SequencedBatch,
    also_consumes=[MSGPACK],
    gives=wire.SequencedBatchLogged,
    raises=[*RAISES, SequenceGap, ExperimentNotFound, ExperimentArchived],
)
async def log_sequenced_batch(logged: Logged) -> wire.SequencedBatchLogged:
    """Log a batch that carries its writer and sequence number: kept exactly once.

    A repeat answers the same with `duplicate: true`. A gap answers 409 with `expected_seq`: send again from there.
    JSON or `application/msgpack`; up to 100,000 points. With `create` the batch begins the run that it names, if it is
    not there, and the experiment, if it is named and new.
    """
    body, points = decode_batch(logged.body, logged.content_type)
    identity = Identity(writer=_writer(body.writer), seq=_seq(body.seq), thinned=_thinned(body.thinned))
    if len(body.params) + len(body.tags) > MAX_ENTRIES:
        raise invalid_field("body", f"holds more than {MAX_ENTRIES} params and tags; send them in several batches")
    batch = RunBatch(
        run=logged.run,
        points=points,
        params={
            names.key(key, field=f"params.{key}"): names.param_value(value, field=f"params.{key}")
            for key, value in body.params.items()
        },
        tags={
            names.key(key, field=f"tags.{key}"): names.tag_value(value, field=f"tags.{key}")
            for key, value in body.tags.items()
        },
        identity=identity,
        create=None if body.create is None else _new_run(body.create, logged.principal),
    )
    kept = await keep(logged, batch)
    return wire.SequencedBatchLogged(
        run_id=logged.run,
        writer=identity.writer,
        seq=identity.seq,
        duplicate=kept.is_duplicate,
        metrics=0 if batch.points is None else len(batch.points),
        params=len(batch.params),
        tags=len(batch.tags),
    )


def decode_batch(body: bytes, content_type: str) -> tuple[wire.SequencedBatch, PointBatch | None]:
    """The body of `batches`, its points as checked columns."""
    parsed = _parse(body, content_type)
    return parsed, None if parsed.points is None else _points(parsed.points)


def _parse(body: bytes, content_type: str) -> wire.SequencedBatch:
    if not content_type.startswith(MSGPACK):
        return parse_body(body, wire.SequencedBatch)
    try:
        return _decode_msgpack(body)
    except msgspec.ValidationError as error:
        raise invalid_shape(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is not valid MessagePack: {error}", code="invalid_msgpack") from None


def _writer(text: str) -> str:
    cleaned = names.key(text, field="writer")
    if len(cleaned) > MAX_WRITER:
        raise invalid_field("writer", f"is longer than {MAX_WRITER} characters")
    return cleaned


def _seq(seq: int) -> int:
    if not 0 <= seq < 2**62:
        raise invalid_field("seq", "counts batches from 0")
    return seq


def _thinned(points: int) -> int:
    if not 0 <= points <= MAX_THINNED:
        raise invalid_field("thinned", f"is a count of points, 0 to {MAX_THINNED}")
    return points


def _new_run(begin: wire.RunBegin, by: Principal) -> NewRun:
    if (begin.experiment is None) == (begin.experiment_id is None):
        raise invalid_field("create", "names the experiment twice or not at all; give experiment_id or experiment")
    if begin.start_time is not None and not 0 <= begin.start_time <= MAX_TIME_MS:
        raise invalid_field("create.start_time", "is not Unix milliseconds between 1970 and 9999")
    is_by_name = begin.experiment is not None
    return NewRun(
        experiment=names.experiment_name(begin.experiment, field="create.experiment")
        if begin.experiment is not None
        else str(begin.experiment_id),
        is_by_name=is_by_name,
        may_make_experiment="experiments.write" in by.permissions,
        created_by=by.subject,
        name=None if begin.name is None else names.run_name(begin.name, field="create.name"),
        description=names.description(begin.description, field="create.description"),
        tags=clean_tag_map(begin.tags, field="create.tags"),
        start_ms=begin.start_time,
    )


def _points(columns: wire.PointColumns) -> PointBatch:
    """Checked columns; whatever they were sent as, they are numpy arrays of one length from here on."""
    if len(columns.keys) > MAX_KEYS_PER_RUN:
        raise invalid_field("points.keys", f"holds {len(columns.keys)} names; a run has at most {MAX_KEYS_PER_RUN}")
    keys = _clean_keys(columns.keys)
    key = _column(columns.key, "points.key", np.dtype("<u4"))
    step = _column(columns.step, "points.step", np.dtype("<f8"))
    time_ms = _column(columns.timestamp, "points.timestamp", np.dtype("<i8"))
    value = _column(columns.value, "points.value", np.dtype("<f8"))
    n = len(value)
    if n > MAX_POINTS:
        raise invalid_field("points", f"holds {n} points; send at most {MAX_POINTS} in one batch")
    for name, column in (("key", key), ("step", step), ("timestamp", time_ms)):
        if len(column) != n:
            raise invalid_field(f"points.{name}", f"holds {len(column)} entries and value {n}; make them equal")
    if n:
        if (greatest := int(extremes(key)[1])) >= len(keys):
            raise invalid_field("points.key", f"points at key {greatest} of {len(keys)}")
        least_step, greatest_step = extremes(step)
        if not (least_step >= -MAX_STEP and greatest_step <= MAX_STEP):  # NaN is no step either
            raise invalid_field("points.step", "holds a step that is not a number within 2^53")
        first_ms, last_ms = extremes(time_ms)
        if first_ms < 0 or last_ms > MAX_TIME_MS:
            raise invalid_field("points.timestamp", "holds a time that is not Unix milliseconds between 1970 and 9999")
    return PointBatch(
        names=keys,
        key=key.astype(np.uint32, copy=False),
        step=step.astype(np.float64, copy=False),
        time_ms=time_ms.astype(np.int64, copy=False),
        value=value.astype(np.float64, copy=False),
    )


def _clean_keys(sent: list[str]) -> list[str]:
    try:
        return [names.key(key) for key in sent]
    except InvalidRequest:  # only then is it worth finding out where the wrong one stands
        return [names.key(key, field=f"points.keys[{position}]") for position, key in enumerate(sent)]


# The element type differs by column and is given by `dtype`.
def _column(sent: list[int] | list[int | float] | list[wire.Number] | bytes, field: str, dtype: np.dtype) -> NDArray:  # type: ignore[type-arg]
    if isinstance(sent, bytes):
        if len(sent) % dtype.itemsize:
            raise invalid_field(field, f"is {len(sent)} bytes long, which is no multiple of {dtype.itemsize}")
        return np.frombuffer(sent, dtype)
    try:
        return np.array([float(entry) for entry in sent] if dtype.kind == "f" else sent, dtype)
    except (OverflowError, ValueError):
        raise invalid_field(field, "holds a number that is out of range") from None


INGEST = [log_sequenced_batch]
