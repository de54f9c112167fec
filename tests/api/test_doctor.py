"""`gnomon doctor`: a sound installation has nothing wrong, and each thing that is wrong is named with a next step."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest
from click.testing import CliRunner
from tests.support.postgres import Cluster
from tests.support.seaweed import Seaweed
from tests.support.secured import gnomon, make_key
from tests.support.server_process import ServerProcess, chosen_database

from gnomon.cli import cli
from gnomon_server.commands.home import opened_home
from gnomon_server.model.ids import TenantId
from gnomon_server.model.quotas import Use
from gnomon_server.store.meta import usage

Checks = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No config, spool or home of whoever runs the tests."""
    monkeypatch.setenv("GNOMON_CONFIG", "")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GNOMON_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("GNOMON_HOME", str(tmp_path / "nothing"))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """A server with a run of points and a file; whoever asks the doctor has its settings."""
    server = ServerProcess(tmp_path / "home").start()
    monkeypatch.setenv("GNOMON_DATABASE", chosen_database(server.home))
    with server.client("default") as api:
        experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        points = [{"key": "loss", "value": step / 7, "step": step} for step in range(500)]
        api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": points}).raise_for_status()
        api.post(f"/experiments/runs/{run}/log-artifact", files={"file": ("a.txt", b"content")}).raise_for_status()
    yield server
    server.stop()


def _doctor(url: str, *args: str, exits: int) -> Checks:
    result = CliRunner().invoke(cli, ["--url", url, "doctor", "--json", *args], prog_name="gnomon")
    assert result.exit_code == exits, result.output
    found = json.loads(result.stdout)
    assert found["fail"] == sum(check["state"] == "fail" for check in found["checks"])
    assert all(check["state"] == "ok" or check["next"] for check in found["checks"])
    return {check["name"]: check for check in found["checks"]}


@pytest.mark.embedded("the checks of its file; the test of a shared database has the others")
def test_a_sound_installation_has_nothing_wrong(kept: ServerProcess) -> None:
    found = _doctor(kept.base_url, "--home", str(kept.home), exits=0)
    assert {name for name, check in found.items() if check["state"] == "fail"} == set()
    assert {
        "sdk",
        "server",
        "clock",
        "access",
        "spools",
        "spool disk",
        "sqlite",
        "permissions",
        "file system",
        "disk",
    } <= set(found)
    assert {"sync", "in use", "tables", "integrity", "points", "keys", "audit log", "artifacts"} <= set(found)
    assert "a server runs" in found["in use"]["says"]
    assert found["points"]["says"].startswith("1 runs hold exactly")
    assert found["artifacts"]["says"].startswith("1 contents")
    assert not list(kept.home.glob("doctor-*"))
    lines = (
        CliRunner().invoke(cli, ["--url", kept.base_url, "doctor", "--home", str(kept.home)], prog_name="gnomon").stdout
    )
    assert "ok    server: " in lines
    assert " ok, " in lines.splitlines()[-1]


@pytest.mark.embedded("rows are removed from the file behind the server's back")
def test_points_that_are_gone_are_found(kept: ServerProcess) -> None:
    assert kept.stop() == 0
    with sqlite.connect(str(kept.home / "gnomon.db")) as connection:
        assert connection.execute("DELETE FROM segment_").rowcount == 1
    found = _doctor(kept.base_url, "--home", str(kept.home), exits=1)
    assert found["points"]["state"] == "fail"
    assert found["points"]["says"].startswith("1 runs do not hold")
    assert "no server runs" in found["in use"]["says"]
    assert found["server"]["state"] == "fail"


@pytest.mark.embedded("bytes of its file are damaged")
def test_a_damaged_file_and_a_damaged_database_are_found(kept: ServerProcess) -> None:
    assert kept.stop() == 0
    (content,) = (path for path in (kept.home / "artifacts").rglob("*") if path.is_file() and len(path.name) == 64)
    content.write_bytes(b"c0ntent")
    assert _doctor(kept.base_url, "--home", str(kept.home), exits=1)["artifacts"]["state"] == "fail"
    content.unlink()
    assert "cannot be read" in _doctor(kept.base_url, "--home", str(kept.home), exits=1)["artifacts"]["says"]
    with (kept.home / "gnomon.db").open("r+b") as file:
        for page in range(8, 40):
            file.seek(page * 4096)
            file.write(b"\xff" * 512)
    broken = _doctor(kept.base_url, "--home", str(kept.home), exits=1)
    assert "fail" in {broken[name]["state"] for name in ("integrity", "database") if name in broken}


