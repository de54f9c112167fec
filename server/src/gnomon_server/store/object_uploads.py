"""Uploads under way whose parts are objects (the contract is in `uploads.py`).

    <prefix>/uploads/<tenant id>/<upload id>/<number>-<sha256>      a part, under what it promised to hold

What is to come stands in the table `upload_`; which parts are there is what the store lists. So any process of any host
takes the next part, and a restart forgets nothing. A part that a client put there itself (by a presigned address) is
believed no more than its name: the whole is read and hashed while it is assembled.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

import obstore
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId
from gnomon_server.store import BatchWriter
from gnomon_server.store.blobs import Content
from gnomon_server.store.meta import uploads as sql
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.object_blobs import ObjectBlobs
from gnomon_server.store.object_store import ATTACHMENT, failing_as_unavailable
from gnomon_server.store.uploads import Expected, PartMismatch

_UPLOADS = "uploads"
_PIECE_BYTES = 4 * 1024 * 1024


class StoredPart(NamedTuple):
    """A part as the store lists it."""

    key: str
    number: int
    size: int
    changed_ms: float
    etag: str


class ObjectUploads:
    """The uploads below the URL of the artifacts. Its methods may be called from any thread, by many processes."""

    def __init__(self, blobs: ObjectBlobs, database: Database, writer: BatchWriter) -> None:
        self._blobs = blobs
        self._store = blobs.store
        self._database = database
        self._writer = writer
        self._lock = Lock()
        self._finishing: set[tuple[TenantId, str]] = set()

    def begin(self, tenant: TenantId, expected: Expected, *, now_ms: int) -> None:
        def work(tx: Connection) -> None:
            sql.insert_upload(tx, tenant, expected, now_ms=now_ms)

        self._writer.call(tenant, work)

    def count(self, tenant: TenantId) -> int:
        with self._database.read(tenant) as connection:
            return sql.count_uploads(connection)

    def find(self, tenant: TenantId, upload: str) -> Expected | None:
        with self._database.read(tenant) as connection:
            return sql.find_upload(connection, upload)

    def received(self, tenant: TenantId, expected: Expected) -> list[int]:
        return sorted(self._parts(tenant, expected))

    def open_part(self, tenant: TenantId, expected: Expected, number: int, sha256: str) -> "ObjectPart":
        return ObjectPart(
            self._blobs, _part_key(tenant, expected.id, number, sha256), expected.length_of(number), sha256
        )

    @contextmanager
    def finishing(self, tenant: TenantId, upload: str) -> Iterator[bool]:
        with self._lock:
            is_first = (tenant, upload) not in self._finishing
            if is_first:
                self._finishing.add((tenant, upload))
        try:
            yield is_first
        finally:
            if is_first:
                with self._lock:
                    self._finishing.discard((tenant, upload))

    def assemble(self, tenant: TenantId, expected: Expected) -> "Assembled":
        parts = self._parts(tenant, expected)
        return Assembled(self._blobs, tenant, [parts[number] for number in sorted(parts)])

    def list_parts(self, tenant: TenantId, upload: str) -> Iterator[StoredPart]:
        """The parts of an upload as they stand in the store."""
        return self._list(f"{_UPLOADS}/{int(tenant)}/{upload}")

    def remove(self, tenant: TenantId, upload: str) -> None:
        self._writer.call(tenant, lambda tx: sql.delete_upload(tx, tenant, upload))
        self._remove_parts(tenant, upload)

    def expire(self, before_ms: int) -> int:
        """Parts whose upload is gone go too: whoever was killed between the two left them."""
        with self._database.system() as connection:
            begun = sql.begun_before(connection, before_ms)
        expired = [each for each in begun if not self._has_part_since(*each, before_ms)]
        for tenant, upload in expired:
            self.remove(tenant, upload)
        self._remove_strays(before_ms)
        return len(expired)

    def _parts(self, tenant: TenantId, expected: Expected) -> dict[int, StoredPart]:
        """The parts that have their length, by number; of two of one number the later."""
        found: dict[int, StoredPart] = {}
        for part in sorted(self.list_parts(tenant, expected.id), key=lambda part: part.changed_ms):
            if 0 <= part.number < expected.parts and part.size == expected.length_of(part.number):
                found[part.number] = part
        return found

    def _list(self, prefix: str) -> Iterator[StoredPart]:
        with failing_as_unavailable():
            for page in obstore.list(self._store, prefix=prefix, chunk_size=1000):
                for found in page:
                    number = found["path"].rpartition("/")[2].partition("-")[0]
                    changed_ms = found["last_modified"].timestamp() * 1000
                    known = int(number) if number.isdecimal() else -1
                    yield StoredPart(found["path"], known, found["size"], changed_ms, found["e_tag"] or "")

    def _has_part_since(self, tenant: TenantId, upload: str, since_ms: int) -> bool:
        return any(part.changed_ms >= since_ms for part in self.list_parts(tenant, upload))

    def _remove_parts(self, tenant: TenantId, upload: str) -> None:
        self._blobs.remove([part.key for part in self.list_parts(tenant, upload)])

    def _remove_strays(self, before_ms: int) -> None:
        old: dict[tuple[TenantId, str], list[str]] = {}
        for part in self._list(_UPLOADS):
            _, tenant, upload, _ = part.key.split("/")
            if part.changed_ms < before_ms:
                old.setdefault((TenantId(int(tenant)), upload), []).append(part.key)
        for (owner, uid), keys in old.items():
            with self._database.read(owner) as connection:
                is_known = bool(sql.known_uploads(connection, [uid]))
            if not is_known:
                self._blobs.remove(keys)


class ObjectPart:
    """One part on its way in."""

    def __init__(self, blobs: ObjectBlobs, key: str, length: int, sha256: str) -> None:
        with failing_as_unavailable():
            self._writer = obstore.open_writer(blobs.store, key, attributes=ATTACHMENT, max_concurrency=1)
        self._sha256 = sha256
        self._left = length
        self._hash = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        if len(piece) > self._left:
            raise PartMismatch
        self._left -= len(piece)
        self._hash.update(piece)
        with failing_as_unavailable():
            self._writer.write(piece)

    def commit(self) -> None:
        if self._left or self._hash.hexdigest() != self._sha256:
            raise PartMismatch
        with failing_as_unavailable():
            self._writer.close()

    def close(self) -> None:
        """A part that was not committed never becomes an object."""


class Assembled:
    """A whole that is written, as one object, from the objects of its parts. They stay until the upload is removed."""

    def __init__(self, blobs: ObjectBlobs, tenant: TenantId, parts: list[StoredPart]) -> None:
        self._store = blobs.store
        self.expected_size = sum(part.size for part in parts)
        self._incoming = blobs.begin(tenant, self.expected_size)
        self._parts = parts

    @property
    def size(self) -> int:
        return self._incoming.size

    def write(self, piece: bytes) -> None:
        raise NotImplementedError("it is made of its parts")

    def finish(self) -> Content:
        """Read every part once, hash it and write it to its place."""
        for part in self._parts:
            for start in range(0, part.size, _PIECE_BYTES):
                end = min(start + _PIECE_BYTES, part.size)
                with failing_as_unavailable():
                    piece = bytes(obstore.get_range(self._store, part.key, start=start, end=end))
                self._incoming.write(piece)
        return self._incoming.finish()

    def publish(self, sha256: str) -> str:
        return self._incoming.publish(sha256)

    def discard(self) -> None:
        self._incoming.discard()


def _part_key(tenant: TenantId, upload: str, number: int, sha256: str) -> str:
    return f"{_UPLOADS}/{int(tenant)}/{upload}/{number}-{sha256}"
