"""OTLP's ExportTraceServiceRequest in protobuf's binary form, as the tree that its JSON form would give.

Only the fields that are kept are read; the others are passed over, as protobuf does. Field numbers are those of
opentelemetry-proto 1.x (Apache-2.0). Everything is bounded by the body; nesting of values is bounded here.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gnomon_server.model.errors import InvalidRequest

MAX_DEPTH = 32
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Tree = dict[str, object]
# What a field holds, and whether it is repeated.
_Read = Callable[["_Field", int], object]


class _Field(NamedTuple):
    number: int
    wire: int
    value: int
    data: bytes


def read_request(raw: bytes) -> Tree:
    """The request as a tree with the names of OTLP's JSON. Raises InvalidRequest."""
    try:
        return _message(raw, _REQUEST, 0)
    except (IndexError, struct.error, UnicodeDecodeError, ValueError):
        raise InvalidRequest("Invalid OpenTelemetry format") from None


def _fields(data: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield _Field(number, wire, value, b"")
        elif wire == _BYTES:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("cut short")
            yield _Field(number, wire, 0, data[at : at + size])
            at += size
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
            if at + size > len(data):
                raise ValueError("cut short")
            yield _Field(number, wire, int.from_bytes(data[at : at + size], "little"), data[at : at + size])
            at += size
        else:
            raise ValueError("unknown wire type")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise ValueError("a varint is too long")


def _message(data: bytes, fields: dict[int, tuple[str, _Read, bool]], depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    tree: Tree = {}
    for field in _fields(data):
        known = fields.get(field.number)
        if known is None:
            continue
        name, read, is_repeated = known
        value = read(field, depth + 1)
        if is_repeated:
            listed = tree.setdefault(name, [])
            assert isinstance(listed, list)
            listed.append(value)
        else:
            tree[name] = value
    return tree


def _text(field: _Field, _depth: int) -> str:
    return _payload(field).decode()


def _hex(field: _Field, _depth: int) -> str:
    return _payload(field).hex()


def _raw(field: _Field, _depth: int) -> bytes:
    return _payload(field)


def _payload(field: _Field) -> bytes:
    if field.wire != _BYTES:
        raise ValueError("wrong wire type")
    return field.data


def _unsigned(field: _Field, _depth: int) -> int:
    return field.value


def _signed(field: _Field, _depth: int) -> int:
    return field.value - (1 << 64) if field.value >= 1 << 63 else field.value


def _bool(field: _Field, _depth: int) -> bool:
    return bool(field.value)


def _double(field: _Field, _depth: int) -> float:
    (value,) = struct.unpack("<d", field.data)
    assert isinstance(value, float)
    return value


def _of(fields: dict[int, tuple[str, _Read, bool]]) -> _Read:
    return lambda field, depth: _message(_payload(field), fields, depth)


def _any_value(field: _Field, depth: int) -> Tree:
    return _message(_payload(field), _ANY_VALUE, depth)


_KEY_VALUE: dict[int, tuple[str, _Read, bool]] = {1: ("key", _text, False), 2: ("value", _any_value, False)}
_ANY_VALUE: dict[int, tuple[str, _Read, bool]] = {
    1: ("stringValue", _text, False),
    2: ("boolValue", _bool, False),
    3: ("intValue", _signed, False),
    4: ("doubleValue", _double, False),
    5: ("arrayValue", _of({1: ("values", _any_value, True)}), False),
    6: ("kvlistValue", _of({1: ("values", _of(_KEY_VALUE), True)}), False),
    7: ("bytesValue", _raw, False),
}
_EVENT: dict[int, tuple[str, _Read, bool]] = {
    1: ("timeUnixNano", _unsigned, False),
    2: ("name", _text, False),
    3: ("attributes", _of(_KEY_VALUE), True),
}
_LINK: dict[int, tuple[str, _Read, bool]] = {
    1: ("traceId", _hex, False),
    2: ("spanId", _hex, False),
    4: ("attributes", _of(_KEY_VALUE), True),
}
_SPAN: dict[int, tuple[str, _Read, bool]] = {
    1: ("traceId", _hex, False),
    2: ("spanId", _hex, False),
    4: ("parentSpanId", _hex, False),
    5: ("name", _text, False),
    6: ("kind", _unsigned, False),
    7: ("startTimeUnixNano", _unsigned, False),
    8: ("endTimeUnixNano", _unsigned, False),
    9: ("attributes", _of(_KEY_VALUE), True),
    11: ("events", _of(_EVENT), True),
    13: ("links", _of(_LINK), True),
    15: ("status", _of({2: ("message", _text, False), 3: ("code", _unsigned, False)}), False),
}
_REQUEST: dict[int, tuple[str, _Read, bool]] = {
    1: (
        "resourceSpans",
        _of(
            {
                1: ("resource", _of({1: ("attributes", _of(_KEY_VALUE), True)}), False),
                2: ("scopeSpans", _of({2: ("spans", _of(_SPAN), True)}), True),
            }
        ),
        True,
    ),
}
