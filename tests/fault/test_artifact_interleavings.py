"""Uploads, replacements, refusals, reads and sweeps at once, with no grace at all: what is listed is readable."""

import hashlib
import random
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.server_process import chosen_database

from gnomon_server.app import Server, open_server
from gnomon_server.core.access import Principal
from gnomon_server.core.artifacts import Artifacts
from gnomon_server.model.entities import Artifact
from gnomon_server.model.errors import ArtifactNotFound, InvalidRequest, RunArchived, TooLarge
from gnomon_server.settings import Settings

UPLOADS = 1_000
UPLOADERS = 4
PATHS = [f"d{i % 3}/f{i}" for i in range(8)]
# Few contents, so that uploads keep meeting contents that were just dropped, and sweeps that are just taking them.
CONTENTS = [bytes([i]) * (50 * i) for i in range(6)]


def _settings(home: Path, **others: int) -> Settings:
    return Settings(home=str(home), database=chosen_database(home), **others)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    opened = open_server(_settings(tmp_path / "home", artifact_grace_hours=0, max_artifact_bytes=1_000))
    yield opened
    opened.close()


def new_run(server: Server, tenant: str) -> tuple[Principal, str]:
    principal = server.services.access.principal(tenant)
    experiment = server.services.experiments.create(
        principal, name="files", description="", artifact_location=None, tags={}
    )
    run = server.services.runs.create(principal, experiment_uid=experiment.uid, name=None, description="", tags={})
    return principal, run.uid


def put(artifacts: Artifacts, principal: Principal, run: str, path: str, data: bytes) -> Artifact:
    upload = artifacts.begin(principal, run, path)
    try:
        upload.write(data)
        return upload.commit()
    finally:
        upload.close()


def read(artifacts: Artifacts, principal: Principal, run: str, path: str) -> tuple[Artifact, bytes]:
    opened = artifacts.open(principal, run, path)
    try:
        return opened.artifact, b"".join(iter(lambda: opened.file.read(1 << 20), b""))
    finally:
        opened.file.close()


def files_below(server: Server) -> set[str]:
    """The names of all files but the locks that processes on one database hold beside them."""
    root = server.settings.home_path / "artifacts"
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path.name for path in files if path.parts[0] not in ("processes", "locks")}


