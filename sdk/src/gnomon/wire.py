"""The messages of the native API, `/api/v1`: the contract that server and SDK share.

Request structs forbid unknown fields, so a misspelt name is refused rather than ignored. Non-finite doubles travel in
JSON as the strings "NaN", "Infinity" and "-Infinity", both ways, and come back exactly; `to_wire` and `from_wire`
convert. Resource times are ISO 8601 in UTC with milliseconds; point times are integer Unix milliseconds.

What a type allows stands in `bounds.py`.
"""

import math
from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType

from gnomon.bounds import (
    ArtifactLocation,
    Base64,
    Count,
    Description,
    EndTime,
    Key,
    ParamText,
    RunName,
    Sha256,
    Step,
    TagChanges,
    Tags,
    TagValue,
    UnixMs,
    Writer,
    said,
)
from gnomon.bounds import ExperimentName as ExperimentName
from gnomon.bounds import Time as Time
from gnomon.bounds import Uid as Uid

RunStatus = Literal["running", "scheduled", "finished", "failed", "killed"]
EndStatus = Literal["finished", "failed", "killed"]
LifecycleStage = Literal["active", "deleted"]
NonFinite = Literal["NaN", "Infinity", "-Infinity"]
Number = float | NonFinite
Scalar = ParamText | int | float | bool | None
Direction = Literal["min", "max"]


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every request body."""


class ExperimentCreate(Request, frozen=True):
    """A null is an absent field."""

    name: ExperimentName
    description: Description | None = ""
    artifact_location: ArtifactLocation | None = None
    tags: Tags | None = {}


class ExperimentPatch(Request, frozen=True):
    """What is absent stays; a tag set to null is removed."""

    name: ExperimentName | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    tags: TagChanges | UnsetType = UNSET


class ExperimentResponse(Struct, frozen=True):
    id: Uid
    number: Count
    name: str
    description: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    tags: dict[str, str]
    created_at: Time
    last_updated: Time
    run_count: Count


class ExperimentListResponse(Struct, frozen=True):
    experiments: list[ExperimentResponse]
    total: Count
    limit: Count
    offset: Count


class RunCreate(Request, frozen=True):
    """`id` is the caller's own, made as the server would (a UUIDv7, 32 hex digits): asked again, it answers the run."""

    experiment_id: Uid
    name: RunName | None = None
    description: Description | None = ""
    tags: Tags | None = {}
    id: Uid | None = None


class RunPatch(Request, frozen=True):
    """What is absent stays; a tag set to null is removed; status `running` reopens an ended run."""

    name: RunName | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    tags: TagChanges | UnsetType = UNSET
    status: RunStatus | UnsetType = UNSET


class RunEnd(Request, frozen=True):
    status: EndStatus = "finished"
    end_time: EndTime | UnixMs | None = None


class RunResponse(Struct, frozen=True):
    id: Uid
    experiment_id: Uid
    name: str
    description: str
    status: RunStatus
    lifecycle_stage: LifecycleStage
    start_time: Time
    end_time: Time | None
    duration_ms: int | None
    artifact_uri: str
    params: dict[str, str]
    metrics: dict[str, Number]
    tags: dict[str, str]
    created_by: str


class RunListResponse(Struct, frozen=True):
    runs: list[RunResponse]
    total: Count
    limit: Count
    offset: Count


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


class RunBegin(Request, frozen=True):
    """What to make of a run that is not there yet: give `experiment_id`, or `experiment`, a name that may be new."""

    experiment_id: Uid | None = None
    experiment: ExperimentName | None = None
    name: RunName | None = None
    description: Description = ""
    tags: Tags = {}
    start_time: UnixMs | None = None


class SequencedBatch(Request, frozen=True):
    """A batch with an identity: it counts once, however often and however late it is sent.

    `writer` names who sends (one process, one thread of sending), `seq` counts its batches for this run from 0.
    With `create`, a run that is not there is begun, in the same transaction; one that is there stays as it is.
    """

    writer: Writer
    seq: Annotated[int, said(minimum=0, maximum=2**62 - 1)]
    points: PointColumns | None = None
    params: Annotated[dict[Key, ParamText], said(maxProperties=10_000)] = {}
    tags: Annotated[dict[Key, TagValue], said(maxProperties=10_000)] = {}
    create: RunBegin | None = None


