"""Gnomon's query language, from text to tree; `store/meta/search.py` makes SQL of the tree.

`parse_filter`, `parse_order_by` and `parse_columns` read what a user wrote; `evaluate.py` says what it means in plain
Python. Nothing here knows of a database.
"""

from gnomon_server.model.filters.ast import (
    AGGREGATES,
    Aggregate,
    And,
    Between,
    Column,
    Compare,
    Expr,
    GroupOrder,
    IsNull,
    Matches,
    Not,
    OneOf,
    Or,
    OrderItem,
    leaves,
)
from gnomon_server.model.filters.columns import MLFLOW, NATIVE, Dialect
from gnomon_server.model.filters.order import parse_column, parse_columns, parse_group_order, parse_order_by
from gnomon_server.model.filters.parser import parse_filter

__all__ = [
    "AGGREGATES",
    "MLFLOW",
    "NATIVE",
    "Aggregate",
    "And",
    "Between",
    "Column",
    "Compare",
    "Dialect",
    "Expr",
    "GroupOrder",
    "IsNull",
    "Matches",
    "Not",
    "OneOf",
    "Or",
    "OrderItem",
    "leaves",
    "parse_column",
    "parse_columns",
    "parse_filter",
    "parse_group_order",
    "parse_order_by",
]
