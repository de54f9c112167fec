"""A project large enough to hurt: thousands of runs with many metrics, a few of them long. The same every time.

Every run has every metric. A short run has `short_points` of each; a long one has `long_points` of the training metrics
and, of the others, one for each twentieth step, as an evaluation gives.
"""

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection

import msgspec
import numpy as np
from numpy.typing import NDArray

from gnomon.wire import PointColumns, RunBegin, SequencedBatch

EXPERIMENT = "large"
_START_MS = 1_790_000_000_000
_STEP_MS = 250
_RUN_GAP_MS = 60_000
_EVALUATED_EVERY = 20
_MOST_POINTS = 100_000
_SENDERS = 24  # an answer waits for the disk, and requests that wait together share one wait
_TRAINING = ("train/loss", "train/accuracy", "train/grad_norm")
_OPTIMISERS = ("adamw", "lion", "sgd", "shampoo")

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Size:
    runs: int
    metrics: int
    long_runs: int
    long_points: int
    short_points: int = 5


SMALL = Size(runs=2_000, metrics=30, long_runs=10, long_points=50_000)
FULL = Size(runs=10_000, metrics=200, long_runs=20, long_points=100_000)


@dataclass(frozen=True, slots=True)
class Project:
    """What was made. The long runs are the newest, so they stand first in the table and are drawn unasked."""

    size: Size
    experiment_id: str
    long_runs: tuple[str, ...]
    metrics: tuple[str, ...]
    points: int


def metric_names(count: int) -> tuple[str, ...]:
    """Names as training gives them: a few that matter, then many of layers and devices."""
    named = [*_TRAINING, "val/loss", "val/accuracy", "val/ece", "lr"]
    named += [f"layer/{layer:02}/{what}" for layer in range(count) for what in ("grad_norm", "weight_norm")]
    return tuple(named[:count])


def load(base_url: str, size: Size, *, tenant: str | None = None) -> Project:
    """Make the project on a running server."""
    metrics = metric_names(size.metrics)
    caller = _Caller(base_url, tenant)
    made = caller.post("experiments", {"name": EXPERIMENT})
    experiment_id = str(made["id"])

    def send(number: int) -> tuple[str, int]:
        run_id = f"{number:032x}"
        points = 0
        for batch in batches(number, size, metrics, experiment_id):
            answer = caller.post(f"experiments/runs/{run_id}/batches", batch)
            points += int(str(answer["metrics"]))
        status = "failed" if number % 50 == 7 else "finished"
        caller.post(f"experiments/runs/{run_id}/end", {"status": status, "end_time": _ended_ms(number, size)})
        return run_id, points

    with ThreadPoolExecutor(_SENDERS) as pool:
        sent = list(pool.map(send, range(1, size.runs + 1)))
    caller.close()
    newest = [run_id for run_id, _ in reversed(sent)]
    return Project(size, experiment_id, tuple(newest[: size.long_runs]), metrics, sum(points for _, points in sent))


class _Caller:
    """A connection for each thread; plain ones, because thousands of small requests wait for their client."""

    def __init__(self, base_url: str, tenant: str | None) -> None:
        self._address = base_url.removeprefix("http://")
        self._headers = {} if tenant is None else {"X-Tenant-ID": tenant}
        self._own = threading.local()
        self._opened: list[HTTPConnection] = []

    def post(self, path: str, body: SequencedBatch | dict[str, object]) -> dict[str, object]:
        is_batch = isinstance(body, SequencedBatch)
        data = msgspec.msgpack.encode(body) if is_batch else msgspec.json.encode(body)
        media_type = "application/msgpack" if is_batch else "application/json"
        connection = self._connection()
        connection.request("POST", f"/api/v1/{path}", data, {**self._headers, "Content-Type": media_type})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"POST {path} answered {answer.status}: {content.decode()}")
        return msgspec.json.decode(content, type=dict[str, object])

    def _connection(self) -> HTTPConnection:
        found: HTTPConnection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = HTTPConnection(self._address, timeout=120)
            self._opened.append(found)
        return found

    def close(self) -> None:
        for connection in self._opened:
            connection.close()