class SequencedBatchLogged(Struct, frozen=True):
    """`duplicate`: the batch had been kept before, and changed nothing now."""

    run_id: Uid
    writer: str
    seq: int
    duplicate: bool
    metrics: int
    params: int
    tags: int


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


class ArtifactLogged(Struct, frozen=True):
    message: str
    run_id: Uid
    artifact: str
    size: Count
    sha256: Sha256


class ArtifactInfo(Struct, frozen=True):
    path: str
    is_dir: bool
    size: Count | None
    sha256: Sha256 | None
    created_at: Time | None


class ArtifactListResponse(Struct, frozen=True):
    artifacts: list[ArtifactInfo]
    total: Count
    limit: Count
    offset: Count


class CompareRequest(Request, frozen=True):
    run_ids: Annotated[list[Uid], said(minItems=2, maxItems=10, uniqueItems=True)]
    metrics: list[str] | None = None
    directions: dict[str, Direction] = {}


class ComparedRun(Struct, frozen=True):
    run_id: Uid
    name: str
    status: RunStatus
    params: dict[str, str]
    metrics: dict[str, Number]


class MetricComparison(Struct, frozen=True):
    direction: Direction
    best_run_id: str | None
    best_value: Number | None
    all_values: dict[str, Number | None]


class Comparison(Struct, frozen=True):
    metric_comparison: dict[str, MetricComparison]
    param_differences: dict[str, dict[str, str | None]]
    best_run: str | None


class CompareRunsResponse(Struct, frozen=True):
    runs: list[ComparedRun]
    comparison: Comparison


class SeriesPoints(Struct, frozen=True):
    key: str
    total: Count
    step: list[int | float]
    timestamp: list[UnixMs]
    value: list[Number]


class HistoryResponse(Struct, frozen=True):
    run_id: Uid
    series: list[SeriesPoints]
    limit: Count
    offset: Count


class SeriesRequest(Request, frozen=True):
    """`x` is "step", "relative" (ms since the run's start), "time" (Unix ms) or the name of a metric."""

    run_ids: Annotated[list[Uid], said(minItems=1, maxItems=1000, uniqueItems=True)]
    keys: Annotated[list[str], said(minItems=1, maxItems=500, uniqueItems=True)]
    x: str = "step"
    buckets: Annotated[int, said(minimum=1, maximum=5000)] = 800
    range: tuple[float, float] | None = None


class ReducedSeries(Struct, frozen=True):
    run_id: Uid
    key: str
    n: int
    nonfinite: int
    x: list[float]
    first: list[float | None]
    last: list[float | None]
    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]
    count: list[int]


class SeriesResponse(Struct, frozen=True):
    series: list[ReducedSeries]


class KeyInfo(Struct, frozen=True):
    kind: Literal["metric", "param", "tag"]
    key: str
    runs: int


class KeysResponse(Struct, frozen=True):
    keys: list[KeyInfo]
    total: Count
    limit: Count
    offset: Count


class TableResponse(Struct, frozen=True):
    total: Count
    limit: Count
    offset: Count
    run_ids: list[Uid]
    columns: dict[str, list[str | Number | None]]


class GroupRow(Struct, frozen=True):
    """One group: the values it stands for, how many runs it has, and the aggregates of each column over them."""

    values: dict[str, str | None]
    n: int
    aggregates: dict[str, dict[str, Number | None]]


class GroupsResponse(Struct, frozen=True):
    groups: list[GroupRow]
    total: Count
    limit: Count
    offset: Count


class FieldProblem(Struct, frozen=True):
    field: str
    message: str


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error answer, `application/problem+json` (RFC 9457), with our `code` and the wrong fields."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []
    request_id: str | None = None
    expected_seq: int | None = None


def to_wire(value: float) -> Number:
    """A double as JSON can say it: itself, or the name of a non-finite one."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def from_wire(value: Number) -> float:
    """The double behind a JSON number or the name of a non-finite one."""
    return float(value)
