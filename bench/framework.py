"""The framework's and our own share of an ingest request, against a bare ASGI app with the same decoder.

All without storage (`bare.py`): the same requests to the bare app and to the server up to the writer's queue. The
decoder is what makes the checked columns that are kept out of a body: msgspec, then numpy. A bare app that stops after
msgspec, with Structs that nobody can store, is shown too, alone and behind our outer guard; its figure is the same
measurement with the columns counted as ours.

The figure is processor time of the thread that runs the event loop, from the kernel's account of it. 1,000 points as a
JSON list of points and as MessagePack columns, and one-point requests. What the whole server spends on such a request,
storage included, is shown beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from statistics import median

from bench import servers
from bench.ingest import batch_load, point_load
from bench.load import Address, Requests, drive
from bench.report import Result
from bench.servers import Running, scratch_home
from bench.wires import ColumnsWire, NativeWire, Wire

_CONNECTIONS = 8
_AT_MOST = 1.6
_MOST_BATCHES_PER_SEC = 4_000
_LAYERS = {
    "gnomon": "whole",
    "bare ASGI": "bare",
    "bare ASGI, no columns": "structs",
    "the same behind our guard": "guarded",
}


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: by which wire, and how the requests are made from it."""

    speak: Callable[[Address], Wire]
    load: Callable[[Wire, int], list[Requests]]


BODIES: Mapping[str, Body] = {
    "1,000 points, JSON": Body(NativeWire, partial(batch_load, connections=_CONNECTIONS, size=1_000)),
    "1,000 points, MessagePack": Body(ColumnsWire, partial(batch_load, connections=_CONNECTIONS, size=1_000)),
    "one point, JSON": Body(NativeWire, partial(point_load, connections=_CONNECTIONS)),
}


def run(*, rounds: int = 3, seconds: float = 2.0) -> list[Result]:
    servers.take_load_core()
    return [measure(name, body, rounds=rounds, seconds=seconds) for name, body in BODIES.items()]


def measure(name: str, body: Body, *, rounds: int, seconds: float) -> Result:
    spent: dict[str, list[float]] = {who: [] for who in _LAYERS}
    is_bound = name.startswith("1,000")
    stored: list[tuple[float, float]] = []
    for _ in range(rounds):
        with scratch_home() as home, servers.gnomon(home) as running:
            requests = body.load(body.speak(running.address), int(_MOST_BATCHES_PER_SEC * (seconds + 1)))
            stored.append(_micros_per_request(running, requests, seconds))
            sample = [next(each) for each in requests]
        for who, layer in _LAYERS.items():
            with scratch_home() as home, servers.python_server("bench.bare", home, layer) as running:
                spent[who].append(_micros_per_request(running, [repeat(each) for each in sample], seconds)[0])
    of_loop, of_all = (median(each) for each in zip(*stored, strict=True))
    return Result(
        name,
        "us of processor a request, without storage",
        spent,
        at_least={"bare ASGI": 1 / _AT_MOST} if is_bound else {},
        notes={
            "check": f"ours is {_ratio(spent, 'bare ASGI'):.2f} times bare ASGI"
            + (f" (at most {_AT_MOST:g})" if is_bound else "")
            + f", {_ratio(spent, 'bare ASGI, no columns'):.2f} times one that keeps no columns",
            "with storage": f"{of_loop:,.0f} us in the event loop's thread, {of_all - of_loop:,.0f} us in the others",
        },
        is_cost=True,
    )


def _ratio(spent: Mapping[str, Sequence[float]], to: str) -> float:
    return median(spent["gnomon"]) / median(spent[to])


def _micros_per_request(running: Running, requests: Sequence[Requests], seconds: float) -> tuple[float, float]:
    """Processor time of the event loop's thread, and of all threads, in microseconds."""
    before = _cpu_us(running.process.pid)
    (outcome,) = drive(running.address, [requests], seconds=seconds)
    after = _cpu_us(running.process.pid)
    if outcome.broken or outcome.refused or not outcome.answered:
        raise RuntimeError(f"{outcome.refused} refused, {outcome.broken} connections broke: {outcome.refusals}")
    return (after[0] - before[0]) / outcome.sent, (after[1] - before[1]) / outcome.sent


def _cpu_us(pid: int) -> tuple[float, float]:
    threads = {int(task.name): _thread_cpu_us(task) for task in Path(f"/proc/{pid}/task").iterdir()}
    return threads[pid], sum(threads.values())


def _thread_cpu_us(task: Path) -> float:
    try:
        return int((task / "schedstat").read_text().split()[0]) / 1e3
    except FileNotFoundError:  # it has ended
        return 0.0
