"""Files that go past the server: presigned addresses, by which a client speaks to the object store itself.

An address opens one object for one method and a short time. What is read by one is a download whoever serves it: each
object was written as an attachment of no known type (`object_store.ATTACHMENT`). What is written by one is a part below
`uploads/`, never a content: a content is made of parts by the server, which reads and hashes every byte, so an address
that is still valid afterwards changes nothing that anybody reads.

    <prefix>/uploads/<tenant id>/<upload id>/<number>-direct      a part that came so
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

import obstore

from gnomon_server.model.ids import TenantId
from gnomon_server.store import BatchWriter
from gnomon_server.store.meta import uploads as sql
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.object_blobs import ObjectBlobs
from gnomon_server.store.object_store import failing_as_unavailable
from gnomon_server.store.object_uploads import Assembled, ObjectUploads, StoredPart
from gnomon_server.store.uploads import Expected, Target


class SentPart(NamedTuple):
    """A part as the client says that it was taken: its number, and the ETag that the store answered."""

    number: int
    etag: str


class PartMissing(Exception):
    """A part is not in the store, or another one than the client sent stands there."""


class DirectStore:
    """Signs addresses. Its methods may be called from any thread, by many processes."""

    def __init__(self, blobs: ObjectBlobs, uploads: ObjectUploads, database: Database, writer: BatchWriter) -> None:
        self._blobs = blobs
        self._uploads = uploads
        self._database = database
        self._writer = writer

    def download_url(self, stored: str, *, secs: int) -> str:
        """Where a content can be read for so long."""
        return self._sign("GET", [stored], secs)[0]

    def part_urls(self, tenant: TenantId, upload: str, numbers: Sequence[int], *, secs: int) -> list[str]:
        """Where parts can be put for so long."""
        return self._sign("PUT", [_key(tenant, upload, number) for number in numbers], secs)

    def part_urls_of(self, tenant: TenantId, expected: Expected, numbers: Sequence[int], *, secs: int) -> list[str]:
        """The same of an upload that said what it will be."""
        return self.part_urls(tenant, expected.id, numbers, secs=secs)

    def begin(self, tenant: TenantId, target: Target, *, now_ms: int) -> str:
        """Expect an upload of which nothing is known but where it goes; its id."""
        upload = uuid4().hex
        self._writer.call(tenant, lambda tx: sql.insert_target(tx, tenant, upload, target, now_ms=now_ms))
        return upload

    def find(self, tenant: TenantId, upload: str) -> Target | None:
        with self._database.read(tenant) as connection:
            return sql.find_target(connection, upload)

    def assemble(self, tenant: TenantId, upload: str, parts: Sequence[SentPart]) -> Assembled:
        """The whole, of these parts in the order of their numbers. Raises `PartMissing`."""
        found = {part.number: part for part in self._uploads.list_parts(tenant, upload)}
        chosen: list[StoredPart] = []
        for sent in sorted(parts):
            part = found.get(sent.number)
            if part is None or part.etag.strip('"') != sent.etag.strip('"'):
                raise PartMissing(f"part {sent.number} is not what the object store holds; upload it again")
            chosen.append(part)
        return Assembled(self._blobs, tenant, chosen)

    def remove(self, tenant: TenantId, upload: str) -> None:
        self._uploads.remove(tenant, upload)

    def _sign(self, method: str, keys: Sequence[str], secs: int) -> list[str]:
        expires = timedelta(seconds=secs)
        with failing_as_unavailable():
            if method == "GET":
                return list(obstore.sign(self._blobs.store, "GET", list(keys), expires))
            return list(obstore.sign(self._blobs.store, "PUT", list(keys), expires))


def _key(tenant: TenantId, upload: str, number: int) -> str:
    return f"uploads/{int(tenant)}/{upload}/{number}-direct"
