"""The routes of webhooks: whom the server tells what happens, and what became of each message."""

from typing import Annotated

from litestar import Response
from msgspec import UNSET, Meta, Struct, UnsetType

from gnomon import wire
from gnomon_server.api.bodies import given
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.times import iso_time
from gnomon_server.core.webhooks import WebhookNotFound
from gnomon_server.model.errors import AccessDenied, ExperimentNotFound, InvalidRequest, Unavailable
from gnomon_server.model.webhooks import Delivery, Webhook

TAG = "webhooks"
READS = (InvalidRequest, AccessDenied, WebhookNotFound)
WRITES = (*READS, Unavailable)


class DeliveryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    state: wire.DeliveryState | UnsetType = UNSET
    limit: Limit = 100
    offset: Offset = 0


@route("GET", "/webhooks", needs="webhooks.read", tag=TAG, gives=wire.WebhookListResponse, raises=[AccessDenied])
def list_webhooks(call: Call[None, None]) -> wire.WebhookListResponse:
    """List the webhooks of the tenant, oldest first. No answer but that of their making holds a secret."""
    found = call.services.webhooks.list(call.principal)
    return wire.WebhookListResponse(webhooks=[webhook_response(hook) for hook in found], total=len(found))


@route(
    "POST",
    "/webhooks",
    needs="webhooks.manage",
    tag=TAG,
    body=wire.WebhookCreate,
    status=201,
    gives=wire.WebhookMinted,
    raises=[InvalidRequest, AccessDenied, ExperimentNotFound, Unavailable],
    headers={"Location": "where the webhook can be changed"},
)
def create_webhook(call: Call[wire.WebhookCreate, None]) -> Response[bytes]:
    """Have events sent to a URL: signed, retried for three days, at least once.

    The secret is in this answer and nowhere else. The URL is https and leads to the public Internet, unless the
    operator has listed where it leads in `GNOMON_EGRESS_ALLOW`.
    """
    body = call.body
    made = call.services.webhooks.create(
        call.principal,
        name=body.name,
        url=body.url,
        events=body.events,
        experiment=body.experiment_id,
        format=body.format,
    )
    location = f"/api/v1/webhooks/{made.uid}"
    return json_answer(_minted(made), status=201, headers={"Location": location})


@route("GET", "/webhooks/{webhook_id:str}", needs="webhooks.read", tag=TAG, gives=wire.WebhookResponse, raises=READS)
def get_webhook(call: Call[None, None]) -> wire.WebhookResponse:
    """Get a webhook."""
    return webhook_response(call.services.webhooks.get(call.principal, call.path("webhook_id")))


@route(
    "PATCH",
    "/webhooks/{webhook_id:str}",
    needs="webhooks.manage",
    tag=TAG,
    body=wire.WebhookPatch,
    body_doc=Annotated[wire.WebhookPatch, Meta(extra_json_schema={"minProperties": 1})],
    gives=wire.WebhookResponse,
    raises=WRITES,
)
def update_webhook(call: Call[wire.WebhookPatch, None]) -> wire.WebhookResponse:
    """Change a webhook. While `active` is false nothing new is kept for it, and what waits is not sent."""
    body = call.body
    changed = call.services.webhooks.update(
        call.principal,
        call.path("webhook_id"),
        name=given(body.name),
        url=given(body.url),
        events=given(body.events),
        format=given(body.format),
        is_active=given(body.active),
    )
    return webhook_response(changed)


@route(
    "DELETE",
    "/webhooks/{webhook_id:str}",
    needs="webhooks.manage",
    tag=TAG,
    gives=wire.WebhookResponse,
    raises=WRITES,
)
def delete_webhook(call: Call[None, None]) -> wire.WebhookResponse:
    """Remove a webhook, with what waits for it and the log of what was sent."""
    return webhook_response(call.services.webhooks.delete(call.principal, call.path("webhook_id")))


@route(
    "POST",
    "/webhooks/{webhook_id:str}/rotate-secret",
    needs="webhooks.manage",
    tag=TAG,
    status=201,
    gives=wire.WebhookMinted,
    raises=WRITES,
)
def rotate_webhook_secret(call: Call[None, None]) -> Response[bytes]:
    """Give a webhook a new secret, shown this once. For a day deliveries carry signatures with both."""
    return json_answer(
        _minted(call.services.webhooks.rotate_secret(call.principal, call.path("webhook_id"))), status=201
    )


@route(
    "POST",
    "/webhooks/{webhook_id:str}/test",
    needs="webhooks.manage",
    tag=TAG,
    status=202,
    gives=wire.DeliveryResponse,
    raises=WRITES,
)
def test_webhook(call: Call[None, None]) -> Response[bytes]:
    """Send a test message, as any event is sent. The log of deliveries tells what became of it."""
    delivery = call.services.webhooks.test(call.principal, call.path("webhook_id"))
    return json_answer(delivery_response(delivery), status=202)


@route(
    "GET",
    "/webhooks/{webhook_id:str}/deliveries",
    needs="webhooks.read",
    tag=TAG,
    query=DeliveryQuery,
    gives=wire.DeliveryListResponse,
    raises=READS,
)
def list_deliveries(call: Call[None, DeliveryQuery]) -> wire.DeliveryListResponse:
    """List what was sent to a webhook and what waits, newest first. What is done is kept for a week."""
    asked = call.query
    total, found = call.services.webhooks.deliveries(
        call.principal, call.path("webhook_id"), state=given(asked.state), limit=asked.limit, offset=asked.offset
    )
    return wire.DeliveryListResponse(
        deliveries=[delivery_response(each) for each in found], total=total, limit=asked.limit, offset=asked.offset
    )


@route(
    "POST",
    "/webhooks/{webhook_id:str}/deliveries/{delivery_id:str}/redeliver",
    needs="webhooks.manage",
    tag=TAG,
    status=202,
    gives=wire.DeliveryResponse,
    raises=WRITES,
)
def redeliver(call: Call[None, None]) -> Response[bytes]:
    """Send a delivery once more, under its old id, whatever became of it."""
    again = call.services.webhooks.redeliver(call.principal, call.path("webhook_id"), call.path("delivery_id"))
    return json_answer(delivery_response(again), status=202)


def webhook_response(hook: Webhook) -> wire.WebhookResponse:
    """A webhook as messages say it: without its secret."""
    return wire.WebhookResponse(
        id=hook.uid,
        name=hook.name,
        url=hook.url,
        events=list(hook.events),
        experiment_id=hook.experiment,
        format=hook.format,
        active=hook.is_active,
        created_by=hook.created_by,
        created_at=iso_time(hook.created_ms),
        last_updated=iso_time(hook.updated_ms),
    )


def delivery_response(delivery: Delivery) -> wire.DeliveryResponse:
    """A delivery as messages say it."""
    return wire.DeliveryResponse(
        id=delivery.uid,
        webhook_id=delivery.webhook,
        event=delivery.event,
        state=delivery.state,
        attempts=delivery.attempts,
        created_at=iso_time(delivery.created_ms),
        next_at=iso_time(delivery.next_ms) if delivery.state == "waiting" else None,
        done_at=None if delivery.done_ms is None else iso_time(delivery.done_ms),
        status=delivery.status,
        error=delivery.error,
        body=delivery.body,
    )


def _minted(hook: Webhook) -> wire.WebhookMinted:
    return wire.WebhookMinted(secret=hook.secret, webhook=webhook_response(hook))


ROUTES = [
    list_webhooks,
    create_webhook,
    get_webhook,
    update_webhook,
    delete_webhook,
    rotate_webhook_secret,
    test_webhook,
    list_deliveries,
    redeliver,
]
