"""Uploads under way: files that come in parts, over many requests, restarts and days. The contract.

`local_uploads.py` keeps the parts in a folder, `object_uploads.py` as objects, with the facts in the database, so that
any process goes on with any upload. Both promise:

- A part is received only when it is durable. One that came through the server holds the SHA-256 promised for it.
- An upload is resumed by what it is, not by a number that somebody would have to remember: the same run, path, size
  and SHA-256 have the same id.
"""

import hashlib
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from gnomon_server.model.ids import TenantId
from gnomon_server.store.blobs import Incoming


class Expected(Struct, frozen=True):
    """What an upload is to become."""

    run: str
    path: str
    size: int
    sha256: str
    part_size: int

    @property
    def id(self) -> str:
        text = "\0".join((self.run, self.path, str(self.size), self.sha256))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def parts(self) -> int:
        return -(-self.size // self.part_size)

    def length_of(self, number: int) -> int:
        return min(self.part_size, self.size - number * self.part_size)


class Target(NamedTuple):
    """Where a file goes of which nothing else is known yet."""

    kind: Literal["run", "model"]
    owner: str
    path: str


class PartMismatch(Exception):
    """The bytes of a part are not those that were promised; nothing of it counts."""


class Part(Protocol):
    """One part on its way in: written piece by piece, then committed or left."""

    def write(self, piece: bytes) -> None:
        """Raises `PartMismatch` when there is more of it than the part has."""

    def commit(self) -> None:
        """The part is durable when this returns. Raises `PartMismatch`."""

    def close(self) -> None: ...


class UploadStore(Protocol):
    """The uploads of all tenants. Its methods may be called from any thread."""

    def begin(self, tenant: TenantId, expected: Expected, *, now_ms: int) -> None:
        """Expect an upload; one that is under way goes on."""

    def count(self, tenant: TenantId) -> int:
        """How many uploads of a tenant are under way."""

    def find(self, tenant: TenantId, upload: str) -> Expected | None: ...
    def received(self, tenant: TenantId, expected: Expected) -> list[int]:
        """The parts that are durable, ascending."""

    def open_part(self, tenant: TenantId, expected: Expected, number: int, sha256: str) -> Part: ...
    def finishing(self, tenant: TenantId, upload: str) -> AbstractContextManager[bool]:
        """Whether the caller alone, of this process, finishes this upload now."""

    def assemble(self, tenant: TenantId, expected: Expected) -> Incoming:
        """The whole, of all parts; finishing it reads and hashes every byte."""

    def remove(self, tenant: TenantId, upload: str) -> None:
        """Forget an upload; what is not there is forgotten."""

    def expire(self, before_ms: int) -> int:
        """Forget the uploads that took no part since then; how many."""
