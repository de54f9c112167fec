"""Tenants, and the one unscoped question: whose is this id?"""

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import model_tables
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.upsert import upsert

IdKind = Literal["experiment", "run", "logged_model"]
_BASES = {"experiment": t.experiment_base, "run": t.run_base, "logged_model": model_tables.logged_model_base}


def find_tenant(connection: Connection, name: str) -> TenantId | None:
    row = connection.execute(sa.select(t.tenant_base.c.id).where(t.tenant_base.c.name == name)).first()
    return None if row is None else TenantId(row.id)


def list_tenants(connection: Connection) -> list[tuple[TenantId, str]]:
    """Every tenant and what it is called."""
    query = sa.select(t.tenant_base.c.id, t.tenant_base.c.name).order_by(t.tenant_base.c.id)
    return [(TenantId(row.id), str(row.name)) for row in connection.execute(query)]


def ensure_tenant(connection: Connection, name: str, *, now_ms: int) -> TenantId:
    """The tenant of a name, made if it is not there: another process may make it at the same moment."""
    insert = upsert(connection, t.tenant_base).values(name=name, created_ms=now_ms).on_conflict_do_nothing()
    made = connection.execute(insert.returning(t.tenant_base.c.id)).scalar()
    found = find_tenant(connection, name) if made is None else TenantId(made)
    assert found is not None, "it was there or is now"
    return found


def name_of(connection: Connection, tenant: TenantId) -> str:
    """What a tenant that there is is called."""
    return str(connection.execute(sa.select(t.tenant_base.c.name).where(t.tenant_base.c.id == tenant)).scalar_one())


def owner_of(connection: Connection, kind: IdKind, uid: str) -> TenantId | None:
    """The tenant of an id, over all tenants. Only to be asked after a scoped look-up found nothing (403 or 404)."""
    base = _BASES[kind]
    row = connection.execute(sa.select(base.c.tenant).where(base.c.uid == uid).limit(1)).first()
    return None if row is None else TenantId(row.tenant)
