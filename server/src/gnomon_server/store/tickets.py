"""What waits for the writer, and how its answer comes back."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId

T = TypeVar("T")
B = TypeVar("B")


class Waker(Protocol):
    """Whoever waits for tickets: told once per group, from the writer's thread."""

    def wake(self, tickets: "Sequence[Ticket[object]]") -> None: ...


class MustBeAlone(Exception):
    """Raised by who stores batches: beside others this cannot be decided; do the transaction again, and alone."""


class Ticket(Generic[T]):
    """The answer to come of one job: `result()` after the waker was told, or `wait()` in a thread of one's own."""

    __slots__ = ("_done", "_error", "_value", "owner", "waker")

    def __init__(self, waker: Waker | None = None) -> None:
        self.waker = waker
        self.owner: object = None  # the waiter's own mark, e.g. its future
        self._value: list[T] = []
        self._error: Exception | None = None
        self._done = threading.Event() if waker is None else None

    def resolve(self, value: T) -> None:
        """The last word counts: a group that was undone is tried again, and what it had answered is forgotten."""
        self._value, self._error = [value], None

    def fail(self, error: Exception) -> None:
        self._value, self._error = [], error

    def announce(self) -> None:
        if self._done is not None:
            self._done.set()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value[0]

    def wait(self) -> T:
        assert self._done is not None, "a ticket with a waker is not waited for in a thread"
        self._done.wait()
        return self.result()


@dataclass(slots=True)
class Job(Generic[B]):
    """A batch to store, or work to run in a transaction."""

    tenant: TenantId
    ticket: Ticket[object]
    work: Callable[[Connection], object] | None = None
    batch: B | None = None
    size: int = 0


def announce(jobs: list[Job[B]]) -> None:
    """Tell whoever waits for these jobs that they are answered."""
    woken: dict[int, tuple[Waker, list[Ticket[object]]]] = {}
    for job in jobs:
        waker = job.ticket.waker
        if waker is None:
            job.ticket.announce()
        else:
            woken.setdefault(id(waker), (waker, []))[1].append(job.ticket)
    for waker, tickets in woken.values():
        waker.wake(tickets)
