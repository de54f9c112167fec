"""Reading series: chunks and tail of one snapshot, in the order (step, arrival).

Chunks mostly follow one another, but where points came late they interleave. A series is read as a stream that merges
whatever interleaves and lets go of a point as soon as no later source can hold an earlier one. A window into a long
series decodes only the chunks that can touch it: from the bounds and counts of all chunks one knows, for each, a
position that its points cannot reach and one that they cannot precede.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
    parts = {key: _within(series, steps) for (_, key), series in found.items()}
    reader = ChunkReader(connection, [stats for part in parts.values() for stats in part.chunks])
    read = {key: tail.concatenate(list(_merged(reader, part, steps))) for key, part in parts.items()}
    return {key: read.get(key, EMPTY) for key in keys}


def iter_series(connection: Connection, run: RowId, key: KeyId, *, steps: Range | None = None) -> Iterator[Points]:
    """The same of one series as blocks, in memory that does not grow with its length."""
    for series in open_series(connection, [run], [key]).values():
        yield from iter_stored(connection, series, steps=steps)


def iter_stored(connection: Connection, series: StoredSeries, *, steps: Range | None = None) -> Iterator[Points]:
    """The same of a series that is open already."""
    part = _within(series, steps)
    return _merged(ChunkReader(connection, part.chunks), part, steps)


def read_window(
    connection: Connection, run: RowId, keys: Sequence[KeyId], *, offset: int, limit: int
) -> dict[KeyId, Window]:
    """A page of each series: `limit` points from the `offset`-th on. What lies outside is not decoded."""
    found = open_series(connection, [run], keys)
    touched = {key: _touching(series, offset, offset + limit) for (_, key), series in found.items()}
    reader = ChunkReader(connection, [stats for part, _ in touched.values() for stats in part.chunks])
    windows = {
        key: Window(len(found[run, key]), _cut_out(_merged(reader, part, None), offset - skipped, limit))
        for key, (part, skipped) in touched.items()
    }
    return {key: windows.get(key, Window(0, EMPTY)) for key in keys}


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
    within = [[stats for stats in each.chunks if grid.touches(*axis.bounds(stats))] for each in series]
    partials = [[downsample.from_statistics(stats, axis, grid) for stats in chunks] for chunks in within]
    reader = ChunkReader(
        connection,
        [
            stats
            for chunks, parts in zip(within, partials, strict=True)
            for stats, part in zip(chunks, parts, strict=True)
            if part is None
        ],
    )
    reduced: list[Buckets] = []
    for each, chunks, parts in zip(series, within, partials, strict=True):
        filled = [
            downsample.from_chunk(reader.take(stats), axis, grid) if part is None else part
            for stats, part in zip(chunks, parts, strict=True)
        ]
        of_tail = downsample.from_points(axis.of(each.tail), each.tail.step, each.tail.value, grid)
        reduced.append(downsample.finish(downsample.merge([*filled, of_tail])))
    return reduced


def _cut_out(blocks: Iterator[Points], offset: int, limit: int) -> Points:
    """`limit` points from the `offset`-th on."""
    parts: list[Points] = []
    position = 0
    for block in blocks:
        begin, end = max(offset - position, 0), offset + limit - position
        if begin < len(block):
            parts.append(tail.take(block, slice(begin, end)))
        position += len(block)
        if len(block) >= end:
            break
    return tail.concatenate(parts)


def _within(series: StoredSeries, steps: Range | None) -> StoredSeries:
    """The part of a series that has all its points within the range, and few others."""
    if steps is None:
        return replace(series, chunks=sorted(series.chunks, key=_start))
    chunks = [stats for stats in series.chunks if stats.lo <= steps[1] and stats.hi >= steps[0]]
    return replace(series, chunks=sorted(chunks, key=_start), tail=_trim(series.tail, steps))


def _touching(series: StoredSeries, offset: int, end: int) -> tuple[StoredSeries, int]:
    """The part of a series that has all its points at positions in [offset, end), and how many come before that part.

    A chunk is left out at the front when all of it surely lies before `offset`; so what remains is the end of the whole
    order, and a position in it is a position in the whole less those left out.
    """
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
    return replace(series, chunks=needed), skipped


Bound = tuple[float, tuple[int, int]]  # a step and an arrival


def _start(stats: ChunkStats) -> Bound:
    return (stats.lo, stats.place)


def _end(stats: ChunkStats) -> Bound:
    return (stats.hi, stats.place)


def _merged(reader: ChunkReader, part: StoredSeries, steps: Range | None) -> Iterator[Points]:
    """The points of the chunks, which are sorted by `_start`, and of the tail in order, as blocks; none is empty."""
    sources: list[tuple[Bound, ChunkStats | None]] = [(_start(stats), stats) for stats in part.chunks]
    if len(part.tail):
        bound = (float(part.tail.step[0]), _LAST_PLACE)
        sources.insert(bisect_left(sources, bound, key=lambda source: source[0]), (bound, None))
    held: list[tuple[tuple[int, int], Points]] = []
    for number, ((_, place), stats) in enumerate(sources):
        held.append((place, part.tail if stats is None else _trim(reader.take(stats).points(), steps)))
        held.sort(key=lambda source: source[0])
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


def _trim(points: Points, steps: Range | None) -> Points:
    if steps is None or not len(points):
        return points
    begin = int(np.searchsorted(points.step, steps[0], "left"))
    end = int(np.searchsorted(points.step, steps[1], "right"))
    return points if end - begin == len(points) else tail.take(points, slice(begin, end))
