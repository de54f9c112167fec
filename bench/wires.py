"""How each server is spoken to: the same runs and points in our native API and in MLflow's (which FastTrackML shares).

A `Wire` makes runs and builds requests as bytes, ahead of the measurement as far as it can be done: batches differ by
run, so a few bodies serve any number of runs and no point is ever sent twice.
"""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec
import numpy as np

from bench.load import Address, request

BASE_MS = 1_700_000_000_000
_KEY = "train/metric_{}"
_KEPT_ALIVE_SECS = 2.0


class Wire(Protocol):
    def make_runs(self, count: int) -> list[str]: ...

    def point(self, run: str, step: int) -> bytes: ...

    def batches(self, size: int, count: int, *, keys: int) -> "BatchBodies": ...


class BatchBodies:
    """`count` different batches of `size` points each, ready but for the run."""

    def __init__(
        self, bodies: Sequence[bytes], *, path: str, run_in_body: bool = False, media: str = "application/json"
    ) -> None:
        self._bodies = bodies
        self._path = path
        self._run_in_body = run_in_body
        self._media = media

    def __len__(self) -> int:
        return len(self._bodies)

    def of_run(self, run: str) -> Iterator[bytes]:
        for body in self._bodies:
            if self._run_in_body:
                yield request("POST", self._path, b'{"run_id":"' + run.encode() + b'",' + body[1:])
            else:
                yield request("POST", self._path.format(run=run), body, media=self._media)


class Caller:
    """Plain calls, one after the other on one connection; opened anew where a server would have closed it."""

    def __init__(self, address: Address) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=300)
        self._used_at = time.monotonic()

    def call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        data = self.raw(method, path, None if body is None else json.dumps(body).encode())
        found = json.loads(data)
        assert isinstance(found, dict)
        return found

    def raw(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        accept: str = "application/json",
        media: str = "application/json",
    ) -> bytes:
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = media
        if time.monotonic() - self._used_at > _KEPT_ALIVE_SECS:
            self._connection.close()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        self._used_at = time.monotonic()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {data[:500].decode(errors='replace')}")
        return data


class NativeWire:
    """Ours, as JSON made by hand: a list of points."""

    def __init__(self, address: Address) -> None:
        self.caller = Caller(address)
        made = self.caller.call("POST", "/api/v1/experiments", {"name": f"bench-{time.time_ns()}"})
        self.experiment = str(made["id"])

    def make_runs(self, count: int) -> list[str]:
        body = {"experiment_id": self.experiment}
        return [str(self.caller.call("POST", "/api/v1/experiments/runs", body)["id"]) for _ in range(count)]

    def point(self, run: str, step: int) -> bytes:
        body = b'{"metrics":{"loss":0.4375},"step":%d,"timestamp":%d}' % (step, BASE_MS + step)
        return request("POST", f"/api/v1/experiments/runs/{run}/log-metrics", body)

    def batches(self, size: int, count: int, *, keys: int) -> BatchBodies:
        return BatchBodies(_bodies(size, count, keys), path="/api/v1/experiments/runs/{run}/log-batch")


class ColumnsWire(NativeWire):
    """Ours, as the SDK sends it: columns in MessagePack, each batch with its place in the writer's sequence."""

    def batches(self, size: int, count: int, *, keys: int) -> BatchBodies:
        path = "/api/v1/experiments/runs/{run}/batches"
        return BatchBodies(_column_bodies(size, count, keys), path=path, media="application/msgpack")


class MlflowWire:
    """MLflow's REST API, version 2.0."""

    def __init__(self, address: Address) -> None:
        self.caller = Caller(address)
        made = self.caller.call("POST", "/api/2.0/mlflow/experiments/create", {"name": f"bench-{time.time_ns()}"})
        self.experiment = str(made["experiment_id"])

    def make_runs(self, count: int) -> list[str]:
        runs: list[str] = []
        for _ in range(count):
            body = {"experiment_id": self.experiment, "start_time": BASE_MS}
            made = self.caller.call("POST", "/api/2.0/mlflow/runs/create", body)
            run = made["run"]
            assert isinstance(run, dict)
            runs.append(str(run["info"]["run_id"]))
        return runs

    def point(self, run: str, step: int) -> bytes:
        body = b'{"run_id":"%s","key":"loss","value":0.4375,"timestamp":%d,"step":%d}'
        return request("POST", "/api/2.0/mlflow/runs/log-metric", body % (run.encode(), BASE_MS + step, step))

    def batches(self, size: int, count: int, *, keys: int) -> BatchBodies:
        return BatchBodies(_bodies(size, count, keys), path="/api/2.0/mlflow/runs/log-batch", run_in_body=True)


def _points(batch: int, size: int, keys: int) -> list[tuple[int, int, int, float]]:
    """A batch as a training loop makes it, (key, step, time, value): steps that go on, values of full precision."""
    first = batch * (size // keys)
    return [
        (
            at % keys,
            first + at // keys,
            BASE_MS + 100 * (first + at // keys),
            1 / (first + at // keys + 1.7) + at % keys,
        )
        for at in range(size)
    ]


def _bodies(size: int, count: int, keys: int) -> list[bytes]:
    """The batches as both dialects of JSON have them."""
    bodies: list[bytes] = []
    for batch in range(count):
        points = [
            {"key": _KEY.format(key), "value": value, "timestamp": time_ms, "step": step}
            for key, step, time_ms, value in _points(batch, size, keys)
        ]
        bodies.append(json.dumps({"metrics": points}, separators=(",", ":")).encode())
    return bodies


def _column_bodies(size: int, count: int, keys: int) -> list[bytes]:
    """The same batches as columns in MessagePack."""
    bodies: list[bytes] = []
    for batch in range(count):
        key, step, time_ms, value = zip(*_points(batch, size, keys), strict=True)
        points = {
            "keys": [_KEY.format(number) for number in range(keys)],
            "key": np.array(key, "<u4").tobytes(),
            "step": np.array(step, "<f8").tobytes(),
            "timestamp": np.array(time_ms, "<i8").tobytes(),
            "value": np.array(value, "<f8").tobytes(),
        }
        bodies.append(msgspec.msgpack.encode({"writer": "bench", "seq": batch, "points": points}))
    return bodies


def endless_points(wire: Wire, run: str) -> Iterator[bytes]:
    """One-point requests of one run, for ever."""
    step = 0
    while True:
        yield wire.point(run, step)
        step += 1


def endless_batches(bodies: BatchBodies, runs: Sequence[str]) -> Iterator[bytes]:
    """Batches of one run after the other; there must be runs enough for the time."""
    for run in runs:
        yield from bodies.of_run(run)
    raise RuntimeError("the measurement ran out of runs; make more")
