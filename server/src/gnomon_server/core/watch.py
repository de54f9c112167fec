"""The thread that keeps a process's picture of keys and quotas current, and writes down what requests left for it.

Twice a second: a key revoked by another process stops opening this one within that time. Where a server is open to
others without keys, it says so in the log once an hour.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from gnomon_server.core.access import Access
from gnomon_server.core.audit import Audit
from gnomon_server.core.quotas import Quotas
from gnomon_server.model.errors import GnomonError
from gnomon_server.model.ids import TenantId
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import api_keys, sessions

log = logging.getLogger("gnomon.watch")

_ROUND_SECS = 0.5
_WARNING_SECS = 3_600.0


class Watch:
    """The watch of one server. `on_round` is called in each round."""

    def __init__(
        self,
        stores: Stores,
        access: Access,
        audit: Audit,
        quotas: Quotas,
        *,
        on_round: Callable[[], None] | None = None,
    ) -> None:
        self._on_round = on_round
        self._stores = stores
        self._access = access
        self._audit = audit
        self._quotas = quotas
        self._warning: str | None = None
        self._clock: Callable[[], float] = monotonic
        self._warned = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gnomon-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def warn_while_open(self, text: str, *, clock: Callable[[], float] = monotonic) -> None:
        """Write this into the log every hour until the first key is made."""
        self._warning, self._clock, self._warned = text, clock, clock()

    def stop(self) -> None:
        """End the thread; what waits is written down."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self._round()

    def _run(self) -> None:
        while not self._stop.wait(_ROUND_SECS):
            self._round()

    def _round(self) -> None:
        try:
            if self._on_round is not None:
                self._on_round()
            self._access.refresh()
            self._quotas.refresh()
            self._warn()
            if self._stores.writer.is_disk_full:
                return  # what waits is written once there is space
            self._audit.flush()
            keys, people = self._access.take_used()
            if keys or people:
                self._stores.writer.call(TenantId(0), partial(_mark, keys, people))
        except GnomonError as refused:  # overload, a full disk: the next round tries again
            log.warning("keys and audit: %s", refused.detail)
        except Exception:
            log.exception("the watch over keys failed; it goes on")

    def _warn(self) -> None:
        if self._warning is None or self._access.is_secured or self._clock() - self._warned < _WARNING_SECS:
            return
        self._warned = self._clock()
        log.warning(self._warning)


def _mark(keys: list[tuple[str, int]], people: list[tuple[str, int]], connection: Connection) -> None:
    api_keys.mark_used(connection, keys)
    sessions.mark_used(connection, people)
