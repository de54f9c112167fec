"""The SQL of what tenants keep: added to in the transaction that makes or removes a thing, never counted anew.

Row 0 of a tenant is for whoever writes for it alone (`locks.py`). Those who store batches for it beside each other add
to a row of their thread, or, where the tenant has a limit on points or series, to row 0 as the last thing before the
commit: then each sees what the others have added, and none passes the limit unseen.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from gnomon_server.model.ids import TenantId
from gnomon_server.model.quotas import QUOTAS, Limits, TenantQuotas, Use
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.quota_tables import quota, usage, usage_base
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.points.compiled import HotInsert, HotSelect

ALONE = 0
# Rows for threads that write beside each other; two that share one only wait for each other.
SHARDS = range(1, 33)


def add(
    connection: Connection,
    tenant: TenantId,
    *,
    shard: int = ALONE,
    experiments: int = 0,
    runs: int = 0,
    series: int = 0,
    points: int = 0,
    artifact_bytes: int = 0,
) -> None:
    """Add to what a tenant keeps, below zero too."""
    if experiments or runs or series or points or artifact_bytes:
        _ADD.run(connection, [(tenant, shard, experiments, runs, series, points, artifact_bytes)])


def read_use(connection: Connection) -> Use:
    """What the tenant of the connection keeps, this transaction included."""
    return Use(*map(int, _READ.run(connection, ())[0]))


def read_counters(connection: Connection, tenant: TenantId) -> Use:
    """What is counted for a tenant, on a connection that sees every tenant."""
    of = usage_base.c
    sums = (sa.func.coalesce(sa.func.sum(of[name]), 0) for name in QUOTAS)
    return Use(*map(int, connection.execute(sa.select(*sums).where(of.tenant == tenant)).one()))


def count_anew(connection: Connection, tenant: TenantId, *, is_system: bool) -> Use:
    """What a tenant keeps, counted from its rows: reads an index entry for each. `is_system`: not behind the wall."""
    tables = (t.experiment_base, t.run_base, t.series_base, t.blob_base)
    experiment, run, series, blob = tables if is_system else (t.experiment, t.run, t.series, t.blob)
    number = sa.func.count()
    asked = (
        sa.select(number).select_from(experiment).where(experiment.c.tenant == tenant),
        sa.select(number).select_from(run).where(run.c.tenant == tenant),
        sa.select(number).select_from(series).where(series.c.tenant == tenant),
        sa.select(sa.func.sum(series.c.n)).where(series.c.tenant == tenant),
        sa.select(sa.func.sum(blob.c.size)).where(blob.c.tenant == tenant, blob.c.refs > 0),
    )
    return Use(*(int(connection.scalar(query) or 0) for query in asked))


def set_counted(connection: Connection, tenant: TenantId, use: Use) -> None:
    """Replace the counters of a tenant, for which nothing else is written meanwhile."""
    connection.execute(sa.delete(usage_base).where(usage_base.c.tenant == tenant))
    values = {name: use.of(name) for name in QUOTAS}
    connection.execute(sa.insert(usage_base).values(tenant=tenant, shard=ALONE, **values))


def read_waiting_bytes(connection: Connection) -> int:
    """The bytes of contents that nothing refers to any more, and that are on the disk still."""
    query = sa.select(sa.func.coalesce(sa.func.sum(t.blob.c.size), 0)).where(t.blob.c.unused_ms.is_not(None))
    return int(connection.scalar(query) or 0)


def list_quotas(
    system: Connection, *, name: str | None = None, limit: int = 1, offset: int = 0
) -> tuple[int, list[TenantQuotas]]:
    """A page of the tenants by name (or the one called so), with their use and limits; and how many there are."""
    of = t.tenant_base.c
    wanted = sa.true() if name is None else of.name == name
    total = system.scalar(sa.select(sa.func.count()).select_from(t.tenant_base).where(wanted)) or 0
    page = sa.select(of.id, of.name).where(wanted).order_by(of.name).limit(limit).offset(offset).subquery()
    used = [sa.func.coalesce(sa.func.sum(usage_base.c[each]), 0) for each in QUOTAS]
    limits = [quota.c[each] for each in QUOTAS]
    rows = system.execute(
        sa.select(page.c.name, *used, *limits)
        .select_from(
            page.outerjoin(usage_base, usage_base.c.tenant == page.c.id).outerjoin(quota, quota.c.tenant == page.c.id)
        )
        .group_by(page.c.name, *limits)
        .order_by(page.c.name)
    )
    half = 1 + len(QUOTAS)
    return total, [TenantQuotas(row[0], Use(*map(int, row[1:half])), Limits(*row[half:])) for row in map(tuple, rows)]


def read_version(connection: Connection) -> int:
    """Counts the changes of limits; 0 while there never was one."""
    return connection.scalar(sa.select(sa.func.coalesce(sa.func.max(quota.c.version), 0))) or 0


def read_limits(connection: Connection) -> dict[TenantId, tuple[str, Limits]]:
    """The limits of every tenant that has had some, and what it is called."""
    columns = [quota.c[each] for each in QUOTAS]
    query = sa.select(quota.c.tenant, t.tenant_base.c.name, *columns).join(
        t.tenant_base, t.tenant_base.c.id == quota.c.tenant
    )
    return {TenantId(row[0]): (row[1], Limits(*row[2:])) for row in map(tuple, connection.execute(query))}


def find_limits(connection: Connection, tenant: TenantId) -> Limits:
    """The limits of a tenant, as they stand in the database."""
    row = connection.execute(sa.select(*(quota.c[each] for each in QUOTAS)).where(quota.c.tenant == tenant)).first()
    return Limits() if row is None else Limits(*row)


def set_limits(connection: Connection, tenant: TenantId, limits: Limits) -> None:
    """Replace the limits of a tenant, and tell every process."""
    values = {each: limits.of(each) for each in QUOTAS} | {"version": read_version(connection) + 1}
    insert = upsert(connection, quota).values(tenant=tenant, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["tenant"], set_=values))


def _add(connection: Connection) -> Insert:
    insert = upsert(connection, usage_base).values({name: sa.bindparam(name) for name in _COLUMNS})
    return insert.on_conflict_do_update(
        index_elements=["tenant", "shard"],
        set_={name: usage_base.c[name] + insert.excluded[name] for name in QUOTAS},
    )


_ZERO: sa.ColumnElement[int] = sa.literal_column("0", t.Int)  # in the text: the statement takes no parameters
_COLUMNS = ("tenant", "shard", *QUOTAS)
_ADD = HotInsert(_COLUMNS, _add)
_READ = HotSelect(
    (), lambda _connection: sa.select(*(sa.func.coalesce(sa.func.sum(usage.c[name]), _ZERO) for name in QUOTAS))
)
