"""Messages about what the server does by itself: webhooks and their deliveries."""

from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType

from gnomon.bounds import Count, ExperimentName, Time, Uid, said
from gnomon.wire.messages import Request

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
WebhookUrl = Annotated[str, said(minLength=10, maxLength=2048, pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[!-~]+$")]
Events = Annotated[list[EventType], said(minItems=1, maxItems=50)]


class WebhookCreate(Request, frozen=True):
    """`experiment_id` absent: events of every experiment. `format` slack: messages that a Slack channel shows."""

    name: ExperimentName
    url: WebhookUrl
    events: Events
    experiment_id: Uid | None = None
    format: WebhookFormat = "json"


class WebhookPatch(Request, frozen=True):
    """What is absent stays."""

    name: ExperimentName | UnsetType = UNSET
    url: WebhookUrl | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    format: WebhookFormat | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class WebhookResponse(Struct, frozen=True):
    id: Uid
    name: str
    url: str
    events: list[EventType]
    experiment_id: Uid | None
    format: WebhookFormat
    active: bool
    created_by: str
    created_at: Time
    last_updated: Time


class WebhookMinted(Struct, frozen=True):
    """A webhook with the secret that its deliveries are signed with, which is shown this once."""

    secret: str
    webhook: WebhookResponse


class WebhookListResponse(Struct, frozen=True):
    webhooks: list[WebhookResponse]
    total: Count


class DeliveryResponse(Struct, frozen=True):
    """One event on its way: `status` is that of the last answer, `error` what was wrong, `body` what is sent."""

    id: Uid
    webhook_id: Uid
    event: EventType
    state: DeliveryState
    attempts: Count
    created_at: Time
    next_at: Time | None
    done_at: Time | None
    status: int | None
    error: str | None
    body: str


class DeliveryListResponse(Struct, frozen=True):
    deliveries: list[DeliveryResponse]
    total: Count
    limit: Count
    offset: Count
