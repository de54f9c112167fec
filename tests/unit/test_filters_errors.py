"""What an error says: where it is, what to do, and nothing that could mislead a reader's eye."""

import pytest

from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters import parse_filter


def refusal(text: str) -> str:
    with pytest.raises(InvalidRequest) as raised:
        parse_filter(text, now_ms=0)
    assert raised.value.code == "invalid_filter"
    assert raised.value.detail == f"filter: {raised.value.errors[0].message}"
    return raised.value.errors[0].message


def test_an_error_shows_the_text_with_a_caret_under_the_character() -> None:
    assert refusal("metrics.loss < 0.3 and metrics.acc > '0.9'") == (
        "a metric is compared with a number; remove the quotes (at character 38)\n"
        "  metrics.loss < 0.3 and metrics.acc > '0.9'\n"
        "                                       ^"
    )


def test_of_a_long_text_an_error_shows_the_part_around_the_character() -> None:
    text = "metrics.loss < 1 and " * 20 + "metrics.acc > 'x' and " + "metrics.loss < 1 and " * 20 + "status = 'failed'"
    _, shown, caret = refusal(text).split("\n")
    assert len(shown) <= 84
    assert shown.startswith("  …")
    assert shown.endswith("…")
    assert shown[len(caret) - 1] == "'"


def test_line_breaks_do_not_move_the_caret() -> None:
    message = refusal("metrics.loss < 1\nand\tloss > 2")
    assert message.endswith("\n  metrics.loss < 1 and loss > 2\n                       ^")


@pytest.mark.parametrize(
    ("text", "message", "character"),
    [
        ("loss < 0.3", "write metrics.loss, params.loss or tags.loss for a key, or one of id, name", 1),
        ("val.loss < 0.3", "'val.loss' is no attribute of a run; write metrics.val.loss", 1),
        ("status_ = 'x'", "did you mean status?", 1),
        ("metric_s.loss < 1", "did you mean metrics.loss?", 1),
        ("param_s.`a b` = '1'", "did you mean params.`a b`?", 1),
        ("attr.status_ = 'x'", "did you mean status?", 6),
        ("attr.xyz = 'x'", "there are id, name, description", 6),
        ("datasets.name = 'x'", "runs cannot be found by their datasets", 1),
        ("metrics. < 1", "a key is missing after 'metrics.'", 9),
        ("metrics.`` < 1", "a key is missing after 'metrics.'", 9),
        ("metrics.a.`b` < 1", "quote the whole key", 11),
        ("metrics.`a`b < 1", "must follow the quoted name", 12),
        ("metrics.`a`.b < 1", "only an aggregate can follow: last, min, max, mean, first, n", 12),
        ("params.`a`.b = 'x'", "quote the whole key", 11),
        ("metrics.loss", "expected an operator: = != <", 13),
        ("metrics.loss not", "expected an operator", 17),
        ("metrics.loss not = 1", "expected an operator", 18),
        ("metrics.loss ~ 1", "'~' has no meaning here", 14),
        ("metrics.loss <", "a value is missing here", 15),
        ("metrics.loss < and", "write it as 0.3, 1e-5, inf or nan", 16),
        ("metrics.loss < nan", "use = nan or != nan", 16),
        ("metrics.loss in (nan)", "use `is nan`", 18),
        ("metrics.loss between 1 and nan", "use `is nan`", 22),
        ("metrics.loss < 1e999", "beyond the range of a double", 16),
        ("metrics.loss < 5m", "'5m' is no number", 16),
        ("metrics.loss < 0x10", "'0x10' is no number", 16),
        ("metrics.loss =~ 'a'", "'=~' is for text", 14),
        ("start_time like '2024%'", "'like' is for text", 12),
        ("metrics.loss is 3", "expected `null` or `nan` after `is`", 17),
        ("params.opt is nan", "expected `null` after `is`", 15),
        ("params.opt = nan", "params are text: write 'nan' in quotes", 14),
        ("params.opt = adam", "write it in quotes: 'adam'", 14),
        ("params.opt = true", "write it in quotes: 'true'", 14),
        ("tags.version = 3", "a tag holds text; write it in quotes: '3'", 16),
        ("params.opt in ('a', 3)", "numbers or text, not both", 15),
        ("params.opt in ()", "a value is missing here", 16),
        ("params.opt in 'a'", "expected a list in parentheses", 15),
        ("params.opt in ('a'", "this ( is never closed", 15),
        ("params.opt between 'a' or 'b'", "expected `and` and the upper end", 24),
        ("params.opt between 'a' and 3", "both ends must be numbers, or both text", 20),
        ("params.opt = 'abc", "the ' that opens here is never closed", 14),
        ("params.`opt = 'abc'", "the ` that opens here is never closed", 8),
        ("params.opt =~ '('", "this pattern cannot be used: missing )", 15),
        (r"params.opt =~ '(?<=a)b'", "this pattern cannot be used: invalid perl operator", 15),
        (r"params.opt =~ '(a)\1'", "this pattern cannot be used: invalid escape sequence", 15),
        ("start_time > 'yesterday'", "start_time is compared with a time: '2026-11-23'", 14),
        ("start_time > '1969-12-31'", "start_time is compared with a time", 14),
        ("duration > 'long'", "duration is compared with a time span: '5m'", 12),
        ("(metrics.loss < 1", "this ( is never closed", 1),
        ("metrics.loss < 1)", "this ) closes nothing", 17),
        ("metrics.loss < 1 metrics.acc > 2", "expected `and`, `or` or the end", 18),
        ("metrics.loss < 1 and", "a comparison is missing here", 21),
        ("and metrics.loss < 1", "a comparison is missing here", 1),
        ("not", "a comparison is missing here", 4),
        ("()", "expected a name such as metrics.loss", 2),
        ("1 < metrics.loss", "expected a name such as metrics.loss, params.lr or status, not '1'", 1),
        ("'status' = 'failed'", "expected a name such as metrics.loss", 1),
        ("metrics.loss < 1; drop table run_", "a filter is one expression", 17),
        ("metrics.loss < 1 -- all", "'-' has no meaning here", 18),
    ],
)
def test_an_error_says_what_to_do_and_where(text: str, message: str, character: int) -> None:
    said = refusal(text)
    assert message in said
    assert f"(at character {character})" in said
    _, shown, caret = said.split("\n")
    assert caret.index("^") == 2 + character - 1
    assert shown == f"  {text}"


@pytest.mark.parametrize("odd", ["\x00", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\u200f", "\u2028", "\ud800"])
@pytest.mark.parametrize("text", ["metrics.lo{}ss < 1", "params.a = '{}'", "{}", "metrics.`{}` < 1"])
def test_odd_characters_are_refused_and_not_repeated(text: str, odd: str) -> None:
    said = refusal(text.format(odd))
    assert f"holds U+{ord(odd):04X}" in said
    assert f"(at character {text.index('{') + 1})" in said
    assert odd not in said
