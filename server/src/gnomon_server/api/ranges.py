"""Which bytes of a file a request gets: `Range`, `If-Range` and `If-None-Match` (RFC 9110), read by hand.

One range, or 416: nobody merges ten thousand of them here. What cannot be read as a range is refused too, so that a
client never takes a whole file for the part it asked for. Positions may have any number of digits in the request;
none is turned into a number beyond 19.
"""

from collections.abc import Sequence

from gnomon_server.model.errors import RangeUnsatisfiable

_MAX_DIGITS = 19


def wanted_range(headers: Sequence[str], *, if_range: str | None, etag: str, size: int) -> range | None:
    """The positions that are asked for; None is the whole file. `headers` are all `Range` headers of the request."""
    if not headers or (if_range is not None and if_range.strip() != etag):
        return None
    unit, separator, text = headers[0].strip().partition("=")
    if len(headers) == 1 and separator and unit.strip().lower() != "bytes":
        return None
    if len(headers) > 1 or not separator:
        raise RangeUnsatisfiable(size)
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not dash or not _is_position(first) or not _is_position(last) or not (first or last):
        raise RangeUnsatisfiable(size)
    if first:
        start = _position(first)
        end = size if not last else min(_position(last) + 1, size)
        is_backwards = bool(last) and _position(last) < start
    else:
        start, end, is_backwards = max(size - _position(last), 0), size, False
    if is_backwards or start >= end:
        raise RangeUnsatisfiable(size)
    return range(start, end)


def is_known(if_none_match: Sequence[str], etag: str) -> bool:
    """Whether the client has this file already (the weak comparison, as If-None-Match asks for)."""
    listed = [tag.strip() for header in if_none_match for tag in header.split(",")]
    return any(tag == "*" or tag.removeprefix("W/") == etag for tag in listed)


def _is_position(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit())


def _position(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _MAX_DIGITS else 10**_MAX_DIGITS
