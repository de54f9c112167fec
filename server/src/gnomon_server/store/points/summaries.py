"""Summaries: the row of `series_` for each metric of a run, kept current in the transaction that takes the points.

`fold` reduces the batches of a group to one row per (run, key); `write_summaries` merges those rows into what is
stored by one statement, so it is right whichever process wrote last. Invariants:

- Both depend on the order of arrival only where the contract says so: `first` is the least step and, of equal steps,
  the one that came first; `low_step` and `high_step` belong to the point that reached the extreme first.
- `last` is the greatest (step, time, value), NaN compared as 0.
- `total` is always finite: it stops at the largest double instead of becoming infinite.
- A row is `late` when a point without identity may repeat one that is stored: its points are not strictly ascending,
  or (decided by the statement) do not all lie beyond the stored `last`. It may be late for nothing, never the reverse.
"""

import math
import sys
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.points import Floats, Ints, Keys
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.points.compiled import HotInsert

MAX_DOUBLE = sys.float_info.max

# Below this many points in a group the arrays cost more than they save (measured: 64-200 break even).
_FEW_POINTS = 96
_IN_LIST = 900


class FoldItem(NamedTuple):
    """A batch of one run as columns, in the order the points came; `key` holds key ids."""

    run: RowId
    experiment: RowId
    key: Keys
    step: Floats
    time_ms: Ints
    value: Floats
    identified: bool


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
    return _fold_many(items)


def new_series(
    connection: Connection, rows: Sequence[SeriesRow], known: Container[tuple[RowId, KeyId]]
) -> list[SeriesRow]:
    """The rows whose series is not stored yet. `known` spares the question for series that surely are."""
    unknown = [row for row in rows if (row.run, row.key) not in known]
    if not unknown:
        return []
    stored: set[tuple[RowId, KeyId]] = set()
    runs = sorted({row.run for row in unknown})
    series = t.series.c
    for start in range(0, len(runs), _IN_LIST):
        query = sa.select(series.run, series.key).where(series.run.in_(runs[start : start + _IN_LIST]))
        stored.update((RowId(run), KeyId(key)) for run, key in connection.execute(query))
    return [row for row in unknown if (row.run, row.key) not in stored]


def write_summaries(connection: Connection, tenant: TenantId, rows: Sequence[SeriesRow]) -> None:
    """Merge the rows of one tenant into the stored ones."""
    _MERGE.run(connection, [(tenant, *row) for row in rows])


def _fold_few(items: Iterable[FoldItem]) -> list[SeriesRow]:
    """The same as `_fold_many` in plain Python: a group of one-point requests is answered in microseconds."""
    rows: dict[tuple[RowId, int], _Row] = {}
    for run, experiment, keys, steps, times, values, identified in items:
        columns = zip(keys.tolist(), steps.tolist(), times.tolist(), values.tolist(), strict=True)
        for key, step, time_ms, value in columns:
            row = rows.get((run, key))
            if row is None:
                row = rows[run, key] = _Row(run, key, experiment, step, time_ms, value)
            else:
                row.is_late |= (step, time_ms, _order(value)) <= row.last
            row.add(step, time_ms, value, identified)
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


# Constants stand in the text: a bound parameter would have to be in every row.
_ZERO: sa.ColumnElement[float] = sa.literal_column("0.0", sa.Double())
_ONE: sa.ColumnElement[int] = sa.literal_column("1", t.Int)
_GREATEST: sa.ColumnElement[float] = sa.literal_column(repr(MAX_DOUBLE), sa.Double())

Number = sa.ColumnElement[float] | sa.ColumnElement[int]
Column = list[int] | list[float] | list[float | None]
Index = NDArray[np.intp]


