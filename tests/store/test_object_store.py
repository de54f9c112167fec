"""Artifacts in a real object store: whole or not there, one object an upload, and swept only when nobody needs them."""

import hashlib
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from tests.fault.test_artifact_interleavings import CONTENTS, PATHS, new_run, put
from tests.support.seaweed import KEY_ID, SECRET, Seaweed, free_ports
from tests.support.server_process import ServerProcess

from gnomon_server.app import Server, open_server
from gnomon_server.core.access import Principal
from gnomon_server.model.errors import ArtifactNotFound, InvalidRequest, RunArchived
from gnomon_server.settings import Settings, load_settings
from gnomon_server.store import backup
from gnomon_server.store.object_store import RemoteStore, StoreRefused, open_objects, place_of

DAY_MS = 24 * 3_600_000
WEEKS_MS = 30 * DAY_MS
# Puts many megabytes through one upload and reads them back, and says what the process held at most, before and after.
LARGE = """
import resource, sys
from pathlib import Path
from gnomon_server.model.ids import TenantId
from gnomon_server.settings import load_settings
from gnomon_server.store.local_blobs import LocalBlobs
from gnomon_server.store.object_blobs import ObjectBlobs
from gnomon_server.store.object_store import Ownership, open_objects, place_of
import hashlib

place = place_of(load_settings(), load_settings().artifacts)
store = open_objects(place)
blobs = ObjectBlobs(store, LocalBlobs(Path(sys.argv[1])), Ownership(store, place, "nobody's yet"))
tenant, piece, pieces = TenantId(1), bytes(range(256)) * 1024, int(sys.argv[2]) * 4
warm = blobs.begin(tenant)
warm.write(b"x")
warm.finish()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
incoming = blobs.begin(tenant)
for _ in range(pieces):
    incoming.write(piece)
content = incoming.finish()
stored = incoming.publish(content.sha256)
file, digest = blobs.open(tenant, content.sha256, stored), hashlib.sha256()
while read := file.read(131072):
    digest.update(read)
file.close()
assert digest.hexdigest() == content.sha256 and content.size == pieces * len(piece)
blobs.remove([stored])
print(before // 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.fixture
def place(seaweed: Seaweed, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of a prefix of this test's own, as the environment has them."""
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    env = seaweed.env(f"s3://gnomon/{digest}")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return env


@pytest.fixture
def server(tmp_path: Path, place: dict[str, str]) -> Iterator[Server]:
    opened = open_server(load_settings(home=str(tmp_path / "home"), artifact_grace_hours=0))
    yield opened
    opened.close()


def objects(settings: Settings) -> dict[str, int]:
    """What stands in the store, but for the mark of who owns it."""
    found = obstore.list(open_objects(place_of(settings, settings.artifacts)))
    return {each["path"]: each["size"] for page in found for each in page if each["path"] != "gnomon-installation"}


def store_of(settings: Settings) -> RemoteStore:
    return open_objects(place_of(settings, settings.artifacts))


def read(server: Server, principal: Principal, run: str, path: str) -> tuple[str, bytes]:
    opened = server.services.artifacts.open(principal, run, path)
    try:
        return opened.artifact.sha256, b"".join(iter(lambda: opened.file.read(1 << 20), b""))
    finally:
        opened.file.close()


def test_equal_contents_are_one_object_in_a_tenant_and_apart_between_tenants(server: Server) -> None:
    artifacts = server.services.artifacts
    one, run = new_run(server, "one")
    two, foreign = new_run(server, "two")
    for path in ("a", "b", "a"):
        put(artifacts, one, run, path, b"same")
    put(artifacts, two, foreign, "a", b"same")
    put(artifacts, one, run, "empty", b"")
    found = objects(server.settings)
    assert sorted(found.values()) == [0, 4, 4]
    assert {key.split("/")[0] for key in found} == {"contents"}
    assert len({key.split("/")[1] for key in found}) == 2
    assert read(server, one, run, "b")[1] == b"same"
    assert read(server, one, run, "empty")[1] == b""


def test_every_object_is_a_download_whoever_serves_it(server: Server) -> None:
    principal, run = new_run(server, "one")
    put(server.services.artifacts, principal, run, "page.html", b"<script>alert(1)</script>")
    (key,) = objects(server.settings)
    attributes = obstore.get(store_of(server.settings), key).attributes
    assert attributes["Content-Disposition"] == "attachment"
    assert attributes["Content-Type"] == "application/octet-stream"


def test_an_upload_that_is_refused_or_given_up_leaves_no_object(server: Server) -> None:
    artifacts = server.services.artifacts
    principal, run = new_run(server, "one")
    put(artifacts, principal, run, "f", b"a file")
    with pytest.raises(InvalidRequest, match="is a file of this run"):
        put(artifacts, principal, run, "f/below", b"x")
    upload = artifacts.begin(principal, run, "g")
    upload.write(bytes(20_000_000))  # some parts of it are in the store
    upload.close()
    late = artifacts.begin(principal, run, "h")
    late.write(b"late")
    server.services.runs.archive(principal, run)
    with pytest.raises(RunArchived):
        late.commit()
    late.close()
    assert list(objects(server.settings).values()) == [6]


