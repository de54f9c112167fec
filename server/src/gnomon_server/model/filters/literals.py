"""Literals, read as the column they are compared with wants them: numbers, text, times, durations."""

import math
from unicodedata import normalize

from gnomon_server.model.filters.ast import Column
from gnomon_server.model.filters.attributes import ATTRIBUTES, AttributeKind
from gnomon_server.model.filters.lexer import Token
from gnomon_server.model.filters.patterns import ascii_lower
from gnomon_server.model.filters.source import Source
from gnomon_server.model.filters.times import read_duration, read_time

_NUMBER_WORDS = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}


def attribute_kind(column: Column) -> AttributeKind | None:
    return ATTRIBUTES[column.key].kind if column.kind == "attribute" else None


def holds_text(column: Column) -> bool:
    """Whether its values can be compared with text patterns."""
    return column.kind in ("param", "tag", "dataset") or attribute_kind(column) in ("text", "word")


def read_value(source: Source, column: Column, token: Token, *, now_ms: int) -> float | str:
    """The literal as a value of the column, or an error that says what the column holds."""
    if column.kind == "metric":
        return _metric_value(source, token)
    kind = attribute_kind(column)
    if kind in ("time", "duration"):
        return _time_value(source, column, token, now_ms) if kind == "time" else _duration_value(source, column, token)
    if column.kind == "param" and (number := _number(source, token)) is not None:
        if math.isfinite(number):
            return number
        raise source.error(f"params are text: write {token.text!r} in quotes", token.at)
    return read_text(source, column, token)


def read_text(source: Source, column: Column, token: Token) -> str:
    """Quoted text; that of a closed set in lower case, a name in NFC as it is kept."""
    if token.kind != "string":
        _refuse_end(source, token)
        shown = source.text[token.at : token.end]
        raise source.error(f"{_named(column)} holds text; write it in quotes: '{shown}'", token.at)
    if attribute_kind(column) == "word":
        return ascii_lower(token.text)
    return normalize("NFC", token.text) if column == Column("attribute", "name") else token.text


def _metric_value(source: Source, token: Token) -> float:
    number = _number(source, token)
    if number is not None:
        return number
    _refuse_end(source, token)
    hint = "remove the quotes" if token.kind == "string" else "write it as 0.3, 1e-5, inf or nan"
    raise source.error(f"a metric is compared with a number; {hint}", token.at)


def _time_value(source: Source, column: Column, token: Token, now_ms: int) -> float:
    number = _number(source, token)
    if number is None and token.kind == "string":
        number = read_time(token.text, now_ms=now_ms)
    if number is None or not math.isfinite(number):
        _refuse_end(source, token)
        raise source.error(
            f"{column.key} is compared with a time: '2026-11-23', '2026-11-23T12:00:00Z', '-7d' or Unix milliseconds",
            token.at,
        )
    return number


def _duration_value(source: Source, column: Column, token: Token) -> float:
    number = _number(source, token)
    if number is None and token.kind == "string":
        number = read_duration(token.text)
    if number is None or not math.isfinite(number):
        _refuse_end(source, token)
        raise source.error(f"{column.key} is compared with a time span: '5m', '1h30m' or milliseconds", token.at)
    return number


def _number(source: Source, token: Token) -> float | None:
    """The number a token stands for; None where it is none."""
    if token.kind == "word":
        return _NUMBER_WORDS.get(token.text.lower())
    if token.kind != "number":
        return None
    number = float(token.text)
    if math.isinf(number) and "inf" not in token.text.lower():
        raise source.error(f"{token.text} is beyond the range of a double", token.at)
    return number


def _refuse_end(source: Source, token: Token) -> None:
    if token.kind in ("end", ")", ",", "operator"):
        raise source.error("a value is missing here", token.at)


def _named(column: Column) -> str:
    return column.key if column.kind == "attribute" else f"a {column.kind}"
