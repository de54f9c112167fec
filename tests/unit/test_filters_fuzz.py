"""Whatever comes in, a parser answers with a tree or with InvalidRequest; and a tree says what its text said."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters import MLFLOW, NATIVE, parse_columns, parse_filter, parse_group_order, parse_order_by
from gnomon_server.model.filters.ast import leaves
from gnomon_server.model.filters.evaluate import RunRecord, holds
from gnomon_server.model.filters.patterns import ilike_matcher, like_matcher
from gnomon_server.model.filters.times import read_duration, read_time

WORDS = (
    "metrics.loss", "metrics.", "params.`a b`", "tags.x", "status", "loss", "start_time", "run_id", "and", "or", "not",
    "in", "between", "like", "ilike", "matches", "is", "null", "nan", "inf", "(", ")", ",", "=", "==", "!=", "<>", "<",
    "<=", ">", ">=", "=~", "!~", "1", "-1.5e3", "1e999", "'a'", "'%_'", "'('", '"q"', "`t`", "'", '"', "`", ".", ";",
    "--", "/*", "*/", "asc", "desc", "mean", "n", "'-7d'", "'2024-01-01'", "\\", "%", "\n", "\u00e9", "\U0001f600",
)  # fmt: skip

texts = (
    st.text()
    | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
    | st.lists(st.sampled_from(WORDS), max_size=20).map("".join)
)

PARSERS: list[Callable[[str], object]] = [
    lambda text: parse_filter(text, now_ms=1_700_000_000_000, dialect=NATIVE),
    lambda text: parse_filter(text, now_ms=0, dialect=MLFLOW),
    parse_order_by,
    parse_columns,
    lambda text: parse_group_order(text, by=[], aggregate=[]),
]


def refusal(parse: Callable[[str], object], text: str) -> InvalidRequest | None:
    try:
        parse(text)
    except InvalidRequest as refused:
        return refused
    return None


@settings(max_examples=400, deadline=None)
@given(text=texts)
@example("metrics." * 1_000)
@example("(" * 8_000)
@example("not " * 2_000)
@example("a." * 4_000)
@example("'" * 8_191)
@example("start_time > '0001-01-01T00:00:00+23:59'")
@example("start_time > '9999-12-31T23:59:59-23:59'")
@example("start_time > '" + "9" * 15 + "w'")
@example("start_time > '-" + "9" * 15 + "w'")
@example("metrics.loss < " + "9" * 8_000)
@example("tags.x =~ '((a{1,50}){1,50}){1,50}'")
@example("tags.x like '" + "_%" * 4_000 + "'")
def test_only_invalid_request_is_ever_raised(text: str) -> None:
    for parse in PARSERS:
        refused = refusal(parse, text)
        assert refused is None or (refused.code.startswith("invalid_") and refused.errors[0].message)


@settings(max_examples=200, deadline=None)
@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
def test_what_is_read_can_be_evaluated(words: list[str]) -> None:
    run = RunRecord(1, dict.fromkeys(("id", "name", "status"), "x") | {"start_time": 5.0})
    try:
        expr = parse_filter(" ".join(words), now_ms=10)
    except InvalidRequest:
        return
    assert holds(expr, run) in (True, False)
    assert expr is None or 0 < len(leaves(expr)) <= 64


@given(value=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs"))))
def test_a_quoted_value_comes_back_as_it_was(value: str) -> None:
    for quote in "'\"":
        quoted = quote + value.replace(quote, quote * 2) + quote
        expr = parse_filter(f"tags.x = {quoted}", now_ms=0)
        assert expr is not None
        assert leaves(expr)[0].value == value


alphabet = st.text(alphabet="aAbé%_.*\\\n", max_size=8)


def slow_like(pattern: str, text: str) -> bool:
    """LIKE by its definition, one character at a time."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(slow_like(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and slow_like(pattern[1:], text[1:])


@given(pattern=alphabet, text=alphabet)
def test_like_is_what_its_definition_says(pattern: str, text: str) -> None:
    assert like_matcher(pattern)(text) == slow_like(pattern, text)
    assert ilike_matcher(pattern)(text) == slow_like(pattern.lower(), text.lower())


@given(text=st.text() | st.from_regex(r"[-+]?(\d{1,4}(\.\d)?(ms|s|m|h|d|w)){1,3}", fullmatch=True))
def test_a_time_is_bounded_or_none(text: str) -> None:
    moment = read_time(text, now_ms=1_700_000_000_000)
    assert moment is None or 0 <= moment <= 253_402_300_799_999
    span = read_duration(text)
    assert span is None or span >= 0


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x"])
def test_a_pattern_that_ruins_backtracking_engines_is_harmless(pattern: str) -> None:
    expr = parse_filter(f"tags.x =~ '{pattern}'", now_ms=0)
    run = RunRecord(1, {}, tags={"x": "a" * 50_000 + "!"})
    assert holds(expr, run) is False
