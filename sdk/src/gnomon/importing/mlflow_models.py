"""Logged models, the registry, and what runs took in and gave out: written in MLflow's protocol, which has the words.

A logged model keeps its id, a version its number: gaps that deleted versions left are made again. Each file of a
model is read back from the server and compared by its SHA-256.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from gnomon.importing.mlflow_api import MlflowApi, ProxiedFiles, Refused
from gnomon.importing.mlflow_files import PROXIED
from gnomon.importing.mlflow_server import LoggedModel, Run, VersionPage
from gnomon.importing.mlflow_source import (
    ModelLink,
    Pair,
    Source,
    SourceModel,
    SourceRegistered,
    SourceRun,
    SourceVersion,
    Unreachable,
)
from gnomon.importing.report import ItemCheck, LeftOut

_PIECE_BYTES = 1 << 20
_NOTHING = dict[str, object]
# Where versions lead whose files are not here: a name that is kept for leading nowhere (RFC 2606).
_NO_SOURCE = "https://not-imported.invalid/"
_COPIED = re.compile(r"models:/([^/@]+)[/@]")
_OF_RUNS = ("", "file", PROXIED)
_MOST_PARAMS = 100


class _Made(Struct, frozen=True):
    model: LoggedModel


class _RunFound(Struct, frozen=True):
    run: Run


class _VersionMade(Struct, frozen=True):
    model_version: SourceVersion


class ModelImport:
    """The models of one source. `runs`: of each run of the source its id here and where its files lay."""

    def __init__(
        self, api: MlflowApi, source: Source, left_out: LeftOut, progress: Callable[[str, str, int, int], None]
    ) -> None:
        self._api = api
        self._source = source
        self._left_out = left_out
        self._progress = progress
        self.runs: dict[str, tuple[str, str]] = {}
        # Points of runs (run, key, step, time) that are NaN: a database keeps these as 0 with its models.
        self.nans: set[tuple[str, str, int, int]] = set()
        self._locations: dict[str, str] = {}

    def of_experiment(self, experiment_id: str, into: str) -> Iterator[ItemCheck]:
        """Bring in the logged models of an experiment; `into` is its number here."""
        models = list(self._source.models(experiment_id))
        for done, model in enumerate(models):
            self._progress("importing model", model.name, done, len(models))
            self._locations[model.model_id] = model.artifact_uri
            yield self._model(model, into)

    def registered(self) -> Iterator[ItemCheck]:
        """Bring in the registry."""
        for model in _originals_first({model.name: model for model in self._source.registered()}):
            self._progress("importing registered model", model.name, 0, len(model.versions))
            yield self._registered(model)

    def _model(self, model: SourceModel, into: str) -> ItemCheck:
        uid = model.model_id
        try:
            made = self._api.get(f"logged-models/{uid}", _Made).model
        except Refused as refused:
            if refused.status not in (403, 404):
                raise
            made = self._api.post(
                "logged-models",
                _Made,
                experiment_id=into,
                model_id=uid,
                creation_timestamp_ms=model.creation_timestamp_ms,
                name=model.name,
                model_type=model.model_type,
                source_run_id=self._run_here(model.source_run_id),
            ).model
        for start in range(0, len(model.params), _MOST_PARAMS):
            self._api.post(f"logged-models/{uid}/params", _NOTHING, params=model.params[start : start + _MOST_PARAMS])
        if model.tags:
            self._api.patch(f"logged-models/{uid}/tags", _NOTHING, tags=model.tags)
        self._metrics(model)
        unequal = self._files(model, made.info.artifact_uri)
        if model.status != "LOGGED_MODEL_PENDING":
            self._api.patch(f"logged-models/{uid}", _NOTHING, status=model.status)
        told = self._api.get(f"logged-models/{uid}", _Made).model.told()
        for field in ("name", "model_type", "status"):
            if getattr(told, field) != getattr(model, field):
                unequal.append(field)
        unequal += _unequal_pairs("param", model.params, told.params)
        unequal += _unequal_pairs("tag", model.tags, told.tags)
        kept = {(each.key, self._run_here(each.run_id)) for each in model.metrics if each.run_id in self.runs}
        unequal += [f"metric {key}" for key, run in sorted(kept - {(each.key, each.run_id) for each in told.metrics})]
        return ItemCheck("logged model", f"{model.name} ({uid})", unequal, equal=not unequal)

    def _metrics(self, model: SourceModel) -> None:
        for each in model.metrics:
            run = self._run_here(each.run_id)
            if each.run_id not in self.runs:
                self._skip("metric of model", f"{model.name}: {each.key}", "its run is not imported")
                continue
            is_nan = each.value != each.value or (each.run_id, each.key, each.step, each.timestamp) in self.nans
            self._api.post(
                "runs/log-metric",
                _NOTHING,
                run_id=run,
                key=each.key,
                value="NaN" if is_nan else each.value,
                timestamp=each.timestamp,
                step=each.step,
                model_id=model.model_id,
                dataset_name=each.dataset_name or None,
                dataset_digest=each.dataset_digest or None,
            )

    def _files(self, model: SourceModel, to_uri: str) -> list[str]:
        try:
            tree = self._source.files(model.artifact_uri)
        except Unreachable as error:
            self._skip("files of model", model.name, str(error))
            return []
        here = self._api.files(to_uri)
        there, unequal = set(here.walk()), []
        for path in tree.walk():
            try:
                with tree.fetch(path) as file:
                    digest = _sha256(file)
                    if path in there and _digest_of(here, path) == digest:
                        continue
                    here.put(path, file)
            except Unreachable as error:
                self._skip("file of model", f"{model.name}: {path}", str(error))
                continue
            if _digest_of(here, path) != digest:
                unequal.append(f"file {path}")
        return unequal

    def _registered(self, model: SourceRegistered) -> ItemCheck:
        name = model.name
        try:
            self._api.post("registered-models/create", _NOTHING, name=name, tags=model.tags)
        except Refused as refused:
            if refused.code != "RESOURCE_ALREADY_EXISTS":
                raise
            for tag in model.tags:
                self._api.post("registered-models/set-tag", _NOTHING, name=name, key=tag.key, value=tag.value)
        if model.description:
            self._api.patch("registered-models/update", _NOTHING, name=name, description=model.description)
        known = {each.version for each in self._versions_here(model)}
        for version in model.versions:
            self._version(name, version, known)
        for alias, number in model.aliases.items():
            if number in known:
                self._api.post("registered-models/alias", _NOTHING, name=name, alias=alias, version=str(number))
        here = {each.version: each for each in self._versions_here(model)}
        unequal = []
        for version in model.versions:
            found = here.get(version.version)
            if found is None:
                unequal.append(f"version {version.version}")
                continue
            if found.description != version.description or found.current_stage != version.current_stage:
                unequal.append(f"description or stage of version {version.version}")
            unequal += [
                f"{each} of version {version.version}" for each in _unequal_pairs("tag", version.tags, found.tags)
            ]
        return ItemCheck("registered model", name, unequal, equal=not unequal)

    def _version(self, name: str, version: SourceVersion, known: set[int]) -> None:
        """Make the version with its number, and before it those that the source has no more."""
        if version.version in known:
            return
        source = self._source_here(name, version)
        made = 0
        while made < version.version:
            made = self._make(name, version, source)
            if made != version.version:  # a number that the source has no more, or one that is too high
                self._api.delete("model-versions/delete", name=name, version=str(made))
        if made > version.version:
            self._skip("version", f"{name} {version.version}", "this server gave the number away before")
        if made != version.version:
            return
        known.add(made)
        if version.current_stage not in ("", "None"):
            self._api.post(
                "model-versions/transition-stage",
                _NOTHING,
                name=name,
                version=str(made),
                stage=version.current_stage,
            )

    def _make(self, name: str, version: SourceVersion, source: str) -> int:
        """Make the next version; its number. A source that cannot be kept here is reported and leads nowhere."""
        try:
            answer = self._api.post(
                "model-versions/create",
                _VersionMade,
                name=name,
                source=source,
                run_id=self._run_here(version.run_id) or None,
                run_link=version.run_link or None,
                description=version.description or None,
                tags=version.tags,
            )
        except Refused as refused:
            if refused.status not in (400, 404) or source == _NO_SOURCE:
                raise
            self._skip("source of version", f"{name} {version.version}", f"{source} is refused here ({refused})")
            return self._make(name, version, _NO_SOURCE)
        return answer.model_version.version

    def _versions_here(self, model: SourceRegistered) -> list[SourceVersion]:
        """The versions of it that this server has; prompts are found only by those who ask for them."""
        is_prompt = any(tag.key == "mlflow.prompt.is_prompt" for tag in model.tags)
        prompts = " AND tags.`mlflow.prompt.is_prompt` = 'true'" if is_prompt else ""
        page = self._api.get(
            "model-versions/search", VersionPage, filter=f"name = '{model.name}'{prompts}", max_results=100_000
        )
        return [*page.model_versions]

    def _source_here(self, name: str, version: SourceVersion) -> str:
        """Where the files of a version are on this server."""
        source = version.source
        if source.startswith("runs:/"):
            run, slash, path = source.removeprefix("runs:/").partition("/")
            return f"runs:/{self._run_here(run)}{slash}{path}"
        for uid, location in self._locations.items():
            if location and source.rstrip("/") == location.rstrip("/"):
                return f"models:/{uid}"
        _, location = self.runs.get(version.run_id, ("", ""))
        if location and source.startswith(location.rstrip("/") + "/"):
            return f"runs:/{self._run_here(version.run_id)}/{source[len(location.rstrip('/')) + 1 :]}"
        if urlsplit(source).scheme not in _OF_RUNS or "/" not in source:
            return source
        # A store that was moved: its versions still name the place where their run lay before.
        _, _, path = source.partition(f"/{version.run_id}/artifacts/")
        if path and version.run_id in self.runs:
            return f"runs:/{self._run_here(version.run_id)}/{path}"
        self._skip("source of version", f"{name} {version.version}", f"{source} belongs to no run that is imported")
        return _NO_SOURCE

    def _run_here(self, run_id: str) -> str:
        return self.runs.get(run_id, (run_id, ""))[0]

    def _skip(self, kind: str, name: str, reason: str) -> None:
        self._left_out.add(self._source.name, kind=kind, name=name, reason=reason)


def _originals_first(models: Mapping[str, SourceRegistered]) -> Iterator[SourceRegistered]:
    """A version that is a copy names the one it was copied from, which has to be there before it."""
    seen: set[str] = set()

    def visit(name: str) -> Iterator[SourceRegistered]:
        if name in models and name not in seen:
            seen.add(name)
            for version in models[name].versions:
                if copied := _COPIED.match(version.source):
                    yield from visit(copied[1])
            yield models[name]

    for name in models:
        yield from visit(name)


def send_links(api: MlflowApi, run: SourceRun, uid: str) -> ItemCheck | None:
    """Say what a run took in and gave out; None where that is nothing."""
    if run.datasets or run.models_in:
        api.post("runs/log-inputs", _NOTHING, run_id=uid, datasets=run.datasets, models=run.models_in)
    if run.models_out:
        api.post("runs/outputs", _NOTHING, run_id=uid, models=run.models_out)
    if not (run.datasets or run.models_in or run.models_out):
        return None
    told = api.get("runs/get", _RunFound, run_id=uid).run
    have = {(each.dataset.name, each.dataset.digest) for each in told.inputs.dataset_inputs}
    unequal = [
        f"dataset {each.dataset.name}" for each in run.datasets if (each.dataset.name, each.dataset.digest) not in have
    ]
    unequal += _missing("model taken in", run.models_in, told.inputs.model_inputs)
    unequal += _missing("model given out", run.models_out, told.outputs.model_outputs)
    return ItemCheck("inputs and outputs of run", run.run_name or uid, unequal, equal=not unequal)


def _missing(what: str, expected: list[ModelLink], found: list[ModelLink]) -> list[str]:
    have = {each.model_id for each in found}
    return [f"{what} {each.model_id}" for each in expected if each.model_id not in have]


def _unequal_pairs(what: str, expected: list[Pair], found: list[Pair]) -> list[str]:
    have = {each.key: each.value for each in found}
    return [f"{what} {each.key}" for each in expected if have.get(each.key) != each.value]


def _digest_of(files: ProxiedFiles, path: str) -> str:
    with files.fetch(path) as file:
        return _sha256(file)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
