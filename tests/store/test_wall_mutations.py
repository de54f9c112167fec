"""The tenant predicate forgotten: every write of the services, with `tenant = ?` taken out of it.

Two tenants hold rows of the same small ids. What the services send is recorded, then sent again without its tenant:
behind the wall no row of the other tenant changes. Past the wall the same statement does change one, so the wall is
what holds it, and not chance.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
import sqlalchemy as sa
from tests.support.tenant_life import live

from gnomon_server.app import Server, open_server
from gnomon_server.model.ids import TenantId
from gnomon_server.settings import Settings
from gnomon_server.store.meta import tables

# `run_.tenant = ? AND `, or the last of several conditions.
PREDICATE = re.compile(r'(?:"?\w+_"?\.)?tenant = \?(?: AND )?|(?: AND )(?:"?\w+_"?\.)?tenant = \?')
BASES = [table.name for table in tables.WALLED]


@dataclass(frozen=True)
class Mutant:
    """A statement of the services without its tenant predicate, and its parameters without that tenant."""

    original: str
    statement: str
    parameters: tuple[object, ...]


@dataclass
class World:
    server: Server
    one: TenantId
    two: TenantId
    mutants: list[Mutant]


def _mutant(statement: str, parameters: Sequence[object]) -> Mutant | None:
    where = statement.find(" WHERE ")
    if where < 0 or not statement.startswith(("UPDATE", "DELETE")):
        return None
    found = PREDICATE.search(statement, where)
    if found is None:
        return None
    place = statement[: found.start()].count("?")
    mutated = statement[: found.start()] + statement[found.end() :]
    mutated = re.sub(r" WHERE\s*(?=$|RETURNING)", " ", mutated)
    return Mutant(statement, mutated, (*parameters[:place], *parameters[place + 1 :]))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server = open_server(Settings(home=str(tmp_path_factory.mktemp("mutants") / "home"), artifact_grace_hours=0))
    two = live(server, "two", whole=False)
    recorded: dict[str, Mutant] = {}

    def record(_connection: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        first = parameters[0] if isinstance(parameters, list) and parameters else parameters
        mutant = _mutant(statement, tuple(first)) if isinstance(first, tuple) else None
        if mutant is not None:
            recorded.setdefault(statement, mutant)

    engine = server.services.stores.database._writer  # the statements of the one connection that writes
    sa.event.listen(engine, "before_cursor_execute", record)
    one = live(server, "one", whole=True)
    sa.event.remove(engine, "before_cursor_execute", record)
    yield World(server, one, two, list(recorded.values()))
    server.close()


def _rows(path: Path, tenant: TenantId) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite.connect(str(path))
    try:
        return {
            base: connection.execute(f'SELECT * FROM "{base}" WHERE tenant = ?', (tenant,)).fetchall() for base in BASES
        }
    finally:
        connection.close()


def _changes_past_the_wall(path: Path, mutant: Mutant, tenant: TenantId) -> bool:
    """Whether the statement, sent without the wall, reaches a row of this tenant. Undone again."""
    connection = sqlite.connect(str(path), isolation_level=None)
    connection.create_function("gnomon_tenant", 0, lambda: None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        base = re.match(r'(?:UPDATE|DELETE FROM) "?(\w+_)"?', mutant.statement)
        assert base is not None, mutant.statement
        before = connection.execute(f'SELECT count(*) FROM "{base[1]}" WHERE tenant = ?', (tenant,)).fetchone()
        seen = _whole(connection, base[1], tenant)
        connection.execute(mutant.statement, mutant.parameters)
        after = connection.execute(f'SELECT count(*) FROM "{base[1]}" WHERE tenant = ?', (tenant,)).fetchone()
        return bool(before != after or seen != _whole(connection, base[1], tenant))
    except sqlite.IntegrityError:
        return True  # it reached rows, and a key stopped it
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def _whole(connection: sqlite.Connection, base: str, tenant: TenantId) -> list[tuple[object, ...]]:
    return list(connection.execute(f'SELECT * FROM "{base}" WHERE tenant = ?', (tenant,)).fetchall())


def test_the_services_write_much_and_every_write_names_its_tenant(world: World) -> None:
    written = {
        match[1] for mutant in world.mutants if (match := re.search(r"(?:UPDATE|FROM) \"?(\w+_)", mutant.original))
    }
    assert {"experiment_", "run_", "series_", "tag_", "experiment_tag_", "ledger_", "blob_", "param_"} <= written
    assert len(world.mutants) >= 20


def test_no_mutant_reaches_another_tenant(world: World) -> None:
    path = world.server.services.stores.database.path
    victim = _rows(path, world.two)
    reached = 0
    for mutant in world.mutants:
        reached += _changes_past_the_wall(path, mutant, world.two)

        def work(tx: sa.Connection, mutant: Mutant = mutant) -> None:
            tx.exec_driver_sql(mutant.statement, mutant.parameters)

        try:
            world.server.services.stores.writer.call(world.one, work)
        except sa.exc.IntegrityError as error:
            refusal = str(error)
        else:
            refusal = ""
        assert refusal == "" or "tenant wall" in refusal or "constraint" in refusal, mutant
        assert _rows(path, world.two) == victim, mutant
    assert reached >= len(world.mutants) // 2, "without the wall most of these would change a foreign row"
