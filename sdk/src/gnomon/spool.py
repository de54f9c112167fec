"""The spool: what a process has logged and the server has not yet confirmed, as files that survive `kill -9`.

One folder per writer (`<spool>/<run>/<writer>/`), in it numbered segments of frames `length, crc32, payload`. Layout:
docs/formats/spool.md.

Invariants:
- `append` is one `write` of one whole frame by the only process that holds the folder's lock; when it has returned,
  the frame is in the kernel's hands and only a crash of the machine can lose it (`sync` bounds that).
- A segment gets its final name after the writer has left the one before it: once segment n+1 is seen, n will not grow.
- Reading stops at the first frame that is not whole and never raises for what follows it.
- After a fork the child drops what it inherited (`abandon`): it neither writes nor holds the lock of its parent.
"""

import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import NamedTuple

from gnomon.record import Header, SpoolDamaged, decode_header, encode

MAGIC = b"GNSPOOL1"
SEGMENT_BYTES = 8 * 1024 * 1024
MAX_STRIDE = 2**21
# Several writes this slow within a minute: the disk keeps the script waiting, not a processor that others need too.
SLOW_SECS = 0.05
MAX_FRAME_BYTES = 64 * 1024 * 1024
_FRAME = struct.Struct("<II")
_READ_BYTES = 1024 * 1024
_LOCK = "lock"
_MOVED = "moved"
_NEXT = ".next"
_SEGMENT = ".seg"


class SpoolFull(OSError):
    """The spool has reached its bound; what came is not kept."""


class RecordTooLarge(OSError):
    """One record is larger than a reader takes; nothing of it is kept."""


class Frame(NamedTuple):
    payload: bytes
    end: int


def frame(payload: bytes) -> bytes:
    """The bytes of a frame. The checksum starts from the length, so that no run of zeros is a frame."""
    length = len(payload)
    return _FRAME.pack(length, zlib.crc32(payload, length)) + payload


def stride_of(used_bytes: int, limit_bytes: int) -> int:
    """Of every so many points one is kept: all up to half of the limit, then every second, and of four times as many
    one again each time half of what was left is gone. So each such part holds twice the time of the one before.
    """
    left, bound, stride = limit_bytes - used_bytes, limit_bytes // 2, 1
    while left < bound and stride < MAX_STRIDE:
        bound //= 2
        stride *= 2 if stride == 1 else 4
    return stride


class SpoolWriter:
    """Appends records of one process to its own folder. Safe to call from threads and from signal handlers."""

    def __init__(
        self, folder: Path, header: Header, *, segment_bytes: int = SEGMENT_BYTES, limit_bytes: int = 2**63
    ) -> None:
        self.folder = folder
        self.header = header
        self.limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        # A signal handler may log in the middle of a call that logs.
        self._lock = RLock()
        self._is_rotating = False
        self._number = 0
        self._records = 0
        self._older_bytes = 0
        self._size = 0
        folder.mkdir(mode=0o700, parents=True)
        self.stride = 1  # of the points of a metric, one of so many is to be kept
        self.slow_writes = 0
        self._lock_fd = os.open(folder / _LOCK, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._fd = -1
        self._rotate()

    def append(self, payload: bytes, *, beyond_limit: bool = False) -> None:
        """Keep one record. Raises `SpoolFull`, or `OSError` when the disk refuses; then nothing of it is kept."""
        if len(payload) > MAX_FRAME_BYTES:
            raise RecordTooLarge(errno.EFBIG, f"one call logged {len(payload)} bytes, more than {MAX_FRAME_BYTES}")
        data = frame(payload)
        with self._lock:
            if self._fd < 0:
                raise OSError(errno.EBADF, "the spool is closed")
            if self._size >= self._segment_bytes and not self._is_rotating:
                self._rotate()
            if self._size + self._older_bytes + len(data) > self.limit_bytes and not beyond_limit:
                raise SpoolFull(errno.ENOSPC, f"the spool holds {self.limit_bytes} bytes already")
            began = monotonic()
            written = os.write(self._fd, data)
            if monotonic() - began > SLOW_SECS:
                self.slow_writes += 1
            if written != len(data):
                self._undo_part()
                raise OSError(errno.ENOSPC, "the disk took only a part of a record")
            self._size += written
            self._records += 1
            self._judge_fill()

    def forget(self, freed_bytes: int) -> None:
        """Segments of this size have been sent and removed."""
        with self._lock:
            self._older_bytes -= freed_bytes
            self._judge_fill()

    def stop(self) -> None:
        """Take no more records; the folder stays locked, for sending what is in it."""
        with self._lock:
            fd, self._fd = self._fd, -1
            if fd >= 0:
                os.close(fd)

    def close(self) -> None:
        """Stop writing and release the folder. Doing it again changes nothing."""
        with self._lock:
            self.abandon()

    def abandon(self) -> None:
        """Close the files without touching them or the lock of the parent: what a forked child does first."""
        fds, self._fd, self._lock_fd = (self._fd, self._lock_fd), -1, -1
        for fd in fds:
            if fd >= 0:
                os.close(fd)

    def leave(self) -> None:
        """The process goes on in another spool: whoever sends this one says nothing of the end of the run."""
        (self.folder / _MOVED).touch(mode=0o600)
        self.stop()

    def _judge_fill(self) -> None:
        used = self._size + self._older_bytes
        self.stride = 1 if used * 2 < self.limit_bytes else stride_of(used, self.limit_bytes)

    def _rotate(self) -> None:
        self._is_rotating = True
        try:
            number = self._number + 1
            path = segment_path(self.folder, number)
            unnamed = path.with_suffix(_NEXT)
            fd = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
            head = MAGIC + frame(encode(self._header_now()))
            try:
                if os.write(fd, head) != len(head):
                    raise OSError(errno.ENOSPC, "the disk took only a part of a segment's head")
            except OSError:
                os.close(fd)
                unnamed.unlink()
                raise
            old = self._fd
            self._older_bytes += self._size
            self._fd, self._number, self._size = fd, number, len(head)
            unnamed.rename(path)
            if old >= 0:
                os.close(old)
        finally:
            self._is_rotating = False

    def _header_now(self) -> Header:
        fields = {name: getattr(self.header, name) for name in self.header.__struct_fields__}
        return Header(**(fields | {"first_record": self._records}))

    def _undo_part(self) -> None:
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            # The segment ends in half a frame; nothing whole may follow it there.
            self._size = self._segment_bytes


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}{_SEGMENT}"


