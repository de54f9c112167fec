"""Sealing: the tail of a run becomes chunks, off the path of commits.

`prepare` does the long part on a reader's snapshot: it decodes, orders, drops repeats, merges small chunks at the end
of a series with what is new, and packs. `commit` does the short part on the writer: it changes nothing unless every
segment of the plan is still there. A run that was purged meanwhile, or sealed by another, has lost them; so a plan is
carried out at most once, and everything else it says then still holds, because chunks change only with segments.

Sizes: a chunk at the end is taken in again while it is under half full, at most twice what it is merged with, and the
whole stays under `chunks.MAX_POINTS`. So a point is packed again a logarithmic number of times, small chunks are few,
and settled ones hold 16 to 32 thousand points.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.points import Points
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points import chunks, codec, tail
from gnomon_server.store.points.chunks import ChunkStats, NewChunk
from gnomon_server.store.points.recount import recount

_FULL = chunks.MAX_POINTS // 2
# A plan takes at most about so many points, so that one that fell behind is caught up with in bounded memory.
_MOST_POINTS = 8 * chunks.MAX_POINTS


@dataclass(frozen=True, slots=True)
class SealPlan:
    """What one commit will do: these segments and old chunks go, the new chunks come."""

    run: RowId
    segments: Sequence[int]
    points: int
    old: Sequence[ChunkStats]
    new: Sequence[NewChunk]
    late: Sequence[KeyId]


def prepare(read_connection: Connection, run: RowId) -> SealPlan | None:
    """Plan the sealing of the segments of a run, the first of them if there are very many; None when it has none."""
    rows = tail.read_segments(read_connection, [run], until=_last_to_seal(read_connection, run)).get(run)
    if not rows:
        return None
    tails = dict(tail.split_by_key([data for _, data in rows], None))
    stored: dict[KeyId, list[ChunkStats]] = {}
    for stats in chunks.list_chunks(read_connection, [run], sorted(tails)):
        stored.setdefault(stats.key, []).append(stats)
    late = {key for _, key in tail.late_series(read_connection, [run])}
    fresh: dict[KeyId, Points] = {}
    for key, each in tails.items():
        fresh[key] = each.points
        if key in late:
            fresh[key] = tail.take(each.points, tail.kept(read_connection, each, stored.get(key, ())))
    replaced = {key: _to_merge(stored.get(key, ()), len(points)) for key, points in fresh.items()}
    return SealPlan(
        run=run,
        segments=[number for number, _ in rows],
        points=sum(len(each.points) for each in tails.values()),
        old=[stats for each in replaced.values() for stats in each],
        new=list(_pack(read_connection, run, rows[-1][0], fresh, replaced)),
        late=sorted(late),
    )


def _pack(
    connection: Connection,
    run: RowId,
    generation: int,
    fresh: Mapping[KeyId, Points],
    replaced: Mapping[KeyId, Sequence[ChunkStats]],
) -> Iterator[NewChunk]:
    """The new chunks: of each series, the chunks that are replaced and what is new, in order."""
    reader = chunks.ChunkReader(connection, [stats for each in replaced.values() for stats in each])
    encoder = codec.Encoder()
    for key, points in fresh.items():
        old = [reader.take(stats).points() for stats in replaced[key]]
        yield from chunks.build(run, key, generation, tail.in_order(tail.concatenate([*old, points])), encoder)


def _last_to_seal(connection: Connection, run: RowId) -> int:
    segment = t.segment.c
    query = sa.select(segment.id, segment.n).where(segment.run == run).order_by(segment.id)
    number = points = 0
    for number, n in connection.execute(query):
        points += n
        if points >= _MOST_POINTS:
            return int(number)
    return number


def commit(write_connection: Connection, tenant: TenantId, plan: SealPlan) -> bool:
    """Carry out a plan in the caller's transaction; False, and nothing changed, when it was overtaken."""
    segment, base = t.segment.c, t.segment_base.c
    first, last = plan.segments[0], plan.segments[-1]
    present = write_connection.scalars(
        sa.select(segment.id).where(segment.run == plan.run, segment.id.between(first, last)).with_for_update()
    ).all()
    if sorted(present) != list(plan.segments):
        return False
    write_connection.execute(
        sa.delete(t.segment_base).where(base.tenant == tenant, base.run == plan.run, base.id.between(first, last))
    )
    removed = chunks.delete(write_connection, tenant, plan.old)
    if removed != len(plan.old):
        raise RuntimeError(f"run {plan.run} has lost {len(plan.old) - removed} chunks, though its segments were there")
    chunks.insert(write_connection, tenant, plan.new)
    _clear_late(write_connection, tenant, plan)
    return True


def _clear_late(connection: Connection, tenant: TenantId, plan: SealPlan) -> None:
    """Count what is left; `late` stays only where points came since, for they may hold more repeats."""
    if not plan.late:
        return
    recount(connection, tenant, [(plan.run, key) for key in plan.late])
    segment, base = t.segment.c, t.series_base.c
    newer = connection.scalar(
        sa.select(segment.id).where(segment.run == plan.run, segment.id > plan.segments[-1]).limit(1)
    )
    if newer is None:
        mine = sa.and_(base.tenant == tenant, base.run == plan.run, base.key == sa.bindparam("of_key"))
        connection.execute(sa.update(t.series_base).where(mine).values(late=0), [{"of_key": key} for key in plan.late])


def _to_merge(stored: Sequence[ChunkStats], points: int) -> list[ChunkStats]:
    """The chunks at the end of a series that are packed anew with so many points that follow them (none with none)."""
    begin = len(stored)
    size = points
    while begin and _is_worth_merging(stored[begin - 1].n, size):
        begin -= 1
        size += stored[begin].n
    return list(stored[begin:])


def _is_worth_merging(n: int, size: int) -> bool:
    return n < _FULL and n <= 2 * size and n + size <= chunks.MAX_POINTS
