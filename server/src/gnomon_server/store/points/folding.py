"""Folding: the batches of a group reduced to what they add to each series, one row per (run, key).

Three ways to the same rows, by what is cheapest: point by point for a handful, by columns for a grid (`grids.py`), and
by sorting for the rest. The rules are those of `summaries.py`.
"""

import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import itemgetter
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.model.points import Floats, Ints, Keys
from gnomon_server.store.points.grids import Grid

MAX_DOUBLE = sys.float_info.max

# Below this many points in a group, or in a batch of it, arrays cost more than they save (measured: 64-200 break even).
_FEW_POINTS = 96

Column = list[int] | list[float] | list[float | None]
Index = NDArray[np.intp]
Number = TypeVar("Number", np.uint32, np.float64, np.int64)
_PLACE = itemgetter(0, 1)  # run, key


class FoldItem(NamedTuple):
    """A batch of one run as columns, in the order the points came; `key` holds key ids.

    `grid`: the same points as one, if they are; `key` may then be None.
    """

    run: RowId
    experiment: RowId
    key: Keys | None
    step: Floats
    time_ms: Ints
    value: Floats
    identified: bool
    grid: Grid | None = None

    def keys(self) -> Keys:
        """The key of every point."""
        if self.key is not None:
            return self.key
        assert self.grid is not None, "an item has its keys, or is a grid"
        return self.grid.key_column()


class SeriesRow(NamedTuple):
    """What a group adds to one series. None stands for NaN (`*_value`) or for "no finite value" (low, high)."""

    run: RowId
    key: KeyId
    experiment: RowId
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
    # Of the first point that came, and whether any came without identity: they decide about `late` in the statement.
    head_step: float
    head_ms: int
    head_value: float
    unidentified: int


def fold(items: Sequence[FoldItem]) -> list[SeriesRow]:
    """One row per (run, key) of the group, sorted by it: two groups then lock rows in the same order."""
    if sum(len(item.value) for item in items) <= _FEW_POINTS:
        return _fold_few(items)
    rows: list[SeriesRow] = []
    rest: list[FoldItem] = []
    batches = Counter(item.run for item in items)
    for item in items:
        columns = None if item.grid is None or batches[item.run] > 1 else _fold_grid(item, item.grid)
        if columns is None:
            rest.append(item)
        else:
            rows += columns
    if rest:
        rows += _fold_few(rest) if sum(len(item.value) for item in rest) <= _FEW_POINTS else _fold_many(rest)
    rows.sort(key=_PLACE)
    return rows


def _fold_grid(item: FoldItem, grid: Grid) -> list[SeriesRow] | None:
    """The rows of a grid of finite values whose steps ascend; None of any other."""
    step, time_ms, value = grid.step, grid.time_ms, grid.value
    rows, width = value.shape
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduce(value, axis=0)
    totals = total.tolist()
    # Finite sums have finite terms.
    if not all(map(math.isfinite, totals)) or not (step[1:] > step[:-1]).all():
        return None
    column = np.arange(width)
    low_at, high_at = value.argmin(axis=0), value.argmax(axis=0)
    first_step, first_value = float(step[0]), value[0].tolist()
    columns = zip(
        repeat(item.run), grid.key.tolist(), repeat(item.experiment), repeat(rows), repeat(0),
        repeat(first_step), first_value, repeat(float(step[-1])), repeat(int(time_ms[-1])), value[-1].tolist(),
        value[low_at, column].tolist(), step[low_at].tolist(), value[high_at, column].tolist(), step[high_at].tolist(),
        totals, repeat(0), repeat(first_step), repeat(int(time_ms[0])), first_value, repeat(int(not item.identified)),
    )  # fmt: skip
    return list(map(SeriesRow._make, columns))


def _fold_few(items: Iterable[FoldItem]) -> list[SeriesRow]:
    """The same as `_fold_many` in plain Python: a group of one-point requests is answered in microseconds."""
    rows: dict[tuple[RowId, int], _Row] = {}
    for item in items:
        run = item.run
        columns = zip(item.keys().tolist(), item.step.tolist(), item.time_ms.tolist(), item.value.tolist(), strict=True)
        for key, step, time_ms, value in columns:
            row = rows.get((run, key))
            if row is None:
                row = rows[run, key] = _Row(run, key, item.experiment, step, time_ms, value)
            else:
                row.is_late |= (step, time_ms, _order(value)) <= row.last
            row.add(step, time_ms, value, item.identified)
    return [rows[pair].finish() for pair in sorted(rows)]


