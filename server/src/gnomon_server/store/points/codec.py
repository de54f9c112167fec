"""The chunk codec: three columns to bytes and back, bit for bit (docs/formats/points.md draws them).

Numbers become byte planes: byte i of every entry stands together, so the planes that hardly change shrink to nothing
and the noise of a mantissa is stored as it is. Before that, a column that is integers or short decimals in every entry
(steps, epochs, accuracies, rounded losses) is kept as scaled integers, offsets from the least or differences from
one entry to the next, in as few bytes as the widest needs. Times always are. What is not exactly such a decimal stays
a double, so -0.0, infinities and NaN payloads come back as they went in.

`codec` of a chunk row is version | packer << 8. zlib and raw can always be read; zstd is what is written.
Bytes that are not a chunk raise DamagedPoints: lengths are checked before anything is allocated, and a CRC-32 covers
all of it, because neither database checks what its disk returns.
"""

import struct
import zlib
from collections.abc import Callable
from typing import Literal

import numpy as np
import zstandard
from numpy.typing import NDArray

from gnomon_server.model.points import Floats, Ints, Points

Packer = Literal[0, 1, 2]
RAW: Packer = 0
ZLIB: Packer = 1
ZSTD: Packer = 2

_VERSION = 1
# Far above what sealing writes (chunks.MAX_POINTS); a damaged `n` cannot make us allocate more.
_MOST_POINTS = 1 << 20

_HEADER = struct.Struct("<III")  # lengths of the three columns
_CRC = struct.Struct("<I")
_INTS = struct.Struct("<BBqq")  # order, width, first, least
_LENGTH = struct.Struct("<I")

_DOUBLES, _DECIMALS = 0, 1  # kinds of column
_CONSTANT, _STORED, _PACKED = 0, 1, 2  # kinds of plane

# 10**6 covers what people round to.
_MOST_DECIMALS = 6
# Fewer bytes than this are not worth a frame of their own.
_LEAST_PACKED = 48
_EXACT = float(2**53)
_UNSIGNED = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}

Bits = NDArray[np.uint64]
Plane = NDArray[np.uint8]


class DamagedPoints(Exception):
    """A stored segment or chunk is not what was written: the disk, or a hand, has changed it."""


class Encoder:
    """Makes chunks with one packer; it holds the packer's working memory, so it belongs to one thread."""

    def __init__(self, packer: Packer = ZSTD) -> None:
        self._codec = _VERSION | packer << 8
        self._pack = _packer(packer)
        # Metrics that are logged together have the same steps and times: those of the last chunk are often the next's.
        self._step = self._time_ms = (np.empty(0, np.int64), b"")

    def encode(self, points: Points) -> tuple[int, bytes]:
        """(codec, data) of a chunk of at least one point."""
        step, time_ms = np.ascontiguousarray(points.step, np.float64), np.ascontiguousarray(points.time_ms, np.int64)
        if not np.array_equal(step.view(np.int64), self._step[0]):
            self._step = (step.view(np.int64), _encode_doubles(step, self._pack))
        if not np.array_equal(time_ms, self._time_ms[0]):
            self._time_ms = (time_ms, _encode_ints(time_ms, self._pack))
        columns = (self._step[1], self._time_ms[1], _encode_doubles(points.value, self._pack))
        body = b"".join((_HEADER.pack(*map(len, columns)), *columns))
        return self._codec, body + _CRC.pack(zlib.crc32(body))


def decode(codec: int, n: int, data: bytes) -> Points:
    """All three columns."""
    return EncodedChunk(codec, n, data).points()