def test_an_unused_content_goes_after_its_grace_and_an_object_without_a_row_after_a_week(server: Server) -> None:
    artifacts, now_ms = server.services.artifacts, server.services.now_ms
    principal, run = new_run(server, "one")
    put(artifacts, principal, run, "f", b"old")
    put(artifacts, principal, run, "f", b"new")
    assert artifacts.sweep(now_ms() + 1_000) == 1
    assert read(server, principal, run, "f")[1] == b"new"
    incoming = server.services.stores.blobs.begin(principal.tenant)
    incoming.write(b"an object, and then the server was killed")
    incoming.finish()
    obstore.put(store_of(server.settings), "somebody/elses", b"not ours")
    assert artifacts.sweep(now_ms() + 2 * DAY_MS) == 0
    assert artifacts.sweep(now_ms() + 8 * DAY_MS) == 1
    assert sorted(objects(server.settings).values()) == [3, 8]
    assert read(server, principal, run, "f")[1] == b"new"


def test_uploads_sweeps_and_reads_at_once_lose_nothing_that_is_listed(server: Server) -> None:
    artifacts = server.services.artifacts
    runs = [new_run(server, "one"), new_run(server, "two")]
    failures: list[BaseException] = []
    done = threading.Event()
    swept = 0

    def upload(seed: int) -> None:
        rng = random.Random(seed)
        try:
            for _ in range(60):
                principal, run = rng.choice(runs)
                put(artifacts, principal, run, rng.choice(PATHS), rng.choice(CONTENTS))
        except BaseException as error:
            failures.append(error)

    def sweep() -> None:
        nonlocal swept
        try:
            while not done.is_set():
                swept += artifacts.sweep(server.services.now_ms() + 1)
        except BaseException as error:
            failures.append(error)

    uploaders = [threading.Thread(target=upload, args=(seed,)) for seed in range(4)]
    sweeper = threading.Thread(target=sweep)
    for thread in (*uploaders, sweeper):
        thread.start()
    for thread in uploaders:
        thread.join()
    done.set()
    sweeper.join()
    assert not failures, failures
    visible: set[tuple[object, str]] = set()
    for principal, run in runs:
        for path in PATHS:
            try:
                sha256, data = read(server, principal, run, path)
            except ArtifactNotFound:
                continue
            assert hashlib.sha256(data).hexdigest() == sha256
            visible.add((principal.tenant, sha256))
    artifacts.sweep(server.services.now_ms() + 1_000)
    assert len(objects(server.settings)) == len(visible)
    assert swept > 10


def test_files_of_before_stay_on_the_disk_and_are_read_from_there(tmp_path: Path, place: dict[str, str]) -> None:
    home = str(tmp_path / "home")
    first = open_server(Settings(home=home))
    principal, run = new_run(first, "one")
    put(first.services.artifacts, principal, run, "f", b"on the disk")
    first.close()
    second = open_server(load_settings(home=home))
    try:
        put(second.services.artifacts, principal, run, "g", b"in the store")
        put(second.services.artifacts, principal, run, "h", b"on the disk")
        assert read(second, principal, run, "f")[1] == read(second, principal, run, "h")[1] == b"on the disk"
        assert second.services.artifacts.sweep(second.services.now_ms() + WEEKS_MS) == 0
        assert list(objects(second.settings).values()) == [12]
    finally:
        second.close()
    with pytest.raises(StoreRefused, match="GNOMON_ARTIFACTS names none"):
        open_server(Settings(home=home))


def test_a_place_belongs_to_one_database(tmp_path: Path, server: Server) -> None:
    with pytest.raises(StoreRefused, match="another Gnomon database"):
        open_server(load_settings(home=str(tmp_path / "other")))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"GNOMON_ARTIFACTS": "ftp://somewhere/else"}, "is no object store"),
        ({"GNOMON_ARTIFACTS": "memory:///"}, "is no object store"),
        ({"GNOMON_ARTIFACTS_ALLOW_HTTP": "0"}, "GNOMON_ARTIFACTS_ALLOW_HTTP=1"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong-and-secret"}, "refuses this server"),
        ({"GNOMON_ARTIFACTS_ENDPOINT": "http://127.0.0.1:{closed}"}, "cannot be reached or written"),
    ],
)
def test_a_server_that_cannot_use_its_store_does_not_start_and_says_why(
    tmp_path: Path, place: dict[str, str], change: dict[str, str], sentence: str
) -> None:
    closed = str(free_ports(1)[0])
    env = {**place, **{name: value.format(closed=closed) for name, value in change.items()}}
    with pytest.raises(RuntimeError, match="ended with 1") as refused:
        ServerProcess(tmp_path / "home", env=env).start()
    said = str(refused.value)
    assert sentence in said
    assert "Traceback" not in said
    for secret in (SECRET, "wrong-and-secret", KEY_ID):
        assert secret not in said


def test_a_large_file_takes_little_memory_both_ways(tmp_path: Path, place: dict[str, str]) -> None:
    megabytes = 256
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path), str(megabytes)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert after - before < 64


def test_a_backup_copies_what_stands_on_the_disk(tmp_path: Path, server: Server) -> None:
    principal, run = new_run(server, "one")
    put(server.services.artifacts, principal, run, "f", b"in the store")
    home = server.settings.home_path

    def say(_doing: str, _done: int, _of: int) -> None:
        pass

    place, manifest = backup.take(home / "gnomon.db", home / "artifacts", tmp_path / "backups", progress=say)
    assert manifest.contents == 0
    assert manifest.rows["blob_object_"] == 1
    assert backup.verify(place, progress=say) == manifest
