"""What an MLflow source tells, whichever kind it is: a server, a database, or a folder of files.

Names of fields are MLflow's own, so that the answers of its server are read straight into these. Times are Unix
milliseconds. A source is read only, and tells the same thing however often it is asked while nobody writes to it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from gnomon.errors import GnomonError

# step, timestamp, value
Point = tuple[int, int, float]


class Unreachable(GnomonError):
    """Files that cannot be read from here; the sentence says why."""


class Pair(Struct, frozen=True):
    key: str
    value: str = ""


class SourceExperiment(Struct, frozen=True):
    experiment_id: str
    name: str
    artifact_location: str = ""
    lifecycle_stage: str = "active"
    creation_time: int | None = None
    tags: list[Pair] = []


class Dataset(Struct, frozen=True):
    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Struct, frozen=True):
    dataset: Dataset
    tags: list[Pair] = []


class ModelLink(Struct, frozen=True):
    """A logged model that a run took in or gave out."""

    model_id: str
    step: int = 0


class SourceRun(Struct, frozen=True):
    """`state` changes whenever points were added: it names a reading of the run's points."""

    run_id: str
    experiment_id: str
    run_name: str
    user_id: str
    status: str
    lifecycle_stage: str
    start_time: int | None
    end_time: int | None
    artifact_uri: str
    state: str
    metric_keys: list[str]
    params: dict[str, str]
    tags: dict[str, str]
    datasets: list[DatasetInput] = []
    models_in: list[ModelLink] = []
    models_out: list[ModelLink] = []


class ModelMetric(Struct, frozen=True):
    key: str
    value: float
    timestamp: int
    step: int = 0
    run_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class SourceModel(Struct, frozen=True):
    """A logged model of MLflow 3."""

    model_id: str
    experiment_id: str
    name: str
    status: str
    artifact_uri: str
    model_type: str = ""
    source_run_id: str = ""
    creation_timestamp_ms: int | None = None
    params: list[Pair] = []
    tags: list[Pair] = []
    metrics: list[ModelMetric] = []


class SourceVersion(Struct, frozen=True):
    """A version of a registered model."""

    version: int
    source: str
    run_id: str = ""
    run_link: str = ""
    description: str = ""
    current_stage: str = "None"
    tags: list[Pair] = []


class SourceRegistered(Struct, frozen=True):
    """A registered model with all of its versions, the first of them first."""

    name: str
    description: str = ""
    tags: list[Pair] = []
    aliases: dict[str, int] = {}
    versions: list[SourceVersion] = []


class FileTree(Protocol):
    """The files below one place."""

    def walk(self) -> Iterator[str]:
        """The paths of the files, relative to the place."""
        ...

    def fetch(self, path: str) -> AbstractContextManager[Path]:
        """A file on this disk, while the block lasts."""
        ...


class Source(Protocol):
    """An MLflow source."""

    name: str

    def experiments(self) -> Iterator[SourceExperiment]:
        """All experiments, deleted ones too, in order of their ids."""
        ...

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        """All runs of an experiment, deleted ones too, in order of their start."""
        ...

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        """Every point of a run: by key, then by (timestamp, step, value); equal points may come twice in a row."""
        ...

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        """The logged models of an experiment that are not deleted."""
        ...

    def registered(self) -> Iterator[SourceRegistered]:
        """The registered models, prompts among them."""
        ...

    def files(self, uri: str) -> FileTree:
        """The files at an artifact URI of this source; raises `Unreachable`."""
        ...

    def left_out(self) -> list[tuple[str, int]]:
        """What the source has and this import does not read: of which kind, and how many."""
        ...

    def close(self) -> None: ...
