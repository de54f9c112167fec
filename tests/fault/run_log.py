"""What a client was promised: it logs to one run from a seeded script and keeps every request that was answered.

A request that got no answer stays `unanswered` and is sent again, byte for byte, when the server is back: it may have
been kept or not, and must be there once after the retry. `compare` then reads everything back over the public API.
"""

import json
import math
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pysqlite3.dbapi2 as sqlite
from tests.support.postgres import postgres_faults
from tests.support.server_process import chosen_database

KEYS = ("loss", "acc", "lr", "grad/norm")
_BASE_MS = 1_700_000_000_000
_PAGE = 100_000
_BATCH = 100
# Values that a careless store loses: they must come back as they were sent.
_SPECIAL = (math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308)
_WIRE_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

Point = tuple[int, int, float]  # step, timestamp, value


@dataclass(frozen=True, slots=True)
class LogRequest:
    """One request to a run, and what it promises once it is answered."""

    path: str
    body: bytes
    points: dict[str, list[Point]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RunLog:
    """One run and everything about it that the server has answered for."""

    run: str
    rng: random.Random
    points: dict[str, list[Point]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    unanswered: LogRequest | None = None
    answered: int = 0
    _step: int = 0

    def next_request(self) -> LogRequest:
        """Something a training loop sends. No point is ever made twice."""
        kind = self.rng.random()
        if kind < 0.5:
            return self._metrics()
        if kind < 0.85:
            return self._batch()
        number = self.answered
        if kind < 0.93:
            name, value = f"p{number}", str(self.rng.random())
            return LogRequest("log-params", _json({"params": {name: value}}), params={name: value})
        tags = {f"t{number % 7}": str(number), "note": str(self.rng.random())}
        body = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        return LogRequest("log-batch", _json(body), tags=tags)

    def _metrics(self) -> LogRequest:
        self._step += 1
        time_ms = _BASE_MS + self._step
        values = {key: self._value() for key in self.rng.sample(KEYS, 2)}
        body = {
            "metrics": {key: _to_wire(value) for key, value in values.items()},
            "step": self._step,
            "timestamp": time_ms,
        }
        points = {key: [(self._step, time_ms, value)] for key, value in values.items()}
        return LogRequest("log-metrics", _json(body), points=points)

    def _batch(self) -> LogRequest:
        points: dict[str, list[Point]] = {}
        entries: list[dict[str, object]] = []
        for at in range(_BATCH):
            self._step += 1
            key = KEYS[at % len(KEYS)]
            point = (self._step, _BASE_MS + self._step, self._value())
            points.setdefault(key, []).append(point)
            entries.append({"key": key, "step": point[0], "timestamp": point[1], "value": _to_wire(point[2])})
        name, value = f"b{self.answered}", "x"
        body = {"metrics": entries, "params": [{"key": name, "value": value}]}
        return LogRequest("log-batch", _json(body), points=points, params={name: value})

    def _value(self) -> float:
        return self.rng.choice(_SPECIAL) if self.rng.random() < 0.02 else self.rng.uniform(-1e3, 1e3)

    def send(self, client: httpx.Client, request: LogRequest) -> httpx.Response:
        """Send and keep the promise of a 200; raises `httpx.TransportError` with the request left `unanswered`."""
        self.unanswered = request
        answer = client.post(
            f"/experiments/runs/{self.run}/{request.path}",
            content=request.body,
            headers={"Content-Type": "application/json"},
        )
        self.unanswered = None
        if answer.status_code == 200:
            self.keep(request)
        return answer

    def keep(self, request: LogRequest) -> None:
        for key, points in request.points.items():
            self.points.setdefault(key, []).extend(points)
        self.params.update(request.params)
        self.tags.update(request.tags)
        self.answered += 1

    def log_until_cut(self, client: httpx.Client) -> None:
        """Log until the connection breaks, or the server says that it stops: that request was not taken."""
        try:
            while True:
                answer = self.send(client, self.next_request())
                if answer.status_code == 503 and answer.json()["code"] == "stopping":
                    return
                assert answer.status_code == 200, answer.text
        except httpx.TransportError:
            return

    def retry(self, client: httpx.Client) -> None:
        """Send the request again that got no answer."""
        if self.unanswered is not None:
            answer = self.send(client, self.unanswered)
            assert answer.status_code == 200, answer.text

    def differences(self, client: httpx.Client) -> list[str]:
        """How what the server holds differs from what it has answered for; nothing when all is well."""
        answer = client.get(f"/experiments/runs/{self.run}")
        assert answer.status_code == 200, answer.text
        found = answer.json()
        wrong: list[str] = []
        if found["params"] != self.params:
            wrong.append(f"params of {self.run}: {_dict_difference(self.params, found['params'])}")
        if found["tags"] != self.tags:
            wrong.append(f"tags of {self.run}: {_dict_difference(self.tags, found['tags'])}")
        stored = read_history(client, self.run)
        if stored.keys() != self.points.keys():
            wrong.append(f"{self.run} has {sorted(stored)}, not {sorted(self.points)}")
        for key, points in self.points.items():
            wrong += self._point_differences(key, points, stored.get(key, []), found["metrics"].get(key))
        return wrong

    def _point_differences(self, key: str, sent: list[Point], stored: list[Point], latest: object) -> list[str]:
        expected = sorted(sent, key=lambda point: point[0])
        wrong: list[str] = []
        if list(map(exact, stored)) != list(map(exact, expected)):
            lost = set(map(exact, expected)) - set(map(exact, stored))
            wrong.append(
                f"{key} of {self.run}: {len(stored)} points, {len(expected)} answered for; lost {sorted(lost)[:3]}"
            )
        if latest != _to_wire(expected[-1][2]):
            wrong.append(f"{key} of {self.run}: latest is {latest}, not {expected[-1][2]}")
        return wrong


def read_history(client: httpx.Client, run: str) -> dict[str, list[Point]]:
    """Every point of a run, page by page."""
    found: dict[str, list[Point]] = {}
    offset = 0
    while True:
        query = {"limit": _PAGE, "offset": offset}
        answer = client.get(f"/experiments/runs/{run}/history", params=query)
        assert answer.status_code == 200, answer.text
        series = answer.json()["series"]
        for one in series:
            values = (_from_wire(value) for value in one["value"])
            found.setdefault(one["key"], []).extend(zip(one["step"], one["timestamp"], values, strict=True))
        offset += _PAGE
        if all(one["total"] <= offset for one in series):
            return found


def new_run_logs(client: httpx.Client, rng: random.Random, count: int) -> list[RunLog]:
    """An experiment with empty runs."""
    experiment = client.post("/experiments", json={"name": f"fault {rng.getrandbits(64):x}"})
    assert experiment.status_code == 201, experiment.text
    logs: list[RunLog] = []
    for _ in range(count):
        made = client.post("/experiments/runs", json={"experiment_id": experiment.json()["id"]})
        assert made.status_code == 201, made.text
        logs.append(RunLog(made.json()["id"], random.Random(rng.getrandbits(64))))
    return logs


class Loggers:
    """Threads, one a run, that log until the server goes away."""

    def __init__(self, base_url: str, logs: list[RunLog]) -> None:
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._log, args=(base_url, log)) for log in logs]
        for thread in self._threads:
            thread.start()

    def _log(self, base_url: str, log: RunLog) -> None:
        try:
            with httpx.Client(base_url=f"{base_url}/api/v1", timeout=60) as client:
                log.log_until_cut(client)
        except BaseException as error:
            self._errors.append(error)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]


def database_faults(path: Path) -> list[str]:
    """What the database finds wrong with itself, when no server has it open; nothing when it is whole.

    `path` is the file in the home; where the session chose PostgreSQL, the database of that home is looked at.
    """
    if url := chosen_database(path.parent):
        return postgres_faults(url)
    with sqlite.connect(path) as connection:
        return list(_faults(connection))


def _faults(connection: sqlite.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield str(line)
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield f"foreign key: {row}"


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()


def _to_wire(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _from_wire(value: object) -> float:
    if isinstance(value, str):
        return _WIRE_NAMES[value]
    assert isinstance(value, int | float)
    return float(value)


def exact(point: Point) -> tuple[int, int, str]:
    """A point as it can be compared: NaN equals NaN, and -0.0 is not 0.0."""
    return point[0], point[1], "NaN" if math.isnan(point[2]) else point[2].hex()


def _dict_difference(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    return [f"{key}: {expected.get(key)} became {found.get(key)}" for key in sorted(expected.keys() | found.keys())
            if expected.get(key) != found.get(key)][:5]  # fmt: skip
