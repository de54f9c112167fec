"""The object store fails: what was acknowledged is there, what was not is refused politely, and logging goes on."""

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.seaweed import Seaweed, SeaweedCluster
from tests.support.server_process import ServerProcess

UPLOADERS = 3
# Files that are acknowledged before a volume server is killed, and after it.
BEFORE, AFTER = 60, 120
_PATIENCE_SECS = 240


def _new_run(api: httpx.Client) -> str:
    experiment = api.post("/experiments", json={"name": f"e{random.random()}"}).json()["id"]
    return str(api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"])


def _put(api: httpx.Client, run: str, name: str, data: bytes) -> httpx.Response:
    return api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, data)})


def test_a_store_that_is_gone_is_503_and_metrics_go_on(tmp_path: Path) -> None:
    seaweed = Seaweed(tmp_path / "seaweed")
    (tmp_path / "seaweed").mkdir()
    seaweed.start()
    server = ServerProcess(tmp_path / "home", env=seaweed.env()).start()
    try:
        with server.client() as api:
            run = _new_run(api)
            assert _put(api, run, "before", b"kept").status_code == 200
            seaweed.stop()
            for answer in (_put(api, run, "during", b"x"), api.get(f"/experiments/runs/{run}/artifacts/before")):
                assert answer.status_code == 503
                assert answer.json()["code"] == "storage_unavailable"
                assert int(answer.headers["Retry-After"]) > 0
            logged = api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 0.5}})
            assert logged.status_code == 200
            names = [each["path"] for each in api.get(f"/experiments/runs/{run}/artifacts").json()["artifacts"]]
            assert names == ["before"]
            seaweed.start()
            assert _read_again(api, run, "before") == b"kept"
            assert _put(api, run, "after", b"y").status_code == 200
        assert server.stop() == 0
    finally:
        server.kill()
        seaweed.stop()


def _read_again(api: httpx.Client, run: str, name: str) -> bytes:
    """A file once its store has found it again: the gateway answers before its volumes do; until then it is 503."""
    until = time.monotonic() + _PATIENCE_SECS
    while True:
        answer = api.get(f"/experiments/runs/{run}/artifacts/{name}")
        if answer.status_code == 200:
            return answer.content
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < until, f"{name} is not found again: {answer.text}"
        time.sleep(0.1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[SeaweedCluster]:
    cluster = SeaweedCluster(tmp_path / "cluster")
    try:
        yield cluster.start()
    finally:
        cluster.stop()


class Load:
    """Uploaders that try each file until it is acknowledged, and remember what was."""

    def __init__(self, server: ServerProcess, run: str) -> None:
        self.kept: dict[str, str] = {}
        self.refused = 0
        self.wrong: list[str] = []
        self._server = server
        self._run = run
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._upload, args=(number,)) for number in range(UPLOADERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + _PATIENCE_SECS
        while len(self.kept) < count:
            assert time.monotonic() < until, f"{len(self.kept)} of {count} files in time, {self.refused} refusals"
            time.sleep(0.05)

    def _upload(self, seed: int) -> None:
        rng = random.Random(seed)
        with self._server.client() as api:
            for number in range(1_000_000):
                data, name = rng.randbytes(rng.choice([100, 10_000, 1_000_000])), f"{seed}-{number}"
                while not self._is_over.is_set():
                    answer = _put(api, self._run, name, data)
                    if answer.status_code == 200:
                        self.kept[name] = hashlib.sha256(data).hexdigest()
                        break
                    self.refused += 1
                    if answer.status_code != 503 or "Retry-After" not in answer.headers:
                        self.wrong.append(answer.text)
                    time.sleep(0.2)
                if self._is_over.is_set():
                    return


@pytest.mark.nightly
def test_a_killed_volume_server_loses_nothing_that_was_acknowledged(cluster: SeaweedCluster, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", env=cluster.env()).start()
    try:
        with server.client() as api:
            run = _new_run(api)
            load = Load(server, run)
            load.start()
            try:
                load.wait_for(BEFORE)
                before = len(load.kept)
                cluster.volumes[0].kill()
                logged = api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 0.5}})
                assert logged.status_code == 200
                load.wait_for(before + AFTER)
            finally:
                load.stop()
            assert not load.wrong, load.wrong[:3]
            for name, sha256 in load.kept.items():
                content = api.get(f"/experiments/runs/{run}/artifacts/{name}")
                assert content.status_code == 200, content.text
                assert hashlib.sha256(content.content).hexdigest() == sha256
            listed = api.get(f"/experiments/runs/{run}/artifacts", params={"limit": 1}).json()["total"]
            assert listed >= len(load.kept)
            print(f"acknowledged {len(load.kept)}, refused meanwhile {load.refused}, lost 0")
        assert server.stop() == 0
    finally:
        server.kill()
