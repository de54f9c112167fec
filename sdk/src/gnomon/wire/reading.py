"""Messages that read what was logged: comparison, histories, series, keys, tables and groups."""

from typing import Annotated, Literal

from msgspec import Struct

from gnomon.bounds import Count, Uid, UnixMs, said
from gnomon.wire.messages import Direction, Number, Request, RunStatus


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
