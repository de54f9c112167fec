"""Messages about what the server does by itself: webhooks and their deliveries, rules and what they fired for."""

from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType

from gnomon.bounds import Count, ExperimentName, Key, Tags, Time, Uid, said
from gnomon.wire.messages import Direction, Number, Request

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
RuleKind = Literal["threshold", "nonfinite", "no_progress", "silent"]
Positive = Annotated[float, said(exclusiveMinimum=0, maximum=2**53)]
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


class RuleSave(Request, frozen=True):
    """What a rule waits for, and what it does then. Which fields count is said by `kind`:

    `threshold`: `aggregate` of `metric` stands in `comparison` to `value`. `nonfinite`: a NaN or an infinity came, in
    `metric` or, without it, in any. `no_progress`: the best value of `metric` (by `direction`) is `steps` steps or
    `minutes` minutes old. `silent`: nothing was heard of a running run for `minutes`.

    It looks at runs that `filter` finds (absent: all of the experiment), and fires once for each: the event
    `rule.fired` goes to `webhook_id` or, without it, to every webhook that wants it; `tags` are set on the run; with
    `end_run` a running run ends as killed.
    """

    name: ExperimentName
    kind: RuleKind
    metric: Key | None = None
    aggregate: Literal["last", "min", "max", "mean"] = "last"
    comparison: Literal[">", ">=", "<", "<="] = ">"
    value: Number = 0.0
    direction: Direction = "min"
    steps: Positive | None = None
    minutes: Positive | None = None
    filter: Annotated[str, said(maxLength=8192)] = ""
    tags: Tags = {}
    webhook_id: Uid | None = None
    end_run: bool = False
    active: bool = True


class RuleResponse(Struct, frozen=True):
    id: Uid
    name: str
    kind: RuleKind
    metric: str | None
    aggregate: Literal["last", "min", "max", "mean"]
    comparison: Literal[">", ">=", "<", "<="]
    value: Number
    direction: Direction
    steps: float | None
    minutes: float | None
    filter: str
    tags: dict[str, str]
    webhook_id: Uid | None
    end_run: bool
    active: bool
    created_by: str
    created_at: Time
    last_updated: Time


class RuleListResponse(Struct, frozen=True):
    rules: list[RuleResponse]
    total: Count


class RuleMatch(Struct, frozen=True):
    run_id: Uid
    run_name: str
    message: str


class RuleTested(Struct, frozen=True):
    """The newest 100 runs for which the rule holds now; time and filter are not asked."""

    matches: list[RuleMatch]


class FiringResponse(Struct, frozen=True):
    """That a rule fired for a run; once cleared it may fire again."""

    run_id: Uid
    run_name: str
    fired_at: Time
    message: str
    cleared_at: Time | None


class FiringListResponse(Struct, frozen=True):
    firings: list[FiringResponse]
    total: Count
    limit: Count
    offset: Count


class FiringCleared(Struct, frozen=True):
    rule_id: Uid
    run_id: Uid
