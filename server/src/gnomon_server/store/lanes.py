"""The writers of PostgreSQL: a few threads, each with a connection, and transactions that others may write beside.

Batches go to the thread that their run's id says, so the batches of a run keep their order; calls (what people do) go
by tenant. Each thread takes all that waits for it and stores it tenant by tenant, one transaction each: `locks.py`
says what such a transaction holds. Commits of several threads and processes share the server's fsync. Invariants:

- Nothing is answered with success before COMMIT was answered.
- A job that fails, fails alone, as with the one writer of SQLite (`writer.py`).
- Two transactions that stood in each other's way are no failure: the one that gave way is done again.
- Without a connection everything is refused with "try again", and the next group tries a new one. What a lost COMMIT
  did, nobody knows: whoever sent a batch sends it again, and the ledger tells whether it is there.
- What a transaction notes as changed is told once it is committed; of work undone nothing is told.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter, sleep
from typing import Generic, TypeVar
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.changes import Change
from gnomon_server.model.errors import GnomonError, Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store.fair_queue import Bounds, FairQueue
from gnomon_server.store.meta.doors import Writing
from gnomon_server.store.meta.driver import Savepoint
from gnomon_server.store.meta.locks import Share
from gnomon_server.store.meta.postgres import PostgresDatabase, PostgresWriting
from gnomon_server.store.meta.postgres_errors import meaning_of, refusal_of
from gnomon_server.store.tickets import Job, MustBeAlone, Ticket, Waker, announce

log = logging.getLogger("gnomon.writer")

T = TypeVar("T")
B = TypeVar("B")

LANES = 4
_MAX_QUEUED_JOBS = 1_000  # of one lane
_ALONE = Bounds(jobs=512, size=32 * 1024 * 1024)
_SHARED = Bounds(jobs=64, size=512 * 1024)
# A transaction that gave way is done again so often before its jobs are refused.
_MOST_ATTEMPTS = 6
_PAUSE_SECS = 0.02
_chance = random.SystemRandom()  # what a process seeds is not drawn from by threads


class Lanes(Generic[B]):
    """The writer threads of one process. What the rooms above call is what `Writer` has."""

    is_disk_full = False  # the disk is the database server's; what it refuses is answered batch by batch

    def __init__(
        self,
        database: PostgresDatabase,
        *,
        lane_of: Callable[[B], str],
        is_alone: Callable[[B], bool],
        commit_batches: Callable[[Writing, Sequence[tuple[TenantId, B]]], Sequence[object | GnomonError]],
        on_undo: Callable[[], None],
        on_commit: Callable[[int, float], None],
        on_changes: Callable[[Sequence[Change]], None],
        lanes: int = LANES,
    ) -> None:
        self._lane_of = lane_of
        self._here = threading.local()
        self._lanes = [
            _Lane(
                database,
                number,
                here=self._here,
                is_alone=is_alone,
                commit_batches=commit_batches,
                on_undo=on_undo,
                on_commit=on_commit,
                on_changes=on_changes,
            )
            for number in range(lanes)
        ]

    def start(self) -> None:
        for lane in self._lanes:
            lane.thread.start()

    @property
    def queued(self) -> int:
        return sum(len(lane.queue) for lane in self._lanes)

    def refuse_on_full_disk(self) -> None:
        """Nothing: the disk of the database is not the one that artifacts are kept on."""

    def submit_batch(self, tenant: TenantId, batch: B, *, size: int, waker: Waker | None = None) -> Ticket[object]:
        """Queue a batch; the ticket is answered after the commit."""
        ticket: Ticket[object] = Ticket(waker)
        place = crc32(self._lane_of(batch).encode()) % len(self._lanes)
        self._lanes[place].put(Job(tenant, ticket, batch=batch, size=size))
        return ticket

    def call(self, tenant: TenantId, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of the tenant and wait until it is committed. Its exception is raised here."""
        ticket: Ticket[object] = Ticket()
        out: list[T] = []
        job: Job[B] = Job(tenant, ticket, work=lambda connection: out.append(work(connection)))
        self._lanes[tenant % len(self._lanes)].put(job)
        ticket.wait()
        return out[-1]  # of the attempt that was committed

    def note(self, change: Change) -> None:
        """Tell of this change once the transaction at hand is committed. Called within it."""
        changes: list[Change] = self._here.changes
        changes.append(change)

    def close(self) -> None:
        """Commit what waits and end the threads."""
        for lane in self._lanes:
            lane.close()


