"""Which bytes a request gets, and under which headers they leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon_server.api.attachments import content_disposition, media_type
from gnomon_server.api.ranges import is_known, wanted_range
from gnomon_server.model.errors import RangeUnsatisfiable

pytestmark = pytest.mark.both_backends


ETAG = '"sha256:aa"'


def asked(*headers: str, if_range: str | None = None, size: int = 10) -> range | None:
    return wanted_range(headers, if_range=if_range, etag=ETAG, size=size)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=0-", range(10)),
        ("bytes=3-6", range(3, 7)),
        ("bytes=3-99999999999999999999999999", range(3, 10)),
        ("bytes=9-", range(9, 10)),
        ("bytes=-1", range(9, 10)),
        ("bytes=-99", range(10)),
        ("bytes=-" + "9" * 5_000, range(10)),
        ("bytes=0000000000000000000000000002-3", range(2, 4)),
        ("BYTES = 1 - 2 ", range(1, 3)),
    ],
)
def test_one_range_within_the_file(header: str, expected: range) -> None:
    assert asked(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "bytes=10-",
        "bytes=-0",
        "bytes=" + "9" * 5_000 + "-",
        "bytes=5-4",
        "bytes=-",
        "bytes=",
        "bytes",
        "",
        "bytes=a-b",
        "bytes=1",
        "bytes=--1",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=1_0-",
        "bytes=\u0661-",
        "bytes=0-1,2-3",
        "bytes=" + ",".join(["0-1"] * 10_000),
    ],
)
def test_anything_else_is_416_and_names_the_size(header: str) -> None:
    with pytest.raises(RangeUnsatisfiable) as raised:
        asked(header)
    assert raised.value.size == 10


def test_two_range_headers_are_416() -> None:
    with pytest.raises(RangeUnsatisfiable):
        asked("bytes=0-1", "bytes=2-3")


def test_no_byte_of_an_empty_file_can_be_asked_for() -> None:
    for header in ("bytes=0-", "bytes=-1", "bytes=0-0"):
        with pytest.raises(RangeUnsatisfiable):
            asked(header, size=0)


def test_another_unit_is_ignored() -> None:
    assert asked("seconds=1-2") is None
    assert asked() is None


def test_if_range_takes_the_part_only_of_the_same_file() -> None:
    assert asked("bytes=1-2", if_range=ETAG) == range(1, 3)
    for other in ('"sha256:bb"', f"W/{ETAG}", "Wed, 21 Oct 2015 07:28:00 GMT", ""):
        assert asked("bytes=1-2", if_range=other) is None


@given(st.text(alphabet="0123456789-,=bytes ", max_size=40), st.integers(0, 50))
def test_whatever_is_asked_for_lies_within_the_file(header: str, size: int) -> None:
    try:
        found = asked(header, size=size)
    except RangeUnsatisfiable:
        return
    if found is not None:
        assert 0 <= found.start < found.stop <= size
        assert found.step == 1


def test_a_known_file_is_recognised_by_its_tag() -> None:
    for header in (ETAG, f"W/{ETAG}", f'"x", {ETAG}', "*"):
        assert is_known([header], ETAG)
    for header in ("", "sha256:aa", '"sha256:ab"', '"x"'):
        assert not is_known([header], ETAG)
    assert is_known(['"x"', ETAG], ETAG)
    assert not is_known([], ETAG)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("model.pkl", "attachment; filename=\"model.pkl\"; filename*=UTF-8''model.pkl"),
        ("a b.png", "attachment; filename=\"a b.png\"; filename*=UTF-8''a%20b.png"),
        ('x"y.txt', "attachment; filename=\"x_y.txt\"; filename*=UTF-8''x%22y.txt"),
        ("é\u4e2d.csv", "attachment; filename=\"__.csv\"; filename*=UTF-8''%C3%A9%E4%B8%AD.csv"),
        ("a;b=c'd", "attachment; filename=\"a;b=c'd\"; filename*=UTF-8''a%3Bb%3Dc%27d"),
        (
            "x\r\nSet-Cookie: a=1",
            "attachment; filename=\"x__Set-Cookie: a=1\"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3D1",
        ),
    ],
)
def test_the_name_of_an_attachment(name: str, header: str) -> None:
    assert content_disposition(name) == header


@given(st.text())
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xml", "a.xhtml", "a.js", "a.mjs", "a.pdf", "a.ipynb", "a.pkl"])
def test_what_a_browser_would_run_is_plain_bytes(name: str) -> None:
    assert media_type(name) == "application/octet-stream"


def test_the_type_comes_from_the_end_of_the_name() -> None:
    assert media_type("d.csv/plot.PNG") == "image/png"
    assert media_type("d.csv/plot") == "application/octet-stream"
    assert media_type(".png") == "application/octet-stream"
    assert media_type("metrics.json") == "application/json"
