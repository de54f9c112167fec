"""Page tokens: the place of the next page, opaque to clients."""

import base64
import binascii

import msgspec
from msgspec import Struct

from gnomon_server.model.errors import InvalidRequest


class _Place(Struct, frozen=True):
    offset: int


def offset_of(token: str) -> int:
    """Where the page of a token begins; no token is the first page."""
    if not token:
        return 0
    try:
        decoded = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("Invalid page token, could not base64-decode") from None
    try:
        offset = msgspec.json.decode(decoded, type=_Place, strict=False).offset
    except msgspec.ValidationError:
        raise InvalidRequest(f"Invalid page token, parsed value={msgspec.json.decode(decoded)!r}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest(f"Invalid page token, decoded value={decoded!r}") from None
    if not 0 <= offset < 1 << 53:
        raise InvalidRequest("Invalid page token, it is a place outside of any listing")
    return offset


def token_at(offset: int, *, total: int) -> str:
    """The token of the page from `offset` on; "" where nothing is left."""
    return base64.b64encode(b'{"offset": %d}' % offset).decode() if offset < total else ""
