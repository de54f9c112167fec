"""The contents of artifacts as files named by their SHA-256 (the contract is in `blobs.py`).

    <root>/incoming/<uuid>               being written by one upload
    <root>/<tenant id>/ab/<sha256>       a whole content, "ab" being its first two digits
    <root>/trash/<uuid>                  swept, waiting to be unlinked
    <root>/uploads/                      files that come in parts (`uploads.py`)

Invariants:

- No name that a client chose ever becomes part of a path: a path holds numbers, digests and our own uuids alone.
- A content appears under its digest only when it is whole and on the disk (fsync, rename, fsync of the directory),
  and `publish` returns only when its directory entry is on the disk too.
- A content that is held (an upload is between publishing it and committing its row) or used is never swept.
- One process owns the root, or several that know of each other (`shared_root.py`). What another left in `incoming` and
  `trash` is removed when the store is opened.

The files are ours and not obstore's: its local store renames without any fsync and creates files that others can read.
"""

import errno
import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import groupby
from pathlib import Path
from threading import Lock
from uuid import uuid4

from gnomon_server.model.errors import Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store.blobs import Content, Used
from gnomon_server.store.directories import make_durable, sync_directory
from gnomon_server.store.shared_root import SharedRoot

# A long upload is synced as it comes, so that its end waits for at most this much and not for gigabytes.
_SYNC_BYTES = 64 * 1024 * 1024
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
_DIGITS = frozenset("0123456789abcdef")


class LocalIncoming:
    """A file on its way in."""

    def __init__(self, store: "LocalBlobs", path: Path, tenant: TenantId) -> None:
        self._store = store
        self.path = path
        self.tenant = tenant
        self.size = 0
        self._unsynced = 0
        self._hash = hashlib.sha256()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with full_as_unavailable():
            self._file: int | None = os.open(path, flags, 0o600)

    def write(self, piece: bytes) -> None:
        assert self._file is not None, "finished already"
        self._hash.update(piece)
        left = memoryview(piece)
        with full_as_unavailable():
            while left:
                left = left[os.write(self._file, left) :]
            self.size += len(piece)
            self._unsynced += len(piece)
            if self._unsynced >= _SYNC_BYTES:
                os.fsync(self._file)
                self._unsynced = 0

    def finish(self) -> Content:
        """Bring the file to the disk."""
        assert self._file is not None, "finished already"
        with full_as_unavailable():
            os.fsync(self._file)
        self._close()
        return Content(self._hash.hexdigest(), self.size)

    def publish(self, sha256: str) -> str:
        self._store.publish(self.path, self.tenant, sha256)
        return ""

    def discard(self) -> None:
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):  # what close could report, fsync has reported, or the file is dropped anyway
                os.close(file)


