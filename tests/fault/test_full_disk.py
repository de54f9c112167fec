"""The disk is full: writes are refused and say so, reads and deletes go on, and all is well again when there is space.

On a file system of its own, 16 MiB large, that the server fills to the last page.
"""

import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.fault.run_log import LogRequest, RunLog, database_faults, new_run_logs
from tests.support.server_process import ServerProcess

from gnomon_server.store.reserve import Reserve

pytestmark = pytest.mark.embedded("its file fills the disk; PostgreSQL's disk is in test_postgres_full_disk.py")

DISK_MIB = 16
# Points of the largest request that the server takes.
LARGE = 10_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty file system; the test runs as root, as in CI."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "gnomon-test", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def server(small_disk: Path) -> Iterator[ServerProcess]:
    """The home is the file system itself; what the server says goes elsewhere."""
    running = ServerProcess(small_disk, "--quiet").start()
    yield running
    assert running.stop() == 0
    assert database_faults(small_disk / "gnomon.db") == []


def fill(ballast: Path) -> None:
    """Another program takes every byte that is left."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def log_until_refused(client: httpx.Client, log: RunLog) -> LogRequest:
    """Log until a request is refused; that request."""
    while True:
        request = log.next_request()
        answer = log.send(client, request)
        if answer.status_code != 200:
            assert_full(answer)
            return request


def assert_full(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "storage_full"
    assert "disk is full" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


def retry(client: httpx.Client, log: RunLog, request: LogRequest) -> None:
    """Send what was refused until it is kept, as a client does that was told to come back."""
    while (answer := log.send(client, request)).status_code != 200:
        assert_full(answer)


def test_a_full_disk_refuses_writes_and_recovers_without_a_restart(server: ServerProcess, small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(1), 1)
        for _ in range(50):
            assert log.send(client, log.next_request()).status_code == 200
        fill(ballast)
        refused = log_until_refused(client, log)
        for _ in range(20):
            assert_full(log.send(client, refused))

        # Reads go on, and find all that was answered and nothing of what was refused.
        assert log.differences(client) == []
        found = client.get("/experiments/runs", params={"filter": "metrics.loss > -1e9 or metrics.acc < 1e9"})
        assert [run["id"] for run in found.json()["runs"]] == [log.run]
        # So does what people do by hand.
        assert client.patch(f"/experiments/runs/{log.run}", json={"description": "disk full"}).status_code == 200
        assert client.post(f"/experiments/runs/{log.run}/end").json()["status"] == "finished"

        ballast.unlink()
        retry(client, log, refused)
        for _ in range(50):
            assert log.send(client, log.next_request()).status_code == 200
        assert log.differences(client) == []

    server.kill()
    server.start()
    with server.client() as client:
        assert log.differences(client) == []


def test_a_server_starts_and_stops_on_a_full_disk(server: ServerProcess, small_disk: Path) -> None:
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(2), 1)
        fill(small_disk / "ballast")
        log_until_refused(client, log)
        fill(small_disk / "ballast")  # the room of the reserve as well
    assert server.stop() == 0

    server.start()  # in what was set aside and is given back at a stop
    with server.client() as client:
        assert log.differences(client) == []
        fill(small_disk / "ballast")
        refused = log_until_refused(client, log)
        (small_disk / "ballast").unlink()
        retry(client, log, refused)
        assert log.differences(client) == []


def test_a_start_without_a_byte_left_is_refused_with_a_sentence(server: ServerProcess, small_disk: Path) -> None:
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(5), 1)
        assert log.send(client, log.next_request()).status_code == 200
    assert server.stop() == 0
    fill(small_disk / "ballast")
    with pytest.raises(RuntimeError, match="ended with 1") as refusal:
        server.start()
    assert "is full (0 bytes left); free some space and start again" in str(refusal.value)
    assert "Traceback" not in str(refusal.value)

    (small_disk / "ballast").unlink()
    server.start()
    with server.client() as client:
        assert log.differences(client) == []


def test_a_server_killed_on_a_full_disk_starts_in_what_it_had_set_aside(
    server: ServerProcess, small_disk: Path
) -> None:
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(6), 1)
        assert log.send(client, log.next_request()).status_code == 200
    server.kill()
    fill(small_disk / "ballast")

    server.start()
    with server.client() as client:
        assert log.differences(client) == []
        assert client.delete(f"/experiments/runs/{log.run}").status_code == 200


def test_a_disk_that_can_set_nothing_aside_is_used_without(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    reserve = Reserve(small_disk / "gnomon.db-reserve")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert reserve.hold()
    assert "no space can be set aside" in caplog.text
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert reserve.hold()  # it does not try again with every write
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_refuses_a_file_and_keeps_nothing_of_it(server: ServerProcess, small_disk: Path) -> None:
    with server.client() as client:
        (log,) = new_run_logs(client, random.Random(3), 1)
        where = f"/experiments/runs/{log.run}/log-artifact"
        assert client.post(where, files={"file": ("kept.bin", bytes(3_000_000))}).status_code == 200
        assert_full(client.post(where, files={"file": ("big.bin", random.Random(1).randbytes(15_000_000))}))
    with server.client() as client:
        listed = client.get(f"/experiments/runs/{log.run}/artifacts").json()["artifacts"]
        assert [each["path"] for each in listed] == ["kept.bin"]
        assert list((small_disk / "artifacts" / "incoming").iterdir()) == []
        assert client.get(f"/experiments/runs/{log.run}/artifacts/kept.bin").content == bytes(3_000_000)
        retry(client, log, log.next_request())
        assert log.differences(client) == []

        # When the database has met the end of the disk too, not even the reserve's room goes to files.
        fill(small_disk / "ballast")
        log_until_refused(client, log)
        assert_full(client.post(where, files={"file": ("small.bin", b"x")}))


def large_batch(rng: random.Random, first_step: int) -> dict[str, list[dict[str, object]]]:
    points = range(first_step, first_step + LARGE)
    return {"metrics": [{"key": "loss", "value": rng.random(), "step": at, "timestamp": at} for at in points]}


def test_runs_are_removed_on_a_full_disk_and_their_space_comes_back(server: ServerProcess, small_disk: Path) -> None:
    rng = random.Random(4)
    with server.client() as client:
        old, new = new_run_logs(client, rng, 2)
        # So many that what they take, sealed by then or not, is more than the reserve asks for before writes go on.
        for batch in range(28):
            body = large_batch(rng, batch * LARGE)
            assert client.post(f"/experiments/runs/{old.run}/log-batch", json=body).status_code == 200
        fill(small_disk / "ballast")
        refused = log_until_refused(client, new)

        assert client.delete(f"/experiments/runs/{old.run}").status_code == 200
        purged = client.post(f"/experiments/runs/{old.run}/purge")
        assert purged.status_code == 200, purged.text
        assert client.get(f"/experiments/runs/{old.run}").status_code == 404

        retry(client, new, refused)
        for _ in range(20):
            assert new.send(client, new.next_request()).status_code == 200
        assert new.differences(client) == []
