"""Rules of what goes by itself: runs that are archived, and archived runs that are removed for good."""

from typing import Literal

from msgspec import Struct

from gnomon_server.model.storage import NamedUse

RetentionAction = Literal["archive", "purge"]
Best = Literal["min", "max"]
# A run with this tag, whatever its value, is never touched by a rule.
KEEP_TAG = "gnomon.keep"


class RetentionRule(Struct, frozen=True):
    """A rule of a tenant, or of one experiment of it (its uid).

    `archive` takes runs that ended `after_ms` ago or longer, but for the best `keep_best` of each experiment by the
    `best` value that `metric` ever had. `purge` takes runs that were archived so long ago. Either takes only runs that
    match `filter`, a query like any other; one with relative times means the time at which the rule is applied.
    """

    uid: str
    action: RetentionAction
    experiment: str | None
    filter: str
    after_ms: int
    keep_best: int
    metric: str
    best: Best
    created_by: str
    created_ms: int
    applied_ms: int | None = None
    applied_runs: int = 0


class RetentionPreview(Struct, frozen=True):
    """What a rule would take now: how many runs, what they hold, and a page of them, the largest first.

    `artifact_bytes` are the contents that no other run or model refers to.
    """

    total: int
    points_bytes: int
    artifact_bytes: int
    runs: list[NamedUse]