class _Lane(Generic[B]):
    """One thread, its queue and its connection."""

    def __init__(
        self,
        database: PostgresDatabase,
        number: int,
        *,
        here: threading.local,
        is_alone: Callable[[B], bool],
        commit_batches: Callable[[Writing, Sequence[tuple[TenantId, B]]], Sequence[object | GnomonError]],
        on_undo: Callable[[], None],
        on_commit: Callable[[int, float], None],
        on_changes: Callable[[Sequence[Change]], None],
    ) -> None:
        self._database = database
        self._here = here
        self._is_alone = is_alone
        self._commit_batches = commit_batches
        self._on_undo = on_undo
        self._on_commit = on_commit
        self._on_changes = on_changes
        self._changes: list[Change] = []
        self._writing: PostgresWriting | None = None
        self._is_closed = False
        self.queue: FairQueue[Job[B]] = FairQueue(most=_MAX_QUEUED_JOBS, alone=_ALONE, shared=_SHARED)
        self.thread = threading.Thread(target=self._run, name=f"gnomon-writer-{number}", daemon=True)

    def put(self, job: Job[B]) -> None:
        if self._is_closed:
            raise Unavailable("the server is stopping; send this again in a moment", code="stopping")
        self.queue.put(job.tenant, job, size=job.size)

    def close(self) -> None:
        if not self._is_closed and self.thread.is_alive():
            self._is_closed = True
            self.queue.close()
            self.thread.join()

    def _run(self) -> None:
        self._here.changes = self._changes
        is_open = True
        while is_open:
            jobs, is_open = self.queue.take()
            by_tenant: dict[TenantId, list[Job[B]]] = {}
            for job in jobs:
                by_tenant.setdefault(job.tenant, []).append(job)
            for tenant, of_tenant in by_tenant.items():
                self._store(tenant, of_tenant)
        self._hang_up()

    def _store(self, tenant: TenantId, jobs: list[Job[B]]) -> None:
        """Store the jobs of one tenant and answer them; never raises."""
        started = perf_counter()
        error = self._committed(tenant, jobs)
        if error is not None and refusal_of(error) is None and len(jobs) > 1:
            # One of them met a defect. Nothing is kept or answered yet, so each is tried alone.
            for job in jobs:
                self._store(tenant, [job])
            return
        if error is not None:
            refusal = refusal_of(error)
            if refusal is None:
                log.error("a commit group failed", exc_info=error)
            else:
                log.warning("writes were refused: %s", getattr(error, "orig", error))
            for job in jobs:
                job.ticket.fail(refusal or error)
        self._on_commit(len(jobs), perf_counter() - started)
        if self._changes:
            self._on_changes(tuple(self._changes))
            self._changes.clear()
        announce(jobs)

    def _committed(self, tenant: TenantId, jobs: list[Job[B]]) -> Exception | None:
        """Commit the jobs in one transaction, again if it gave way to another; why it could not be done, if so."""
        share = self._share(jobs)
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            is_committing = False
            try:
                with self._connected().transaction(tenant, share=share):
                    self._run_jobs(jobs)
                    is_committing = True
            except Exception as error:
                self._on_undo()
                self._changes.clear()
                if isinstance(error, MustBeAlone) and attempt < _MOST_ATTEMPTS:
                    share = "alone"
                    continue
                meaning = meaning_of(error)
                if meaning in ("lost", "refused"):
                    self._hang_up()
                is_worth_it = meaning == "again" or (meaning == "lost" and not is_committing and attempt == 1)
                if attempt == _MOST_ATTEMPTS or not is_worth_it:
                    return error
                sleep(_PAUSE_SECS * attempt * _chance.random())  # so that two do not meet again
            else:
                return None
        raise AssertionError("the last attempt answers")

    def _share(self, jobs: list[Job[B]]) -> Share:
        is_alone = any(job.batch is None or self._is_alone(job.batch) for job in jobs)
        return "alone" if is_alone else "shared"

    def _run_jobs(self, jobs: list[Job[B]]) -> None:
        at = 0
        while at < len(jobs):
            end = at
            while end < len(jobs) and jobs[end].work is None:
                end += 1
            if end > at:
                self._run_batches(jobs[at:end])
                at = end
            else:
                self._run_work(jobs[at])
                at += 1

    def _run_work(self, job: Job[B]) -> None:
        work = job.work
        assert work is not None
        connection = self._connected().connection
        savepoint, noted = Savepoint(connection), len(self._changes)
        try:
            work(connection)
            savepoint.keep()
            job.ticket.resolve(None)
        except Exception as error:
            if meaning_of(error) != "defect":
                raise
            savepoint.undo()
            self._on_undo()
            del self._changes[noted:]
            job.ticket.fail(error)

    def _run_batches(self, jobs: list[Job[B]]) -> None:
        group = [(job.tenant, job.batch) for job in jobs if job.batch is not None]
        for job, answer in zip(jobs, self._commit_batches(self._connected(), group), strict=True):
            if isinstance(answer, GnomonError):
                job.ticket.fail(answer)
            else:
                job.ticket.resolve(answer)

    def _connected(self) -> PostgresWriting:
        if self._writing is None:
            self._writing = self._database.open_writer()
        return self._writing

    def _hang_up(self) -> None:
        """Give the connection up; the next transaction opens another."""
        writing, self._writing = self._writing, None
        if writing is not None:
            with suppress(sa.exc.DBAPIError):  # it may be dead, which is why
                writing.close()
