"""The messages of webhooks, named as MLflow's clients name them."""

from msgspec import UNSET, UnsetType

from gnomon_server.api.mlflow.wire import Asked, Enum, Told


class EventSent(Asked, frozen=True):
    entity: Enum = ""
    action: Enum = ""


class CreateWebhook(Asked, frozen=True):
    required = ("name", "url", "events")
    name: str = ""
    url: str = ""
    events: list[EventSent] = []
    description: str = ""
    secret: str = ""
    status: Enum | UnsetType = UNSET


class ListWebhooks(Asked, frozen=True):
    max_results: int = 100
    page_token: str = ""


class UpdateWebhook(Asked, frozen=True):
    """What is absent stays; so does an empty name, address or list of events."""

    name: str = ""
    url: str = ""
    events: list[EventSent] = []
    description: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    status: Enum | UnsetType = UNSET


class TestWebhook(Asked, frozen=True):
    event: EventSent | UnsetType = UNSET


class EventTold(Told, frozen=True):
    entity: str
    action: str


class Webhook(Told, frozen=True):
    webhook_id: str
    name: str
    url: str
    status: str
    creation_timestamp: int
    last_updated_timestamp: int
    events: list[EventTold] = []
    description: str = ""


class WebhookFound(Told, frozen=True):
    webhook: Webhook


class WebhookList(Told, frozen=True):
    webhooks: list[Webhook] = []
    next_page_token: str = ""


class TestResult(Told, frozen=True):
    success: bool
    response_status: int | UnsetType = UNSET
    error_message: str | UnsetType = UNSET


class WebhookTested(Told, frozen=True):
    result: TestResult
