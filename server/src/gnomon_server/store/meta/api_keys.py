"""The SQL of API keys. Every change of what opens the server counts up its version, in the same transaction."""

from collections.abc import Iterable
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.api_keys import ApiKey, Role
from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.access_tables import access_version, api_key, api_key_tenant


def read_version(connection: Connection) -> int:
    """Counts the changes of keys since the database was made; 0 while there never was one."""
    return connection.scalar(sa.select(access_version.c.version)) or 0


def list_keys(connection: Connection) -> list[ApiKey]:
    """Every key there ever was, oldest first."""
    return _keys(connection)


def find_key(connection: Connection, key_id: str) -> ApiKey | None:
    """The key of this id, ended or not."""
    found = _keys(connection, api_key.c.id == key_id)
    return found[0] if found else None


def count_keys(connection: Connection) -> int:
    """How many keys there ever were."""
    return connection.scalar(sa.select(sa.func.count()).select_from(api_key)) or 0


def insert_key(connection: Connection, key: ApiKey) -> None:
    connection.execute(
        sa.insert(api_key).values(
            id=key.id,
            name=key.name,
            role=key.role,
            digest=key.digest,
            created_ms=key.created_ms,
            created_by=key.created_by,
            expires_ms=key.expires_ms,
        )
    )
    if key.tenants:
        rows = [{"api_key": key.id, "tenant": tenant} for tenant in key.tenants.values()]
        connection.execute(sa.insert(api_key_tenant), rows)
    count_up(connection)


def end_key(
    connection: Connection, key_id: str, *, revoked_ms: int | None = None, expires_ms: int | None = None
) -> None:
    """Revoke a key at once, or let it expire at a time to come."""
    values = {"revoked_ms": revoked_ms} if expires_ms is None else {"expires_ms": expires_ms}
    connection.execute(sa.update(api_key).where(api_key.c.id == key_id).values(**values))
    count_up(connection)


def mark_used(connection: Connection, used: Iterable[tuple[str, int]]) -> None:
    """When keys were used last. It changes nothing of what they open, so nobody need read them again."""
    where = api_key.c.id == sa.bindparam("marked")
    statement = sa.update(api_key).where(where).values(last_used_ms=sa.bindparam("marked_ms", type_=sa.BigInteger()))
    rows = [{"marked": key, "marked_ms": when} for key, when in used]
    if rows:
        connection.execute(statement, rows)


def count_up(connection: Connection) -> None:
    """Tell every process that what opens the server has changed."""
    connection.execute(sa.update(access_version).values(version=access_version.c.version + 1))


def _keys(connection: Connection, *where: sa.ColumnElement[bool]) -> list[ApiKey]:
    opened: dict[str, dict[str, TenantId]] = {}
    tenants = (
        sa.select(api_key_tenant.c.api_key, t.tenant_base.c.name, t.tenant_base.c.id)
        .join(t.tenant_base, t.tenant_base.c.id == api_key_tenant.c.tenant)
        .join(api_key, api_key.c.id == api_key_tenant.c.api_key)
        .where(*where)
    )
    for key, name, tenant in connection.execute(tenants.order_by(t.tenant_base.c.name)):
        opened.setdefault(key, {})[name] = TenantId(tenant)
    rows = connection.execute(sa.select(api_key).where(*where).order_by(api_key.c.created_ms, api_key.c.id))
    return [
        ApiKey(
            id=row.id,
            name=row.name,
            role=cast("Role", row.role),
            tenants=opened.get(row.id, {}),
            digest=row.digest,
            created_ms=row.created_ms,
            created_by=row.created_by,
            expires_ms=row.expires_ms,
            last_used_ms=row.last_used_ms,
            revoked_ms=row.revoked_ms,
        )
        for row in rows
    ]
