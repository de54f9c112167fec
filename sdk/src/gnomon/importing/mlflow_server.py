"""A running MLflow server, read through its REST protocol as its own client would."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from gnomon.importing.mlflow_api import MlflowApi, Refused
from gnomon.importing.mlflow_files import local_files
from gnomon.importing.mlflow_source import (
    DatasetInput,
    FileTree,
    ModelLink,
    ModelMetric,
    Pair,
    Point,
    SourceExperiment,
    SourceModel,
    SourceRegistered,
    SourceRun,
    SourceVersion,
)

_PAGE = 1_000
_POINTS_PAGE = 25_000
_MODELS_PAGE = 50
_REGISTERED_PAGE = 100
_IS_PROMPT = "tags.`mlflow.prompt.is_prompt` = 'true'"


class _Experiments(Struct, frozen=True):
    experiments: list[SourceExperiment] = []
    next_page_token: str = ""


class _Info(Struct, frozen=True):
    run_id: str = ""
    run_uuid: str = ""
    run_name: str = ""
    user_id: str = ""
    status: str = "RUNNING"
    lifecycle_stage: str = "active"
    start_time: int | None = None
    end_time: int | None = None
    artifact_uri: str = ""


class _Data(Struct, frozen=True):
    metrics: list[ModelMetric] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class _Inputs(Struct, frozen=True):
    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[ModelLink] = []


class _Outputs(Struct, frozen=True):
    model_outputs: list[ModelLink] = []


class Run(Struct, frozen=True):
    info: _Info
    data: _Data = _Data()
    inputs: _Inputs = _Inputs()
    outputs: _Outputs = _Outputs()


class _Runs(Struct, frozen=True):
    runs: list[Run] = []
    next_page_token: str = ""


class _History(Struct, frozen=True):
    metrics: list[ModelMetric] = []
    next_page_token: str = ""


class _ModelInfo(Struct, frozen=True):
    model_id: str
    experiment_id: str
    name: str = ""
    status: str = "LOGGED_MODEL_PENDING"
    artifact_uri: str = ""
    model_type: str = ""
    source_run_id: str = ""
    creation_timestamp_ms: int | None = None
    tags: list[Pair] = []


class _ModelData(Struct, frozen=True):
    params: list[Pair] = []
    metrics: list[ModelMetric] = []


class LoggedModel(Struct, frozen=True):
    info: _ModelInfo
    data: _ModelData = _ModelData()

    def told(self) -> SourceModel:
        return SourceModel(
            **{name: getattr(self.info, name) for name in self.info.__struct_fields__},
            params=self.data.params,
            metrics=self.data.metrics,
        )


class _Models(Struct, frozen=True):
    models: list[LoggedModel] = []
    next_page_token: str = ""


class _Alias(Struct, frozen=True):
    alias: str
    version: int


class Registered(Struct, frozen=True):
    name: str
    description: str = ""
    tags: list[Pair] = []
    aliases: list[_Alias] = []


class _RegisteredPage(Struct, frozen=True):
    registered_models: list[Registered] = []
    next_page_token: str = ""


class _Version(SourceVersion, frozen=True):
    model_id: str = ""


class VersionPage(Struct, frozen=True):
    model_versions: list[_Version] = []
    next_page_token: str = ""


class ServerSource:
    """A server at an HTTP address."""

    def __init__(self, api: MlflowApi) -> None:
        self._api = api
        self.name = api.name

    def close(self) -> None:
        self._api.close()

    def experiments(self) -> Iterator[SourceExperiment]:
        token, found = "", []
        while True:
            page = self._api.post(
                "experiments/search",
                _Experiments,
                view_type="ALL",
                max_results=_PAGE,
                page_token=token or None,
            )
            found += page.experiments
            token = page.next_page_token
            if not token:
                break
        yield from sorted(found, key=lambda each: (len(each.experiment_id), each.experiment_id))

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        token = ""
        while True:
            page = self._api.post(
                "runs/search",
                _Runs,
                experiment_ids=[experiment_id],
                run_view_type="ALL",
                max_results=_PAGE,
                order_by=["attributes.start_time ASC"],
                page_token=token or None,
            )
            yield from (_run(experiment_id, each) for each in page.runs)
            token = page.next_page_token
            if not token:
                return

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        for key in run.metric_keys:
            token = ""
            while True:
                page = self._api.get(
                    "metrics/get-history",
                    _History,
                    run_id=run.run_id,
                    metric_key=key,
                    max_results=_POINTS_PAGE,
                    page_token=token or None,
                )
                for each in page.metrics:
                    yield key, (each.step, each.timestamp, each.value)
                token = page.next_page_token
                if not token:
                    break

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        token = ""
        while True:
            try:
                page = self._api.post(
                    "logged-models/search",
                    _Models,
                    experiment_ids=[experiment_id],
                    max_results=_MODELS_PAGE,
                    page_token=token or None,
                )
            except Refused as refused:
                if refused.status == 404:
                    return
                raise
            yield from (each.told() for each in page.models)
            token = page.next_page_token
            if not token:
                return

    def registered(self) -> Iterator[SourceRegistered]:
        for asked in (None, _IS_PROMPT):
            token = ""
            while True:
                page = self._api.get(
                    "registered-models/search",
                    _RegisteredPage,
                    max_results=_REGISTERED_PAGE,
                    filter=asked,
                    page_token=token or None,
                )
                for each in page.registered_models:
                    yield SourceRegistered(
                        name=each.name,
                        description=each.description,
                        tags=each.tags,
                        aliases={alias.alias: alias.version for alias in each.aliases},
                        versions=self._versions(each.name, asked),
                    )
                token = page.next_page_token
                if not token:
                    break

    def files(self, uri: str) -> FileTree:
        """What the server proxies, or what lies on this disk, where server and import share it."""
        if uri.startswith(("/", "file:")):
            return local_files(uri, proxied_at=(), relative_to=Path.cwd())
        return self._api.files(uri)

    def left_out(self) -> list[tuple[str, int]]:
        experiments = [each.experiment_id for each in self.experiments()]
        locations = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": uid}} for uid in experiments]
        body = {"locations": locations, "max_results": 100}
        traces = self._api.count("POST", "/api/3.0/mlflow/traces/search", "traces", body)
        return [("traces (100 or fewer were counted)", traces)] if traces else []

    def _versions(self, name: str, asked: str | None) -> list[SourceVersion]:
        wanted = f"name = '{name}'" + (f" AND {asked}" if asked else "")
        token, found = "", []
        while True:
            page = self._api.get(
                "model-versions/search", VersionPage, filter=wanted, max_results=_PAGE, page_token=token or None
            )
            found += page.model_versions
            token = page.next_page_token
            if not token:
                break
        versions = [
            msgspec.structs.replace(each, source=f"models:/{each.model_id}") if each.model_id else each
            for each in found
        ]
        return sorted(versions, key=lambda each: each.version)


def _run(experiment_id: str, run: Run) -> SourceRun:
    latest = sorted((each.key, each.timestamp, each.step, repr(each.value)) for each in run.data.metrics)
    info, tags = run.info, {each.key: each.value for each in run.data.tags}
    return SourceRun(
        run_id=info.run_id or info.run_uuid,
        experiment_id=experiment_id,
        run_name=info.run_name or tags.get("mlflow.runName", ""),
        user_id=info.user_id,
        status=info.status,
        lifecycle_stage=info.lifecycle_stage,
        start_time=info.start_time,
        end_time=info.end_time,
        artifact_uri=info.artifact_uri,
        state=hashlib.sha256(repr(latest).encode()).hexdigest(),
        metric_keys=sorted(each.key for each in run.data.metrics),
        params={each.key: each.value for each in run.data.params},
        tags=tags,
        datasets=run.inputs.dataset_inputs,
        models_in=run.inputs.model_inputs,
        models_out=run.outputs.model_outputs,
    )
