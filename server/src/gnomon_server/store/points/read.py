"""Reading series: chunks and tail of one snapshot, in the order (step, arrival).

Chunks mostly follow one another, but where points came late they interleave. A series is read as a stream that merges
whatever interleaves and lets go of a point as soon as no later source can hold an earlier one. A window into a long
series decodes only the chunks that can touch it: from the bounds and counts of all chunks one knows, for each, a
position that its points cannot reach and one that they cannot precede.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.model.points import EMPTY, Buckets, Points
from gnomon_server.store.points import downsample, tail
from gnomon_server.store.points.chunks import ChunkReader, ChunkStats, list_chunks
from gnomon_server.store.points.tail import Pair

Range = tuple[float, float]

# Points of the tail arrive after every chunk.
_LAST_PLACE = (1 << 63, 0)


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """One series in a snapshot: what its chunks say of themselves and its tail, in order; nothing decoded."""

    run: RowId
    key: KeyId
    chunks: Sequence[ChunkStats]  # in the order of arrival
    tail: Points

    def __len__(self) -> int:
        return sum(stats.n for stats in self.chunks) + len(self.tail)


class Window(NamedTuple):
    """A page of a series: `total` counts all its points."""

    total: int
    points: Points


def open_series(
    connection: Connection, runs: Sequence[RowId], keys: Sequence[KeyId] | None = None
) -> dict[Pair, StoredSeries]:
    """The series of the runs with these keys (None: all keys) that have points, sorted by (run, key)."""
    chunks: dict[Pair, list[ChunkStats]] = {}
    for stats in list_chunks(connection, runs, keys):
        chunks.setdefault((stats.run, stats.key), []).append(stats)
    tails = {
        (run, key): points
        for run, rows in tail.read_segments(connection, runs).items()
        for key, points in tail.split_by_key([data for _, data in rows], keys)
    }
    cleaned = tail.clean(connection, tails, chunks)
    return {
        (run, key): StoredSeries(run, key, chunks.get((run, key), ()), cleaned.get((run, key), EMPTY))
        for run, key in sorted(chunks.keys() | cleaned.keys())
    }


def read_series(
    connection: Connection, run: RowId, keys: Sequence[KeyId], *, steps: Range | None = None
) -> dict[KeyId, Points]:
    """All points of some series of a run, or those within `steps` (both ends included); unknown keys are empty."""
    found = open_series(connection, [run], keys)
    return {
        key: tail.concatenate(list(_blocks(connection, found[run, key], steps))) if (run, key) in found else EMPTY
        for key in keys
    }


def iter_series(connection: Connection, run: RowId, key: KeyId, *, steps: Range | None = None) -> Iterator[Points]:
    """The same of one series as blocks, in memory that does not grow with its length."""
    found = open_series(connection, [run], [key]).get((run, key))
    if found is not None:
        yield from _blocks(connection, found, steps)


def iter_stored(connection: Connection, series: StoredSeries, *, steps: Range | None = None) -> Iterator[Points]:
    """The same of a series that is open already."""
    return _blocks(connection, series, steps)


def read_window(
    connection: Connection, run: RowId, keys: Sequence[KeyId], *, offset: int, limit: int
) -> dict[KeyId, Window]:
    """A page of each series: `limit` points from the `offset`-th on. What lies outside is not decoded."""
    found = open_series(connection, [run], keys)
    return {
        key: _window(connection, found[run, key], offset, limit) if (run, key) in found else Window(0, EMPTY)
        for key in keys
    }


def extent(series: Iterable[StoredSeries], axis: downsample.Axis) -> Range | None:
    """The least and the greatest x over the series, without decoding; None when there is no point."""
    bounds: list[float] = []
    for each in series:
        for stats in each.chunks:
            bounds += axis.bounds(stats)
        if len(each.tail):
            x = axis.of(each.tail)
            bounds += (float(x.min()), float(x.max()))
    return (min(bounds), max(bounds)) if bounds else None


def reduce_series(
    connection: Connection, series: Sequence[StoredSeries], axis: downsample.Axis, *, lo: float, hi: float, buckets: int
) -> list[Buckets]:
    """Each series reduced to at most `buckets` over [lo, hi] of the axis; all of them share the bounds of buckets."""
    grid = downsample.Grid(lo, hi, buckets)
    return [_reduce(connection, each, axis, grid) for each in series]


def _reduce(connection: Connection, series: StoredSeries, axis: downsample.Axis, grid: downsample.Grid) -> Buckets:
    parts: list[downsample.Partial] = []
    within = [stats for stats in series.chunks if grid.touches(*axis.bounds(stats))]
    by_statistics = [downsample.from_statistics(stats, axis, grid) for stats in within]
    reader = ChunkReader(connection, [stats for stats, part in zip(within, by_statistics, strict=True) if part is None])
    for stats, part in zip(within, by_statistics, strict=True):
        parts.append(part if part is not None else downsample.from_chunk(reader.take(stats), axis, grid))
    parts.append(downsample.from_points(axis.of(series.tail), series.tail.step, series.tail.value, grid))
    return downsample.finish(downsample.merge(parts))


def _window(connection: Connection, series: StoredSeries, offset: int, limit: int) -> Window:
    total = len(series)
    end = min(offset + limit, total)
    if offset >= end:
        return Window(total, EMPTY)
    needed, skipped = _touching(series, offset, end)
    parts: list[Points] = []
    # All that is skipped at the front lies before `offset`, so what remains keeps its place relative to the window.
    position = skipped
    for block in _merged(connection, needed, series.tail, None):
        begin, finish = max(offset - position, 0), end - position
        if begin < len(block):
            parts.append(tail.take(block, slice(begin, finish)))
        position += len(block)
        if position >= end:
            break
    return Window(total, tail.concatenate(parts))


def _touching(series: StoredSeries, offset: int, end: int) -> tuple[list[ChunkStats], int]:
    """The chunks that may hold a point at a position in [offset, end), and how many points lie in those before."""
    chunks = sorted(series.chunks, key=_start)
    starts, counts = [_start(stats) for stats in chunks], [0, *accumulate(stats.n for stats in chunks)]
    by_end = sorted(chunks, key=_end)
    ends, counts_by_end = [_end(stats) for stats in by_end], [0, *accumulate(stats.n for stats in by_end)]
    tail_before_start = np.searchsorted(series.tail.step, [stats.lo for stats in chunks], "left").tolist()
    tail_before_end = np.searchsorted(series.tail.step, [stats.hi for stats in chunks], "left").tolist()
    needed: list[ChunkStats] = []
    skipped = 0
    for number, stats in enumerate(chunks):
        surely_before = counts_by_end[bisect_left(ends, _start(stats))] + tail_before_start[number]
        perhaps_before = counts[bisect_right(starts, _end(stats))] + tail_before_end[number]
        if perhaps_before <= offset:
            skipped += stats.n
        elif surely_before < end:
            needed.append(stats)
    return needed, skipped


Bound = tuple[float, tuple[int, int]]  # a step and an arrival


def _start(stats: ChunkStats) -> Bound:
    return (stats.lo, stats.place)


def _end(stats: ChunkStats) -> Bound:
    return (stats.hi, stats.place)


def _blocks(connection: Connection, series: StoredSeries, steps: Range | None) -> Iterator[Points]:
    if steps is None:
        return _merged(connection, series.chunks, series.tail, None)
    within = [stats for stats in series.chunks if stats.lo <= steps[1] and stats.hi >= steps[0]]
    return _merged(connection, within, _trim(series.tail, steps), steps)


def _merged(
    connection: Connection, chunks: Iterable[ChunkStats], tail_points: Points, steps: Range | None
) -> Iterator[Points]:
    """The points of the chunks and of the tail in order, as blocks; no block is empty."""
    ordered = sorted(chunks, key=_start)
    reader = ChunkReader(connection, ordered)
    sources: list[tuple[Bound, ChunkStats | None]] = [(_start(stats), stats) for stats in ordered]
    if len(tail_points):
        bound = (float(tail_points.step[0]), _LAST_PLACE)
        sources.insert(bisect_left(sources, bound, key=lambda source: source[0]), (bound, None))
    held: list[tuple[tuple[int, int], Points]] = []
    for number, ((_, place), stats) in enumerate(sources):
        held.append((place, tail_points if stats is None else _trim(_decode(reader, stats), steps)))
        held.sort(key=lambda part: part[0])
        following = sources[number + 1][0] if number + 1 < len(sources) else None
        ready, held = _cut(held, following)
        block = tail.in_order(tail.concatenate(ready))
        if len(block):
            yield block


def _cut(
    held: list[tuple[tuple[int, int], Points]], following: Bound | None
) -> tuple[list[Points], list[tuple[tuple[int, int], Points]]]:
    """What lies before every point of the sources to come, the least of which starts at `following`; and the rest."""
    if following is None:
        return [points for _, points in held], []
    step, place = following
    ready: list[Points] = []
    rest: list[tuple[tuple[int, int], Points]] = []
    for part_place, points in held:
        at = int(np.searchsorted(points.step, step, "right" if part_place < place else "left"))
        if at:
            ready.append(tail.take(points, slice(0, at)))
        if at < len(points):
            rest.append((part_place, tail.take(points, slice(at, None))))
    return ready, rest


def _decode(reader: ChunkReader, stats: ChunkStats) -> Points:
    chunk = reader.take(stats)
    return Points(chunk.step(), chunk.time_ms(), chunk.value())


def _trim(points: Points, steps: Range | None) -> Points:
    if steps is None or not len(points):
        return points
    begin = int(np.searchsorted(points.step, steps[0], "left"))
    end = int(np.searchsorted(points.step, steps[1], "right"))
    return points if end - begin == len(points) else tail.take(points, slice(begin, end))
