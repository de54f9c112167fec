"""The second tenant wall on SQLite: a forgotten `WHERE tenant = …` finds nothing and changes nothing.

Each connection sees the base tables only through TEMP VIEWs that filter on `gnomon_tenant()`, the tenant set for the
transaction at hand. An authorizer refuses a SELECT that names a base table, and TEMP triggers abort an INSERT, UPDATE
or DELETE of another tenant's row. With no tenant set the views are empty and every write is refused.

The rule for statements: reads name the view (`run`), writes name the base (`run_`), and an UPDATE or DELETE of a base
table holds no SELECT (its column reads are resolved before SQLite announces the SELECT, so they could not be told
apart); read the ids first, then write them. No statement changes the schema, attaches a file or sets a pragma.
"""

import re
from functools import lru_cache
from typing import Protocol

import pysqlite3.dbapi2 as sqlite

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables

_BASES = frozenset(table.name for table in tables.WALLED)
_VIEW_OF = {base: base.removesuffix("_") for base in _BASES}
_VIEWS = frozenset(_VIEW_OF.values())
_TRIGGERS = "wall_"
# SQLite tells the authorizer the name of a common table expression where it tells that of a view, so none may be
# called like a view: `WITH run AS (SELECT * FROM run_)` would pass for it.
_SHADOW = re.compile(
    rf'(?:\bWITH(?:\s+RECURSIVE)?|,)\s*["`\[]?(?:{"|".join(_VIEWS)}|{_TRIGGERS}\w+)["`\]]?'
    r"\s*(?:\([^()]*\))?\s*AS\s*(?:NOT\s+)?(?:MATERIALIZED\s*)?\(",
    re.IGNORECASE,
)
# The driver keeps the statements that came first (`engine.py` says how many), not those that come most.
WORN_STATEMENTS = 480
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
        self._texts: set[str] = set()
        self._has_select = False
        self._has_dml = False
        connection.create_function("gnomon_tenant", 0, lambda: self.tenant, deterministic=True)
        for base in tables.WALLED:
            _create_view(connection, base.name)
            _create_triggers(connection, base.name)
        connection.set_authorizer(self._authorize)

    @property
    def is_worn(self) -> bool:
        """Whether so many different statements passed that the driver has no room to keep another one prepared."""
        return len(self._texts) >= WORN_STATEMENTS

    def begin_statement(self, statement: str = "") -> None:
        self._has_select = self._has_dml = False
        if len(self._texts) < WORN_STATEMENTS:
            self._texts.add(statement)
        if _is_shadowing(statement):
            raise ValueError("a common table expression has the name of a view; call it otherwise")

    def _authorize(self, action: int, first: str | None, second: str | None, _db: str | None, via: str | None) -> int:
        # `via` is the innermost view, trigger or common table expression that makes the access; only ours are known.
        if action == sqlite.SQLITE_READ:
            return self._judge_read(first, via)
        is_own = via is None or not (via in _VIEWS or via.startswith(_TRIGGERS))
        if action == sqlite.SQLITE_SELECT:
            if is_own:
                self._has_select = True
                if self._has_dml:
                    return _DENY
        elif action in (sqlite.SQLITE_UPDATE, sqlite.SQLITE_DELETE):
            if first in _BASES and is_own:
                self._has_dml = True
                if self._has_select:
                    return _DENY
        elif action in _NEVER or (
            action == sqlite.SQLITE_PRAGMA and (first, second) not in _SET and first not in _ASKED
        ):
            return _DENY
        return _OK

    def _judge_read(self, table: str | None, via: str | None) -> int:
        """A base table is read by its own view and by our triggers, and by an UPDATE or DELETE for its own WHERE."""
        if table not in _BASES or via == _VIEW_OF[table]:
            return _OK
        if via is None:
            return _DENY if self._has_select else _OK
        return _OK if via.startswith(_TRIGGERS) else _DENY


_NEVER = frozenset(
    getattr(sqlite, f"SQLITE_{action}")
    for action in (
        "ALTER_TABLE ANALYZE ATTACH DETACH REINDEX CREATE_INDEX CREATE_TABLE CREATE_TEMP_INDEX CREATE_TEMP_TABLE"
        " CREATE_TEMP_TRIGGER CREATE_TEMP_VIEW CREATE_TRIGGER CREATE_VIEW CREATE_VTABLE DROP_INDEX DROP_TABLE"
        " DROP_TEMP_INDEX DROP_TEMP_TABLE DROP_TEMP_TRIGGER DROP_TEMP_VIEW DROP_TRIGGER DROP_VIEW DROP_VTABLE"
    ).split()
)
# The pragmas of the engine and of giving back space; every other is refused.
_SET = frozenset((("query_only", "ON"), ("wal_checkpoint", "TRUNCATE")))
_ASKED = frozenset(("freelist_count", "page_count", "incremental_vacuum", "busy_timeout"))


@lru_cache(maxsize=512)  # the texts of statements are few
def _is_shadowing(statement: str) -> bool:
    return "with" in statement.lower() and _SHADOW.search(statement) is not None


def _create_view(connection: SqliteConnection, base: str) -> None:
    view = base.removesuffix("_")
    # Only names of our own tables stand in this text.
    connection.execute(
        f'CREATE TEMP VIEW "{view}" AS SELECT * FROM main."{base}" WHERE tenant = gnomon_tenant()'  # noqa: S608
    )


def _create_triggers(connection: SqliteConnection, base: str) -> None:
    # One question a trigger: each calls back into Python. An UPDATE asks for both of its rows.
    for event, foreign in (
        ("INSERT", "new.tenant IS NOT gnomon_tenant()"),
        ("UPDATE", "new.tenant IS NOT old.tenant OR new.tenant IS NOT gnomon_tenant()"),
        ("DELETE", "old.tenant IS NOT gnomon_tenant()"),
    ):
        connection.execute(
            f'CREATE TEMP TRIGGER "{_TRIGGERS}{base}{event}" BEFORE {event} ON main."{base}" WHEN {foreign}'
            f" BEGIN SELECT RAISE(ABORT, 'tenant wall: this row belongs to another tenant'); END"
        )
