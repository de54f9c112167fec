"""Whatever bytes a path is made of: what passes holds nothing that a router or a file system would repair."""

from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon_server.api.front.paths import fault_of_path

# The parts that attacks are made of, in any order; a path begins with a slash.
_ODD = [b"..", b"%2e", b"%2E", b"%2f", b"%5c", b"\\", b"%25", b"%00", b"%", b"%ff", b"\x00", b"\r\n", b"\x7f", b"\xff"]
_EVEN = [b"/", b".", b"a", b";", b"%c3%a9", b"/artifacts/", b"/api/v1/", b" ", b"~", b":"]
_PIECES = st.sampled_from([*_ODD, *_EVEN])


@given(st.lists(_PIECES, max_size=12).map(lambda pieces: b"/" + b"".join(pieces)))
def test_what_passes_is_plain(raw_path: bytes) -> None:
    if fault_of_path(raw_path) is not None:
        return
    path = unquote_to_bytes(raw_path).decode()
    assert not {"", ".", ".."} & set(path.removesuffix("/").split("/")[1:])
    assert "\\" not in path
    assert path.isprintable()
    if "%2f" in raw_path.decode().lower():
        assert "/artifacts/" in path
    if "/artifacts/" not in path:
        assert unquote(path) == path  # a second decoding would change nothing


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_an_encoded_name_passes_when_it_is_clean(segments: list[str]) -> None:
    names = [segment for segment in segments if segment.isprintable() and not set("/\\%") & set(segment)]
    names = [name for name in names if name not in (".", "..")]
    path = "/".join(["", *names]).encode()
    assert fault_of_path(quote_from_bytes(path or b"/").encode()) is None


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/a.b/..c/d..", "/artifacts/x%2Fy", "/a%20b", "/%E2%80%A5"])
def test_an_ordinary_path_passes(path: str) -> None:
    assert fault_of_path(path.encode()) is None
