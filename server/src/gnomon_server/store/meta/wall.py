"""The second tenant wall on SQLite: a forgotten `WHERE tenant = …` finds nothing and changes nothing.

Each connection sees the base tables only through TEMP VIEWs that filter on `gnomon_tenant()`, the tenant set for the
transaction at hand. An authorizer refuses a SELECT that names a base table, and TEMP triggers abort an INSERT, UPDATE
or DELETE of another tenant's row. With no tenant set the views are empty and every write is refused.

The rule for statements: reads name the view (`run`), writes name the base (`run_`), and an UPDATE or DELETE of a base
table holds no SELECT (its column reads are resolved before SQLite announces the SELECT, so they could not be told
apart); read the ids first, then write them.
"""

from typing import Protocol

import pysqlite3.dbapi2 as sqlite

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables

_BASES = frozenset(table.name for table in tables.WALLED)
_OK: int = sqlite.SQLITE_OK
_DENY: int = sqlite.SQLITE_DENY


class SqliteConnection(Protocol):
    """What the wall needs of a DBAPI connection."""

    def execute(self, sql: str, /) -> object: ...
    def create_function(self, name: str, narg: int, func: object, /, *, deterministic: bool = ...) -> None: ...
    def set_authorizer(self, authorizer: object, /) -> None: ...


class Wall:
    """The wall of one connection. `tenant` is whom the next statements serve; None is nobody.

    `begin_statement` must be called before each execute: SQLite asks the authorizer while it prepares a statement, and
    what one statement was allowed says nothing of the next.
    """

    def __init__(self, connection: SqliteConnection) -> None:
        self.tenant: TenantId | None = None
        self._has_select = False
        self._has_dml = False
        connection.create_function("gnomon_tenant", 0, lambda: self.tenant, deterministic=True)
        for base in tables.WALLED:
            _create_view(connection, base.name)
            _create_triggers(connection, base.name)
        connection.set_authorizer(self._authorize)

    def begin_statement(self) -> None:
        self._has_select = self._has_dml = False

    def _authorize(self, action: int, first: str | None, _second: str | None, _db: str | None, via: str | None) -> int:
        # `via` is the innermost view or trigger that makes the access; None is the statement itself.
        if action == sqlite.SQLITE_SELECT and via is None:
            self._has_select = True
            if self._has_dml:
                return _DENY
        elif action == sqlite.SQLITE_READ:
            if self._has_select and via is None and first in _BASES:
                return _DENY
        elif action in (sqlite.SQLITE_UPDATE, sqlite.SQLITE_DELETE):
            if via is None and first in _BASES:
                self._has_dml = True
                if self._has_select:
                    return _DENY
        elif action in _NEVER:
            return _DENY
        return _OK


_NEVER = frozenset(
    (
        sqlite.SQLITE_ATTACH,
        sqlite.SQLITE_DETACH,
        sqlite.SQLITE_DROP_TABLE,
        sqlite.SQLITE_DROP_TRIGGER,
        sqlite.SQLITE_DROP_VIEW,
        sqlite.SQLITE_DROP_TEMP_TRIGGER,
        sqlite.SQLITE_DROP_TEMP_VIEW,
    )
)


def _create_view(connection: SqliteConnection, base: str) -> None:
    view = base.removesuffix("_")
    # Only names of our own tables stand in this text.
    connection.execute(
        f'CREATE TEMP VIEW "{view}" AS SELECT * FROM main."{base}" WHERE tenant = gnomon_tenant()'  # noqa: S608
    )


def _create_triggers(connection: SqliteConnection, base: str) -> None:
    for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("UPDATE", "old"), ("DELETE", "old")):
        connection.execute(
            f'CREATE TEMP TRIGGER "wall_{base}{event}_{row}" BEFORE {event} ON main."{base}"'
            f" WHEN {row}.tenant IS NOT gnomon_tenant()"
            f" BEGIN SELECT RAISE(ABORT, 'tenant wall: this row belongs to another tenant'); END"
        )
