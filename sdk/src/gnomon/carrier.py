"""Sending files beside the points: a thread of its own, so that a large file holds up no curve.

Invariants:
- Files of one writer are sent one after the other in the order of the calls: of two at one path the later one stays.
- The thread tells what it did and changes nothing itself: whoever drains the spool writes that down, and only then is
  the copy removed. After a kill between the two a file is sent again, which changes nothing.
- It waits between tries as the uploader does, and never holds an exception back from the one who drains but as
  trouble that it tells.
"""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gnomon.errors import ApiError, ConnectionFailed, GnomonError, IntegrityError
from gnomon.jitter import own_random
from gnomon.record import Artifact
from gnomon.remote import Remote, judge

ARTIFACTS = "artifacts"
FIRST_WAIT_SECS = 0.5
LONGEST_WAIT_SECS = 60.0


class Refusal(NamedTuple):
    """Why a file will never be taken."""

    reason: str
    code: str


class Carried(NamedTuple):
    """A file that is done with: on the server, or refused for good."""

    file: Artifact
    refusal: Refusal | None


class Carrier:
    """Sends the files it is given, in their order, by a daemon thread that lives while there are any."""

    def __init__(
        self,
        folder: Path,
        run: str,
        remote: Remote,
        *,
        on_news: Callable[[], None],
        jitter: Callable[[], float] = own_random,
    ) -> None:
        """`on_news` is called by the thread when there is something to collect, or trouble to tell."""
        self._folder = folder
        self._run = run
        self._remote = remote
        self._on_news = on_news
        self._jitter = jitter
        self._changed = threading.Condition()
        self._waiting: deque[Artifact] = deque()
        self._done: deque[Carried] = deque()
        self._is_living = False
        self._is_hurried = False
        self._trouble: GnomonError | None = None

    def add(self, file: Artifact) -> None:
        with self._changed:
            self._waiting.append(file)
            if not self._is_living:
                self._is_living = True
                threading.Thread(target=self._work, name="gnomon-files", daemon=True).start()

    def collect(self) -> list[Carried]:
        """What was done since the last time."""
        with self._changed:
            done = list(self._done)
            self._done.clear()
            return done

    def trouble(self) -> GnomonError | None:
        """What the server or the connection said of the file that is being sent, since the last time."""
        with self._changed:
            found, self._trouble = self._trouble, None
            return found

    def hurry(self) -> None:
        """Somebody waits: try at once."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()

    def _work(self) -> None:
        failures = 0
        while (file := self._first()) is not None:
            try:
                carried = Carried(file, send_file(self._folder, self._run, self._remote, file))
            except Exception as error:
                failures += 1
                known = (
                    error if isinstance(error, GnomonError) else ConnectionFailed(f"{type(error).__name__}: {error}")
                )
                self._wait(known, failures)
                continue
            failures = 0
            with self._changed:
                self._waiting.popleft()
                self._done.append(carried)
            self._on_news()

    def _first(self) -> Artifact | None:
        with self._changed:
            self._is_living = bool(self._waiting)
            return self._waiting[0] if self._waiting else None

    def _wait(self, error: GnomonError, failures: int) -> None:
        longest = LONGEST_WAIT_SECS
        secs = longest
        if not isinstance(error, ApiError) or judge(error) == "again":
            secs = self._jitter() * min(longest, FIRST_WAIT_SECS * 2.0 ** min(failures - 1, 10))
            secs += getattr(error, "retry_after_secs", None) or 0.0
        with self._changed:
            self._trouble = error
        self._on_news()
        with self._changed:
            self._changed.wait_for(lambda: self._is_hurried, secs)
            self._is_hurried = False


def send_file(folder: Path, run: str, remote: Remote, file: Artifact) -> Refusal | None:
    """Send one file of a writer's folder; why not, if it can never be. Raises what is to be tried again."""
    if file.data is not None:
        source: Path | bytes = file.data
    else:
        source = folder / ARTIFACTS / file.stored
    try:
        # Else the machine lost power before the copy was on the disk.
        if isinstance(source, Path) and source.stat().st_size != file.size:
            return Refusal(f"its copy is not whole: {source}", "file_missing")
        remote.artifact(run, source, name=file.name, directory=file.directory)
    except FileNotFoundError:
        return Refusal(f"its copy is not there: {source!s}", "file_missing")
    except IntegrityError as error:  # the disk or the way spoiled it; the next try sends it whole
        raise ConnectionFailed(str(error)) from error
    except ApiError as error:
        if judge(error) != "refused":
            raise
        return Refusal(error.detail, error.code)
    return None
