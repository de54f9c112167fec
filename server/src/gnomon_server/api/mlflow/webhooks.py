"""The routes of webhooks: who is told of the model registry in MLflow's form, signed as its receivers check it.

They are webhooks like all others (`core/webhooks.py`), so they go through the same guard and outbox, and the native API
shows them. Webhooks of another format are none here. What a receiver answers besides its status is never read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast, get_args
from urllib.parse import urlsplit

from msgspec import UNSET

from gnomon_server.api.mlflow import webhook_wire as wire
from gnomon_server.api.mlflow.declare import AnyCall, wire_route
from gnomon_server.api.mlflow.paging import offset_of, token_at
from gnomon_server.api.mlflow.reading import word_of
from gnomon_server.api.mlflow.wire import Asked, Enum, Nothing
from gnomon_server.api.route import Call
from gnomon_server.core.webhooks import WebhookNotFound
from gnomon_server.egress.addresses import EgressRefused
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.webhooks import MlflowEvent, Webhook

_BASE = "/2.0/mlflow/webhooks"
_ONE = _BASE + "/{webhook_id:str}"
_MOST = 1_000
_MAX_TEXT = 1_000
_NAME = re.compile(r"(?=.{1,63}$)[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
# Names and numbers of MLflow's messages.
_ENTITIES: Mapping[str, int] = {
    "REGISTERED_MODEL": 1,
    "MODEL_VERSION": 2,
    "MODEL_VERSION_TAG": 3,
    "MODEL_VERSION_ALIAS": 4,
    "PROMPT": 5,
    "PROMPT_VERSION": 6,
    "PROMPT_TAG": 7,
    "PROMPT_VERSION_TAG": 8,
    "PROMPT_ALIAS": 9,
    "BUDGET_POLICY": 10,
}
_ACTIONS: Mapping[str, int] = {"CREATED": 1, "UPDATED": 2, "DELETED": 3, "SET": 4, "EXCEEDED": 5}
_STATUSES: Mapping[str, int] = {"ACTIVE": 1, "DISABLED": 2}


@wire_route("POST", _BASE, needs="webhooks.manage", asks=wire.CreateWebhook)
def create_webhook(call: Call[wire.CreateWebhook, None]) -> wire.WebhookFound:
    """Have events of the registry sent to a URL."""
    body = call.body
    name, events = _checked_name(body.name), [_event(each) for each in body.events]
    with _saying(body.url):
        made = call.services.webhooks.create(
            call.principal,
            name=name,
            url=body.url,
            events=events,
            experiment=None,
            format="mlflow",
            description=_bounded("description", body.description),
            secret=_bounded("secret", body.secret),
            is_active=body.status is UNSET or _is_active(body.status),
        )
    return wire.WebhookFound(_message(made))


@wire_route("GET", _BASE, needs="webhooks.read", asks=wire.ListWebhooks)
def list_webhooks(call: Call[wire.ListWebhooks, None]) -> wire.WebhookList:
    """List webhooks, the newest first."""
    most = call.body.max_results or 100
    if not 1 <= most <= _MOST:
        raise InvalidRequest(f"max_results must be between 1 and {_MOST}.")
    offset = offset_of(call.body.page_token)
    found = [hook for hook in reversed(call.services.webhooks.list(call.principal)) if hook.format == "mlflow"]
    page = found[offset : offset + most]
    return wire.WebhookList([_message(hook) for hook in page], token_at(offset + len(page), total=len(found)))


@wire_route("GET", _ONE, needs="webhooks.read", asks=Asked)
def get_webhook(call: Call[Asked, None]) -> wire.WebhookFound:
    """Get a webhook."""
    return wire.WebhookFound(_message(_found(call)))


@wire_route("PATCH", _ONE, needs="webhooks.manage", asks=wire.UpdateWebhook)
def update_webhook(call: Call[wire.UpdateWebhook, None]) -> wire.WebhookFound:
    """Change what is given."""
    body, hook = call.body, _found(call)
    name = _checked_name(body.name) if body.name else None
    events = [_event(each) for each in body.events] or None
    with _saying(body.url or hook.url):
        changed = call.services.webhooks.update(
            call.principal,
            hook.uid,
            name=name,
            url=body.url or None,
            events=events,
            format="mlflow",
            is_active=None if body.status is UNSET else _is_active(body.status),
            description=None if body.description is UNSET else _bounded("description", body.description),
            secret=None if body.secret is UNSET else _bounded("secret", body.secret),
        )
    return wire.WebhookFound(_message(changed))


@wire_route("DELETE", _ONE, needs="webhooks.manage", asks=Asked)
def delete_webhook(call: Call[Asked, None]) -> Nothing:
    """Remove a webhook, with what waits for it."""
    call.services.webhooks.delete(call.principal, _found(call).uid)
    return Nothing()


@wire_route("POST", _ONE + "/test", needs="webhooks.manage", asks=wire.TestWebhook)
def test_webhook(call: Call[wire.TestWebhook, None]) -> wire.WebhookTested:
    """Send an example of an event, by default of the first that the webhook wants, and tell what came of it."""
    event = None if call.body.event is UNSET else _event(call.body.event)
    tried = call.services.webhooks.try_now(call.principal, _found(call).uid, event)
    if tried.status is None:
        said = f"Failed to test webhook: {tried.error}"
        return wire.WebhookTested(wire.TestResult(success=False, error_message=said))
    return wire.WebhookTested(wire.TestResult(success=tried.status < 400, response_status=tried.status))


@contextmanager
def _saying(url: str) -> Iterator[None]:
    """Refusals of an address in MLflow's words, which its tests read, with ours behind."""
    if not url.strip():
        raise InvalidRequest(f"Webhook URL cannot be empty or just whitespace: {url[:100]!r}")
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise InvalidRequest(f"Invalid webhook URL {url[:100]!r}: {error!r}") from None
    if scheme not in ("http", "https"):
        raise InvalidRequest(f"Invalid webhook URL scheme: {scheme[:100]!r}. Allowed schemes are: https.")
    try:
        yield
    except InvalidRequest as error:
        if error.code != EgressRefused.code:
            raise
        said = "Invalid webhook URL"
        if scheme == "http":
            said = "Invalid webhook URL scheme: 'http'. Allowed schemes are: https. Here"
        raise InvalidRequest(f"{said}: {error.detail}") from None


