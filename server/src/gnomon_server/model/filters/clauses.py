"""The small filters of things that are not runs: `name like 'a%' and tags.team = 'risk'`.

A filter is clauses joined by `and`, nothing else; a vocabulary says which names there are. An order is a list of
attributes. Both are read with the tokens of the query language, so quoting is the same everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, cast

from msgspec import Struct

from gnomon_server.model.filters.lexer import Token, tokenize
from gnomon_server.model.filters.parser import COMPARISONS, MAX_LIST
from gnomon_server.model.filters.patterns import PatternError, ilike_matcher, like_matcher, matcher
from gnomon_server.model.filters.source import Source

ClauseOp = Literal["=", "!=", "<", "<=", ">", ">=", "like", "ilike", "rlike", "in", "not in", "is null", "is not null"]
ClauseKind = Literal["attribute", "tag", "param", "metric", "metadata", "span", "feedback", "expectation"]
Holds = Literal["text", "number", "either"]

MAX_CLAUSES = 64

_COMPILE: Mapping[ClauseOp, Callable[[str], object]] = {"like": like_matcher, "ilike": ilike_matcher, "rlike": matcher}
# What the values of a kind hold, where it is not text: judgements of traces are numbers, words or yes and no.
_HOLDS: Mapping[ClauseKind, Holds] = {"metric": "number", "feedback": "either", "expectation": "either"}


class Clause(Struct, frozen=True):
    """One comparison. `values` has one entry, several with `in`, none with `is null`."""

    kind: ClauseKind
    key: str
    op: ClauseOp
    values: tuple[str, ...] | tuple[float, ...] = ()


class Vocabulary(Struct, frozen=True):
    """`attributes`: what each holds; `aliases`: other names of them; `entities`: what may stand before a dot."""

    attributes: Mapping[str, Holds]
    entities: Mapping[str, ClauseKind]
    aliases: Mapping[str, str] = {}


def parse_clauses(text: str, words: Vocabulary, *, field: str = "filter") -> list[Clause]:
    """The clauses of a filter; blank text has none. Raises InvalidRequest (code `invalid_filter`)."""
    source = Source(text, field=field, code="invalid_filter")
    return _Reader(source, words).clauses()


def parse_clause_order(texts: Sequence[str], words: Vocabulary, *, field: str = "order_by") -> list[tuple[str, bool]]:
    """The attributes of an order, each with whether it descends. Raises InvalidRequest (code `invalid_order_by`)."""
    found: list[tuple[str, bool]] = []
    for text in texts:
        source = Source(text, field=field, code="invalid_order_by")
        kind, key, descending = _order_item(source, words)
        if kind != "attribute":
            raise source.error(f"order by one of {', '.join(words.attributes)}", 0)
        if any(key == other for other, _ in found):
            raise source.error(f"{key} is named twice", 0)
        found.append((key, descending))
    return found


def parse_keyed_order(
    texts: Sequence[str], words: Vocabulary, *, field: str = "order_by"
) -> list[tuple[ClauseKind, str, bool]]:
    """The same of an order that may also name keyed values: kind, key, whether it descends."""
    return [_order_item(Source(text, field=field, code="invalid_order_by"), words) for text in texts]


def _order_item(source: Source, words: Vocabulary) -> tuple[ClauseKind, str, bool]:
    tokens = tokenize(source)
    kind, key = _name(source, tokens[0], words)
    rest = tokens[1:-1]
    if len(rest) > 1 or (rest and not rest[0].is_word("asc", "desc")):
        raise source.error("expected asc, desc or the end", rest[0].at)
    return kind, key, bool(rest) and rest[0].is_word("desc")


class _Reader:
    def __init__(self, source: Source, words: Vocabulary) -> None:
        self._source = source
        self._words = words
        self._tokens = tokenize(source)
        self._next = 0

    def clauses(self) -> list[Clause]:
        found: list[Clause] = []
        while self._tokens[self._next].kind != "end":
            if len(found) == MAX_CLAUSES:
                raise self._source.error(f"more than {MAX_CLAUSES} comparisons", self._tokens[self._next].at)
            found.append(self._clause())
            token = self._take()
            if token.kind == "end":
                break
            if not token.is_word("and"):
                raise self._source.error("expected `and` or the end", token.at)
        return found

    def _clause(self) -> Clause:
        kind, key = _name(self._source, self._take(), self._words)
        token = self._take()
        if token.kind == "operator" and token.text in COMPARISONS:
            op: ClauseOp = COMPARISONS[token.text]
            return Clause(kind, key, op, self._values(kind, key, op, [self._take()]))
        if token.is_word("is"):
            negated = self._accept("not")
            word = self._take()
            if not word.is_word("null"):
                raise self._source.error("expected `null` after `is`", word.at)
            return Clause(kind, key, "is not null" if negated else "is null")
        if token.is_word("like", "ilike", "rlike"):
            pattern = cast("ClauseOp", token.text.lower())
            at = self._tokens[self._next].at
            values = self._values(kind, key, pattern, [self._take()])
            try:
                _COMPILE[pattern](str(values[0]))
            except PatternError as bad:
                raise self._source.error(f"this pattern cannot be used: {bad}", at) from None
            return Clause(kind, key, pattern, values)
        negated = token.is_word("not")
        word = self._take() if negated else token
        if word.is_word("in"):
            op = "not in" if negated else "in"
            return Clause(kind, key, op, self._values(kind, key, op, self._listed()))
        raise self._source.error("expected an operator: = != < <= > >= like ilike in is", word.at)

    def _listed(self) -> list[Token]:
        opening = self._take()
        if opening.kind != "(":
            raise self._source.error("expected a list in parentheses, such as ('a', 'b')", opening.at)
        values: list[Token] = []
        while self._tokens[self._next].kind != ")" or not values:
            if len(values) == MAX_LIST:
                raise self._source.error(f"more than {MAX_LIST:,} items in one list; split it", opening.at)
            values.append(self._take())
            if self._tokens[self._next].kind != ",":
                break
            self._take()
        if self._take().kind != ")":
            raise self._source.error("this ( is never closed", opening.at)
        return values

    def _values(
        self, kind: ClauseKind, key: str, op: ClauseOp, tokens: Sequence[Token]
    ) -> tuple[str, ...] | tuple[float, ...]:
        holds = self._words.attributes[key] if kind == "attribute" else _HOLDS.get(kind, "text")
        if holds == "either":
            return self._of_either(key, op, tokens)
        if holds == "number":
            if op in ("like", "ilike", "rlike", "in", "not in"):
                raise self._source.error(f"{key} is a number; compare it with = != < <= > >=", tokens[0].at)
            return tuple(self._number(token, key) for token in tokens)
        if op in ("<", "<=", ">", ">="):
            raise self._source.error(f"{key} holds text; compare it with = != like ilike", tokens[0].at)
        return tuple(self._text(token, key) for token in tokens)

    def _of_either(self, key: str, op: ClauseOp, tokens: Sequence[Token]) -> tuple[str, ...] | tuple[float, ...]:
        """Numbers where it is compared by size or written as one, text otherwise."""
        if op in ("<", "<=", ">", ">="):
            try:
                return tuple(float(token.text) for token in tokens)
            except ValueError:
                raise self._source.error(f"{key} is compared by size with a number", tokens[0].at) from None
        if all(token.kind == "number" for token in tokens):
            return tuple(float(token.text) for token in tokens)
        return tuple(self._text(token, key) for token in tokens)

    def _number(self, token: Token, key: str) -> float:
        if token.kind != "number":
            raise self._source.error(f"{key} is compared with a number, written without quotes", token.at)
        return float(token.text)

    def _text(self, token: Token, key: str) -> str:
        if token.kind != "string":
            raise self._source.error(f"{key} holds text; write it in quotes", token.at)
        return token.text

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _accept(self, word: str) -> bool:
        if not self._tokens[self._next].is_word(word):
            return False
        self._next += 1
        return True


def _name(source: Source, token: Token, words: Vocabulary) -> tuple[ClauseKind, str]:
    """What an identifier names."""
    if token.kind != "word":
        raise source.error(f"expected a name such as {next(iter(words.attributes))}", token.at)
    text = "".join(part.text for part in token.parts)
    entity, dot, key = text.partition(".")
    kind = words.entities.get(entity.lower()) if dot and not token.parts[0].quoted else "attribute"
    if kind is None or (kind != "attribute" and not key):
        known = ", ".join(sorted(words.entities))
        raise source.error(f"{text!r} names nothing; before the dot stands one of {known}", token.at)
    if kind != "attribute":
        return kind, key
    name = key if dot else text
    name = words.aliases.get(name, name)
    if name not in words.attributes:
        raise source.error(f"{name!r} is no attribute; there are {', '.join(words.attributes)}", token.at)
    return kind, name
