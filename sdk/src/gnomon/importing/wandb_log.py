"""The file `run-<id>.wandb` of an offline run of wandb: records in the framing of LevelDB's log, of a message each.

    ":W&B"  magic u16 = 0xBEE1  version u8 = 0         at the head of the file
    crc u32 | length u16 | type u8 | data              fragments, none of which crosses a block of 32 KiB

`type` is 1 for a whole record, 2, 3 and 4 for its first, middle and last fragment. The CRC is zlib's, over type and
data. What is too short for a header at the end of a block is padding.

A run whose process was killed ends within a fragment: reading stops there, and says how much is left. A fragment that
is whole and wrong makes the rest of its block unreadable; reading goes on with the next block, as the framing allows.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gnomon.errors import GnomonError

_BLOCK = 32 * 1024
_FILE_HEAD = struct.Struct("<4sHB")
_HEAD = struct.Struct("<IHB")
_MAGIC = (b":W&B", 0xBEE1)
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_CRC_OF_TYPE = [zlib.crc32(bytes([kind])) for kind in range(5)]


class _Fragment(NamedTuple):
    kind: int
    data: bytes


class NotWandb(GnomonError):
    """A file that is none of wandb's."""


class WandbLog:
    """Reads one file once. Afterwards `unread` counts the bytes that are no record, and `fault` says why."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread = 0
        self.fault = ""

    def __iter__(self) -> Iterator[bytes]:
        """The records in order. Raises `NotWandb` for a file that does not begin as one of wandb's."""
        parts: list[bytes] = []
        is_open = False
        for fragment in self._fragments():
            if fragment.kind in (_FULL, _FIRST):
                if is_open:
                    self._leave(sum(map(len, parts)), "a record has no end")
                parts, is_open = [fragment.data], fragment.kind == _FIRST
            elif is_open:
                parts.append(fragment.data)
                is_open = fragment.kind == _MIDDLE
            else:
                self._leave(len(fragment.data), "a record has no beginning")
                continue
            if not is_open:
                yield b"".join(parts)
        if is_open:
            self._leave(sum(map(len, parts)), "the file ends within a record")

    def _fragments(self) -> Iterator[_Fragment]:
        with self.path.open("rb") as file:
            block = file.read(_BLOCK)
            if len(block) < _FILE_HEAD.size or _FILE_HEAD.unpack_from(block)[:2] != _MAGIC:
                raise NotWandb(f"this is no file of wandb's: {self.path}")
            if (version := _FILE_HEAD.unpack_from(block)[2]) != 0:
                raise NotWandb(f"the format of this file has version {version}, known is 0: {self.path}")
            at = _FILE_HEAD.size
            while block:
                yield from self._of_block(block, at)
                block, at = file.read(_BLOCK), 0

    def _of_block(self, block: bytes, at: int) -> Iterator[_Fragment]:
        while at + _HEAD.size <= len(block):
            crc, length, kind = _HEAD.unpack_from(block, at)
            begin = at + _HEAD.size
            data = block[begin : begin + length]
            if crc == length == kind == 0:  # a preallocated tail
                return
            if len(data) < length and len(block) < _BLOCK:
                self._leave(len(block) - at, "the file ends within a record")
                return
            if not _FULL <= kind <= _LAST or len(data) < length or zlib.crc32(data, _CRC_OF_TYPE[kind]) != crc:
                self._leave(len(block) - at, "a record fails its checksum")
                return
            yield _Fragment(kind, data)
            at = begin + length
        if at < len(block) < _BLOCK:
            self._leave(len(block) - at, "the file ends within a record")

    def _leave(self, count: int, fault: str) -> None:
        self.unread += count
        self.fault = self.fault or fault
