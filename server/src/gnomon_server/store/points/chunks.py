"""Rows of `chunk_`: their statistics without their bytes, their bytes when they are needed, and writing them."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.points import Points
from gnomon_server.store.meta import object_tables as o
from gnomon_server.store.meta import tables as t
from gnomon_server.store.moved_chunks import Piece, moved_chunks_of
from gnomon_server.store.points import codec
from gnomon_server.store.points.compiled import HotInsert
from gnomon_server.store.points.folding import finite_sum

# At most so many points a chunk: large enough to pack well, small enough to decode in a quarter of a millisecond.
MAX_POINTS = 32_768

_IN_LIST = 900
# What one question for bytes asks for: about a megabyte.
_FETCHED_POINTS = 8 * MAX_POINTS
_FETCHED_CHUNKS = 200

Place = tuple[int, int]  # gen, part: where a chunk stands in the arrival of its series
Identity = tuple[RowId, KeyId, int, int]


class ChunkStats(NamedTuple):
    """What is known of a chunk without its bytes: a row of `chunk_` but for codec and data."""

    run: RowId
    key: KeyId
    gen: int
    part: int
    n: int
    nonfinite: int
    lo: float
    hi: float
    lo_ms: int
    hi_ms: int
    first: float | None
    last: float | None
    low: float | None
    high: float | None
    total: float

    @property
    def place(self) -> Place:
        return (self.gen, self.part)

    @property
    def identity(self) -> Identity:
        return (self.run, self.key, self.gen, self.part)


class NewChunk(NamedTuple):
    """A chunk to be written."""

    stats: ChunkStats
    codec: int
    data: bytes


def list_chunks(connection: Connection, runs: Sequence[RowId], keys: Sequence[KeyId] | None) -> list[ChunkStats]:
    """The chunks of the runs, of some keys or of all, each series in the order of arrival."""
    chunk = t.chunk.c
    columns = [chunk[name] for name in ChunkStats._fields]
    query = sa.select(*columns).order_by(chunk.run, chunk.key, chunk.gen, chunk.part)
    if keys is not None and len(keys) <= _IN_LIST:
        query = query.where(chunk.key.in_(keys))
    found: list[ChunkStats] = []
    for start in range(0, len(runs), _IN_LIST):
        part = query.where(chunk.run.in_(runs[start : start + _IN_LIST]))
        found.extend(map(ChunkStats._make, connection.execute(part)))
    if keys is not None and len(keys) > _IN_LIST:
        wanted = set(keys)
        found = [stats for stats in found if stats.key in wanted]
    return found


class ChunkReader:
    """Hands out the bytes of chunks that will be wanted in a known order, asking for some at a time.

    So a long series is read in bounded memory, and many short ones by few questions.
    """

    def __init__(self, connection: Connection, wanted: Iterable[ChunkStats]) -> None:
        self._connection = connection
        self._wanted = deque(wanted)
        self._held: dict[Identity, codec.EncodedChunk] = {}

    def take(self, stats: ChunkStats) -> codec.EncodedChunk:
        """The next chunk of the order, which may skip some; the same one is not handed out twice."""
        while stats.identity not in self._held and self._wanted:
            self._fetch()
        if stats.identity not in self._held:
            raise codec.DamagedPoints(f"chunk {stats.place} of run {stats.run}, key {stats.key} is not in the snapshot")
        return self._held.pop(stats.identity)

    def _fetch(self) -> None:
        batch: list[Identity] = []
        points = 0
        while self._wanted and points < _FETCHED_POINTS and len(batch) < _FETCHED_CHUNKS:
            stats = self._wanted.popleft()
            batch.append(stats.identity)
            points += stats.n
        chunk = t.chunk.c
        identity = (chunk.run, chunk.key, chunk.gen, chunk.part)
        query = sa.select(*identity, chunk.codec, chunk.n, chunk.data).where(sa.tuple_(*identity).in_(batch))
        moved: dict[Identity, tuple[int, int]] = {}
        for run, key, gen, part, code, n, data in self._connection.execute(query):
            if data:
                self._held[run, key, gen, part] = codec.EncodedChunk(code, n, data)
            else:
                moved[run, key, gen, part] = (code, n)
        if moved:
            self._fetch_moved(moved)

    def _fetch_moved(self, moved: dict[Identity, tuple[int, int]]) -> None:
        """The bytes of chunks that stand in an object store."""
        where = o.chunk_object.c
        identity = (where.run, where.key, where.gen, where.part)
        query = sa.select(*identity, where.object, where.at, where.length)
        rows = self._connection.execute(query.where(sa.tuple_(*identity).in_(list(moved)))).all()
        pieces = [Piece(row.object, row.at, row.length) for row in rows]
        for row, data in zip(rows, moved_chunks_of(self._connection).fetch(pieces), strict=True):
            of: Identity = (RowId(row.run), KeyId(row.key), row.gen, row.part)
            self._held[of] = codec.EncodedChunk(*moved[of], data)


def build(run: RowId, key: KeyId, gen: int, points: Points, encoder: codec.Encoder) -> Iterator[NewChunk]:
    """Chunks of points that are in order: as few as `MAX_POINTS` allows, all about the same size."""
    pieces = -(-len(points) // MAX_POINTS)
    for part in range(pieces):
        start, end = len(points) * part // pieces, len(points) * (part + 1) // pieces
        piece = Points(points.step[start:end], points.time_ms[start:end], points.value[start:end])
        yield NewChunk(statistics_of(run, key, gen, part, piece), *encoder.encode(piece))


def statistics_of(run: RowId, key: KeyId, gen: int, part: int, points: Points) -> ChunkStats:
    """What is to be known of a chunk of these points, of which there is at least one."""
    value = points.value
    finite = value[np.isfinite(value)]
    return ChunkStats(
        run=run,
        key=key,
        gen=gen,
        part=part,
        n=len(value),
        nonfinite=len(value) - len(finite),
        lo=float(points.step[0]),
        hi=float(points.step[-1]),
        lo_ms=int(points.time_ms.min()),
        hi_ms=int(points.time_ms.max()),
        first=_nullable(value[0]),
        last=_nullable(value[-1]),
        low=float(finite.min()) if len(finite) else None,
        high=float(finite.max()) if len(finite) else None,
        total=finite_sum(finite),
    )


def _nullable(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def insert(connection: Connection, tenant: TenantId, chunks: Sequence[NewChunk]) -> None:
    """Write new chunks."""
    _INSERT.run(connection, [(tenant, *chunk.stats, chunk.codec, chunk.data) for chunk in chunks])


def delete(connection: Connection, tenant: TenantId, chunks: Sequence[ChunkStats]) -> int:
    """Remove chunks that others replace; how many there were."""
    if not chunks:
        return 0
    rows = [{"old_run": c.run, "old_key": c.key, "old_gen": c.gen, "old_part": c.part} for c in chunks]
    connection.execute(_deleting(o.chunk_object_base, tenant), rows)
    return connection.execute(_deleting(t.chunk_base, tenant), rows).rowcount


def _deleting(base: sa.Table, tenant: TenantId) -> sa.Delete:
    of = (base.c[name] == sa.bindparam(f"old_{name}") for name in ("run", "key", "gen", "part"))
    return sa.delete(base).where(base.c.tenant == tenant, *of)


_COLUMNS = ("tenant", *ChunkStats._fields, "codec", "data")
_INSERT = HotInsert(
    _COLUMNS, lambda _connection: sa.insert(t.chunk_base).values({name: sa.bindparam(name) for name in _COLUMNS})
)
