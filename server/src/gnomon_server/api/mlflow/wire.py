"""The messages of MLflow's tracking protocol that are spoken here, named as its clients name them.

Requests: an absent string is "", as in protobuf; UNSET stands where it matters whether a field was sent. `required`
are those that must be there and not empty. Answers leave out what is unset and lists that are empty.
"""

from typing import ClassVar

from msgspec import UNSET, Struct, UnsetType

Number = int | float | str
Enum = str | int


class Asked(Struct, frozen=True, gc=False):
    """A request."""

    required: ClassVar[tuple[str, ...]] = ()


class Told(Struct, frozen=True, omit_defaults=True):
    """A part of an answer."""


class Nothing(Told, frozen=True):
    """`{}`: it is done."""


class Pair(Asked, frozen=True, gc=False):
    """A tag or a param of a request."""

    key: str = ""
    value: str = ""


class KeyValue(Struct, frozen=True, gc=False):
    """A tag or a param of an answer."""

    key: str
    value: str


# --- experiments


class CreateExperiment(Asked, frozen=True):
    required = ("name",)
    name: str = ""
    artifact_location: str = ""
    tags: list[Pair] = []
    # Ours, which MLflow's server passes over: for who brings an experiment from elsewhere.
    experiment_id: str = ""
    creation_time: int | UnsetType = UNSET


class ExperimentNamed(Asked, frozen=True):
    required = ("experiment_name",)
    experiment_name: str = ""


class ExperimentAsked(Asked, frozen=True):
    """Get, delete or restore one."""

    required = ("experiment_id",)
    experiment_id: str = ""


class UpdateExperiment(Asked, frozen=True):
    required = ("experiment_id", "new_name")
    experiment_id: str = ""
    new_name: str = ""


class ExperimentTag(Asked, frozen=True):
    required = ("experiment_id", "key")
    experiment_id: str = ""
    key: str = ""
    value: str = ""


class SearchExperiments(Asked, frozen=True):
    max_results: int = 0
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: Enum = "ACTIVE_ONLY"


class ExperimentCreated(Told, frozen=True):
    experiment_id: str


class Experiment(Told, frozen=True):
    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    last_update_time: int
    creation_time: int
    workspace: str
    tags: list[KeyValue] = []


class ExperimentFound(Told, frozen=True):
    experiment: Experiment


class ExperimentsFound(Told, frozen=True):
    experiments: list[Experiment] = []
    next_page_token: str = ""


# --- runs


class CreateRun(Asked, frozen=True):
    experiment_id: str = ""
    user_id: str = ""
    run_name: str = ""
    start_time: int | UnsetType = UNSET
    tags: list[Pair] = []


class UpdateRun(Asked, frozen=True):
    required = ("run_id",)
    run_id: str = ""
    run_uuid: str = ""
    status: Enum | UnsetType = UNSET
    end_time: int | UnsetType = UNSET
    run_name: str = ""


class RunAsked(Asked, frozen=True):
    """Get, delete or restore one."""

    required = ("run_id",)
    run_id: str = ""
    run_uuid: str = ""


class SearchRuns(Asked, frozen=True):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: Enum = "ACTIVE_ONLY"
    max_results: int = 1_000
    order_by: list[str] = []
    page_token: str = ""


class RunKey(Asked, frozen=True):
    """A tag to remove."""

    required = ("run_id", "key")
    run_id: str = ""
    run_uuid: str = ""
    key: str = ""


class RunPair(Asked, frozen=True):
    """A tag or a param to log."""

    required = ("run_id", "key")
    run_id: str = ""
    run_uuid: str = ""
    key: str = ""
    value: str = ""


