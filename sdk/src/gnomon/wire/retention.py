"""Messages about retention: rules by which runs are archived, and archived runs removed for good."""

from typing import Annotated, Literal

from msgspec import Struct

from gnomon.bounds import Count, Key, Time, Uid, said
from gnomon.wire.messages import Request
from gnomon.wire.storage import RunStorage

RetentionAction = Literal["archive", "purge"]
Best = Literal["min", "max"]


class RetentionRuleCreate(Request, frozen=True):
    """`archive` takes runs that ended `after_days` ago or longer, `purge` runs that were archived so long ago.

    Only runs that match `filter` (the query language), of one experiment or of the whole tenant. With `keep_best` the
    best so many runs of each experiment stay, by the best value that `metric` ever had (`min` or `max`). Runs with the
    tag `gnomon.keep` and runs of registered model versions are never taken.
    """

    action: RetentionAction
    after_days: Annotated[float, said(minimum=0, maximum=36500)]
    experiment_id: Uid | None = None
    filter: Annotated[str, said(maxLength=8192)] = ""
    keep_best: Annotated[int, said(minimum=0, maximum=100_000)] = 0
    metric: Key | None = None
    best: Best = "min"


class RetentionRuleResponse(Struct, frozen=True):
    """A rule; `applied_runs` counts the runs it has taken in all."""

    id: Uid
    action: RetentionAction
    after_days: float
    experiment_id: Uid | None
    filter: str
    keep_best: Count
    metric: str | None
    best: Best
    created_at: Time
    created_by: str
    applied_at: Time | None
    applied_runs: Count


class RetentionRuleList(Struct, frozen=True):
    rules: list[RetentionRuleResponse]
    total: Count


class RetentionPreview(Struct, frozen=True):
    """What a rule would take now: `total` runs that hold so many bytes, and a page of them, the largest first.

    `artifact_bytes` are the contents that nothing but these runs refers to. Archiving frees none of it.
    """

    rule_id: Uid
    points_bytes: Count
    artifact_bytes: Count
    runs: list[RunStorage]
    total: Count
    limit: Count
    offset: Count


class RetentionApplied(Struct, frozen=True):
    """How many runs were taken; when not `done`, doing it again goes on."""

    rule_id: Uid
    runs: Count
    done: bool
