"""The SQL of uploads whose parts are objects: what is to come."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import object_tables as o
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.uploads import Expected, Target

_FACTS = ("kind", "owner", "path", "size", "sha256", "part_size")


def insert_upload(connection: Connection, tenant: TenantId, expected: Expected, *, now_ms: int) -> None:
    """Expect an upload; one that is expected already stays as it is."""
    insert = upsert(connection, o.upload_base).values(
        tenant=tenant,
        uid=expected.id,
        kind="run",
        owner=expected.run,
        path=expected.path,
        size=expected.size,
        sha256=expected.sha256,
        part_size=expected.part_size,
        begun_ms=now_ms,
    )
    connection.execute(insert.on_conflict_do_nothing())


def find_upload(connection: Connection, uid: str) -> Expected | None:
    c = o.upload.c
    row = connection.execute(
        sa.select(*(c[name] for name in _FACTS)).where(c.uid == uid, c.sha256.is_not(None))
    ).first()
    return None if row is None else Expected(row.owner, row.path, row.size, row.sha256, row.part_size)


def insert_target(connection: Connection, tenant: TenantId, uid: str, target: Target, *, now_ms: int) -> None:
    """Expect an upload of which only the place is known."""
    values = {"tenant": tenant, "uid": uid, **target._asdict(), "part_size": 0, "begun_ms": now_ms}
    connection.execute(sa.insert(o.upload_base).values(values))


def find_target(connection: Connection, uid: str) -> Target | None:
    """Where an upload goes of which only that was known."""
    c = o.upload.c
    row = connection.execute(sa.select(c.kind, c.owner, c.path).where(c.uid == uid, c.sha256.is_(None))).first()
    return None if row is None else Target("model" if row.kind == "model" else "run", row.owner, row.path)


def count_uploads(connection: Connection) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(o.upload)) or 0


def delete_upload(connection: Connection, tenant: TenantId, uid: str) -> None:
    c = o.upload_base.c
    connection.execute(sa.delete(o.upload_base).where(c.tenant == tenant, c.uid == uid))


def begun_before(system: Connection, before_ms: int) -> list[tuple[TenantId, str]]:
    """The uploads of all tenants that began before. Needs a system connection."""
    c = o.upload_base.c
    rows = system.execute(sa.select(c.tenant, c.uid).where(c.begun_ms < before_ms))
    return [(TenantId(row.tenant), row.uid) for row in rows]


def known_uploads(connection: Connection, uids: Sequence[str]) -> set[str]:
    """Those of the uploads that are under way."""
    return set(connection.scalars(sa.select(o.upload.c.uid).where(o.upload.c.uid.in_(uids))))
