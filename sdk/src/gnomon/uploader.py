"""The sender thread: one daemon per run and process, from the spool to the server.

Invariants:
- It shares nothing with `log()` but the files, so nothing that the network or the server does is felt there.
- Every second it has the disk hold what was logged, whatever the server does.
- Waiting between tries grows from 0.5 to 60 s with full jitter, and is never shorter than the server's `Retry-After`.
- While the process lives, the server is told so every so often as it wishes, whether anything is logged or not.
- What the server will not take until a person acts (a bad key, an archived run) is kept, tried once a minute, and said
  once.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from gnomon.capture.console import console_end
from gnomon.carrier import Carrier
from gnomon.drain import Drain, Fate, Held, Rejection
from gnomon.errors import ApiError, ConnectionFailed, GnomonError
from gnomon.jitter import own_random
from gnomon.notice import notice
from gnomon.record import Header, SpoolDamaged
from gnomon.remote import Remote
from gnomon.spool import (
    SpoolWriter,
    adopt,
    find_folders,
    has_living_sibling,
    read_header,
    segment_path,
    segments,
    sync_data,
    sync_segment,
)

TICK_SECS = 1.0
FIRST_WAIT_SECS = 0.5
LONGEST_WAIT_SECS = 60.0
HELD_WAIT_SECS = 60.0
ADOPT_EVERY_SECS = 10.0
# Console output is sent whole each time, so a large one is sent anew only after a good part more.
CONSOLE_EVERY_SECS = 30.0
CONSOLE_SMALL_BYTES = 256 * 1024
UNWANTED_CHECK_IN_SECS = 600.0
FAILED_CHECK_IN_SECS = 10.0
SHORTEST_CHECK_IN_SECS = 0.1
# Between two batches of an earlier job's backlog: cutting one takes some 20 ms of the interpreter.
PAUSE_SECS = 0.1


class _HurriedError(Exception):
    """Somebody waits for this run's own records; earlier jobs have to wait."""


