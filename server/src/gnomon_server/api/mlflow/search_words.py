"""Which filters and orders MLflow's server would refuse, and the words it says so with.

The readers of `model/filters` know a larger language. What only they know is refused here first, so that a filter
that works on this wire works on MLflow's own server; what stands here is the shape of clauses, names, operators and
kinds of values, and nothing of what they mean.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct

from gnomon_server.model.errors import InvalidRequest

_TEXTS = r"'(?:[^']|'')*'|\"[^\"]*\""
_TOKEN = re.compile(
    rf"""`[^`]*`|{_TEXTS}|\((?:{_TEXTS}|[^()'"])*\)|[<>=!~]+|[^\s<>=!~'"()`]+(?:`[^`]*`|"[^"]*"|(?<=\.)'[^']*')?|\S"""
)
_ITEM = re.compile(rf"\s*(?:({_TEXTS})|([^,]*?))\s*(?:,|$)")
_SIGN = re.compile(r"[<>=!~]+")
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
BY_SIZE = (">", ">=", "<", "<=", "=", "!=")
TEXTS = ("=", "!=", "LIKE", "ILIKE")
LISTS = ("IN", "NOT IN")
NULLS = ("IS NULL", "IS NOT NULL")
_WORDS = ("LIKE", "ILIKE", "RLIKE", "IN")


class Words(Struct, frozen=True):
    """What a search of one kind of thing knows.

    `entities`: kinds by the names that may stand before a dot. `attributes` hold text unless they are `numbers`;
    those of `listed` are compared with lists, `exact` with nothing but equality besides. `nulls`: the kinds that are
    asked for being absent, and how those are called. `ordered`: attributes that an order may name. `sets`: the kinds
    of whose operators it says which there are. `quotes_rest`: what is no comparison is shown in quotes.
    `unread`: kinds of which only the name is looked at. `orders_by_attributes`: an unknown key of an order is called
    an attribute key. `also_ordered`: names that an order may have and that are not told. `open_sets`: the kinds whose
    sets of operators end without a quote. `or_lists`: a wrong value is told that it might have been a list.
    `tagged`: attributes that are kept as tags, and of which it speaks as of these.
    """

    entities: Mapping[str, str]
    known: str
    attributes: Sequence[str]
    numbers: Sequence[str] = ()
    listed: Sequence[str] = ()
    exact: Sequence[str] = ()
    nulls: Mapping[str, str] | None = None
    ordered: Sequence[str] = ()
    keyed_order: bool = False
    sets: Sequence[str] = ()
    quotes_rest: bool = False
    rlike: bool = False
    unread: Sequence[str] = ()
    orders_by_attributes: bool = False
    also_ordered: Sequence[str] = ()
    open_sets: Sequence[str] = ()
    or_lists: bool = False
    tagged: Sequence[str] = ()


class Comparison(Struct, frozen=True):
    """One comparison as it is written, its operator in capitals."""

    name: str
    operator: str
    value: str


@contextmanager
def in_mlflow_words(words: Words, filter: str, order: Sequence[str]) -> Iterator[None]:
    """Refuse the first thing that MLflow would find wrong, and with it what the readers say who are asked within."""
    code, said = "invalid_filter", explain_filter(filter, words)
    if said is None:
        code, said = "invalid_order_by", next((said for text in order if (said := explain_order(text, words))), None)
    try:
        yield
    except InvalidRequest as refused:
        if said is None or refused.code != code:
            raise
        said = f"{said} ({refused.detail})"
    if said is not None:
        raise InvalidRequest(said, code=code) from None


def read_comparisons(text: str) -> tuple[list[Comparison], list[str]]:
    """The comparisons of a filter, and the words besides them that are no AND."""
    return _clauses(_TOKEN.findall(text))


def explain_filter(text: str, words: Words) -> str | None:
    if text and not text.strip():
        return f"Invalid filter '{text}'. Could not be parsed."
    clauses, rest = read_comparisons(text)
    if rest:
        shown = (f"'{token}'" for token in rest) if words.quotes_rest else rest
        return f"Invalid clause(s) in filter string: {', '.join(shown)}"
    return next((said for clause in clauses if (said := _explain(clause, words))), None)


def explain_order(text: str, words: Words) -> str | None:
    tokens = _TOKEN.findall(text)
    if not tokens or "," in text or len(tokens) > 2:
        return f"Invalid order_by clause '{text}'. Could not be parsed."
    if len(tokens) == 2 and tokens[1].upper() not in ("ASC", "DESC"):
        return f"Invalid ordering key in order_by clause '{text}'."
    name = tokens[0]
    if (unknown := _unknown_entity(name, words)) is not None:
        return unknown
    kind, key = _kind(name, words)
    if kind == "attribute" and key not in words.ordered and key not in words.also_ordered:
        if "." in name or words.keyed_order or words.orders_by_attributes:
            return f"Invalid attribute key '{key}' specified. Valid keys are '{shown_set(words.ordered)}'"
        return f"Invalid order by key '{name}' specified. Valid keys are '{shown_set(words.ordered)}'"
    if kind == "dataset":
        return f"Invalid identifier type '{kind}'"
    if kind != "attribute" and not words.keyed_order:
        return f"Invalid order_by entity: {kind}"
    return None


def _clauses(tokens: Sequence[str]) -> tuple[list[Comparison], list[str]]:
    """The comparisons, and what stands besides them that is no AND."""
    found: list[Comparison] = []
    rest: list[str] = []
    at = 0
    while at < len(tokens):
        clause, end = _clause(tokens, at)
        if clause is not None:
            found.append(clause)
        elif tokens[at].upper() != "AND":
            rest.append(tokens[at])
        at = end if clause is not None else at + 1
    return found, rest


def _clause(tokens: Sequence[str], at: int) -> tuple[Comparison | None, int]:
    name, *after = [*tokens[at : at + 4], "", "", ""][:4]
    words = [word.upper() for word in after]
    if name.startswith("(") or name.upper() in ("AND", "OR", "NOT") or _SIGN.fullmatch(name):
        return None, at
    if words[:2] == ["IS", "NULL"]:
        return Comparison(name, "IS NULL", ""), at + 3
    if words == ["IS", "NOT", "NULL"]:
        return Comparison(name, "IS NOT NULL", ""), at + 4
    if words[0] == "NOT" and words[1] in _WORDS and after[2]:
        operator, value, end = f"NOT {words[1]}", after[2], at + 4
    elif (_SIGN.fullmatch(words[0]) or words[0] in _WORDS) and after[1]:
        operator, value, end = words[0], after[1], at + 3
    else:
        return None, at
    is_list = value.startswith("(")
    if _SIGN.fullmatch(value) or value.upper() in ("TRUE", "FALSE") or (operator in LISTS and not is_list):
        return None, at
    return Comparison(name, operator, value), end


def _explain(clause: Comparison, words: Words) -> str | None:
    name = clause.name
    if name.startswith("'") or NUMBER.fullmatch(name):
        return f"Invalid comparison clause. Expected 'Identifier' found '{name}'"
    if (unknown := _unknown_entity(name, words)) is not None:
        return unknown
    kind, key = _kind(name, words)
    if kind == "attribute" and key not in words.attributes:
        return f"Invalid attribute key '{key}' specified. Valid keys are '{shown_set(words.attributes)}'"
    if kind == "dataset" and key not in _DATASET:
        return f"Invalid dataset key '{key}' specified. Valid keys are '{shown_set(_DATASET)}'"
    if kind in words.unread:
        return None
    if clause.operator in NULLS:
        return _explain_null(kind, key, words)
    if kind == "metric" or (kind == "attribute" and key in words.numbers):
        return _explain_number(kind, key, clause, words)
    return _explain_text(kind, key, clause, words)


def _explain_null(kind: str, key: str, words: Words) -> str | None:
    if words.nulls is None or kind in words.nulls:
        return None
    only = " and ".join(words.nulls.values())
    thing = f"'{kind}' '{key}'" if len(words.nulls) > 1 else f"{kind} '{key}'"
    return f"IS NULL / IS NOT NULL is only supported for {only}, not for {thing}"


def _explain_number(kind: str, key: str, clause: Comparison, words: Words) -> str | None:
    if not NUMBER.fullmatch(clause.value):
        of = "metric" if kind == "metric" else f"numeric attribute: {key}"
        if words.or_lists and clause.operator in LISTS:
            return f"Only {list(words.listed)} attributes support comparison with a list of quoted string values."
        return f"Expected numeric value type for {of}. Found {clause.value}"
    if clause.operator not in BY_SIZE:
        return _bad_operator(kind, clause.operator, BY_SIZE, words, key=key)
    return None


def _explain_text(kind: str, key: str, clause: Comparison, words: Words) -> str | None:
    value = clause.value
    takes_lists = kind == "dataset" or (kind == "attribute" and key in words.listed)
    if value.startswith("(") and not (clause.operator in LISTS and _as_tag(kind, key, words)):
        if takes_lists and clause.operator in LISTS:
            return _explain_list(value)
        if kind == "attribute" and clause.operator in LISTS and words.listed:
            return f"Only {list(words.listed)} attributes support comparison with a list of quoted string values."
        return _not_text(kind, value, words)
    if NUMBER.fullmatch(value) and kind == "attribute" and words.numbers and words.or_lists:
        return f"Only the '{shown_set(words.numbers)}' attributes support comparison with numeric values."
    if NUMBER.fullmatch(value) or value.upper() == "NULL":
        return _not_text(kind, value, words)
    if value[0] not in "'\"(":
        return not_quoted(value)
    operators = ("=", "!=") if key in words.exact and kind == "attribute" else TEXTS
    if words.rlike:
        operators = (*operators, "RLIKE")
    if clause.operator not in operators:
        if key in words.exact and kind == "attribute":
            return f"Invalid comparator for {key}: {clause.operator}"
        return _bad_operator(kind, clause.operator, (*operators, *_also(kind, key, words)), words, name=key)
    return None


def _not_text(kind: str, value: str, words: Words) -> str:
    if kind == "attribute":
        also = " or a list of quoted string values" if words.or_lists else ""
        return f"Expected a quoted string value{also} for attributes. Got value {value}"
    if kind == "dataset":
        return f"Expected a quoted string value for dataset attributes. Got value {value}"
    return not_text(kind, value)


def _explain_list(value: str) -> str | None:
    inner = value[1:-1].strip()
    if not inner:
        return "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
    items = [found.groups() for found in _ITEM.finditer(inner) if found.group()]
    others = [other for text, other in items if text is None]
    if any(NUMBER.fullmatch(other or "") for other in others):
        return (
            "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different "
            f"type in list: {_as_list(value)}"
        )
    if others:
        return "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list."
    return None


def _as_tag(kind: str, key: str, words: Words) -> bool:
    """Whether this is kept as a tag where tags are asked by their own rules."""
    return bool(words.tagged) and (kind in ("tag", "metadata") or key in words.tagged)


def _as_list(value: str) -> str:
    """A list in brackets as Python shows one: a single item is followed by a comma."""
    items = [item.strip() for item in value[1:-1].split(",") if item.strip()]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _also(kind: str, key: str, words: Words) -> Sequence[str]:
    """The operators that a kind has beside those of all texts."""
    if kind == "dataset" or (kind == "attribute" and words.listed and key not in words.tagged):
        return LISTS
    return NULLS if (words.nulls and kind in words.nulls) or key in words.tagged else ()


def _bad_operator(
    kind: str, operator: str, known: Sequence[str], words: Words, *, key: str = "", name: str = ""
) -> str:
    if kind in words.sets:
        close = "" if kind in words.open_sets or name in words.tagged else "'"
        return f"Invalid comparator '{operator}' not one of '{shown_set(known)}{close}"
    of = f"{kind} {key}" if key and kind == "attribute" else kind
    return f"Invalid comparator for {of}: {operator}"


def _unknown_entity(name: str, words: Words) -> str | None:
    entity, dot, _ = name.partition(".")
    if dot and entity not in words.entities:
        return f"Invalid entity type '{entity}'. {words.known}"
    return None


def _kind(name: str, words: Words) -> tuple[str, str]:
    entity, dot, key = name.partition(".")
    if not dot:
        return "attribute", name.strip("`\"'")
    return words.entities[entity], key.strip("`\"'")


def not_text(entity: str, value: str) -> str:
    """What is said of a value that is no text where only a text can be."""
    return f"Expected a quoted string value for {entity} (e.g. 'my-value'). Got value {value}"


def not_quoted(value: str) -> str:
    """What is said of a text without quotes."""
    return (
        "Parameter value is either not quoted or unidentified quote types used for string value "
        f"{value}. Use either single or double quotes."
    )


def shown_set(names: Iterable[str]) -> str:
    """Names as Python shows a set of them."""
    return "{" + ", ".join(repr(name) for name in names) + "}"


_DATASET = ("name", "digest", "context")
