"""Backups of PostgreSQL: taken under load, put back into either database, and every answer compared."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from tests.support.everything import Answers, answers, fill
from tests.support.postgres import OWNER, SERVING, Cluster
from tests.support.secured import gnomon
from tests.support.server_process import ServerProcess

BATCH = 50
TENANTS = ("default", "other")
ENV = {"GNOMON_SEAL_IDLE_SECS": "0.05"}


class Source:
    """A server on PostgreSQL with everything in it, on which one run is logged to."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.database = cluster.make_database()
        self.home = folder / "home"
        self.server = ServerProcess(self.home, "--database", cluster.url(self.database), env=ENV).start()
        for tenant in TENANTS:
            with self.server.client(tenant) as api:
                fill(api, f"of {tenant}")
        wait_until_sealed(cluster, self.database)
        self.before = {tenant: read(self.server, tenant) for tenant in TENANTS}
        self.kept = 0
        self.backups = folder / "backups"
        self.back_up(self.backups)

    def back_up(self, folder: Path, *options: str) -> dict[str, object]:
        settings = {"GNOMON_DATABASE": self.cluster.url(self.database)}
        taken = gnomon("backup", "take", str(folder), "--home", str(self.home), "--json", *options, settings=settings)
        assert taken.returncode == 0, taken.stderr
        assert "database" in taken.stderr or not taken.stderr
        found: dict[str, object] = json.loads(taken.stdout)
        return found

    def log_until(self, stop: Event, run: str) -> None:
        with self.server.client("loaded") as api:
            while not stop.is_set():
                send(api, run, self.kept)
                self.kept += 1


def send(api: httpx.Client, run: str, seq: int) -> dict[str, object]:
    points = {"key": [0] * BATCH, "step": list(range(seq * BATCH, (seq + 1) * BATCH))}
    columns = {**points, "keys": ["loss"], "timestamp": [1] * BATCH, "value": [0.5] * BATCH}
    answer = api.post(f"/experiments/runs/{run}/batches", json={"writer": "w", "seq": seq, "points": columns})
    answer.raise_for_status()
    found: dict[str, object] = answer.json()
    return found


def read(server: ServerProcess, tenant: str) -> Answers:
    with server.client(tenant) as api:
        return answers(api)


def go_on(server: ServerProcess, tenant: str) -> None:
    """Log the points of every run again with other values: of two that have a step the later one counts."""
    with server.client(tenant) as api:
        for run in api.get("/experiments/runs").json()["runs"]:
            points = [{"key": "loss", "value": 7.5, "step": step, "timestamp": 2000} for step in range(0, 200, 2)]
            api.post(f"/experiments/runs/{run['id']}/log-batch", json={"metrics": points}).raise_for_status()


def series(server: ServerProcess, tenant: str) -> dict[str, object]:
    with server.client(tenant) as api:
        runs = [run["id"] for run in api.get("/experiments/runs").json()["runs"]]
        return {run: api.get(f"/experiments/runs/{run}/history").json() for run in runs}


