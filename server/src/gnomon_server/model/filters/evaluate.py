"""What a filter and an order mean, in plain Python over one plain record: the reference the SQL is tested against.

It decides nothing in production. Where the SQL and this page disagree, one of the two has a defect.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key

from gnomon_server.model.filters.ast import (
    Aggregate,
    And,
    Between,
    Column,
    ComparisonOp,
    Expr,
    IsNull,
    Leaf,
    Matches,
    Not,
    OneOf,
    Or,
    OrderItem,
    TextMatch,
)
from gnomon_server.model.filters.patterns import Matcher, contains_matcher, ilike_matcher, like_matcher, matcher


@dataclass(frozen=True, slots=True)
class Param:
    """A param as it is kept: its text, and the finite number the text stands for, if it does."""

    text: str
    number: float | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: `attributes` by canonical name (times and durations in ms), `metrics` by key and aggregate."""

    row: int
    attributes: Mapping[str, str | float | None]
    params: Mapping[str, Param] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[Aggregate, float | None]] = field(default_factory=dict)


def holds(expr: Expr | None, run: RunRecord) -> bool:
    """Whether the filter takes the run; no filter takes every run."""
    if expr is None:
        return True
    if isinstance(expr, And):
        return all(holds(item, run) for item in expr.items)
    if isinstance(expr, Or):
        return any(holds(item, run) for item in expr.items)
    if isinstance(expr, Not):
        return not holds(expr.item, run)
    return _leaf_holds(expr, run)


def in_order(runs: Iterable[RunRecord], order: Sequence[OrderItem]) -> list[RunRecord]:
    """The runs by the items of the order, then newest start first, then by row."""

    def compare(one: RunRecord, other: RunRecord) -> int:
        for item in order:
            ranks = _rank(item, one), _rank(item, other)
            if ranks[0][0] != ranks[1][0]:
                return -1 if ranks[0][0] < ranks[1][0] else 1
            if ranks[0] != ranks[1]:
                return -1 if (ranks[0] < ranks[1]) != item.descending else 1
        starts = _number_of(one.attributes["start_time"]), _number_of(other.attributes["start_time"])
        if starts[0] != starts[1]:
            return -1 if starts[0] > starts[1] else 1
        return one.row - other.row

    return sorted(runs, key=cmp_to_key(compare))


def value_of(column: Column, run: RunRecord) -> str | float | Param | None:
    """What the run has in the column; None where it lacks it."""
    if column.kind == "attribute":
        return run.attributes[column.key]
    if column.kind == "param":
        return run.params.get(column.key)
    if column.kind == "tag":
        return run.tags.get(column.key)
    return run.metrics.get(column.key, {}).get(column.aggregate)


def _leaf_holds(leaf: Leaf, run: RunRecord) -> bool:
    value = value_of(leaf.column, run)
    if isinstance(leaf, IsNull):
        return (value is None) != leaf.negated
    if value is None:
        return False
    if isinstance(leaf, Matches):
        return _matches(leaf, _text_of(value, leaf.column)) != leaf.negated
    if isinstance(leaf, OneOf):
        return any(_compares(value, "=", item, leaf.column) for item in leaf.values) != leaf.negated
    if isinstance(leaf, Between):
        within = _compares(value, ">=", leaf.low, leaf.column) and _compares(value, "<=", leaf.high, leaf.column)
        return within != leaf.negated
    if leaf.op == "!=":
        return not _compares(value, "=", leaf.value, leaf.column)
    return _compares(value, leaf.op, leaf.value, leaf.column)


def _compares(value: str | float | Param, op: ComparisonOp, literal: float | str, column: Column) -> bool:
    """A positive comparison; a param meets a number as a number, and is no match where it is none."""
    if isinstance(literal, str):
        return _TEXT_OPS[op](_text_of(value, column), literal)
    number = value.number if isinstance(value, Param) else _number_of(value)
    if number is None:
        return False
    if math.isnan(literal):
        return math.isnan(number)
    return _NUMBER_OPS[op](number, literal)


def _matches(leaf: Matches, text: str) -> bool:
    return _MATCHERS[leaf.how](leaf.pattern)(text)


def _rank(item: OrderItem, run: RunRecord) -> tuple[int, float | str]:
    """First: values (0), then NaN and params that are no numbers (1), then nothing (2). Then the value in its class."""
    value = value_of(item.column, run)
    if value is None:
        return 2, ""
    if isinstance(value, Param):
        return (0, value.number) if value.number is not None and not item.as_text else (1, value.text)
    if isinstance(value, float | int) and math.isnan(value):
        return 1, ""
    return 0, value


def _text_of(value: str | float | Param, column: Column) -> str:
    if isinstance(value, Param):
        return value.text
    if not isinstance(value, str):
        raise TypeError(f"{column} holds no text")
    return value


def _number_of(value: str | float | Param | None) -> float:
    if not isinstance(value, float | int):
        raise TypeError(f"{value!r} is no number")
    return value


_TEXT_OPS: dict[ComparisonOp, Callable[[str, str], bool]] = {
    "=": str.__eq__,
    "<": str.__lt__,
    "<=": str.__le__,
    ">": str.__gt__,
    ">=": str.__ge__,
}
_NUMBER_OPS: dict[ComparisonOp, Callable[[float, float], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_MATCHERS: dict[TextMatch, Callable[[str], Matcher]] = {
    "like": like_matcher,
    "ilike": ilike_matcher,
    "regex": matcher,
    "contains": contains_matcher,
}
