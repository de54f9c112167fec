"""Space and rest: bytes a point on the disk, how soon a server with ten million points is ready, its memory at rest.

Points come through the API, as the SDK sends them, and are settled by the server itself. Measured are the pages in use
of the database's file after the server has stopped, everything in it included; and the file as it lies, with the free
pages that the next points will take. The measure is a training run's own mix of metrics; three pure kinds of values
stand beside it, and MLflow's database with points of the same mix.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pysqlite3

from bench import servers
from bench.fill import MlflowHome, settle
from bench.project import Floats
from bench.report import Result
from bench.servers import Running, scratch_home
from bench.wires import BASE_MS, Caller, NativeWire
from gnomon.wire import PointColumns, SequencedBatch

STEPS = 10_000
_BATCH_STEPS = 1_000
_STEP_MS = 120
_MOST_BYTES = 6.0
_MOST_START_SECS = 1.5
_MOST_IDLE_MB = 150.0

Columns = Mapping[str, Floats]
Maker = Callable[[int], Columns]


def run(*, rounds: int = 3, quick: bool = False) -> list[Result]:
    servers.take_load_core()
    million = 100_000 if quick else 1_000_000
    pure = [_pure(name, values, million) for name, values in _PURE.items()]
    peer = _mlflow_bytes(million // 5)
    with scratch_home() as home:
        points = _fill(home, training_run, 10 * million)
        used, lying = (size / points for size in _sizes(home))
        rest = _rest(home, points, rounds)
    mix = Result(
        f"settled bytes a point, a training run's ten metrics, {points:,} points",
        "bytes",
        {"gnomon": [used], "mlflow": [peer]},
        at_most=_MOST_BYTES,
        is_cost=True,
    )
    file = Result("the same, the file as it lies", "bytes", {"gnomon": [lying]})
    return [mix, file, *pure, *rest]


def training_run(number: int) -> Columns:
    """What a run logs at every step: ten metrics, some of single precision, some rounded, some whole, some neither."""
    chance = np.random.default_rng(number)
    step = np.arange(STEPS)
    fall = 1 / (step / 500 + 1.2)
    noise = chance.standard_normal((4, STEPS))
    return {
        "train/loss": _single(fall + 0.05 * noise[0]),
        "val/loss": _single(fall * 1.1 + 0.02 * noise[1]),
        "train/grad_norm": _single(np.exp(0.3 * noise[2])),
        "train/accuracy": np.round(1 - fall / 1.3 + 0.002 * noise[3], 4),
        "lr": 3e-4 * 0.5 * (1 + np.cos(np.pi * step / STEPS)),
        "epoch": (step // 400).astype(np.float64),
        "system/gpu_percent": chance.integers(90, 100, STEPS).astype(np.float64),
        "system/gpu_memory_gb": np.round(38 + chance.random(STEPS), 2),
        "perf/step_ms": np.round(118 + 4 * chance.random(STEPS), 3),
        "perf/samples_per_sec": 32 / (0.118 + 0.004 * chance.random(STEPS)),
    }


def _single(values: Floats) -> Floats:
    return values.astype(np.float32).astype(np.float64)


_PURE: Mapping[str, Maker] = {
    "losses of single precision": lambda number: {"loss": training_run(number)["train/loss"]},
    "values of four decimals": lambda number: {"accuracy": training_run(number)["train/accuracy"]},
    "random doubles": lambda number: {"random": np.random.default_rng(number).random(STEPS)},
}


def _pure(name: str, columns: Maker, points: int) -> Result:
    with scratch_home() as home:
        sent = _fill(home, columns, points)
        size = _sizes(home)[0] / sent
    return Result(f"settled bytes a point, {name}, {sent:,} points", "bytes", {"gnomon": [size]})


def _fill(home: Path, columns: Maker, points: int) -> int:
    """Send so many points and wait until they are settled; how many it were."""
    with servers.gnomon(home, GNOMON_SEAL_IDLE_SECS="1") as running:
        wire = NativeWire(running.address)
        sent = 0
        for number, run_id in enumerate(wire.make_runs(-(-points // STEPS // len(columns(0))))):
            for body, count in _batches(number, columns(number)):
                path = f"/api/v1/experiments/runs/{run_id}/batches"
                wire.caller.raw("POST", path, body, media="application/msgpack")
                sent += count
        settle(home)
        time.sleep(2)  # free pages are given back in the rounds of upkeep that follow
    return sent


def _batches(number: int, columns: Columns) -> Iterator[tuple[bytes, int]]:
    """A run's batches, a thousand steps each; the steps take a little more or less time, as they do."""
    chance = np.random.default_rng(1_000_000 + number)
    times = BASE_MS + np.cumsum(_STEP_MS + chance.integers(-2, 3, STEPS))
    for seq, first in enumerate(range(0, STEPS, _BATCH_STEPS)):
        steps = np.arange(first, min(first + _BATCH_STEPS, STEPS))
        points = PointColumns(
            keys=list(columns),
            key=np.tile(np.arange(len(columns), dtype="<u4"), len(steps)).tobytes(),
            step=np.repeat(steps.astype("<f8"), len(columns)).tobytes(),
            timestamp=np.repeat(times[steps].astype("<i8"), len(columns)).tobytes(),
            value=np.stack([values[steps] for values in columns.values()], axis=1).astype("<f8").tobytes(),
        )
        batch = SequencedBatch(writer="bench", seq=seq, points=points)
        yield msgspec.msgpack.encode(batch), len(columns) * len(steps)


