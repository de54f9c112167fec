"""Summaries: the row of `series_` for each metric of a run, kept current in the transaction that takes the points.

`fold` (`folding.py`) reduces the batches of a group to one row per (run, key); `write_summaries` merges those rows into
what is stored by one statement, so it is right whichever process wrote last. Invariants:

- Both depend on the order of arrival only where the contract says so: `first` is the least step and, of equal steps,
  the one that came first; `low_step` and `high_step` belong to the point that reached the extreme first.
- `last` is the greatest (step, time, value), NaN compared as 0.
- `total` is always finite: it stops at the largest double instead of becoming infinite.
- A row is `late` when a point without identity may repeat one that is stored: its points are not strictly ascending,
  or (decided by the statement) do not all lie beyond the stored `last`. It may be late for nothing, never the reverse.
"""

from collections.abc import Container, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.points.compiled import HotInsert, HotSelect
from gnomon_server.store.points.folding import MAX_DOUBLE, SeriesRow


def new_series(
    connection: Connection, rows: Sequence[SeriesRow], known: Container[tuple[RowId, KeyId]]
) -> list[SeriesRow]:
    """The rows whose series is not stored yet. `known` spares the question for series that surely are."""
    unknown = [row for row in rows if (row.run, row.key) not in known]
    if not unknown:
        return []
    stored = {(run, key) for run in {row.run for row in unknown} for (key,) in _STORED_KEYS.run(connection, (run,))}
    return [row for row in unknown if (row.run, row.key) not in stored]


def write_summaries(connection: Connection, tenant: TenantId, rows: Sequence[SeriesRow]) -> None:
    """Merge the rows of one tenant into the stored ones."""
    _MERGE.run(connection, [(tenant, *row) for row in rows])


# Constants stand in the text: a bound parameter would have to be in every row.
_ZERO: sa.ColumnElement[float] = sa.literal_column("0.0", sa.Double())
_ONE: sa.ColumnElement[int] = sa.literal_column("1", t.Int)
_GREATEST: sa.ColumnElement[float] = sa.literal_column(repr(MAX_DOUBLE), sa.Double())

Number = sa.ColumnElement[float] | sa.ColumnElement[int]


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
_STORED_KEYS = HotSelect(
    ("run",), lambda _connection: sa.select(t.series.c.key).where(t.series.c.run == sa.bindparam("run"))
)
