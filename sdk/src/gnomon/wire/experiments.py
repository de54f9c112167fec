"""Messages about experiments."""

from msgspec import UNSET, Struct, UnsetType

from gnomon.bounds import ArtifactLocation, Count, Description, ExperimentName, TagChanges, Tags, Time, Uid
from gnomon.wire.messages import LifecycleStage, Request


class ExperimentCreate(Request, frozen=True):
    """A null is an absent field."""

    name: ExperimentName
    description: Description | None = ""
    artifact_location: ArtifactLocation | None = None
    tags: Tags | None = {}


class ExperimentPatch(Request, frozen=True):
    """What is absent stays; a tag set to null is removed."""

    name: ExperimentName | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    tags: TagChanges | UnsetType = UNSET


class ExperimentResponse(Struct, frozen=True):
    id: Uid
    number: Count
    name: str
    description: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    tags: dict[str, str]
    created_at: Time
    last_updated: Time
    run_count: Count


class ExperimentListResponse(Struct, frozen=True):
    experiments: list[ExperimentResponse]
    total: Count
    limit: Count
    offset: Count
