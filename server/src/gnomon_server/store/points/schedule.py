"""Which tails are due for sealing.

A tail is due when it is long, or of many segments, or has stood still for a while. A tail that is short for the number
of its series is left as it is: a chunk of a few points takes more room than they take in their segment, and a hundred
thousand runs that logged each metric once would become millions of chunks. Only if it may hold repeats it is sealed
all the same, because that puts the summaries right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.store.meta import tables as t

# A chunk costs about 200 bytes besides its points, a point in a segment 28, in a chunk 2 to 8: nine points break even.
_POINTS_PER_SERIES = 16
# However many series a run has, a tail of so many times the usual length is sealed.
_PATIENCE = 8
_CHECKED_AT_ONCE = 500

TenantRun = tuple[TenantId, RowId]


class DueRun(NamedTuple):
    """A run whose tail should be sealed."""

    tenant: TenantId
    run: RowId
    points: int
    segments: int


@dataclass(slots=True)
class _Tail:
    points: int
    segments: int
    since_ms: int  # when the last segment was seen


class SealSchedule:
    """Follows the segments as they come and says which runs are due.

    It reads only segments that are new to it and looks closer at runs that seem due, so the cost does not grow with the
    number of runs that rest. Segments carry no time; "standing still" is what this object has seen. What it remembers
    is a hint: a run is checked against the tables before it is called due, and a new object (after a restart) begins
    with all segments there are.
    """

    def __init__(self, *, points: int = 40_000, segments: int = 512, idle_ms: int = 60_000) -> None:
        self._points = points
        self._segments = segments
        self._idle_ms = idle_ms
        self._tails: dict[TenantRun, _Tail] = {}
        self._read_until = 0

    def due(self, system_connection: Connection, now_ms: int) -> list[DueRun]:
        """The runs to seal now, the longest tails first. The connection sees all tenants."""
        self._follow(system_connection, now_ms)
        candidates = [
            pair
            for pair, tail in self._tails.items()
            if tail.points >= self._points or tail.segments >= self._segments or self._is_idle(tail, now_ms)
        ][:_CHECKED_AT_ONCE]
        return sorted(self._check(system_connection, candidates, now_ms), key=lambda each: -each.points)

    def _is_idle(self, tail: _Tail, now_ms: int) -> bool:
        return now_ms - tail.since_ms >= self._idle_ms

    def _follow(self, connection: Connection, now_ms: int) -> None:
        segment = t.segment_base.c
        # Added up here: asked for groups, SQLite walks the index by run, over every segment there is.
        query = (
            sa.select(segment.id, segment.tenant, segment.run, segment.n)
            .where(segment.id > self._read_until)
            .order_by(segment.id)
        )
        for number, tenant, run, points in connection.execute(query):
            tail = self._tails.setdefault((tenant, run), _Tail(0, 0, now_ms))
            tail.points += points
            tail.segments += 1
            tail.since_ms = now_ms
            self._read_until = number

    def _check(self, connection: Connection, candidates: Sequence[TenantRun], now_ms: int) -> list[DueRun]:
        """Those of the candidates that are due by what the tables hold; the others are seen anew or forgotten."""
        tails = _measure(connection, candidates)
        series = _count_series(connection, list(tails))
        due: list[DueRun] = []
        for pair in candidates:
            tail = self._tails[pair]
            if pair not in tails:  # sealed or purged meanwhile
                del self._tails[pair]
                continue
            tail.points, tail.segments = tails[pair]
            if self._is_due(tail, *series.get(pair, (0, False)), now_ms=now_ms):
                due.append(DueRun(*pair, tail.points, tail.segments))
            elif self._is_idle(tail, now_ms):  # not worth it; it comes back with its next segment
                del self._tails[pair]
        return due

    def _is_due(self, tail: _Tail, series: int, has_late: bool, *, now_ms: int) -> bool:
        if tail.segments >= self._segments or tail.points >= _PATIENCE * self._points:
            return True
        is_worth_it = tail.points >= _POINTS_PER_SERIES * series
        if tail.points >= self._points and is_worth_it:
            return True
        return (is_worth_it or has_late) and self._is_idle(tail, now_ms)


def _measure(connection: Connection, pairs: Sequence[TenantRun]) -> dict[TenantRun, tuple[int, int]]:
    """Points and segments of the tails; a run without a tail is not in it."""
    segment = t.segment_base
    return _by_run(connection, segment, sa.func.sum(segment.c.n), sa.func.count(), pairs)


def _count_series(connection: Connection, pairs: Sequence[TenantRun]) -> dict[TenantRun, tuple[int, bool]]:
    """How many series the runs have, and whether one may hold repeats."""
    series = t.series_base
    found = _by_run(connection, series, sa.func.count(), sa.func.max(series.c.late), pairs)
    return {pair: (count, late != 0) for pair, (count, late) in found.items()}


def _by_run(
    connection: Connection,
    base: sa.Table,
    first: sa.ColumnElement[int],
    second: sa.ColumnElement[int],
    pairs: Sequence[TenantRun],
) -> dict[TenantRun, tuple[int, int]]:
    """Two sums over the rows of each run. A tenant at a time, so that the primary key answers it."""
    found: dict[TenantRun, tuple[int, int]] = {}
    for tenant, of_tenant in groupby(sorted(pairs), key=lambda pair: pair[0]):
        query = (
            sa.select(base.c.run, first, second)
            .where(base.c.tenant == tenant, base.c.run.in_([run for _, run in of_tenant]))
            .group_by(base.c.tenant, base.c.run)
        )
        for run, one, other in connection.execute(query):
            found[tenant, run] = (int(one), int(other))
    return found
