"""Segments: the write-ahead tail of a run, one row per committed request, raw columns (docs/formats/points.md).

    byte 0     version, 1
    byte 1     flags: bit 0 set when the request carried a writer identity
    byte 2-3   zero
    byte 4-7   n, u32
    then       step f64[n], time_ms i64[n], value f64[n], key u32[n], little-endian, nothing between or after

The eight-byte columns come first so that each begins at a multiple of eight: they are read in place, without a copy.
A segment lives for a minute or so and is never compressed: what matters is that writing one costs next to nothing.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.points import Floats, Ints, Keys
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points.codec import DamagedPoints
from gnomon_server.store.points.compiled import HotInsert

_HEADER = struct.Struct("<BBHI")
_VERSION = 1
_IDENTIFIED = 1
_POINT_BYTES = 28


class SegmentRow(NamedTuple):
    """What is written of one request for one run."""

    run: RowId
    n: int
    data: bytes


class Segment(NamedTuple):
    """The points of one request in the order they came; `key` holds key ids."""

    key: Keys
    step: Floats
    time_ms: Ints
    value: Floats
    identified: bool


def encode(key: Keys, step: Floats, time_ms: Ints, value: Floats, *, identified: bool) -> bytes:
    """The `data` of a segment. `key` holds key ids as uint32."""
    return b"".join(
        (
            _HEADER.pack(_VERSION, _IDENTIFIED if identified else 0, 0, len(value)),
            step.astype("<f8", copy=False).tobytes(),
            time_ms.astype("<i8", copy=False).tobytes(),
            value.astype("<f8", copy=False).tobytes(),
            key.astype("<u4", copy=False).tobytes(),
        )
    )


def decode(data: bytes) -> Segment:
    """The points of a segment, as read-only views of `data`; DamagedPoints when it is not one."""
    if len(data) < _HEADER.size:
        raise DamagedPoints(f"a segment of {len(data)} bytes is shorter than its header")
    version, flags, zero, n = _HEADER.unpack_from(data)
    if version != _VERSION or flags & ~_IDENTIFIED or zero:
        raise DamagedPoints(f"a segment has the unknown version {version} or flags {flags}")
    if len(data) != _HEADER.size + n * _POINT_BYTES:
        raise DamagedPoints(f"a segment of {n} points has {len(data)} bytes")
    at = _HEADER.size
    return Segment(
        key=np.frombuffer(data, "<u4", n, at + 24 * n),
        step=np.frombuffer(data, "<f8", n, at),
        time_ms=np.frombuffer(data, "<i8", n, at + 8 * n),
        value=np.frombuffer(data, "<f8", n, at + 16 * n),
        identified=bool(flags & _IDENTIFIED),
    )


def insert(connection: Connection, tenant: TenantId, rows: Sequence[SegmentRow]) -> None:
    """Keep the segments of a group, in the order given: that order is the order of arrival."""
    _INSERT.run(connection, [(tenant, run, n, data) for run, n, data in rows])


_COLUMNS = ("tenant", "run", "n", "data")
_INSERT = HotInsert(
    _COLUMNS, lambda _connection: sa.insert(t.segment_base).values({name: sa.bindparam(name) for name in _COLUMNS})
)