def batches(number: int, size: Size, metrics: tuple[str, ...], experiment_id: str) -> Iterator[SequencedBatch]:
    """All batches of one run, from 1 up; the first begins it."""
    rng = np.random.default_rng(number)
    optimiser = _OPTIMISERS[number % len(_OPTIMISERS)]
    lr = float(10 ** rng.uniform(-4, -1))
    is_long = number > size.runs - size.long_runs
    begin = RunBegin(
        experiment_id=experiment_id,
        name=f"{optimiser}-{number:05}",
        tags={"team": ("vision", "speech")[number % 2]},
        start_time=_start_ms(number),
    )
    params = {
        "optimiser": optimiser,
        "lr": f"{lr:.2g}",
        "batch_size": str(2 ** int(rng.integers(4, 9))),
        "depth": str(int(rng.integers(4, 24))),
        "seed": str(number % 5),
        "data": "imagenet-1k",
    }
    for seq, (keys, key, step, value) in enumerate(_points(rng, size, metrics, lr=lr, is_long=is_long)):
        time_ms = (_start_ms(number) + step * _STEP_MS).astype("<i8")
        yield SequencedBatch(
            writer="loader",
            seq=seq,
            create=begin if seq == 0 else None,
            params=params if seq == 0 else {},
            points=PointColumns(
                keys=keys,
                key=key.astype("<u4").tobytes(),
                step=step.astype("<f8").tobytes(),
                timestamp=time_ms.tobytes(),
                value=value.astype("<f8").tobytes(),
            ),
        )


def _points(
    rng: np.random.Generator, size: Size, metrics: tuple[str, ...], *, lr: float, is_long: bool
) -> Iterator[tuple[list[str], NDArray[np.uint32], Column, Column]]:
    """Keys and the columns of one batch after another, none larger than the server takes."""
    if not is_long:
        steps = np.linspace(0, size.long_points - 1, size.short_points).round()
        values = np.concatenate([_curve(rng, name, steps / size.long_points, lr) for name in metrics])
        key = np.repeat(np.arange(len(metrics), dtype=np.uint32), len(steps))
        yield list(metrics), key, np.tile(steps, len(metrics)), values
        return
    for name in metrics:
        stride = 1 if name in _TRAINING else _EVALUATED_EVERY
        steps = np.arange(0, size.long_points, stride, dtype=np.float64)
        values = _curve(rng, name, steps / size.long_points, lr)
        for at in range(0, len(steps), _MOST_POINTS):
            part = slice(at, at + _MOST_POINTS)
            yield [name], np.zeros(len(steps[part]), dtype=np.uint32), steps[part], values[part]


def _curve(rng: np.random.Generator, name: str, progress: Column, lr: float) -> Column:
    """A curve of the shape that a metric of this name has, with noise."""
    quality = 1.0 / (1 + abs(math.log10(lr) + 2.5))
    noise = rng.normal(0, 0.03, len(progress))
    fall = np.exp(-6 * progress)
    if name == "lr":
        return np.asarray(lr * (1 + np.cos(np.pi * progress)) / 2)
    if "accuracy" in name:
        return np.asarray(np.clip(quality * 0.95 * (1 - fall) + noise / 3, 0, 1))
    if "norm" in name:
        return np.asarray(1 + 3 * fall + 4 * np.abs(noise) + rng.uniform(0, 0.5))
    return np.asarray(2.3 * fall + 0.12 / quality + np.abs(noise))


def _start_ms(number: int) -> int:
    return _START_MS + number * _RUN_GAP_MS


def _ended_ms(number: int, size: Size) -> int:
    return _start_ms(number) + size.long_points * _STEP_MS
