"""Enough of protobuf's wire format to read messages of others: fields by number, without their generated classes.

https://protobuf.dev/programming-guides/encoding/ describes it. Nothing here trusts a length: what would reach beyond
its message is `Malformed`.
"""

import struct
from collections.abc import Iterator

from gnomon.errors import GnomonError

_DOUBLE = struct.Struct("<d").unpack_from
_FLOAT = struct.Struct("<f").unpack_from
# Varints are of ten bytes at most.
_MAX_SHIFT = 63

Raw = int | bytes


class Malformed(GnomonError):
    """Bytes that are no message."""


def fields(message: bytes) -> Iterator[tuple[int, Raw]]:
    """Number and content of each field, in order: varints as unsigned ints, fixed and delimited fields as bytes."""
    at, end = 0, len(message)
    while at < end:
        key = message[at]
        at += 1
        if key >= 0x80:
            key, at = _varint(message, at - 1)
        wire = key & 7
        if wire == 2:
            size = message[at] if at < end else 0x80
            at += 1
            if size >= 0x80:
                size, at = _varint(message, at - 1)
            after = at + size
            if after > end:
                raise Malformed(f"a field of {size} bytes reaches beyond its message")
            yield key >> 3, message[at:after]
            at = after
        elif wire == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif wire in (1, 5):
            after = at + (8 if wire == 1 else 4)
            if after > end:
                raise Malformed("a number reaches beyond its message")
            yield key >> 3, message[at:after]
            at = after
        else:
            raise Malformed(f"a field has the wire type {wire}, which no writer uses")


def double(raw: Raw) -> float:
    value: float = _DOUBLE(_of_size(raw, 8))[0]
    return value


def single(raw: Raw) -> float:
    """A 32-bit float, exactly."""
    value: float = _FLOAT(_of_size(raw, 4))[0]
    return value


def signed(raw: Raw) -> int:
    """An int32, int64 or enum."""
    value = varint(raw)
    return value - (1 << 64) if value >> 63 else value


def zigzag(raw: Raw) -> int:
    """A sint32 or sint64."""
    value = varint(raw)
    return value >> 1 ^ -(value & 1)


def varint(raw: Raw) -> int:
    if isinstance(raw, int):
        return raw
    raise Malformed("a number is expected where the message has bytes")


def message(raw: Raw) -> bytes:
    if isinstance(raw, bytes):
        return raw
    raise Malformed("bytes are expected where the message has a number")


def text(raw: Raw) -> str:
    return message(raw).decode("utf-8", "replace")


def doubles(raw: Raw) -> tuple[float, ...]:
    """A packed field of doubles, or one of them."""
    data = message(raw)
    return struct.unpack(f"<{len(_of_multiple(data, 8)) // 8}d", data)


def varints(raw: Raw) -> Iterator[int]:
    """A packed field of varints, or one of them."""
    if isinstance(raw, int):
        yield raw
        return
    at = 0
    while at < len(raw):
        value, at = _varint(raw, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > _MAX_SHIFT:
            raise Malformed("a number does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def _of_size(raw: Raw, size: int) -> bytes:
    if isinstance(raw, bytes) and len(raw) == size:
        return raw
    raise Malformed(f"a number of {size} bytes is expected")


def _of_multiple(data: bytes, size: int) -> bytes:
    if len(data) % size:
        raise Malformed(f"numbers of {size} bytes do not fill {len(data)} bytes")
    return data
