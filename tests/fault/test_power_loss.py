"""Power loss at any moment: what was answered is there, whole and once; of an artifact there is all or nothing.

One recording of the real server's system calls (four runs logged to, artifacts uploaded, tails sealed, the WAL
checkpointed) makes thousands of images of what the disk may hold. Each is recovered by SQLite, and what it holds must
be what the server could have answered: for every client a prefix of its requests, at least up to the last answer that
went out before the power did.
"""

import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pysqlite3.dbapi2 as sqlite
import pytest
from tests.fault.disk_model import CALLS, Answer, Disk, Event, Image, Survival, read_trace
from tests.fault.run_log import RunLog, new_run_logs
from tests.fault.stored import Promise, read_promises

SEED = 7_417
WRITERS = 4
REQUESTS = 45
UPLOADS = 18
# Nothing, everything, and three kinds of torn.
CHANCES = (0.0, 1.0, 0.5, 0.15, 0.85)
ENV = {"GNOMON_SEAL_POINTS": "400", "GNOMON_SEAL_SEGMENTS": "12", "GNOMON_SEAL_IDLE_SECS": "0.5"}


@dataclass(slots=True)
class Client:
    """What one client sent, in order, and its connection. `promises[n]` is what its first n requests amount to."""

    run: str
    promises: list[Promise] = field(default_factory=lambda: [Promise()])
    port: int = 0

    def sent(self, answer: httpx.Response, promise: Promise) -> None:
        assert answer.status_code == 200, answer.text
        port = int(answer.extensions["network_stream"].get_extra_info("client_addr")[1])
        assert self.port in (0, port), "one client is one connection"
        self.port = port
        self.promises.append(promise)


@dataclass(slots=True)
class Recording:
    home: str
    events: list[Event]
    clients: list[Client]
    files: dict[str, bytes]  # by digest


def log_points(base_url: str, log: RunLog, client: Client) -> None:
    with httpx.Client(base_url=f"{base_url}/api/v1", timeout=60) as http:
        for _ in range(REQUESTS):
            request = log.next_request()
            client.sent(log.send(http, request), client.promises[-1].plus(request))


def upload_files(base_url: str, client: Client, files: dict[str, bytes], rng: random.Random) -> None:
    with httpx.Client(base_url=f"{base_url}/api/v1", timeout=60) as http:
        for number in range(UPLOADS):
            data = rng.randbytes(rng.choice((9, 700, 4096, 30_000))) if number else b""
            sha256 = hashlib.sha256(data).hexdigest()
            files[sha256] = data
            path = f"file-{number % 12}"  # some are replaced
            answer = http.post(f"/experiments/runs/{client.run}/log-artifact", files={"file": (path, data)})
            client.sent(answer, client.promises[-1].with_file(path, sha256))


