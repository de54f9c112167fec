"""Several servers on one database, and a load that remembers every promise: what is killed, and what it costs.

A logger sends numbered batches to one run, each until some server has answered for it, whichever that is; what it is
not answered for it sends again under the same number. At the end every run must hold exactly what was answered for.
"""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx

from tests.support.postgres import Cluster, pair_url, synchronous_pair
from tests.support.server_process import ServerProcess

BATCH = 100
KEYS = ("loss", "acc")
_BASE_MS = 1_700_000_000_000
_PAGE = 100_000
_FILE_BYTES = 40_000
# After the end of the load, a batch under way is tried so long.
_LAST_SECS = 60.0


class Logger(threading.Thread):
    """One job: it logs to its run until it is told to stop, and has an answer for everything it sent."""

    def __init__(self, servers: Sequence[ServerProcess], number: int, run: str) -> None:
        super().__init__(name=f"logger {number}")
        self.run_id = run
        self.number = number
        self.answers: list[float] = []  # when each batch was answered for
        self.refusals: Counter[str] = Counter()
        self.error: BaseException | None = None
        self._servers = servers
        self._ends = threading.Event()

    @property
    def points(self) -> int:
        return len(self.answers) * BATCH

    def end(self) -> None:
        self._ends.set()

    def run(self) -> None:
        try:
            with httpx.Client(timeout=10) as client:
                for seq in itertools.count():
                    if self._ends.is_set():
                        return
                    self._send(client, seq)
        except BaseException as error:
            self.error = error

    def _send(self, client: httpx.Client, seq: int) -> None:
        path, options = self._request(seq)
        last_try = None
        for attempt in itertools.count():
            if self._ends.is_set():
                last_try = last_try or time.monotonic() + _LAST_SECS
                assert time.monotonic() < last_try, f"batch {seq} of run {self.number} is never answered"
            server = self._servers[(self.number + attempt) % len(self._servers)]
            try:
                answer = client.post(f"{server.base_url}/api/v1/experiments/{path}", **options)  # type: ignore[arg-type]
            except httpx.TransportError as error:
                self.refusals[type(error).__name__] += 1
                time.sleep(0.01)
                continue
            if answer.is_success:
                self.answers.append(time.monotonic())
                return
            assert answer.status_code in (429, 503), answer.text
            self.refusals[str(answer.status_code)] += 1
            time.sleep(0.05)

    def _request(self, seq: int) -> tuple[str, dict[str, object]]:
        steps = range(seq * BATCH, (seq + 1) * BATCH)
        columns = {
            "keys": KEYS,
            "key": [step % 2 for step in steps],
            "step": list(steps),
            "timestamp": [_BASE_MS + step for step in steps],
            "value": [value_of(self.number, step) for step in steps],
        }
        return f"runs/{self.run_id}/batches", {"json": {"writer": f"w{self.number}", "seq": seq, "points": columns}}

    def differences(self, client: httpx.Client) -> list[str]:
        """How what is stored differs from what was answered for."""
        wrong: list[str] = []
        for nth, key in enumerate(KEYS):
            stored: list[tuple[int, float]] = []
            total = 1
            while len(stored) < total:
                query: dict[str, str | int] = {"key": key, "limit": _PAGE, "offset": len(stored)}
                answer = client.get(f"/experiments/runs/{self.run_id}/history", params=query)
                assert answer.status_code == 200, answer.text
                (series,) = answer.json()["series"] or [{"step": [], "value": [], "total": 0}]
                stored += zip(series["step"], series["value"], strict=True)
                total = series["total"]
            expected = [(step, value_of(self.number, step)) for step in range(nth, self.points, 2)]
            if stored != expected:
                lost, more = set(expected) - set(stored), len(stored) - len(set(stored))
                wrong.append(f"{key} of run {self.number}: {len(lost)} lost, {more} twice, of {len(expected)}")
        return wrong


class FileLogger(Logger):
    """Logs one small file after the other."""

    def _request(self, seq: int) -> tuple[str, dict[str, object]]:
        data = file_of(self.number, seq)
        return f"runs/{self.run_id}/log-artifact", {"files": {"file": (f"{seq}.bin", data)}}

    def differences(self, client: httpx.Client) -> list[str]:
        wrong: list[str] = []
        for seq in range(len(self.answers)):
            answer = client.get(f"/experiments/runs/{self.run_id}/artifacts/{seq}.bin")
            expected = file_of(self.number, seq)
            if answer.status_code != 200 or sha256(answer.content).digest() != sha256(expected).digest():
                wrong.append(f"file {seq} of run {self.number}: {answer.status_code}")
        return wrong


class Team:
    """PostgreSQL with a synchronous standby, and servers beside each other on it."""

    def __init__(
        self, folder: Path, *, servers: int, env: dict[str, str] | None = None, is_paired: bool = True
    ) -> None:
        self.standby: Cluster | None = None
        if is_paired:
            self.primary, self.standby = synchronous_pair()
        else:
            self.primary = Cluster().start()
        self.primary.prepare()
        database = self.primary.make_database()
        url = self.primary.url(database) if self.standby is None else pair_url(self.primary, self.standby, database)
        told = {"GNOMON_DATABASE": url, **(env or {})}
        self.servers = [ServerProcess(folder / f"server{nth}", "--quiet", env=told) for nth in range(servers)]
        for server in self.servers:
            server.start()

    def close(self) -> list[int]:
        """Stop everything; how the servers ended."""
        codes = [server.stop() for server in self.servers]
        for cluster in (self.standby, self.primary):
            if cluster is not None:
                cluster.remove()
        return codes

    def loggers(self, count: int, *, files: int = 0) -> list[Logger]:
        """Jobs with a run each, not started yet."""
        with self.servers[0].client() as client:
            name = f"team {random.Random().getrandbits(64):x}"
            experiment = client.post("/experiments", json={"name": name}).raise_for_status().json()["id"]
            runs = [
                str(
                    client.post("/experiments/runs", json={"experiment_id": experiment}).raise_for_status().json()["id"]
                )
                for _ in range(count + files)
            ]
        return [(Logger if nth < count else FileLogger)(self.servers, nth, run) for nth, run in enumerate(runs)]


@contextmanager
def logging(loggers: Sequence[Logger]) -> Iterator[None]:
    """All of them log at once for as long as this lasts."""
    for logger in loggers:
        logger.start()
    try:
        yield
    finally:
        for logger in loggers:
            logger.end()
        for logger in loggers:
            logger.join()
    for logger in loggers:
        if logger.error is not None:
            raise logger.error


def wait_for_answers(loggers: Sequence[Logger], *, longest_secs: float = 120) -> None:
    """Return once each of them has been answered again."""
    begin = time.monotonic()
    while not all(logger.answers and logger.answers[-1] > begin for logger in loggers):
        assert time.monotonic() < begin + longest_secs, "some are not answered any more"
        time.sleep(0.01)


def outage_secs(loggers: Sequence[Logger], begin: float, end: float) -> float:
    """The longest that any of them waited for an answer between two moments."""
    longest = 0.0
    for logger in loggers:
        moments = [begin, *(at for at in logger.answers if begin < at < end), end]
        longest = max(longest, *(later - at for at, later in itertools.pairwise(moments)))
    return longest


def value_of(number: int, step: int) -> float:
    """What a job logs at a step: no two are alike."""
    return number + step / 1024


def file_of(number: int, seq: int) -> bytes:
    return random.Random(number * 1_000_003 + seq).randbytes(_FILE_BYTES)
