"""The SQL of sessions. Like keys, each change of what opens the server counts up its version."""

from collections.abc import Iterable
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId
from gnomon_server.model.sessions import Grant, Session, SessionRole
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.access_tables import session, session_tenant
from gnomon_server.store.meta.api_keys import count_up

_MOST_FORGOTTEN = 1_000  # at once; the next sign-in goes on


def list_live(connection: Connection, *, now_ms: int) -> list[Session]:
    """The sessions that open something now, oldest first."""
    return _sessions(connection, session.c.expires_ms > now_ms, session.c.revoked_ms.is_(None))


def list_of(connection: Connection, *, issuer: str, subject: str, now_ms: int) -> list[Session]:
    """The live sessions of one person, oldest first."""
    is_theirs = (session.c.issuer == issuer, session.c.subject == subject)
    return _sessions(connection, *is_theirs, session.c.expires_ms > now_ms, session.c.revoked_ms.is_(None))


def find_session(connection: Connection, session_id: str) -> Session | None:
    """The session of this id, ended or not."""
    found = _sessions(connection, session.c.id == session_id)
    return found[0] if found else None


def has_login(connection: Connection, login: bytes) -> bool:
    """Whether an attempt has made its session already."""
    return connection.scalar(sa.select(sa.func.count()).select_from(session).where(session.c.login == login)) != 0


def insert_session(connection: Connection, new: Session) -> None:
    columns = {name: getattr(new, name) for name in Session.__struct_fields__ if name != "grants"}
    connection.execute(sa.insert(session).values(**columns))
    rows = [{"session": new.id, "tenant": grant.tenant, "role": grant.role} for grant in new.grants.values()]
    connection.execute(sa.insert(session_tenant), rows)
    count_up(connection)


def revoke_session(connection: Connection, session_id: str, *, revoked_ms: int) -> None:
    """End a session at once."""
    connection.execute(sa.update(session).where(session.c.id == session_id).values(revoked_ms=revoked_ms))
    count_up(connection)


def delete_ended(connection: Connection, *, before_ms: int) -> None:
    """Forget the sessions that ended by themselves before this; the audit log still tells of them."""
    ended = sa.select(session.c.id).where(session.c.expires_ms < before_ms).limit(_MOST_FORGOTTEN)
    ids = list(connection.scalars(ended))
    if ids:
        connection.execute(sa.delete(session_tenant).where(session_tenant.c.session.in_(ids)))
        connection.execute(sa.delete(session).where(session.c.id.in_(ids)))


def mark_used(connection: Connection, used: Iterable[tuple[str, int]]) -> None:
    """When sessions were used last."""
    where = session.c.id == sa.bindparam("marked")
    statement = sa.update(session).where(where).values(last_used_ms=sa.bindparam("marked_ms", type_=sa.BigInteger()))
    rows = [{"marked": each, "marked_ms": when} for each, when in used]
    if rows:
        connection.execute(statement, rows)


def _sessions(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Session]:
    granted: dict[str, dict[str, Grant]] = {}
    tenants = (
        sa.select(session_tenant.c.session, t.tenant_base.c.name, t.tenant_base.c.id, session_tenant.c.role)
        .join(t.tenant_base, t.tenant_base.c.id == session_tenant.c.tenant)
        .join(session, session.c.id == session_tenant.c.session)
        .where(*where)
        .order_by(t.tenant_base.c.name)
    )
    for session_id, name, tenant, role in connection.execute(tenants):
        granted.setdefault(session_id, {})[name] = Grant(tenant=TenantId(tenant), role=cast("SessionRole", role))
    rows = connection.execute(sa.select(session).where(*where).order_by(session.c.created_ms, session.c.id))
    return [
        Session(
            grants=granted.get(row.id, {}),
            **{name: getattr(row, name) for name in Session.__struct_fields__ if name != "grants"},
        )
        for row in rows
    ]
