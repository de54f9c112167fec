"""An upload is answered when it is on the disk: the order of the system calls, and what kill -9 leaves."""

import hashlib
import random
import re
import threading
from pathlib import Path

import httpx
import pytest
from tests.support.server_process import ServerProcess

KILLS = 8


def new_run(client: httpx.Client) -> str:
    experiment = client.post("/experiments", json={"name": "files"})
    assert experiment.status_code == 201, experiment.text
    run = client.post("/experiments/runs", json={"experiment_id": experiment.json()["id"]})
    assert run.status_code == 201, run.text
    return str(run.json()["id"])


def upload(client: httpx.Client, run: str, name: str, data: bytes) -> httpx.Response:
    return client.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, data)})


class Trace:
    """System calls of a server, in the order in which they returned, each with its result."""

    def __init__(self, path: Path) -> None:
        started: dict[str, str] = {}
        self.calls: list[str] = []
        for line in path.read_text(errors="replace").splitlines():
            pid, _, call = line.partition(" ")
            call = call.strip()
            if call.endswith("<unfinished ...>"):
                started[pid] = call.removesuffix("<unfinished ...>")
            elif resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", call):
                self.calls.append(started.pop(pid) + resumed[1])
            else:
                self.calls.append(call)

    def first(self, pattern: str, *, after: int = -1) -> int:
        """Where the first call that matches stands, after another."""
        for at, call in enumerate(self.calls):
            if at > after and re.search(pattern, call):
                return at
        raise AssertionError(f"no call matches {pattern} after {after}:\n" + "\n".join(self.calls[-60:]))


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, str]:
    """What the server did for one upload, and the digest of the file."""
    directory = tmp_path_factory.mktemp("traced")
    path = directory / "trace"
    calls = "trace=openat,mkdir,rename,renameat,renameat2,fsync,fdatasync,write,writev,sendto,sendmsg"
    server = ServerProcess(directory / "home")
    # -D: the tracer steps aside, so that signals meet the server.
    server.start(prefix=("strace", "-D", "-f", "-y", "-s", "80", "-e", calls, "-e", "signal=none", "-o", str(path)))
    data = b"precious" * 100_000
    with server.client() as client:
        answer = upload(client, new_run(client), "model.bin", data)
        assert answer.status_code == 200, answer.text
    assert server.stop() == 0
    return Trace(path), hashlib.sha256(data).hexdigest()


@pytest.mark.embedded("it follows the system calls that write gnomon.db")
def test_the_answer_comes_after_file_name_directory_and_row_are_on_the_disk(trace: tuple[Trace, str]) -> None:
    calls, sha256 = trace
    opened = calls.first(r"openat\(.*/incoming/\w{32}\", .*O_CREAT.*O_EXCL.*O_NOFOLLOW.*, 0600\) = \d")
    file_synced = calls.first(r"fsync\(.*/artifacts/incoming/\w{32}>\) = 0", after=opened)
    renamed = calls.first(rf"rename\(.*/incoming/\w{{32}}\", \".*/artifacts/\d+/{sha256[:2]}/{sha256}\"\) = 0")
    directory_synced = calls.first(rf"fsync\(.*/artifacts/\d+/{sha256[:2]}>\) = 0", after=renamed)
    committed = calls.first(r"f(data)?sync\(.*gnomon\.db-wal>\) = 0", after=directory_synced)
    answered = calls.first(r"(write|writev|sendto|sendmsg)\(.*\"HTTP/1\.1 \d", after=opened)
    assert opened < file_synced < renamed < directory_synced < committed < answered
    no_write_later = [c for c in calls.calls[file_synced:renamed] if re.search(r"^write\(.*/incoming/", c)]
    assert no_write_later == []


def test_the_directories_on_the_way_are_on_the_disk_too(trace: tuple[Trace, str]) -> None:
    calls, sha256 = trace
    renamed = calls.first(rf"rename\(.*{sha256}\"\) = 0")
    for made, parent in (
        (r"/artifacts/1", "/artifacts"),
        (rf"/artifacts/1/{sha256[:2]}", "/artifacts/1"),
    ):
        at = calls.first(rf"mkdir\(\".*{made}\", 0700\) = 0")
        assert calls.first(rf"fsync\(.*{parent}>\) = 0", after=at) < renamed


def test_kill_9_loses_no_answered_file_and_leaves_no_half_one(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    with server.client() as client:
        run = new_run(client)
    rng = random.Random(20_261_123)
    kept: dict[str, str] = {}
    for round_number in range(KILLS):
        if round_number:
            server.start()
        uploaders = [_Uploader(server, run, f"{round_number}-{i}", rng.randrange(2**32)) for i in range(3)]
        for uploader in uploaders:
            uploader.start()
        threading.Event().wait(rng.uniform(0.05, 0.6))
        server.kill()
        for uploader in uploaders:
            uploader.join()
            kept |= uploader.kept
    server.start()
    assert list((server.home / "artifacts" / "incoming").iterdir()) == []
    with server.client() as client:
        page = client.get(f"/experiments/runs/{run}/artifacts", params={"limit": 1000}).json()
        listed = {entry["path"]: entry["sha256"] for entry in page["artifacts"]}
        assert page["total"] == len(listed)
        assert kept.items() <= listed.items()
        for name, sha256 in listed.items():
            body = client.get(f"/experiments/runs/{run}/artifacts/{name}").content
            assert hashlib.sha256(body).hexdigest() == sha256, name
    assert len(kept) >= KILLS, "the kills came before anything was answered"
    assert server.stop() == 0


class _Uploader(threading.Thread):
    """Uploads files until the server is gone; `kept` are those that were answered."""

    def __init__(self, server: ServerProcess, run: str, name: str, seed: int) -> None:
        super().__init__()
        self._client = server.client()
        self._run = run
        self._name = name
        self._rng = random.Random(seed)
        self.kept: dict[str, str] = {}

    def run(self) -> None:
        with self._client as client:
            count = 0
            while True:
                data = self._rng.randbytes(self._rng.choice((10, 10_000, 1_000_000)))
                name = f"{self._name}-{count}"
                count += 1
                try:
                    answer = upload(client, self._run, name, data)
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                self.kept[name] = hashlib.sha256(data).hexdigest()