class LocalBlobs:
    """The contents below one root. Its methods may be called from any thread.

    `is_shared`: other processes have it open too. Then a content is held by a lock of a file as well, and what lies in
    `incoming` is another's for as long as that other holds its own file there.
    """

    def __init__(self, root: Path, *, is_shared: bool = False) -> None:
        self.root = self._root = root
        self._incoming = root / "incoming"
        self._trash = root / "trash"
        # Directories whose own entry is known to be on the disk; at most 257 a tenant.
        self._durable: set[Path] = set()
        # Taken before a database connection, never while holding one.
        self._lock = Lock()
        self._held: Counter[tuple[TenantId, str]] = Counter()
        self._shared = SharedRoot(root) if is_shared else None
        for directory in (root, self._incoming, self._trash):
            self._make_durable(directory)
        for leftover in self._incoming.iterdir():
            if self._shared is None or not self._shared.belongs_to_another(leftover.name):
                leftover.unlink(missing_ok=True)
        self.empty_trash()

    def begin(self, tenant: TenantId) -> LocalIncoming:
        name = uuid4().hex if self._shared is None else self._shared.new_name()
        return LocalIncoming(self, self._incoming / name, tenant)

    @contextmanager
    def hold(self, tenant: TenantId, sha256: str) -> Iterator[None]:
        with self._lock:
            self._held[tenant, sha256] += 1
        try:
            with nullcontext() if self._shared is None else self._shared.held(sha256):
                yield
        finally:
            with self._lock:
                self._held[tenant, sha256] -= 1
                if not self._held[tenant, sha256]:
                    del self._held[tenant, sha256]

    def publish(self, path: Path, tenant: TenantId, sha256: str) -> None:
        """Give a file on the same file system, whose bytes are on the disk, its name, on the disk when this returns.

        A content that is there already is replaced by its equal: there stays one, and one that the disk has damaged
        is healed. The directory is synced in either case, because whoever published the first may not have got to it.
        """
        place = self._place(tenant, sha256)
        with full_as_unavailable():
            self._make_durable(place.parent.parent)
            self._make_durable(place.parent)
            path.rename(place)
            sync_directory(place.parent)

    def open(self, tenant: TenantId, sha256: str, stored: str = "") -> io.FileIO:
        if stored:
            raise Unavailable(
                "this file stands in an object store; start the server with the GNOMON_ARTIFACTS it had",
                code="storage_unavailable",
                retry_after_secs=60,
            )
        return io.FileIO(self._place(tenant, sha256), opener=_open_to_read)

    def has(self, tenant: TenantId, sha256: str, stored: str, size: int) -> bool:
        try:
            return not stored and self._place(tenant, sha256).stat().st_size == size
        except FileNotFoundError:
            return False

    def withdraw(self, tenant: TenantId, sha256: str, stored: str, *, used: Used) -> None:  # noqa: ARG002  # nothing has one
        self.sweep(tenant, [sha256], used=used)
        self.empty_trash()

    def remove(self, stored: Sequence[str]) -> None:
        """There is no object store."""

    def strays(self, before_ms: int) -> Iterator[tuple[TenantId, list[str]]]:  # noqa: ARG002  # there are none
        """There is no object store; the strays on the disk are among `contents`."""
        return iter(())

    def unpublished_bytes(self) -> int:
        every = 0
        for top in (self._incoming, self._trash, self._root / "uploads"):
            for folder, _, names in os.walk(top):
                for name in names:
                    with suppress(FileNotFoundError):  # it has just been published, completed or unlinked
                        every += (Path(folder) / name).stat().st_size
        return every

    def tenants(self) -> list[TenantId]:
        return [TenantId(int(entry.name)) for entry in self._root.iterdir() if entry.name.isdecimal()]

    def contents(self, tenant: TenantId) -> Iterator[list[str]]:
        directory = self._root / str(tenant)
        for shard in sorted(directory.iterdir()) if directory.exists() else ():
            yield [entry.name for entry in shard.iterdir() if len(entry.name) == 64 and _DIGITS.issuperset(entry.name)]

    def sweep(self, tenant: TenantId, sha256s: Sequence[str], *, used: Used) -> int:
        """Move the contents to the trash that are neither held nor used; how many were moved.

        `used` says, from committed rows, which of them are. No upload can take hold of one between that answer and
        the move; an upload of the same content that comes later brings its own file.
        """
        if self._shared is not None:
            return sum(
                self._sweep(tenant, free, used=used)
                for shard, part in groupby(sorted(sha256s), key=_shard_of)
                for free in self._shared.alone(shard, list(part))
            )
        return self._sweep(tenant, sha256s, used=used)

    def _sweep(self, tenant: TenantId, sha256s: Sequence[str], *, used: Used) -> int:
        moved = 0
        with self._lock:
            free = [sha256 for sha256 in sha256s if (tenant, sha256) not in self._held]
            kept = used(free) if free else ()
            for sha256 in free:
                if sha256 not in kept:
                    with suppress(FileNotFoundError):  # swept before
                        self._place(tenant, sha256).rename(self._trash / uuid4().hex)
                        moved += 1
        return moved

    def empty_trash(self) -> None:
        """Unlink what was swept. Apart from sweeping, because unlinking a large file takes long."""
        for entry in self._trash.iterdir():
            entry.unlink(missing_ok=True)

    def _place(self, tenant: TenantId, sha256: str) -> Path:
        return self._root / str(int(tenant)) / sha256[:2] / sha256

    def _make_durable(self, directory: Path) -> None:
        if directory not in self._durable:
            make_durable(directory)
            self._durable.add(directory)


def _shard_of(sha256: str) -> str:
    return sha256[:2]


def _open_to_read(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


@contextmanager
def full_as_unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise Unavailable(
            "the server's disk is full and nothing of the file was kept; free space, then upload it again",
            code="storage_full",
            retry_after_secs=10,
        ) from error
