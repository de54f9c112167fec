"""A disk that lies or fails: the server stops or refuses, and nothing that it answered for is lost.

After a failed fsync nobody knows what the disk holds, and a second one would succeed without having written anything.
So the process stops with exit code 74, and a restart reads what is really there.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.fault.injection import injected
from tests.fault.run_log import Loggers, RunLog, database_faults, new_run_logs
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.embedded("the calls that fail are those by which the server writes its own file")

EX_IOERR = 74
SYNCS = "fsync,fdatasync"
# A commit of one point writes about eight times: so many requests reach the fortieth write.
REQUESTS = 8


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "home", "--quiet").start()
    yield server
    assert server.stop() == 0
    assert database_faults(server.home / "gnomon.db") == []


def pid_of(server: ServerProcess) -> int:
    assert server.process is not None
    return server.process.pid


def restart_and_compare(server: ServerProcess, logs: list[RunLog]) -> None:
    server.start()
    with server.client() as client:
        for log in logs:
            log.retry(client)
        assert [wrong for log in logs for wrong in log.differences(client)] == []


@pytest.mark.parametrize("nth", [1, 2, 3, 7, 20])
def test_a_failed_fsync_stops_the_process_and_loses_nothing(running: ServerProcess, nth: int) -> None:
    with running.client() as client:
        logs = new_run_logs(client, random.Random(nth), 3)
    with injected(pid_of(running), SYNCS, "EIO", when=str(nth)):
        loggers = Loggers(running.base_url, logs)
        assert running.process is not None
        assert running.process.wait() == EX_IOERR
        loggers.join()

    assert "the process stops, a restart reads what is on the disk" in running.log_path.read_text()
    assert any(log.unanswered is not None for log in logs), "whoever waited for that fsync was not told that it is kept"
    restart_and_compare(running, logs)


# Each EIO costs a restart, so not every write meets one in every run of the suite.
@pytest.mark.parametrize(
    ("error", "writes"),
    [
        pytest.param("ENOSPC", range(1, 21), id="ENOSPC"),
        pytest.param("EINTR", range(1, 21), id="EINTR"),
        pytest.param("EIO", range(1, 21, 3), id="EIO"),
        pytest.param("EIO", range(1, 41), id="EIO everywhere", marks=pytest.mark.nightly),
    ],
)
def test_an_error_in_any_write_is_refused_or_stops_the_process(
    running: ServerProcess, error: str, writes: range
) -> None:
    with running.client() as client:
        (log,) = new_run_logs(client, random.Random(error), 1)
    seen: set[object] = set()
    for nth in writes:
        with injected(pid_of(running), "pwrite64", error, when=str(nth)):
            seen |= send_some(running, log)
        assert running.process is not None
        if log.unanswered is not None:
            assert running.process.wait() == EX_IOERR
            restart_and_compare(running, [log])

    # An interrupted call is repeated by SQLite, a full disk is told, and with any other error the process stops.
    assert seen == {"EIO": {200, "cut"}, "ENOSPC": {200, "storage_full"}, "EINTR": {200}}[error]
    running.kill()
    restart_and_compare(running, [log])


def send_some(server: ServerProcess, log: RunLog) -> set[object]:
    """Some requests; one that is refused is sent again until it is kept. What the answers were."""
    seen: set[object] = set()
    with server.client() as client:
        try:
            for _ in range(REQUESTS):
                request = log.next_request()
                while (answer := log.send(client, request)).status_code != 200:
                    assert answer.status_code == 503, answer.text
                    assert int(answer.headers["retry-after"]) > 0
                    seen.add(answer.json()["code"])
                seen.add(200)
        except httpx.TransportError:
            seen.add("cut")
    return seen


def test_a_write_that_goes_on_failing_is_refused_until_it_works(running: ServerProcess) -> None:
    with running.client() as client:
        (log,) = new_run_logs(client, random.Random(3), 1)
        assert log.send(client, log.next_request()).status_code == 200
        request = log.next_request()
        with injected(pid_of(running), "pwrite64", "ENOSPC", when="1+"):
            for _ in range(20):
                refused = log.send(client, request)
                assert (refused.status_code, refused.json()["code"]) == (503, "storage_full")
            assert log.differences(client) == []
        assert log.send(client, request).status_code == 200
        assert log.differences(client) == []
