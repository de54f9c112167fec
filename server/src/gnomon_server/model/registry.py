"""What datasets, logged models and registered models ARE: frozen, typed, with no way back to the database."""

from collections.abc import Mapping, Sequence
from typing import Literal, NewType

from msgspec import Struct

from gnomon_server.model.ids import RowId, is_uid, new_uid

ModelUid = NewType("ModelUid", str)
ModelStatus = Literal["pending", "ready", "failed"]
Stage = Literal["None", "Staging", "Production", "Archived"]
ModelRole = Literal["input", "output"]

STAGES: tuple[Stage, ...] = ("None", "Staging", "Production", "Archived")


def new_model_uid() -> ModelUid:
    """The id of a logged model, in the form that MLflow's clients look for in a URI."""
    return ModelUid(f"m-{new_uid()}")


def is_model_uid(text: str) -> bool:
    """Whether the text is an id of a logged model, as ours and MLflow's are."""
    return text.startswith("m-") and is_uid(text[2:])


class Dataset(Struct, frozen=True):
    """Data that runs took in. Within an experiment, name and digest say which."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInput(Struct, frozen=True):
    """A dataset as an input of a run: in which context (`training`), and what else was said of it."""

    dataset: Dataset
    context: str = ""
    tags: Mapping[str, str] = {}


class DatasetUse(Struct, frozen=True):
    """A dataset of an experiment in one context."""

    experiment_number: int
    name: str
    digest: str
    context: str


class ModelUse(Struct, frozen=True):
    """A logged model that a run took in or gave out; `step` is that of an output."""

    model: str
    step: int = 0


class RunLinks(Struct, frozen=True):
    """What a run took in and gave out."""

    datasets: Sequence[DatasetInput] = ()
    inputs: Sequence[ModelUse] = ()
    outputs: Sequence[ModelUse] = ()


class ModelMetric(Struct, frozen=True):
    """Where a metric of a logged model stands, as one run measured it on one dataset ("": on none)."""

    key: str
    value: float
    step: float
    time_ms: int
    run: str
    dataset_name: str = ""
    dataset_digest: str = ""


class LoggedModel(Struct, frozen=True):
    """A model as it was logged: its files, its params, and what was measured of it."""

    row: RowId
    uid: ModelUid
    experiment: RowId
    experiment_number: int
    artifact_location: str
    source_run: str
    name: str
    model_type: str
    status: ModelStatus
    created_ms: int
    updated_ms: int
    params: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    metrics: Sequence[ModelMetric] = ()

    @property
    def artifact_uri(self) -> str:
        return f"{self.artifact_location}/models/{self.uid}/artifacts"


class ModelOrder(Struct, frozen=True):
    """One key of an order: an attribute, or (`is_metric`) a metric, measured on any dataset or on this one."""

    key: str
    is_metric: bool = False
    descending: bool = False
    dataset_name: str = ""
    dataset_digest: str = ""


class ModelVersion(Struct, frozen=True):
    """One version of a registered model: where its files are, and the run and logged model it came from.

    A copy has the version it was made of as its source, and `files` tells where the files are; otherwise that is None.
    """

    name: str
    version: int
    description: str
    source: str
    run: str
    run_link: str
    model: str
    stage: Stage
    created_by: str
    created_ms: int
    updated_ms: int
    files: str | None = None
    tags: Mapping[str, str] = {}
    aliases: Sequence[str] = ()


class RegisteredModel(Struct, frozen=True):
    """A name under which versions of a model are published. `latest` holds the newest version of each stage."""

    row: RowId
    name: str
    description: str
    created_ms: int
    updated_ms: int
    tags: Mapping[str, str] = {}
    aliases: Mapping[str, int] = {}
    latest: Sequence[ModelVersion] = ()