class Uploader:
    """Sends what `writer` appends, and what dead writers below `root` left for the same server."""

    def __init__(
        self,
        writer: SpoolWriter,
        remote: Remote | None,
        *,
        root: Path,
        jitter: Callable[[], float] = own_random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`remote` None: nothing is sent, the spool waits for `gnomon sync`."""
        self._writer = writer
        self._remote = remote
        self._root = root
        self._jitter = jitter
        self._clock = clock
        self._changed = threading.Condition()
        self._asked = 0
        self._answered = 0
        self._is_closing = False
        self._failures = 0
        self._not_before = 0.0
        self._adopt_at = 0.0
        self._adopts_all = True
        self._console_at = self._clock() + CONSOLE_EVERY_SECS
        self._check_in_at = 0.0
        self._synced: tuple[int, int] = (0, 0)
        self._has_news = False  # of the files that go beside the points
        self._asked_of_files = -1  # the request that has to wait for them
        self.is_done = False
        self.drain = None if remote is None else self._drain_to(remote)
        self._thread: threading.Thread | None = None  # None: it is about to begin

    def start(self) -> None:
        """Send by a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="gnomon-uploader", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Send by this thread, until all is sent after `close`."""
        self._thread = threading.current_thread()
        while not self.is_done:
            with self._changed:
                pause = self._pause_secs()
                if pause > 0:
                    self._changed.wait(min(pause, TICK_SECS))
                asked, self._has_news = self._asked, False
            try:
                self._sync()
                self._round(asked)
            except Exception as error:
                # A defect here must not end the sending for the rest of the job.
                notice(f"sending failed ({type(error).__name__}: {error}); it is tried again, what was logged is kept")
                self._wait_secs(LONGEST_WAIT_SECS)

    def flush(self, timeout_secs: float) -> bool:
        """Send now what is in the spool; whether all of it was confirmed in time."""
        deadline = self._clock() + timeout_secs
        with self._changed:
            self._asked += 1
            wanted = self._asked
            self._failures, self._not_before = 0, 0.0
            self._changed.notify_all()
            if self.drain is not None:
                self.drain.hurry()
            while self._answered < wanted and not self.is_done:
                left = deadline - self._clock()
                if left <= 0 or (self._thread is not None and not self._thread.is_alive()):
                    return False
                self._changed.wait(left)
            return True

    def close(self, timeout_secs: float) -> bool:
        """Nothing more comes: send the rest, then end the thread. After the time-out it goes on by itself."""
        with self._changed:
            self._is_closing = True
        return self.flush(timeout_secs)

    def _drain_to(self, remote: Remote) -> Drain:
        folder, run = self._writer.folder, self._writer.header.run
        return Drain(
            folder,
            lambda _header: remote,
            carrier_of=lambda remote: Carrier(folder, run, remote, on_news=self._on_news, jitter=self._jitter),
            on_freed=self._writer.forget,
            on_rejected=_tell_rejected,
        )

    def _on_news(self) -> None:
        with self._changed:
            self._has_news = True
            self._changed.notify_all()

    def _pause_secs(self) -> float:
        if self._has_news and self._asked != self._answered:
            return self._not_before - self._clock()
        if self._asked in (self._answered, self._asked_of_files):
            return TICK_SECS
        return self._not_before - self._clock()

    def _round(self, asked: int) -> None:
        if self._remote is None or self.drain is None:
            self._finish_round(asked)
            return
        if self._clock() < self._not_before:
            return
        try:
            while self.drain.step():
                self._failures = 0
                self._sync()
                self._check_in(self._remote, self.drain)
            self._check_in(self._remote, self.drain)
            self._send_console(self.drain)
            self._adopt(self._remote)
            if (trouble := self.drain.trouble()) is not None:
                self._tell(trouble)
        except Held as error:
            self._tell(error)
            self._wait_secs(HELD_WAIT_SECS)
        except (ApiError, ConnectionFailed) as error:
            self._tell(error)
            self._back_off(getattr(error, "retry_after_secs", None) or 0.0)
        else:
            if self.drain.is_carrying:
                self._asked_of_files = asked
            else:
                self._finish_round(asked)

    def _tell(self, error: GnomonError) -> None:
        if isinstance(error, Held):
            notice(f"{error}")
        else:
            notice(f"what is logged waits in {self._writer.folder}: {error}", cause="unreachable")

    def _check_in(self, remote: Remote, drain: Drain) -> None:
        """Say that this process lives, until it has said how the run ended. What is logged never waits for it."""
        if self._clock() < self._check_in_at or self._is_closing or drain.cursor.status is not None:
            return
        try:
            # A server that gives no run up is asked again now and then: it may be started anew with other settings.
            wait_secs = remote.check_in(drain.header.run) or UNWANTED_CHECK_IN_SECS
        except (ApiError, ConnectionFailed):  # a batch meets the same and says it; this is only tried again
            wait_secs = FAILED_CHECK_IN_SECS * (1 + self._jitter())
        self._check_in_at = self._clock() + max(wait_secs, SHORTEST_CHECK_IN_SECS)

    def _send_console(self, drain: Drain) -> None:
        """All of it at the end; before, each time it has grown enough that sending it anew is worth it."""
        end, sent = console_end(self._writer.folder), drain.cursor.console
        if not self._is_closing:
            is_small = end <= CONSOLE_SMALL_BYTES
            if self._clock() < self._console_at or (not is_small and end - sent < max(CONSOLE_SMALL_BYTES, end // 4)):
                return
            self._console_at = self._clock() + CONSOLE_EVERY_SECS
        drain.send_console()

    def _finish_round(self, asked: int) -> None:
        with self._changed:
            if self._is_closing and asked == self._asked:
                if self.drain is not None:
                    self.drain.remove()
                self._writer.close()
                self.is_done = True
            self._answered = asked
            self._changed.notify_all()

    def _adopt(self, remote: Remote) -> None:
        """Send for the dead: forked children of this run, and once what earlier jobs left for this server."""
        if not self._is_closing and self._clock() < self._adopt_at:
            return
        self._adopt_at = self._clock() + ADOPT_EVERY_SECS
        own_run = self._writer.folder.parent
        is_known_to_go_on = self._writer.header.is_primary
        for folder in find_folders(own_run):
            self._send_dead(folder, remote, "goes on" if is_known_to_go_on else "unknown", lambda _drain: None)
        if not self._adopts_all or self._is_hurried():
            return
        try:
            for folder in find_folders(self._root):
                if folder.parent != own_run and _is_for(folder, self._writer.header):
                    self._send_dead(folder, remote, fate_of(folder), self._own_first)
        except _HurriedError:
            return
        self._adopts_all = False

    def _send_dead(self, folder: Path, remote: Remote, fate: Fate, on_step: Callable[[Drain], None]) -> None:
        if (adopted := adopt(folder)) is None:
            return
        try:
            drain_dead(folder, lambda _header: remote, fate=fate, on_step=on_step)
        except (Held, SpoolDamaged) as error:
            notice(f"{error}")
        finally:
            adopted.release()

    def _own_first(self, _dead: Drain) -> None:
        """Between two batches of an earlier job: this job's own come first, and its processor time is its own."""
        self._sync()
        while self.drain is not None and self.drain.step():
            self._sync()
        if self._is_hurried():
            raise _HurriedError
        time.sleep(PAUSE_SECS)

    def _is_hurried(self) -> bool:
        return self._asked != self._answered

    def _sync(self) -> None:
        folder = self._writer.folder
        numbers = segments(folder)
        if not numbers:
            return
        last = numbers[-1]
        size = segment_path(folder, last).stat().st_size
        if (last, size) == self._synced:
            return
        for number in numbers:
            if number > self._synced[0]:
                sync_segment(folder, number)
            elif number == self._synced[0]:
                sync_data(folder, number)
        self._synced = (last, size)

    def _back_off(self, at_least_secs: float) -> None:
        longest = min(LONGEST_WAIT_SECS, FIRST_WAIT_SECS * 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._wait_secs(at_least_secs + self._jitter() * longest)

    def _wait_secs(self, secs: float) -> None:
        self._not_before = self._clock() + secs


def drain_dead(
    folder: Path,
    remote_of: Callable[[Header], Remote],
    *,
    fate: Fate,
    on_step: Callable[[Drain], None] = lambda _drain: None,
) -> Drain:
    """Send all that a dead writer left, and remove it. The caller has adopted the folder.

    Raises what `Drain.step` raises, and `Held` when the run may yet go on.
    """
    drain = Drain(folder, remote_of, on_rejected=_tell_rejected)
    while drain.step():
        on_step(drain)
    drain.send_console()
    if not drain.close_dead(fate):
        raise Held("its points are sent, but another process of its run is alive; sync again when that has ended")
    return drain


def fate_of(folder: Path) -> Fate:
    """What this machine knows of the run of a dead writer."""
    return "unknown" if has_living_sibling(folder) else "ended"


def _is_for(folder: Path, own: Header) -> bool:
    """Whether a folder was to be sent to where we send; one that cannot be read is left to `gnomon sync`."""
    for number in segments(folder):
        try:
            header = read_header(segment_path(folder, number))[0]
        except (SpoolDamaged, FileNotFoundError):
            return False
        return not header.is_offline and (header.url, header.tenant) == (own.url, own.tenant)
    return False


def _tell_rejected(rejection: Rejection) -> None:
    sentence = f"the server refused an entry, it is kept in rejected/: {rejection.reason}"
    notice(sentence, cause=f"refused {rejection.code}")