def _order(value: float) -> float:
    """The value as it compares: NaN as 0."""
    return 0.0 if math.isnan(value) else value


class _Row:
    """One series while the points of a small group are folded."""

    __slots__ = (
        "experiment", "first", "has_unidentified", "head", "high", "high_step", "is_late", "key", "last", "last_value",
        "low", "low_step", "n", "nonfinite", "run", "total",
    )  # fmt: skip

    def __init__(self, run: RowId, key: int, experiment: RowId, step: float, time_ms: int, value: float) -> None:
        self.run, self.key, self.experiment = run, KeyId(key), experiment
        self.head = (step, time_ms, _order(value))
        self.first = (step, value)
        self.last = (-math.inf, 0, 0.0)
        self.last_value = value
        self.low: float | None = None
        self.high: float | None = None
        self.low_step: float | None = None
        self.high_step: float | None = None
        self.n = self.nonfinite = 0
        self.total = 0.0
        self.is_late = self.has_unidentified = False

    def add(self, step: float, time_ms: int, value: float, identified: bool) -> None:
        self.n += 1
        if not identified:
            self.has_unidentified = True
        if step < self.first[0]:
            self.first = (step, value)
        place = (step, time_ms, _order(value))
        if place > self.last:
            self.last, self.last_value = place, value
        if not math.isfinite(value):
            self.nonfinite += 1
            return
        self.total = min(max(self.total + value, -MAX_DOUBLE), MAX_DOUBLE)
        if self.low is None or value < self.low:
            self.low, self.low_step = value, step
        if self.high is None or value > self.high:
            self.high, self.high_step = value, step

    def finish(self) -> SeriesRow:
        return SeriesRow(
            self.run, self.key, self.experiment, self.n, self.nonfinite,
            self.first[0], _nullable(self.first[1]), self.last[0], self.last[1], _nullable(self.last_value),
            self.low, self.low_step, self.high, self.high_step, self.total,
            int(self.is_late and self.has_unidentified), *self.head, int(self.has_unidentified),
        )  # fmt: skip


def _nullable(value: float) -> float | None:
    return None if math.isnan(value) else value


