"""The thread of what the server does by itself, off the commit path: giving up runs whose jobs are silent, rules.

A failure is logged and tried again at the next round; nothing a user waits for depends on it.
"""

import logging
import threading
from collections.abc import Callable

from gnomon_server.core.liveness import Liveness
from gnomon_server.core.rule_watch import RuleWatch
from gnomon_server.model.errors import GnomonError

log = logging.getLogger("gnomon.automation")

_LONGEST_ROUND_SECS = 1.0


class Automation:
    """The automation thread of one server."""

    def __init__(self, liveness: Liveness, rules: RuleWatch, *, timeout_secs: float) -> None:
        self._tasks = (liveness.sweep, rules.look)
        self._round_secs = min(_LONGEST_ROUND_SECS, timeout_secs / 10) if timeout_secs else _LONGEST_ROUND_SECS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gnomon-automation", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._round_secs):
            for task in self._tasks:
                self._do(task)

    def _do(self, task: Callable[[], int]) -> None:
        try:
            task()
        except GnomonError as refused:  # overload, a stopping server: the next round tries again
            log.warning("automation: %s", refused.detail)
        except Exception:
            if not self._stop.is_set():
                log.exception("a round of automation failed; the next one tries again")
