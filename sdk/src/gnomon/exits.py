"""How a process ends, and what that means for its runs.

Invariants:
- A run that the script did not finish is finished when the process ends: `failed` after an exception that nobody
  caught, `killed` after Ctrl-C, SIGTERM or SIGHUP, else `finished`.
- Leaving takes at most `GNOMON_EXIT_TIMEOUT` seconds (5) for all runs together.
- Handlers that the script has set are left alone, and the process ends by the same signal it was sent.
- A forked child forgets the writers and threads it does not have.
"""

import atexit
import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Protocol

from gnomon.record import EndStatus

DEFAULT_TIMEOUT_SECS = 5.0


class Ending(Protocol):
    """A run, as seen from the end of the process."""

    def end_with_process(self, status: EndStatus, timeout_secs: float) -> None: ...
    def forget_parent(self) -> None: ...


class _Process:
    """The runs of this process that may still have something to send. One per process, by its nature."""

    def __init__(self) -> None:
        self.runs: list[Ending] = []
        self.status: EndStatus = "finished"
        self.is_interrupted = False  # by a Ctrl-C that nobody caught
        self.is_child = False
        self.is_watching = False


_process = _Process()


def watch(run: Ending) -> None:
    """Finish this run when the process ends."""
    _process.runs.append(run)
    if not _process.is_watching:
        _process.is_watching = True
        _hook()


def unwatch(run: Ending) -> None:
    if run in _process.runs:
        _process.runs.remove(run)


def watched() -> list[Ending]:
    """The runs of this process that have not wholly ended, oldest first."""
    return [*_process.runs]


def timeout_secs() -> float:
    """How long the end of a run may take."""
    try:
        given = float(os.environ.get("GNOMON_EXIT_TIMEOUT", DEFAULT_TIMEOUT_SECS))
    except ValueError:
        return DEFAULT_TIMEOUT_SECS
    return given if 0 <= given < 86_400 else DEFAULT_TIMEOUT_SECS


def status_after(error: type[BaseException] | None, value: BaseException | None) -> EndStatus:
    """How a run ended that this exception, or none, left."""
    if error is None:
        return "finished"
    if issubclass(error, KeyboardInterrupt):
        return "killed"
    if issubclass(error, SystemExit):
        code = value.code if isinstance(value, SystemExit) else value
        return "finished" if code in (None, 0) else "failed"
    return "failed"


def _hook() -> None:
    atexit.register(_at_exit)
    previous = sys.excepthook

    def note(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        _process.status = status_after(kind, value)
        _process.is_interrupted = kind is KeyboardInterrupt and not hasattr(sys, "ps1")
        previous(kind, value, trace)

    sys.excepthook = note
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _on_signal)


def _at_exit() -> None:
    _end_all(_process.status)
    if _process.is_interrupted:
        _note_interrupt()


def _note_interrupt() -> None:
    """Have Python end by SIGINT, as it does after a Ctrl-C: shells tell that from an error by the way a process ends.

    Python notes at each text of code that it runs whether a Ctrl-C left it, and forgets what it noted before. Making
    the classes of a module that is imported meanwhile runs such texts (`namedtuple`), so it is noted again.
    """
    try:
        exec("raise KeyboardInterrupt")  # noqa: S102 - our own text
    except KeyboardInterrupt:
        return


def _on_signal(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    if not _process.is_child:  # what a child logged is in its spool, and its parent sends it
        _end_all("killed")
    os.kill(os.getpid(), number)


def _end_all(status: EndStatus) -> None:
    deadline = time.monotonic() + timeout_secs()
    for run in list(_process.runs):
        run.end_with_process(status, max(0.0, deadline - time.monotonic()))


def _after_fork() -> None:
    _process.is_child = True
    _process.status = "finished"
    _process.is_interrupted = False
    for run in _process.runs:
        run.forget_parent()


os.register_at_fork(after_in_child=_after_fork)