def _found(call: AnyCall) -> Webhook:
    uid = call.path("webhook_id")
    try:
        hook = call.services.webhooks.get(call.principal, uid)
    except WebhookNotFound:
        hook = None
    if hook is None or hook.format != "mlflow":
        raise WebhookNotFound(f"Webhook with ID {uid} not found.")
    return hook


def _message(hook: Webhook) -> wire.Webhook:
    return wire.Webhook(
        webhook_id=hook.uid,
        name=hook.name,
        url=hook.url,
        status="ACTIVE" if hook.is_active else "DISABLED",
        creation_timestamp=hook.created_ms,
        last_updated_timestamp=hook.updated_ms,
        events=[wire.EventTold(*event.upper().split(".")) for event in hook.events],
        description=hook.description,
    )


def _event(sent: wire.EventSent) -> MlflowEvent:
    entity = word_of(sent.entity, _ENTITIES, field="event.entity").lower()
    action = word_of(sent.action, _ACTIONS, field="event.action").lower()
    known: Sequence[str] = get_args(MlflowEvent)
    if f"{entity}.{action}" in known:
        return cast("MlflowEvent", f"{entity}.{action}")
    if (entity, action) == ("budget_policy", "exceeded"):
        raise InvalidRequest("This server has no budget policies, so it could never tell of one.")
    valid = sorted(name.partition(".")[2] for name in known if name.startswith(f"{entity}."))
    valid = valid or ["exceeded"]
    raise InvalidRequest(f"Invalid action '{action}' for entity '{entity}'. Valid actions are: {valid}")


def _is_active(status: Enum) -> bool:
    return word_of(status, _STATUSES, field="status") == "ACTIVE"


def _checked_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise InvalidRequest(
            f"Webhook name {name[:100]!r} is invalid. It must start and end with a letter or digit, "
            "be less than 63 characters long, and contain only letters, digits, dots (.), "
            "underscores (_), and hyphens (-)."
        )
    return name


def _bounded(field: str, text: str) -> str:
    if len(text) > _MAX_TEXT:
        raise InvalidRequest(f"{field} has {len(text)} characters; at most {_MAX_TEXT} are allowed")
    return text


ROUTES = [create_webhook, list_webhooks, get_webhook, update_webhook, delete_webhook, test_webhook]
