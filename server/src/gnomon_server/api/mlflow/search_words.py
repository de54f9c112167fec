"""What is wrong with a filter or an order, in the words that MLflow's clients and their users look for.

The language is read elsewhere; this looks once more at what it refused, and says first what MLflow would say, then
where. Nothing is decided here: a text that reads well to it keeps the sentence of the reader alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct

from gnomon_server.model.errors import InvalidRequest

_TOKEN = re.compile(r"""`[^`]*`|'[^']*'|"[^"]*"|\([^)]*\)|[<>=!]+|[^\s<>=!'"()]+(?:`[^`]*`|"[^"]*")?|\S""")
_SIGN = re.compile(r"[<>=!]+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_BY_SIZE = (">", ">=", "<", "<=", "=", "!=")
_TEXT = ("=", "!=", "LIKE", "ILIKE")


class Words(Struct, frozen=True):
    """What a search of one kind of thing knows: entities by their aliases, attributes, and those that are numbers."""

    entities: Mapping[str, str]
    attributes: Sequence[str]
    numbers: Sequence[str] = ()
    ordered: Sequence[str] = ()


class _Clause(Struct, frozen=True):
    name: str
    operator: str
    value: str


@contextmanager
def in_mlflow_words(words: Words, filter: str, order: Sequence[str]) -> Iterator[None]:
    """Say what the readers of filters and orders refuse within in MLflow's words too."""
    try:
        yield
    except InvalidRequest as refused:
        if refused.code == "invalid_filter":
            said = explain_filter(filter, words)
        elif refused.code == "invalid_order_by":
            said = next((said for text in order if (said := explain_order(text, words))), None)
        else:
            raise
        if said is None:
            raise
        raise InvalidRequest(f"{said} ({refused.detail})", code=refused.code) from None


def explain_filter(text: str, words: Words) -> str | None:
    """The first thing that MLflow would find wrong."""
    clauses, rest = _clauses(_TOKEN.findall(text))
    if rest:
        return f"Invalid clause(s) in filter string: {', '.join(rest)}"
    return next((said for clause in clauses if (said := _explain(clause, words))), None)


def explain_order(text: str, words: Words) -> str | None:
    tokens = _TOKEN.findall(text)
    if len(tokens) == 2 and tokens[1].upper() not in ("ASC", "DESC"):
        return f"Invalid ordering key in order_by clause '{text}'."
    if not 1 <= len(tokens) <= 2 or "," in tokens[0]:
        return f"Invalid order_by clause '{text}'. Could not be parsed."
    if words.ordered:
        if tokens[0] in words.ordered:
            return None
        return f"Invalid order by key '{tokens[0]}' specified. Valid keys are '{_set(words.ordered)}'"
    return _unknown_name(tokens[0], words)


def _clauses(tokens: Sequence[str]) -> tuple[list[_Clause], list[str]]:
    """The comparisons joined by AND, and from where on they are none."""
    found: list[_Clause] = []
    at = 0
    while at < len(tokens):
        clause, end = _clause(tokens, at)
        if clause is None:
            return found, list(tokens[at:])
        found.append(clause)
        if end < len(tokens) and tokens[end].upper() != "AND":
            return found, list(tokens[end:])
        at = end + 1
    return found, []


def _clause(tokens: Sequence[str], at: int) -> tuple[_Clause | None, int]:
    name, *after = [*tokens[at : at + 4], "", "", ""][:4]
    words = [word.upper() for word in after]
    if name.startswith("(") or name.upper() in ("AND", "OR", "NOT") or _SIGN.fullmatch(name):
        return None, at
    if words[:2] == ["IS", "NULL"]:
        return _Clause(name, "IS NULL", ""), at + 3
    if words == ["IS", "NOT", "NULL"]:
        return _Clause(name, "IS NOT NULL", ""), at + 4
    if words[0] == "NOT" and words[1] in ("IN", "LIKE", "ILIKE") and after[2]:
        return _Clause(name, f"NOT {words[1]}", after[2]), at + 4
    if (_SIGN.fullmatch(words[0]) or words[0] in ("LIKE", "ILIKE", "RLIKE", "IN")) and after[1]:
        return (None, at) if _SIGN.fullmatch(after[1]) else (_Clause(name, words[0], after[1]), at + 3)
    return None, at


def _explain(clause: _Clause, words: Words) -> str | None:
    if (unknown := _unknown_name(clause.name, words)) is not None:
        return unknown
    kind, key = _kind(clause.name, words)
    if kind == "metric" or (kind == "attribute" and key in words.numbers):
        return _explain_number(kind, key, clause)
    if clause.operator in ("IS NULL", "IS NOT NULL"):
        return None
    if clause.operator in ("IN", "NOT IN"):
        return _explain_list(clause.value)
    if clause.operator not in _TEXT:
        return f"Invalid comparator '{clause.operator}' not one of '{_set(_TEXT)}'"
    if _NUMBER.fullmatch(clause.value):
        if kind == "attribute":
            return (
                "Expected a quoted string value or a list of quoted string values for attributes. "
                f"Got value {clause.value}"
            )
        return f"Expected a quoted string value for {kind} (e.g. 'my-value'). Got value {clause.value}"
    if clause.value[0] not in "'\"":
        return (
            "Parameter value is either not quoted or unidentified quote types used for string value "
            f"{clause.value}. Use either single or double quotes."
        )
    return None


def _explain_number(kind: str, key: str, clause: _Clause) -> str | None:
    of = "metric" if kind == "metric" else f"numeric attribute: {key}"
    if clause.operator in ("IS NULL", "IS NOT NULL"):
        return f"IS NULL / IS NOT NULL is only supported for tags and params, not for '{kind}' '{key}'"
    if not _NUMBER.fullmatch(clause.value):
        return f"Expected numeric value type for {of}. Found {clause.value}"
    if clause.operator not in _BY_SIZE:
        return f"Invalid comparator '{clause.operator}' not one of '{_set(_BY_SIZE)}'"
    return None


def _explain_list(value: str) -> str | None:
    items = [item.strip() for item in value.strip("()").split(",") if item.strip()]
    if not items:
        return "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
    if not all(item[0] in "'\"" for item in items):
        shown = ", ".join(items)
        return (
            "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different "
            f"type in list: ({shown})"
        )
    return None


def _unknown_name(name: str, words: Words) -> str | None:
    entity, dot, _ = name.partition(".")
    if dot and not name.startswith(("`", '"', "'")) and entity.lower() not in words.entities:
        known = tuple(dict.fromkeys(words.entities))
        return f"Invalid entity type '{entity}'. Valid entity types are {known}"
    kind, key = _kind(name, words)
    if name.startswith("'"):
        return f"Invalid comparison clause. Expected 'Identifier' found '{name}'"
    if kind == "attribute" and key not in words.attributes:
        return f"Invalid attribute key '{key}' specified. Valid keys are '{_set(words.attributes)}'"
    return None


def _kind(name: str, words: Words) -> tuple[str, str]:
    entity, dot, key = name.partition(".")
    if not dot or name.startswith(("`", '"', "'")):
        return "attribute", name.strip("`\"'")
    return words.entities.get(entity.lower(), ""), key.strip("`\"'")


def _set(names: Sequence[str]) -> str:
    return "{" + ", ".join(repr(name) for name in names) + "}"