class EncodedChunk:
    """A chunk whose columns are decoded one by one, when they are asked for."""

    def __init__(self, codec: int, n: int, data: bytes) -> None:
        version, packer = codec & 0xFF, codec >> 8
        if version != _VERSION or packer not in _UNPACK:
            raise DamagedPoints(f"a chunk has the unknown codec {codec}")
        if not 0 < n <= _MOST_POINTS:
            raise DamagedPoints(f"a chunk claims {n} points")
        if len(data) < _HEADER.size + _CRC.size:
            raise DamagedPoints(f"a chunk of {len(data)} bytes is shorter than its header")
        body = memoryview(data)[: -_CRC.size]
        lengths = _HEADER.unpack_from(body)
        if _HEADER.size + sum(lengths) != len(body):
            raise DamagedPoints(f"a chunk of {len(data)} bytes does not hold columns of {lengths} bytes")
        if zlib.crc32(body) != _CRC.unpack_from(data, len(body))[0]:
            raise DamagedPoints(f"a chunk of {n} points does not match its checksum")
        first, second = _HEADER.size + lengths[0], _HEADER.size + lengths[0] + lengths[1]
        self._columns = (body[_HEADER.size : first], body[first:second], body[second:])
        self._unpack = _UNPACK[packer]()
        self._n = n

    def points(self) -> Points:
        """All three columns."""
        return Points(self.step(), self.time_ms(), self.value())

    def step(self) -> Floats:
        return _decode_doubles(_Reader(self._columns[0], self._unpack), self._n)

    def time_ms(self) -> Ints:
        reader = _Reader(self._columns[1], self._unpack)
        times = _decode_ints(reader, self._n)
        reader.expect_end()
        return times

    def value(self) -> Floats:
        return _decode_doubles(_Reader(self._columns[2], self._unpack), self._n)


Pack = Callable[[bytes], bytes]
Unpack = Callable[[memoryview, int], bytes]


def _encode_doubles(column: Floats, pack: Pack) -> bytes:
    scaled = _as_decimals(column)
    if scaled is None:
        bits = np.ascontiguousarray(column, "<f8").view("<u8")
        return bytes((_DOUBLES,)) + _encode_planes(bits, 8, pack)
    decimals, integers = scaled
    return bytes((_DECIMALS, decimals)) + _encode_ints(integers, pack)


def _as_decimals(column: Floats) -> tuple[int, Ints] | None:
    """(d, integers) such that integers / 10**d is the column, bit for bit; None where there is no such d."""
    first, last = float(column[0]), float(column[-1])
    for decimals in range(_MOST_DECIMALS + 1):
        if _is_decimal(first, decimals) and _is_decimal(last, decimals):
            integers = _scaled(column, decimals)
            if integers is not None:
                return decimals, integers
    return None


def _is_decimal(value: float, decimals: int) -> bool:
    """A cheap look at one value before the whole column is tried."""
    scaled = value * 10.0**decimals
    return abs(scaled) <= _EXACT and round(scaled) / 10.0**decimals == value


def _scaled(column: Floats, decimals: int) -> Ints | None:
    power = 10.0**decimals
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.rint(column * power)
        # Comparing bits refuses -0.0; comparing magnitude refuses what is not finite or not exact.
        if not (np.abs(rounded) <= _EXACT).all():
            return None
    integers = rounded.astype(np.int64)
    back = integers / power
    return integers if np.array_equal(back.view(np.int64), column.view(np.int64)) else None


def _encode_ints(column: Ints, pack: Pack) -> bytes:
    """Offsets from the least, or the same of the differences, whichever spreads less. Arithmetic is modulo 2**64."""
    order, series = 0, column
    if len(column) > 1:
        steps = column[1:] - column[:-1]
        if _spread(steps) < _spread(column):
            order, series = 1, steps
    least = int(series.min())
    offsets = (series - np.int64(least)).view(np.uint64)
    width = _width(int(offsets.max()))
    head = _INTS.pack(order, width, int(column[0]), least)
    return head + (_encode_planes(offsets.astype(_UNSIGNED[width]), width, pack) if width else b"")


def _spread(column: Ints) -> int:
    return int(column.max()) - int(column.min())


def _width(greatest: int) -> int:
    return next(width for width in (0, 1, 2, 4, 8) if greatest < 1 << 8 * width)


def _encode_planes(entries: NDArray[np.unsignedinteger], width: int, pack: Pack) -> bytes:
    parts = []
    planes = np.ascontiguousarray(entries.view(np.uint8).reshape(-1, width).T)
    is_constant = (planes == planes[:, :1]).all(axis=1).tolist()
    for plane, is_same in zip(planes, is_constant, strict=True):
        if is_same:
            parts.append(bytes((_CONSTANT, int(plane[0]))))
            continue
        stored = plane.tobytes()
        packed = pack(stored) if len(stored) >= _LEAST_PACKED else stored
        if len(packed) + _LENGTH.size < len(stored):
            parts.append(bytes((_PACKED,)) + _LENGTH.pack(len(packed)) + packed)
        else:
            parts.append(bytes((_STORED,)) + stored)
    return b"".join(parts)


