"""PostgreSQL from the outside: made by `gnomon server migrate`, refused in a sentence where it may not be served."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.postgres import OWNER, SERVING, Cluster
from tests.support.server_process import ServerProcess

from gnomon_server.store.meta import tables
from gnomon_server.store.meta.migrate import HEAD
from gnomon_server.store.meta.policies import missing_wall
from gnomon_server.store.meta.postgres import PostgresDatabase


def gnomon_server(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gnomon_server", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False)


def refused(tmp_path: Path, url: str, **env: str) -> str:
    done = gnomon_server("--home", str(tmp_path / "home"), "--port", "0", "--database", url, env=env)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_an_empty_database_is_migrated_by_command_and_then_served(postgres: Cluster, tmp_path: Path) -> None:
    name = postgres.make_database(is_empty=True)
    assert "has no tables yet; run `gnomon server migrate`" in refused(tmp_path, postgres.url(name))
    env = {"GNOMON_DATABASE": postgres.url(name, OWNER)}
    made = gnomon_server("migrate", "--serving-role", SERVING, env=env)
    assert (made.returncode, made.stdout) == (0, f"The database is at revision {HEAD} now (before: empty).\n")
    again = gnomon_server("migrate", env=env)
    assert (again.returncode, again.stdout) == (0, f"The database is at revision {HEAD} already.\n")

    server = ServerProcess(tmp_path / "home", "--database", postgres.url(name)).start()
    with server.client() as api:
        experiment = api.post("/experiments", json={"name": "first"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        points = [{"step": step, "value": step / 2} for step in range(100)]
        body = {"metrics": [{"key": "loss", **point} for point in points]}
        logged = api.post(f"/experiments/runs/{run}/log-batch", json=body)
        assert logged.status_code == 200, logged.text
    assert server.stop() == 0
    server.start()
    with server.client() as api:
        found = api.get(f"/experiments/runs/{run}").json()
        assert found["metrics"] == {"loss": 49.5}
    assert server.stop() == 0


def test_a_role_that_walls_do_not_bind_may_not_serve(postgres: Cluster, tmp_path: Path) -> None:
    url = postgres.url(postgres.make_database(), "postgres")
    assert "not bound by row-level security" in refused(tmp_path, url)


def test_the_owner_may_serve_too_and_is_bound(postgres: Cluster, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", "--database", postgres.url(postgres.make_database(), OWNER)).start()
    with server.client("a") as api:
        assert api.post("/experiments", json={"name": "mine"}).status_code == 201
    with server.client("b") as api:
        assert api.get("/experiments").json()["total"] == 0
    assert server.stop() == 0


def test_a_newer_and_an_older_schema_are_refused(postgres: Cluster, tmp_path: Path) -> None:
    name = postgres.make_database()
    with postgres.connect(name) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
        assert f"is at revision 0003, this server needs {HEAD}" in refused(tmp_path, postgres.url(name))
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert "newer gnomon (revision 9999)" in refused(tmp_path, postgres.url(name))


def test_a_database_that_is_not_there_is_a_sentence(postgres: Cluster, tmp_path: Path) -> None:
    assert 'database "nowhere" does not exist' in refused(tmp_path, postgres.url("nowhere"))
    assert "cannot be reached" in refused(tmp_path, "postgresql://gnomon@127.0.0.1:1/gnomon")
    assert "must be sqlite:///" in refused(tmp_path, "mysql://gnomon@127.0.0.1/gnomon")


def test_without_the_driver_the_command_to_install_it_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked" / "psycopg"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text("raise ImportError('not installed')\n")
    path = f"{blocked.parent}:{os.environ.get('PYTHONPATH', '')}"
    told = refused(tmp_path, "postgresql://gnomon@127.0.0.1/gnomon", PYTHONPATH=path)
    assert "pip install 'gnomon[postgresql]'" in told


def test_an_embedded_database_needs_no_migrating(tmp_path: Path) -> None:
    done = gnomon_server("migrate", env={"GNOMON_HOME": str(tmp_path), "GNOMON_DATABASE": ""})
    assert done.returncode == 1
    assert "by the server itself" in done.stderr


def test_the_migrated_tables_are_those_that_the_statements_name(postgres: Cluster) -> None:
    name = postgres.make_database()
    with postgres.connect(name) as connection:
        found = connection.execute(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name IN"
            " (SELECT tablename FROM pg_tables WHERE schemaname = 'public') AND table_name <> 'alembic_version'"
        ).fetchall()
        indexes = {row[0] for row in connection.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    wanted = {
        (table.name, column.name, "YES" if column.nullable else "NO")
        for table in tables.metadata.tables.values()
        for column in table.columns
    }
    assert set(found) == wanted
    named = {str(index.name) for table in tables.metadata.tables.values() for index in table.indexes}
    assert named <= indexes


def test_a_tenant_table_without_the_wall_is_found_and_stops_the_start(postgres: Cluster, tmp_path: Path) -> None:
    name = postgres.make_database()
    database = PostgresDatabase(postgres.url(name))
    try:
        with database.system() as connection:
            assert missing_wall(connection) == []
        with postgres.connect(name, OWNER) as connection:
            connection.execute("CREATE TABLE planted_ (tenant bigint NOT NULL, secret text)")
            connection.execute("ALTER TABLE tag_ NO FORCE ROW LEVEL SECURITY")
        with database.system() as connection:
            assert missing_wall(connection) == ["planted_", "tag_"]
        assert "rows of planted_, tag_ are not kept apart" in refused(tmp_path, postgres.url(name))
    finally:
        database.close()


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine (id int)", "DELETE FROM audit_", "DROP POLICY gnomon_tenant ON run_"]
)
def test_the_serving_role_changes_no_schema_and_no_audit(postgres: Cluster, statement: str) -> None:
    name = postgres.make_database()
    with (
        postgres.connect(name, SERVING) as connection,
        pytest.raises(Exception, match=r"permission denied|must be owner"),
    ):
        connection.execute(statement)