def segments(folder: Path) -> list[int]:
    """The numbers of the segments that are there, ascending."""
    return sorted(int(path.stem) for path in folder.glob(f"*{_SEGMENT}") if path.stem.isdigit())


def sync_segment(folder: Path, number: int) -> None:
    """Have the disk hold a new segment: what was appended to it, its name, and the folders that lead to it."""
    for path in (segment_path(folder, number), folder, folder.parent, folder.parent.parent):
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def sync_data(folder: Path, number: int) -> None:
    """Have the disk hold what was appended to a segment; its name is there already."""
    fd = os.open(segment_path(folder, number), os.O_RDONLY)
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def read_header(path: Path) -> tuple[Header, int]:
    """The header of a segment and where its first record stands. Raises `SpoolDamaged`, `FileNotFoundError`."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise SpoolDamaged(f"this is no segment of a spool: {path}")
    for first in read_frames(path, len(MAGIC)):
        return decode_header(first.payload), first.end
    raise SpoolDamaged(f"the header of a segment is not whole: {path}")


def read_frames(path: Path, offset: int) -> Iterator[Frame]:
    """The whole frames from an offset on. Ends at the first that is not whole: the file's end, a torn tail, damage."""
    with path.open("rb") as file:
        file.seek(offset)
        rest, at = b"", 0
        while True:
            while len(rest) - at >= _FRAME.size:
                length, checksum = _FRAME.unpack_from(rest, at)
                if not 0 < length <= MAX_FRAME_BYTES:
                    return
                end = at + _FRAME.size + length
                if end > len(rest):
                    break
                payload = rest[at + _FRAME.size : end]
                if zlib.crc32(payload, length) != checksum:
                    return
                offset += end - at
                at = end
                yield Frame(payload, offset)
            more = file.read(max(_READ_BYTES, _missing(rest, at)))
            if not more:
                return
            rest, at = rest[at:] + more, 0


def _missing(rest: bytes, at: int) -> int:
    """How many bytes the frame that begins here still lacks."""
    if len(rest) - at < _FRAME.size:
        return 0
    length: int = _FRAME.unpack_from(rest, at)[0]
    return at + _FRAME.size + length - len(rest)


class Adopted:
    """The lock of a folder whose writer is dead: while it is held, nobody else sends from it."""

    def __init__(self, folder: Path, fd: int) -> None:
        self.folder = folder
        self._fd = fd

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def adopt(folder: Path) -> Adopted | None:
    """Take the folder of a dead writer; None while its writer (or another that adopted it) lives, or it is gone."""
    try:
        fd = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    if not (folder / _LOCK).exists():  # sent to the end and removed while we waited
        os.close(fd)
        return None
    _name_last(folder)
    if not segments(folder):  # its writer died before it could log anything
        remove_lock(folder)
        os.close(fd)
        return None
    return Adopted(folder, fd)


def has_living_sibling(folder: Path) -> bool:
    """Whether another process logs to the run of this folder, or sends for one that did."""
    for other in find_folders(folder.parent):
        if other == folder:
            continue
        if (adopted := adopt(other)) is not None:
            adopted.release()
        elif (other / _LOCK).exists():
            return True
    return False


def remove_lock(folder: Path) -> None:
    """The folder is sent to the end: take away its lock, and the folder with its parent where nothing else is left."""
    (folder / _MOVED).unlink(missing_ok=True)
    (folder / _LOCK).unlink(missing_ok=True)
    for emptied in (folder / "artifacts", folder / "console", folder, folder.parent):
        try:
            emptied.rmdir()
        except OSError:  # something is left in it, which is what rmdir is asked to find out
            continue


def has_moved(folder: Path) -> bool:
    """Whether its writer went on elsewhere, and says there how the run ended."""
    return (folder / _MOVED).exists()


def find_folders(root: Path) -> list[Path]:
    """The folders of writers at or below a folder, in a stable order."""
    return sorted(path.parent for path in root.rglob(_LOCK) if path.is_file())


def _name_last(folder: Path) -> None:
    """A writer that died between making a segment and naming it may have logged there."""
    for unnamed in folder.glob(f"*{_NEXT}"):
        try:
            read_header(unnamed)
        except SpoolDamaged:
            unnamed.unlink()  # not even its header came to be: nothing was logged there
        else:
            unnamed.rename(unnamed.with_suffix(_SEGMENT))
