"""Several server processes on one port: a supervisor that serves nothing itself.

The socket listens before the processes are made, so they share its queue: a connection waits there for whichever takes
it, and none is lost when one of them ends. The first is started alone, so that what keeps a server from starting is
said once. One that dies is replaced. A signal to stop goes to all; they end when what they had begun is done.

Each has a number, and whoever replaces one takes its number: under it the process keeps what it counts in a folder that
all of them see, so that `/metrics` answers for the port whichever process is asked.
"""

import ctypes
import fcntl
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click

_PR_SET_PDEATHSIG = 1  # of Linux's prctl.h
_COUNTS = "gnomon-counts-"
_LOCK = "in-use"
# One that dies at once each time is not replaced faster than this.
_RESTART_SECS = 1.0

# Given what to call when requests are taken, the folder of what all of them count, and the number of this one.
Serve = Callable[[Callable[[], None], Path, int], object]


class Supervisor:
    """The processes of one port. `serve` runs in each of them, and says when it takes requests."""

    def __init__(self, count: int, serve: Serve) -> None:
        self._count = count
        self._serve = serve
        self._pids: dict[int, int] = {}  # and their numbers
        self._counts = Path()
        self._is_stopping = False

    def run(self, on_ready: Callable[[], None]) -> int:
        """Start all, then replace those that die until a signal says to stop; the code to exit with."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        _remove_abandoned()
        self._counts, held = _held_folder()
        try:
            return self._run(on_ready)
        finally:
            shutil.rmtree(self._counts, ignore_errors=True)
            os.close(held)

    def _run(self, on_ready: Callable[[], None]) -> int:
        code = self._start_all()
        if code is not None:
            self._stop_all()
            return code
        if not self._is_stopping:
            on_ready()
        return self._look_after()

    def _start_all(self) -> int | None:
        """Start the first and wait for it, then the others; the code of the first that did not start."""
        for several in (range(1), range(1, self._count)):
            waiting = [self._start(number) for number in several]
            for pid, ready in waiting:
                is_ready = _wait_ready(ready)
                if not is_ready and not self._is_stopping:
                    _, status = os.waitpid(pid, 0)
                    self._pids.pop(pid, None)
                    return os.waitstatus_to_exitcode(status) or 1
        return None

    def _look_after(self) -> int:
        code = 0
        while self._pids:
            try:
                pid, status = os.wait()
            except InterruptedError:
                continue
            number = self._pids.pop(pid, None)
            if number is None:
                continue
            ended = os.waitstatus_to_exitcode(status)
            if self._is_stopping:
                # One that had not begun to serve is ended by the signal itself: there was nothing to finish.
                code = code or (0 if ended == -signal.SIGTERM else ended)
                continue
            click.echo(f"a worker (process {pid}) ended with {ended}; another is started", err=True)
            time.sleep(_RESTART_SECS)
            if not self._is_stopping:
                _, ready = self._start(number)
                os.close(ready)
        return code

    def _start(self, number: int) -> tuple[int, int]:
        """A process of its own that serves; its id, and the end of a pipe that tells when it does."""
        ready, told = os.pipe()
        sys.stderr.flush()
        parent = os.getpid()
        # Held back until the child has its own handlers and we know its id: a stop must reach every one.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        pid = os.fork()
        if pid == 0:
            os.close(ready)
            self._be_worker(parent, told, number)
        self._pids[pid] = number
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        os.close(told)
        return pid, ready

    def _be_worker(self, parent: int, told: int, own_number: int) -> None:
        """Serve and end. Never returns."""
        code = 1
        try:
            for number in _STOPS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            os.setpgid(0, 0)  # Ctrl-C is for the supervisor, which tells each once
            _end_with_parent(parent)
            self._serve(lambda: _tell_ready(told), self._counts, own_number)
            code = 0
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
        for pid in tuple(self._pids):
            os.kill(pid, number)

    def _stop_all(self) -> None:
        self._is_stopping = True
        for pid in tuple(self._pids):
            os.kill(pid, signal.SIGTERM)
        while self._pids:
            pid, _ = os.wait()
            self._pids.pop(pid, None)


def _held_folder() -> tuple[Path, int]:
    """A folder of its own, and what holds it for as long as this process, or one that it forks, lives."""
    unnamed = Path(tempfile.mkdtemp(prefix=f".{_COUNTS}"))
    held = os.open(unnamed / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    # Others see it only now that it is held.
    return unnamed.rename(unnamed.with_name(unnamed.name.removeprefix("."))), held


def _remove_abandoned() -> None:
    """Remove the folders of supervisors that were killed: nobody holds them any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_COUNTS}*"):
        try:
            found = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:  # another user's, or one that is being made or removed just now
            continue
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:  # its processes live
            continue
        finally:
            os.close(found)


def _wait_ready(ready: int) -> bool:
    """Whether the process at the other end takes requests; False when it ended first."""
    try:
        while not select.select([ready], [], [], 60)[0]:
            pass
        return os.read(ready, 1) == b"1"
    finally:
        os.close(ready)


def _tell_ready(told: int) -> None:
    try:
        os.write(told, b"1")
    except BrokenPipeError:  # of one that replaces another nobody waits for it
        pass
    finally:
        os.close(told)


def _end_with_parent(parent: int) -> None:
    """A worker whose supervisor was killed stops as if it had been told to (on Linux; elsewhere it serves on)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # killed before we asked
            os._exit(1)


_STOPS = (signal.SIGTERM, signal.SIGINT)
