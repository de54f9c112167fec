"""Samples of the machine while a run goes on: processor, memory, disk, network, GPUs, as metrics `system/…`.

Invariant: a daemon thread takes them; a sample that fails is left out, and the step is seconds since the run began.
Without psutil there are none.
"""

import os
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from gnomon.capture.gpus import Gpus
from gnomon.loading import loading

DEFAULT_SECS = 10.0
# Before the first: a script of a moment is not worth one.
FIRST_SECS = 1.0
_MIB = 1024.0 * 1024.0


def every_secs() -> float:
    """How far apart samples are: `GNOMON_SYSTEM_SECS`, at least a tenth of a second."""
    try:
        return max(0.1, float(os.environ.get("GNOMON_SYSTEM_SECS", DEFAULT_SECS)))
    except ValueError:
        return DEFAULT_SECS


class Sampler:
    """Hands samples to `take` until stopped."""

    def __init__(self, take: Callable[[dict[str, float]], None]) -> None:
        self._take = take
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gnomon-system", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        try:
            machine = Machine()
        except ImportError:
            return
        secs = every_secs()
        pause = min(FIRST_SECS, secs)
        while not self._stopped.wait(pause):
            self._take(machine.sample())
            pause = secs


class Machine:
    """What psutil and NVIDIA's library say of this machine. Raises `ImportError` without psutil."""

    def __init__(self) -> None:
        with loading:
            self._psutil: Any = import_module("psutil")  # an optional package, whose types are not installed with it
        self._process = self._psutil.Process()
        self._gpus = Gpus()
        self._before: tuple[float, dict[str, float]] = (time.monotonic(), self._counters())
        self._psutil.cpu_percent()
        self._process.cpu_percent()

    def sample(self) -> dict[str, float]:
        """Percent of processors, memory and disk; MiB of this process; MiB a second since the last sample."""
        psutil, process = self._psutil, self._process
        questions: dict[str, Callable[[], float]] = {
            "cpu": psutil.cpu_percent,
            "memory": lambda: psutil.virtual_memory().percent,
            "process/cpu": process.cpu_percent,
            "process/memory": lambda: process.memory_info().rss / _MIB,
            "process/threads": process.num_threads,
            "disk/used": lambda: psutil.disk_usage(".").percent,
        }
        found: dict[str, float] = {}
        for name, ask in questions.items():
            try:
                found[name] = float(ask())
            except (psutil.Error, OSError):  # this system does not say
                continue
        found |= self._rates() | self._gpus.sample()
        return {f"system/{name}": value for name, value in found.items()}

    def _rates(self) -> dict[str, float]:
        now, counters = time.monotonic(), self._counters()
        then, before = self._before
        self._before = (now, counters)
        secs = max(now - then, 1e-3)
        return {name: max(0.0, counters[name] - before[name]) / secs for name in counters if name in before}

    def _counters(self) -> dict[str, float]:
        disk, network = self._psutil.disk_io_counters(), self._psutil.net_io_counters()
        found: dict[str, float] = {}
        if disk is not None:
            found |= {"disk/read": disk.read_bytes / _MIB, "disk/written": disk.write_bytes / _MIB}
        if network is not None:
            found |= {"network/received": network.bytes_recv / _MIB, "network/sent": network.bytes_sent / _MIB}
        return found
