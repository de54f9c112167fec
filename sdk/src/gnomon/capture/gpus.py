"""GPUs of NVIDIA, where its management library and `nvidia-ml-py` are there; elsewhere there are none."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from gnomon.loading import loading

# The library has no types, and its functions raise a class of its own for each code: it is asked as a whole.
_Library = Any


def list_gpus() -> list[dict[str, object]]:
    """Name, memory and driver of each."""
    library = _start()
    if library is None:
        return []
    try:
        driver = _text(library.nvmlSystemGetDriverVersion())
        found: list[dict[str, object]] = []
        for index in range(library.nvmlDeviceGetCount()):
            gpu = library.nvmlDeviceGetHandleByIndex(index)
            memory = int(library.nvmlDeviceGetMemoryInfo(gpu).total)
            found.append({"name": _text(library.nvmlDeviceGetName(gpu)), "memory_bytes": memory, "driver": driver})
        return found
    except library.NVMLError:
        return []


class Gpus:
    """Samples of the GPUs of this machine."""

    def __init__(self) -> None:
        self._library = _start()
        self._count = 0 if self._library is None else int(self._library.nvmlDeviceGetCount())

    def sample(self) -> dict[str, float]:
        """Load and memory in percent, temperature in degrees Celsius, power in watts, as far as a GPU says it."""
        library = self._library
        found: dict[str, float] = {}
        if library is None:
            return found
        for index in range(self._count):
            for name, ask in _QUESTIONS.items():
                try:
                    gpu = library.nvmlDeviceGetHandleByIndex(index)
                    found[f"gpu/{index}/{name}"] = ask(library, gpu)
                except library.NVMLError:  # this one does not say, or has been taken away
                    continue
        return found


def _memory(library: _Library, gpu: object) -> float:
    memory = library.nvmlDeviceGetMemoryInfo(gpu)
    return 100.0 * float(memory.used) / float(memory.total)


_QUESTIONS: dict[str, Callable[[_Library, object], float]] = {
    "load": lambda library, gpu: float(library.nvmlDeviceGetUtilizationRates(gpu).gpu),
    "memory": _memory,
    "temperature": lambda library, gpu: float(library.nvmlDeviceGetTemperature(gpu, library.NVML_TEMPERATURE_GPU)),
    "power": lambda library, gpu: float(library.nvmlDeviceGetPowerUsage(gpu)) / 1000.0,
}


def _start() -> _Library | None:
    try:
        with loading:
            library = import_module("pynvml")
    except ImportError:
        return None
    try:
        library.nvmlInit()
    except library.NVMLError:  # no driver
        return None
    return library


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
