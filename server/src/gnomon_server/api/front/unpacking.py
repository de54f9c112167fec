"""One layer of gzip or zstd taken off a request body, in pieces of bounded size.

A bomb is stopped by its ratio long before its size: what came out may be at most `unpacked_ratio` times what went in,
once it is past `unpacked_free_bytes`. The body is exactly one frame: a cut one and bytes after it are refused.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

from gnomon_server.api.front.limits import KIB, MIB, FrontLimits
from gnomon_server.api.front.problems import Refusal

# What the zstd content coding may ask a decoder to keep (RFC 9659); a frame that wants more is refused.
_ZSTD_WINDOW = 8 * MIB
# A block of 4 bytes can hold 128 KiB and the binding cannot be told to stop, so it gets few bytes at a time:
# 256 of them give 8 MiB at worst.
_ZSTD_SLICE = 256
_GZIP_PIECE = 256 * KIB

_BOMB = Refusal(413, "too_large", "the compressed body grows too much; send smaller batches", close=True)
_TOO_LARGE = Refusal(413, "too_large", "the body is larger than this route takes; send smaller batches", close=True)
_BROKEN = Refusal(400, "invalid_request", "the body is damaged or is not what Content-Encoding says", close=True)


class UnpackingError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class _Frame(Protocol):
    """One compressed frame. `pieces` may be left half-way and then never be called again."""

    def pieces(self, packed: bytes) -> Iterator[bytes]: ...

    def is_complete(self) -> bool: ...


class _Gzip:
    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(wbits=31)

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            if self._inflater.eof:
                raise zlib.error
            yield self._inflater.decompress(packed, _GZIP_PIECE)
            packed = self._inflater.unconsumed_tail or self._inflater.unused_data

    def is_complete(self) -> bool:
        return self._inflater.eof


class _Zstd:
    def __init__(self) -> None:
        self._inflater = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        for start in range(0, len(packed), _ZSTD_SLICE):
            yield self._inflater.decompress(packed[start : start + _ZSTD_SLICE])
            if self._inflater.unused_data:
                raise zstandard.ZstdError

    def is_complete(self) -> bool:
        return self._inflater.eof


CODINGS: dict[bytes, Callable[[], _Frame]] = {b"gzip": _Gzip, b"x-gzip": _Gzip, b"zstd": _Zstd}


class Unpacking:
    """The unpacking of one body: fed as it comes, refused as soon as it goes past a bound."""

    def __init__(self, coding: bytes, limits: FrontLimits, max_bytes: int | None) -> None:
        self._frame = CODINGS[coding]()
        self._ratio = limits.unpacked_ratio
        self._free_bytes = limits.unpacked_free_bytes
        self._max_bytes = max_bytes
        self._bytes_in = 0
        self._bytes_out = 0

    def feed(self, packed: bytes, *, last: bool) -> bytes:
        """What the packed bytes hold; raises `UnpackingError`."""
        self._bytes_in += len(packed)
        pieces: list[bytes] = []
        try:
            for piece in self._frame.pieces(packed):
                self._count(piece)
                pieces.append(piece)
        except (zlib.error, zstandard.ZstdError):
            raise UnpackingError(_BROKEN) from None
        if last and not self._frame.is_complete():
            raise UnpackingError(_BROKEN)
        return b"".join(pieces)

    def _count(self, piece: bytes) -> None:
        self._bytes_out += len(piece)
        if self._bytes_out > self._free_bytes and self._bytes_out > self._ratio * self._bytes_in:
            raise UnpackingError(_BOMB)
        if self._max_bytes is not None and self._bytes_out > self._max_bytes:
            raise UnpackingError(_TOO_LARGE)
