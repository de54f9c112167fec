"""What a column is in SQL, and what a comparison of it is: conditions on one row of `run`, `param`, `tag` or `series`.

Values reach the database as bound parameters only. The conditions may be NULL where the row has no value; that is fine
for positive conditions (a WHERE takes NULL for false), and the negated ones say themselves what a missing value means.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.sql import operators

from gnomon_server.model.entities import LifecycleStage
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters.ast import (
    NAN_AGGREGATES,
    And,
    Between,
    Column,
    Compare,
    ComparisonOp,
    Expr,
    IsNull,
    Leaf,
    Matches,
    Not,
    OneOf,
    Or,
    TextMatch,
)
from gnomon_server.model.filters.attributes import ATTRIBUTES
from gnomon_server.model.filters.patterns import (
    ascii_lower,
    contains_to_regex,
    ilike_to_regex,
    like_to_regex,
    matcher,
)
from gnomon_server.model.ids import RowId
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import tables as t

Condition = sa.ColumnElement[bool]
Value = sa.ColumnElement[float] | sa.ColumnElement[str]
RunIds = sa.Select[int]
Ordering = Value | sa.ColumnElement[int]

_TABLES = {"metric": t.series, "param": t.param, "tag": t.tag, "attribute": t.run}
# By table, as many as one search ever took; a filter is short, so they are few.
_ALIASES: dict[str, list[sa.FromClause]] = {}
_METRIC_COLUMNS = {"last": "last_value", "first": "first_value", "min": "low", "max": "high", "n": "n"}
_ATTRIBUTE_COLUMNS = {
    "id": "uid",
    "start_time": "start_ms",
    "end_time": "end_ms",
    "created_at": "created_ms",
    "last_updated": "updated_ms",
}
# PostgreSQL has no RE2: the distinct values come to Python. More of them than this would be a burden on both.
_MAX_DISTINCT_VALUES = 100_000


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows are looked at: runs in a stage (None: any) of some experiments, or (None) of the whole tenant."""

    connection: Connection
    experiments: tuple[RowId, ...] | None
    stage: LifecycleStage | None
    has_deleted: bool
    taken: Counter[str] = field(default_factory=Counter, compare=False)

    @classmethod
    def of(cls, connection: Connection, experiments: Sequence[RowId] | None, stage: LifecycleStage | None) -> "Scope":
        unique = None if experiments is None else tuple(dict.fromkeys(experiments))
        scope = cls(connection, unique, stage, has_deleted=True)
        deleted = sa.select(scope._deleted_runs().exists())
        return replace(scope, has_deleted=stage is None or bool(connection.scalar(deleted)))

    def alias(self, table: sa.Table) -> sa.FromClause:
        """An alias of the table that nothing else in this search has.

        Aliases are kept for the searches to come: making the columns of one costs as much as reading twenty runs.
        """
        number = self.taken[table.name]
        self.taken[table.name] += 1
        made = _ALIASES.setdefault(table.name, [])
        while len(made) <= number:
            alias = table.alias()
            _ = alias.c  # its columns are made here, by one thread
            made.append(alias)
        return made[number]

    @property
    def is_sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    @property
    def is_one_experiment(self) -> bool:
        return self.experiments is not None and len(self.experiments) == 1

    def covers(self, table: sa.FromClause, kind: str) -> Condition:
        """That a row belongs to the experiments. Each search index begins with them, so they are always named."""
        if self.experiments is not None:
            if len(self.experiments) == 1:
                return table.c.experiment == self.experiments[0]
            return table.c.experiment.in_(self.experiments)
        return sa.true() if kind == "attribute" else table.c.experiment.in_(sa.select(t.experiment.c.id))

    def covers_run(self, run: sa.FromClause) -> Condition:
        """That a row of `run` belongs to the scope, stage included."""
        covers = self.covers(run, "attribute")
        return covers if self.stage is None else sa.and_(covers, run.c.lifecycle_stage == self.stage)

    def in_stage(self, run: sa.ColumnElement[int]) -> list[Condition]:
        """That a run of the experiments is in the stage, told by the deleted ones: mostly there are few, or none."""
        if self.stage is None or (self.stage == "active" and not self.has_deleted):
            return []
        deleted = self._deleted_runs()
        return [unplanned(run).in_(deleted) if self.stage == "deleted" else unplanned(run).not_in(deleted)]

    def _deleted_runs(self) -> RunIds:
        run = self.alias(t.run)
        return sa.select(run.c.id).where(self.covers(run, "attribute"), run.c.lifecycle_stage == "deleted")


def table_of(scope: Scope, column: Column) -> sa.FromClause:
    """The table that holds the column, by a name of its own."""
    if column.kind == "dataset":
        used, data = m.run_dataset, m.dataset
        both = used.join(data, data.c.id == used.c.dataset)
        return (
            sa.select(used.c.run, data.c.experiment, data.c.name, data.c.digest, used.c.context)
            .select_from(both)
            .subquery()
        )
    return scope.alias(_TABLES[column.kind])


