"""GNM1: series as one binary frame that a browser reads without parsing a value (docs/formats/gnm1.md).

Written by whole columns: the buckets of all series of a metric stand in one array each, and every decision about a
series (f32 or f64, which columns are trivial, whether its positions have gaps) is one reduction over its stretch of
them. No Python runs for a point or a bucket.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gnomon_server.core.metrics import ReducedRun
from gnomon_server.model.points import Floats, Ints

GNM1 = "application/vnd.gnomon.series"

_MAGIC = b"GNM1"
# Beyond 24 bits f32 skips whole numbers; below its normal range it loses digits one by one.
_MAX_F32 = float(2**24)
_MIN_F32 = float(np.finfo(np.float32).tiny)
# A spread smaller than this part of the largest size would show as steps: f32 keeps 2^-24 of a value.
_MIN_SPREAD = 2.0**-14

Flags = NDArray[np.bool_]
Index = NDArray[np.intp]
_encode = msgspec.json.Encoder().encode


class SeriesEntry(Struct, frozen=True, omit_defaults=True):
    """One series in the header; offsets count from the first column. What is None is left out."""

    run: str
    n: int
    nonfinite: int
    dtype: str
    len: int
    mean: int
    nonfinite_first: float | None = None
    first: int | None = None
    idx: int | None = None
    min: int | None = None
    max: int | None = None
    count: int | None = None


class GridEntry(Struct, frozen=True):
    off: int
    n: int


class MetricEntry(Struct, frozen=True):
    key: str
    grid: GridEntry
    series: list[SeriesEntry]


class FrameHeader(Struct, frozen=True):
    v: int
    x: str
    range: tuple[float, float] | None
    buckets: int
    metrics: list[MetricEntry]


def encode_frame(
    found: Sequence[ReducedRun], *, keys: Sequence[str], x: str, x_range: tuple[float, float] | None, buckets: int
) -> bytes:
    """The frame of what `Metrics.series` found for these keys."""
    by_key: dict[str, list[ReducedRun]] = {key: [] for key in keys}
    for one in found:
        if len(one.buckets.x):
            by_key[one.key].append(one)
    body = _Body()
    metrics = [_write_metric(body, key, series) for key, series in by_key.items()]
    header = _encode(FrameHeader(v=1, x=x, range=x_range, buckets=buckets, metrics=metrics))
    padding = bytes(-(8 + len(header)) % 8)
    return b"".join((_MAGIC, len(header).to_bytes(4, "little"), header, padding, *body.parts))


class _Body:
    """The columns behind the header, each at a multiple of 8."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._size = 0

    def add(self, column: NDArray[np.generic]) -> int:
        """Append a column; its offset."""
        offset = self._size
        data = column.tobytes()
        self.parts.append(data)
        if rest := -len(data) % 8:
            self.parts.append(bytes(rest))
        self._size += len(data) + (-len(data) % 8)
        return offset


def _write_metric(body: _Body, key: str, series: Sequence[ReducedRun]) -> MetricEntry:
    if not series:
        return MetricEntry(key=key, grid=GridEntry(off=body.add(np.empty(0)), n=0), series=[])
    columns = _Columns(series)
    grid = GridEntry(off=body.add(columns.grid.astype("<f8", copy=False)), n=len(columns.grid))
    return MetricEntry(key=key, grid=grid, series=[columns.write(body, at, one.run) for at, one in enumerate(series)])


class _Columns:
    """The buckets of all series of one metric, end to end, and what holds of each series; none is empty."""

    def __init__(self, series: Sequence[ReducedRun]) -> None:
        of = [one.buckets for one in series]
        lengths = np.array([len(buckets.x) for buckets in of])
        self._ends = np.cumsum(lengths)
        self._starts = self._ends - lengths
        x = np.concatenate([buckets.x for buckets in of])
        self.grid = _union([buckets.x for buckets in of])
        self._place = np.searchsorted(self.grid, x).astype("<u4")
        self._x = x
        self._low = np.concatenate([buckets.low for buckets in of])
        self._high = np.concatenate([buckets.high for buckets in of])
        self._mean = np.concatenate([buckets.mean for buckets in of])
        self._count = np.concatenate([buckets.count for buckets in of])
        self._nonfinite = np.concatenate([buckets.nonfinite for buckets in of])
        place = self._place.astype(np.int64)
        self._has_gaps = (place[self._ends - 1] - place[self._starts] != lengths - 1).tolist()
        self._points = np.add.reduceat(self._count + self._nonfinite, self._starts).tolist()
        self._bad = np.add.reduceat(self._nonfinite, self._starts).tolist()
        self._is_single = self._all(self._count == 1)
        is_flat = (self._low == self._mean) & (self._high == self._mean)
        self._is_flat = self._all(is_flat | (self._count == 0))
        self._is_wide = _is_wide(self._low, self._high, self._mean, self._starts).tolist()

    def write(self, body: _Body, at: int, run: str) -> SeriesEntry:
        start, end = int(self._starts[at]), int(self._ends[at])
        part = slice(start, end)
        dtype = "<f8" if self._is_wide[at] else "<f4"
        is_flat, has_gaps, bad = self._is_flat[at], self._has_gaps[at], self._bad[at]
        return SeriesEntry(
            run=run,
            n=self._points[at],
            nonfinite=bad,
            dtype="f64" if self._is_wide[at] else "f32",
            len=end - start,
            mean=body.add(self._mean[part].astype(dtype)),
            nonfinite_first=float(self._x[start + int(np.argmax(self._nonfinite[part] > 0))]) if bad else None,
            first=None if has_gaps else int(self._place[start]),
            idx=body.add(self._place[part]) if has_gaps else None,
            min=None if is_flat else body.add(self._low[part].astype(dtype)),
            max=None if is_flat else body.add(self._high[part].astype(dtype)),
            count=None if self._is_single[at] else body.add(_as_u32(self._count[part])),
        )

    def _all(self, flags: Flags) -> list[bool]:
        """Whether the flag holds in every bucket, for each series."""
        held: list[bool] = np.logical_and.reduceat(flags, self._starts).tolist()
        return held


def _union(columns: Sequence[Floats]) -> Floats:
    """The ascending union of ascending columns. Runs that log at the same steps are the common case."""
    longest = max(columns, key=len)
    if all(np.array_equal(column, longest[: len(column)]) for column in columns):
        return longest
    return np.unique(np.concatenate(columns))


def _is_wide(low: Floats, high: Floats, mean: Floats, starts: Index) -> Flags:
    """Whether f32 would show, for each series. NaN, where a bucket has no finite value, counts for nothing."""
    least = np.fmin.reduceat(low, starts)
    greatest = np.fmax.reduceat(high, starts)
    size = np.maximum(np.abs(least), np.abs(greatest))
    with np.errstate(over="ignore"):
        spread = greatest - least
    is_tiny = np.zeros(len(low), np.bool_)
    for column in (low, high, mean):
        is_tiny |= (column != 0) & (np.abs(column) < _MIN_F32)
    is_close = (spread > 0) & (spread < _MIN_SPREAD * size)
    return (size > _MAX_F32) | is_close | np.logical_or.reduceat(is_tiny, starts)


def _as_u32(count: Ints) -> NDArray[np.uint32]:
    """Counts as the frame holds them; a bucket of more than 2^32 - 1 points says that many."""
    return np.minimum(count, 0xFFFF_FFFF).astype("<u4")