def wait_until_sealed(cluster: Cluster, database: str) -> None:
    ends = time.monotonic() + 120
    with cluster.connect(database) as connection:
        while connection.execute("SELECT count(*) FROM segment_").fetchone() != (0,):
            assert time.monotonic() < ends, "the points are not sealed"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def source(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    made = Source(postgres, tmp_path_factory.mktemp("shared"))
    yield made
    assert made.server.stop() == 0


def test_a_backup_under_load_is_put_back_into_both_databases(source: Source, postgres: Cluster, tmp_path: Path) -> None:
    with source.server.client("loaded") as api:
        experiment = api.post("/experiments", json={"name": "loaded"}).json()["id"]
        run = str(api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"])
    stop = Event()
    load = Thread(target=source.log_until, args=(stop, run))
    load.start()
    while source.kept < 5:
        assert load.is_alive()
    before = source.kept
    folder = tmp_path / "backups"
    taken = source.back_up(folder)
    after = source.kept
    again = source.back_up(folder)
    stop.set()
    load.join()
    manifest = taken["manifest"]
    assert isinstance(manifest, dict)
    assert manifest["contents"] == 2
    contents = [path for path in (folder / "contents").rglob("*") if path.is_file()]
    assert len(contents) == 2, "the second backup shares the contents of the first"
    name = Path(str(taken["backup"])).name
    assert gnomon("backup", "verify", str(folder), "--at", name).returncode == 0
    assert again["backup"] != taken["backup"]

    database = postgres.make_database(is_empty=True)
    to_postgres = ("--database", postgres.url(database, OWNER), "--serving-role", SERVING)
    for home, options in (("shared", to_postgres), ("embedded", ())):
        put = gnomon("restore", str(folder), "--at", name, "--home", str(tmp_path / home), *options, "--json")
        assert put.returncode == 0, put.stderr
        assert json.loads(put.stdout)["manifest"] == manifest
    servers = [
        ServerProcess(tmp_path / "shared", "--database", postgres.url(database), env=ENV).start(),
        ServerProcess(tmp_path / "embedded", env=ENV).start(),
    ]
    for server in servers:
        assert {tenant: read(server, tenant) for tenant in TENANTS} == source.before
        with server.client("loaded") as api:
            total = api.get(f"/experiments/runs/{run}/history", params={"key": "loss", "limit": 1}).json()
            points = int(total["series"][0]["total"])
            # What was acknowledged before is in it; a batch is in it whole or not at all.
            assert before * BATCH <= points <= (after + 1) * BATCH
            assert points % BATCH == 0
            assert send(api, run, points // BATCH - 1)["duplicate"] is True
    # Numbers of points go on after those that were given out: what comes now is later than what was sealed.
    for server in servers:
        go_on(server, "default")
    wait_until_sealed(postgres, database)
    go_on(source.server, "default")
    wait_until_sealed(postgres, source.database)
    expected = series(source.server, "default")
    assert [series(server, "default") for server in servers] == [expected, expected]
    source.before["default"] = read(source.server, "default")
    assert [server.stop() for server in servers] == [0, 0]


def test_a_backup_of_an_embedded_database_is_put_into_postgresql(postgres: Cluster, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    with server.client("default") as api:
        fill(api, "embedded")
    before = read(server, "default")
    taken = gnomon("backup", str(tmp_path / "backups"), "--home", str(server.home))
    assert server.stop() == 0
    assert taken.returncode == 0, taken.stderr
    database = postgres.make_database(is_empty=True)
    to_postgres = ("--database", postgres.url(database, OWNER), "--serving-role", SERVING)
    put = gnomon("restore", str(tmp_path / "backups"), "--home", str(tmp_path / "new"), *to_postgres)
    assert put.returncode == 0, put.stderr
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["artifacts"]
    other = ServerProcess(tmp_path / "new", "--database", postgres.url(database)).start()
    assert read(other, "default") == before
    assert other.stop() == 0


def test_a_database_with_rows_is_left_as_it_is(source: Source, postgres: Cluster, tmp_path: Path) -> None:
    url = postgres.url(source.database, OWNER)
    refused = gnomon("restore", str(source.backups), "--home", str(tmp_path / "new"), "--database", url)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list((tmp_path / "new").iterdir()) == []
    assert {tenant: read(source.server, tenant) for tenant in TENANTS} == source.before


def test_what_fails_in_the_middle_leaves_no_row_and_no_file(source: Source, postgres: Cluster, tmp_path: Path) -> None:
    database = postgres.make_database()
    with postgres.connect(database) as connection:
        # As a full disk does it, in the last of the tables with points.
        connection.execute("ALTER TABLE chunk_ ADD CONSTRAINT full_disk CHECK (n < 0)")
    options = ("--home", str(tmp_path / "new"), "--database", postgres.url(database, OWNER))
    refused = gnomon("restore", str(source.backups), *options)
    assert refused.returncode == 1
    assert "nothing was put back" in refused.stderr
    assert list((tmp_path / "new").iterdir()) == []
    with postgres.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM tenant_").fetchone() == (0,)
        connection.execute("ALTER TABLE chunk_ DROP CONSTRAINT full_disk")
    put = gnomon("restore", str(source.backups), *options)
    assert put.returncode == 0, put.stderr


def test_what_cannot_be_copied_is_said(postgres: Cluster, tmp_path: Path) -> None:
    database = postgres.make_database()
    empty = postgres.make_database(is_empty=True)
    with postgres.connect(database) as connection:
        connection.execute("CREATE ROLE gnomon_nobody LOGIN")
        connection.execute("DROP POLICY gnomon_everyone ON run_")
    said = {}
    for name, url in (
        ("none", "postgresql://nobody:hush@127.0.0.1:1/none"),
        ("empty", postgres.url(empty)),
        ("foreign", postgres.url(database, "gnomon_nobody")),
        ("hidden", postgres.url(database)),
    ):
        taken = gnomon("backup", str(tmp_path / "b"), "--home", str(tmp_path), settings={"GNOMON_DATABASE": url})
        assert taken.returncode == 1
        assert "Traceback" not in taken.stderr
        said[name] = taken.stderr
    assert "hush" not in said["none"]
    assert "PostgreSQL refused" in said["none"]
    assert "has no tables" in said["empty"]
    assert "the role that serves, or of the owner" in said["foreign"]
    assert "rows of run_ would not be seen" in said["hidden"]
    assert list((tmp_path / "b").iterdir()) == []
