"""The database's revisions: a new one is what the tables say, an old one becomes it, a kill leaves old or new."""

import subprocess
import sys
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool
from tests.support.server_process import ServerProcess

from gnomon_server.store.meta import migrate as migrations
from gnomon_server.store.meta import tables
from gnomon_server.store.meta.engine import Database
from gnomon_server.store.meta.migrate import HEAD, NewerDatabase, migrate, migration_engine

FOLDER = Path(migrations.__file__).parent / "migrations"
# Ends the process before the statement of this number, as a power cut would; 0 never does, and says how many there are.
KILLED = """
import os, sys
from pathlib import Path
import sqlalchemy as sa
from gnomon_server.store.meta.migrate import migrate

last, done = int(sys.argv[2]), 0

@sa.event.listens_for(sa.engine.Engine, "before_cursor_execute")
def count(*_args):
    global done
    done += 1
    if done == last:
        os._exit(9)

migrate(Path(sys.argv[1]))
print(done, "alembic" in sys.modules)
"""


def _schema(path: Path) -> dict[str, str]:
    """Every table and index by name, with the statement that made it."""
    connection = sqlite.connect(str(path))
    try:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    own = ("alembic_version", "sqlite_")
    return {name: " ".join(sql.split()) for name, sql in rows if not name.startswith(own)}


def _declared(folder: Path) -> dict[str, str]:
    path = folder / "declared.db"
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), module=sqlite, poolclass=NullPool)
    tables.metadata.create_all(engine)
    engine.dispose()
    return _schema(path)


def _ask(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite.connect(str(path))
    try:
        return list(connection.execute(statement).fetchall())
    finally:
        connection.close()


def _migrate_process(path: Path, *, kill_before: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(kill_before)], capture_output=True, text=True, check=False
    )


def _upgrade(path: Path, revision: str) -> None:
    engine = migration_engine(path)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return ScriptDirectory.from_config(config)


def _revisions() -> list[str]:
    """Oldest first."""
    return [script.revision for script in _script().walk_revisions()][::-1]


def test_a_new_database_is_what_the_tables_say(tmp_path: Path) -> None:
    path = tmp_path / "gnomon.db"
    migrate(path)
    assert _schema(path) == _declared(tmp_path)
    assert _ask(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert _ask(path, "PRAGMA journal_mode") == [("wal",)]
    assert _ask(path, "PRAGMA auto_vacuum") == [(2,)]
    assert _ask(path, "PRAGMA integrity_check") == [("ok",)]


def test_the_planner_knows_every_index(tmp_path: Path) -> None:
    path = tmp_path / "gnomon.db"
    migrate(path)
    known = {index for (index,) in _ask(path, "SELECT idx FROM sqlite_stat1")}
    indexes = {str(index.name) for table in tables.WALLED for index in table.indexes}
    assert indexes <= known


def test_revisions_are_one_chain_and_the_newest_is_head() -> None:
    revisions = _revisions()
    assert revisions == sorted(revisions) == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
    assert _script().get_heads() == [HEAD]


def test_a_second_start_changes_nothing_and_loads_no_alembic(tmp_path: Path) -> None:
    path = tmp_path / "gnomon.db"
    migrate(path)
    before = path.read_bytes()
    again = _migrate_process(path)
    assert again.stdout.split() == ["0", "False"], again.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("revision", _revisions()[:-1])
def test_every_older_revision_becomes_the_newest(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "gnomon.db"
    _upgrade(path, revision)
    connection = sqlite.connect(str(path))
    connection.execute("INSERT INTO tenant_ (id, name, created_ms) VALUES (7, 'kept', 1)")
    connection.commit()
    connection.close()
    assert _ask(path, "SELECT version_num FROM alembic_version") == [(revision,)]
    migrate(path)
    assert _schema(path) == _declared(tmp_path)
    assert _ask(path, "SELECT name FROM tenant_") == [("kept",)]


def test_a_newer_database_is_refused_with_a_sentence_and_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "gnomon.db"
    migrate(path)
    connection = sqlite.connect(str(path))
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NewerDatabase, match="newer gnomon"):
        migrate(path)
    with pytest.raises(RuntimeError, match="ended with 1") as refused:
        ServerProcess(home).start()
    assert "install that version again" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert path.read_bytes() == before


def test_a_kill_at_any_statement_leaves_a_whole_revision(tmp_path: Path) -> None:
    counted = _migrate_process(tmp_path / "counted.db")
    statements = int(counted.stdout.split()[0])
    assert statements > 50
    declared = _declared(tmp_path)
    for kill_before in {*range(1, statements, statements // 12), statements}:
        path = tmp_path / f"killed-{kill_before}.db"
        killed = _migrate_process(path, kill_before=kill_before)
        assert killed.returncode == 9, killed.stderr
        assert set(_schema(path)) <= set(declared)
        assert _is_whole(path), f"killed before statement {kill_before}: {sorted(_schema(path))}"
        migrate(path)
        assert _schema(path) == declared
        database = Database(path)
        database.close()


def _is_whole(path: Path) -> bool:
    """Nothing but the table of versions, or the tables of exactly the revision that is written down."""
    found = _ask(path, "SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
    written = [row[0] for row in _ask(path, "SELECT version_num FROM alembic_version")] if found else []
    if not written:
        return _schema(path) == {}
    fresh = path.with_suffix(".fresh")
    _upgrade(fresh, str(written[0]))
    return _schema(path) == _schema(fresh)
