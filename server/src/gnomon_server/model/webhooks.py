"""What webhooks and their deliveries ARE, which events there are, and how a delivery is signed.

Most signatures are those of Standard Webhooks (standardwebhooks.com): `webhook-signature: v1,<base64 of HMAC-SHA256>`
over `<webhook-id>.<webhook-timestamp>.<body>`, keyed with the bytes behind `whsec_` in the secret. While a secret is
being replaced, a delivery carries one signature for each of the two.

A webhook of the format `mlflow` is signed as receivers of MLflow's webhooks check it: the same content and digest in
headers of other names, keyed with the text of the secret; without a secret it is not signed.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from msgspec import Struct

OwnEvent = Literal[
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
# What webhooks of the format `mlflow` may want: the registry in the words of MLflow. One name is in both.
MlflowEvent = Literal[
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
]
EventType = Literal[OwnEvent, MlflowEvent]
WebhookFormat = Literal["json", "slack", "mlflow"]
DeliveryState = Literal["waiting", "delivered", "dead"]

OWN_EVENTS: tuple[OwnEvent, ...] = get_args(OwnEvent)
MLFLOW_EVENTS: tuple[MlflowEvent, ...] = get_args(MlflowEvent)
_PREFIX = "whsec_"
_SECRET_BYTES = 32


class Webhook(Struct, frozen=True):
    """Where events of a tenant are sent to. Without an experiment, those of all; models belong to none.

    `secret` is "" for one of the format `mlflow` that has none.
    """

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
    description: str = ""


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


def headers_of(hook: Webhook, delivery: Delivery, *, now_ms: int) -> Mapping[str, str]:
    """The headers of a delivery to a webhook sent now."""
    if hook.format == "mlflow":
        return _mlflow_headers(delivery, hook.secret, now_secs=now_ms // 1000)
    signing = [hook.secret]
    if hook.previous_secret is not None and (hook.previous_until_ms or 0) > now_ms:
        signing.append(hook.previous_secret)
    return signed_headers(delivery, signing, now_secs=now_ms // 1000)


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


def _mlflow_headers(delivery: Delivery, secret: str, *, now_secs: int) -> Mapping[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Gnomon-Webhooks",
        "X-MLflow-Delivery-Id": delivery.uid,
        "X-MLflow-Timestamp": str(now_secs),
    }
    if secret:
        content = f"{delivery.uid}.{now_secs}.{delivery.body}".encode()
        headers["X-MLflow-Signature"] = _digest(secret.encode(), content)
    return headers


def _signature(secret: str, content: bytes) -> str:
    return _digest(base64.b64decode(secret.removeprefix(_PREFIX)), content)


def _digest(key: bytes, content: bytes) -> str:
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
