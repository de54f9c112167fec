"""The SQL of webhooks and of their outbox. Times are Unix milliseconds.

Who sends to a webhook holds its lease (`take_lease`), so that one process at a time does, one delivery after another.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.webhooks import Delivery, DeliveryState, EventType, Webhook
from gnomon_server.store.meta import automation_tables as a
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points.compiled import HotSelect

_HOOK = a.webhook.c
_HOOKS = sa.select(
    _HOOK.uid,
    _HOOK.name,
    _HOOK.url,
    _HOOK.events,
    t.experiment.c.uid,
    _HOOK.format,
    _HOOK.active,
    _HOOK.secret,
    _HOOK.previous_secret,
    _HOOK.previous_until_ms,
    _HOOK.created_by,
    _HOOK.created_ms,
    _HOOK.updated_ms,
    sa.func.coalesce(_HOOK.description, ""),
).select_from(a.webhook.outerjoin(t.experiment, t.experiment.c.id == _HOOK.experiment))
_ACTIVE = HotSelect(
    ("active",),
    lambda _connection: (
        sa.select(sa.func.count()).select_from(a.webhook).where(a.webhook.c.active == sa.bindparam("active"))
    ),
)
# In the order of the fields of `Delivery`.
_DELIVERIES = sa.select(
    *(
        a.delivery.c[name]
        for name in (
            "uid",
            "webhook",
            "event",
            "body",
            "state",
            "attempts",
            "created_ms",
            "next_ms",
            "done_ms",
            "status",
            "error",
        )
    )
)


class Due(NamedTuple):
    """A webhook with something to send now."""

    tenant: TenantId
    webhook: str


def has_active(connection: Connection) -> bool:
    """Whether the tenant sends events to anybody: asked whenever something happens, so it costs next to nothing."""
    return bool(_ACTIVE.scalar(connection, (1,)))


def list_webhooks(connection: Connection) -> list[Webhook]:
    """Those of the tenant, oldest first."""
    return [_webhook(row) for row in connection.execute(_HOOKS.order_by(_HOOK.uid))]


def find_webhook(connection: Connection, uid: str) -> Webhook | None:
    row = connection.execute(_HOOKS.where(_HOOK.uid == uid)).first()
    return None if row is None else _webhook(row)


def insert_webhook(connection: Connection, tenant: TenantId, hook: Webhook, experiment: RowId | None) -> None:
    values = {"tenant": tenant, "uid": hook.uid, "busy_until_ms": 0, "created_ms": hook.created_ms}
    connection.execute(sa.insert(a.webhook_base).values(**values, **_changing(hook, experiment)))


def update_webhook(connection: Connection, tenant: TenantId, hook: Webhook, experiment: RowId | None) -> None:
    base = a.webhook_base
    where = (base.c.tenant == tenant, base.c.uid == hook.uid)
    connection.execute(sa.update(base).where(*where).values(**_changing(hook, experiment)))


def delete_webhook(connection: Connection, tenant: TenantId, uid: str) -> None:
    """Remove a webhook with all of its deliveries."""
    for base, column in ((a.delivery_base, a.delivery_base.c.webhook), (a.webhook_base, a.webhook_base.c.uid)):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, column == uid))


def delete_of_experiment(connection: Connection, tenant: TenantId, experiment: RowId) -> None:
    """Remove the webhooks of an experiment that is purged."""
    for uid in connection.scalars(sa.select(_HOOK.uid).where(_HOOK.experiment == experiment)).all():
        delete_webhook(connection, tenant, uid)


def insert_delivery(connection: Connection, tenant: TenantId, delivery: Delivery) -> None:
    values = {name: getattr(delivery, name) for name in delivery.__struct_fields__}
    connection.execute(sa.insert(a.delivery_base).values(tenant=tenant, **values))


def read_deliveries(
    connection: Connection, webhook: str, *, state: DeliveryState | None, limit: int, offset: int
) -> tuple[int, list[Delivery]]:
    """How many deliveries of a webhook are known, and a page of them, newest first."""
    c = a.delivery.c
    where = [c.webhook == webhook] + ([] if state is None else [c.state == state])
    total = connection.scalar(sa.select(sa.func.count()).select_from(a.delivery).where(*where)) or 0
    rows = connection.execute(_DELIVERIES.where(*where).order_by(c.uid.desc()).limit(limit).offset(offset))
    return total, [Delivery(*row) for row in rows]


def find_delivery(connection: Connection, webhook: str, uid: str) -> Delivery | None:
    row = connection.execute(_DELIVERIES.where(a.delivery.c.webhook == webhook, a.delivery.c.uid == uid)).first()
    return None if row is None else Delivery(*row)


def find_due(connection: Connection, *, now_ms: int, limit: int) -> list[Due]:
    """Webhooks of all tenants with something to send that nobody is sending to. Asked outside the wall."""
    waiting, hook = a.delivery_base.c, a.webhook_base.c
    query = (
        sa.select(waiting.tenant, waiting.webhook)
        .select_from(
            a.delivery_base.join(a.webhook_base, (hook.tenant == waiting.tenant) & (hook.uid == waiting.webhook))
        )
        .where(waiting.state == "waiting", waiting.next_ms <= now_ms, hook.active == 1, hook.busy_until_ms <= now_ms)
        .group_by(waiting.tenant, waiting.webhook)
        .order_by(sa.func.min(waiting.next_ms))
        .limit(limit)
    )
    return [Due(TenantId(tenant), webhook) for tenant, webhook in connection.execute(query)]


def due_of(connection: Connection, webhook: str, *, now_ms: int, limit: int) -> list[Delivery]:
    """What is to be sent to a webhook now, oldest first."""
    c = a.delivery.c
    where = (c.webhook == webhook, c.state == "waiting", c.next_ms <= now_ms)
    return [Delivery(*row) for row in connection.execute(_DELIVERIES.where(*where).order_by(c.uid).limit(limit))]


def take_lease(connection: Connection, due: Due, *, now_ms: int, until_ms: int) -> bool:
    """Become the one who sends to a webhook; False when another is."""
    base = a.webhook_base
    where = (base.c.tenant == due.tenant, base.c.uid == due.webhook, base.c.busy_until_ms <= now_ms)
    return connection.execute(sa.update(base).where(*where).values(busy_until_ms=until_ms)).rowcount == 1


def set_lease(connection: Connection, due: Due, *, until_ms: int) -> None:
    """Hold the lease for longer, or give it back (0)."""
    base = a.webhook_base
    where = (base.c.tenant == due.tenant, base.c.uid == due.webhook)
    connection.execute(sa.update(base).where(*where).values(busy_until_ms=until_ms))


def update_delivery(connection: Connection, tenant: TenantId, delivery: Delivery) -> None:
    """How a delivery stands after a try. One that was removed meanwhile stays so."""
    _set_delivery(connection, tenant, delivery, ("state", "attempts", "next_ms", "done_ms", "status", "error"))


def restart_delivery(connection: Connection, tenant: TenantId, delivery: Delivery) -> None:
    """Have a delivery sent again, with all the time that a new one has."""
    _set_delivery(connection, tenant, delivery, ("state", "created_ms", "next_ms", "done_ms"))


def _set_delivery(connection: Connection, tenant: TenantId, delivery: Delivery, changed: Sequence[str]) -> None:
    base = a.delivery_base
    values = {name: getattr(delivery, name) for name in changed}
    connection.execute(sa.update(base).where(base.c.tenant == tenant, base.c.uid == delivery.uid).values(**values))


def find_old(connection: Connection, *, before_ms: int, limit: int) -> list[tuple[TenantId, str]]:
    """Deliveries of all tenants that ended before a time. Asked outside the wall."""
    c = a.delivery_base.c
    query = sa.select(c.tenant, c.uid).where(c.done_ms < before_ms).limit(limit)
    return [(TenantId(tenant), uid) for tenant, uid in connection.execute(query)]


def delete_deliveries(connection: Connection, tenant: TenantId, uids: Sequence[str]) -> None:
    base = a.delivery_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.uid.in_(uids)))


def _changing(hook: Webhook, experiment: RowId | None) -> dict[str, object]:
    return {
        "name": hook.name,
        "url": hook.url,
        "events": ",".join(hook.events),
        "experiment": experiment,
        "format": hook.format,
        "active": int(hook.is_active),
        "secret": hook.secret,
        "previous_secret": hook.previous_secret,
        "previous_until_ms": hook.previous_until_ms,
        "created_by": hook.created_by,
        "updated_ms": hook.updated_ms,
        "description": hook.description or None,
    }


def _webhook(row: Sequence[object]) -> Webhook:
    uid, name, url, events, experiment, form, active, *rest = row
    listed = tuple(cast("EventType", each) for each in str(events).split(","))
    return Webhook(uid, name, url, listed, experiment, form, bool(active), *rest)  # type: ignore[arg-type]  # as stored
