"""What a filter and an order ARE, once read: small frozen classes that hold values and never SQL.

Logic is two-valued. A comparison is true or false for each run, and it is false where the run lacks the metric, param
or tag: the negated operators (`!=`, `not in`, `not like`, `!~`, …) too say "it is there, and it is not this". `not` in
front of a comparison turns the truth value round and so holds for runs without the key.
"""

from dataclasses import dataclass, field
from typing import Literal

ColumnKind = Literal["metric", "param", "tag", "attribute", "dataset"]
Aggregate = Literal["last", "min", "max", "mean", "first", "n"]
ComparisonOp = Literal["=", "!=", "<", "<=", ">", ">="]
TextMatch = Literal["like", "ilike", "regex", "contains"]
Statistic = Literal["mean", "std", "min", "max", "n"]
# A number is a double whatever it was written as; text stands for params, tags and text attributes.
Value = float | str

STATISTICS: tuple[Statistic, ...] = ("mean", "std", "min", "max", "n")
AGGREGATES: tuple[Aggregate, ...] = ("last", "min", "max", "mean", "first", "n")
# Of these a run may hold NaN; the others are over finite values and lack a value where there is none.
NAN_AGGREGATES: frozenset[Aggregate] = frozenset(("last", "first"))


@dataclass(frozen=True, slots=True)
class Column:
    """Something a run has one value of: a metric (by one of its aggregates), a param, a tag or an attribute.

    `key` of an attribute is its canonical name (`run_name` is `name`). `text` is what the user wrote. Only of
    datasets may a run have several: a comparison holds where one of them makes it hold.
    """

    kind: ColumnKind
    key: str
    aggregate: Aggregate = "last"
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`column op value`. With a metric, `= NaN` holds where the value is NaN; NaN else satisfies only `!=`."""

    column: Column
    op: ComparisonOp
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """`column [not] in (…)`: all values are numbers, or all are text."""

    column: Column
    values: tuple[float, ...] | tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """`column [not] between low and high`, both ends included."""

    column: Column
    low: Value
    high: Value
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Matches:
    """Text against a pattern; `contains` is a case-insensitive substring (the search box), not part of the grammar."""

    column: Column
    how: TextMatch
    pattern: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether the run lacks a value of the column."""

    column: Column
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Not:
    item: "Expr"


Leaf = Compare | OneOf | Between | Matches | IsNull
Expr = Leaf | And | Or | Not


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One key of an order. Runs without a value come last in both directions; NaN comes between.

    A param is ordered by its number, then params that are not numbers by their text; `as_text` orders all by text.
    """

    column: Column
    descending: bool = False
    as_text: bool = False


@dataclass(frozen=True, slots=True)
class GroupOrder:
    """One key of an order of groups: a column grouped by, a statistic of an aggregated one, or (None) the size."""

    column: Column | None
    statistic: Statistic | None = None
    descending: bool = False


def leaves(expr: Expr) -> list[Leaf]:
    """The comparisons of an expression, left to right."""
    if isinstance(expr, And | Or):
        return [leaf for item in expr.items for leaf in leaves(item)]
    return leaves(expr.item) if isinstance(expr, Not) else [expr]
