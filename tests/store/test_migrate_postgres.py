"""`gnomon server migrate` killed in the middle: PostgreSQL keeps whole revisions, and the next run goes on."""

import subprocess
import sys

import pytest
from tests.support.postgres import OWNER, Cluster

from gnomon_server.store.meta.migrate import HEAD
from gnomon_server.store.meta.migrate_postgres import migrate

# Migrates, and dies before a statement that changes the schema or the data; prints how many there were.
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from gnomon_server.store.meta.migrate_postgres import migrate

seen, kill_before = 0, int(sys.argv[2])

@sa.event.listens_for(Engine, "before_cursor_execute")
def _count(connection, cursor, statement, parameters, context, many):
    global seen
    if statement.lstrip().split(None, 1)[0].upper() in ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE"):
        seen += 1
        if seen == kill_before:
            os.kill(os.getpid(), signal.SIGKILL)

migrate(sys.argv[1])
print(seen)
"""


def _migrate_process(url: str, *, kill_before: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLED, url, str(kill_before)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _schema(postgres: Cluster, name: str) -> tuple[str | None, set[str]]:
    """The revision, and every index and column of a table. (The wall's views come after the last revision.)"""
    with postgres.connect(name) as connection:
        (there,) = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone() or (False,)
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone() if there else None
        found = connection.execute(
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name IN (SELECT tablename FROM pg_tables WHERE tablename <> 'alembic_version')"
            " UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchall()
    return None if revision is None else str(revision[0]), {str(row[0]) for row in found}


def test_a_kill_at_any_statement_leaves_a_whole_revision(postgres: Cluster) -> None:
    whole = postgres.make_database(is_empty=True)
    counted = _migrate_process(postgres.url(whole, OWNER))
    assert counted.returncode == 0, counted.stderr
    statements = int(counted.stdout)
    assert statements > 50
    declared = _schema(postgres, whole)
    assert declared[0] == HEAD
    # What each revision leaves; two kills that leave the same revision must leave the same schema.
    left: dict[str | None, set[str]] = {None: set(), HEAD: declared[1]}
    for kill_before in [2, *range(5, statements, statements // 5), statements]:
        name = postgres.make_database(is_empty=True)
        killed = _migrate_process(postgres.url(name, OWNER), kill_before=kill_before)
        assert killed.returncode == -9, killed.stderr
        revision, schema = _schema(postgres, name)
        assert left.setdefault(revision, schema) == schema, f"killed before statement {kill_before}"
        migrate(postgres.url(name, OWNER))
        assert _schema(postgres, name) == declared


@pytest.mark.nightly
def test_a_kill_at_every_statement_leaves_what_a_whole_revision_leaves(postgres: Cluster) -> None:
    counted = _migrate_process(postgres.url(postgres.make_database(is_empty=True), OWNER))
    left: dict[str | None, set[str]] = {None: set()}
    for kill_before in range(1, int(counted.stdout) + 1):
        name = postgres.make_database(is_empty=True)
        assert _migrate_process(postgres.url(name, OWNER), kill_before=kill_before).returncode == -9
        revision, schema = _schema(postgres, name)
        assert left.setdefault(revision, schema) == schema, f"killed before statement {kill_before}"


@pytest.mark.nightly
def test_many_that_migrate_at_once_make_one_schema(postgres: Cluster) -> None:
    """As when eight hosts are set up by one script: each ends well, whoever was first."""
    whole = postgres.make_database(is_empty=True)
    migrate(postgres.url(whole, OWNER))
    name = postgres.make_database(is_empty=True)
    command = [sys.executable, "-m", "gnomon", "server", "migrate", "--database", postgres.url(name, OWNER)]
    begun = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(8)]
    told = [process.communicate()[0] for process in begun]
    assert [process.returncode for process in begun] == [0] * 8, told
    assert sum("before: empty" in said for said in told) == 1, told
    assert _schema(postgres, name) == _schema(postgres, whole)