class MetricSent(Asked, frozen=True, gc=False):
    key: str = ""
    value: float | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogMetric(Asked, frozen=True):
    required = ("run_id", "key", "value", "timestamp")
    run_id: str = ""
    run_uuid: str = ""
    key: str = ""
    value: float | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogBatch(Asked, frozen=True):
    required = ("run_id",)
    run_id: str = ""
    run_uuid: str = ""
    metrics: list[MetricSent] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class RunInfo(Told, frozen=True, gc=False):
    run_id: str
    run_uuid: str
    run_name: str
    experiment_id: str
    user_id: str
    status: str
    start_time: int
    artifact_uri: str
    lifecycle_stage: str
    end_time: int | UnsetType = UNSET


class Metric(Told, frozen=True, gc=False):
    key: str
    value: float | str
    timestamp: int
    step: int
    run_id: str = ""
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class RunData(Told, frozen=True):
    metrics: list[Metric] = []
    params: list[KeyValue] = []
    tags: list[KeyValue] = []


class Dataset(Told, frozen=True):
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | UnsetType = UNSET
    profile: str | UnsetType = UNSET


class DatasetInput(Told, frozen=True):
    dataset: Dataset
    tags: list[KeyValue] = []


class ModelInput(Told, frozen=True):
    model_id: str


class ModelOutput(Struct, frozen=True):
    model_id: str
    step: int


class RunInputs(Told, frozen=True):
    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[ModelInput] = []


class RunOutputs(Told, frozen=True):
    model_outputs: list[ModelOutput] = []


class Run(Struct, frozen=True):
    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs | UnsetType = UNSET


class RunFound(Told, frozen=True):
    run: Run


class RunUpdated(Told, frozen=True):
    run_info: RunInfo


class RunsFound(Told, frozen=True):
    runs: list[Run] = []
    next_page_token: str = ""


# --- metric histories


class MetricHistory(Asked, frozen=True):
    required = ("run_id", "metric_key")
    run_id: str = ""
    run_uuid: str = ""
    metric_key: str = ""
    page_token: str = ""
    max_results: int | UnsetType = UNSET


class HistoryInterval(Asked, frozen=True):
    required = ("run_ids", "metric_key")
    run_ids: list[str] = []
    metric_key: str = ""
    start_step: int | UnsetType = UNSET
    end_step: int | UnsetType = UNSET
    max_results: int = 2_500


class HistoryBulk(Asked, frozen=True):
    run_id: list[str] = []
    metric_key: str = ""
    max_results: int = 25_000


class MetricsFound(Told, frozen=True):
    metrics: list[Metric] = []
    next_page_token: str = ""


# --- inputs and outputs of runs


class DatasetSent(Asked, frozen=True):
    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInputSent(Asked, frozen=True):
    dataset: DatasetSent = DatasetSent()
    tags: list[Pair] = []


class ModelSent(Asked, frozen=True):
    model_id: str = ""
    step: int = 0


class LogInputs(Asked, frozen=True):
    required = ("run_id",)
    run_id: str = ""
    run_uuid: str = ""
    datasets: list[DatasetInputSent] = []
    models: list[ModelSent] = []


class LogOutputs(Asked, frozen=True):
    required = ("run_id", "models")
    run_id: str = ""
    run_uuid: str = ""
    models: list[ModelSent] = []


class LogModel(Asked, frozen=True):
    required = ("run_id", "model_json")
    run_id: str = ""
    run_uuid: str = ""
    model_json: str = ""


class SearchDatasets(Asked, frozen=True):
    experiment_ids: list[str] = []


class DatasetSummary(Told, frozen=True):
    experiment_id: str
    name: str
    digest: str
    context: str = ""


class DatasetsFound(Told, frozen=True):
    dataset_summaries: list[DatasetSummary] = []


# --- artifacts


class ListArtifacts(Asked, frozen=True):
    run_id: str = ""
    run_uuid: str = ""
    path: str = ""
    page_token: str = ""


class GetArtifact(Asked, frozen=True):
    run_id: str = ""
    run_uuid: str = ""
    path: str = ""


class FileInfo(Told, frozen=True):
    path: str
    is_dir: bool
    file_size: int | UnsetType = UNSET


class FilesFound(Told, frozen=True):
    files: list[FileInfo] = []
    root_uri: str = ""