def _sizes(home: Path) -> tuple[int, int]:
    """Bytes of the pages in use, and of the file (the write-ahead log is empty once a server has stopped)."""
    with closing(pysqlite3.connect(home / "gnomon.db")) as database:
        page, pages, free = (
            int(database.execute(f"pragma {name}").fetchone()[0])
            for name in ("page_size", "page_count", "freelist_count")
        )
    return page * (pages - free), page * pages


def _mlflow_bytes(points: int) -> float:
    """What a point of the same mix takes in MLflow's database, its indexes included."""
    with scratch_home() as home:
        made = MlflowHome(home)
        before = (home / "mlflow.db").stat().st_size
        columns = training_run(0)
        sent = 0
        for number in range(-(-points // STEPS // len(columns))):
            for key, values in training_run(number).items():
                made.add_series(sent, key, values)
                sent += len(values)
        return ((home / "mlflow.db").stat().st_size - before) / sent


def _rest(home: Path, points: int, rounds: int) -> list[Result]:
    starts: list[float] = []
    at_rest: list[float] = []
    after_work: list[float] = []
    spent: list[float] = []
    for _ in range(rounds):
        with servers.gnomon(home) as running:
            began = time.perf_counter()
            Caller(running.address).raw("GET", "/readyz")
            starts.append(running.start_secs + time.perf_counter() - began)
            spent.append(running.cpu_secs())
            running.rest()
            at_rest.append(running.rss_mb())
            _work(running)
            running.rest()
            after_work.append(running.rss_mb())
    told = {"processor": f"{min(spent):.2f} s until ready"}
    held = f"with {points:,} points"
    worked = f"memory at rest {held}, after a hundred charts and searches"
    return [
        Result(f"ready {held}", "s from start to /readyz", {"gnomon": starts}, at_most=_MOST_START_SECS, notes=told),
        Result(f"memory at rest {held}, started", "MB resident", {"gnomon": at_rest}, at_most=_MOST_IDLE_MB),
        Result(worked, "MB resident", {"gnomon": after_work}, at_most=_MOST_IDLE_MB),
    ]


def _work(running: Running) -> None:
    """Charts, tables and searches, as somebody who looks around causes them."""
    caller = Caller(running.address)
    found = caller.call("GET", "/api/v1/experiments/runs?limit=20")["runs"]
    assert isinstance(found, list)
    runs = [str(one["id"]) for one in found]
    for key in list(training_run(0)) * 10:
        caller.call("POST", "/api/v1/experiments/runs/series", {"run_ids": runs, "keys": [key], "buckets": 800})
        caller.call("GET", "/api/v1/experiments/runs?limit=100&filter=metrics.lr%20%3C%201")
