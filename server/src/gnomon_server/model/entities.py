"""What experiments, runs and artifacts ARE, as every room sees them: frozen, typed, with no way back to the database.

Times end in `_ms`: Unix milliseconds, UTC. `row` is the store's own number of a thing and never leaves the server.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gnomon_server.model.ids import ExperimentUid, RowId, RunUid

LifecycleStage = Literal["active", "deleted"]
RunStatus = Literal["running", "scheduled", "finished", "failed", "killed"]
KeyKind = Literal["metric", "param", "tag"]
# lost: ended because nothing was heard of its job; back: heard of again, and running; rule: a rule has fired.
RunEventKind = Literal["lost", "back", "rule"]


class Experiment(Struct, frozen=True):
    """A named collection of runs. `number` counts per tenant from 0 (`Default`)."""

    row: RowId
    uid: ExperimentUid
    number: int
    name: str
    description: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    run_count: int
    created_ms: int
    updated_ms: int
    tags: Mapping[str, str] = {}


class RunHead(Struct, frozen=True):
    """What the write path needs to know of a run, and nothing that changes while it logs."""

    row: RowId
    experiment: RowId
    lifecycle_stage: LifecycleStage


class Run(Struct, frozen=True):
    """One training run. `params`, `metrics` (latest values) and `tags` are filled where the caller asked for them."""

    row: RowId
    uid: RunUid
    experiment: RowId
    experiment_uid: ExperimentUid
    artifact_location: str
    name: str
    description: str
    status: RunStatus
    lifecycle_stage: LifecycleStage
    archived_with: RowId | None
    start_ms: int
    end_ms: int | None
    created_by: str
    params: Mapping[str, str] = {}
    metrics: Mapping[str, float] = {}
    tags: Mapping[str, str] = {}

    @property
    def artifact_uri(self) -> str:
        return f"{self.artifact_location}/{self.uid}/artifacts"

    @property
    def duration_ms(self) -> int | None:
        return None if self.end_ms is None else max(self.end_ms - self.start_ms, 0)


class LatestPoint(Struct, frozen=True, gc=False):
    """Where a metric of a run stands: its point that is greatest by (step, time, value)."""

    key: str
    value: float
    step: float
    time_ms: int


class Artifact(Struct, frozen=True):
    """A stored file of a run: its logical path, its content's SHA-256 (hex) and size in bytes."""

    path: str
    sha256: str
    size: int
    version: int
    created_ms: int


class RunEvent(Struct, frozen=True):
    """Something that happened to a run besides what it logged, in a sentence."""

    uid: str
    at_ms: int
    kind: RunEventKind
    message: str


class SavedView(Struct, frozen=True):
    """A page of an experiment under a name; `state` is the query string of the page."""

    uid: str
    name: str
    state: str
    created_by: str
    created_ms: int
    updated_ms: int


class KeyUse(Struct, frozen=True):
    """A key of an experiment and how many of its runs have it."""

    kind: KeyKind
    name: str
    runs: int
