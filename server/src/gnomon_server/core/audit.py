"""The audit log: what was done with keys, what was deleted, and who was turned away.

What a request did is written before it is answered. Refusals come as fast as a guesser sends them, so they are
sampled, one a second from an address, and written together; how many were left out stands in the next one.
"""

import threading
from collections.abc import Callable, Sequence
from time import monotonic

from gnomon_server.core.roles import ANONYMOUS, Principal
from gnomon_server.model.audit import AuditEntry, Deed, is_intact
from gnomon_server.model.ids import TenantId
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import audit

_SAMPLE_SECS = 1.0
# Addresses remembered at once; past it all are forgotten, which only lets a few more refusals be written down.
_MAX_ADDRESSES = 10_000
_MAX_WAITING = 1_000


class Audit:
    """The audit log of one server."""

    def __init__(self, stores: Stores, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._left_out = 0
        self._waiting: list[Deed] = []

    def record(self, deed: Deed) -> None:
        """Write a deed down; returns once it is committed."""
        self._append([deed])

    def note_refusal(self, *, code: str, address: str, method: str, path: str, by: Principal | None) -> None:
        """Remember that a request was turned away; `flush` writes it down. Takes no time and never fails."""
        now = monotonic()
        with self._lock:
            if now - self._seen.get(address, -_SAMPLE_SECS) < _SAMPLE_SECS or len(self._waiting) >= _MAX_WAITING:
                self._left_out += 1
                return
            if len(self._seen) >= _MAX_ADDRESSES:
                self._seen.clear()
            self._seen[address] = now
            detail = {"address": address, "method": method, "left_out": str(self._left_out)}
            self._left_out = 0
            self._waiting.append(
                Deed(
                    action=f"refused.{code}",
                    actor=ANONYMOUS if by is None else by.key_id or ANONYMOUS,
                    tenant="" if by is None else by.tenant_name,
                    target=path[:500],
                    detail=detail,
                )
            )

    def flush(self) -> None:
        """Write down the refusals that wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._append(waiting)
        except Exception:
            with self._lock:
                self._waiting[:0] = waiting
            raise

    def page(self, by: Principal, *, limit: int, offset: int) -> tuple[int, list[AuditEntry]]:
        """A page, newest first: of the caller's tenant, and for a platform key of all."""
        tenants = None if by.role == "platform" else [by.tenant_name]
        with self._stores.database.system() as connection:
            return audit.list_entries(connection, tenants=tenants, limit=limit, offset=offset)

    def _append(self, deeds: Sequence[Deed]) -> None:
        def work(connection: Connection) -> None:
            audit.append_deeds(connection, deeds, now_ms=self._now_ms())

        self._stores.writer.call(TenantId(0), work)


def verify(connection: Connection) -> tuple[int, AuditEntry | None]:
    """Walk the chain: how many entries are intact, and the first that is not."""
    before: AuditEntry | None = None
    count = 0
    for entry in audit.walk(connection):
        if not is_intact(entry, after=before):
            return count, entry
        before, count = entry, count + 1
    return count, None