def _fold_many(items: Sequence[FoldItem]) -> list[SeriesRow]:
    """Sort the points by (run, key), keeping arrival, and reduce each stretch of equal ones."""
    experiments = {item.run: item.experiment for item in items}
    runs = sorted(experiments)
    key = _joined([item.keys() for item in items]).astype(np.int64)
    least = int(key.min())
    span = int(key.max()) - least + 1
    code = key - least
    counts = [len(item.value) for item in items]
    if len(runs) > 1:
        place = {run: number for number, run in enumerate(runs)}
        code += np.repeat(np.array([place[item.run] * span for item in items]), counts)
    step = _joined([item.step for item in items])
    time_ms = _joined([item.time_ms for item in items])
    value = _joined([item.value for item in items])
    unidentified = None
    if not all(item.identified for item in items):
        unidentified = np.repeat([not item.identified for item in items], counts)
    if (code[1:] < code[:-1]).any():
        # uint16 is what numpy sorts by radix, several times faster than a wider integer.
        order = np.argsort(code.astype(np.uint16) if len(runs) * span <= 0x10000 else code, kind="stable")
        code, step, time_ms, value = code[order], step[order], time_ms[order], value[order]
        unidentified = None if unidentified is None else unidentified[order]
    starts = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    columns = _reduce_stretches(starts, step, time_ms, value, unidentified)
    pairs = [(runs[number // span], KeyId(least + number % span)) for number in code[starts].tolist()]
    return [
        SeriesRow(run, key, experiments[run], *rest)
        for (run, key), rest in zip(pairs, zip(*columns, strict=True), strict=True)
    ]


def _joined(columns: Sequence[NDArray[Number]]) -> NDArray[Number]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _reduce_stretches(
    starts: Index, step: Floats, time_ms: Ints, value: Floats, unidentified: NDArray[np.bool_] | None
) -> list[Column]:
    """The columns of SeriesRow from `n` on, one entry per stretch."""
    size = len(value)
    n = np.append(starts[1:], size) - starts
    owner = np.repeat(np.arange(len(starts)), n)
    broken = _breaks(starts, step, time_ms, value)
    first, last, late = starts, starts + n - 1, np.zeros(len(starts), np.int64)
    has_unidentified = late
    if broken is not None:
        first = _first_match(step == np.repeat(np.minimum.reduceat(step, starts), n), owner)
        latest_first = np.arange(size, 0, -1)
        last = np.lexsort((latest_first, _ordered(value), time_ms, step, owner))[last]
    if unidentified is not None:
        has_unidentified = np.logical_or.reduceat(unidentified, starts).astype(np.int64)
        if broken is not None:
            late = np.logical_or.reduceat(broken, starts) * has_unidentified
    nonfinite, *extremes = _extremes(starts, n, owner, step, value)
    return [
        n.tolist(),
        nonfinite,
        step[first].tolist(),
        _nullables(value[first]),
        step[last].tolist(),
        time_ms[last].tolist(),
        _nullables(value[last]),
        *extremes,
        late.tolist(),
        step[starts].tolist(),
        time_ms[starts].tolist(),
        _ordered(value[starts]).tolist(),
        has_unidentified.tolist(),
    ]


def _breaks(starts: Index, step: Floats, time_ms: Ints, value: Floats) -> NDArray[np.bool_] | None:
    """Where a point is not strictly beyond the one before it in its stretch; None when every stretch ascends."""
    ascends = np.ones(len(step), np.bool_)
    np.greater(step[1:], step[:-1], out=ascends[1:])
    ascends[starts] = True
    if ascends.all():
        return None
    at = np.flatnonzero(~ascends)
    before = at - 1
    is_equal = step[at] == step[before]
    is_beyond = (time_ms[at] > time_ms[before]) | (
        (time_ms[at] == time_ms[before]) & (_ordered(value[at]) > _ordered(value[before]))
    )
    ascends[at] = is_equal & is_beyond
    return None if ascends.all() else ~ascends


def _extremes(starts: Index, n: Index, owner: Index, step: Floats, value: Floats) -> list[Column]:
    """nonfinite, low, low_step, high, high_step, total."""
    finite = np.isfinite(value)
    low_of = high_of = summed = value
    nonfinite = np.zeros(len(starts), np.int64)
    if not finite.all():
        low_of = np.where(finite, value, np.inf)
        high_of = np.where(finite, value, -np.inf)
        summed = np.where(finite, value, 0.0)
        nonfinite = np.add.reduceat(~finite, starts, dtype=np.int64)
    low = np.minimum.reduceat(low_of, starts)
    high = np.maximum.reduceat(high_of, starts)
    low_at = _first_match(low_of == np.repeat(low, n), owner)
    high_at = _first_match(high_of == np.repeat(high, n), owner)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.nan_to_num(np.add.reduceat(summed, starts), nan=0.0, posinf=MAX_DOUBLE, neginf=-MAX_DOUBLE)
    low_columns: list[Column] = [low.tolist(), step[low_at].tolist(), high.tolist(), step[high_at].tolist()]
    if nonfinite.any():
        empty = (nonfinite == n).tolist()
        low_columns = [
            [None if is_empty else number for is_empty, number in zip(empty, column, strict=True)]
            for column in low_columns
        ]
    return [nonfinite.tolist(), *low_columns, total.tolist()]


def _first_match(mask: NDArray[np.bool_], owner: Index) -> Index:
    """The first place in each stretch where the mask holds; it must hold somewhere in each."""
    at = np.flatnonzero(mask)
    owners = owner[at]
    return at[np.concatenate(([True], owners[1:] != owners[:-1]))]


def _ordered(value: Floats) -> Floats:
    """The values as they compare: NaN as 0."""
    return np.where(np.isnan(value), 0.0, value)


def _nullables(value: Floats) -> list[float | None]:
    return [None if math.isnan(number) else number for number in value.tolist()]


def finite_sum(values: Floats) -> float:
    """The sum of finite values, at most the largest double."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(values.sum())
    return 0.0 if math.isnan(total) else min(max(total, -MAX_DOUBLE), MAX_DOUBLE)
