"""Whether the summary of a series is what its points say, for points that come block by block.

Where points are equal in what decides (two at the least step, say), a summary has the one that came first, and a sealed
chunk does not tell which that was: then any of them is right. Sums are compared as far as the order of adding allows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gnomon_server.model.points import Floats, Points
from gnomon_server.store.points.recount import UNCOUNTED

_EPSILON = float(np.finfo(np.float64).eps)
# Sums stop at the largest double, in an order that nobody knows any more: near it they say nothing.
_SUMMED = 1e300


class Row(NamedTuple):
    """A row of `series_`. None stands for NaN in `*_value`, for "no finite value" in low and high."""

    key: int
    n: int
    nonfinite: int
    first_step: float
    first_value: float | None
    last_step: float
    last_ms: int
    last_value: float | None
    low: float | None
    low_step: float | None
    high: float | None
    high_step: float | None
    total: float
    late: int


SERIES = Row._fields


class Seen:
    """What the points of one series say, and the summary that is to say the same (None: it has none)."""

    def __init__(self, row: Row | None) -> None:
        self._row = row
        self.n = 0
        self._nonfinite = 0
        self._total = self._size = 0.0
        self._first = np.inf
        self._last = (-np.inf, 0, 0.0)
        self._low: float | None = None
        self._high: float | None = None
        self._has = dict.fromkeys(("first", "last", "low", "high"), False)

    def add(self, points: Points) -> None:
        """Take a block of points in."""
        if not len(points):
            return
        step, value = points.step, points.value
        is_finite = np.isfinite(value)
        self.n += len(value)
        self._nonfinite += int((~is_finite).sum())
        self._first = min(self._first, float(step.min()))
        self._last = max(self._last, _greatest(points))
        finite = value[is_finite]
        if len(finite):
            low, high = float(finite.min()), float(finite.max())
            self._low = low if self._low is None else min(self._low, low)
            self._high = high if self._high is None else max(self._high, high)
            with np.errstate(over="ignore", invalid="ignore"):
                self._total += float(finite.sum())
                self._size += float(np.abs(finite).sum())
        row = self._row
        if row is not None:
            at_last = (step == row.last_step) & (points.time_ms == row.last_ms)
            self._has["first"] |= bool(((step == row.first_step) & _is(value, row.first_value)).any())
            self._has["last"] |= bool((at_last & _is(value, row.last_value)).any())
            self._has["low"] |= bool(((step == row.low_step) & (value == row.low)).any())
            self._has["high"] |= bool(((step == row.high_step) & (value == row.high)).any())

    def judge(self) -> str:
        """What is wrong with the summary, in words; nothing when it is right."""
        row = self._row
        if row is None:
            return f"there is no summary of its {self.n} points"
        if not self.n:
            return f"its summary counts {row.n} points, none is stored"
        wrong = [] if row.late == UNCOUNTED and row.n >= self.n else self._counts(row)
        if row.first_step != self._first or not self._has["first"]:
            wrong.append("the first point")
        last = (row.last_step, row.last_ms, 0.0 if row.last_value is None else row.last_value)
        if last != self._last or not self._has["last"]:
            wrong.append("the last point")
        for name, stored, step, found in (
            ("low", row.low, row.low_step, self._low),
            ("high", row.high, row.high_step, self._high),
        ):
            is_right = stored == found and (self._has[name] if found is not None else step is None)
            if not is_right:
                wrong.append("the least value" if name == "low" else "the greatest value")
        return f"its summary does not say what its points are: {', '.join(wrong)}" if wrong else ""

    def _counts(self, row: Row) -> list[str]:
        wrong = []
        if row.n != self.n:
            wrong.append(f"the count ({row.n}, stored are {self.n})")
        if row.nonfinite != self._nonfinite:
            wrong.append("the count of NaN and infinities")
        if not _sums_agree(row.total, self._total, size=self._size, n=self.n):
            wrong.append("the sum")
        return wrong


def agree(total: float, found: float, value: Floats) -> bool:
    """Whether two sums of these values are the same but for the order of adding."""
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.abs(value[np.isfinite(value)]).sum())
    return _sums_agree(total, found, size=size, n=len(value))


def _sums_agree(a: float, b: float, *, size: float, n: int) -> bool:
    return size > _SUMMED or abs(a - b) <= 2 * n * _EPSILON * size


def _greatest(points: Points) -> tuple[float, int, float]:
    """The greatest (step, time, value), NaN as 0."""
    at = np.flatnonzero(points.step == points.step.max())
    at = at[points.time_ms[at] == points.time_ms[at].max()]
    value = points.value[at]
    return float(points.step[at[0]]), int(points.time_ms[at[0]]), float(np.where(np.isnan(value), 0.0, value).max())


def _is(value: Floats, stored: float | None) -> NDArray[np.bool_]:
    return np.isnan(value) if stored is None else value == stored
