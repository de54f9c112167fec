"""What stands between a run and the server in this process: the spool it appends to and the thread that sends it.

Invariants:
- `append` returns when the record is in a spool, or is counted as not kept: nothing is lost without a number.
- A spool that fills never fills: from half of its bound on, points are thinned, of each metric evenly, so that the
  whole course of it stays. How many were not kept is said in the spool and stands in the ledger of the run.
- A disk that keeps the script waiting is left for memory, unless a person has chosen it.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gnomon.notice import notice
from gnomon.places import SHARED_MEMORY, is_chosen, open_in_memory, open_writer
from gnomon.record import Header, Thinned, encode
from gnomon.sender import Sender
from gnomon.settings import Settings
from gnomon.spool import SpoolFull, SpoolWriter

# So many slow writes within so long are a slow disk; one is an accident.
SLOW_WRITES = 5
JUDGED_SECS = 60.0


class Outbox:
    """The spools and senders of one run in one process. Safe to use from threads and signal handlers."""

    def __init__(self, header: Header, settings: Settings | None, now_ms: Callable[[], int]) -> None:
        self.header = header
        self.is_offline = header.is_offline or settings is None
        self.is_closed = False
        self.on_moved: Callable[[Path], None] = lambda _folder: None
        self.dropped = 0  # points that the disk did not take
        self._settings = settings
        self._now_ms = now_ms
        self._lock = threading.RLock()
        self._spool: SpoolWriter | None = None
        self._sender: Sender | None = None
        self._older: list[Sender] = []  # of spools on a disk that was too slow, until they are sent
        self._slow_since = time.monotonic()
        self._not_kept = 0  # points that were logged, not kept, and not said in the spool yet
        self._seen: dict[str, int] = {}  # how often a metric was logged since the spool began to fill
        self._waited_secs = 0.0

    @property
    def spool(self) -> SpoolWriter | None:
        return self._spool

    def opened(self) -> SpoolWriter | None:
        """The spool, made now if there is none yet; None after the end of the run. Raises `OSError`."""
        with self._lock:
            if self._spool is None and not self.is_closed:
                self._start(open_writer(self.header))
            if self.is_closed:
                _say_closed()
                return None
            return self._spool

    def append(self, payload: bytes, *, points: int = 0, keeps: bool = False) -> None:
        """Keep a record; with `keeps`, also in a spool that is full. Raises `OSError` when the disk refuses."""
        spool = self._spool or self.opened()
        if spool is None:
            return
        try:
            spool.append(payload, beyond_limit=keeps)
        except SpoolFull:
            self._drop(points)
            notice(f"the spool is full, points are dropped and counted: {spool.folder}", cause="spool full")
        except OSError:
            if self._spool is not spool and not self.is_closed:  # another thread has left it meanwhile
                self.append(payload, points=points, keeps=keeps)
                return
            if self.is_closed:
                _say_closed()
                return
            self._drop(points)
            raise
        if spool.slow_writes >= SLOW_WRITES:
            self._judge_slow(spool)

    def thin(self, numbers: dict[str, float]) -> dict[str, float]:
        """The points to keep of these: all, or of each metric one of so many when the spool fills."""
        spool = self._spool
        if spool is not None and spool.stride > 1:
            numbers = self._thin(numbers, spool.stride)
        if self._not_kept and numbers:
            self._say_not_kept()
        return numbers

    def flush(self, timeout_secs: float) -> bool:
        """Wait until the server has confirmed what was appended; whether it did in time."""
        if self._sender is None:
            return True
        if self.is_offline:
            return False
        started = time.monotonic()
        senders = [*self._older, self._sender]
        return all(each.flush(max(0.0, timeout_secs - (time.monotonic() - started))) for each in senders)

    def stop(self, last: Callable[[], None]) -> None:
        """The run ends: take what `last` appends and nothing after it."""
        with self._lock:
            if self.is_closed:
                return
            if self._spool is not None:
                if self._not_kept:
                    self._say_not_kept()
                last()
            self.is_closed = True
            if self._spool is not None:
                self._spool.stop()

    def close(self, timeout_secs: float) -> bool:
        """Wait until all is sent; whether it is. A wait that was in vain is not waited all over again."""
        if self._sender is None:
            return True
        started = time.monotonic()
        left_secs = max(0.0, timeout_secs - self._waited_secs)
        is_sent = not self.is_offline
        for each in (self._sender, *self._older):
            is_sent &= each.close(max(0.0, left_secs - (time.monotonic() - started)))
        self._waited_secs += time.monotonic() - started
        return is_sent

    def forget_parent(self) -> None:
        """In a forked child: no writer, no thread, no lock of the parent's is of any use here."""
        self._lock = threading.RLock()
        if self._spool is not None:
            self._spool.abandon()
        self._spool = self._sender = None
        self._older = []
        self._not_kept = self.dropped = 0  # the parent counts those
        fields = {name: getattr(self.header, name) for name in self.header.__struct_fields__}
        child = {"pid": os.getpid(), "host": socket.gethostname(), "is_primary": False}
        self.header = Header(**(fields | child))

    def _start(self, spool: SpoolWriter) -> None:
        self.header = spool.header
        self._spool = spool
        self._sender = Sender(spool, None if self.is_offline else self._settings)
        self._sender.start()

    def _drop(self, points: int) -> None:
        with self._lock:
            self.dropped += points
            self._not_kept += points

    def _thin(self, numbers: dict[str, float], stride: int) -> dict[str, float]:
        kept: dict[str, float] = {}
        with self._lock:
            for key, value in numbers.items():
                seen = self._seen.get(key, 0)
                self._seen[key] = seen + 1
                if seen % stride == 0:
                    kept[key] = value
            self._not_kept += len(numbers) - len(kept)
        notice("the spool fills and points are thinned; the ledger of the run counts them", cause="thinned")
        return kept

    def _say_not_kept(self) -> None:
        with self._lock:
            count, self._not_kept = self._not_kept, 0
        try:
            self.append(encode(Thinned(self._now_ms(), count)), keeps=True)
        except OSError:  # the disk still refuses: the number is said later
            with self._lock:
                self._not_kept += count

    def _judge_slow(self, slow: SpoolWriter) -> None:
        """Go on in memory when the disk keeps the script waiting; what is on the disk is sent from there."""
        slow.slow_writes = 0
        before, self._slow_since = self._slow_since, time.monotonic()
        if self._slow_since - before > JUDGED_SECS or is_chosen() or slow.folder.is_relative_to(SHARED_MEMORY):
            return
        with self._lock:
            if self._spool is not slow or self.is_closed or self._sender is None:
                return
            spool, older = open_in_memory(self.header), self._sender
            notice(f"writing to {slow.folder} is slow, so the spool goes on in {spool.folder}", cause="slow disk")
            self._start(spool)
            self._older.append(older)
            self.on_moved(spool.folder)
            slow.leave()
            older.close(0.0)


def _say_closed() -> None:
    notice("nothing is kept of a run after its end; log before run.finish()", cause="finished")
