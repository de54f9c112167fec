"""Segments: the write-ahead tail of a run, one row per committed request, raw columns (docs/formats/points.md).

    byte 0     version, 1 or 2
    byte 1     flags: bit 0 set when the request carried a writer identity
    byte 2-3   zero
    byte 4-7   n, u32
    then       step f64[n], time_ms i64[n], value f64[n], key u32[n], little-endian, nothing between or after

Version 2 holds a grid (`grids.py`), the form of nearly every large batch, in 8 to 12 bytes a point instead of 28:

    byte 8-11  width, u32: the metrics of a row; n is a multiple of it
    byte 12-15 zero
    then       step f64[n / width], time_ms i64[n / width], value f64[n] row by row, key u32[width]

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
from gnomon_server.store.points.grids import Grid

_HEADER = struct.Struct("<BBHI")
_GRID = struct.Struct("<BBHIII")
_COLUMNS_VERSION, _GRID_VERSION = 1, 2
_GRID_MARK = bytes((_GRID_VERSION,))
_IDENTIFIED = 1
_POINT_BYTES = 28
# Of a grid: a value, besides a step and a time for each row and a key for each column.
_VALUE_BYTES, _ROW_BYTES, _KEY_BYTES = 8, 16, 4


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


class GridSegment(NamedTuple):
    """The points of one request that are a grid."""

    grid: Grid
    identified: bool


def encode(key: Keys, step: Floats, time_ms: Ints, value: Floats, *, identified: bool) -> bytes:
    """The `data` of a segment. `key` holds key ids as uint32."""
    return b"".join(
        (
            _HEADER.pack(_COLUMNS_VERSION, _IDENTIFIED if identified else 0, 0, len(value)),
            step.astype("<f8", copy=False).tobytes(),
            time_ms.astype("<i8", copy=False).tobytes(),
            value.astype("<f8", copy=False).tobytes(),
            key.astype("<u4", copy=False).tobytes(),
        )
    )


def encode_grid(grid: Grid, *, identified: bool) -> bytes:
    """The `data` of a segment that holds a grid."""
    rows, width = grid.value.shape
    return b"".join(
        (
            _GRID.pack(_GRID_VERSION, _IDENTIFIED if identified else 0, 0, rows * width, width, 0),
            grid.step.astype("<f8", copy=False).tobytes(),
            grid.time_ms.astype("<i8", copy=False).tobytes(),
            grid.value.astype("<f8", copy=False).tobytes(),
            grid.key.astype("<u4", copy=False).tobytes(),
        )
    )


def decode(data: bytes) -> Segment:
    """The points of a segment, read-only views of `data` where it holds them as they are.

    Raises DamagedPoints when it is no segment.
    """
    if (found := decode_grid(data)) is not None:
        grid, identified = found
        width = len(grid.key)
        step, time_ms = grid.step.repeat(width), grid.time_ms.repeat(width)
        return Segment(grid.key_column(), step, time_ms, grid.value.reshape(-1), identified)
    n, identified = _checked_head(data, _COLUMNS_VERSION)
    if len(data) != _HEADER.size + n * _POINT_BYTES:
        raise DamagedPoints(f"a segment of {n} points has {len(data)} bytes")
    at = _HEADER.size
    return Segment(
        key=np.frombuffer(data, "<u4", n, at + 24 * n),
        step=np.frombuffer(data, "<f8", n, at),
        time_ms=np.frombuffer(data, "<i8", n, at + 8 * n),
        value=np.frombuffer(data, "<f8", n, at + 16 * n),
        identified=identified,
    )


def decode_grid(data: bytes) -> GridSegment | None:
    """The grid of a segment that holds one, as read-only views of `data`; None of any other."""
    if data[:1] != _GRID_MARK:
        return None
    n, identified = _checked_head(data, _GRID_VERSION)
    if len(data) < _GRID.size:
        raise DamagedPoints(f"a segment of {len(data)} bytes is shorter than its header")
    width, zero = _GRID.unpack_from(data)[4:]
    if zero or not 0 < width <= n or n % width:
        raise DamagedPoints(f"a segment claims {n} points in rows of {width}")
    rows, at = n // width, _GRID.size
    if len(data) != at + rows * _ROW_BYTES + n * _VALUE_BYTES + width * _KEY_BYTES:
        raise DamagedPoints(f"a segment of {rows} rows of {width} points has {len(data)} bytes")
    grid = Grid(
        key=np.frombuffer(data, "<u4", width, at + 16 * rows + 8 * n),
        step=np.frombuffer(data, "<f8", rows, at),
        time_ms=np.frombuffer(data, "<i8", rows, at + 8 * rows),
        value=np.frombuffer(data, "<f8", n, at + 16 * rows).reshape(rows, width),
    )
    return GridSegment(grid, identified)


def _checked_head(data: bytes, expected: int) -> tuple[int, bool]:
    """How many points the segment claims, and whether they came with an identity."""
    if len(data) < _HEADER.size:
        raise DamagedPoints(f"a segment of {len(data)} bytes is shorter than its header")
    version, flags, zero, n = _HEADER.unpack_from(data)
    if version != expected or flags & ~_IDENTIFIED or zero:
        raise DamagedPoints(f"a segment has the unknown version {version} or flags {flags}")
    return n, bool(flags & _IDENTIFIED)


def insert(connection: Connection, tenant: TenantId, rows: Sequence[SegmentRow]) -> None:
    """Keep the segments of a group, in the order given: that order is the order of arrival."""
    _INSERT.run(connection, [(tenant, run, n, data) for run, n, data in rows])


_COLUMNS = ("tenant", "run", "n", "data")
_INSERT = HotInsert(
    _COLUMNS, lambda _connection: sa.insert(t.segment_base).values({name: sa.bindparam(name) for name in _COLUMNS})
)
