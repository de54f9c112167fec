"""The ledger: the last batch taken from each writer of a run. What makes a batch count once, however often it comes."""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.points.compiled import HotInsert, HotSelect


class WriterProgress(Struct, frozen=True):
    """What arrived from one writer of a run. `duplicates` counts batches that came again and were dropped, `thinned`
    points that the writer had no room to keep.
    """

    writer: str
    last_seq: int
    points: int
    duplicates: int
    first_ms: int
    last_ms: int
    thinned: int = 0


def last_seq(connection: Connection, run: RowId, writer: str) -> int:
    """The last sequence number taken; -1 before the first."""
    found = _LAST_SEQ.scalar(connection, (run, writer))
    return -1 if found is None else found


def advance(
    connection: Connection, tenant: TenantId, run: RowId, writer: str, *, seq: int, points: int, now_ms: int
) -> None:
    """Move a writer's place to `seq`."""
    _ADVANCE.run(connection, [(tenant, run, writer, seq, points, now_ms)])


def count_duplicate(connection: Connection, tenant: TenantId, run: RowId, writer: str, *, now_ms: int) -> None:
    base = t.ledger_base
    connection.execute(
        sa.update(base)
        .where(base.c.tenant == tenant, base.c.run == run, base.c.writer == writer)
        .values(duplicates=base.c.duplicates + 1, last_ms=now_ms)
    )


def add_thinned(connection: Connection, tenant: TenantId, run: RowId, writer: str, points: int) -> None:
    """Count points that the writer says it did not keep; in the transaction that moves its place."""
    base = t.thinned_base
    insert = upsert(connection, base).values(tenant=tenant, run=run, writer=writer, points=points)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["tenant", "run", "writer"], set_={"points": base.c.points + insert.excluded.points}
        )
    )


def read_ledger(connection: Connection, run: RowId) -> list[WriterProgress]:
    c, thinned = t.ledger.c, t.thinned.c
    left_out = sa.func.coalesce(thinned.points, 0)
    query = sa.select(c.writer, c.last_seq, c.points, c.duplicates, c.first_ms, c.last_ms, left_out).outerjoin_from(
        t.ledger, t.thinned, (thinned.tenant == c.tenant) & (thinned.run == c.run) & (thinned.writer == c.writer)
    )
    return [
        WriterProgress(*row) for row in connection.execute(query.where(c.run == run).order_by(c.first_ms, c.writer))
    ]


def _advance(connection: Connection) -> Insert:
    base = t.ledger_base
    insert = upsert(connection, base).values(
        tenant=sa.bindparam("tenant"),
        run=sa.bindparam("run"),
        writer=sa.bindparam("writer"),
        last_seq=sa.bindparam("seq"),
        points=sa.bindparam("points"),
        duplicates=sa.literal_column("0"),
        first_ms=sa.bindparam("now_ms"),
        last_ms=sa.bindparam("now_ms"),
    )
    return insert.on_conflict_do_update(
        index_elements=["tenant", "run", "writer"],
        set_={
            "last_seq": insert.excluded.last_seq,
            "points": base.c.points + insert.excluded.points,
            "last_ms": insert.excluded.last_ms,
        },
    )


_LAST_SEQ = HotSelect(
    ("run", "writer"),
    lambda _connection: sa.select(t.ledger.c.last_seq).where(
        t.ledger.c.run == sa.bindparam("run"), t.ledger.c.writer == sa.bindparam("writer")
    ),
)
_ADVANCE = HotInsert(("tenant", "run", "writer", "seq", "points", "now_ms"), _advance)
