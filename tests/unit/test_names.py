"""The rules of names, keys, values, tenants and artifact paths, at each bound and one past it."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon_server.model import names
from gnomon_server.model.errors import InvalidRequest

Validator = Callable[[str], str]

ONE_LINE: dict[str, tuple[Validator, int]] = {
    "experiment_name": (names.experiment_name, 255),
    "run_name": (names.run_name, 500),
    "key": (names.key, 250),
}
VALUES: dict[str, tuple[Validator, int]] = {
    "description": (names.description, 1_000),
    "param_value": (names.param_value, 6_000),
    "tag_value": (names.tag_value, 8_000),
}
ALL: dict[str, tuple[Validator, int]] = ONE_LINE | VALUES
ODD = ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069"]


@pytest.mark.parametrize("kind", ALL)
def test_the_limit_is_taken_and_one_more_is_not(kind: str) -> None:
    validate, limit = ALL[kind]
    assert validate("x" * limit) == "x" * limit
    assert validate("é" * limit) == "é" * limit
    assert validate("🚀" * limit) == "🚀" * limit
    with pytest.raises(InvalidRequest, match=f"at most {limit}"):
        validate("x" * (limit + 1))


@pytest.mark.parametrize("kind", ONE_LINE)
@pytest.mark.parametrize("blank", ["", " ", "   ", "\u00a0", "\u3000"])
def test_a_blank_name_is_refused(kind: str, blank: str) -> None:
    with pytest.raises(InvalidRequest, match="blank"):
        ONE_LINE[kind][0](blank)


@pytest.mark.parametrize("kind", ONE_LINE)
@pytest.mark.parametrize("odd", [*ODD, *map(chr, (0xD800, 0xDFFF))], ids=lambda odd: f"U+{ord(odd):04X}")
def test_a_name_holds_no_control_and_no_bidirectional_mark(kind: str, odd: str) -> None:
    for text in (odd, f"a{odd}b", f"a{odd}", f"{odd}a"):
        with pytest.raises(InvalidRequest):
            ONE_LINE[kind][0](text)


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_comes_back_exactly(kind: str) -> None:
    validate = VALUES[kind][0]
    for text in ("", " ", "two\nlines\t", "\x1b[31m", "e\u0301", "\u202e", "../../etc/passwd"):
        assert validate(text) == text


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("odd", ["\x00", "\ud800"], ids=["NUL", "surrogate"])
def test_a_value_holds_no_nul_and_no_half_of_a_pair(kind: str, odd: str) -> None:
    with pytest.raises(InvalidRequest):
        VALUES[kind][0](f"a{odd}b")


@pytest.mark.parametrize(
    "key", ["loss", "val/loss", "a.b-c_d e:f@g%", "top5 %", "Größe", "损失", "..", "/x", "a//b", "🚀"]
)
def test_a_key_is_any_printable_text(key: str) -> None:
    assert names.key(key) == key


def test_two_spellings_of_one_name_are_one_name() -> None:
    for validate, _ in ONE_LINE.values():
        assert validate("cafe\u0301") == "caf\u00e9"
    assert names.artifact_path("cafe\u0301/x") == "caf\u00e9/x"


def test_a_limit_counts_what_is_kept() -> None:
    assert names.key("e\u0301" * 250) == "é" * 250


def test_the_error_names_the_field() -> None:
    with pytest.raises(InvalidRequest) as caught:
        names.key("a\x00", field="metrics[3].key")
    assert [error.field for error in caught.value.errors] == ["metrics[3].key"]
    with pytest.raises(InvalidRequest) as again:  # the same text once more, under another field
        names.key("a\x00", field="params[0].key")
    assert [error.field for error in again.value.errors] == ["params[0].key"]


@pytest.mark.parametrize("text", ["a", "0", "team-a", "a_b", "9-", "a" * 63])
def test_a_tenant(text: str) -> None:
    assert names.tenant(text) == text


@pytest.mark.parametrize(
    "text", ["", "a" * 64, "A", "-a", "_a", "a b", "a\n", "a\x00", "a.b", "a/b", "..", "é", "a,b", " a", "a ", "\u0661"]
)
def test_not_a_tenant(text: str) -> None:
    with pytest.raises(InvalidRequest):
        names.tenant(text)


GOOD_PATHS = [
    "model.pkl",
    "models/model.pkl",
    "a b/c+d@e,f;g=h.txt",
    ".hidden",
    "..x",
    "x..",
    "ckpt:v1",
    "a/" * 63 + "b",
    "x" * 255,
    "é" * 127,
    "\uff0e\uff0e/\u2025",  # look like dots, and are none
]
BAD_PATHS = [
    "",
    "/",
    "/etc/passwd",
    "//host/share",
    "..",
    ".",
    "../x",
    "a/../b",
    "a/..",
    "a/./b",
    "a//b",
    "a/",
    ".. /x",
    "... /x",
    "a/ /b",
    "..\\..\\etc",
    "\\\\?\\C:\\",
    "C:\\Windows\\win.ini",
    "C:/Windows",
    "c:x",
    ":x",
    "a/:x",
    "%2e%2e/x",
    "%252e%252e%252f",
    "a%00b",
    "100%",
    "a?b",
    "a#b",
    "a\x00b",
    "a\nb",
    'x"\r\nSet-Cookie: a=1',
    "a\u202eb",
    "a/" * 64 + "b",
    "x" * 256,
    "é" * 128,
    "a\ud800",
]


@pytest.mark.parametrize("path", GOOD_PATHS)
def test_an_artifact_path(path: str) -> None:
    assert names.artifact_path(path) == path


@pytest.mark.parametrize("path", BAD_PATHS)
def test_not_an_artifact_path(path: str) -> None:
    with pytest.raises(InvalidRequest):
        names.artifact_path(path)


def test_a_file_name_is_one_segment() -> None:
    assert names.file_name("model.pkl") == "model.pkl"
    for path in ("models/model.pkl", "..", ""):
        with pytest.raises(InvalidRequest):
            names.file_name(path)


@given(st.text(st.characters()) | st.text("./\\%:?#a \x00e\u0301\ud800", max_size=40))
def test_every_validator_answers_or_refuses_and_twice_the_same(text: str) -> None:
    for validate in (*(entry[0] for entry in ALL.values()), names.tenant, names.artifact_path, names.file_name):
        try:
            kept = validate(text)
        except InvalidRequest:
            continue
        assert validate(kept) == kept
        assert kept.encode().decode() == kept
        assert "\x00" not in kept


@given(st.text("./\\:%a\u2025 ", min_size=1, max_size=30))
def test_a_valid_path_stays_below_its_run(text: str) -> None:
    try:
        path = names.artifact_path(text)
    except InvalidRequest:
        return
    depth = 0
    for segment in path.split("/"):
        assert segment not in ("", ".", "..")
        depth += 1
    assert depth >= 1
    assert "\\" not in path
    assert unicodedata.is_normalized("NFC", path)
