"""Clauses (`model/filters/clauses.py`) as conditions on the rows of one table and of the tags beside it."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.filters.clauses import Clause, ClauseKind, ClauseOp
from gnomon_server.model.filters.patterns import ilike_to_regex, like_to_regex

Condition = sa.ColumnElement[bool]
_SIGNS: Mapping[ClauseOp, Callable[[Any, Any], Condition]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Attribute = sa.ColumnElement[str] | sa.ColumnElement[int] | sa.ColumnElement[float]


class KeyedValues:
    """Where the values of a kind of key stand: `rows` are those of the thing at hand, one a key."""

    def __init__(self, rows: Callable[[str], sa.Select[int]], value: Attribute) -> None:
        self.rows = rows
        self.value = value


def conditions(
    connection: Connection,
    clauses: Sequence[Clause],
    attributes: Mapping[str, Attribute],
    keyed: Mapping[ClauseKind, KeyedValues],
) -> list[Condition]:
    """One condition a clause. A negated comparison of a key says: it is there, and it is not this."""
    return [_condition(connection, clause, attributes, keyed) for clause in clauses]


def _condition(
    connection: Connection,
    clause: Clause,
    attributes: Mapping[str, Attribute],
    keyed: Mapping[ClauseKind, KeyedValues],
) -> Condition:
    if clause.kind == "attribute":
        return compared(connection, clause, attributes[clause.key])
    values = keyed[clause.kind]
    rows = values.rows(clause.key)
    if clause.op == "is null":
        return sa.not_(rows.exists())
    if clause.op == "is not null":
        return rows.exists()
    return rows.where(compared(connection, clause, values.value)).exists()


def compared(connection: Connection, clause: Clause, value: Attribute) -> Condition:
    """The comparison of a clause, with this in place of what it names."""
    sign = _SIGNS.get(clause.op)
    if sign is not None:
        return sign(value, clause.values[0])
    match clause.op:
        case "is null":
            return value.is_(None)
        case "is not null":
            return value.is_not(None)
        case "in":
            return value.in_(clause.values)
        case "not in":
            return value.not_in(clause.values)
        case "rlike":
            return matches(connection, str(clause.values[0]), value)
    return _like(connection, str(clause.values[0]), value, is_exact=clause.op == "like")


def _like(connection: Connection, pattern: str, value: Attribute, *, is_exact: bool) -> Condition:
    if connection.dialect.name != "sqlite":
        return value.like(pattern, escape="") if is_exact else value.ilike(pattern, escape="")
    return matches(connection, like_to_regex(pattern) if is_exact else ilike_to_regex(pattern), value)


def matches(connection: Connection, regex: str, value: Attribute) -> Condition:
    """Whether a regular expression is found in a text."""
    if connection.dialect.name != "sqlite":
        return value.regexp_match(regex)
    return sa.func.gnomon_regexp(regex, value, type_=sa.Integer) == 1
