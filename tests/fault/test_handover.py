"""A restart that no client notices: the socket is handed on, connections wait in it, what is under way is answered."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.wire import PointColumns, SequencedBatch


@dataclass
class Hammer:
    """Clients that log all the time: each request on a connection of its own, or all on one that is kept."""

    base_url: str
    run: str
    keeps_connection: bool
    stop: threading.Event
    acknowledged: set[int] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def __call__(self) -> None:
        host, _, port = self.base_url.removeprefix("http://").partition(":")
        kept = http.client.HTTPConnection(host, int(port), timeout=60)
        step = 0 if self.keeps_connection else 10_000_000
        while not self.stop.wait(0.005):
            step += 1
            connection = kept if self.keeps_connection else http.client.HTTPConnection(host, int(port), timeout=60)
            body = json.dumps({"metrics": {"kept" if self.keeps_connection else "new": 1.0}, "step": step})
            try:
                path = f"/api/v1/experiments/runs/{self.run}/log-metrics"
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
                continue
            if answer.status == 200:
                self.acknowledged.add(step)
            else:
                self.failures.append(f"{answer.status}")
            if not self.keeps_connection:
                connection.close()
        kept.close()


def _begin(base_url: str) -> str:
    with httpx.Client(base_url=f"{base_url}/api/v1", timeout=60) as api:
        experiment = api.post("/experiments", json={"name": "handed on"}).json()["id"]
        return str(api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"])


def _served_by(base_url: str, *, after: float) -> float:
    """When the process that answers was started; waits for one that began after."""
    while True:
        page = httpx.get(f"{base_url}/metrics", timeout=60).text
        (begun,) = (
            float(line.split()[1]) for line in page.splitlines() if line.startswith("gnomon_start_time_seconds ")
        )
        if begun > after:
            return begun
        time.sleep(0.05)


def _steps(base_url: str, run: str, key: str) -> list[int]:
    query = {"key": key, "limit": 10_000}
    answer = httpx.get(f"{base_url}/api/v1/experiments/runs/{run}/history", params=query, timeout=60)
    (series,) = answer.json()["series"]
    assert series["total"] == len(series["step"])
    return [int(step) for step in series["step"]]


def test_a_restart_by_sighup_refuses_nothing_and_loses_nothing(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", "--quiet").start()
    assert server.process is not None
    run, stop = _begin(server.base_url), threading.Event()
    fresh, kept = (Hammer(server.base_url, run, keeps_connection, stop) for keeps_connection in (False, True))
    threads = [threading.Thread(target=hammer) for hammer in (fresh, kept)]
    begun = _served_by(server.base_url, after=0.0)
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            server.process.send_signal(signal.SIGHUP)
            begun = _served_by(server.base_url, after=begun)
        enough = len(fresh.acknowledged) + 20
        while len(fresh.acknowledged) < enough:
            time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert fresh.failures == []
    # A client that keeps its connection may send into it while it is closed, which HTTP leaves to the client to
    # repeat; told beforehand to let go, it does so at most once a restart.
    assert len(kept.failures) <= 2
    assert not any("refused" in failure for failure in kept.failures)
    for hammer, key in ((fresh, "new"), (kept, "kept")):
        stored = _steps(server.base_url, run, key)
        assert len(stored) == len(set(stored))
        assert hammer.acknowledged <= set(stored)
    assert server.stop() == 0


def _point(step: int) -> PointColumns:
    return PointColumns(keys=["loss"], key=[0], step=[step], timestamp=[1_700_000_000_000], value=[1.0])


def test_the_client_of_ours_notices_nothing(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", "--quiet").start()
    assert server.process is not None
    run = _begin(server.base_url)
    begun = _served_by(server.base_url, after=0.0)
    with gnomon.Client(server.base_url) as client:
        for seq in range(200):
            if seq in (50, 100):
                server.process.send_signal(signal.SIGHUP)
            client.runs.log_sequenced(run, SequencedBatch("w", seq, points=_point(seq)))
        _served_by(server.base_url, after=begun)
    assert _steps(server.base_url, run, "loss") == list(range(200))
    assert server.stop() == 0


def _start_with(listening: socket.socket, home: Path, *, count: str = "1") -> subprocess.Popen[bytes]:
    """A server that is passed the socket as systemd does it."""
    script = f'exec 3<&{listening.fileno()}; export LISTEN_PID=$$ LISTEN_FDS={count}; exec "$@"'
    command = [sys.executable, "-m", "gnomon_server", "--home", str(home), "--host", "127.0.0.1"]
    return subprocess.Popen(
        ["bash", "-c", script, "bash", *command],
        pass_fds=[listening.fileno()],
        stderr=subprocess.PIPE,
        env={**os.environ, "GNOMON_PORT": "1"},
    )


def test_connections_wait_in_a_passed_socket_while_no_server_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        first = _start_with(listening, tmp_path / "home")
        try:
            run = _begin(base_url)
        finally:
            first.terminate()
        first.communicate()
        assert first.returncode == 0
        answers: list[int] = []

        def log(step: int) -> None:
            body = {"metrics": {"loss": 1.0}, "step": step}
            path = f"{base_url}/api/v1/experiments/runs/{run}/log-metrics"
            answers.append(httpx.post(path, json=body, timeout=60).status_code)

        waiting = [threading.Thread(target=log, args=[step]) for step in range(20)]
        for thread in waiting:
            thread.start()
        second = _start_with(listening, tmp_path / "home")
        try:
            for thread in waiting:
                thread.join()
            assert answers == [200] * 20
            assert sorted(_steps(base_url, run, "loss")) == list(range(20))
        finally:
            second.terminate()
        second.communicate()
        assert second.returncode == 0


@pytest.mark.parametrize(("is_listening", "count"), [(False, "1"), (True, "2")])
def test_what_is_passed_and_cannot_be_served_is_said(tmp_path: Path, is_listening: bool, count: str) -> None:
    with socket.socket() as passed:
        passed.bind(("127.0.0.1", 0))
        if is_listening:
            passed.listen()
        ended = _start_with(passed, tmp_path / "home", count=count)
        _, said = ended.communicate()
    assert ended.returncode == 1
    assert said.startswith(b"Error: ")
    assert b"Traceback" not in said
