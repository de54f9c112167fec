"""Reads a filter into its tree. The grammar, in full (docs/guides/query-language.md explains it):

    filter     = any [end]
    any        = all ("or" all)*
    all        = term ("and" term)*
    term       = "not" term | "(" any ")" | comparison
    comparison = column op value
               | column ["not"] "in" "(" value ("," value)* ")"
               | column ["not"] ("like" | "ilike" | "matches") text | column ("=~" | "!~") text
               | column ["not"] "between" value "and" value
               | column "is" ["not"] ("null" | "nan")

Recursive descent, so a depth is counted and bounded before the stack is; comparisons and lists are bounded too. What
a filter costs is decided by these bounds and by how many runs are looked at, never by how cleverly it is written.
"""

import math
from collections.abc import Callable, Mapping

from gnomon_server.model.filters.ast import (
    And,
    Between,
    Column,
    Compare,
    ComparisonOp,
    Expr,
    IsNull,
    Matches,
    Not,
    OneOf,
    Or,
    TextMatch,
)
from gnomon_server.model.filters.columns import NATIVE, Dialect, read_column
from gnomon_server.model.filters.lexer import Token, tokenize
from gnomon_server.model.filters.literals import attribute_kind, holds_text, read_text, read_value
from gnomon_server.model.filters.patterns import (
    MAX_PATTERN_BYTES,
    Matcher,
    PatternError,
    ilike_matcher,
    like_matcher,
    matcher,
)
from gnomon_server.model.filters.source import Source

MAX_COMPARISONS = 64
MAX_DEPTH = 16
MAX_LIST = 1_000

