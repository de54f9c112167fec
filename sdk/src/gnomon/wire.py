"""The messages of the native API, `/api/v1`: the contract that server and SDK share.

Request structs forbid unknown fields, so a misspelt name is refused rather than ignored. Non-finite doubles travel in
JSON as the strings "NaN", "Infinity" and "-Infinity", both ways, and come back exactly; `to_wire` and `from_wire`
convert. Resource times are ISO 8601 in UTC with milliseconds; point times are integer Unix milliseconds.
"""

import math
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

RunStatus = Literal["running", "scheduled", "finished", "failed", "killed"]
EndStatus = Literal["finished", "failed", "killed"]
LifecycleStage = Literal["active", "deleted"]
NonFinite = Literal["NaN", "Infinity", "-Infinity"]
Number = float | NonFinite
Scalar = str | int | float | bool | None
Direction = Literal["min", "max"]


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every request body."""


class ExperimentCreate(Request, frozen=True):
    name: str
    description: str = ""
    artifact_location: str | None = None
    tags: dict[str, str] = {}


class ExperimentPatch(Request, frozen=True):
    """What is absent stays; a tag set to null is removed."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    tags: dict[str, str | None] | UnsetType = UNSET


class ExperimentResponse(Struct, frozen=True):
    id: str
    number: int
    name: str
    description: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    tags: dict[str, str]
    created_at: str
    last_updated: str
    run_count: int


class ExperimentListResponse(Struct, frozen=True):
    experiments: list[ExperimentResponse]
    total: int
    limit: int
    offset: int


class RunCreate(Request, frozen=True):
    experiment_id: str
    name: str | None = None
    description: str = ""
    tags: dict[str, str] = {}


class RunPatch(Request, frozen=True):
    """What is absent stays; a tag set to null is removed; status `running` reopens an ended run."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    tags: dict[str, str | None] | UnsetType = UNSET
    status: RunStatus | UnsetType = UNSET


class RunEnd(Request, frozen=True):
    status: EndStatus = "finished"
    end_time: str | int | None = None


class RunResponse(Struct, frozen=True):
    id: str
    experiment_id: str
    name: str
    description: str
    status: RunStatus
    lifecycle_stage: LifecycleStage
    start_time: str
    end_time: str | None
    duration_ms: int | None
    artifact_uri: str
    params: dict[str, str]
    metrics: dict[str, Number]
    tags: dict[str, str]
    created_by: str


class RunListResponse(Struct, frozen=True):
    runs: list[RunResponse]
    total: int
    limit: int
    offset: int


class MetricsLog(Request, frozen=True):
    metrics: dict[str, Number]
    step: int | float = 0
    timestamp: int | None = None


class ParamsLog(Request, frozen=True):
    params: dict[str, Scalar]


class MetricEntry(Request, frozen=True):
    key: str
    value: Number
    step: int | float = 0
    timestamp: int | None = None


class ParamEntry(Request, frozen=True):
    key: str
    value: Scalar


class TagEntry(Request, frozen=True):
    key: str
    value: str


class BatchLog(Request, frozen=True):
    metrics: list[MetricEntry] = []
    params: list[ParamEntry] = []
    tags: list[TagEntry] = []


class PointColumns(Request, frozen=True):
    """Points as columns: `key` holds positions in `keys`, all columns are of equal length.

    In MessagePack each column may be raw little-endian bytes: key uint32, step float64, timestamp int64 (Unix ms),
    value float64, where NaN and the infinities are ordinary doubles.
    """

    keys: list[str]
    key: list[int] | bytes
    step: list[int | float] | bytes
    timestamp: list[int] | bytes
    value: list[Number] | bytes


class SequencedBatch(Request, frozen=True):
    """A batch with an identity: it counts once, however often and however late it is sent.

    `writer` names who sends (one process, one thread of sending), `seq` counts its batches for this run from 0.
    """

    writer: str
    seq: int
    points: PointColumns | None = None
    params: dict[str, str] = {}
    tags: dict[str, str] = {}


class SequencedBatchLogged(Struct, frozen=True):
    """`duplicate`: the batch had been kept before, and changed nothing now."""

    run_id: str
    writer: str
    seq: int
    duplicate: bool
    metrics: int
    params: int
    tags: int


class MetricsLogged(Struct, frozen=True):
    run_id: str
    metrics: int


class ParamsLogged(Struct, frozen=True):
    run_id: str
    params: int


class BatchLogged(Struct, frozen=True):
    run_id: str
    metrics: int
    params: int
    tags: int


class ArtifactLogged(Struct, frozen=True):
    message: str
    run_id: str
    artifact: str
    size: int
    sha256: str


class ArtifactInfo(Struct, frozen=True):
    path: str
    is_dir: bool
    size: int | None
    sha256: str | None
    created_at: str | None


class ArtifactListResponse(Struct, frozen=True):
    artifacts: list[ArtifactInfo]
    total: int
    limit: int
    offset: int


class CompareRequest(Request, frozen=True):
    run_ids: list[str]
    metrics: list[str] | None = None
    directions: dict[str, Direction] = {}


class ComparedRun(Struct, frozen=True):
    run_id: str
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
    total: int
    step: list[int | float]
    timestamp: list[int]
    value: list[Number]


class HistoryResponse(Struct, frozen=True):
    run_id: str
    series: list[SeriesPoints]
    limit: int
    offset: int


class SeriesRequest(Request, frozen=True):
    """`x` is "step", "relative" (ms since the run's start), "time" (Unix ms) or the name of a metric."""

    run_ids: list[str]
    keys: list[str]
    x: str = "step"
    buckets: int = 800
    range: tuple[float, float] | None = None


class ReducedSeries(Struct, frozen=True):
    run_id: str
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
    total: int
    limit: int
    offset: int


class TableResponse(Struct, frozen=True):
    total: int
    limit: int
    offset: int
    run_ids: list[str]
    columns: dict[str, list[str | Number | None]]


class GroupRow(Struct, frozen=True):
    """One group: the values it stands for, how many runs it has, and the aggregates of each column over them."""

    values: dict[str, str | None]
    n: int
    aggregates: dict[str, dict[str, Number | None]]


class GroupsResponse(Struct, frozen=True):
    groups: list[GroupRow]
    total: int
    limit: int
    offset: int


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
