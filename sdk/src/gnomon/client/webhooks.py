"""Whom the server tells what happens, and what became of each message."""

from collections.abc import Iterable

from msgspec import UNSET

from gnomon.client.transport import Transport, path_of
from gnomon.wire import (
    DeliveryListResponse,
    DeliveryResponse,
    DeliveryState,
    EventType,
    WebhookCreate,
    WebhookFormat,
    WebhookListResponse,
    WebhookMinted,
    WebhookPatch,
    WebhookResponse,
)


class Webhooks:
    """`client.webhooks`. All of it needs a key of role admin, where there are keys."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> WebhookListResponse:
        """The webhooks of the tenant, oldest first; without their secrets."""
        return self._transport.call("GET", path_of("webhooks"), WebhookListResponse)

    def create(
        self,
        name: str,
        url: str,
        events: Iterable[EventType],
        *,
        experiment_id: str | None = None,
        format: WebhookFormat = "json",
    ) -> WebhookMinted:
        """Have events sent to a URL. The `secret` that they are signed with is answered this once."""
        message = WebhookCreate(name, url, [*events], experiment_id, format)
        return self._transport.call("POST", path_of("webhooks"), WebhookMinted, message=message)

    def get(self, webhook_id: str) -> WebhookResponse:
        return self._transport.call("GET", path_of("webhooks", webhook_id), WebhookResponse)

    def update(
        self,
        webhook_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        events: Iterable[EventType] | None = None,
        format: WebhookFormat | None = None,
        active: bool | None = None,
    ) -> WebhookResponse:
        """Change what is given; while it is not active nothing is sent."""
        message = WebhookPatch(
            name=UNSET if name is None else name,
            url=UNSET if url is None else url,
            events=UNSET if events is None else [*events],
            format=UNSET if format is None else format,
            active=UNSET if active is None else active,
        )
        path = path_of("webhooks", webhook_id)
        return self._transport.call("PATCH", path, WebhookResponse, message=message, repeatable=True)

    def delete(self, webhook_id: str) -> WebhookResponse:
        """Remove it, with what waits for it."""
        return self._transport.call("DELETE", path_of("webhooks", webhook_id), WebhookResponse)

    def rotate_secret(self, webhook_id: str) -> WebhookMinted:
        """A new secret, answered this once; for a day deliveries are signed with both."""
        return self._transport.call("POST", path_of("webhooks", webhook_id, "rotate-secret"), WebhookMinted)

    def test(self, webhook_id: str) -> DeliveryResponse:
        """Send it a test message; `deliveries` tells what became of it."""
        return self._transport.call("POST", path_of("webhooks", webhook_id, "test"), DeliveryResponse)

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, limit: int = 100, offset: int = 0
    ) -> DeliveryListResponse:
        """What was sent to it and what waits, newest first."""
        query = [("limit", str(limit)), ("offset", str(offset))] + ([] if state is None else [("state", state)])
        path = path_of("webhooks", webhook_id, "deliveries")
        return self._transport.call("GET", path, DeliveryListResponse, query=query)

    def redeliver(self, webhook_id: str, delivery_id: str) -> DeliveryResponse:
        """Send a delivery once more, under its old id."""
        path = path_of("webhooks", webhook_id, "deliveries", delivery_id, "redeliver")
        return self._transport.call("POST", path, DeliveryResponse)
