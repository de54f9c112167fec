"""Uploads that end badly leave nothing: a full disk, a client that leaves, a file too large. And memory stays small."""

import hashlib
import http.client
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fault.test_artifact_durability import new_run, upload
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

MIB = 1 << 20
STREAM_MIB = 300
BOUNDARY = b"gnomon"
HEAD = b'--gnomon\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n'
TAIL = b"\r\n--gnomon--\r\n"

# The locks, and a file of each living process, of servers on PostgreSQL.
SHARED = ("locks", "processes")


def files_below(directory: Path) -> list[Path]:
    """But for what servers that share a home keep out of each other's way by."""
    return [path for path in directory.rglob("*") if path.is_file() and path.parent.name not in SHARED]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come; the test's own limit ends it."""
    while not condition():
        time.sleep(0.01)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose home is a file system of 24 MiB of its own."""
    home = tmp_path / "home"
    home.mkdir()
    mount = 'mount -t tmpfs -o size=24m,mode=700 none "$0" && exec "$@"'
    server = ServerProcess(home).start(prefix=("unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(home)))
    yield server
    assert server.stop() == 0


def test_a_full_disk_refuses_the_file_and_lives_on(small_disk: ServerProcess) -> None:
    assert small_disk.process is not None
    # Only the server sees its mount; this is the way in.
    artifacts = Path(f"/proc/{small_disk.process.pid}/root{small_disk.home}") / "artifacts"
    kept: dict[str, bytes] = {}
    with small_disk.client() as client:
        run = new_run(client)
        for i in range(20):
            data = os.urandom(4 * MIB)
            answer = upload(client, run, f"f{i}", data)
            if answer.status_code != 200:
                break
            kept[f"f{i}"] = data
        assert_problem(answer, 503, "storage_full")
        assert answer.headers["retry-after"]
        assert kept
        assert list((artifacts / "incoming").iterdir()) == []
        assert len(files_below(artifacts)) == len(kept)
        for name, data in kept.items():
            assert client.get(f"/experiments/runs/{run}/artifacts/{name}").content == data
        assert client.get(f"/experiments/runs/{run}/artifacts").json()["total"] == len(kept)
        assert upload(client, run, "small", b"fits").status_code == 200


def test_a_client_that_leaves_leaves_nothing(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    artifacts = server.home / "artifacts"
    address = server.base_url.removeprefix("http://")
    host, _, port = address.partition(":")
    with server.client() as client:
        run = new_run(client)
    for sent in (HEAD[:20], HEAD, HEAD + b"x" * 700_000):
        for is_chunked in (False, True):
            length = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: 10000000"
            body = b"%x\r\n%b\r\n" % (len(sent), sent) if is_chunked else sent
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(
                    b"POST /api/v1/experiments/runs/%b/log-artifact HTTP/1.1\r\nHost: %b\r\n%b\r\n"
                    b"Content-Type: multipart/form-data; boundary=%b\r\n\r\n%b"
                    % (run.encode(), address.encode(), length, BOUNDARY, body)
                )
                if len(sent) > len(HEAD):
                    until(lambda: sum(path.stat().st_size for path in (artifacts / "incoming").iterdir()) > 0)
            until(lambda: not list((artifacts / "incoming").iterdir()))
    assert files_below(artifacts) == []
    with server.client() as client:
        assert client.get(f"/experiments/runs/{run}/artifacts").json()["total"] == 0
    assert server.stop() == 0


def test_a_file_too_large_is_413_and_leaves_nothing(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", env={"GNOMON_MAX_ARTIFACT_BYTES": "1000000"}).start()
    with server.client() as client:
        run = new_run(client)
        for size in (1_000_001, 3_000_000):
            assert_problem(upload(client, run, "f", b"x" * size), 413, "too_large")
            headers = {"Content-Type": "multipart/form-data; boundary=gnomon"}
            pieces = (HEAD, *(b"x" * 1000 for _ in range(size // 1000)), b"x", TAIL)
            answer = client.post(f"/experiments/runs/{run}/log-artifact", content=iter(pieces), headers=headers)
            assert_problem(answer, 413, "too_large")
        assert upload(client, run, "f", b"x" * 900_000).status_code == 200
    assert len(files_below(server.home / "artifacts")) == 1
    assert server.stop() == 0


def test_a_run_that_is_archived_during_an_upload_keeps_nothing_of_it(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    with server.client() as client, server.client() as other:
        run = new_run(client)
        experiment = client.get(f"/experiments/runs/{run}").json()["experiment_id"]

        def body() -> Iterator[bytes]:
            yield HEAD + b"x" * 300_000
            until(lambda: bool(list((server.home / "artifacts" / "incoming").iterdir())))
            assert other.delete(f"/experiments/{experiment}").is_success
            yield TAIL

        headers = {"Content-Type": "multipart/form-data; boundary=gnomon"}
        answer = client.post(f"/experiments/runs/{run}/log-artifact", content=body(), headers=headers)
        assert_problem(answer, 400, "run_archived")
    assert files_below(server.home / "artifacts") == []
    assert server.stop() == 0


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    assert server.process is not None
    piece = os.urandom(MIB)
    digest = hashlib.sha256()
    with server.client() as client:
        run = new_run(client)
        upload(client, run, "warm", piece)
        client.get(f"/experiments/runs/{run}/artifacts/warm")
        before = _resident(server)

        def body() -> Iterator[bytes]:
            yield HEAD
            for _ in range(STREAM_MIB):
                digest.update(piece)
                yield piece
            yield TAIL

        headers = {"Content-Type": "multipart/form-data; boundary=gnomon"}
        answer = client.post(f"/experiments/runs/{run}/log-artifact", content=body(), headers=headers, timeout=None)
        assert answer.status_code == 200, answer.text
        assert answer.json()["sha256"] == digest.hexdigest()
        assert answer.json()["size"] == STREAM_MIB * MIB
        after_upload = _resident(server)
        back = hashlib.sha256()
        with client.stream("GET", f"/experiments/runs/{run}/artifacts/big", timeout=None) as download:
            time.sleep(0.5)  # a slow reader: what the server reads ahead must not gather
            for part in download.iter_bytes():
                back.update(part)
        assert back.hexdigest() == digest.hexdigest()
        after_download = _resident(server)
    assert after_upload - before < 32 * MIB
    assert after_download - before < 32 * MIB
    assert server.stop() == 0


def test_a_reader_that_leaves_half_way_lets_go_of_the_file(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    assert server.process is not None
    descriptors = Path(f"/proc/{server.process.pid}/fd")
    with server.client() as client:
        run = new_run(client)
        upload(client, run, "big", bytes(30 * MIB))
    for _ in range(5):
        connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"))
        connection.request("GET", f"/api/v1/experiments/runs/{run}/artifacts/big")
        assert connection.getresponse().read(100_000)
        connection.close()

    def opened() -> set[Path]:
        return {link.readlink() for link in _present(descriptors)}

    until(lambda: not any("artifacts" in path.parts and path.parent.name not in SHARED for path in opened()))
    assert server.stop() == 0


def _present(descriptors: Path) -> Iterator[Path]:
    for link in descriptors.iterdir():
        if link.is_symlink():
            yield link


def _resident(server: ServerProcess) -> int:
    """The most memory that the server has had resident so far, in bytes."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024
