"""The reference reduction: a series becomes at most `buckets` entries over a range of x, made from all its points.

Definition, in IEEE doubles and in this order: a point with lo <= x <= hi falls into bucket

    min(floor((x - lo) / (hi - lo) * buckets), buckets - 1)        and into bucket 0 where hi == lo

so buckets are half-open on the right, but for the last, which is closed. (Where hi - lo overflows, all three are halved
first.) The bucket of a point depends on its x and the grid alone: series that share a grid line up, and a longer series
does not move the bounds. A point outside, or whose x is not finite, takes no part.

Per bucket: `x` is the least x of its points, finite in value or not; `first` and `last` are the finite values that come
first and last by (step, arrival); `low`, `high` and `mean` are over the finite values. Only `mean` depends on how a
series happens to be cut into chunks, and only in its last digits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gnomon_server.model.points import Buckets, Floats, Ints, Points
from gnomon_server.store.points.chunks import ChunkStats
from gnomon_server.store.points.codec import EncodedChunk

Index = NDArray[np.intp]


class Axis(NamedTuple):
    """What x is: the step, or the time in milliseconds since `origin_ms`."""

    kind: Literal["step", "time"]
    origin_ms: int = 0

    def of(self, points: Points) -> Floats:
        return points.step if self.kind == "step" else self._relative(points.time_ms)

    def of_chunk(self, chunk: EncodedChunk, step: Floats) -> Floats:
        return step if self.kind == "step" else self._relative(chunk.time_ms())

    def bounds(self, stats: ChunkStats) -> tuple[float, float]:
        """The least and the greatest x in a chunk."""
        if self.kind == "step":
            return stats.lo, stats.hi
        return float(stats.lo_ms - self.origin_ms), float(stats.hi_ms - self.origin_ms)

    def _relative(self, time_ms: Ints) -> Floats:
        return (time_ms - self.origin_ms).astype(np.float64)


STEP = Axis("step")
TIME = Axis("time")


def relative_to(start_ms: int) -> Axis:
    """Time since the start of a run."""
    return Axis("time", start_ms)


@dataclass(frozen=True, slots=True)
class Grid:
    """Buckets over [lo, hi]; both finite, lo <= hi, buckets >= 1."""

    lo: float
    hi: float
    buckets: int

    def index(self, x: Floats) -> Index:
        """The bucket of each x; all must lie within."""
        if self.hi == self.lo:
            return np.zeros(len(x), np.intp)
        scale = 1.0 if math.isfinite(self.hi - self.lo) else 0.5
        lo, hi = self.lo * scale, self.hi * scale
        place = (x if scale == 1.0 else x * scale) - lo
        place /= hi - lo
        place *= self.buckets
        index = place.astype(np.intp)  # cuts towards zero, and nothing is negative: floor
        return np.minimum(index, self.buckets - 1, out=index)

    def touches(self, lo: float, hi: float) -> bool:
        return lo <= self.hi and hi >= self.lo

    def covers(self, lo: float, hi: float) -> bool:
        return lo >= self.lo and hi <= self.hi


# Some points of a series by bucket, ascending: one column a bucket, and these rows. A bucket without a finite value has
# inf as FIRST_STEP and LOW, -inf as LAST_STEP and HIGH, NaN as FIRST and LAST: what any finite value replaces.
Partial = Floats
_BUCKET, _X, _FIRST_STEP, _FIRST, _LAST_STEP, _LAST, _LOW, _HIGH, _TOTAL, _COUNT, _NONFINITE = range(11)
_NOTHING: Partial = np.empty((11, 0))


def reduce(x: Floats, points: Points, lo: float, hi: float, buckets: int) -> Buckets:
    """Points, given in order, over an x of any kind (one per point, in any order)."""
    return finish(from_points(x, points.step, points.value, Grid(lo, hi, buckets)))


def from_chunk(chunk: EncodedChunk, axis: Axis, grid: Grid) -> Partial:
    step = chunk.step()
    return from_points(axis.of_chunk(chunk, step), step, chunk.value(), grid)


def from_statistics(stats: ChunkStats, axis: Axis, grid: Grid) -> Partial | None:
    """A whole chunk that falls into one bucket, by its statistics alone; None where they do not tell all."""
    lo, hi = axis.bounds(stats)
    if not grid.covers(lo, hi):
        return None
    bucket, last_bucket = grid.index(np.array((lo, hi)))
    if bucket != last_bucket:
        return None
    first, last, low, high = stats.first, stats.last, stats.low, stats.high
    if low is None or high is None:  # no finite value at all
        column = (bucket, lo, math.inf, math.nan, -math.inf, math.nan, math.inf, -math.inf, 0.0, 0, stats.n)
    elif first is None or last is None or math.isinf(first) or math.isinf(last):
        return None
    else:
        count = stats.n - stats.nonfinite
        column = (bucket, lo, stats.lo, first, stats.hi, last, low, high, stats.total, count, stats.nonfinite)
    return np.array(column, np.float64).reshape(11, 1)


def from_points(x: Floats, step: Floats, value: Floats, grid: Grid) -> Partial:
    """Points in the order (step, arrival)."""
    inside = (x >= grid.lo) & (x <= grid.hi)
    if not inside.all():
        x, step, value = x[inside], step[inside], value[inside]
    if not len(x):
        return _NOTHING
    index = grid.index(x)
    if (index[1:] < index[:-1]).any():
        order = np.argsort(index, kind="stable")
        index, x, step, value = index[order], x[order], step[order], value[order]
    starts = _starts(index)
    part = np.empty((11, len(starts)))
    part[_BUCKET] = index[starts]
    part[_X] = np.minimum.reduceat(x, starts)
    finite = np.isfinite(value)
    with np.errstate(over="ignore", invalid="ignore"):
        if finite.all():
            _fill_finite(part, starts, step, value)
        else:
            _fill(part, starts, step, value, finite)
    return part


def _fill_finite(part: Partial, starts: Index, step: Floats, value: Floats) -> None:
    n = np.diff(starts, append=len(value))
    ends = starts + n - 1
    part[_FIRST_STEP], part[_FIRST] = step[starts], value[starts]
    part[_LAST_STEP], part[_LAST] = step[ends], value[ends]
    part[_LOW], part[_HIGH] = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
    part[_TOTAL] = np.add.reduceat(value, starts)
    part[_COUNT], part[_NONFINITE] = n, 0


def _fill(part: Partial, starts: Index, step: Floats, value: Floats, finite: NDArray[np.bool_]) -> None:
    size = len(value)
    n = np.diff(starts, append=size)
    count = np.add.reduceat(finite, starts, dtype=np.int64)
    some = count > 0
    place = np.arange(size)
    first = np.where(some, np.minimum.reduceat(np.where(finite, place, size), starts), 0)
    last = np.where(some, np.maximum.reduceat(np.where(finite, place, -1), starts), 0)
    part[_FIRST_STEP], part[_FIRST] = np.where(some, step[first], np.inf), np.where(some, value[first], np.nan)
    part[_LAST_STEP], part[_LAST] = np.where(some, step[last], -np.inf), np.where(some, value[last], np.nan)
    part[_LOW] = np.minimum.reduceat(np.where(finite, value, np.inf), starts)
    part[_HIGH] = np.maximum.reduceat(np.where(finite, value, -np.inf), starts)
    part[_TOTAL] = np.add.reduceat(np.where(finite, value, 0.0), starts)
    part[_COUNT], part[_NONFINITE] = count, n - count


def merge(parts: Sequence[Partial]) -> Partial:
    """Partials of one series, in the order of arrival, as one."""
    joined = np.concatenate([_NOTHING, *parts], axis=1)
    bucket = joined[_BUCKET]
    if (bucket[1:] > bucket[:-1]).all():
        return joined
    joined = joined[:, np.argsort(bucket, kind="stable")]
    bucket = joined[_BUCKET]
    starts = _starts(bucket)
    place = np.arange(len(bucket))
    # Of equal first steps the earliest arrival, of equal last steps the latest: parts are in the order of arrival.
    first = np.lexsort((place, joined[_FIRST_STEP], bucket))[starts]
    last = np.lexsort((-place, -joined[_LAST_STEP], bucket))[starts]
    part = np.empty((11, len(starts)))
    part[_BUCKET] = bucket[starts]
    part[_FIRST_STEP], part[_FIRST] = joined[_FIRST_STEP][first], joined[_FIRST][first]
    part[_LAST_STEP], part[_LAST] = joined[_LAST_STEP][last], joined[_LAST][last]
    part[_HIGH] = np.maximum.reduceat(joined[_HIGH], starts)
    for row in (_X, _LOW):
        part[row] = np.minimum.reduceat(joined[row], starts)
    with np.errstate(over="ignore", invalid="ignore"):
        for row in (_TOTAL, _COUNT, _NONFINITE):
            part[row] = np.add.reduceat(joined[row], starts)
    return part


def finish(part: Partial) -> Buckets:
    """The answer: NaN where a bucket has no finite value."""
    is_empty = part[_COUNT] == 0
    low, high = np.where(is_empty, np.nan, part[_LOW]), np.where(is_empty, np.nan, part[_HIGH])
    mean = np.nan_to_num(part[_TOTAL] / np.maximum(part[_COUNT], 1), nan=0.0)
    return Buckets(
        x=part[_X],
        first=part[_FIRST],
        last=part[_LAST],
        low=low,
        high=high,
        mean=np.clip(mean, low, high),  # a sum that overflowed, or rounding, must not leave the bucket's own range
        count=part[_COUNT].astype(np.int64),
        nonfinite=part[_NONFINITE].astype(np.int64),
    )


def _starts(bucket: Index | Floats) -> Index:
    """Where each stretch of equal entries begins."""
    return np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
