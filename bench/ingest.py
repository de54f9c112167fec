"""Points a second, acknowledged durable, ours beside MLflow and FastTrackML.

1,000-point batches at 1 and 8 connections (10 metrics, 100 steps; and 1,000 metrics at one step, the dearest shape),
and one-point requests at 32 connections. The servers take turns; each round has a fresh home.

Ours is sent batches as the SDK sends them, columns in MessagePack, and beside it as JSON made by hand. FastTrackML is
compared as it must be set for an acknowledged point to be on the disk, and shown as it comes too.

One connection waits for the disk with each batch, so what a sync takes is measured and printed too: no tracker can
acknowledge more durable batches a second on one connection than the disk can sync. `TMPDIR=/dev/shm` leaves it out.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from bench import servers
from bench.load import Address, Outcome, Requests, drive
from bench.report import Result
from bench.servers import scratch_home
from bench.wires import ColumnsWire, MlflowWire, NativeWire, Wire, endless_batches, endless_points


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, how to speak to it, and how many 1,000-point batches it can take in a second at the very most."""

    start: Callable[[Path], AbstractContextManager[servers.Running]]
    speak: Callable[[Address], Wire]
    most_batches_per_sec: int


CONTENDERS: Mapping[str, Contender] = {
    "gnomon": Contender(servers.gnomon, ColumnsWire, 3_000),
    "gnomon, JSON": Contender(servers.gnomon, NativeWire, 1_500),
    "mlflow": Contender(servers.mlflow, MlflowWire, 40),
    "fasttrackml": Contender(servers.fasttrackml, MlflowWire, 300),
    "fasttrackml, not durable": Contender(partial(servers.fasttrackml, is_durable=False), MlflowWire, 300),
}
_BATCHES_A_RUN = 40
_BATCH_TARGETS = {"mlflow": 80.0, "fasttrackml": 30.0}
_POINT_TARGETS = {"mlflow": 50.0, "fasttrackml": 4.0}

# Makes the request streams of a measurement; is told how many 1,000-point batches may be asked for in all.
Load = Callable[[Wire, int], list[Requests]]


def batch_load(wire: Wire, most: int, *, connections: int, size: int, keys: int = 10) -> list[Requests]:
    bodies = wire.batches(size, _BATCHES_A_RUN, keys=keys)
    runs = 2 + most // (_BATCHES_A_RUN * connections)
    return [endless_batches(bodies, wire.make_runs(runs)) for _ in range(connections)]


def point_load(wire: Wire, _most: int, *, connections: int) -> list[Requests]:
    return [endless_points(wire, run) for run in wire.make_runs(connections)]


@dataclass(frozen=True, slots=True)
class Measured:
    outcome: Outcome
    cpu_secs_per_request: float


def measure(contender: Contender, load: Load, *, seconds: float) -> Measured:
    """One round: a fresh server, the load, and what both saw."""
    with scratch_home() as home, contender.start(home) as running:
        most = int(contender.most_batches_per_sec * (seconds + 1))
        requests = load(contender.speak(running.address), most)
        before = running.cpu_secs()
        (outcome,) = drive(running.address, [requests], seconds=seconds)
        spent = running.cpu_secs() - before
    if outcome.broken or outcome.refused or not outcome.answered:
        raise RuntimeError(
            f"{outcome.answered} answered, {outcome.refused} refused, {outcome.broken} connections broke: "
            f"{outcome.refusals}"
        )
    return Measured(outcome, spent / outcome.sent)


def run(*, rounds: int = 3, seconds: float = 3.0) -> list[Result]:
    servers.take_load_core()
    statements: list[tuple[str, int, dict[str, float], Load]] = [
        ("1,000-point batches, 1 connection", 1_000, _BATCH_TARGETS, partial(batch_load, connections=1, size=1_000)),
        ("1,000-point batches, 8 connections", 1_000, _BATCH_TARGETS, partial(batch_load, connections=8, size=1_000)),
        ("one-point requests, 32 connections", 1, _POINT_TARGETS, partial(point_load, connections=32)),
        (
            "batches of 1,000 metrics, 1 connection",
            1_000,
            {},
            partial(batch_load, connections=1, size=1_000, keys=1_000),
        ),
    ]
    return [compare(*statement, rounds=rounds, seconds=seconds) for statement in statements]


def compare(name: str, size: int, targets: dict[str, float], load: Load, *, rounds: int, seconds: float) -> Result:
    """One statement: all contenders, in turns."""
    figures: dict[str, list[float]] = {who: [] for who in CONTENDERS}
    cpu: dict[str, list[float]] = {who: [] for who in CONTENDERS}
    last: dict[str, Outcome] = {}
    for _ in range(rounds):
        for who, contender in CONTENDERS.items():
            measured = measure(contender, load, seconds=seconds)
            figures[who].append(measured.outcome.rate * size)
            cpu[who].append(measured.cpu_secs_per_request / size * 1e6)
            last[who] = measured.outcome
    notes = {
        who: f"{min(cpu[who]):.2f} us of processor a point; p50 {last[who].percentile_ms(0.5):.2f} ms,"
        f" p99 {last[who].percentile_ms(0.99):.2f} ms"
        for who in CONTENDERS
    }
    return Result(name, "points/s, acknowledged", figures, at_least=targets, notes={**notes, "disk": sync_note()})


def sync_note(*, size: int = 40_000, count: int = 100) -> str:
    """How long this disk takes to write and sync what a batch of 1,000 points weighs."""
    took: list[float] = []
    with tempfile.TemporaryFile() as file:
        data = os.urandom(size)
        for _ in range(count):
            started = perf_counter()
            file.write(data)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(perf_counter() - started)
    middle = median(took)
    return (
        f"a sync takes {middle * 1e6:,.0f} us (p50), so one connection has at most {1 / middle:,.0f} batches a second"
    )
