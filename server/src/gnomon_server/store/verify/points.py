"""Whether the points of a run are what was written, and its summaries and ledger what the points say.

Everything is decoded: segments, chunks in the database, chunks that were moved. A chunk has a CRC-32 over all of it and
statistics in its row. A segment has neither, and lives for a minute or so: of it the form is checked, and the sums and
extremes that its series are to have.

One run is read in one snapshot, some chunks at a time, so a running server is not in the way and memory is bounded.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.errors import Unavailable
from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.model.points import Points
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points import chunks, segments, tail
from gnomon_server.store.points.codec import DamagedPoints
from gnomon_server.store.verify.summaries import SERIES, Row, Seen, agree
from gnomon_server.store.verify.verdicts import Finding

_SEGMENTS_AT_ONCE = 64
_CHUNKS_AT_ONCE = 64
_STATISTICS = tuple(name for name in chunks.ChunkStats._fields if name != "total")


class RunFound(NamedTuple):
    """What was looked at in one run, and what is wrong in it."""

    segments: int
    chunks: int
    series: int
    damaged: list[Finding]  # segments and chunks
    unsound: list[Finding]  # summaries
    unledgered: list[Finding]


def check_run(connection: Connection, run: RowId, place: str) -> RunFound:
    """Look at all points of a run, on a tenant's snapshot. `place` says which run it is."""
    return _RunCheck(connection, run, place).check()


class _RunCheck:
    def __init__(self, connection: Connection, run: RowId, place: str) -> None:
        self._connection = connection
        self._run = run
        self._place = place
        self._damaged: list[Finding] = []
        self._broken: set[KeyId] = set()  # series of which not all points can be read
        query = sa.select(*(t.series.c[name] for name in SERIES)).where(t.series.c.run == run)
        self._seen = {KeyId(row.key): Seen(Row(*row)) for row in connection.execute(query)}
        key = sa.select(t.key.c.id, t.key.c.name)
        self._names = dict(
            tuple(row)
            for row in connection.execute(
                key.where(t.key.c.id.in_(sa.select(t.series.c.key).where(t.series.c.run == run)))
            )
        )

    def check(self) -> RunFound:
        number, identified, is_tail_whole = self._segments()
        stored = chunks.list_chunks(self._connection, [self._run], None)
        for start in range(0, len(stored), _CHUNKS_AT_ONCE):
            for stats, points in self._decoded(stored[start : start + _CHUNKS_AT_ONCE]):
                self._chunk(stats, points)
        if is_tail_whole:
            self._tail(stored)
        unsound = [] if not is_tail_whole else self._summaries()
        is_whole = is_tail_whole and not self._broken
        ledger = self._ledger(identified, is_whole=is_whole)
        return RunFound(number, len(stored), len(self._seen), self._damaged, unsound, ledger)

    def _segments(self) -> tuple[int, int, bool]:
        """How many there are, how many points in them came with an identity, and whether all can be read."""
        segment = t.segment.c
        query = sa.select(segment.id, segment.n, segment.data).where(segment.run == self._run).order_by(segment.id)
        number = identified = after = 0
        is_whole = True
        while rows := self._connection.execute(query.where(segment.id > after).limit(_SEGMENTS_AT_ONCE)).all():
            for row in rows:
                try:
                    found = segments.decode(row.data)
                except DamagedPoints as error:
                    is_whole = False
                    self._damaged.append(Finding(f"segment {row.id} of {self._place}", str(error)))
                    continue
                if len(found.value) != row.n:
                    says = f"its row counts {row.n} points, it holds {len(found.value)}"
                    self._damaged.append(Finding(f"segment {row.id} of {self._place}", says))
                identified += len(found.value) if found.identified else 0
            number += len(rows)
            after = rows[-1].id
        return number, identified, is_whole

    def _decoded(self, wanted: Sequence[chunks.ChunkStats]) -> Iterator[tuple[chunks.ChunkStats, Points | None]]:
        """The points of some chunks; None, and a finding, where they cannot be read."""
        reader = chunks.ChunkReader(self._connection, wanted)
        for stats in wanted:
            try:
                yield stats, reader.take(stats).points()
            except (DamagedPoints, Unavailable):  # of a question for several: ask for this one alone
                yield stats, self._alone(stats)
                reader = chunks.ChunkReader(self._connection, wanted[wanted.index(stats) + 1 :])

    def _alone(self, stats: chunks.ChunkStats) -> Points | None:
        try:
            return chunks.ChunkReader(self._connection, [stats]).take(stats).points()
        except Unavailable as error:
            reason = error.detail
        except DamagedPoints as error:
            reason = str(error)
        self._damaged.append(Finding(self._chunk_place(stats), reason))
        return None

    def _chunk(self, stats: chunks.ChunkStats, points: Points | None) -> None:
        if points is None:
            self._broken.add(stats.key)
            return
        found = chunks.statistics_of(*stats.identity, points)
        wrong = [name for name in _STATISTICS if getattr(stats, name) != getattr(found, name)]
        if not agree(stats.total, found.total, points.value):
            wrong.append("total")
        if not (points.step[1:] >= points.step[:-1]).all():
            wrong.append("order of steps")
        if wrong:
            says = f"its row does not say what its points are: {', '.join(wrong)}"
            self._damaged.append(Finding(self._chunk_place(stats), says))
        self._take(stats.key, points)

    def _tail(self, stored: Sequence[chunks.ChunkStats]) -> None:
        """The points that are not sealed, without repeats."""
        by_series: dict[tail.Pair, list[chunks.ChunkStats]] = {}
        for stats in stored:
            if stats.key not in self._broken:
                by_series.setdefault((stats.run, stats.key), []).append(stats)
        rows = tail.read_segments(self._connection, [self._run]).get(self._run, [])
        tails = {
            (self._run, key): points
            for key, points in tail.split_by_key([data for _, data in rows], None)
            if key not in self._broken
        }
        for (_, key), points in tail.clean(self._connection, tails, by_series).items():
            self._take(key, points)

    def _take(self, key: KeyId, points: Points) -> None:
        self._seen.setdefault(key, Seen(None)).add(points)

    def _summaries(self) -> list[Finding]:
        found = []
        for key, seen in sorted(self._seen.items()):
            if key not in self._broken and (says := seen.judge()):
                found.append(Finding(f"metric {self._name(key)} of {self._place}", says))
        return found

    def _ledger(self, identified: int, *, is_whole: bool) -> list[Finding]:
        ledger = t.ledger.c
        query = sa.select(sa.func.coalesce(sa.func.sum(ledger.points), 0)).where(ledger.run == self._run)
        taken = int(self._connection.scalar(query) or 0)
        stored = sum(seen.n for seen in self._seen.values())
        if is_whole and taken > stored:
            return [Finding(f"the ledger of {self._place}", f"it counts {taken} points, {stored} are stored")]
        if identified > taken:
            says = f"it counts {taken} points, the segments hold {identified} that came with a writer's identity"
            return [Finding(f"the ledger of {self._place}", says)]
        return []

    def _chunk_place(self, stats: chunks.ChunkStats) -> str:
        return f"chunk {stats.gen}/{stats.part} of metric {self._name(stats.key)} of {self._place}"

    def _name(self, key: KeyId) -> str:
        return str(self._names.get(key, f"number {key}"))
