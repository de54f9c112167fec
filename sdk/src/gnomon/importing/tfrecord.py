"""TensorFlow's record files: length, masked CRC-32C of the length, data, masked CRC-32C of the data.

A file that is being written, or whose writer was killed, ends in part of a record: reading stops there without an
error and says how many bytes are left. A record that is whole and wrong stops it too, as nothing behind it can be
trusted to begin where it seems to.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from gnomon.importing.crc32c import crc32c, masked

_HEAD = struct.Struct("<QI")
_TAIL_BYTES = 4
FRAME_BYTES = _HEAD.size + _TAIL_BYTES


class RecordFile:
    """Reads one file once. After the last record, `unread` counts the bytes that are no record, `fault` says why."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread = 0
        self.fault = ""

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb", buffering=1 << 20) as file:
            size = file.seek(0, 2)
            at = file.seek(0)
            while at < size:
                head = file.read(_HEAD.size)
                data = self._read(file.read, head, size - at) if len(head) == _HEAD.size else None
                if data is None:
                    self.unread, self.fault = size - at, self.fault or "the file ends within a record"
                    return
                yield data
                at += len(data) + FRAME_BYTES

    def _read(self, read: Callable[[int], bytes], head: bytes, left: int) -> bytes | None:
        length, check = _HEAD.unpack(head)
        if masked(crc32c(head[:8])) != check:
            self.fault = "the length of a record fails its checksum"
            return None
        if length > left - FRAME_BYTES:
            return None
        data, tail = read(length), read(_TAIL_BYTES)
        if len(tail) < _TAIL_BYTES:
            return None
        if masked(crc32c(data)) != int.from_bytes(tail, "little"):
            self.fault = "a record fails its checksum"
            return None
        return data
