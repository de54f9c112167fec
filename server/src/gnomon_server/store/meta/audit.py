"""The SQL of the audit log: entries are added at its end and never changed."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from gnomon_server.model.audit import AuditEntry, Deed, chain
from gnomon_server.store.meta.access_tables import audit

_STRIDE = 1_000


def append_deeds(connection: Connection, deeds: Sequence[Deed], *, now_ms: int) -> None:
    """Write the deeds down after the last entry. Within the one transaction that writes, so none comes between."""
    last = connection.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(1)).first()
    entry = None if last is None else _entry(last)
    for deed in deeds:
        entry = chain(deed, after=entry, at_ms=now_ms)
        connection.execute(
            sa.insert(audit).values(**{name: getattr(entry, name) for name in AuditEntry.__struct_fields__})
        )


def list_entries(
    connection: Connection, *, tenants: Sequence[str] | None, limit: int, offset: int
) -> tuple[int, list[AuditEntry]]:
    """A page of the log, newest first, and how many entries there are; of these tenants, or (None) of all."""
    where = [] if tenants is None else [audit.c.tenant.in_(tenants)]
    total = connection.scalar(sa.select(sa.func.count()).select_from(audit).where(*where)) or 0
    page = sa.select(audit).where(*where).order_by(audit.c.id.desc()).limit(limit).offset(offset)
    return total, [_entry(row) for row in connection.execute(page)]


def walk(connection: Connection) -> Iterator[AuditEntry]:
    """The whole log, oldest first."""
    after = 0
    while rows := connection.execute(
        sa.select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(_STRIDE)
    ).all():
        yield from map(_entry, rows)
        after = rows[-1].id


def _entry(row: Row[tuple[object, ...]]) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__struct_fields__})
