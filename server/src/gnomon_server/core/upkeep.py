"""Work off the commit path: sealing tails into chunks, and removing contents that nothing refers to any more,
and applying retention rules, some runs a round.

One thread. It prepares outside the writer (reading and packing), and only the short rest goes through the writer's
queue. A failure is logged and tried again at the next round; nothing a user waits for depends on it.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from time import monotonic

from gnomon_server.core.artifacts import Artifacts
from gnomon_server.core.retention import Retention
from gnomon_server.core.uploads import Uploads
from gnomon_server.model.ids import TenantId
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta.locks import may_seal
from gnomon_server.store.meta.purge import give_back_pages
from gnomon_server.store.points import sealing
from gnomon_server.store.points.schedule import DueRun, SealSchedule

log = logging.getLogger("gnomon.upkeep")

_ROUND_SECS = 0.5
_NO_TENANT = TenantId(0)
_SWEEP_SECS = 600.0


class Upkeep:
    """The upkeep thread of one server."""

    def __init__(
        self,
        stores: Stores,
        artifacts: Artifacts,
        uploads: Uploads,
        retention: Retention,
        *,
        schedule: SealSchedule,
        retention_secs: float,
        now_ms: Callable[[], int],
    ) -> None:
        self._stores = stores
        self._artifacts = artifacts
        self._uploads = uploads
        self._retention = retention
        self._retention_secs = retention_secs
        self._schedule = schedule
        self._now_ms = now_ms
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gnomon-upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def seal_due(self) -> int:
        """Seal the runs that are due; how many were sealed.

        Not on a full disk: a chunk is written before its segments go, into the space set aside for deleting.
        """
        with self._stores.database.system() as connection:
            due = self._schedule.due(connection, self._now_ms())
        sealed = 0
        for run in due:
            if self._stop.is_set() or self._stores.writer.is_disk_full:
                break
            sealed += self._seal(run)
        return sealed

    def _seal(self, run: DueRun) -> bool:
        """Seal one run. Where several processes share a database, one of them holds the run until it is sealed."""
        with ExitStack() as held:
            connection = held.enter_context(self._stores.database.read(run.tenant))
            if not may_seal(connection, run.tenant, run.run):
                return False
            plan = sealing.prepare(connection, run.run)
            if plan is None or self._stores.writer.is_disk_full:
                return False
            if not self._stores.database.is_shared:
                held.close()  # a snapshot that is held keeps the WAL from being moved
            return self._stores.writer.call(run.tenant, partial(_commit, run.tenant, plan))

    def give_back(self) -> None:
        """Hand free pages of the database back to the file system, a step at a time; other writes go between."""
        while not self._stop.is_set() and self._stores.writer.call(_NO_TENANT, give_back_pages):
            pass

    def _run(self) -> None:
        next_sweep = monotonic()
        next_pass = next_sweep + self._retention_secs
        while not self._stop.wait(_ROUND_SECS):
            try:
                self.seal_due()
                self.give_back()
                if self._retention_secs and monotonic() >= next_pass:
                    next_pass = monotonic() + self._retention_secs
                    self._retention.begin_pass()
                self._retention.go_on()
                if monotonic() >= next_sweep:
                    next_sweep = monotonic() + _SWEEP_SECS
                    self._artifacts.sweep(self._now_ms())
                    self._uploads.expire()
            except Exception:
                if not self._stop.is_set():
                    log.exception("a round of upkeep failed; the next one tries again")


def _commit(tenant: TenantId, plan: sealing.SealPlan, tx: Connection) -> bool:
    return sealing.commit(tx, tenant, plan)