class World:
    """Threads that work on the same few paths and contents of two tenants until the uploaders are done."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.artifacts = server.services.artifacts
        self.runs = [new_run(server, "one"), new_run(server, "two")]
        self.failures: list[BaseException] = []
        self.reads = self.swept = 0
        self._seed = seed
        self._done = threading.Event()

    def play(self) -> None:
        uploaders = [threading.Thread(target=self._guarded, args=(self._upload, i)) for i in range(UPLOADERS)]
        others = [
            threading.Thread(target=self._guarded, args=(work, i)) for i, work in enumerate((self._read, self._sweep))
        ]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            for thread in (*uploaders, *others):
                thread.start()
            for thread in uploaders:
                thread.join()
            self._done.set()
            for thread in others:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        if self.failures:
            raise self.failures[0]

    def _guarded(self, work: Callable[[random.Random], None], number: int) -> None:
        try:
            work(random.Random(self._seed * 1_000 + number))
        except BaseException as error:
            self.failures.append(error)

    def _upload(self, rng: random.Random) -> None:
        for _ in range(UPLOADS // UPLOADERS):
            principal, run = rng.choice(self.runs)
            data = rng.choice(CONTENTS)
            if rng.random() < 0.1:  # one that is refused at its end, after the content got its name
                with pytest.raises(InvalidRequest, match="is a file of this run"):
                    put(self.artifacts, principal, run, f"{rng.choice(PATHS)}/below", data)
                continue
            kept = put(self.artifacts, principal, run, rng.choice(PATHS), data)
            assert kept.sha256 == hashlib.sha256(data).hexdigest()

    def _read(self, rng: random.Random) -> None:
        while not self._done.is_set():
            principal, run = rng.choice(self.runs)
            try:
                artifact, data = read(self.artifacts, principal, run, rng.choice(PATHS))
            except ArtifactNotFound:
                continue
            assert hashlib.sha256(data).hexdigest() == artifact.sha256
            self.reads += 1

    def _sweep(self, _rng: random.Random) -> None:
        while not self._done.is_set():
            self.swept += self.artifacts.sweep(self.server.services.now_ms() + 1)


@pytest.mark.parametrize("seed", [1])
def test_every_visible_artifact_stays_readable(server: Server, seed: int) -> None:
    world = World(server, seed)
    for principal, run in world.runs:
        for path in PATHS:
            put(world.artifacts, principal, run, path, CONTENTS[0])
    world.play()
    visible: set[str] = set()
    for principal, run in world.runs:
        for path in PATHS:
            artifact, data = read(world.artifacts, principal, run, path)
            assert hashlib.sha256(data).hexdigest() == artifact.sha256
            visible.add(artifact.sha256)
    world.artifacts.sweep(server.services.now_ms() + 1)
    assert files_below(server) == visible
    assert world.reads > 100
    assert world.swept > 20  # a transaction of PostgreSQL takes longer


def test_a_content_is_kept_for_the_grace_and_its_use_starts_anew(tmp_path: Path) -> None:
    now_ms = 1_000_000_000_000
    hour_ms = 3_600_000
    opened = open_server(_settings(tmp_path / "home", artifact_grace_hours=2), clock=lambda: now_ms)
    try:
        artifacts = opened.services.artifacts
        principal, run = new_run(opened, "one")
        old = put(artifacts, principal, run, "f", b"old")
        new = put(artifacts, principal, run, "f", b"new")
        assert (old.version, new.version) == (1, 2)
        assert artifacts.sweep(now_ms + 2 * hour_ms - 1) == 0
        assert files_below(opened) == {old.sha256, new.sha256}
        put(artifacts, principal, run, "g", b"old")
        assert artifacts.sweep(now_ms + 3 * hour_ms) == 0
        put(artifacts, principal, run, "g", b"new")
        assert artifacts.sweep(now_ms + 2 * hour_ms) == 1
        assert files_below(opened) == {new.sha256}
        assert read(artifacts, principal, run, "g")[1] == b"new"
    finally:
        opened.close()


def test_a_content_that_two_artifacts_share_goes_with_the_last(server: Server) -> None:
    artifacts = server.services.artifacts
    principal, run = new_run(server, "one")
    foreign, foreign_run = new_run(server, "two")
    shared = put(artifacts, principal, run, "a", b"shared")
    for path in ("b", "b"):
        put(artifacts, principal, run, path, b"shared")
    put(artifacts, foreign, foreign_run, "a", b"shared")
    later_ms = server.services.now_ms() + 10
    put(artifacts, principal, run, "a", b"x")
    assert artifacts.sweep(later_ms) == 0
    assert read(artifacts, principal, run, "b")[1] == b"shared"
    put(artifacts, principal, run, "b", b"x")
    assert artifacts.sweep(later_ms + 1_000) == 1
    assert read(artifacts, foreign, foreign_run, "a")[0].sha256 == shared.sha256


def test_the_first_sweep_of_a_process_finds_files_without_a_row(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "home")
    first = open_server(settings)
    principal, run = new_run(first, "one")
    kept = put(first.services.artifacts, principal, run, "f", b"kept")
    blobs = first.services.stores.blobs
    incoming = blobs.begin(principal.tenant)
    incoming.write(b"published, and then the power went")
    stray = incoming.finish().sha256
    incoming.publish(stray)
    first.close()
    again = open_server(settings)
    try:
        assert files_below(again) == {kept.sha256, stray}
        assert again.services.artifacts.sweep(again.services.now_ms()) == 1
        assert files_below(again) == {kept.sha256}
    finally:
        again.close()


def test_an_upload_may_be_as_large_as_allowed_and_not_a_byte_larger(server: Server) -> None:
    artifacts = server.services.artifacts
    principal, run = new_run(server, "one")
    assert put(artifacts, principal, run, "f", bytes(1_000)).size == 1_000
    upload = artifacts.begin(principal, run, "g")
    upload.write(bytes(1_000))
    with pytest.raises(TooLarge):
        upload.write(b"x")
    upload.close()
    assert len(files_below(server)) == 1


def test_a_run_archived_before_the_end_of_an_upload_leaves_no_trace_of_it(server: Server) -> None:
    artifacts = server.services.artifacts
    principal, run = new_run(server, "one")
    upload = artifacts.begin(principal, run, "f")
    upload.write(b"late")
    server.services.runs.archive(principal, run)
    with pytest.raises(RunArchived):
        upload.commit()
    upload.close()
    assert files_below(server) == set()