def record(directory: Path) -> Recording:
    """Run the server under strace, log to it, and stop it."""
    home, port_file, trace = directory / "home", directory / "port", directory / "trace"
    home.mkdir()
    command = ["strace", "-D", "-f", "-yy", "-xx", "-s", "10000000", "-e", f"trace={CALLS}", "-e", "signal=none"]
    command += ["-o", str(trace), sys.executable, "-m", "tests.fault.small_wal", "--port", "0", "--quiet"]
    process = subprocess.Popen(
        [*command, "--home", str(home), "--port-file", str(port_file)], env={**os.environ, **ENV}
    )
    while not port_file.exists():
        assert process.poll() is None
        time.sleep(0.01)
    base_url = f"http://127.0.0.1:{port_file.read_text()}"
    rng = random.Random(SEED)
    files: dict[str, bytes] = {}
    with httpx.Client(base_url=f"{base_url}/api/v1", timeout=60) as http:
        logs = new_run_logs(http, rng, WRITERS + 1)
    clients = [Client(log.run) for log in logs]
    threads = [
        threading.Thread(target=log_points, args=(base_url, log, client))
        for log, client in zip(logs[:WRITERS], clients, strict=False)
    ]
    threads.append(threading.Thread(target=upload_files, args=(base_url, clients[-1], files, rng)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    process.terminate()
    assert process.wait() == 0
    # strace writes on for a moment after the process has ended.
    while not re.search(rf"^{process.pid} +\+\+\+ exited with 0", trace.read_text()[-4000:], re.MULTILINE):
        time.sleep(0.05)
    assert all(len(client.promises) == (REQUESTS, UPLOADS)[client is clients[-1]] + 1 for client in clients)
    return Recording(str(home), read_trace(trace, str(home)), clients, files)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("recorded"))


@dataclass(slots=True)
class Checker:
    """Recovers images and says what is wrong with them. What two images hold alike is looked into once."""

    recording: Recording
    place: Path
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    kept: dict[int, list[int]] = field(
        default_factory=dict
    )  # by state of the database: each client's requests, -1 without its run
    seen: dict[int, int] = field(default_factory=dict)  # by the bytes of an image: the state

    def check(self, image: Image, answered: list[int], moment: str) -> None:
        wrong = list(self._wrong(image, answered))
        self.faults.update(kind for kind, _ in wrong)
        self.examples += [f"{moment}: {kind}: {text}" for kind, text in wrong][: max(0, 10 - len(self.examples))]

    def _wrong(self, image: Image, answered: list[int]) -> Iterator[tuple[str, str]]:
        if "gnomon.db" not in image:
            yield "lost", "there is no database"
            return
        for path, data in image.items():
            place = Path(path)
            is_content = place.parts[:2] not in (("artifacts", "incoming"), ("artifacts", "trash"))
            if place.parts[0] == "artifacts" and is_content and hashlib.sha256(data).hexdigest() != place.name:
                yield "half artifact", f"{path} has {len(data)} bytes"
        try:
            kept = self._kept(image)
        except (sqlite.DatabaseError, AssertionError) as error:
            yield "corrupt", str(error)
            return
        for client, most, least in zip(self.recording.clients, kept, answered, strict=True):
            if most < least:
                yield "lost", f"run {client.run} has {most} of {least} answered requests"
        contents = {Path(path).name for path in image}
        uploader = self.recording.clients[-1]
        for path, sha256 in uploader.promises[max(0, kept[-1])].files.items():
            if sha256 not in contents:
                yield "lost artifact", f"{path} has a row, and its content {sha256} is not there"

    def _kept(self, image: Image) -> list[int]:
        """How many of each client's requests the database holds."""
        database, wal = image["gnomon.db"], image.get("gnomon.db-wal", b"")
        key = hash((database, wal))
        if key not in self.seen:
            shutil.rmtree(self.place, ignore_errors=True)
            self.place.mkdir()
            for name in ("gnomon.db", "gnomon.db-wal", "gnomon.db-journal"):
                if name in image:
                    (self.place / name).write_bytes(image[name])
            state = recover(self.place / "gnomon.db")
            if state not in self.kept:
                self.kept[state] = self._requests_in(self.place / "gnomon.db")
            self.seen[key] = state
        return self.kept[self.seen[key]]

    def _requests_in(self, path: Path) -> list[int]:
        promises = read_promises(path, [client.run for client in self.recording.clients])
        kept: list[int] = []
        for client in self.recording.clients:
            found = promises.get(client.run)
            if found is None:  # not even the run is there, though its creation was answered
                kept.append(-1)
                continue
            assert found in client.promises, f"run {client.run} holds what its client never had sent: {found}"
            kept.append(client.promises.index(found))
        return kept


def recover(path: Path) -> int:
    """Let SQLite recover the database and check it; a number that stands for all that it holds."""
    connection = sqlite.connect(str(path))
    try:
        connection.execute("PRAGMA synchronous = OFF")
        found = [line for (line,) in connection.execute("PRAGMA integrity_check")]
        assert found == ["ok"], found[:3]
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return hash(tuple((table, tuple(connection.execute(f"SELECT * FROM {table}"))) for table in sorted(tables)))
    finally:
        connection.close()


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(1_500, id="1500"),
        pytest.param(10_000, id="10000", marks=[pytest.mark.nightly, pytest.mark.timeout(1_800)]),
        pytest.param(1_000_000, id="1000000", marks=[pytest.mark.nightly, pytest.mark.timeout(7_200)]),
    ],
)
def test_power_loss_takes_nothing_that_was_answered(recording: Recording, images: int) -> None:
    rng = random.Random(SEED + images)
    ports = {client.port: number for number, client in enumerate(recording.clients)}
    answered = [0] * len(recording.clients)
    events = recording.events
    # From the first answer to a client: before, there is nothing to lose.
    start = next(at for at, event in enumerate(events) if isinstance(event, Answer) and event.port in ports)
    cuts = Counter(rng.randrange(start, len(events)) for _ in range(images))
    disk = Disk(recording.home)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        checker = Checker(recording, Path(memory) / "image")
        made = 0
        for at, event in enumerate(events):
            disk.replay(event)
            if isinstance(event, Answer) and event.port in ports:
                answered[ports[event.port]] += 1
            for _ in range(cuts[at]):
                chance = CHANCES[made % len(CHANCES)]
                made += 1
                checker.check(
                    disk.image(Survival(rng, chance)), answered, f"cut {at} of {len(events)}, chance {chance}"
                )

    assert checker.faults == {}, checker.examples
    assert made == images
    # The test has teeth: all was answered in the end, and the images were of many kinds.
    assert answered == [len(client.promises) - 1 for client in recording.clients]
    assert len(checker.kept) > WRITERS * REQUESTS / 4
    assert len(checker.seen) > images / 20
