"""`gnomon verify`: a sound home has nothing wrong; a byte or a row that was changed in any kind of thing is named."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import obstore
import pysqlite3.dbapi2 as sqlite
import pytest
from click.testing import CliRunner
from tests.support.postgres import Cluster
from tests.support.seaweed import Seaweed
from tests.support.tenant_life import live

from gnomon_server.app import open_server
from gnomon_server.commands.verify import command
from gnomon_server.core.mover import Mover
from gnomon_server.model.audit import Deed
from gnomon_server.model.batches import Identity, RunBatch
from gnomon_server.model.points import PointBatch
from gnomon_server.settings import load_settings
from gnomon_server.store.object_store import open_objects, place_of

KINDS = {"integrity", "references", "counts", "quotas", "audit log", "points", "summaries", "ledger", "artifacts"}
NOW_MS = 1_800_000_000_000


def _make(home: Path, *, moved: bool = False) -> None:
    """A home with what a tenant makes in its life, and a run with sealed points of two metrics and a tail."""
    server = open_server(load_settings(home=str(home), seal_points=1_000), clock=lambda: NOW_MS)
    try:
        live(server, "default", whole=False)
        live(server, "changed", whole=True)
        services = server.services
        principal = services.access.principal("default")
        made = services.experiments.create(principal, name="sealed", description="", artifact_location=None, tags={})
        run = services.runs.create(principal, experiment_uid=made.uid, name="sealed", description="", tags={}).uid
        for seq in range(2):
            value = 1 / np.arange(9.0, 1209)
            step, key = np.arange(1200.0) // 2, np.arange(1200, dtype=np.uint32) % 2
            points = PointBatch(["a", "b"], key, step, np.full(1200, NOW_MS, np.int64), value)
            services.ingest.append(principal.tenant, RunBatch(run, points, identity=Identity("w", seq))).wait()
            if not seq:
                assert server.upkeep.seal_due() == 1
        services.audit.record(Deed(action="key.create", actor="operator"))
        services.audit.record(Deed(action="key.revoke", actor="operator"))
        if moved:
            mover = Mover(services.stores, server.mover.chunks, age_hours=0, now_ms=lambda: NOW_MS + 1)
            mover.begin_pass()
            assert mover.move_page() == 2
    finally:
        server.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("verify") / "home"
    _make(home)
    return home


def _verify(home: Path) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(command, ["--home", str(home), "--json"])
    assert done.exit_code in (0, 1), done.output
    found = json.loads(done.stdout)
    verdicts = {verdict["name"]: verdict for verdict in found["verdicts"]}
    assert found["wrong"] == sum(verdict["wrong"] for verdict in verdicts.values())
    assert done.exit_code == (1 if found["wrong"] else 0)
    return found["wrong"], verdicts


@pytest.mark.embedded("a home of files")
def test_a_sound_home_has_nothing_wrong(sound: Path) -> None:
    wrong, verdicts = _verify(sound)
    assert (wrong, set(verdicts)) == (0, KINDS), verdicts
    assert {name: verdicts[name]["checked"] for name in ("artifacts", "audit log", "quotas")} == {
        "artifacts": 3,
        "audit log": 2,
        "quotas": 2,
    }
    assert verdicts["references"]["checked"] > 50
    said = CliRunner().invoke(command, ["--home", str(sound)]).output
    assert said.endswith("everything is as it was written\n")


RUN = "SELECT id FROM run_ WHERE name = 'sealed'"
A = f"run = ({RUN}) AND key = (SELECT id FROM key_ WHERE name = 'a')"
B = f"run = ({RUN}) AND key = (SELECT id FROM key_ WHERE name = 'b')"
# What is done to the database, whose verdict names it, and what it names.
DAMAGE = {
    "a byte of a chunk": (f"UPDATE chunk_ SET data = flip(data) WHERE {A}", "points", "metric a"),
    "statistics of a chunk": (f"UPDATE chunk_ SET high = high + 1 WHERE {A}", "points", "metric a"),
    "sum of a chunk": (f"UPDATE chunk_ SET total = total * 1.000001 WHERE {B}", "points", "metric b"),
    "a chunk": (f"DELETE FROM chunk_ WHERE {A}", "summaries", "metric a"),
    "bytes of a chunk": (f"UPDATE chunk_ SET data = x'' WHERE {A}", "points", "metric a"),
    "a byte of a segment": (f"UPDATE segment_ SET data = flip(data) WHERE run = ({RUN})", "summaries", "metric"),
    "the end of a segment": (
        f"UPDATE segment_ SET data = substr(data, 1, length(data) - 1) WHERE run = ({RUN})", "points", "segment"
    ),
    "the count of a segment": (f"UPDATE segment_ SET n = n + 1 WHERE run = ({RUN})", "points", "segment"),
    "a segment": (f"DELETE FROM segment_ WHERE run = ({RUN})", "summaries", "metric a"),
    "a series": (f"DELETE FROM series_ WHERE {A}", "summaries", "of run"),
    "the count of a series": (f"UPDATE series_ SET n = n + 1 WHERE {A}", "summaries", "the count"),
    "the last of a series": (f"UPDATE series_ SET last_value = 0.5 WHERE {A}", "summaries", "the last point"),
    "the first of a series": (f"UPDATE series_ SET first_step = 3 WHERE {A}", "summaries", "the first point"),
    "the least of a series": (f"UPDATE series_ SET low_step = 0 WHERE {A}", "summaries", "the least value"),
    "the greatest of a series": (f"UPDATE series_ SET high = 7 WHERE {A}", "summaries", "the greatest value"),
    "the sum of a series": (f"UPDATE series_ SET total = total * 1.000001 WHERE {A}", "summaries", "the sum"),
    "the ledger": (f"DELETE FROM ledger_ WHERE run = ({RUN})", "ledger", "of run"),
    "a count of the ledger": (f"UPDATE ledger_ SET points = 9999 WHERE run = ({RUN})", "ledger", "9999"),
    "a key": ("DELETE FROM key_ WHERE name = 'a'", "references", "key_"),
    "a run": ("DELETE FROM run_ WHERE name = 'r0'", "references", "run_"),
    "a content's row": ("DELETE FROM blob_", "references", "blob_"),
    "a count of runs": ("UPDATE experiment_ SET run_count = 9 WHERE name = 'e'", "counts", "counts 9 runs"),
    "the catalogue": ("UPDATE key_count_ SET runs = runs + 1 WHERE kind = 'tag'", "counts", "too many"),
    "a param": ("DELETE FROM param_ WHERE value = '1'", "counts", "too many"),
    "an artifact": ("DELETE FROM artifact_", "counts", "too many"),
    "the size of an artifact": ("UPDATE artifact_ SET size = 6", "counts", "its size"),
    "use of a content": ("UPDATE blob_ SET unused_ms = 5", "counts", "blob_"),
    "the experiment of a tag": ("UPDATE tag_ SET experiment = experiment + 1", "counts", "tag_"),
    "a counter": ("UPDATE usage_ SET points = points - 3", "quotas", "points of tenant default"),
    "an entry of the log": ("UPDATE audit_ SET actor = 'nobody' WHERE id = 1", "audit log", "entry 1"),
}  # fmt: skip


@pytest.mark.embedded("rows are changed behind the server's back")
@pytest.mark.parametrize("what", DAMAGE)
def test_what_was_changed_is_named(sound: Path, tmp_path: Path, what: str) -> None:
    statement, name, says = DAMAGE[what]
    home = tmp_path / "home"
    shutil.copytree(sound, home)
    with closing(sqlite.connect(str(home / "gnomon.db"), isolation_level=None)) as connection:
        connection.create_function("flip", 1, _flip)
        connection.execute("PRAGMA foreign_keys = OFF")
        assert connection.execute(statement).rowcount
    wrong, verdicts = _verify(home)
    assert wrong
    said = [f"{found['place']}: {found['says']}" for found in verdicts[name]["findings"]]
    assert any(says in line for line in said), verdicts


def _flip(data: bytes) -> bytes:
    """A bit of a byte in the middle."""
    at = len(data) // 2 | 7
    return data[:at] + bytes((data[at] ^ 64,)) + data[at + 1 :]


@pytest.mark.embedded("files of a home")
@pytest.mark.parametrize("how", ["changed", "cut", "gone"])
def test_a_damaged_content_is_named(sound: Path, tmp_path: Path, how: str) -> None:
    home = tmp_path / "home"
    shutil.copytree(sound, home)
    (content,) = (path for path in (home / "artifacts" / "1").rglob("*") if len(path.name) == 64)
    if how == "gone":
        content.unlink()
    else:
        content.write_bytes(b"First" if how == "changed" else b"firs")
    wrong, verdicts = _verify(home)
    assert wrong == verdicts["artifacts"]["wrong"] == 1
    assert content.name in verdicts["artifacts"]["findings"][0]["place"]


@pytest.mark.parametrize("engine", [pytest.param("sqlite", marks=pytest.mark.nightly), "postgresql"])
def test_objects_and_rows_of_a_shared_database_are_looked_at(
    seaweed: Seaweed, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    environment = seaweed.env(f"s3://gnomon/verify-{engine}")
    environment["GNOMON_CHUNKS"] = f"s3://gnomon/verify-chunks-{engine}"
    cluster, database = None, ""
    if engine == "postgresql":
        cluster = request.getfixturevalue("postgres")
        assert isinstance(cluster, Cluster)
        database = cluster.make_database()
        environment["GNOMON_DATABASE"] = cluster.url(database)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    _make(home, moved=True)
    assert _verify(home)[0] == 0
    settings, tenant = load_settings(home=str(home)), 1
    for url, name in ((settings.chunks, "points"), (settings.artifacts, "artifacts")):
        store = open_objects(place_of(settings, url))
        paths = [each["path"] for page in obstore.list(store) for each in page]
        key = next(path for path in paths if f"/{tenant}/" in path)
        data = bytes(obstore.get(store, key).bytes())
        obstore.put(store, key, _flip(data) if name == "points" else b"First")
        wrong, verdicts = _verify(home)
        assert wrong == verdicts[name]["wrong"] == 1, verdicts
        obstore.delete(store, key)
        wrong, verdicts = _verify(home)
        assert wrong == verdicts[name]["wrong"] == (2 if name == "points" else 1), verdicts
        obstore.put(store, key, data)
    assert _verify(home)[0] == 0
    if cluster is not None:
        with cluster.connect(database) as connection:
            connection.execute("SET session_replication_role = replica")  # no reference is looked at
            connection.execute("DELETE FROM run_ WHERE name = 'r0'")
        assert "run_" in _verify(home)[1]["references"]["findings"][0]["says"]


@pytest.mark.embedded("it asks for a file")
def test_what_is_no_home_is_a_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--home", str(tmp_path)])
    assert done.exit_code == 1
    assert "there is no database" in done.output
    assert not list(tmp_path.iterdir())
