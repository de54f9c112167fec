"""What the command line prints: no name can drive a terminal, no number loses its nature."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.cli.pages import gather
from gnomon.cli.session import pairs, quoted
from gnomon.cli.text import duration, number, plain, print_json, print_table, size

ESC = "\x1b"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (f"{ESC}[31mred{ESC}[0m", "red"),
        (f"{ESC}]0;a title\x07name", "name"),
        (f"{ESC}]8;;http://x{ESC}\\link{ESC}]8;;{ESC}\\", "link"),
        (f"a{ESC}(0b{ESC}cc", "abc"),
        ("\x9b31mred", "red"),
        ("a\x00b\x07c\x7fd\x85e", "abcd e"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("back\u202ewards\u2066", "backwards"),
        ("half \ud800", "half "),
        (f"open {ESC}]0;never closed", "open "),
        ("naïve, 模型 🚀", "naïve, 模型 🚀"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(sent: str, shown: str) -> None:
    assert plain(sent) == shown


@given(st.text())
def test_nothing_unprintable_is_ever_left(text: str) -> None:
    shown = plain(text)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
    assert plain(shown) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1, "0.1"), (1 / 3, "0.333333"), (float("nan"), "NaN"), (float("-inf"), "-Infinity"), (None, "-"), (3.0, "3")],
)
def test_numbers_read_well(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("ms", "shown"), [(None, "-"), (0, "0.0s"), (59_949, "59.9s"), (200_000, "3m 20s"), (3_720_000, "1h 02m")]
)
def test_durations_read_well(ms: int | None, shown: str) -> None:
    assert duration(ms) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (5_000_000_000, "5.0 GB"), (None, "-")]
)
def test_sizes_read_well(count: int | None, shown: str) -> None:
    assert size(count) == shown


def test_json_names_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": "\x1b[31m"})
    out = capsys.readouterr().out
    assert msgspec.json.decode(out) == {"a": "NaN", "b": ["Infinity", 1.5], "c": "\x1b[31m"}
    assert "\x1b" not in out


def test_a_plain_table_is_whole_and_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "loss"), [("a" * 300, "1"), ("b\x1b[1m", "10.5")], right=("loss",))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("name ")
    assert lines[1] == "a" * 300 + "     1"
    assert lines[2] == "b" + " " * 299 + "  10.5"


def test_pages_are_gathered_until_the_limit() -> None:
    asked: list[tuple[int, int]] = []

    def fetch(limit: int, offset: int) -> tuple[list[int], int]:
        asked.append((limit, offset))
        return list(range(offset, min(2500, offset + limit))), 2500

    assert gather(fetch, limit=2200, offset=100) == (list(range(100, 2300)), 2500)
    assert asked == [(1000, 100), (1000, 1100), (200, 2100)]
    assert gather(fetch, limit=5000, offset=2400) == (list(range(2400, 2500)), 2500)


def test_pairs_divide_at_the_first_equals_sign() -> None:
    assert pairs(("a=b=c", "d="), option="--tag") == {"a": "b=c", "d": ""}


def test_a_name_with_a_quote_stays_one_string_of_the_query() -> None:
    assert quoted("it's") == "'it''s'"
