"""`gnomon server move`: PostgreSQL then answers what SQLite answered; a cut move goes on; what differs is found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.everything import Answers, answers, fill
from tests.support.postgres import OWNER, SERVING, Cluster
from tests.support.secured import as_key, make_key
from tests.support.server_process import ServerProcess


def _move(home: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gnomon_server", "move", "--home", str(home), "--to", url, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A stopped home: two tenants, one run sealed or not as it came, keys and an audit log."""
    server = ServerProcess(tmp_path / "home", env={"GNOMON_SEAL_IDLE_SECS": "0.05"}).start()
    for tenant in ("default", "other"):
        with server.client(tenant) as api:
            fill(api, f"of {tenant}")
    assert server.stop() == 0
    return server.home


def test_a_moved_home_answers_the_same_from_postgresql(postgres: Cluster, filled: Path) -> None:
    admin = make_key(filled, "admin", "default", "other")
    url = postgres.make_database(is_empty=True)
    before: Answers = {}
    server = ServerProcess(filled, "--quiet").start()
    assert "another gnomon server" in _move(filled, postgres.url(url, OWNER)).stderr
    for tenant in ("default", "other"):
        with as_key(server, admin.text, X_Tenant_ID=tenant) as api:
            before[tenant] = answers(api)
    assert server.stop() == 0
    moved = _move(filled, postgres.url(url, OWNER), "--serving-role", SERVING, "--json")
    assert moved.returncode == 0, moved.stderr
    said = json.loads(moved.stdout)
    assert (said["series"], said["points"]) == (6, 6 * 180)
    server = ServerProcess(filled, "--quiet", "--database", postgres.url(url)).start()
    for tenant in ("default", "other"):
        with as_key(server, admin.text, X_Tenant_ID=tenant) as api:
            assert answers(api) == before[tenant]
            fill(api, "made afterwards")  # the numbers that PostgreSQL gives out go on
            assert api.get("/audit").status_code == 200
    with postgres.connect(url) as connection:
        told = connection.execute("SELECT actor, target FROM audit_ WHERE action = 'server.move'").fetchall()
    assert told == [("operator", postgres.url(url).rpartition("@")[2])]
    assert server.stop() == 0
    again = _move(filled, postgres.url(url, OWNER))
    assert again.returncode == 1
    assert "more rows in PostgreSQL" in again.stderr


def test_a_move_goes_on_and_what_differs_is_found(postgres: Cluster, filled: Path) -> None:
    name = postgres.make_database(is_empty=True)
    url = postgres.url(name, OWNER)
    first = json.loads(_move(filled, url, "--json").stdout)
    with postgres.connect(name) as connection:
        for table in ("retention_rule_", "artifact_", "tag_", "param_"):
            last = f"SELECT max(tenant) FROM {table}"
            connection.execute(f"DELETE FROM {table} WHERE tenant = ({last})")  # as a move leaves it that was cut
    again = json.loads(_move(filled, url, "--json").stdout)
    assert again == first | {"rows": first["rows"] + 1}  # the entry that says that it was moved again
    with postgres.connect(name) as connection:
        changed = connection.execute("UPDATE series_ SET high = high + 1e-9 WHERE tenant = 1 AND high > 0")
        assert changed.rowcount
    found = _move(filled, url)
    assert found.returncode == 1
    assert "series_ of tenant 1 differs" in found.stderr
    with postgres.connect(name) as connection:
        connection.execute("UPDATE tenant_ SET name = 'elsewhere' WHERE id = 1")
    assert "another installation" in _move(filled, url).stderr


def test_what_cannot_be_moved_is_said(postgres: Cluster, tmp_path: Path) -> None:
    name = postgres.make_database()
    assert "there is no database" in _move(tmp_path / "none", postgres.url(name, OWNER)).stderr
    server = ServerProcess(tmp_path / "home", "--quiet").start()
    assert server.stop() == 0
    assert "cannot be reached" in _move(server.home, "postgresql://nobody@127.0.0.1:1/none").stderr
    assert "embedded" in _move(server.home, "sqlite:///other.db").stderr
