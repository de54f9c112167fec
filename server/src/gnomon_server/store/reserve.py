"""Space set aside on the disk of the database, for the hour when that disk is full.

Without it even a delete fails then: it must be written to the WAL first, and moving the WAL into the database needs
room too. So while the server runs a file of zeros lies beside the database, and is removed when the disk is full: what
frees space goes on in the room it leaves. It is made again when there is room for it and half as much besides.
"""

import errno
import logging
import os
from pathlib import Path

log = logging.getLogger("gnomon.reserve")

_MOST_BYTES = 64 * 1024 * 1024
# Of a small disk at most this share; the WAL may take a quarter of that (`store/meta/engine.py`).
_SHARE = 16
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class Reserve:
    """The file, once `hold` made it. One process uses it, one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        disk = os.statvfs(path.parent)
        self._bytes = min(_MOST_BYTES, disk.f_frsize * disk.f_blocks // _SHARE)
        self._is_possible = True

    def hold(self) -> bool:
        """Set the space aside; False, and nothing is, when the disk has too little left.

        On a disk that can set nothing aside (it says so in its own ways) the answer is True: the next write shows.
        """
        if not self._is_possible or self._is_held():
            return True
        disk = os.statvfs(self._path.parent)
        if disk.f_frsize * disk.f_bavail < self._bytes + self._bytes // 2:
            return False
        try:
            self._allocate()
        except OSError as error:
            if error.errno in _FULL:
                return False
            log.warning("no space can be set aside in %s (%s): on a full disk deletes may fail too", self._path, error)
            self._is_possible = False
        return True

    def release(self) -> None:
        """Give the space to whoever needs it now."""
        self._path.unlink(missing_ok=True)

    def _allocate(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._bytes)
        except OSError:
            self.release()
            raise
        finally:
            os.close(descriptor)

    def _is_held(self) -> bool:
        try:
            return self._path.stat().st_size >= self._bytes
        except FileNotFoundError:
            return False
