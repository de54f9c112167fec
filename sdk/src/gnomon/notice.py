"""What the SDK has to say to a person while a job runs: through `logging`, each cause once, never as an exception.

`warnings` is not used: a job that turns warnings into errors would be ended by a sentence about its tracker.
"""

import logging
import os
import sys
import threading

_log = logging.getLogger("gnomon")
_lock = threading.Lock()
_said: set[str] = set()
# A cause holds the text of a key or a message at times; a job that makes new ones for ever is told the first so many.
_MOST_CAUSES = 200


def notice(sentence: str, *, cause: str | None = None) -> None:
    """Say it, if nothing was said of this cause before."""
    key = sentence if cause is None else cause
    with _lock:
        if key in _said or len(_said) >= _MOST_CAUSES:
            return
        _said.add(key)
    _log.warning("gnomon: %s", sentence)


def tell(sentence: str) -> None:
    """Something good to know, where a person looks on; a job without a terminal is not spoken to."""
    _log.info("gnomon: %s", sentence)
    try:
        if sys.stderr.isatty():
            sys.stderr.write(f"gnomon: {sentence}\n")
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return


def _forget_lock() -> None:
    """The lock may have been held by a thread that a forked child does not have."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)
