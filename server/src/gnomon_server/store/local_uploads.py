"""Uploads under way as files of one folder (the contract is in `uploads.py`).

    <root>/<tenant id>/<id>/upload.json    what is to come: run, path, size, SHA-256, size of a part
    <root>/<tenant id>/<id>/data           the parts, each at its place
    <root>/<tenant id>/<id>/received       the numbers of the parts that are on the disk, 4 bytes each, little-endian

Invariants:

- A part is in `received` only when its bytes are on the disk under the SHA-256 that was promised for it.
- No name that a client chose becomes part of a path: the id is a digest of ours.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import msgspec

from gnomon_server.model.ids import TenantId
from gnomon_server.store.blobs import Content
from gnomon_server.store.directories import make_durable, sync_directory
from gnomon_server.store.local_blobs import LocalBlobs, full_as_unavailable
from gnomon_server.store.uploads import Expected, PartMismatch

_PIECE_BYTES = 1024 * 1024
_NUMBER_BYTES = 4


class Assembled:
    """A file whose parts are all there. The folder of its upload is removed by whoever made it an artifact."""

    def __init__(self, blobs: LocalBlobs, tenant: TenantId, path: Path) -> None:
        self._blobs = blobs
        self._tenant = tenant
        self._path = path
        self.size = path.stat().st_size

    def write(self, piece: bytes) -> None:
        raise NotImplementedError("all of it has been written")

    def finish(self) -> Content:
        """What the whole turned out to hold, read from the disk."""
        digest, size = hashlib.sha256(), 0
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
        return Content(digest.hexdigest(), size)

    def publish(self, sha256: str) -> str:
        self._blobs.publish(self._path, self._tenant, sha256)
        return ""

    def discard(self) -> None:
        """The upload keeps its parts until it is removed."""


class LocalUploads:
    """The uploads below one root. Its methods may be called from any thread."""

    def __init__(self, root: Path, blobs: LocalBlobs) -> None:
        self._root = root
        self._blobs = blobs
        self._lock = Lock()
        make_durable(root)

    def begin(self, tenant: TenantId, expected: Expected, *, now_ms: int) -> None:  # noqa: ARG002  # files have times
        folder = self._folder(tenant, expected.id)
        with full_as_unavailable(), self._lock:
            if (folder / "upload.json").exists():
                return
            for directory in (folder.parent, folder):
                make_durable(directory)
            for name in ("data", "received"):
                (folder / name).touch(mode=0o600)
            written = folder / "upload.new"
            written.write_bytes(msgspec.json.encode(expected))
            _sync(written)
            written.rename(folder / "upload.json")
            sync_directory(folder)

    def count(self, tenant: TenantId) -> int:
        folder = self._root / str(int(tenant))
        return sum(1 for _ in folder.iterdir()) if folder.exists() else 0

    def find(self, tenant: TenantId, upload: str) -> Expected | None:
        try:
            data = (self._folder(tenant, upload) / "upload.json").read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(data, type=Expected)

    def received(self, tenant: TenantId, expected: Expected) -> list[int]:
        data = (self._folder(tenant, expected.id) / "received").read_bytes()
        whole = len(data) - len(data) % _NUMBER_BYTES
        return sorted({int.from_bytes(data[at : at + 4], "little") for at in range(0, whole, _NUMBER_BYTES)})

    def open_part(self, tenant: TenantId, expected: Expected, number: int, sha256: str) -> "LocalPart":
        return LocalPart(self._folder(tenant, expected.id), expected, number, sha256)

    @contextmanager
    def finishing(self, tenant: TenantId, upload: str) -> Iterator[bool]:
        try:
            mark = os.open(self._folder(tenant, upload) / "upload.json", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # there is nothing to finish, as a look will show
            yield True
            return
        try:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)  # other processes may share the root
            except OSError:
                yield False
                return
            yield True
        finally:
            os.close(mark)

    def assemble(self, tenant: TenantId, expected: Expected) -> Assembled:
        return Assembled(self._blobs, tenant, self._folder(tenant, expected.id) / "data")

    def remove(self, tenant: TenantId, upload: str) -> None:
        shutil.rmtree(self._folder(tenant, upload), ignore_errors=True)

    def expire(self, before_ms: int) -> int:
        expired = 0
        for tenant in self._root.iterdir():
            for folder in tenant.iterdir():
                with suppress(FileNotFoundError):  # finished meanwhile
                    changed = max((folder / name).stat().st_mtime for name in ("received", "."))
                    if changed * 1000 < before_ms:
                        shutil.rmtree(folder, ignore_errors=True)
                        expired += 1
        return expired

    def _folder(self, tenant: TenantId, upload: str) -> Path:
        return self._root / str(int(tenant)) / upload


class LocalPart:
    """One part on its way in: written to its place piece by piece, then committed or left."""

    def __init__(self, folder: Path, expected: Expected, number: int, sha256: str) -> None:
        self._folder = folder
        self._number = number
        self._sha256 = sha256
        self._length = expected.length_of(number)
        self._at = number * expected.part_size
        self._size = 0
        self._hash = hashlib.sha256()
        with full_as_unavailable():
            self._fd = os.open(folder / "data", os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def write(self, piece: bytes) -> None:
        if self._size + len(piece) > self._length:
            raise PartMismatch
        self._hash.update(piece)
        left, at = memoryview(piece), self._at + self._size
        with full_as_unavailable():
            while left:
                written = os.pwrite(self._fd, left, at)
                left, at = left[written:], at + written
        self._size += len(piece)

    def commit(self) -> None:
        if self._size != self._length or self._hash.hexdigest() != self._sha256:
            raise PartMismatch
        with full_as_unavailable():
            os.fdatasync(self._fd)
            fd = os.open(self._folder / "received", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                os.write(fd, self._number.to_bytes(_NUMBER_BYTES, "little"))
                os.fsync(fd)
            finally:
                os.close(fd)

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
