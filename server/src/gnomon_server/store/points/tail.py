"""The tail of runs: points that are in segments still, without the repeats that the contract drops.

Reading and sealing both take the tail from here, so they cannot disagree about what a repeat is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.model.points import Points
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points import segments
from gnomon_server.store.points.chunks import ChunkReader, ChunkStats

Pair = tuple[RowId, KeyId]
Mask = NDArray[np.bool_]

_IN_LIST = 900


@dataclass(frozen=True, slots=True)
class TailPoints:
    """The points of one series that are not sealed, in the order they came."""

    points: Points
    identified: Mask


def read_segments(
    connection: Connection, runs: Sequence[RowId], *, until: int | None = None
) -> dict[RowId, list[tuple[int, bytes]]]:
    """(id, data) of the segments of each run, in the order of arrival, up to the id `until`."""
    segment = t.segment.c
    found: dict[RowId, list[tuple[int, bytes]]] = {}
    query = sa.select(segment.run, segment.id, segment.data).order_by(segment.run, segment.id)
    if until is not None:
        query = query.where(segment.id <= until)
    for start in range(0, len(runs), _IN_LIST):
        for run, number, data in connection.execute(query.where(segment.run.in_(runs[start : start + _IN_LIST]))):
            found.setdefault(run, []).append((number, data))
    return found


def split_by_key(data: Sequence[bytes], keys: Sequence[KeyId] | None) -> Iterator[tuple[KeyId, TailPoints]]:
    """The points of the segments of one run, series by series, in the order of their keys."""
    if (columns := _split_grids(data, keys)) is not None:
        yield from columns
        return
    parts = [segments.decode(each) for each in data]
    if not parts:
        return
    key = np.concatenate([part.key for part in parts])
    step = np.concatenate([part.step for part in parts])
    time_ms = np.concatenate([part.time_ms for part in parts])
    value = np.concatenate([part.value for part in parts])
    identified = np.repeat([part.identified for part in parts], [len(part.key) for part in parts])
    wanted = np.arange(len(key)) if keys is None else np.flatnonzero(np.isin(key, keys))
    if not len(wanted):
        return
    order = wanted[np.argsort(key[wanted], kind="stable")]
    ordered = key[order]
    for at in np.split(order, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1):
        points = Points(step[at], time_ms[at], value[at])
        yield KeyId(int(key[at[0]])), TailPoints(points, identified[at])


def _split_grids(data: Sequence[bytes], keys: Sequence[KeyId] | None) -> list[tuple[KeyId, TailPoints]] | None:
    """The same of grids of the same metrics, whose columns are the series; None when the segments are no such grids."""
    parts: list[segments.GridSegment] = []
    for each in data:
        part = segments.decode_grid(each)
        if part is None or (parts and part.grid.key.tobytes() != parts[0].grid.key.tobytes()):
            return None
        parts.append(part)
    names = parts[0].grid.key.tolist() if parts else []
    if not names or len(set(names)) < len(names):
        return None
    step = np.concatenate([part.grid.step for part in parts])
    time_ms = np.concatenate([part.grid.time_ms for part in parts])
    value = np.concatenate([part.grid.value.T for part in parts], axis=1)
    identified = np.repeat([part.identified for part in parts], [len(part.grid.step) for part in parts])
    wanted = set(names) if keys is None else set(names).intersection(keys)
    return [
        (KeyId(name), TailPoints(Points(step, time_ms, value[at]), identified))
        for name, at in sorted(zip(names, range(len(names)), strict=True))
        if name in wanted
    ]


def late_series(connection: Connection, runs: Sequence[RowId]) -> set[Pair]:
    """The series of the runs that may hold repeats."""
    series = t.series.c
    found: set[Pair] = set()
    for start in range(0, len(runs), _IN_LIST):
        part = runs[start : start + _IN_LIST]
        query = sa.select(series.run, series.key).where(series.run.in_(part), series.late != 0)
        found.update((run, key) for run, key in connection.execute(query))
    return found


def kept(connection: Connection, tail: TailPoints, chunks: Sequence[ChunkStats]) -> Mask:
    """Which points of a late series are kept: all but those without identity that repeat an earlier one.

    Only chunks that could hold an equal point are decoded. `chunks` are all of the series.
    """
    points, is_open = tail.points, ~tail.identified
    if not is_open.any():
        return np.ones(len(points), np.bool_)
    held = _points_near(connection, points.step[is_open], points.time_ms[is_open], chunks)
    step = np.concatenate([held.step, points.step]) + 0.0  # -0.0 and 0.0 are one step
    time_ms = np.concatenate([held.time_ms, points.time_ms])
    bits = np.concatenate([held.value, points.value]).view(np.int64)
    order = np.lexsort((bits, time_ms, step))  # stable: equal points stay in the order of arrival
    step, time_ms, bits = step[order], time_ms[order], bits[order]
    repeats = np.zeros(len(order), np.bool_)
    repeats[order[1:]] = (step[1:] == step[:-1]) & (time_ms[1:] == time_ms[:-1]) & (bits[1:] == bits[:-1])
    return tail.identified | ~repeats[len(held) :]


def _points_near(
    connection: Connection, step: NDArray[np.float64], time_ms: NDArray[np.int64], chunks: Sequence[ChunkStats]
) -> Points:
    """The sealed points among which an equal to one of these could be."""
    by_step = np.sort(step)
    least_ms, greatest_ms = int(time_ms.min()), int(time_ms.max())
    near = [
        stats
        for stats in chunks
        if stats.lo_ms <= greatest_ms
        and stats.hi_ms >= least_ms
        and np.searchsorted(by_step, stats.lo, "left") < np.searchsorted(by_step, stats.hi, "right")
    ]
    reader = ChunkReader(connection, near)
    return concatenate([reader.take(stats).points() for stats in near])


def concatenate(parts: Sequence[Points]) -> Points:
    """One after the other."""
    if len(parts) == 1:
        return parts[0]
    return Points(
        np.concatenate([part.step for part in parts]) if parts else np.empty(0),
        np.concatenate([part.time_ms for part in parts]) if parts else np.empty(0, np.int64),
        np.concatenate([part.value for part in parts]) if parts else np.empty(0),
    )


def in_order(points: Points) -> Points:
    """The points by (step, arrival), given in the order of arrival."""
    step = points.step
    if (step[1:] >= step[:-1]).all():
        return points
    return take(points, np.argsort(step, kind="stable"))


def take(points: Points, at: NDArray[np.intp] | Mask | slice) -> Points:
    return Points(points.step[at], points.time_ms[at], points.value[at])


def clean(
    connection: Connection, tails: Mapping[Pair, TailPoints], chunks: Mapping[Pair, Sequence[ChunkStats]]
) -> dict[Pair, Points]:
    """The tails in order and without repeats."""
    suspects = sorted({run for (run, _), tail in tails.items() if not tail.identified.all()})
    late = late_series(connection, suspects) if suspects else set()
    return {
        pair: in_order(take(tail.points, kept(connection, tail, chunks.get(pair, ()))) if pair in late else tail.points)
        for pair, tail in tails.items()
    }
