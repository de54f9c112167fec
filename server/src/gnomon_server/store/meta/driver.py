"""Statements handed straight to the driver: what runs with every request and costs more in Core than in SQLite.

One cursor a connection, behind its wall as every other statement is. Errors are those of SQLAlchemy, so that whoever
judges them (`store/writer.py`) need not know which way a statement went.
"""

from collections.abc import Sequence

import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.store.meta.wall import Wall

_INFO = "driver"
Row = tuple[object, ...]
Sent = Row | dict[str, object]


class Driver:
    """The cursor of one connection. Its statements belong to the transaction at hand."""

    def __init__(self, dbapi: sqlite.Connection, wall: Wall | None) -> None:
        self._cursor = dbapi.cursor()
        self._wall = wall

    def run(self, sql: str, row: Sent = ()) -> list[Row]:
        """Execute a statement; the rows that it gives."""
        if self._wall is not None:
            self._wall.begin_statement(sql)
        try:
            found: list[Row] = self._cursor.execute(sql, row).fetchall()
        except sqlite.Error as error:
            raise _as_core(sql, error) from error
        return found

    def run_many(self, sql: str, rows: Sequence[Sent]) -> None:
        """Execute a statement once for each row of parameters."""
        if self._wall is not None:
            self._wall.begin_statement(sql)
        try:
            self._cursor.executemany(sql, rows)
        except sqlite.Error as error:
            raise _as_core(sql, error) from error


def attach_driver(record: sa.pool.ConnectionPoolEntry, driver: Driver) -> None:
    """Called once for each connection that is opened."""
    record.info[_INFO] = driver


def driver_of(connection: Connection) -> Driver | None:
    """The driver of a connection to SQLite, None of any other."""
    found: Driver | None = connection.info.get(_INFO)
    return found


class Savepoint:
    """Part of a transaction that may be undone by itself. They nest: the latest one that is open is meant.

    All have one name. Core numbers its own, and each number is a new text: the driver, which keeps the statements that
    came first and has room for one more, would then prepare every later statement anew each time it is run.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._run("SAVEPOINT part")

    def keep(self) -> None:
        self._run("RELEASE part")

    def undo(self) -> None:
        self._run("ROLLBACK TO part")
        self._run("RELEASE part")

    def _run(self, sql: str) -> None:
        driver = driver_of(self._connection)
        if driver is None:
            self._connection.exec_driver_sql(sql)
        else:
            driver.run(sql)


def _as_core(sql: str, error: sqlite.Error) -> sa.exc.DBAPIError:
    told = sa.exc.DBAPIError.instance(sql, None, error, sqlite.Error)
    assert isinstance(told, sa.exc.DBAPIError)  # it is one for any error of the driver
    return told
