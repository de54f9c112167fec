"""Removing all points of a run. The space is the database's to use again."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.store.meta import object_tables as o
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import usage


def delete_run(connection: Connection, tenant: TenantId, run: RowId) -> list[KeyId]:
    """Delete the series, segments, chunks and ledger of a run; the keys that it had, for the catalogue."""
    stored = connection.execute(sa.select(t.series.c.key, t.series.c.n).where(t.series.c.run == run)).all()
    for base in (t.segment_base, o.chunk_object_base, t.chunk_base, t.series_base, t.ledger_base, t.thinned_base):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.run == run))
    usage.add(connection, tenant, series=-len(stored), points=-sum(n for _, n in stored))
    return [KeyId(key) for key, _ in stored]
