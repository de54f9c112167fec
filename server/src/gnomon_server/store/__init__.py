"""How things are kept: metadata and points in SQL, artifacts as files, writers in front of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy.engine import Connection

from gnomon_server.model.batches import RunBatch
from gnomon_server.model.changes import Change
from gnomon_server.model.ids import TenantId
from gnomon_server.store.blobs import Blobs
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.tickets import Ticket, Waker

__all__ = ["BatchWriter", "Connection", "Stores", "Telling", "database_path"]

T = TypeVar("T")

_SQLITE = "sqlite:///"


class BatchWriter(Protocol):
    """What takes writes: `Writer` of SQLite, `Lanes` of PostgreSQL."""

    @property
    def is_disk_full(self) -> bool:
        """Whether batches are refused until there is space."""

    @property
    def queued(self) -> int:
        """How many jobs wait."""

    def refuse_on_full_disk(self) -> None:
        """Raise when the disk is full."""

    def submit_batch(
        self, tenant: TenantId, batch: RunBatch, *, size: int, waker: Waker | None = None
    ) -> Ticket[object]:
        """Queue a batch; the ticket is answered after the commit."""

    def call(self, tenant: TenantId, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction and wait until it is committed."""

    def note(self, change: Change) -> None:
        """Tell of this change once the transaction at hand is committed."""

    def start(self) -> None:
        """Begin to take what waits."""

    def close(self) -> None:
        """Commit what waits, and end."""


class Telling(Protocol):
    """What tells other processes on the same database of committed changes."""

    def start(self) -> None:
        """Begin to tell and to hear."""

    def tell(self, changes: Sequence[Change]) -> None:
        """These changes are committed."""

    def stop(self) -> None:
        """Tell what waits, and end."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything the rooms above need of the store."""

    database: Database
    writer: BatchWriter
    blobs: Blobs


def database_path(url: str) -> Path:
    """The file behind `sqlite:///path`. Raises `ValueError` for any other database."""
    if not url.startswith(_SQLITE) or url == _SQLITE:
        raise ValueError("GNOMON_DATABASE must be sqlite:///path/to/file.db or postgresql://user@host/database")
    return Path(url.removeprefix(_SQLITE))
