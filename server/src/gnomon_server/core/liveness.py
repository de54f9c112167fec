"""Liveness by check-in: a run whose job is dead ends as `killed` by itself, and one that is heard of again goes on.

A job promises to say that it lives by checking in once; the SDK does. Runs of clients that never check in are never
ended. Invariants:

- Only this server's clock counts. A batch with an identity is a sign of life as a check-in is.
- Absence is counted only while this server could have heard: after a start, a pause of the process, a jump of the
  clock, a full disk or a database out of reach, the whole time-out begins anew for every run.
- The run is claimed in the transaction that ends it, so of several server processes exactly one does, and a check-in
  that came meanwhile wins.
- Whoever says how a run stands (an end, a reopening) takes the promise back; the next check-in makes it anew.
- To be wrong is cheap: what a lost run logs is taken as ever, and its next check-in makes it `running` again.
"""

import logging
from collections.abc import Callable

from gnomon_server.core.outbox import Outbox
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import RunHead
from gnomon_server.model.ids import TenantId
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import check_ins as sql
from gnomon_server.store.meta import runs as run_sql

log = logging.getLogger("gnomon.liveness")

# Of the time-out: how often a job checks in, so that four in a row may be lost.
_INTERVALS = 5
_SHORTEST_SECS, _LONGEST_SECS = 0.2, 60.0
# A moment written down more often than this says nothing new.
_SEEN_STEP_MS = 1_000
_MOST_AT_ONCE = 500


def check_in_interval_secs(timeout_secs: float) -> float:
    """How often a job should check in, when it is given up after so long. 0: nothing is given up."""
    return min(max(timeout_secs / _INTERVALS, _SHORTEST_SECS), _LONGEST_SECS)


def check_in(tx: Connection, tenant: TenantId, head: RunHead, *, outbox: Outbox, now_ms: int) -> bool:
    """The job of a run says that it lives. Whether the run was lost, and goes on now."""
    found = sql.find_promise(tx, head.row)
    assert found is not None, "read in this transaction"
    if found.lost_ms is not None:
        sql.keep_sign(tx, tenant, head.row, seen_ms=now_ms)
        if not sql.find_back(tx, tenant, head.row, now_ms=now_ms):
            return False
        silent_secs = max(0, now_ms - (found.seen_ms or now_ms)) // 1000
        message = f"running again: its job checked in after {_said(silent_secs)}"
        sql.add_event(tx, tenant, head.row, at_ms=now_ms, kind="back", message=message)
        outbox.tell_status(tx, tenant, head.row, before="killed", after="running", reason=message)
        return True
    is_news = found.seen_ms is None or abs(now_ms - found.seen_ms) >= _SEEN_STEP_MS
    if found.status == "running" and is_news:
        sql.keep_sign(tx, tenant, head.row, seen_ms=now_ms)
    return False


class Liveness:
    """The watch over promises of one server. `sweep` is called again and again, by one thread."""

    def __init__(self, stores: Stores, outbox: Outbox, *, timeout_secs: float, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._outbox = outbox
        self._timeout_ms = int(timeout_secs * 1000)
        self._now_ms = now_ms
        self._listening_ms: int | None = None
        self._swept_ms = 0

    def sweep(self) -> int:
        """End the runs that broke their promise; how many."""
        if not self._timeout_ms:
            return 0
        try:
            now_ms = self._now_ms()
            listening_ms = self._listening_since(now_ms)
            if listening_ms is None or now_ms - listening_ms <= self._timeout_ms:
                return 0
            before_ms = now_ms - self._timeout_ms
            with self._stores.database.system() as connection:
                absent = sql.find_absent(connection, before_ms=before_ms, limit=_MOST_AT_ONCE)
            return sum(self._judge(each, before_ms=before_ms) for each in absent)
        except BaseException:
            self._listening_ms = None
            raise

    def _listening_since(self, now_ms: int) -> int | None:
        """Since when check-ins could be taken without a break. None: they cannot be now."""
        gap_ms, self._swept_ms = now_ms - self._swept_ms, now_ms
        if self._stores.writer.is_disk_full:
            self._listening_ms = None
        elif self._listening_ms is None or not 0 <= gap_ms <= self._timeout_ms // 2:
            self._listening_ms = now_ms
        return self._listening_ms

    def _judge(self, absent: sql.Absent, *, before_ms: int) -> bool:
        def work(tx: Connection) -> bool:
            run = run_sql.read_runs(tx, [absent.run], with_metrics=False)
            last_ms = max(absent.seen_ms, sql.last_batch_ms(tx, absent.run))
            if not run or last_ms >= before_ms:
                sql.keep_sign(tx, absent.tenant, absent.run, seen_ms=last_ms)
                return False
            now_ms = self._now_ms()
            end_ms = max(last_ms, run[0].start_ms)
            if not sql.claim_lost(tx, absent, now_ms=now_ms):
                return False
            if not sql.end_running(tx, absent.tenant, absent.run, end_ms=end_ms, now_ms=now_ms):
                return False
            silent = _said((now_ms - last_ms) // 1000)
            message = f"killed by the server: its job had promised to check in and was not heard of for {silent}"
            sql.add_event(tx, absent.tenant, absent.run, at_ms=now_ms, kind="lost", message=message)
            self._outbox.tell_status(tx, absent.tenant, absent.run, before="running", after="killed", reason=message)
            self._stores.writer.note(Change("run", absent.tenant, run[0].experiment, absent.run))
            log.warning("run lost: no check-in for %s", silent, extra={"run": run[0].uid})
            return True

        return self._stores.writer.call(absent.tenant, work)


def _said(secs: int) -> str:
    if secs < 120:
        return f"{secs} s"
    return f"{secs // 60} min" if secs < 7_200 else f"{secs // 3600} h"
