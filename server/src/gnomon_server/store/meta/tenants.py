"""Tenants, and the one unscoped question: whose is this id?"""

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables as t

IdKind = Literal["experiment", "run"]


def find_tenant(connection: Connection, name: str) -> TenantId | None:
    row = connection.execute(sa.select(t.tenant_base.c.id).where(t.tenant_base.c.name == name)).first()
    return None if row is None else TenantId(row.id)


def tenant_name(connection: Connection, tenant: TenantId) -> str:
    """The name of a tenant that there is."""
    return str(connection.scalar(sa.select(t.tenant_base.c.name).where(t.tenant_base.c.id == tenant)))


def insert_tenant(connection: Connection, name: str, *, now_ms: int) -> TenantId:
    """Make a tenant; the id is the next integer."""
    insert = sa.insert(t.tenant_base).values(name=name, created_ms=now_ms).returning(t.tenant_base.c.id)
    return TenantId(connection.execute(insert).scalar_one())


def name_of(connection: Connection, tenant: TenantId) -> str:
    """What a tenant that there is is called."""
    return str(connection.execute(sa.select(t.tenant_base.c.name).where(t.tenant_base.c.id == tenant)).scalar_one())


def ensure_tenant(connection: Connection, name: str, *, now_ms: int) -> TenantId:
    """The tenant of this name, made if it is new."""
    found = find_tenant(connection, name)
    return insert_tenant(connection, name, now_ms=now_ms) if found is None else found


def owner_of(connection: Connection, kind: IdKind, uid: str) -> TenantId | None:
    """The tenant of an id, over all tenants. Only to be asked after a scoped look-up found nothing (403 or 404)."""
    base = t.experiment_base if kind == "experiment" else t.run_base
    row = connection.execute(sa.select(base.c.tenant).where(base.c.uid == uid).limit(1)).first()
    return None if row is None else TenantId(row.tenant)
