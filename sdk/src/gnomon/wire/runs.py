"""Messages about runs: their making, changing, ending and listing."""

from msgspec import UNSET, Struct, UnsetType

from gnomon.bounds import Count, Description, EndTime, ExperimentName, RunName, TagChanges, Tags, Time, Uid, UnixMs
from gnomon.wire.messages import EndStatus, LifecycleStage, Number, Request, RunStatus


class RunCreate(Request, frozen=True):
    """`id` is the caller's own, made as the server would (a UUIDv7, 32 hex digits): asked again, it answers the run."""

    experiment_id: Uid
    name: RunName | None = None
    description: Description | None = ""
    tags: Tags | None = {}
    id: Uid | None = None


class RunPatch(Request, frozen=True):
    """What is absent stays; a tag set to null is removed; status `running` reopens an ended run."""

    name: RunName | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    tags: TagChanges | UnsetType = UNSET
    status: RunStatus | UnsetType = UNSET


class RunEnd(Request, frozen=True):
    status: EndStatus = "finished"
    end_time: EndTime | UnixMs | None = None


class RunResponse(Struct, frozen=True):
    id: Uid
    experiment_id: Uid
    name: str
    description: str
    status: RunStatus
    lifecycle_stage: LifecycleStage
    start_time: Time
    end_time: Time | None
    duration_ms: int | None
    artifact_uri: str
    params: dict[str, str]
    metrics: dict[str, Number]
    tags: dict[str, str]
    created_by: str


class RunListResponse(Struct, frozen=True):
    runs: list[RunResponse]
    total: Count
    limit: Count
    offset: Count


class RunBegin(Request, frozen=True):
    """What to make of a run that is not there yet: give `experiment_id`, or `experiment`, a name that may be new."""

    experiment_id: Uid | None = None
    experiment: ExperimentName | None = None
    name: RunName | None = None
    description: Description = ""
    tags: Tags = {}
    start_time: UnixMs | None = None
