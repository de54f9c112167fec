"""Sending the outbox: at least once, one delivery at a time to each webhook, from a few threads.

Invariants:
- A webhook is sent to by who holds its lease, so there is one delivery under way to it, whatever processes there are.
  A process that dies leaves its lease to run out, and what it was sending is sent again, under the same id.
- Deliveries leave in the order in which things happened. One that fails waits for its next try and holds up no other;
  a receiver that needs the order has it in the ids, which sort by time.
- Anything but 2xx is a failure. Waiting grows from 5 s to an hour, with jitter, and is never shorter than the
  receiver's `Retry-After`; after three days a delivery is dead. 410 ends it at once.
- What is done is forgotten after a week.
"""

import logging
import random
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from msgspec import structs

from gnomon_server.egress.addresses import EgressRefused
from gnomon_server.egress.client import Egress, Undelivered
from gnomon_server.model.errors import GnomonError
from gnomon_server.model.ids import TenantId
from gnomon_server.model.webhooks import Delivery, Webhook, headers_of
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import webhooks as sql

log = logging.getLogger("gnomon.deliveries")

_THREADS = 4
_ROUND_SECS = 0.5
# Longer than a delivery can take (10 s), and how long a webhook waits after a process died while sending to it.
_LEASE_MS = 60_000
_MOST_IN_A_ROW = 20
FIRST_WAIT_SECS = 5.0
_LONGEST_WAIT_SECS = 3_600.0
TRIED_MS = 3 * 86_400_000
_KEPT_MS = 7 * 86_400_000
_FORGET_SECS = 600.0
_FORGOTTEN_AT_ONCE = 500


class Deliveries:
    """The sending threads of one server."""

    def __init__(self, stores: Stores, egress: Egress, *, now_ms: Callable[[], int], rng: random.Random) -> None:
        self._stores = stores
        self._egress = egress
        self._now_ms = now_ms
        self._rng = rng
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number == 0,), name=f"gnomon-deliver-{number}", daemon=True)
            for number in range(_THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing new. What is under way ends by its own time-out, or is sent again by the next process."""
        self._stop.set()

    def send_due(self) -> int:
        """Send what is due to one webhook after another; how many deliveries were tried."""
        now_ms = self._now_ms()
        with self._stores.database.system() as connection:
            found = sql.find_due(connection, now_ms=now_ms, limit=_THREADS)
        return sum(self._send_to(due) for due in found if not self._stop.is_set())

    def forget_old(self) -> None:
        """Remove deliveries that ended long ago."""
        with self._stores.database.system() as connection:
            old = sql.find_old(connection, before_ms=self._now_ms() - _KEPT_MS, limit=_FORGOTTEN_AT_ONCE)
        by_tenant: dict[TenantId, list[str]] = {}
        for tenant, uid in old:
            by_tenant.setdefault(tenant, []).append(uid)
        for tenant, uids in by_tenant.items():
            self._stores.writer.call(tenant, partial(_forget, tenant, uids))

    def _run(self, forgets: bool) -> None:
        forget_at = monotonic()
        while not self._stop.wait(_ROUND_SECS):
            try:
                if self._stores.writer.is_disk_full:
                    continue  # an outcome could not be written down, and the delivery would be sent again and again
                while self.send_due() and not self._stop.is_set():
                    pass
                if forgets and monotonic() >= forget_at:
                    forget_at = monotonic() + _FORGET_SECS
                    self.forget_old()
            except GnomonError as refused:  # overload, a stopping server: the next round tries again
                log.warning("webhooks: %s", refused.detail)
            except Exception:
                if not self._stop.is_set():
                    log.exception("a round of webhooks failed; the next one tries again")

    def _send_to(self, due: sql.Due) -> int:
        now_ms = self._now_ms()

        def claim(tx: Connection) -> tuple[Webhook | None, list[Delivery]]:
            if not sql.take_lease(tx, due, now_ms=now_ms, until_ms=now_ms + _LEASE_MS):
                return None, []
            waiting = sql.due_of(tx, due.webhook, now_ms=now_ms, limit=_MOST_IN_A_ROW)
            return sql.find_webhook(tx, due.webhook), waiting

        hook, waiting = self._stores.writer.call(due.tenant, claim)
        if hook is None:
            return 0
        for delivery in waiting:
            if self._stop.is_set():
                break
            self._stores.writer.call(due.tenant, partial(_keep, due, self._tried(hook, delivery), self._now_ms()))
        self._stores.writer.call(due.tenant, partial(_give_back, due))
        return len(waiting)

    def _tried(self, hook: Webhook, delivery: Delivery) -> Delivery:
        """The delivery as it stands after one try."""
        now_ms = self._now_ms()
        status, error, wait_secs = None, None, 0
        try:
            answer = self._egress.post(hook.url, delivery.body.encode(), headers_of(hook, delivery, now_ms=now_ms))
            status, wait_secs = answer.status, answer.retry_after_secs or 0
        except EgressRefused as refused:
            error = refused.detail
        except Undelivered as failed:
            error = str(failed)
        return self._judged(delivery, status=status, error=error, wait_secs=wait_secs)

    def _judged(self, delivery: Delivery, *, status: int | None, error: str | None, wait_secs: int) -> Delivery:
        now_ms, attempts = self._now_ms(), delivery.attempts + 1
        if status is not None and 200 <= status < 300:
            return structs.replace(
                delivery, state="delivered", attempts=attempts, status=status, error=None, done_ms=now_ms
            )
        grown = min(FIRST_WAIT_SECS * 2.0 ** min(attempts - 1, 20), _LONGEST_WAIT_SECS)
        least = min(wait_secs, _LONGEST_WAIT_SECS)
        next_ms = now_ms + int(1000 * (least + grown * (0.5 + self._rng.random() / 2)))
        is_dead = status == 410 or next_ms > delivery.created_ms + TRIED_MS
        return structs.replace(
            delivery,
            state="dead" if is_dead else "waiting",
            attempts=attempts,
            status=status,
            error=error or f"answered {status}",
            next_ms=next_ms,
            done_ms=now_ms if is_dead else None,
        )


def _keep(due: sql.Due, delivery: Delivery, now_ms: int, tx: Connection) -> None:
    sql.update_delivery(tx, due.tenant, delivery)
    sql.set_lease(tx, due, until_ms=now_ms + _LEASE_MS)


def _give_back(due: sql.Due, tx: Connection) -> None:
    sql.set_lease(tx, due, until_ms=0)


def _forget(tenant: TenantId, uids: list[str], tx: Connection) -> None:
    sql.delete_deliveries(tx, tenant, uids)
