"""The SQL of saved views: a name and the state of a page, per experiment."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from gnomon_server.model.entities import SavedView
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.store.meta import tables as t

_COLUMNS = [t.saved_view.c[name] for name in ("uid", "name", "state", "created_by", "created_ms", "updated_ms")]


def list_views(connection: Connection, experiment: RowId) -> list[SavedView]:
    """The views of an experiment, by name."""
    c = t.saved_view.c
    return _views(connection.execute(sa.select(*_COLUMNS).where(c.experiment == experiment).order_by(c.name)).all())


def find_view(connection: Connection, experiment: RowId, uid: str) -> SavedView | None:
    return _one(connection, experiment, t.saved_view.c.uid == uid)


def find_view_named(connection: Connection, experiment: RowId, name: str) -> SavedView | None:
    return _one(connection, experiment, t.saved_view.c.name == name)


def count_views(connection: Connection, experiment: RowId) -> int:
    query = sa.select(sa.func.count()).select_from(t.saved_view).where(t.saved_view.c.experiment == experiment)
    return connection.scalar(query) or 0


def insert_view(connection: Connection, tenant: TenantId, experiment: RowId, view: SavedView) -> None:
    connection.execute(
        sa.insert(t.saved_view_base).values(
            tenant=tenant,
            experiment=experiment,
            uid=view.uid,
            name=view.name,
            state=view.state,
            created_by=view.created_by,
            created_ms=view.created_ms,
            updated_ms=view.updated_ms,
        )
    )


def update_view(connection: Connection, tenant: TenantId, experiment: RowId, view: SavedView) -> None:
    """Give the view of this id the name, the state and the time of change that it has here."""
    values = {"name": view.name, "state": view.state, "updated_ms": view.updated_ms}
    connection.execute(sa.update(t.saved_view_base).where(*_place(tenant, experiment, view.uid)).values(**values))


def delete_view(connection: Connection, tenant: TenantId, experiment: RowId, uid: str) -> None:
    connection.execute(sa.delete(t.saved_view_base).where(*_place(tenant, experiment, uid)))


def _place(tenant: TenantId, experiment: RowId, uid: str) -> tuple[sa.ColumnElement[bool], ...]:
    base = t.saved_view_base.c
    return (base.tenant == tenant, base.experiment == experiment, base.uid == uid)


def _one(connection: Connection, experiment: RowId, where: sa.ColumnElement[bool]) -> SavedView | None:
    query = sa.select(*_COLUMNS).where(t.saved_view.c.experiment == experiment, where)
    found = _views(connection.execute(query).all())
    return found[0] if found else None


def _views(rows: Sequence[Row[tuple[object, ...]]]) -> list[SavedView]:
    return [
        SavedView(
            uid=row.uid,
            name=row.name,
            state=row.state,
            created_by=row.created_by,
            created_ms=row.created_ms,
            updated_ms=row.updated_ms,
        )
        for row in rows
    ]
