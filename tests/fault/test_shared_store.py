"""Three servers on one PostgreSQL and one bucket: each uploads, shares contents, replaces, sweeps and reads at once.

What a sweep of one server removes, no other server needs: every file that is listed can be read from each of them, with
the bytes that were sent; and what nobody needs any more does go.
"""

import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fault.test_artifact_interleavings import new_run, put, read
from tests.support.postgres import Cluster
from tests.support.seaweed import Seaweed

from gnomon_server.app import Server, open_server
from gnomon_server.model.errors import ArtifactNotFound
from gnomon_server.settings import load_settings

UPLOADS = 60
PATHS = [f"d{nth % 2}/f{nth}" for nth in range(5)]
# Few contents, so that servers keep meeting what another has just dropped, or is sweeping now.
CONTENTS = [bytes([nth]) * (50 * nth) for nth in range(6)]


@pytest.fixture
def servers(
    tmp_path: Path, postgres: Cluster, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Server]]:
    """As on three hosts: nothing is shared but the database and the bucket."""
    for name, value in seaweed.env("s3://gnomon/three").items():
        monkeypatch.setenv(name, value)
    url = postgres.url(postgres.make_database())
    opened = [
        open_server(load_settings(home=str(tmp_path / f"home{nth}"), database=url, artifact_grace_hours=0))
        for nth in range(3)
    ]
    yield opened
    for server in opened:
        server.close()


class Play:
    """An uploader, a reader and a sweeper at each server, until the uploaders are done."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        first = servers[0]
        self.runs = [new_run(first, tenant) for tenant in ("one", "two")]
        for principal, run in self.runs:
            for path in PATHS:
                put(first.services.artifacts, principal, run, path, CONTENTS[0])
        self.reads = self.swept = 0
        self.failures: list[BaseException] = []
        self._done = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        uploaders = [self._thread(self._upload, nth, server) for nth, server in enumerate(self.servers)]
        beside = (self._read, self._sweep)
        others = [self._thread(work, nth, server) for nth, server in enumerate(self.servers) for work in beside]
        for thread in (*uploaders, *others):
            thread.start()
        for thread in uploaders:
            thread.join()
        self._done.set()
        for thread in others:
            thread.join()
        assert self.failures == []

    def _thread(self, work: Callable[[random.Random, Server], None], number: int, server: Server) -> threading.Thread:
        return threading.Thread(target=self._guarded, args=(work, number, server))

    def _guarded(self, work: Callable[[random.Random, Server], None], number: int, server: Server) -> None:
        try:
            work(random.Random(number), server)
        except BaseException as error:
            self.failures.append(error)

    def _upload(self, rng: random.Random, server: Server) -> None:
        for _ in range(UPLOADS):
            principal, run = rng.choice(self.runs)
            data = rng.choice(CONTENTS)
            kept = put(server.services.artifacts, principal, run, rng.choice(PATHS), data)
            assert kept.sha256 == hashlib.sha256(data).hexdigest()

    def _read(self, rng: random.Random, server: Server) -> None:
        while not self._done.is_set():
            principal, run = rng.choice(self.runs)
            try:
                artifact, data = read(server.services.artifacts, principal, run, rng.choice(PATHS))
            except ArtifactNotFound:
                continue
            assert hashlib.sha256(data).hexdigest() == artifact.sha256
            with self._lock:
                self.reads += 1

    def _sweep(self, _rng: random.Random, server: Server) -> None:
        while not self._done.is_set():
            swept = server.services.artifacts.sweep(server.services.now_ms() + 1)
            with self._lock:
                self.swept += swept


def _contents_kept(servers: list[Server]) -> int:
    """How many contents the database says the bucket holds."""
    with servers[0].services.stores.database.system() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM blob_").scalar_one())


@pytest.mark.nightly
def test_no_server_sweeps_what_another_needs(servers: list[Server]) -> None:
    play = Play(servers)
    play.run()
    visible: set[tuple[int, bytes]] = set()
    for principal, run in play.runs:
        for path in PATHS:
            told = set()
            for server in servers:
                artifact, data = read(server.services.artifacts, principal, run, path)
                assert hashlib.sha256(data).hexdigest() == artifact.sha256
                told.add((principal.tenant, data))
            assert len(told) == 1, "servers differ in what a file holds"
            visible |= told
    for server in servers:
        server.services.artifacts.sweep(server.services.now_ms() + 1)
    assert _contents_kept(servers) == len(visible)
    # The test has teeth: files were read and contents removed while others came.
    assert play.reads > 20
    assert play.swept > 20


@pytest.mark.nightly
def test_a_deleted_run_frees_its_files_and_not_those_that_another_server_shares(servers: list[Server]) -> None:
    one, two, three = servers
    principal, run = new_run(one, "one")
    made = two.services.experiments.create(principal, name="other", description="", artifact_location=None, tags={})
    other = two.services.runs.create(principal, experiment_uid=made.uid, name=None, description="", tags={}).uid
    shared = put(one.services.artifacts, principal, run, "f", b"shared")
    own = put(one.services.artifacts, principal, run, "g", b"own")
    put(two.services.artifacts, principal, other, "f", b"shared")
    three.services.runs.archive(principal, run)
    three.services.runs.purge(principal, run)
    assert three.services.artifacts.sweep(three.services.now_ms() + 1) == 1
    for server in servers:
        assert read(server.services.artifacts, principal, other, "f")[0].sha256 == shared.sha256
    assert own.sha256 != shared.sha256
    assert _contents_kept(servers) == 1