def run_id_of(column: Column, table: sa.FromClause) -> sa.ColumnElement[int]:
    return table.c.id if column.kind == "attribute" else table.c.run


def unplanned(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """The column, hidden from the planner: `+run IN (…)` is a test of each row, never a reason to seek for each item.

    Without it SQLite drives from the list and seeks per run, at twice the time of one walk of the index.
    """
    return sa.UnaryExpression(column, operator=operators.custom_op("+"), type_=column.type)


def value_of(column: Column, table: sa.FromClause) -> Value:
    """The column's value in a row of its table."""
    if column.kind in ("param", "tag"):
        return table.c.value
    if column.kind == "dataset":
        return table.c[column.key]
    if column.kind == "attribute":
        return _attribute(column.key, table)
    if column.aggregate != "mean":
        return table.c[_METRIC_COLUMNS[column.aggregate]]
    finite = table.c.n - table.c.nonfinite
    return sa.case((finite > 0, table.c.total / sa.cast(finite, sa.Double)))


def null_is_nan(column: Column) -> bool:
    """Whether NULL in a row of the column means NaN rather than nothing."""
    return column.kind == "metric" and column.aggregate in NAN_AGGREGATES


def null_is_missing(column: Column) -> bool:
    """Whether a row of the column's table may hold nothing in it."""
    if column.kind == "attribute":
        return ATTRIBUTES[column.key].nullable
    return column.kind == "metric" and column.aggregate in ("min", "max", "mean")


def is_present(column: Column, table: sa.FromClause) -> Condition:
    """That the row of the column's table has a value in it."""
    return value_of(column, table).is_not(None) if null_is_missing(column) else sa.true()


def condition(scope: Scope, expr: Expr, table: sa.FromClause) -> Condition:
    """An expression whose columns all stand in one row, as a condition on that row."""
    if isinstance(expr, And):
        return sa.and_(*(condition(scope, item, table) for item in expr.items))
    if isinstance(expr, Or):
        return sa.or_(*(condition(scope, item, table) for item in expr.items))
    if isinstance(expr, Not):
        return sa.not_(condition(scope, expr.item, table))
    met = _leaf(scope, expr, table)
    if expr.column.kind == "attribute" and null_is_missing(expr.column) and not isinstance(expr, IsNull):
        # Under a NOT, false must be false and not NULL.
        return sa.and_(is_present(expr.column, table), met)
    return met


def text_order(scope: Scope, value: Value) -> Value:
    """Text in the order of its code points, which SQLite's is already."""
    is_text = isinstance(value.type, sa.Text)
    return sa.collate(value, "C") if is_text and not scope.is_sqlite else value


def _leaf(scope: Scope, leaf: Leaf, table: sa.FromClause) -> Condition:
    column = leaf.column
    value = value_of(column, table)
    if isinstance(leaf, IsNull):
        present = is_present(column, table)
        return present if leaf.negated else sa.not_(present)
    if isinstance(leaf, Matches):
        found = _matches(scope, leaf, value, table)
        return sa.not_(found) if leaf.negated else found
    if _is_numeric_param(leaf):
        value = table.c.number
    may_be_null = null_is_nan(column) or _is_numeric_param(leaf)
    if isinstance(leaf, OneOf):
        return _negated(value.in_(leaf.values), value, may_be_null) if leaf.negated else value.in_(leaf.values)
    if isinstance(leaf, Between):
        within = sa.and_(text_order(scope, value) >= leaf.low, text_order(scope, value) <= leaf.high)
        return _negated(within, value, may_be_null) if leaf.negated else within
    if isinstance(leaf.value, float) and math.isnan(leaf.value):
        return _is_nan(column, value, table, negated=leaf.op == "!=")
    if leaf.op == "!=":
        return _negated(value == leaf.value, value, may_be_null)
    if leaf.op == "=":
        return value == leaf.value
    return _compared(text_order(scope, value), leaf.op, leaf.value)


def _is_numeric_param(leaf: Compare | OneOf | Between) -> bool:
    if leaf.column.kind != "param":
        return False
    if isinstance(leaf, OneOf):
        return isinstance(leaf.values[0], float)
    return isinstance(leaf.low if isinstance(leaf, Between) else leaf.value, float)


def _negated(met: Condition, value: Value, may_be_null: bool) -> Condition:
    """There, and not that. NaN, and a param that is no number, are there."""
    return sa.or_(value.is_(None), sa.not_(met)) if may_be_null else sa.not_(met)


def _is_nan(column: Column, value: Value, table: sa.FromClause, *, negated: bool) -> Condition:
    if null_is_nan(column):
        return value.is_not(None) if negated else value.is_(None)
    return is_present(column, table) if negated else sa.false()


def _compared(value: Value, op: ComparisonOp, literal: float | str) -> Condition:
    compare = {"<": operators.lt, "<=": operators.le, ">": operators.gt, ">=": operators.ge}[op]
    return value.operate(compare, literal)


def _attribute(name: str, run: sa.FromClause) -> Value:
    if name == "duration":
        spent = run.c.end_ms - run.c.start_ms
        return sa.case((run.c.end_ms < run.c.start_ms, 0), else_=spent)
    if name in ("experiment_id", "artifact_uri"):
        owner = t.experiment.alias()
        uri = owner.c.artifact_location + "/" + run.c.uid + "/artifacts"
        wanted = owner.c.uid if name == "experiment_id" else uri
        return sa.select(wanted).where(owner.c.id == run.c.experiment).correlate(run).scalar_subquery()
    return run.c[_ATTRIBUTE_COLUMNS.get(name, name)]


def _matches(scope: Scope, leaf: Matches, value: Value, table: sa.FromClause) -> Condition:
    if scope.is_sqlite:
        return _matches_on_sqlite(leaf.how, leaf.pattern, value)
    if leaf.how == "like":
        return value.like(leaf.pattern, escape="")
    # Of ASCII patterns only ASCII letters are folded, which collation C does whatever the database's locale is.
    folded = sa.func.lower(sa.collate(value, "C"))
    if leaf.how == "ilike" and leaf.pattern.isascii():
        return folded.like(ascii_lower(leaf.pattern), escape="")
    if leaf.how == "contains" and leaf.pattern.isascii():
        return sa.func.strpos(folded, ascii_lower(leaf.pattern)) > 0
    found = _matching_values(scope, leaf, value, table)
    return value == sa.any_(sa.cast(found, postgresql.ARRAY(sa.Text)))


def _matches_on_sqlite(how: TextMatch, pattern: str, value: Value) -> Condition:
    """SQLite's LIKE ignores the case of ASCII letters, which is `ilike`; `like` needs other means."""
    if how == "regex":
        return _regexp(pattern, value)
    if how == "contains":
        if pattern.isascii():
            return sa.func.instr(sa.func.lower(value), ascii_lower(pattern)) > 0
        return _regexp(contains_to_regex(pattern), value)
    if how == "ilike":
        return value.like(pattern) if pattern.isascii() else _regexp(ilike_to_regex(pattern), value)
    return _like_on_sqlite(pattern, value)


def _like_on_sqlite(pattern: str, value: Value) -> Condition:
    """The common shapes by plain comparison (a prefix is a range of the index), the rest by RE2 on what LIKE leaves."""
    if "_" not in pattern:
        literal = pattern.strip("%")
        if "%" not in pattern:
            return value == pattern
        if literal and "%" not in literal and pattern == f"{literal}%":
            return _begins_with(value, literal)
        if literal and "%" not in literal and pattern == f"%{literal}%":
            return sa.func.instr(value, literal) > 0
    return sa.and_(value.like(pattern), _regexp(like_to_regex(pattern), value))


def _begins_with(value: Value, prefix: str) -> Condition:
    last = ord(prefix[-1])
    if last == 0xD7FF or last == 0x10FFFF:  # no character follows: a surrogate, or the end of Unicode
        return sa.func.substr(value, 1, len(prefix)) == prefix
    return sa.and_(value >= prefix, value < prefix[:-1] + chr(last + 1))


def _regexp(pattern: str, value: Value) -> Condition:
    return sa.func.gnomon_regexp(pattern, value, type_=sa.Integer) == 1


_REGEX_OF: Mapping[TextMatch, Callable[[str], str]] = {
    "like": like_to_regex,
    "ilike": ilike_to_regex,
    "contains": contains_to_regex,
    "regex": str,
}


def _matching_values(scope: Scope, leaf: Matches, value: Value, table: sa.FromClause) -> Sequence[str]:
    """The distinct values that match, decided by RE2 here."""
    column = leaf.column
    covered = sa.select(value).select_from(table).where(scope.covers(table, column.kind))
    rows = covered.distinct().limit(_MAX_DISTINCT_VALUES + 1)
    if column.kind != "attribute":
        key = sa.select(t.key.c.id).where(t.key.c.name == column.key, t.key.c.context == "").scalar_subquery()
        rows = rows.where(table.c.key == key)
    values = scope.connection.execute(rows).scalars().all()
    if len(values) > _MAX_DISTINCT_VALUES:
        raise InvalidRequest(
            f"filter: {column.text} has more than {_MAX_DISTINCT_VALUES:,} different values, too many for a regular "
            "expression; name fewer experiments or use like",
            code="invalid_filter",
        )
    matches = matcher(_REGEX_OF[leaf.how](leaf.pattern))
    return [text for text in values if isinstance(text, str) and matches(text)]
