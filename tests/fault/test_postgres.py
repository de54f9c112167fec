"""PostgreSQL that goes away under load, and processes that share it: nothing answered is lost or there twice."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from tests.api.test_live import listening
from tests.fault.run_log import RunLog, new_run_logs
from tests.support.places import PostgresPlace
from tests.support.postgres import Cluster, wait_until_reachable
from tests.support.server_process import ServerProcess
from tests.support.steady_logging import SteadyLoggers

from gnomon_server.model.errors import Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta.doors import Database

OFTEN_SEALED = {"GNOMON_SEAL_POINTS": "1500", "GNOMON_SEAL_SEGMENTS": "60", "GNOMON_SEAL_IDLE_SECS": "0.5"}
SEED = 20_261_123


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One of our own: it is stopped and killed."""
    made = Cluster().start()
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Starts servers; those that a failed test left running are killed."""
    started: list[ServerProcess] = []

    def start(url: str, *options: str, home: str = "home") -> ServerProcess:
        server = ServerProcess(tmp_path / home, "--quiet", "--database", url, *options, env=OFTEN_SEALED)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


def differences(server: ServerProcess, logs: list[RunLog]) -> list[str]:
    with server.client() as client:
        return [wrong for log in logs for wrong in log.differences(client)]


def backends(cluster: Cluster, name: str) -> list[int]:
    with cluster.connect("postgres") as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", (name,)).fetchall()
    return [int(str(pid)) for (pid,) in found]


def test_killed_connections_lose_and_double_nothing(cluster: Cluster, serve: Callable[..., ServerProcess]) -> None:
    name = cluster.make_database()
    rng = random.Random(SEED)
    server = serve(cluster.url(name))
    with server.client() as client:
        logs = new_run_logs(client, rng, 4)
    loggers = SteadyLoggers(server.base_url, logs)
    killed = 0
    for _ in range(12):
        time.sleep(rng.uniform(0.05, 0.4))
        with cluster.connect("postgres") as connection:
            for pid in backends(cluster, name):
                killed += bool(connection.execute("SELECT pg_terminate_backend(%s)", (pid,)).fetchone())
    loggers.join()
    assert killed > 20
    assert sum(log.answered for log in logs) > 20
    assert differences(server, logs) == []
    assert server.stop() == 0


def test_a_restarted_postgresql_is_waited_for_and_served_from_again(
    cluster: Cluster, serve: Callable[..., ServerProcess]
) -> None:
    name = cluster.make_database()
    server = serve(cluster.url(name))
    with server.client() as client:
        logs = new_run_logs(client, random.Random(SEED), 3)
        loggers = SteadyLoggers(server.base_url, logs)
        for how in ("immediate", "fast"):  # a crash, which is recovered from, and an operator's restart
            time.sleep(0.5)
            cluster.stop(how)
            refused = client.get(f"/experiments/runs/{logs[0].run}")
            assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
            cluster.start()
            wait_until_reachable(cluster.url(name))
            assert client.get(f"/experiments/runs/{logs[0].run}").status_code == 200
        loggers.join()
    assert loggers.refused > 0
    assert differences(server, logs) == []
    assert server.stop() == 0


def test_a_killed_worker_of_three_loses_nothing_and_is_replaced(
    cluster: Cluster, serve: Callable[..., ServerProcess]
) -> None:
    name = cluster.make_database()
    rng = random.Random(SEED)
    server = serve(cluster.url(name), "--workers", "3")
    assert server.process is not None
    with server.client() as client:
        logs = new_run_logs(client, rng, 8)
    loggers = SteadyLoggers(server.base_url, logs)
    for _ in range(3):
        time.sleep(0.7)
        os.kill(rng.choice(children(server.process.pid)), signal.SIGKILL)
        wait_for_children(server.process.pid, 3)
    loggers.join()
    assert loggers.cut > 0
    assert differences(server, logs) == []
    assert server.stop() == 0


def test_servers_of_two_homes_hear_of_each_others_changes(
    cluster: Cluster, serve: Callable[..., ServerProcess]
) -> None:
    """As on two hosts: nothing is shared but the database."""
    url = cluster.url(cluster.make_database())
    one = serve(url, home="one")
    two = serve(url, home="two")
    with one.client() as here, two.client() as there:
        experiment = here.post("/experiments", json={"name": "shared"}).json()["id"]
        run = there.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        with listening(here, experiment) as listener:
            listener.next("experiment")
            listener.next("snapshot" if False else None)
            logged = there.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 0.25}})
            assert logged.status_code == 200
            told = listener.next("metrics").data
            assert run in str(told)
        archived = there.delete(f"/experiments/runs/{run}")
        assert archived.status_code in (200, 204), archived.text
        late = here.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 1}})
        assert late.status_code == 400, late.text
    assert one.stop() == 0
    assert two.stop() == 0


def test_many_workers_need_a_shared_database(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="an embedded database has one server process"):
        ServerProcess(tmp_path / "home", "--workers", "2", env={"GNOMON_DATABASE": ""}).start()


def test_a_statement_that_takes_too_long_is_refused_in_words(cluster: Cluster) -> None:
    database = PostgresPlace(cluster).open()
    try:
        with pytest.raises(Unavailable, match="took too long"):
            sleep_long(database)
        with database.read(TenantId(1)) as connection:  # and the next one finds all in order
            assert connection.scalar(sa.text("SELECT 1")) == 1
    finally:
        database.close()


def sleep_long(database: Database) -> None:
    with database.read(TenantId(1)) as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = '20ms'"))
        connection.execute(sa.text("SELECT pg_sleep(10)"))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_children(pid: int, count: int) -> None:
    ends = time.monotonic() + 60
    while len(children(pid)) < count:
        assert time.monotonic() < ends, "a worker is not replaced"
        time.sleep(0.05)


def test_answers_come_from_every_worker(cluster: Cluster, serve: Callable[..., ServerProcess]) -> None:
    """What one process has taken, the others answer with at once: nothing is remembered that another may change."""
    server = serve(cluster.url(cluster.make_database()), "--workers", "3")
    with server.client() as client:
        experiment = client.post("/experiments", json={"name": "many"}).json()["id"]
        run = client.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
    for number in range(40):  # a connection each: any of the processes may take it
        with httpx.Client(base_url=f"{server.base_url}/api/v1", timeout=60) as client:
            points = {"keys": ["loss"], "key": [0], "step": [number], "timestamp": [1000], "value": [float(number)]}
            body = {"writer": "w", "seq": number, "points": points}
            sent = client.post(f"/experiments/runs/{run}/batches", json=body)
            assert sent.status_code == 200, sent.text
            assert client.get(f"/experiments/runs/{run}").json()["metrics"] == {"loss": number}
    assert server.stop() == 0
