"""Timing single requests: what one client waits, and what processor time the server spent on it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.servers import Running


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds that each call took, and of the server's processor for one on average (clock ticks of 10 ms)."""

    latencies_ms: list[float]
    cpu_ms: float

    @property
    def p50_ms(self) -> float:
        return median(self.latencies_ms)


def timed(running: Running, call: Callable[[], object], *, repeats: int, warm: int = 1) -> Timed:
    """The same request again and again, one after the other; the first `warm` ones do not count."""
    for _ in range(warm):
        call()
    before = running.cpu_secs()
    latencies: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        latencies.append((time.perf_counter() - started) * 1e3)
    return Timed(latencies, (running.cpu_secs() - before) * 1e3 / repeats)
