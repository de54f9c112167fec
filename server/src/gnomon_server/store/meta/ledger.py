"""The ledger: the last batch taken from each writer of a run. What makes a batch count once, however often it comes."""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.upsert import upsert


class WriterProgress(Struct, frozen=True):
    """What arrived from one writer of a run. `duplicates` counts batches that came again and were dropped."""

    writer: str
    last_seq: int
    points: int
    duplicates: int
    first_ms: int
    last_ms: int


def last_seq(connection: Connection, run: RowId, writer: str) -> int:
    """The last sequence number taken; -1 before the first."""
    query = sa.select(t.ledger.c.last_seq).where(t.ledger.c.run == run, t.ledger.c.writer == writer)
    found = connection.scalar(query)
    return -1 if found is None else int(found)


def advance(
    connection: Connection, tenant: TenantId, run: RowId, writer: str, *, seq: int, points: int, now_ms: int
) -> None:
    base = t.ledger_base
    insert = upsert(connection, base).values(
        tenant=tenant,
        run=run,
        writer=writer,
        last_seq=seq,
        points=points,
        duplicates=0,
        first_ms=now_ms,
        last_ms=now_ms,
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["tenant", "run", "writer"],
            set_={
                "last_seq": insert.excluded.last_seq,
                "points": base.c.points + insert.excluded.points,
                "last_ms": insert.excluded.last_ms,
            },
        )
    )


def count_duplicate(connection: Connection, tenant: TenantId, run: RowId, writer: str, *, now_ms: int) -> None:
    base = t.ledger_base
    connection.execute(
        sa.update(base)
        .where(base.c.tenant == tenant, base.c.run == run, base.c.writer == writer)
        .values(duplicates=base.c.duplicates + 1, last_ms=now_ms)
    )


def read_ledger(connection: Connection, run: RowId) -> list[WriterProgress]:
    c = t.ledger.c
    query = sa.select(c.writer, c.last_seq, c.points, c.duplicates, c.first_ms, c.last_ms)
    return [
        WriterProgress(*row) for row in connection.execute(query.where(c.run == run).order_by(c.first_ms, c.writer))
    ]
