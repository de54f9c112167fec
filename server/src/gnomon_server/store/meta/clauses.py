"""Clauses (`model/filters/clauses.py`) as conditions on the rows of one table and of the tags beside it."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters.clauses import Clause, ClauseKind, ClauseOp
from gnomon_server.model.filters.patterns import ascii_lower, ilike_to_regex, like_to_regex, matcher

Condition = sa.ColumnElement[bool]
# More of them than this would be a burden on both sides.
_MOST_VALUES = 20_000
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
        if is_exact:
            return value.like(pattern, escape="")
        if pattern.isascii():  # only ASCII letters are folded, whatever the locale of the database
            return sa.func.lower(sa.collate(value, "C")).like(ascii_lower(pattern), escape="")
    return matches(connection, like_to_regex(pattern) if is_exact else ilike_to_regex(pattern), value)


def matches(connection: Connection, regex: str, value: Attribute) -> Condition:
    """Whether a regular expression is found in a text."""
    if connection.dialect.name != "sqlite":
        return value.in_(_matching(connection, regex, value))
    return sa.func.gnomon_regexp(regex, value, type_=sa.Integer) == 1


def _matching(connection: Connection, regex: str, value: Attribute) -> Sequence[str]:
    """The different values of the tenant that match: PostgreSQL has no RE2, so they are decided on here."""
    values = connection.scalars(sa.select(value).distinct().limit(_MOST_VALUES + 1)).all()
    if len(values) > _MOST_VALUES:
        raise InvalidRequest(
            f"filter: there are more than {_MOST_VALUES:,} different values to match with; use = or like",
            code="invalid_filter",
        )
    is_match = matcher(regex)
    return [text for text in values if isinstance(text, str) and is_match(text)]
