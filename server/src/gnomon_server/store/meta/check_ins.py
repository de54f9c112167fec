"""The SQL of signs of life and of run events. Times are the server's own, Unix milliseconds.

Who ends a run claims it first (`claim_lost`), so that of several server processes exactly one does.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import RunEvent, RunEventKind, RunStatus
from gnomon_server.model.ids import RowId, TenantId, new_uid
from gnomon_server.store.meta import automation_tables as a
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.upsert import upsert


class Promise(Struct, frozen=True):
    """How a run stands that may have promised to check in. `seen_ms` None: it has not."""

    status: RunStatus
    start_ms: int
    seen_ms: int | None
    lost_ms: int | None


class Absent(Struct, frozen=True):
    """A running run whose last check-in is old."""

    tenant: TenantId
    run: RowId
    seen_ms: int


def find_promise(connection: Connection, run: RowId) -> Promise | None:
    """How the run of this row stands."""
    c = t.run.c
    query = (
        sa.select(c.status, c.start_ms, a.check_in.c.seen_ms, a.check_in.c.lost_ms)
        .select_from(t.run.outerjoin(a.check_in, a.check_in.c.run == c.id))
        .where(c.id == run)
    )
    row = connection.execute(query).first()
    return None if row is None else Promise(*row)


def keep_sign(connection: Connection, tenant: TenantId, run: RowId, *, seen_ms: int) -> None:
    """The run was heard of. Whether it was lost is left as it is: `find_back` settles that."""
    insert = upsert(connection, a.check_in_base).values(tenant=tenant, run=run, seen_ms=seen_ms, lost_ms=None)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["tenant", "run"], set_={"seen_ms": insert.excluded.seen_ms})
    )


def find_back(connection: Connection, tenant: TenantId, run: RowId, *, now_ms: int) -> bool:
    """A lost run was heard of again: it runs. False when somebody has said meanwhile how it ended."""
    base = t.run_base
    where = (base.c.tenant == tenant, base.c.id == run, base.c.status == "killed")
    values = {"status": "running", "end_ms": None, "updated_ms": now_ms}
    is_back = connection.execute(sa.update(base).where(*where).values(**values)).rowcount == 1
    mark = a.check_in_base
    connection.execute(sa.update(mark).where(mark.c.tenant == tenant, mark.c.run == run).values(lost_ms=None))
    return is_back


def forget_promise(connection: Connection, tenant: TenantId, run: RowId) -> None:
    """Somebody has said how the run stands: what its job had promised counts no more, until it checks in anew."""
    base = a.check_in_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.run == run))


def find_absent(connection: Connection, *, before_ms: int, limit: int) -> list[Absent]:
    """Running runs of all tenants that promised to check in and did not since a time. Asked outside the wall."""
    mark, run = a.check_in_base, t.run_base
    query = (
        sa.select(mark.c.tenant, mark.c.run, mark.c.seen_ms)
        .select_from(mark.join(run, (run.c.tenant == mark.c.tenant) & (run.c.id == mark.c.run)))
        .where(mark.c.lost_ms.is_(None), mark.c.seen_ms < before_ms)
        .where(run.c.status == "running", run.c.lifecycle_stage == "active")
        .order_by(mark.c.seen_ms)
        .limit(limit)
    )
    return [Absent(TenantId(tenant), RowId(run_row), seen) for tenant, run_row, seen in connection.execute(query)]


def last_batch_ms(connection: Connection, run: RowId) -> int:
    """When the last batch with an identity came; 0 when none did. A batch is a sign of life as well."""
    return connection.scalar(sa.select(sa.func.max(t.ledger.c.last_ms)).where(t.ledger.c.run == run)) or 0


def claim_lost(connection: Connection, absent: Absent, *, now_ms: int) -> bool:
    """Mark a run as lost, if nothing was heard of it since it was found absent; whether this call did."""
    base = a.check_in_base
    where = (
        base.c.tenant == absent.tenant,
        base.c.run == absent.run,
        base.c.seen_ms == absent.seen_ms,
        base.c.lost_ms.is_(None),
    )
    return connection.execute(sa.update(base).where(*where).values(lost_ms=now_ms)).rowcount == 1


def end_running(connection: Connection, tenant: TenantId, run: RowId, *, end_ms: int, now_ms: int) -> bool:
    """End a run as killed, if it is still running; whether it was."""
    base = t.run_base
    where = (base.c.tenant == tenant, base.c.id == run, base.c.status == "running")
    values = {"status": "killed", "end_ms": end_ms, "updated_ms": now_ms}
    return connection.execute(sa.update(base).where(*where).values(**values)).rowcount == 1


def add_event(
    connection: Connection, tenant: TenantId, run: RowId, *, at_ms: int, kind: RunEventKind, message: str
) -> None:
    connection.execute(
        sa.insert(a.run_event_base).values(
            tenant=tenant, run=run, uid=new_uid(), at_ms=at_ms, kind=kind, message=message
        )
    )


def read_events(connection: Connection, run: RowId, *, limit: int, offset: int) -> tuple[int, Sequence[RunEvent]]:
    """How many events the run has, and a page of them, newest first."""
    c = a.run_event.c
    total = connection.scalar(sa.select(sa.func.count()).select_from(a.run_event).where(c.run == run)) or 0
    query = sa.select(c.uid, c.at_ms, c.kind, c.message).where(c.run == run)
    rows = connection.execute(query.order_by(c.at_ms.desc(), c.uid.desc()).limit(limit).offset(offset))
    return total, [RunEvent(uid, at_ms, kind, message) for uid, at_ms, kind, message in rows]


def delete_of_run(connection: Connection, tenant: TenantId, run: RowId) -> None:
    """Remove all of a run, which is purged."""
    for base in (a.check_in_base, a.run_event_base):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.run == run))