COMPARISONS: Mapping[str, ComparisonOp] = {
    "=": "=",
    "==": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_MATCHES: dict[str, TextMatch] = {"like": "like", "ilike": "ilike", "matches": "regex"}
_COMPILE: dict[TextMatch, Callable[[str], Matcher]] = {"like": like_matcher, "ilike": ilike_matcher, "regex": matcher}
_OPERATORS = "= != < <= > >= =~ !~ in like ilike between is"


def parse_filter(text: str, *, now_ms: int, dialect: Dialect = NATIVE, field: str = "filter") -> Expr | None:
    """The tree of a filter; None where the text is blank. `now_ms` is what relative times are relative to.

    Raises InvalidRequest (code `invalid_filter`) that shows the place.
    """
    source = Source(text, field=field, code="invalid_filter")
    if not text.strip():
        return None
    return _Parser(source, now_ms, dialect).parse()


class _Parser:
    """One pass over the tokens of one filter."""

    def __init__(self, source: Source, now_ms: int, dialect: Dialect) -> None:
        self._source = source
        self._now_ms = now_ms
        self._dialect = dialect
        self._tokens = tokenize(source)
        self._next = 0
        self._depth = 0
        self._comparisons = 0

    def parse(self) -> Expr:
        expr = self._any()
        rest = self._peek()
        if rest.kind == ")":
            raise self._source.error("this ) closes nothing", rest.at)
        if rest.kind != "end":
            raise self._source.error("expected `and`, `or` or the end", rest.at)
        return expr

    def _any(self) -> Expr:
        items = [self._all()]
        while self._accept("or"):
            items.append(self._all())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _all(self) -> Expr:
        items = [self._term()]
        while self._accept("and"):
            if self._dialect.trailing_and and self._peek().kind == "end":
                break
            items.append(self._term())
        return items[0] if len(items) == 1 else And(tuple(items))

    def _term(self) -> Expr:
        token = self._peek()
        if token.is_word("not"):
            self._descend(self._take())
            inner: Expr = Not(self._term())
        elif token.kind == "(":
            self._descend(self._take())
            inner = self._any()
            if self._peek().kind != ")":
                raise self._source.error("this ( is never closed", token.at)
            self._take()
        else:
            return self._comparison()
        self._depth -= 1
        return inner

    def _descend(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._source.error(f"more than {MAX_DEPTH} parentheses and `not` inside each other", token.at)

    def _comparison(self) -> Expr:
        start = self._take()
        if start.kind == "end" or start.is_word("and", "or"):
            raise self._source.error("a comparison is missing here, such as metrics.loss < 0.3", start.at)
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise self._source.error(f"more than {MAX_COMPARISONS} comparisons; shorten the filter", start.at)
        column = read_column(self._source, start, self._dialect)
        token = self._take()
        if token.kind == "operator":
            return self._operator(column, token)
        if token.is_word("is"):
            return self._is(column)
        negated = token.is_word("not")
        word = self._take() if negated else token
        if word.is_word("in"):
            return self._one_of(column, negated)
        if word.is_word("between"):
            return self._between(column, negated)
        if word.is_word(*_MATCHES):
            return self._matches(column, word, _MATCHES[word.text.lower()], negated)
        raise self._source.error(f"expected an operator: {_OPERATORS}", word.at)

    def _operator(self, column: Column, token: Token) -> Expr:
        if token.text in ("=~", "!~"):
            return self._matches(column, token, "regex", token.text == "!~")
        op = COMPARISONS[token.text]
        at = self._peek().at
        value = self._value(column)
        if isinstance(value, float) and math.isnan(value) and op not in ("=", "!="):
            raise self._source.error("nan is neither less nor greater; use = nan or != nan", at)
        return Compare(column, op, value)

    def _is(self, column: Column) -> Expr:
        negated = self._accept("not")
        token = self._take()
        if token.is_word("null"):
            return IsNull(column, negated)
        if token.is_word("nan") and column.kind == "metric":
            return Compare(column, "!=" if negated else "=", math.nan)
        wanted = "`null` or `nan`" if column.kind == "metric" else "`null`"
        raise self._source.error(f"expected {wanted} after `is`", token.at)

    def _one_of(self, column: Column, negated: bool) -> Expr:
        opening = self._take()
        if opening.kind != "(":
            raise self._source.error("expected a list in parentheses, such as ('a', 'b')", opening.at)
        values: list[float | str] = []
        while True:
            token = self._peek()
            # Python writes a tuple of one as ('a',).
            if token.kind == ")" and values:
                break
            if len(values) == MAX_LIST:
                raise self._source.error(f"more than {MAX_LIST:,} items in one list; split it", token.at)
            values.append(self._listed(column))
            if self._peek().kind != ",":
                break
            self._take()
        if self._take().kind != ")":
            raise self._source.error("this ( is never closed", opening.at)
        numbers = tuple(value for value in values if isinstance(value, float))
        texts = tuple(value for value in values if isinstance(value, str))
        if numbers and texts:
            raise self._source.error("a list holds numbers or text, not both", opening.at)
        return OneOf(column, numbers or texts, negated)

    def _listed(self, column: Column) -> float | str:
        at = self._peek().at
        value = self._value(column)
        if isinstance(value, float) and math.isnan(value):
            raise self._source.error("nan cannot stand in a list; use `is nan`", at)
        return value

    def _between(self, column: Column, negated: bool) -> Expr:
        at = self._peek().at
        low = self._value(column)
        if not self._accept("and"):
            raise self._source.error("expected `and` and the upper end: between 1 and 2", self._peek().at)
        high = self._value(column)
        if isinstance(low, float) != isinstance(high, float):
            raise self._source.error("both ends must be numbers, or both text", at)
        if any(isinstance(end, float) and math.isnan(end) for end in (low, high)):
            raise self._source.error("nan is no end of a range; use `is nan`", at)
        return Between(column, low, high, negated)

    def _matches(self, column: Column, operator: Token, how: TextMatch, negated: bool) -> Expr:
        if not holds_text(column):
            raise self._source.error(f"{operator.text!r} is for text; {column.text} is a number or a time", operator.at)
        token = self._take()
        pattern = read_text(self._source, column, token)
        if how == "regex" and len(token.text.encode()) > MAX_PATTERN_BYTES:
            raise self._source.error(f"a regular expression has at most {MAX_PATTERN_BYTES} bytes", token.at)
        if how == "regex" and attribute_kind(column) == "word":
            pattern = f"(?i){token.text}"
        try:
            _COMPILE[how](pattern)
        except PatternError as bad:
            raise self._source.error(f"this pattern cannot be used: {bad}", token.at) from None
        return Matches(column, how, pattern, negated)

    def _value(self, column: Column) -> float | str:
        return read_value(self._source, column, self._take(), now_ms=self._now_ms)

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _accept(self, word: str) -> bool:
        if not self._peek().is_word(word):
            return False
        self._next += 1
        return True
