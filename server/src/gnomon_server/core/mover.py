"""Moving sealed chunks to an object store once they are old, and sweeping what a crash left there.

One thread beside upkeep, because a store that does not answer must not hold up sealing. A pass goes through all chunks,
a page at a time, and begins anew every hour; a failure is logged and the page tried again.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from time import monotonic

from gnomon_server.model.errors import Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store import Connection, Stores
from gnomon_server.store.object_chunks import ObjectChunks
from gnomon_server.store.points import moving

log = logging.getLogger("gnomon.mover")

_ROUND_SECS = 1.0
_RETRY_SECS = 30.0
_PASS_SECS = 3600.0
_SWEEP_SECS = 24 * 3600.0


class Mover:
    """The thread of one server that moves chunks; without an object store for them it does nothing."""

    def __init__(
        self, stores: Stores, chunks: ObjectChunks | None, *, age_hours: float, now_ms: Callable[[], int]
    ) -> None:
        self._stores = stores
        self.chunks = chunks
        self._age_ms = int(age_hours * 3_600_000)
        self._now_ms = now_ms
        self._cursor: moving.Cursor | None = moving.START
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gnomon-mover", daemon=True)

    def start(self) -> None:
        if self.chunks is not None:
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def move_page(self) -> int:
        """Move what is due of the next page; how many chunks. After the last page `is_done` until a new pass."""
        assert self.chunks is not None, "there is no object store for chunks"
        cursor = self._cursor or moving.START
        with self._stores.database.system() as connection:
            found, following = moving.due(connection, cursor, before_ms=self._now_ms() - self._age_ms)
        by_tenant: dict[TenantId, list[moving.DueChunk]] = defaultdict(list)
        for chunk in found:
            by_tenant[chunk.tenant].append(chunk)
        moved = 0
        for tenant, chunks in by_tenant.items():
            for batch in moving.batches(chunks):
                with self._stores.database.read(tenant) as connection:
                    packed = moving.pack(connection, tenant, batch)
                if packed.chunks and not self._stop.is_set():
                    moved += self._move(self.chunks, packed)
        self._cursor = following
        return moved

    def begin_pass(self) -> None:
        """Look through all chunks once more."""
        self._cursor = moving.START

    @property
    def is_done(self) -> bool:
        """Whether the pass has come to its end."""
        return self._cursor is None

    def sweep(self) -> int:
        """Remove the objects that no chunk stands in any more; how many."""
        assert self.chunks is not None, "there is no object store for chunks"
        swept = 0
        for tenant, stored in self.chunks.old(self._now_ms()):
            with self._stores.database.read(tenant) as connection:
                known = moving.known_objects(connection, stored)
            strays = [each for each in stored if each not in known]
            self.chunks.remove(strays)
            swept += len(strays)
        return swept

    def _move(self, chunks: ObjectChunks, packed: moving.Packed) -> int:
        stored = chunks.put(packed.tenant, packed.data)
        return self._stores.writer.call(packed.tenant, partial(_commit, packed, stored))

    def _run(self) -> None:
        next_pass = next_sweep = monotonic()
        wait_secs = _ROUND_SECS
        while not self._stop.wait(wait_secs):
            wait_secs = _ROUND_SECS
            try:
                if self.is_done and monotonic() >= next_pass:
                    self.begin_pass()
                if not self.is_done:
                    self.move_page()
                    next_pass = monotonic() + _PASS_SECS
                if monotonic() >= next_sweep:
                    next_sweep = monotonic() + _SWEEP_SECS
                    self.sweep()
            except Unavailable:  # logged where it happened
                wait_secs = _RETRY_SECS
            except Exception:
                wait_secs = _RETRY_SECS
                if not self._stop.is_set():
                    log.exception("moving chunks failed; they stay in the database until the next round")


def _commit(packed: moving.Packed, stored: str, tx: Connection) -> int:
    return moving.commit(tx, packed, stored)
