"""The rules of webhooks: who is told what, where, and with which secret; and the log of what was sent.

Invariants: a secret is shown when it is made and never again; a URL is one that the egress guard could let pass;
replacing a secret keeps the old one valid for a day, so that receivers change over without a gap.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.finding import find_experiment
from gnomon_server.core.outbox import Outbox
from gnomon_server.egress.addresses import EgressRefused
from gnomon_server.egress.client import Egress, Undelivered
from gnomon_server.model import names
from gnomon_server.model.errors import FieldError, InvalidRequest, NotFound, invalid_field
from gnomon_server.model.ids import RowId, new_uid
from gnomon_server.model.webhooks import (
    MLFLOW_EVENTS,
    OWN_EVENTS,
    Delivery,
    DeliveryState,
    EventType,
    Webhook,
    WebhookFormat,
    headers_of,
    new_secret,
)
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import webhooks as sql

MAX_WEBHOOKS = 50
OVERLAP_MS = 86_400_000


class WebhookNotFound(NotFound):
    """No such webhook, or delivery of it, in this tenant."""

    code = "webhook_not_found"


class Tried(Struct, frozen=True):
    """What one try of sending came to: the status of an answer, or why there was none."""

    status: int | None
    error: str | None


class Webhooks:
    """List, make, change, try and remove the webhooks of one tenant at a time."""

    def __init__(
        self, stores: Stores, access: Access, egress: Egress, outbox: Outbox, *, now_ms: Callable[[], int]
    ) -> None:
        self._stores = stores
        self._access = access
        self._egress = egress
        self._outbox = outbox
        self._now_ms = now_ms

    def list(self, by: Principal) -> list[Webhook]:
        with self._stores.database.read(by.tenant) as connection:
            return sql.list_webhooks(connection)

    def get(self, by: Principal, uid: str) -> Webhook:
        with self._stores.database.read(by.tenant) as connection:
            return _found(connection, uid)

    def create(
        self,
        by: Principal,
        *,
        name: str,
        url: str,
        events: Sequence[EventType],
        experiment: str | None,
        format: WebhookFormat,
        description: str = "",
        secret: str | None = None,
        is_active: bool = True,
    ) -> Webhook:
        """Make a webhook. The answer holds its secret, this once; `secret` is given by who has one of their own."""
        now_ms = self._now_ms()
        made = Webhook(
            uid=new_uid(),
            name=names.experiment_name(name),
            url=self._checked_url(url),
            events=_checked_events(events, format),
            experiment=experiment,
            format=format,
            is_active=is_active,
            secret=new_secret() if secret is None else secret,
            previous_secret=None,
            previous_until_ms=None,
            created_by=by.subject,
            created_ms=now_ms,
            updated_ms=now_ms,
            description=description,
        )

        def work(tx: Connection) -> Webhook:
            if len(sql.list_webhooks(tx)) >= MAX_WEBHOOKS:
                raise InvalidRequest(f"there are {MAX_WEBHOOKS} webhooks, as many as may be", code="too_many_webhooks")
            sql.insert_webhook(tx, by.tenant, made, self._experiment_row(tx, experiment))
            return made

        return self._stores.writer.call(by.tenant, work)

    def update(
        self,
        by: Principal,
        uid: str,
        *,
        name: str | None,
        url: str | None,
        events: Sequence[EventType] | None,
        format: WebhookFormat | None,
        is_active: bool | None,
        description: str | None = None,
        secret: str | None = None,
    ) -> Webhook:
        """Change what is given. While it is not active nothing is written down for it, and what waits, waits."""
        changes: dict[str, object] = {
            "name": None if name is None else names.experiment_name(name),
            "url": None if url is None else self._checked_url(url),
            "events": None if events is None else tuple(dict.fromkeys(events)),
            "format": format,
            "is_active": is_active,
            "description": description,
            "secret": secret,
        }
        given = {field: value for field, value in changes.items() if value is not None}
        if not given:
            raise InvalidRequest("the body changes nothing; give name, url, events, format or active")

        def change(hook: Webhook) -> Webhook:
            changed = structs.replace(hook, **given, updated_ms=self._now_ms())
            _checked_events(changed.events, changed.format)
            return changed

        return self._changed(by, uid, change)

    def rotate_secret(self, by: Principal, uid: str) -> Webhook:
        """Give it a new secret, which the answer holds. For a day deliveries are signed with both."""
        now_ms = self._now_ms()
        return self._changed(
            by,
            uid,
            lambda hook: structs.replace(
                hook,
                secret=new_secret(),
                previous_secret=hook.secret,
                previous_until_ms=now_ms + OVERLAP_MS,
                updated_ms=now_ms,
            ),
        )

    def delete(self, by: Principal, uid: str) -> Webhook:
        """Remove it, with what waits for it and the log of what was sent."""

        def work(tx: Connection) -> Webhook:
            hook = _found(tx, uid)
            sql.delete_webhook(tx, by.tenant, uid)
            return hook

        return self._stores.writer.call(by.tenant, work)

    def test(self, by: Principal, uid: str) -> Delivery:
        """Send it a test message, as any event is sent; the log tells what became of it."""

        def work(tx: Connection) -> Delivery:
            hook = _found(tx, uid)
            if not hook.is_active:
                raise InvalidRequest("the webhook is not active; set active to true first", code="webhook_inactive")
            return self._outbox.test(tx, by.tenant, hook)

        return self._stores.writer.call(by.tenant, work)

    def try_now(self, by: Principal, uid: str, event: EventType | None) -> Tried:
        """Send a webhook of the format `mlflow` an example and wait for what it answers; no log tells of it."""
        with self._stores.database.read(by.tenant) as connection:
            hook = _found(connection, uid)
            example = self._outbox.example(connection, by.tenant, hook, event or hook.events[0])
        headers = headers_of(hook, example, now_ms=self._now_ms())
        try:
            return Tried(self._egress.post(hook.url, example.body.encode(), headers).status, None)
        except EgressRefused as refused:
            return Tried(None, refused.detail)
        except Undelivered as failed:
            return Tried(None, str(failed))

    def deliveries(
        self, by: Principal, uid: str, *, state: DeliveryState | None, limit: int, offset: int
    ) -> tuple[int, Sequence[Delivery]]:
        """What was sent and what waits, newest first."""
        with self._stores.database.read(by.tenant) as connection:
            _found(connection, uid)
            return sql.read_deliveries(connection, uid, state=state, limit=limit, offset=offset)

    def redeliver(self, by: Principal, uid: str, delivery_uid: str) -> Delivery:
        """Send a delivery once more, under its old id, whatever became of it."""

        def work(tx: Connection) -> Delivery:
            _found(tx, uid)
            found = sql.find_delivery(tx, uid, delivery_uid)
            if found is None:
                raise WebhookNotFound(f"there is no delivery {delivery_uid!r} of this webhook; its log lists them")
            now_ms = self._now_ms()
            again = structs.replace(found, state="waiting", created_ms=now_ms, next_ms=now_ms, done_ms=None)
            sql.restart_delivery(tx, by.tenant, again)
            return again

        return self._stores.writer.call(by.tenant, work)

    def _changed(self, by: Principal, uid: str, change: Callable[[Webhook], Webhook]) -> Webhook:
        def work(tx: Connection) -> Webhook:
            hook = change(_found(tx, uid))
            sql.update_webhook(tx, by.tenant, hook, self._experiment_row(tx, hook.experiment))
            return hook

        return self._stores.writer.call(by.tenant, work)

    def _experiment_row(self, tx: Connection, uid: str | None) -> RowId | None:
        if uid is None:
            return None
        return find_experiment(self._access, tx, uid).row

    def _checked_url(self, url: str) -> str:
        try:
            self._egress.check(url)
        except EgressRefused as refused:
            raise InvalidRequest(
                refused.detail, errors=[FieldError("url", refused.detail)], code=refused.code
            ) from None
        return url


def _found(connection: Connection, uid: str) -> Webhook:
    hook = sql.find_webhook(connection, uid)
    if hook is None:
        raise WebhookNotFound(f"there is no webhook {uid!r} in this tenant; GET /api/v1/webhooks lists them")
    return hook


def _checked_events(events: Sequence[EventType], format: WebhookFormat) -> tuple[EventType, ...]:
    if not events:
        raise invalid_field("events", "is empty; name at least one event")
    known: Sequence[EventType] = MLFLOW_EVENTS if format == "mlflow" else OWN_EVENTS
    for event in events:
        if event not in known:
            raise invalid_field("events", f"names {event!r}, which no webhook of the format {format!r} is told")
    return tuple(dict.fromkeys(events))
