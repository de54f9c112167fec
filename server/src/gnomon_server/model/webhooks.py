"""What webhooks and their deliveries ARE, which events there are, and how a delivery is signed.

The signature is that of Standard Webhooks (standardwebhooks.com): `webhook-signature: v1,<base64 of HMAC-SHA256>` over
`<webhook-id>.<webhook-timestamp>.<body>`, keyed with the bytes behind `whsec_` in the secret. While a secret is being
replaced, a delivery carries one signature for each of the two.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from msgspec import Struct

EventType = Literal[
    "run.created",
    "run.finished",
    "run.failed",
    "run.killed",
    "run.resumed",
    "rule.fired",
    "model_version.created",
    "model_version.stage_changed",
    "model_alias.set",
    "model_alias.deleted",
    "webhook.test",
]
WebhookFormat = Literal["json", "slack"]
DeliveryState = Literal["waiting", "delivered", "dead"]

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
_PREFIX = "whsec_"
_SECRET_BYTES = 32


class Webhook(Struct, frozen=True):
    """Where events of a tenant are sent to. Without an experiment, those of all; models belong to none."""

    uid: str
    name: str
    url: str
    events: Sequence[EventType]
    experiment: str | None
    format: WebhookFormat
    is_active: bool
    secret: str
    previous_secret: str | None
    previous_until_ms: int | None
    created_by: str
    created_ms: int
    updated_ms: int


class Delivery(Struct, frozen=True):
    """One event on its way to one webhook. `status` is that of the last answer, `error` why there was none."""

    uid: str
    webhook: str
    event: EventType
    body: str
    state: DeliveryState
    attempts: int
    created_ms: int
    next_ms: int
    done_ms: int | None
    status: int | None
    error: str | None


def new_secret() -> str:
    """A secret to sign with: 256 random bits, in the form that libraries of Standard Webhooks take."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(delivery: Delivery, signing: Sequence[str], *, now_secs: int) -> Mapping[str, str]:
    """The headers of a delivery sent now, signed with each of these secrets."""
    content = f"{delivery.uid}.{now_secs}.{delivery.body}".encode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Gnomon-Webhooks",
        "webhook-id": delivery.uid,
        "webhook-timestamp": str(now_secs),
        "webhook-signature": " ".join(_signature(secret, content) for secret in signing),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
