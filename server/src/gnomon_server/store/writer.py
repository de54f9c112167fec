"""Group commit: one thread, one transaction for everything that waits, one fsync for all of it.

Jobs come in a queue that is fair between tenants (`fair_queue.py`). The thread takes all that wait, runs them inside
one transaction, commits, and only then answers each. While the disk syncs, the next group gathers; no timer is needed.
Invariants:

- Nothing is answered with success before the commit has returned.
- A job that fails, fails alone: its work is undone to its savepoint, the others commit.
- Batches that stand side by side in the queue are handed over together, so that they share their statements. Those
  that are refused leave nothing behind; if one meets a defect, the group is undone and each of its jobs tried alone.
- A failed COMMIT or a disk that lies ends the process (`on_fatal`): what the file holds is then unknown, and only a
  restart that reads it again can tell.
- A full disk does not: batches are refused until there is space, and calls (what people do: rename, end, delete) go on
  in the room that the reserve leaves. Whatever they free is given back to the disk at once.
- What a transaction notes as changed is told once it is committed (`on_changes`); of work undone nothing is told.
- Caches that commit functions keep are dropped whenever work is undone (`on_undo`), so they never remember what the
  database does not hold.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Generic, TypeVar

import pysqlite3.dbapi2 as sqlite
from sqlalchemy.engine import Connection

from gnomon_server.model.changes import Change
from gnomon_server.model.errors import GnomonError, Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store.fair_queue import Bounds, FairQueue
from gnomon_server.store.meta.driver import Savepoint
from gnomon_server.store.meta.engine import Database, WriteConnection
from gnomon_server.store.meta.sqlite_errors import is_disk_in_doubt, is_full
from gnomon_server.store.reserve import Reserve
from gnomon_server.store.tickets import Job, Ticket, Waker, announce

log = logging.getLogger("gnomon.writer")

T = TypeVar("T")
B = TypeVar("B")

MAX_QUEUED_JOBS = 2_000
# A group is closed at this many bytes of points, so that one commit stays short whatever waits.
_MAX_GROUP_JOBS = 512
_MAX_GROUP_BYTES = 32 * 1024 * 1024
# While several tenants write: who sends little waits for one group of the others, so groups are shorter.
_SHARED_GROUP = Bounds(jobs=64, size=512 * 1024)
# Of a full disk so many pages are cut off the database at a time, if so many are free.
_SHRUNK_PAGES = 2_048
# For so long a write on a full disk waits for readers whose snapshots hold the WAL.
_FULL_WAIT_SECS = 0.5
_STORAGE_FULL = "the server's disk is full: reads and deletes go on; free space, then send this again"


class Writer(Generic[B]):
    """The writer thread. `commit_batches` is core's: it stores the batches and answers one result or error for each."""

    def __init__(
        self,
        database: Database,
        *,
        commit_batches: Callable[[WriteConnection, Sequence[tuple[TenantId, B]]], Sequence[object | GnomonError]],
        on_undo: Callable[[], None],
        on_fatal: Callable[[Exception], None],
        on_commit: Callable[[int, float], None],
        on_changes: Callable[[Sequence[Change]], None],
        reserve: Reserve | None = None,
    ) -> None:
        self._database = database
        self._reserve = reserve
        self._commit_batches = commit_batches
        self._on_undo = on_undo
        self._on_fatal = on_fatal
        self._on_commit = on_commit
        self._on_changes = on_changes
        self._changes: list[Change] = []
        self._queue: FairQueue[Job[B]] = FairQueue(
            most=MAX_QUEUED_JOBS, alone=Bounds(jobs=_MAX_GROUP_JOBS, size=_MAX_GROUP_BYTES), shared=_SHARED_GROUP
        )
        self._is_closed = False
        self._is_disk_full = False
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="gnomon-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_disk_full(self) -> bool:
        """Whether batches are refused until there is space. What nobody waits for should leave the reserve alone."""
        return self._is_disk_full

    @property
    def queued(self) -> int:
        return len(self._queue)

    def refuse_on_full_disk(self) -> None:
        """Raise when the disk is full: for what would take its last bytes without passing through here."""
        if self._is_disk_full:
            raise _storage_full()

    def submit_batch(self, tenant: TenantId, batch: B, *, size: int, waker: Waker | None = None) -> Ticket[object]:
        """Queue a batch; the ticket is answered after the commit."""
        ticket: Ticket[object] = Ticket(waker)
        self._put(Job(tenant, ticket, batch=batch, size=size))
        return ticket

    def call(self, tenant: TenantId, work: Callable[[Connection], T]) -> T:
        """Run `work` in the next group and wait until it is committed. Its exception is raised here."""
        ticket: Ticket[object] = Ticket()
        out: list[T] = []
        self._put(Job(tenant, ticket, work=lambda connection: out.append(work(connection))))
        ticket.wait()
        return out[-1]  # of the attempt that was committed

    def note(self, change: Change) -> None:
        """Tell of this change once the transaction at hand is committed. Called within it."""
        self._changes.append(change)

    def close(self) -> None:
        """Commit what waits, checkpoint, and end the thread."""
        if not self._is_closed and self._thread.is_alive():
            self._is_closed = True
            self._queue.close()
            self._thread.join()

    def _put(self, job: Job[B]) -> None:
        if self._broken is not None or self._is_closed:
            raise Unavailable("the server is stopping; send this again in a moment", code="stopping")
        self._queue.put(job.tenant, job, size=job.size)

    def _run(self) -> None:
        try:
            writing = self._database.open_writer()
            try:
                self._hold_reserve()
                self._work_off(writing)
                self._leave(writing)
            finally:
                writing.close()
        except Exception as error:  # without this thread every write would wait for ever
            self._stop(error)

    def _work_off(self, writing: WriteConnection) -> None:
        is_open = True
        while is_open:
            jobs, is_open = self._queue.take()
            if jobs:
                self._commit_group(writing, jobs)

    def _hold_reserve(self) -> None:
        if self._reserve is not None:
            self._reserve.hold()

    def _leave(self, writing: WriteConnection) -> None:
        """Leave the home small: the WAL in the database, nothing set aside."""
        if self._reserve is not None:
            self._reserve.release()
        try:
            writing.checkpoint()
        except sqlite.OperationalError as error:
            if not is_full(error):
                raise
            log.warning("the disk has no room for a checkpoint; the next start reads the WAL as it is")

    def _commit_group(self, writing: WriteConnection, jobs: list[Job[B]]) -> None:
        if self._is_disk_full:
            self._look_for_space()
        if self._is_disk_full:
            jobs = self._refuse_batches(jobs)
        if jobs:
            self._commit(writing, jobs)
            if self._is_disk_full:
                self._make_room(writing)

    def _commit(self, writing: WriteConnection, jobs: list[Job[B]]) -> None:
        started = perf_counter()
        try:
            with writing.connection.begin():
                self._run_jobs(writing, jobs)
        except Exception as error:
            self._on_undo()
            self._changes.clear()
            if len(jobs) > 1 and not is_disk_in_doubt(error):
                # One of them met a defect. Nothing is kept or answered yet, so each is tried alone.
                for job in jobs:
                    self._commit(writing, [job])
                return
            if is_full(error) and not self._is_disk_full:
                # Batches wait for space; calls are tried again in the room that there is now.
                log.error("the disk is full: what is logged is refused until there is space")
                self._is_disk_full = True
                self._make_room(writing)
                if jobs := self._refuse_batches(jobs):
                    self._commit(writing, jobs)
                return
            refusal = self._refusal(error)
            for job in jobs:
                job.ticket.fail(refusal)
        self._on_commit(len(jobs), perf_counter() - started)
        if self._changes:
            changes, self._changes = self._changes, []
            self._on_changes(changes)
        # The last thing done: whoever is woken wants the interpreter lock, which this thread lets go of next.
        announce(jobs)

    def _refusal(self, error: Exception) -> Exception:
        """What to tell the jobs of a group that could not be committed; ends the process when the disk is in doubt."""
        if is_full(error):
            return _storage_full()
        if is_disk_in_doubt(error):
            self._stop(error)
            return Unavailable("the server lost its disk and stops; send this again", code="stopping")
        log.error("a commit group failed", exc_info=error)
        return error

    def _stop(self, error: Exception) -> None:
        self._broken = error
        log.critical(
            "the database could not be written: the process stops, a restart reads what is on the disk", exc_info=error
        )
        self._on_fatal(error)

    def _refuse_batches(self, jobs: list[Job[B]]) -> list[Job[B]]:
        """Answer the batches of a group that meets a full disk; its other jobs."""
        refused = [job for job in jobs if job.work is None]
        for job in refused:
            job.ticket.fail(_storage_full())
        announce(refused)
        return [job for job in jobs if job.work is not None]

    def _make_room(self, writing: WriteConnection) -> None:
        """Give the disk back what the WAL and the free pages of the database hold of it."""
        if self._reserve is not None:
            self._reserve.release()
        try:
            writing.checkpoint(wait_secs=_FULL_WAIT_SECS)
            writing.shrink(most_pages=_SHRUNK_PAGES)
            writing.checkpoint(wait_secs=_FULL_WAIT_SECS)
        except sqlite.OperationalError as error:
            if not is_full(error):
                self._stop(error)
                return
            log.warning("the disk has no room for a checkpoint; the next one tries again")
        self._look_for_space()

    def _look_for_space(self) -> None:
        """Take batches again when the reserve could be set aside again."""
        if self._reserve is None or self._reserve.hold():
            log.warning("there is space on the disk again: writes are taken")
            self._is_disk_full = False

    def _run_jobs(self, writing: WriteConnection, jobs: list[Job[B]]) -> None:
        at = 0
        while at < len(jobs):
            end = at
            while end < len(jobs) and jobs[end].work is None:
                end += 1
            if end > at:
                self._run_batches(writing, jobs[at:end])
                at = end
            else:
                self._run_work(writing, jobs[at])
                at += 1

    def _run_work(self, writing: WriteConnection, job: Job[B]) -> None:
        work = job.work
        assert work is not None
        with writing.as_tenant(job.tenant) as connection:
            savepoint, noted = Savepoint(connection), len(self._changes)
            try:
                work(connection)
                savepoint.keep()
                job.ticket.resolve(None)
            except Exception as error:
                if is_disk_in_doubt(error):
                    raise
                savepoint.undo()
                self._on_undo()
                del self._changes[noted:]
                job.ticket.fail(error)

    def _run_batches(self, writing: WriteConnection, jobs: list[Job[B]]) -> None:
        answers = self._commit_batches(writing, [(job.tenant, job.batch) for job in jobs if job.batch is not None])
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, GnomonError):
                job.ticket.fail(answer)
            else:
                job.ticket.resolve(answer)


def _storage_full() -> Unavailable:
    return Unavailable(_STORAGE_FULL, code="storage_full", retry_after_secs=10)
