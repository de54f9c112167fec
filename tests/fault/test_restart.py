"""Starting and stopping: a stop finishes what is under way, and a start that cannot work says why in one sentence."""

import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.fault.run_log import Loggers, database_faults, new_run_logs
from tests.support.server_process import ServerProcess, chosen_database

DAY_SECS = "86400"


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    return ServerProcess(tmp_path / "home", "--quiet")


def command(home: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "gnomon_server", "--home", str(home), "--port", "0", *options]


def refused(home: Path, *options: str) -> str:
    """The one sentence of a start that is refused."""
    ended = subprocess.run(command(home, *options), capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def send_signal(server: ServerProcess, number: signal.Signals) -> None:
    assert server.process is not None
    server.process.send_signal(number)


def wait_until_no_longer_listening(server: ServerProcess) -> None:
    while True:
        try:
            address(server).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)


def address(server: ServerProcess) -> socket.socket:
    host, _, port = server.base_url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)))


def half_sent(server: ServerProcess, run: str, body: bytes) -> socket.socket:
    """A request that the server has begun to read: it asked for the body, which is not sent yet."""
    connection = address(server)
    connection.sendall(
        f"POST /api/v1/experiments/runs/{run}/log-metrics HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    return connection


def received(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_what_is_under_way_and_exits_0(server: ServerProcess, number: signal.Signals) -> None:
    server.start()
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(1), 1)
    request = log.next_request()
    while request.path != "log-metrics":
        request = log.next_request()
    with half_sent(server, log.run, request.body) as connection:
        send_signal(server, number)
        wait_until_no_longer_listening(server)
        connection.sendall(request.body)
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    log.keep(request)
    assert server.process is not None
    assert server.process.wait() == 0
    own_files = ["artifacts", *([] if chosen_database(server.home) else ["gnomon.db"]), "gnomon.lock"]
    assert sorted(path.name for path in server.home.iterdir()) == own_files
    assert database_faults(server.home / "gnomon.db") == []
    server.start()
    with server.client() as client:
        assert log.differences(client) == []
    assert server.stop() == 0


def test_a_stop_under_load_loses_nothing_and_resets_nobody(server: ServerProcess) -> None:
    server.start()
    with server.client() as client:
        logs = new_run_logs(client, random.Random(2), 4)
    for _ in range(2):
        loggers = Loggers(server.base_url, logs)
        time.sleep(0.4)
        assert server.stop() == 0
        loggers.join()
        server.start()
        with server.client() as client:
            for log in logs:
                log.retry(client)
            assert [wrong for log in logs for wrong in log.differences(client)] == []
    assert server.stop() == 0
    assert sum(log.answered for log in logs) > 50


def test_a_request_that_never_ends_holds_a_stop_only_for_the_drain_time(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", "--quiet", env={"GNOMON_DRAIN_SECS": "1"}).start()
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(3), 1)
    with half_sent(server, log.run, b"x" * 100) as connection:
        assert server.stop() == 0
        assert b" 200 " not in received(connection)


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    patient = {"GNOMON_DRAIN_SECS": DAY_SECS, "GNOMON_BODY_GRACE_SECS": DAY_SECS}
    server = ServerProcess(tmp_path / "home", "--quiet", env=patient).start()
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(4), 1)
        assert log.send(client, log.next_request()).status_code == 200
    with half_sent(server, log.run, b"x" * 100):
        send_signal(server, signal.SIGTERM)
        wait_until_no_longer_listening(server)
        assert server.stop() == 0
    assert database_faults(server.home / "gnomon.db") == []
    server.start()
    with server.client() as client:
        assert log.differences(client) == []
    assert server.stop() == 0


@pytest.mark.embedded("servers with PostgreSQL may share a home")
def test_a_second_server_on_the_same_home_is_refused(server: ServerProcess) -> None:
    server.start()
    assert server.process is not None
    sentence = refused(server.home)
    assert f"another gnomon server (process {server.process.pid}) has {server.home} open" in sentence
    assert "stop it or choose another --home" in sentence
    with server.client() as client:
        assert client.get("/experiments").status_code == 200
    server.kill()  # the lock goes with the process, whatever the file says
    server.start()
    assert server.stop() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_keys_only_this_machine_is_listened_to(tmp_path: Path, host: str) -> None:
    sentence = refused(tmp_path / "home", "--host", host)
    assert f"refusing to listen on {host}: without API keys anyone who reaches it may read and delete" in sentence


def test_a_port_in_use_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    server.start()
    port = server.base_url.rpartition(":")[2]
    sentence = refused(tmp_path / "other", "--port", port)
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port" in sentence
    assert server.stop() == 0


@pytest.mark.embedded("its file is no database; PostgreSQL's refusals are in tests/store/test_postgres_start.py")
def test_a_home_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file")
    assert f"cannot use the home {home}: " in refused(home)
    home.unlink()
    home.mkdir()
    (home / "gnomon.db").write_bytes(b"not a database" * 1000)
    assert "gnomon.db cannot be opened (file is not a database)" in refused(home)
    assert (home / "gnomon.db").read_bytes() == b"not a database" * 1000
    assert "there is no folder" in refused(tmp_path / "new", "--port-file", str(tmp_path / "none" / "port"))


def test_a_port_file_is_never_the_one_of_an_earlier_server(tmp_path: Path) -> None:
    home, port_file = tmp_path / "home", tmp_path / "port"
    port_file.write_text("1")
    with subprocess.Popen(command(home, "--quiet", "--port-file", str(port_file))) as process:
        while not port_file.exists() or port_file.read_text() == "1":
            assert process.poll() is None
            time.sleep(0.01)
        port = port_file.read_text()
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        # One that is refused leaves the file of the one that runs.
        refused(home, "--port-file", str(port_file))
        assert port_file.read_text() == port
        process.terminate()
        assert process.wait() == 0
    assert not port_file.exists()


def test_a_killed_server_comes_back_ready_again_and_again(server: ServerProcess) -> None:
    server.start()
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(5), 1)
    for _ in range(3):
        with server.client() as client:
            for _ in range(5):
                assert log.send(client, log.next_request()).status_code == 200
        server.kill()
        server.start()
        assert httpx.get(f"{server.base_url}/readyz").json()["status"] == "ready"
        with server.client() as client:
            assert log.differences(client) == []
    assert server.stop() == 0


def test_a_new_home_is_on_the_disk_before_anything_is_in_it(tmp_path: Path) -> None:
    home, trace, port_file = tmp_path / "new" / "deep" / "home", tmp_path / "trace", tmp_path / "port"
    strace = ["strace", "-D", "-f", "-y", "-e", "trace=mkdir,fsync,openat", "-e", "signal=none", "-o", str(trace)]
    with subprocess.Popen([*strace, *command(home, "--quiet", "--port-file", str(port_file))]) as process:
        while not port_file.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
        assert process.wait() == 0
    calls = trace.read_text().splitlines()
    at = -1
    for directory in (home.parent.parent, home.parent, home):
        made = first(calls, f'mkdir("{directory}", 0700) = 0', after=at)
        at = first(calls, f"<{directory.parent}>) = 0", after=made)
    assert first(calls, f'"{home}/gnomon.lock"', after=-1) > at


def first(calls: list[str], text: str, *, after: int) -> int:
    return next(at for at, call in enumerate(calls) if at > after and text in call)
