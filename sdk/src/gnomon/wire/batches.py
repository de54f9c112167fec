"""Messages that carry metrics, params and tags into a run."""

from typing import Annotated

from msgspec import Struct

from gnomon.bounds import Base64, Count, Key, ParamText, Step, TagValue, Uid, UnixMs, Writer, said
from gnomon.wire.messages import Number, Request, Scalar
from gnomon.wire.runs import RunBegin


class MetricsLog(Request, frozen=True):
    metrics: Annotated[dict[Key, Number], said(maxProperties=10_000)]
    step: Step = 0
    timestamp: UnixMs | None = None


class ParamsLog(Request, frozen=True):
    params: Annotated[dict[Key, Scalar], said(maxProperties=10_000)]


class MetricEntry(Request, frozen=True, gc=False):
    key: Key
    value: Number
    step: Step = 0
    timestamp: UnixMs | None = None


class ParamEntry(Request, frozen=True):
    key: Key
    value: Scalar


class TagEntry(Request, frozen=True):
    key: Key
    value: TagValue


class BatchLog(Request, frozen=True):
    metrics: Annotated[list[MetricEntry], said(maxItems=10_000)] = []
    params: Annotated[list[ParamEntry], said(maxItems=10_000)] = []
    tags: Annotated[list[TagEntry], said(maxItems=10_000)] = []


class PointColumns(Request, frozen=True):
    """Points as columns: `key` holds positions in `keys`, all columns are of equal length.

    In MessagePack each column may be raw little-endian bytes: key uint32, step float64, timestamp int64 (Unix ms),
    value float64, where NaN and the infinities are ordinary doubles.
    """

    keys: Annotated[list[Key], said(maxItems=10_000)]
    key: list[Count] | Base64
    step: list[Step] | Base64
    timestamp: list[UnixMs] | Base64
    value: list[Number] | Base64


class SequencedBatch(Request, frozen=True):
    """A batch with an identity: it counts once, however often and however late it is sent.

    `writer` names who sends (one process, one thread of sending), `seq` counts its batches for this run from 0.
    `thinned` says how many points the writer has logged since its last batch and had no room to keep.
    With `create`, a run that is not there is begun, in the same transaction; one that is there stays as it is.
    """

    writer: Writer
    seq: Annotated[int, said(minimum=0, maximum=2**62 - 1)]
    points: PointColumns | None = None
    params: Annotated[dict[Key, ParamText], said(maxProperties=10_000)] = {}
    tags: Annotated[dict[Key, TagValue], said(maxProperties=10_000)] = {}
    create: RunBegin | None = None
    thinned: Annotated[int, said(minimum=0, maximum=2**40)] = 0


class SequencedBatchLogged(Struct, frozen=True):
    """`duplicate`: the batch had been kept before, and changed nothing now."""

    run_id: Uid
    writer: str
    seq: int
    duplicate: bool
    metrics: int
    params: int
    tags: int


class CheckIn(Request, frozen=True):
    """A sign of life; it says nothing else."""


class CheckedIn(Struct, frozen=True):
    """`next_secs`: how long until the run should be heard of again; 0 when nobody waits for it."""

    run_id: Uid
    next_secs: float


class MetricsLogged(Struct, frozen=True):
    run_id: Uid
    metrics: int


class ParamsLogged(Struct, frozen=True):
    run_id: Uid
    params: int


class BatchLogged(Struct, frozen=True):
    run_id: Uid
    metrics: int
    params: int
    tags: int
