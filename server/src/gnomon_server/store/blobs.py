"""The contents of artifacts: whole or not there, apart for each tenant. The contract of the two ways to keep them.

`local_blobs.py` keeps files below the home, `object_blobs.py` objects in S3 and its like. Both promise:

- No name that a client chose becomes part of a path or key.
- A content can be read only when it is whole and durable, and `publish` returns only then.
- A content that is held, or that a committed row uses, is never swept.

A content stands under its SHA-256 on the disk (its object is then ""), and under a key of its own in an object store,
which the database holds (`blob_object`): two uploads never write one object, so removing one can never take away what
another upload, of another process, has just kept.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from gnomon_server.model.ids import TenantId

# Which of some contents a committed row names.
Used = Callable[[Sequence[str]], Collection[str]]


class Content(NamedTuple):
    """What a file turned out to hold."""

    sha256: str
    size: int


class BlobFile(Protocol):
    """A content that is open for reading; it stays readable for a while when it is swept meanwhile."""

    def seek(self, offset: int, /) -> int: ...
    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""

    def close(self) -> None: ...


class Incoming(Protocol):
    """A content on its way in: written and hashed piece by piece, finished and published, or discarded."""

    @property
    def size(self) -> int: ...
    def write(self, piece: bytes) -> None: ...
    def finish(self) -> Content:
        """All of it is durable when this returns."""

    def publish(self, sha256: str) -> str:
        """Let it be read; the object under which it stands. The caller holds it."""

    def discard(self) -> None:
        """Leave nothing behind; after publishing there is nothing left to remove."""


class Blobs(Protocol):
    """The contents of all tenants. Its methods may be called from any thread."""

    @property
    def root(self) -> Path:
        """The folder of what is kept on the disk."""

    def begin(self, tenant: TenantId) -> Incoming: ...
    def hold(self, tenant: TenantId, sha256: str) -> AbstractContextManager[None]:
        """While held, a content is not swept, whatever the database says of it."""

    def open(self, tenant: TenantId, sha256: str, stored: str) -> BlobFile:
        """A content for reading. Raises `FileNotFoundError`."""

    def has(self, tenant: TenantId, sha256: str, stored: str, size: int) -> bool:
        """Whether the content is there, of this size. Only while it is held does that stay so."""

    def withdraw(self, tenant: TenantId, sha256: str, stored: str, *, used: Used) -> None:
        """Remove a published content that no row was written for; `used` is asked again where that is not sure."""

    def remove(self, stored: Sequence[str]) -> None:
        """Remove objects whose rows are gone."""

    def unpublished_bytes(self) -> int:
        """What lies on the disk without being a content: uploads under way, and what waits to be unlinked."""

    def tenants(self) -> list[TenantId]:
        """The tenants that have, or had, contents on the disk."""

    def contents(self, tenant: TenantId) -> Iterator[list[str]]:
        """The digests of a tenant's contents on the disk, some at a time."""

    def sweep(self, tenant: TenantId, sha256s: Sequence[str], *, used: Used) -> int:
        """Remove the contents from the disk that are neither held nor used; how many."""

    def empty_trash(self) -> None:
        """Give back the room of what was swept."""

    def strays(self, before_ms: int) -> Iterator[tuple[TenantId, list[str]]]:
        """Objects that are older, some of one tenant at a time; those without a row are nobody's."""
