"""What the client's calls answer, where the wire's own Structs would be awkward: numbers are doubles, NaN included.

The fields are those of `gnomon.wire` under the same names; only `Number` (a double, or the name of a non-finite one)
has become `float`. Everything else is answered as the wire's Struct.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from gnomon.wire import Direction, LifecycleStage, RunStatus


class Run(Struct, frozen=True):
    """A run with its params, tags and the latest value of each metric."""

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
    metrics: dict[str, float]
    tags: dict[str, str]
    created_by: str


class RunPage(Struct, frozen=True):
    """One page of a list of runs; `total` counts all that match."""

    runs: list[Run]
    total: int
    limit: int
    offset: int

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)


class ComparedRun(Struct, frozen=True):
    run_id: str
    name: str
    status: RunStatus
    params: dict[str, str]
    metrics: dict[str, float]


class MetricComparison(Struct, frozen=True):
    direction: Direction
    best_run_id: str | None
    best_value: float | None
    all_values: dict[str, float | None]


class Comparison(Struct, frozen=True):
    metric_comparison: dict[str, MetricComparison]
    param_differences: dict[str, dict[str, str | None]]
    best_run: str | None


class RunComparison(Struct, frozen=True):
    """Runs side by side: the best of each metric, and the params that differ."""

    runs: list[ComparedRun]
    comparison: Comparison


class WriterLedger(Struct, frozen=True):
    """What arrived from one writer of a run: batches 0 to `last_seq`, all of them, each once."""

    writer: str
    last_seq: int
    points: int
    duplicates_dropped: int
    first_at: str
    last_at: str
    points_thinned: int = 0  # logged, and not kept because the writer's disk was full


class Ledger(Struct, frozen=True):
    run_id: str
    writers: list[WriterLedger]


class RunEvent(Struct, frozen=True):
    """Something that happened to a run besides what it logged, in a sentence; `kind` is one word for it."""

    id: str
    time: str
    kind: str
    message: str


class RunEvents(Struct, frozen=True):
    run_id: str
    events: list[RunEvent]
    total: int


class Series(Struct, frozen=True):
    """Every point of one metric (or one page of them), ordered by step, as columns of equal length."""

    key: str
    total: int
    step: list[int | float]
    timestamp: list[int]
    value: list[float]


class History(Struct, frozen=True):
    """The points of some metrics of a run; `limit` and `offset` count points of each."""

    run_id: str
    series: list[Series]
    limit: int
    offset: int


class ReducedSeries(Struct, frozen=True):
    """A metric in buckets, from all its points; `n` counts the points, `nonfinite` those that are no number."""

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


class ReducedSeriesList(Struct, frozen=True):
    series: list[ReducedSeries]


class Table(Struct, frozen=True):
    """A page of runs as columns; each column has one value for each of `run_ids`."""

    total: int
    limit: int
    offset: int
    run_ids: list[str]
    columns: dict[str, list[str | float | None]]


class Group(Struct, frozen=True):
    """One group: the values that its `n` runs share, and for each column the aggregates over them."""

    values: dict[str, str | None]
    n: int
    aggregates: dict[str, dict[str, float | None]]


class GroupPage(Struct, frozen=True):
    groups: list[Group]
    total: int
    limit: int
    offset: int


class Purged(Struct, frozen=True):
    """What was removed for good."""

    id: str
    purged: bool = True


Kind = Literal["metric", "param", "tag"]
XAxis = Literal["step", "relative", "time"] | str