class _Reader:
    """Takes a column apart from front to back and never reads past its end."""

    def __init__(self, data: memoryview, unpack: Unpack) -> None:
        self._data = data
        self._unpack = unpack
        self._at = 0

    def take(self, count: int) -> memoryview:
        end = self._at + count
        if end > len(self._data):
            raise DamagedPoints("a column of a chunk ends too early")
        part = self._data[self._at : end]
        self._at = end
        return part

    def byte(self) -> int:
        return self.take(1)[0]

    def planes(self, n: int, width: int) -> NDArray[np.unsignedinteger]:
        entries = np.empty((n, width), np.uint8)
        for place in range(width):
            entries[:, place] = self._plane(n)
        return entries.reshape(-1).view(_UNSIGNED[width])

    def _plane(self, n: int) -> Plane | int:
        kind = self.byte()
        if kind == _CONSTANT:
            return self.byte()
        if kind == _STORED:
            return np.frombuffer(self.take(n), np.uint8)
        if kind == _PACKED:
            packed = self.take(_LENGTH.unpack(self.take(_LENGTH.size))[0])
            return np.frombuffer(self._unpack(packed, n), np.uint8)
        raise DamagedPoints(f"a column of a chunk has a plane of the unknown kind {kind}")

    def expect_end(self) -> None:
        if self._at != len(self._data):
            raise DamagedPoints("a column of a chunk has bytes after its end")


def _decode_doubles(reader: _Reader, n: int) -> Floats:
    kind = reader.byte()
    if kind == _DOUBLES:
        column = reader.planes(n, 8).view(np.float64)
    elif kind == _DECIMALS:
        decimals = reader.byte()
        if decimals > _MOST_DECIMALS:
            raise DamagedPoints(f"a column of a chunk has {decimals} decimals")
        column = _decode_ints(reader, n) / 10.0**decimals
    else:
        raise DamagedPoints(f"a column of a chunk is of the unknown kind {kind}")
    reader.expect_end()
    return column


def _decode_ints(reader: _Reader, n: int) -> Ints:
    order, width, first, least = _INTS.unpack(reader.take(_INTS.size))
    if order > 1 or width not in (0, 1, 2, 4, 8):
        raise DamagedPoints(f"integers of a chunk have order {order} and width {width}")
    column = np.empty(n, np.int64)
    entries = column
    if order:
        column[0] = first
        entries = column[1:]
    entries[:] = least
    if width and len(entries):
        entries += reader.planes(len(entries), width).astype(np.int64)
    return np.cumsum(column, out=column) if order else column


def _packer(packer: Packer) -> Pack:
    if packer == ZSTD:
        return zstandard.ZstdCompressor(level=1).compress
    if packer == ZLIB:
        return lambda data: zlib.compress(data, 1)
    return lambda data: data


def _zstd_unpacker() -> Unpack:
    unpacker = zstandard.ZstdDecompressor()

    def unpack(data: memoryview, size: int) -> bytes:
        try:
            # Asked first: the size that a frame states is what would be allocated.
            if zstandard.frame_content_size(data) != size:
                raise DamagedPoints("a plane of a chunk does not unpack to one byte a point")
            return unpacker.decompress(data, max_output_size=size)
        except zstandard.ZstdError as error:
            raise DamagedPoints(f"a plane of a chunk cannot be unpacked: {error}") from error

    return unpack


def _unpack_zlib(data: memoryview, size: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        plane = unpacker.decompress(data, size)
    except zlib.error as error:
        raise DamagedPoints(f"a plane of a chunk cannot be unpacked: {error}") from error
    if len(plane) != size or unpacker.unconsumed_tail or unpacker.unused_data:
        raise DamagedPoints("a plane of a chunk does not unpack to one byte a point")
    return plane


def _unpack_raw(_data: memoryview, _size: int) -> bytes:
    raise DamagedPoints("a chunk that packs nothing has a packed plane")


_UNPACK: dict[int, Callable[[], Unpack]] = {
    RAW: lambda: _unpack_raw,
    ZLIB: lambda: _unpack_zlib,
    ZSTD: _zstd_unpacker,
}
