"""Importing in a thread of our own, so that the script does not wait for it, and a fork does not break it.

Invariant: no fork falls into an import of our threads. The child would find that module's lock taken for ever, by a
thread that it does not have, and hang at its own import of the module.
"""

import os
import threading

# An import that takes longer hangs on something else, a dead network disk say, and a fork need not hang with it.
LONGEST_SECS = 10.0


class Loading:
    """What a thread of ours holds while it imports, and a fork while it forks: `with loading:`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._forking = threading.local()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()

    def before_fork(self) -> None:
        self._forking.is_held = self._lock.acquire(timeout=LONGEST_SECS)

    def after_fork(self) -> None:
        if self._forking.is_held:
            self._lock.release()

    def forget_parent(self) -> None:
        """The threads that might hold it are not in the child."""
        self._lock = threading.RLock()


loading = Loading()
os.register_at_fork(
    before=loading.before_fork, after_in_parent=loading.after_fork, after_in_child=loading.forget_parent
)
