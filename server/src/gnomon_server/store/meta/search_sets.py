"""From an expression to the set of runs that it takes, as one SELECT of run ids.

Each comparison is a walk of one covering index; `and` intersects the walks, `or` unites them. A set may stand for its
complement ("all runs but these"), so `not` costs nothing and the runs without a key need no row: only at the very top,
and only if the whole is a complement, all runs of the experiments are walked. Comparisons of one key, or of attributes
only, are one walk together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from gnomon_server.model.filters.ast import And, Column, Compare, Expr, IsNull, Leaf, Not, OneOf, Or
from gnomon_server.model.ids import KeyId
from gnomon_server.store.meta.search_values import (
    RunIds,
    Scope,
    condition,
    run_id_of,
    table_of,
    unplanned,
)

# No key has this id: what a key that does not exist stands for, so its set is empty.
NO_KEY = KeyId(-1)

_Row = tuple[str, str]
_ATTRIBUTES: _Row = ("attribute", "")


@dataclass(frozen=True, slots=True)
class RunSet:
    """`runs` selects `column`, the ids of the set, or of the runs that are not in it.

    `size` guesses how many there are, small to large: the largest set is walked and the others are kept in memory,
    because keeping a run costs more than meeting it. A set that names a run twice (`repeats`) is walked last of all.
    """

    runs: RunIds
    column: sa.ColumnElement[int]
    is_complement: bool = False
    size: int = 1
    repeats: bool = False

    @property
    def walked(self) -> "RunSet":
        """The same set with every run once."""
        if not self.repeats:
            return self
        once = self.runs.subquery()
        return RunSet(sa.select(once.c.run).distinct(), once.c.run, self.is_complement)


def row_of(expr: Expr) -> _Row | None:
    """The one row (of a key, or of the run itself) that decides the expression; None where several do."""
    if isinstance(expr, And | Or):
        rows = {row_of(item) for item in expr.items}
        return rows.pop() if len(rows) == 1 else None
    if isinstance(expr, Not):
        # A run without the key has no row that could say "not".
        return _ATTRIBUTES if row_of(expr.item) == _ATTRIBUTES else None
    if expr.column.kind == "attribute":
        return _ATTRIBUTES
    if expr.column.kind == "dataset" or (isinstance(expr, IsNull) and not expr.negated):
        return None
    return expr.column.kind, expr.column.key


def run_set(scope: Scope, keys: Mapping[str, KeyId], expr: Expr) -> RunSet:
    """The runs that the expression takes."""
    if row_of(expr) is not None:
        return _one_row(scope, keys, expr)
    if isinstance(expr, And):
        return _intersection([run_set(scope, keys, item) for item in _grouped(expr.items, And)])
    if isinstance(expr, Or):
        return _union([run_set(scope, keys, item) for item in _grouped(expr.items, Or)])
    if isinstance(expr, Not):
        return _complement(run_set(scope, keys, expr.item))
    if expr.column.kind == "dataset":
        return _of_datasets(scope, expr)
    return _complement(having(scope, keys, expr.column))


def having(scope: Scope, keys: Mapping[str, KeyId], column: Column) -> RunSet:
    """The runs that have a value in a keyed column."""
    return _one_row(scope, keys, IsNull(column, negated=True))


def _of_datasets(scope: Scope, leaf: Leaf) -> RunSet:
    """The runs that took in a dataset for which the comparison holds. A run may have taken in several."""
    has_none = isinstance(leaf, IsNull) and not leaf.negated
    leaf = IsNull(leaf.column, negated=True) if has_none else leaf
    table = table_of(scope, leaf.column)
    runs = sa.select(table.c.run.label("run")).where(scope.covers(table, "dataset"), condition(scope, leaf, table))
    return RunSet(runs, table.c.run, is_complement=has_none, size=0, repeats=True)


def _one_row(scope: Scope, keys: Mapping[str, KeyId], expr: Expr) -> RunSet:
    leaf = _first_leaf(expr)
    column = leaf.column
    table = table_of(scope, column)
    run = run_id_of(column, table)
    runs = sa.select(run.label("run")).where(scope.covers(table, column.kind))
    if column.kind != "attribute":
        runs = runs.where(table.c.key == keys.get(column.key, NO_KEY))
    return RunSet(runs.where(condition(scope, expr, table)), run, size=_guessed_size(expr))


def _grouped(items: Iterable[Expr], join: type[And] | type[Or]) -> list[Expr]:
    """The items, those that one row decides joined into one."""
    groups: dict[_Row | int, list[Expr]] = {}
    for place, item in enumerate(items):
        row = row_of(item)
        groups.setdefault(place if row is None else row, []).append(item)
    return [group[0] if len(group) == 1 else join(tuple(group)) for group in groups.values()]


def _intersection(sets: Sequence[RunSet]) -> RunSet:
    largest = max((each for each in sets if not each.is_complement), key=lambda each: each.size, default=None)
    if largest is None:
        return _complement(_union([_complement(each) for each in sets]))
    walked = largest.walked
    runs = walked.runs
    for other in sets:
        if other is not largest:
            kept = unplanned(walked.column).in_(other.runs)
            runs = runs.where(sa.not_(kept) if other.is_complement else kept)
    return RunSet(runs, walked.column, size=1)


def _union(sets: Sequence[RunSet]) -> RunSet:
    if len(sets) == 1:
        return sets[0]
    if any(each.is_complement for each in sets):
        return _complement(_intersection([_complement(each) for each in sets]))
    # UNION ALL: for a UNION, SQLite merges sorted parts, and reads whole tables where an index would need a sort.
    both = sa.union_all(*(each.runs for each in sets)).subquery()
    return RunSet(sa.select(both.c.run), both.c.run, size=0, repeats=True)


def _complement(one: RunSet) -> RunSet:
    return replace(one, is_complement=not one.is_complement)


def _first_leaf(expr: Expr) -> Leaf:
    while isinstance(expr, And | Or | Not):
        expr = expr.item if isinstance(expr, Not) else expr.items[0]
    return expr


def _guessed_size(expr: Expr) -> int:
    """Attributes often take most runs, ranges many, equality few."""
    if row_of(expr) == _ATTRIBUTES:
        return 3
    if isinstance(expr, IsNull):
        return 3
    is_equality = (isinstance(expr, Compare) and expr.op == "=") or (isinstance(expr, OneOf) and not expr.negated)
    return 1 if is_equality else 2
