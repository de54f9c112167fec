"""A training process killed at any moment loses no call that returned, and nothing is sent twice."""

import json
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from tests.fault.job import LOGGERS
from tests.support.fault_proxy import FaultProxy
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.cli import cli
from gnomon.spool import adopt, find_folders

JOB = Path(__file__).with_name("job.py")
KINDS = ("single", "threads", "forked", "ranks")
CHILDREN = {"forked": 1, "ranks": 3}


class Job:
    """One run of job.py, to be killed."""

    def __init__(self, folder: Path, kind: str, *, url: str, tenant: str) -> None:
        self.spool = folder / "spool"
        self._kind = kind
        counters = folder / "counters"
        counters.write_bytes(bytes(64))
        with counters.open("r+b") as file:
            self._counters = mmap.mmap(file.fileno(), 64)
        env = {
            **os.environ,
            "GNOMON_SPOOL": str(self.spool),
            "GNOMON_CAPTURE": "none",
            "GNOMON_URL": url,
            "GNOMON_TENANT": tenant,
        }
        command = [sys.executable, str(JOB), kind, str(counters)]
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.run = self._process.stdout.readline().strip()
        self._children = [int(self._process.stdout.readline()) for _ in range(CHILDREN.get(kind, 0))]

    def returned(self) -> list[int]:
        return list(struct.unpack_from(f"<{LOGGERS[self._kind]}Q", self._counters, 0))

    def kill(self, rng: random.Random) -> list[int]:
        """SIGKILL at a random moment; how many calls of each logger had returned."""
        while not any(self.returned()):
            time.sleep(0.001)
        time.sleep(rng.random() * rng.choice([0.01, 0.3]))
        for child in self._children:
            os.kill(child, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        while any(is_locked(folder) for folder in find_folders(self.spool)):
            time.sleep(0.001)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self.returned()


def is_locked(folder: Path) -> bool:
    """A killed process may hold its files a moment longer, until the last of its threads is gone."""
    adopted = adopt(folder)
    if adopted is not None:
        adopted.release()
    return adopted is None and folder.exists()


def check(api: httpx.Client, run: str, returned: list[int]) -> None:
    """All calls that returned are there, at most the one that was under way beside them, each once and as it was."""
    series = {each["key"]: each for each in api.get(f"/experiments/runs/{run}/history").json()["series"]}
    for logger, calls in enumerate(returned):
        names = [name for name in (f"m{logger}", f"m{logger}{{rank={logger}}}") if name in series]
        if not calls and not names:
            continue
        (name,) = names
        total = series[name]["total"]
        assert total in (calls, calls + 1)
        assert values(api, run, name) == [float(i) for i in range(total)]


def values(api: httpx.Client, run: str, key: str) -> list[float]:
    found: list[float] = []
    while True:
        query = {"key": key, "limit": 50_000, "offset": len(found)}
        (series,) = api.get(f"/experiments/runs/{run}/history", params=query).json()["series"]
        found += [float(value) for value in series["value"]]
        if len(found) >= series["total"]:
            return found


def sync(server: ServerProcess, tenant: str, spool: Path) -> None:
    report = CliRunner().invoke(cli, ["--url", server.base_url, "--tenant", tenant, "sync", str(spool), "--json"])
    assert report.exit_code == 0, report.output
    found = json.loads(report.stdout)
    assert found["equal"]
    assert find_folders(spool) == []


def kill_and_sync(server: ServerProcess, tenant: str, folder: Path, *, kind: str, seed: int) -> int:
    rng = random.Random(seed)
    folder.mkdir()
    # Every third job has no server at all until `gnomon sync`.
    url = "http://127.0.0.1:9" if seed % 3 == 2 else server.base_url
    job = Job(folder, kind, url=url, tenant=tenant)
    returned = job.kill(rng)
    sync(server, tenant, job.spool)
    with server.client(tenant) as api:
        check(api, job.run, returned)
        kept = api.get(f"/experiments/runs/{job.run}").json()
    assert (kept["status"], kept["params"]) == ("killed", {"kind": kind})
    return sum(returned)


@pytest.mark.parametrize("kind", KINDS)
def test_ten_killed_jobs_lose_nothing(server: ServerProcess, tenant: str, tmp_path: Path, kind: str) -> None:
    calls = [kill_and_sync(server, tenant, tmp_path / str(seed), kind=kind, seed=seed) for seed in range(10)]
    assert min(calls) > 0


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_killed_jobs_lose_nothing(server: ServerProcess, tenant: str, tmp_path: Path, kind: str) -> None:
    calls = [kill_and_sync(server, tenant, tmp_path / str(seed), kind=kind, seed=seed) for seed in range(100, 200)]
    print(f"{kind}: {len(calls)} jobs killed, {sum(calls)} returned calls")
    assert min(calls) > 0


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[FaultProxy]:
    host, port = server.base_url.removeprefix("http://").split(":")
    running = FaultProxy((host, int(port)), random.Random(11), odds=0.5)
    yield running
    running.close()


def test_a_job_behind_a_failing_network_sends_everything_once(
    server: ServerProcess, proxy: FaultProxy, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOMON_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("GNOMON_STRICT", "1")
    monkeypatch.setenv("GNOMON_CAPTURE", "none")
    monkeypatch.setattr("gnomon.uploader.LONGEST_WAIT_SECS", 0.05)
    (tmp_path / "model.bin").write_bytes(b"weights")
    run = gnomon.init("fraud", url=proxy.url, tenant=tenant)
    for i in range(30):
        for j in range(50):
            run.log({"a": float(i * 50 + j)})
        if i % 10 == 0:
            run.log_artifact(tmp_path / "model.bin", f"epoch{i}")
        run.flush(60)
    run.finish()
    assert run.flush(60)
    with server.client(tenant) as api:
        assert values(api, run.id, "a") == [float(i) for i in range(1500)]
        assert api.get(f"/experiments/runs/{run.id}").json()["status"] == "finished"
        ledger = api.get(f"/experiments/runs/{run.id}/ledger").json()["writers"]
    assert sum(writer["points"] for writer in ledger) == 1500
    assert sum(writer["duplicates_dropped"] for writer in ledger) > 0
    assert len([fault for fault in proxy.seen if fault != "none"]) == 5, proxy.seen
    assert find_folders(tmp_path / "spool") == []


def test_a_killed_job_and_its_killed_sync_behind_a_failing_network(
    server: ServerProcess, proxy: FaultProxy, tenant: str, tmp_path: Path
) -> None:
    rng = random.Random(5)
    job = Job(tmp_path, "threads", url=proxy.url, tenant=tenant)
    returned = job.kill(rng)
    command = [sys.executable, "-m", "gnomon", "--url", proxy.url, "--tenant", tenant, "sync", str(job.spool)]
    for _ in range(5):
        sending = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random())
        sending.kill()
        sending.wait()
    proxy.heal()
    if find_folders(job.spool):
        sync(server, tenant, job.spool)
    with server.client(tenant) as api:
        check(api, job.run, returned)