def _fold_many(items: Sequence[FoldItem]) -> list[SeriesRow]:
    """Sort the points by (run, key), keeping arrival, and reduce each stretch of equal ones."""
    experiments = {item.run: item.experiment for item in items}
    runs = sorted(experiments)
    key = np.concatenate([item.key for item in items]).astype(np.int64)
    least = int(key.min())
    span = int(key.max()) - least + 1
    code = key - least
    counts = [len(item.value) for item in items]
    if len(runs) > 1:
        place = {run: number for number, run in enumerate(runs)}
        code += np.repeat(np.array([place[item.run] * span for item in items]), counts)
    step = np.concatenate([item.step for item in items])
    time_ms = np.concatenate([item.time_ms for item in items])
    value = np.concatenate([item.value for item in items])
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


def _reduce_stretches(
    starts: Index, step: Floats, time_ms: Ints, value: Floats, unidentified: NDArray[np.bool_] | None
) -> list[Column]:
    """The columns of SeriesRow from `n` on, one entry per stretch."""
    size = len(value)
    n = np.diff(starts, append=size)
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


def _merge(connection: Connection) -> Insert:
    """INSERT … ON CONFLICT that merges a SeriesRow into the stored row."""
    insert = upsert(connection, t.series_base).values({name: sa.bindparam(name) for name in _COLUMNS})
    old, new = t.series_base.c, insert.excluded
    old_last = (old.last_step, old.last_ms, sa.func.coalesce(old.last_value, _ZERO))
    new_last = (new.last_step, new.last_ms, sa.func.coalesce(new.last_value, _ZERO))
    head: tuple[Number, ...] = (
        sa.bindparam("head_step", type_=sa.Double()),
        sa.bindparam("head_ms", type_=t.Int),
        sa.bindparam("head_value", type_=sa.Double()),
    )
    is_later = _is_beyond(new_last, old_last)
    is_lower = sa.and_(new.low.is_not(None), sa.or_(old.low.is_(None), new.low < old.low))
    is_higher = sa.and_(new.high.is_not(None), sa.or_(old.high.is_(None), new.high > old.high))
    is_first = new.first_step < old.first_step
    is_late = sa.and_(sa.bindparam("unidentified", type_=t.Int) == _ONE, sa.not_(_is_beyond(head, old_last)))
    chosen = {
        "first_step": is_first, "first_value": is_first,
        "last_step": is_later, "last_ms": is_later, "last_value": is_later,
        "low": is_lower, "low_step": is_lower, "high": is_higher, "high_step": is_higher,
    }  # fmt: skip
    changes: dict[str, sa.ColumnElement[float]] = {
        name: sa.case((condition, new[name]), else_=old[name]) for name, condition in chosen.items()
    }
    changes["n"] = old.n + new.n
    changes["nonfinite"] = old.nonfinite + new.nonfinite
    changes["total"] = saturating_sum(old.total, new.total)
    changes["late"] = sa.case((sa.or_(new.late == _ONE, is_late), _ONE), else_=old.late)
    return insert.on_conflict_do_update(index_elements=["tenant", "run", "key"], set_=changes)


def finite_sum(values: Floats) -> float:
    """The sum of finite values, at most the largest double."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(values.sum())
    return 0.0 if math.isnan(total) else min(max(total, -MAX_DOUBLE), MAX_DOUBLE)


def saturating_sum(a: sa.ColumnElement[float], b: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
    """a + b, at most the largest double: infinity minus infinity would be NULL in one database, an error in another."""
    return sa.case(
        (sa.and_(a > _ZERO, b > _GREATEST - a), _GREATEST),
        (sa.and_(a < _ZERO, b < -_GREATEST - a), -_GREATEST),
        else_=a + b,
    )


def _is_beyond(a: Sequence[Number], b: Sequence[Number]) -> sa.ColumnElement[bool]:
    """(step, time, value) a > b, spelled out: SQLite compares row values only one by one here."""
    return sa.or_(a[0] > b[0], sa.and_(a[0] == b[0], sa.or_(a[1] > b[1], sa.and_(a[1] == b[1], a[2] > b[2]))))


_COLUMNS = ("tenant", *SeriesRow._fields[:16])
_MERGE = HotInsert(("tenant", *SeriesRow._fields), _merge)
