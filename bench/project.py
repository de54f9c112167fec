"""The project that both sides get: runs with params and metrics, the same for every server and every time.

Values are drawn from one seeded generator, a block of runs at a time, so that a project of any size needs little memory
and a smaller one is the beginning of a larger one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.wires import BASE_MS

RUN_GAP_MS = 60_000
BLOCK = 1_000
_OPTIMIZERS = ("adam", "adamw", "lion", "sgd")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Project:
    """So many runs in one experiment; every run has every param, and one point of every metric."""

    runs: int
    params: int = 20
    metrics: int = 20

    @property
    def param_names(self) -> tuple[str, ...]:
        return ("optimizer", "lr", *(f"param_{number}" for number in range(2, self.params)))[: self.params]

    @property
    def metric_names(self) -> tuple[str, ...]:
        return ("loss", "accuracy", *(f"metric_{number}" for number in range(2, self.metrics)))[: self.metrics]

    def blocks(self, *, after: int = 0) -> "Iterator[Block]":
        """The runs from number `after` on, which begins a block."""
        chance = np.random.default_rng(7)
        for first in range(0, self.runs, BLOCK):
            choices = chance.integers(0, 50, (BLOCK, self.params))
            rates = chance.integers(1, 1_000, BLOCK)
            values = chance.random((BLOCK, self.metrics))
            if first < after:
                continue
            params = [
                [_param(number, int(choice), int(rate)) for number, choice in enumerate(row)]
                for row, rate in zip(choices.tolist(), rates.tolist(), strict=True)
            ]
            yield Block(first, params[: self.runs - first], values[: self.runs - first])


@dataclass(frozen=True, slots=True)
class Block:
    """Some runs that follow one another: a row of each table is a run."""

    first: int
    params: list[list[str]]
    values: Floats

    def __len__(self) -> int:
        return len(self.params)

    def uid(self, at: int) -> str:
        return run_uid(self.first + at)

    def start_ms(self, at: int) -> int:
        return BASE_MS + RUN_GAP_MS * (self.first + at)


def run_uid(number: int) -> str:
    """The id of a run of the project; every server takes it."""
    return f"{number + 1:032x}"


def _param(number: int, choice: int, rate: int) -> str:
    if number == 0:
        return _OPTIMIZERS[choice % len(_OPTIMIZERS)]
    if number == 1:
        return f"{rate / 10_000:g}"
    return f"value-{choice}" if number % 2 else str(choice)


def curve(number: int, points: int) -> Floats:
    """A loss curve of full precision with noise in it, of its own for every number."""
    chance = np.random.default_rng(number)
    return 1 / (np.arange(points) / 1_000 + 1.7) + 0.05 * chance.standard_normal(points)
