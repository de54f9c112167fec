"""What the processes on one PostgreSQL database tell each other: what has changed, what tenants took of their rates.

Said by NOTIFY after the commit and not in it: a transaction that notifies waits for all others that do. One thread with
a connection of its own gathers what was committed here, tells it five times a second, and hears the others. Invariants:

- What is told is committed. Nothing waits for it, not even for the disk.
- What could not be told is told after the next connection.
- Who may have missed something looks at everything again: after a lost connection, and when another process has gone
  silent without saying that it stops, since it may have committed what it told nobody.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import TypeVar

import msgspec
import psycopg
import sqlalchemy as sa
from msgspec import Struct

from gnomon_server.model.changes import Change
from gnomon_server.model.ids import new_uid
from gnomon_server.model.spending import Spending, Spent
from gnomon_server.store.meta.postgres import PostgresDatabase

log = logging.getLogger("gnomon.gossip")

T = TypeVar("T")

_CHANNEL = "gnomon_changes"
_ROUND_SECS = 0.2
_SIGN_OF_LIFE_SECS = 1.0
_SILENT_SECS = 4.0
_RECONNECT_SECS = 1.0
# PostgreSQL takes 8,000 bytes a message.
_MESSAGE_BYTES = 7_500
# Of a run with more changed metrics than a watcher lists, one more than that is as good as all.
_MOST_KEYS = 201
# Past it the experiments are told, and not what changed in them.
_MOST_WAITING = 2_000


class _Message(Struct, frozen=True, array_like=True):
    """What is added goes to the end: a server of another version ignores what it does not know."""

    sender: str
    is_leaving: bool
    changes: Sequence[Change] = ()
    spent: Sequence[Spent] = ()


class Gossip:
    """One process among those that share a database. `hear` and `hear_gap` are called in its thread."""

    def __init__(
        self,
        database: PostgresDatabase,
        *,
        hear: Callable[[Sequence[Change]], None],
        hear_gap: Callable[[], None],
        spending: Spending,
    ) -> None:
        self._database = database
        self._spending = spending
        self._hear = hear
        self._hear_gap = hear_gap
        self._me = new_uid()
        self._waiting: dict[tuple[object, ...], Change] = {}
        self._lock = threading.Lock()
        self._heard: dict[str, float] = {}
        self._told = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gnomon-gossip", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tell what waits, say goodbye and end the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def tell(self, changes: Sequence[Change]) -> None:
        """These changes are committed. Called in writers' threads."""
        with self._lock:
            for change in changes:
                self._gather(change)
            if len(self._waiting) > _MOST_WAITING:
                places = {(change.tenant, change.experiment) for change in self._waiting.values()}
                self._waiting = {place: Change("runs", *place) for place in places}

    def _gather(self, change: Change) -> None:
        place = (change.kind, change.tenant, change.experiment, change.run)
        known = self._waiting.get(place)
        if known is not None and change.keys:
            keys = list(dict.fromkeys((*known.keys, *change.keys)))
            change = change._replace(keys=keys)
        self._waiting[place] = change._replace(keys=list(change.keys)[:_MOST_KEYS])

    def _run(self) -> None:
        is_first = True
        while not self._stop.is_set():
            try:
                with self._database.listen(_CHANNEL) as connection:
                    if not is_first:
                        self._hear_gap()  # nothing was heard while there was no connection
                    is_first = False
                    self._converse(connection)
            except (psycopg.Error, sa.exc.DBAPIError) as error:
                log.warning("the other servers are not heard for now: %s", str(error).strip())
                self._heard.clear()
                self._stop.wait(_RECONNECT_SECS)

    def _converse(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        while not self._stop.is_set():
            # To the end, which comes with the round: what this has read and not yet given would be lost by leaving it.
            for notice in connection.notifies(timeout=_ROUND_SECS):
                self._take(notice.payload)
            self._say(connection)
            self._miss_silent()
        self._say(connection, is_leaving=True)

    def _take(self, payload: str) -> None:
        message = msgspec.json.decode(payload, type=_Message)
        if message.sender == self._me:
            return
        if message.is_leaving:
            self._heard.pop(message.sender, None)
        else:
            self._heard[message.sender] = monotonic()
        if message.changes:
            self._hear(message.changes)
        if message.spent:
            self._spending.hear(message.spent)

    def _say(self, connection: psycopg.Connection[tuple[object, ...]], *, is_leaving: bool = False) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        # A process that has not been heard yet knows nothing of what was let through before.
        spent = self._spending.tell(1 + len(self._heard))
        if not self._heard:
            spent = ()
        if not waiting and not spent and not is_leaving and monotonic() - self._told < _SIGN_OF_LIFE_SECS:
            return
        try:
            for changes in _parts(list(waiting.values())):
                self._send(connection, _Message(self._me, is_leaving, changes))
            for some in _parts(spent) if spent else ():
                self._send(connection, _Message(self._me, is_leaving, (), some))
        except psycopg.Error:
            with self._lock:
                for change in waiting.values():
                    self._gather(change)
            raise
        self._told = monotonic()

    @staticmethod
    def _send(connection: psycopg.Connection[tuple[object, ...]], message: _Message) -> None:
        connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, msgspec.json.encode(message).decode()))

    def _miss_silent(self) -> None:
        limit = monotonic() - _SILENT_SECS
        silent = [sender for sender, at in self._heard.items() if at < limit]
        for sender in silent:
            del self._heard[sender]
        if silent:
            self._hear_gap()


def _parts(told: Sequence[T]) -> Iterator[list[T]]:
    """What is told in messages that PostgreSQL takes; one, and empty, when there is nothing."""
    part: list[T] = []
    size = 0
    for one in told:
        more = len(msgspec.json.encode(one)) + 1
        if part and size + more > _MESSAGE_BYTES - 100:
            yield part
            part, size = [], 0
        part.append(one)
        size += more
    yield part