@pytest.mark.embedded("a newer PostgreSQL database is refused in tests/store/test_postgres_start.py")
def test_a_home_of_a_newer_version_and_no_home_are_said(kept: ServerProcess, tmp_path: Path) -> None:
    assert kept.stop() == 0
    with sqlite.connect(str(kept.home / "gnomon.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in _doctor(kept.base_url, "--home", str(kept.home), exits=1)["tables"]["says"]
    assert _doctor(kept.base_url, "--home", str(tmp_path / "none"), exits=1)["home"]["state"] == "fail"
    assert "home" not in _doctor(kept.base_url, exits=1)


def test_a_shared_database_and_an_object_store_are_looked_at(
    postgres: Cluster, seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(postgres.make_database())
    environment = seaweed.env("s3://gnomon/doctor")
    server = ServerProcess(tmp_path / "home", "--database", url, env=environment).start()
    with server.client("default") as api:
        experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 1.0}}).raise_for_status()
        api.post(f"/experiments/runs/{run}/log-artifact", files={"file": ("a.txt", b"content")}).raise_for_status()
    for name, value in {**environment, "GNOMON_DATABASE": url}.items():
        monkeypatch.setenv(name, value)
    found = _doctor(server.base_url, "--home", str(server.home), "--full", exits=0)
    assert "PostgreSQL" in found["tables"]["says"]
    assert found["points"]["says"] == "1 segments and chunks, all as written"
    assert found["object store"]["state"] == "ok"
    assert found["artifacts"]["says"] == "1 contents, all as written"
    monkeypatch.setenv("GNOMON_ARTIFACTS_ENDPOINT", "http://127.0.0.1:1")
    assert _doctor(server.base_url, "--home", str(server.home), exits=1)["object store"]["state"] == "fail"
    monkeypatch.setenv("GNOMON_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    assert "cannot be reached" in _doctor(server.base_url, "--home", str(server.home), exits=1)["database"]["says"]
    assert server.stop() == 0


def test_counters_of_quotas_are_compared_and_repaired(kept: ServerProcess) -> None:
    """The server runs on meanwhile, and holds to what is repaired."""
    home = ("--home", str(kept.home))
    with opened_home(kept.home) as opened:
        opened.transact(lambda tx: usage.set_counted(tx, TenantId(1), Use(runs=7)), tenant=TenantId(1))
    found = _doctor(kept.base_url, *home, exits=1)["quotas"]
    assert found["says"] == "experiments of tenant default: 0 are counted for its quota, it keeps 1, and 4 more"
    assert "--repair" in found["next"]
    repaired = _doctor(kept.base_url, *home, "--repair", exits=0)
    assert repaired["repair"]["says"] == "counters of quotas were counted anew, of 1 tenants: default"
    assert repaired["quotas"]["state"] == "ok"
    assert _doctor(kept.base_url, *home, "--repair", exits=0)["repair"]["says"].endswith("none was wrong")
    with kept.client("default") as api:
        (tenant,) = api.get("/quotas").json()["tenants"]
    assert [each["used"] for each in tenant["quotas"]] == [1, 1, 1, 500, 7]
    assert "quota.repair" in gnomon("audit", "list", *home).stdout


@pytest.mark.embedded("the permissions of its file")
def test_what_others_may_read_is_said(kept: ServerProcess, tmp_path: Path) -> None:
    (kept.home / "gnomon.db").chmod(0o644)
    config = tmp_path / "config" / "gnomon" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('api_key = "gnm_x"\n')
    config.chmod(0o644)
    found = _doctor(kept.base_url, "--home", str(kept.home), exits=1)
    assert found["permissions"]["state"] == "warn"
    assert found["config"]["state"] == "fail"


def test_keys_are_looked_at(kept: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    home = str(kept.home)
    monkeypatch.setenv("GNOMON_HOST", "0.0.0.0")
    assert _doctor(kept.base_url, "--home", home, exits=1)["keys"]["state"] == "fail"
    viewer = make_key(kept.home, "viewer", "default")
    with kept.client() as nobody:  # until the server has seen that there are keys now
        while nobody.get("/me").status_code == 200:
            time.sleep(0.05)
    monkeypatch.setenv("GNOMON_API_KEY", viewer.text)
    found = _doctor(kept.base_url, "--home", home, exits=0)
    assert "none of them manages keys" in found["keys"]["says"]
    assert "viewer" in found["access"]["says"]
    make_key(kept.home, "admin", "default", expires="3d")
    assert "end within 14 days" in _doctor(kept.base_url, "--home", home, exits=0)["keys"]["says"]
    monkeypatch.setenv("GNOMON_API_KEY", viewer.text[:-1] + ("0" if viewer.text[-1] != "0" else "1"))
    assert _doctor(kept.base_url, exits=1)["access"]["state"] == "fail"


def test_what_a_dead_job_left_is_said(kept: ServerProcess, tmp_path: Path) -> None:
    script = "import gnomon, os; run = gnomon.init('left'); run.log({'loss': 1.0}); os._exit(1)"
    env = {"PATH": "/usr/bin", "GNOMON_URL": "http://127.0.0.1:1", "GNOMON_SPOOL": str(tmp_path / "spool")}
    subprocess.run([sys.executable, "-c", script], env={**os.environ, **env}, check=False)
    found = _doctor(kept.base_url, exits=0)
    assert found["spools"]["state"] == "warn"
    assert "gnomon sync" in found["spools"]["next"]


class _Slow(BaseHTTPRequestHandler):
    """A server whose clock is an hour behind."""

    def do_GET(self) -> None:
        body = b'{"status": "ok", "version": "0.1.0"}'
        self.send_response_only(200)
        self.send_header("Date", formatdate(self.server.now - 3600, usegmt=True))  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


def test_clocks_that_differ_and_what_is_no_server_are_said() -> None:
    server = HTTPServer(("127.0.0.1", 0), _Slow)
    server.now = time.time()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        found = _doctor(f"http://127.0.0.1:{server.server_port}", exits=1)  # it is no server of ours: /me is not there
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert "ahead of the server" in found["clock"]["says"]
    assert found["clock"]["state"] == "warn"
    assert found["access"]["state"] == "fail"
