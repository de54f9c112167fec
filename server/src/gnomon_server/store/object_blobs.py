"""The contents of artifacts as objects of S3 and its like (the contract is in `blobs.py`).

    <prefix>/contents/<tenant id>/<uuid>     a whole content

Invariants:

- Every upload writes an object of its own and none is ever written again. An object shows only when it is whole: one
  request, or a multipart upload that is completed at the end.
- The object is durable before its row is committed, and its row is gone before it is removed. What a crash leaves is
  an object without a row, never a row without its object; `strays` finds those.
- Memory is bounded by a few parts an upload and one window a download, whatever the size of the file.

What was kept on the disk before an object store was chosen stays there and is read from there.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

import obstore

from gnomon_server.model.errors import TooLarge, Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store.blobs import BlobFile, Content, Used
from gnomon_server.store.local_blobs import LocalBlobs
from gnomon_server.store.object_store import ATTACHMENT, Ownership, RemoteStore, failing_as_unavailable

if TYPE_CHECKING:
    from obstore import WritableFile

_CONTENTS = "contents"
# Parts of a multipart upload: S3 takes at least 5 MiB and at most 10,000 of them.
_PART_BYTES = 8 * 1024 * 1024
_MOST_PARTS = 10_000
_PARTS_AT_ONCE = 2
# How much is asked for at once: much while few read, little when many do, so that slow readers fit into memory.
_WINDOW_BYTES = 4 * 1024 * 1024
_SMALL_WINDOW_BYTES = 512 * 1024
_FEW_READERS = 8
# Objects without a row that are older are nobody's. S3 dates an object from when its upload began, so an upload that
# took longer is not kept.
STRAY_SECS = 7 * 24 * 3600
_MOST_UPLOAD_SECS = 6 * 24 * 3600
_HEX = frozenset("0123456789abcdef")


class ObjectIncoming:
    """An object on its way in."""

    def __init__(self, store: RemoteStore, tenant: TenantId, size: int | None) -> None:
        part = max(_PART_BYTES, -(-(size or 0) // _MOST_PARTS))
        self._most = _MOST_PARTS * part
        self._store = store
        self.key = f"{_CONTENTS}/{int(tenant)}/{uuid4().hex}"
        self.size = 0
        self._hash = hashlib.sha256()
        self._began = monotonic()
        self._is_published = False
        self._has_object = False
        with failing_as_unavailable():
            self._writer: WritableFile | None = obstore.open_writer(
                store, self.key, attributes=ATTACHMENT, buffer_size=part, max_concurrency=_PARTS_AT_ONCE
            )

    def write(self, piece: bytes) -> None:
        assert self._writer is not None, "finished already"
        if self.size + len(piece) > self._most:
            raise TooLarge(f"a file of more than {self._most} bytes goes to an object store in parts; begin an upload")
        self._hash.update(piece)
        self.size += len(piece)
        if piece:
            with failing_as_unavailable():
                self._writer.write(piece)

    def finish(self) -> Content:
        assert self._writer is not None, "finished already"
        if monotonic() - self._began > _MOST_UPLOAD_SECS:
            raise Unavailable("the file took longer than six days; send it in parts", code="upload_expired")
        writer, self._writer = self._writer, None
        self._has_object = True  # or not: whoever discards it removes it in either case
        with failing_as_unavailable():
            writer.close()
        return Content(self._hash.hexdigest(), self.size)

    def publish(self, sha256: str) -> str:  # noqa: ARG002  # it has a key of its own
        self._is_published = True
        return self.key

    def discard(self) -> None:
        self._writer = None
        if self._has_object and not self._is_published:
            self._has_object = False
            with failing_as_unavailable():
                obstore.delete(self._store, self.key)


class ObjectFile:
    """An object that is open for reading: a window of it at a time, so that no connection waits for a slow reader."""

    def __init__(self, blobs: "ObjectBlobs", key: str, size: int) -> None:
        self._blobs = blobs
        self._key = key
        self._size = size
        self._at = 0
        self._window = memoryview(b"")
        self._is_open = True

    def seek(self, offset: int, /) -> int:
        self._at = offset
        self._window = memoryview(b"")
        return offset

    def read(self, size: int, /) -> bytes:
        if not self._window:
            end = min(self._at + self._blobs.window(), self._size)
            if end <= self._at:
                return b""
            with failing_as_unavailable():
                self._window = memoryview(obstore.get_range(self._blobs.store, self._key, start=self._at, end=end))
        piece = bytes(self._window[:size])
        self._window = self._window[size:]
        self._at += len(piece)
        return piece

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._window = memoryview(b"")
            self._blobs.count_readers(-1)


class ObjectBlobs:
    """The contents below one URL. Its methods may be called from any thread, by many processes at once."""

    def __init__(self, store: RemoteStore, local: LocalBlobs, owned: Ownership) -> None:
        self.store = store
        self._local = local
        self._owned = owned
        self.root = local.root
        self._lock = Lock()
        self._readers = 0

    def begin(self, tenant: TenantId, size: int | None = None) -> ObjectIncoming:
        """A new object; one of more than 80 GB must say its size."""
        return ObjectIncoming(self.store, tenant, size)

    def hold(self, tenant: TenantId, sha256: str) -> AbstractContextManager[None]:
        return self._local.hold(tenant, sha256)

    def open(self, tenant: TenantId, sha256: str, stored: str) -> BlobFile:
        if not stored:
            return self._local.open(tenant, sha256)
        with failing_as_unavailable():
            size = obstore.head(self.store, stored)["size"]
        self.count_readers(1)
        return ObjectFile(self, stored, size)

    def has(self, tenant: TenantId, sha256: str, stored: str, size: int) -> bool:
        if not stored:
            return self._local.has(tenant, sha256, stored, size)
        try:
            with failing_as_unavailable():
                return bool(obstore.head(self.store, stored)["size"] == size)
        except FileNotFoundError:
            return False

    def withdraw(self, tenant: TenantId, sha256: str, stored: str, *, used: Used) -> None:
        if stored:
            with suppress(Unavailable):  # logged; what stays is swept as a stray
                self.remove([stored])
        else:
            self._local.withdraw(tenant, sha256, stored, used=used)

    def remove(self, stored: Sequence[str]) -> None:
        if stored:
            self._owned.check()
            with failing_as_unavailable():
                obstore.delete(self.store, list(stored))

    def unpublished_bytes(self) -> int:
        return self._local.unpublished_bytes()

    def tenants(self) -> list[TenantId]:
        return self._local.tenants()

    def contents(self, tenant: TenantId) -> Iterator[list[str]]:
        return self._local.contents(tenant)

    def sweep(self, tenant: TenantId, sha256s: Sequence[str], *, used: Used) -> int:
        return self._local.sweep(tenant, sha256s, used=used)

    def empty_trash(self) -> None:
        self._local.empty_trash()

    def strays(self, before_ms: int) -> Iterator[tuple[TenantId, list[str]]]:
        before_secs = before_ms / 1000 - STRAY_SECS
        with failing_as_unavailable():
            for page in obstore.list(self.store, prefix=_CONTENTS, chunk_size=1000):
                old: dict[TenantId, list[str]] = {}
                for found in page:
                    tenant = _tenant_of(found["path"])
                    if tenant is not None and found["last_modified"].timestamp() < before_secs:
                        old.setdefault(tenant, []).append(found["path"])
                yield from old.items()

    def window(self) -> int:
        return _WINDOW_BYTES if self._readers <= _FEW_READERS else _SMALL_WINDOW_BYTES

    def count_readers(self, more: int) -> None:
        with self._lock:
            self._readers += more


def _tenant_of(key: str) -> TenantId | None:
    """Whose content a key holds; None for what this module did not write."""
    parts = key.split("/")
    if len(parts) == 3 and parts[0] == _CONTENTS and parts[1].isdecimal() and len(parts[2]) == 32:
        return TenantId(int(parts[1])) if _HEX.issuperset(parts[2]) else None
    return None
