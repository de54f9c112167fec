"""The tenant predicate forgotten, on PostgreSQL: what the services write, with the tenant taken out of each WHERE.

As in `test_wall_mutations.py`; but here nothing is refused: such a statement changes its own tenant's rows alone.
Whoever is above the wall changes the other's with the same statement, so the wall is what holds it, and not chance.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest
import sqlalchemy as sa
from tests.support.postgres import Cluster
from tests.support.tenant_life import live

from gnomon_server.app import Server, open_server
from gnomon_server.model.ids import TenantId
from gnomon_server.settings import Settings
from gnomon_server.store.meta import tables
from gnomon_server.store.meta.policies import RUN_ROWS
from gnomon_server.store.meta.postgres import PostgresDatabase

_OWN = r"(?:\w+\.)?tenant = %\((\w+)\)s(?:::\w+)?"
PREDICATE = re.compile(rf"{_OWN} AND |(?: AND )?{_OWN}")
BASES = [table.name for table in tables.WALLED]
Rows = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Mutant:
    """A statement of the services without its tenant predicate."""

    original: str
    statement: str
    parameters: Mapping[str, object]


@dataclass
class World:
    cluster: Cluster
    name: str
    server: Server
    one: TenantId
    two: TenantId
    mutants: list[Mutant]

    def above_wall(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.cluster.url(self.name, "postgres"))


def _mutant(statement: str, parameters: Mapping[str, object]) -> Mutant | None:
    where = statement.find(" WHERE ")
    if where < 0 or not re.match(r"\s*(UPDATE|DELETE|WITH)", statement):
        return None
    found = PREDICATE.search(statement, where)
    if found is None:
        return None
    mutated = statement[: found.start()] + statement[found.end() :]
    mutated = re.sub(r" WHERE\s*(?=$|RETURNING)", " ", mutated)
    return Mutant(statement, mutated, parameters)


@pytest.fixture(scope="module")
def world(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    name = postgres.make_database()
    home = str(tmp_path_factory.mktemp("mutants") / "home")
    server = open_server(Settings(home=home, database=postgres.url(name), artifact_grace_hours=0))
    two = live(server, "two", whole=False)
    with postgres.connect(name) as connection:  # runs of both have the same numbers, as nowhere else
        connection.execute(f"ALTER SEQUENCE {RUN_ROWS} RESTART")
    recorded: dict[str, Mutant] = {}

    def record(_connection: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        first = parameters[0] if isinstance(parameters, list) and parameters else parameters
        mutant = _mutant(statement, dict(first)) if isinstance(first, Mapping) else None
        if mutant is not None:
            recorded.setdefault(statement, mutant)

    database = server.services.stores.database
    assert isinstance(database, PostgresDatabase)
    engine = database._writers  # the statements of the connections that write
    sa.event.listen(engine, "before_cursor_execute", record)
    one = live(server, "one", whole=True)
    sa.event.remove(engine, "before_cursor_execute", record)
    yield World(postgres, name, server, one, two, list(recorded.values()))
    server.close()


def _rows(connection: psycopg.Connection[tuple[object, ...]], tenant: TenantId) -> Rows:
    """Every row of a tenant with its place, which a change that writes the same again moves too."""
    return {
        base: connection.execute(
            f'SELECT ctid, * FROM "{base}" WHERE tenant = %s ORDER BY ctid'.encode(), (tenant,)
        ).fetchall()
        for base in BASES
    }


def _reaches_from_above(world: World, mutant: Mutant) -> bool:
    """Whether the statement, sent from above the wall, reaches a row of the other tenant. Undone again."""
    with world.above_wall() as connection:
        try:
            before = _rows(connection, world.two)
            connection.execute(mutant.statement.encode(), mutant.parameters)
            return _rows(connection, world.two) != before
        except psycopg.IntegrityError:
            return True  # it reached rows, and a key stopped it
        finally:
            connection.rollback()


def test_the_services_write_much_and_every_write_names_its_tenant(world: World) -> None:
    written = {match[1] for mutant in world.mutants if (match := re.search(r"(?:UPDATE|FROM) (\w+_)", mutant.original))}
    assert {"experiment_", "run_", "series_", "tag_", "experiment_tag_", "ledger_", "blob_", "param_"} <= written
    assert len(world.mutants) >= 20


def test_no_mutant_reaches_another_tenant(world: World) -> None:
    with world.above_wall() as connection:
        victim = _rows(connection, world.two)
    reached = 0
    for mutant in world.mutants:
        reached += _reaches_from_above(world, mutant)

        def work(tx: sa.Connection, mutant: Mutant = mutant) -> None:
            tx.exec_driver_sql(mutant.statement, dict(mutant.parameters))

        with suppress(sa.exc.IntegrityError):  # a key of its own rows
            world.server.services.stores.writer.call(world.one, work)
        with world.above_wall() as connection:
            assert _rows(connection, world.two) == victim, mutant
    assert reached >= len(world.mutants) // 2, "without the wall most of these would change a foreign row"
