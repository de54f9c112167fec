"""Several processes that are one server: the numbers of a port are those of all, and a tenant's rate holds over all."""

import itertools
import json
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.postgres import Cluster
from tests.support.secured import gnomon
from tests.support.server_process import ServerProcess

RATE = 20.0


@pytest.fixture
def database(postgres: Cluster) -> str:
    return postgres.url(postgres.make_database())


@pytest.fixture
def server(tmp_path: Path, database: str) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path / "home", "--quiet", "--database", database, "--workers", "3")
    try:
        yield made.start()
    finally:
        made.stop()


def numbers(server: ServerProcess) -> Counter[tuple[str, str]]:
    """What `/metrics` says, asked over a connection of its own: sums by name, and status or worker."""
    text = httpx.get(f"{server.base_url}/metrics", timeout=60).text
    found: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[(sample.name, sample.labels.get("status") or sample.labels.get("worker") or "")] += sample.value
    return found


def workers(server: ServerProcess) -> list[int]:
    assert server.process is not None
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_numbers_of_a_port_are_those_of_all_its_processes(server: ServerProcess) -> None:
    with server.client() as client:
        experiment = client.post("/experiments", json={"name": "counted"}).json()["id"]
        run = client.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
    for number in range(30):  # a connection each: any of the processes may take it
        url = f"{server.base_url}/api/v1/experiments/runs/{run}/log-metrics"
        assert httpx.post(url, json={"metrics": {"a": number}, "step": number}, timeout=60).status_code == 200
    ends = time.monotonic() + 60
    while numbers(server)[("gnomon_points", "")] != 30:
        assert time.monotonic() < ends, numbers(server)
        time.sleep(0.1)
    told = numbers(server)
    assert told[("gnomon_requests_total", "200")] >= 30
    assert told[("gnomon_commit_jobs_total", "")] >= 32
    assert all(told[("process_resident_memory_bytes", worker)] > 0 for worker in "012")
    assert all(numbers(server)[("gnomon_points", "")] == 30 for _ in range(10)), "whichever is asked"
    killed = workers(server)[0]
    os.kill(killed, signal.SIGKILL)
    while killed in workers(server) or len(workers(server)) < 3:
        assert numbers(server)[("gnomon_points", "")] == 30, "nothing that was counted is forgotten with a process"
        assert time.monotonic() < ends, "a worker is not replaced"
        time.sleep(0.1)
    assert numbers(server)[("gnomon_requests_total", "200")] >= told[("gnomon_requests_total", "200")]
    folders = set(Path("/tmp").glob("gnomon-counts-*"))
    assert server.stop() == 0
    assert folders - set(Path("/tmp").glob("gnomon-counts-*")), "the folder of the counts is removed"


@pytest.mark.nightly
def test_what_a_killed_supervisor_left_is_removed_by_the_next(server: ServerProcess) -> None:
    place = Path(tempfile.gettempdir())
    before = set(place.glob("gnomon-counts-*"))
    ended = workers(server)
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    ends = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in ended):
        assert time.monotonic() < ends, "a worker outlives its supervisor"
        time.sleep(0.05)
    left = set(place.glob("gnomon-counts-*"))
    assert left <= before
    server.start()
    now = set(place.glob("gnomon-counts-*"))
    assert len(now - before) == 1, "its own"
    assert before - now, "that of the one that was killed is gone"


def test_a_tenants_rate_holds_over_all_processes_of_two_hosts(tmp_path: Path, database: str) -> None:
    settings = {"GNOMON_DATABASE": database, "GNOMON_TENANT_REQUESTS_PER_SEC": str(RATE)}
    made = gnomon("keys", "create", "--role", "editor", "--tenant", "busy", "--json", settings=settings)
    assert made.returncode == 0, made.stderr
    secret = httpx.Response(200, text=made.stdout).json()["secret"]
    servers = [
        ServerProcess(tmp_path / "one", "--quiet", "--workers", "3", env=settings).start(),
        ServerProcess(tmp_path / "two", "--quiet", env=settings).start(),
    ]
    try:
        time.sleep(2.5)  # until each has heard of the others
        began = time.monotonic()
        ends = began + 15

        def ask(number: int) -> int:
            let_through = 0
            url = f"{servers[number % 2].base_url}/api/v1/me"
            for _ in itertools.takewhile(lambda _: time.monotonic() < ends, itertools.count()):
                answer = httpx.get(url, headers={"Authorization": f"Bearer {secret}"}, timeout=60)
                assert answer.status_code in (200, 429)
                let_through += answer.status_code == 200
            return let_through

        with ThreadPoolExecutor(6) as pool:
            let_through = sum(pool.map(ask, range(6)))
        took = time.monotonic() - began
        # Without hearing each other: four buckets of two seconds, and four times the rate.
        assert RATE * took * 0.6 <= let_through <= RATE * (took + 5 + 1), (let_through, took)
    finally:
        assert [server.stop() for server in servers] == [0, 0]


@pytest.mark.nightly
def test_a_revoked_key_is_refused_by_every_process_within_a_second(tmp_path: Path, database: str) -> None:
    settings = {"GNOMON_DATABASE": database}
    made = gnomon("keys", "create", "--role", "editor", "--tenant", "left", "--json", settings=settings)
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)
    servers = [
        ServerProcess(tmp_path / "one", "--quiet", "--workers", "3", env=settings).start(),
        ServerProcess(tmp_path / "two", "--quiet", env=settings).start(),
    ]
    try:

        def ask(number: int) -> int:  # over a connection of its own: any of the processes may take it
            url = f"{servers[number % 2].base_url}/api/v1/me"
            return httpx.get(url, headers={"Authorization": f"Bearer {key['secret']}"}, timeout=60).status_code

        assert [ask(number) for number in range(20)] == [200] * 20
        assert gnomon("keys", "revoke", key["key"]["id"], settings=settings).returncode == 0
        time.sleep(1)
        assert [ask(number) for number in range(40)] == [401] * 40
    finally:
        assert [server.stop() for server in servers] == [0, 0]
