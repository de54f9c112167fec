"""A database of either kind for tests of the store: opened as the server does, filled and looked at past the wall."""

from pathlib import Path
from typing import Protocol

import pysqlite3.dbapi2 as sqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from gnomon_server.store.meta import tables
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.engine import Database as SqliteDatabase
from gnomon_server.store.meta.postgres import PostgresDatabase
from tests.support.postgres import Cluster

KINDS = ("sqlite", "postgresql")


class Place(Protocol):
    """Where a database is. It has its tables, and no rows."""

    def open(self) -> Database:
        """The database, as the server opens it."""

    def past_wall(self) -> sa.Engine:
        """An engine that sees and writes every tenant's rows, of the base tables."""


class SqlitePlace:
    def __init__(self, path: Path) -> None:
        self.path = path
        engine = self.past_wall()
        tables.metadata.create_all(engine)

    def open(self) -> SqliteDatabase:
        return SqliteDatabase(self.path)

    def past_wall(self) -> sa.Engine:
        return sa.create_engine(f"sqlite:///{self.path}", module=sqlite, poolclass=NullPool)


class PostgresPlace:
    """One database for all that are made with the same `name`; it is emptied for each."""

    def __init__(self, cluster: Cluster, name: str | None = None) -> None:
        self.cluster = cluster
        self.name = cluster.make_database() if name is None else cluster.named_database(name)
        with self.past_wall().begin() as connection:
            rows = [table for table in reversed(tables.metadata.sorted_tables) if table.name != "access_version_"]
            connection.exec_driver_sql("; ".join(f"DELETE FROM {table.name}" for table in rows))
            connection.exec_driver_sql("ALTER SEQUENCE segment__id_seq RESTART")

    def open(self) -> PostgresDatabase:
        return PostgresDatabase(self.cluster.url(self.name))

    def past_wall(self) -> sa.Engine:
        url = self.cluster.url(self.name, "postgres").replace("postgresql:", "postgresql+psycopg:")
        return sa.create_engine(url, poolclass=NullPool)


def make_place(kind: str, request: pytest.FixtureRequest, folder: Path, *, shared: str | None = None) -> Place:
    """A new database of this kind, or (PostgreSQL) an emptied one that tests use one after another under a name."""
    if kind == "sqlite":
        return SqlitePlace(folder / "gnomon.db")
    return PostgresPlace(request.getfixturevalue("postgres"), shared)
