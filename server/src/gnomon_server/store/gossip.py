"""What the processes on one PostgreSQL database tell each other: which experiments and runs have changed.

Said by NOTIFY after the commit and not in it: a transaction that notifies waits for all others that do. One thread with
a connection of its own gathers what was committed here, tells it five times a second, and hears the others. Invariants:

- What is told is committed. Nothing waits for it.
- Who may have missed something looks at everything again: after a lost connection, and when another process has gone
  silent without saying that it stops, since it may have committed what it told nobody.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

import msgspec
import psycopg
import sqlalchemy as sa
from msgspec import Struct

from gnomon_server.model.changes import Change
from gnomon_server.model.ids import new_uid
from gnomon_server.store.meta.postgres import PostgresDatabase

log = logging.getLogger("gnomon.gossip")

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
    sender: str
    is_leaving: bool
    changes: Sequence[Change] = ()


class Gossip:
    """One process among those that share a database. `hear` and `hear_gap` are called in its thread."""

    def __init__(
        self, database: PostgresDatabase, *, hear: Callable[[Sequence[Change]], None], hear_gap: Callable[[], None]
    ) -> None:
        self._database = database
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
            for notice in connection.notifies(timeout=_ROUND_SECS):
                self._take(notice.payload)
                if self._is_talkative():
                    break
            self._say(connection)
            self._miss_silent()
        self._say(connection, is_leaving=True)

    def _is_talkative(self) -> bool:
        """Whether this process has something to tell; what others say does not keep it from doing so."""
        return bool(self._waiting) or monotonic() - self._told >= _SIGN_OF_LIFE_SECS

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

    def _say(self, connection: psycopg.Connection[tuple[object, ...]], *, is_leaving: bool = False) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting and not is_leaving and monotonic() - self._told < _SIGN_OF_LIFE_SECS:
            return
        for part in _parts(list(waiting.values())):
            payload = msgspec.json.encode(_Message(self._me, is_leaving, part)).decode()
            connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))
        self._told = monotonic()

    def _miss_silent(self) -> None:
        limit = monotonic() - _SILENT_SECS
        silent = [sender for sender, at in self._heard.items() if at < limit]
        for sender in silent:
            del self._heard[sender]
        if silent:
            self._hear_gap()


def _parts(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The changes in messages that PostgreSQL takes; one, and empty, when there are none."""
    part: list[Change] = []
    size = 0
    for change in changes:
        more = len(msgspec.json.encode(change)) + 1
        if part and size + more > _MESSAGE_BYTES - 100:
            yield part
            part, size = [], 0
        part.append(change)
        size += more
    yield part
