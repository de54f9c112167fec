"""The database and the writer of a server that is traced: each snapshot and each commit that is waited for is a span.

Put around what is there when a server starts with tracing on; without, nothing of this is in the way.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sqlalchemy.engine import Connection

from gnomon_server.model.batches import RunBatch
from gnomon_server.model.changes import Change
from gnomon_server.model.ids import TenantId
from gnomon_server.store import BatchWriter
from gnomon_server.store.meta.doors import Database, Writing
from gnomon_server.store.tickets import Ticket, Waker

T = TypeVar("T")
# A span of this name while the block runs.
Within = Callable[[str], AbstractContextManager[None]]


class TracedDatabase:
    """A database whose snapshots are spans."""

    def __init__(self, database: Database, within: Within) -> None:
        self._database = database
        self._within = within
        self.is_shared = database.is_shared
        self.moved = database.moved

    @contextmanager
    def read(self, tenant: TenantId | None) -> Iterator[Connection]:
        with self._within("store.read"), self._database.read(tenant) as connection:
            yield connection

    @contextmanager
    def system(self) -> Iterator[Connection]:
        with self._within("store.system"), self._database.system() as connection:
            yield connection

    def open_writer(self) -> Writing:
        return self._database.open_writer()

    def close(self) -> None:
        self._database.close()


class TracedWriter:
    """A writer whose commits are spans of whoever waits for them."""

    def __init__(self, writer: BatchWriter, within: Within) -> None:
        self._writer = writer
        self._within = within

    @property
    def is_disk_full(self) -> bool:
        return self._writer.is_disk_full

    @property
    def queued(self) -> int:
        return self._writer.queued

    def refuse_on_full_disk(self) -> None:
        self._writer.refuse_on_full_disk()

    def submit_batch(
        self, tenant: TenantId, batch: RunBatch, *, size: int, waker: Waker | None = None
    ) -> Ticket[object]:
        return self._writer.submit_batch(tenant, batch, size=size, waker=waker)

    def call(self, tenant: TenantId, work: Callable[[Connection], T]) -> T:
        with self._within("commit"):
            return self._writer.call(tenant, work)

    def note(self, change: Change) -> None:
        self._writer.note(change)

    def start(self) -> None:
        self._writer.start()

    def close(self) -> None:
        self._writer.close()
