"""The messages of logged models and of the model registry; `wire.py` says how they are read and written."""

from msgspec import UNSET, Struct, UnsetType

from gnomon_server.api.mlflow.wire import Asked, Enum, KeyValue, Metric, Pair, Told

# --- logged models


class CreateLoggedModel(Asked, frozen=True):
    required = ("experiment_id",)
    experiment_id: str = ""
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[Pair] = []
    tags: list[Pair] = []
    # Ours, which MLflow's server passes over: for who brings a model from elsewhere.
    model_id: str = ""
    creation_timestamp_ms: int | UnsetType = UNSET


class FinalizeLoggedModel(Asked, frozen=True):
    required = ("status",)
    status: Enum = ""


class LoggedModelPairs(Asked, frozen=True):
    """Tags or params to set."""

    tags: list[Pair] = []
    params: list[Pair] = []


class DatasetAsked(Asked, frozen=True):
    dataset_name: str = ""
    dataset_digest: str = ""


class OrderAsked(Asked, frozen=True):
    field_name: str = ""
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModels(Asked, frozen=True):
    required = ("experiment_ids",)
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[DatasetAsked] = []
    max_results: int = 50
    order_by: list[OrderAsked] = []
    page_token: str = ""


class ListModelArtifacts(Asked, frozen=True):
    artifact_directory_path: str = ""
    page_token: str = ""


class ModelFileAsked(Asked, frozen=True):
    required = ("artifact_file_path",)
    artifact_file_path: str = ""


class LoggedModelInfo(Told, frozen=True):
    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: str
    model_type: str
    source_run_id: str
    tags: list[KeyValue] = []


class LoggedModelData(Told, frozen=True):
    params: list[KeyValue] = []
    metrics: list[Metric] = []


class LoggedModel(Struct, frozen=True):
    info: LoggedModelInfo
    data: LoggedModelData


class LoggedModelFound(Told, frozen=True):
    model: LoggedModel


class LoggedModelsFound(Told, frozen=True):
    models: list[LoggedModel] = []
    next_page_token: str = ""


# --- the registry


class CreateRegisteredModel(Asked, frozen=True):
    required = ("name",)
    name: str = ""
    description: str = ""
    tags: list[Pair] = []


class ModelNamed(Asked, frozen=True):
    """Get or delete one."""

    required = ("name",)
    name: str = ""


class RenameRegisteredModel(Asked, frozen=True):
    required = ("name", "new_name")
    name: str = ""
    new_name: str = ""


class UpdateRegisteredModel(Asked, frozen=True):
    required = ("name",)
    name: str = ""
    description: str | UnsetType = UNSET


class SearchRegistered(Asked, frozen=True):
    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


class SearchVersions(Asked, frozen=True):
    filter: str = ""
    max_results: int = 200_000
    order_by: list[str] = []
    page_token: str = ""


class LatestAsked(Asked, frozen=True):
    required = ("name",)
    name: str = ""
    stages: list[str] = []


class ModelTag(Asked, frozen=True):
    required = ("name", "key")
    name: str = ""
    key: str = ""
    value: str = ""


class ModelAlias(Asked, frozen=True):
    required = ("name", "alias")
    name: str = ""
    alias: str = ""


class SetAlias(Asked, frozen=True):
    required = ("name", "alias", "version")
    name: str = ""
    alias: str = ""
    version: str = ""


class CreateVersion(Asked, frozen=True):
    required = ("name", "source")
    name: str = ""
    source: str = ""
    run_id: str = ""
    tags: list[Pair] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class VersionAsked(Asked, frozen=True):
    required = ("name", "version")
    name: str = ""
    version: str = ""


class UpdateVersion(Asked, frozen=True):
    required = ("name", "version")
    name: str = ""
    version: str = ""
    description: str = ""


class MoveVersion(Asked, frozen=True):
    required = ("name", "version", "stage")
    name: str = ""
    version: str = ""
    stage: str = ""
    archive_existing_versions: bool = False


class VersionTag(Asked, frozen=True):
    required = ("name", "version", "key")
    name: str = ""
    version: str = ""
    key: str = ""
    value: str = ""


class VersionFileAsked(Asked, frozen=True):
    required = ("name", "version", "path")
    name: str = ""
    version: str = ""
    path: str = ""


class AliasTold(Struct, frozen=True):
    alias: str
    version: str


class ModelVersion(Told, frozen=True):
    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    description: str
    source: str
    run_id: str
    status: str
    run_link: str
    user_id: str | UnsetType = UNSET
    model_id: str | UnsetType = UNSET
    tags: list[KeyValue] = []
    aliases: list[str] = []


class RegisteredModel(Told, frozen=True):
    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str | UnsetType = UNSET
    latest_versions: list[ModelVersion] = []
    tags: list[KeyValue] = []
    aliases: list[AliasTold] = []


class RegisteredFound(Told, frozen=True):
    registered_model: RegisteredModel


class RegisteredList(Told, frozen=True):
    registered_models: list[RegisteredModel] = []
    next_page_token: str = ""


class VersionFound(Told, frozen=True):
    model_version: ModelVersion


class VersionList(Told, frozen=True):
    model_versions: list[ModelVersion] = []
    next_page_token: str = ""


class DownloadUri(Told, frozen=True):
    artifact_uri: str
