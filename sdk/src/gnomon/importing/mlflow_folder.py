"""An `mlruns` folder: MLflow's file store, of any version that wrote lines of `timestamp value step`.

    mlruns/
    ├── EXPERIMENT/meta.yaml, tags/
    │   ├── RUN/meta.yaml, metrics/, params/, tags/, inputs/, outputs/, artifacts/
    │   ├── datasets/ID/meta.yaml
    │   └── models/MODEL/meta.yaml, metrics/, params/, tags/, artifacts/
    ├── .trash/EXPERIMENT/…         deleted experiments
    └── models/NAME/meta.yaml, tags/, aliases/, version-N/meta.yaml, tags/

A folder that was moved still names its old place in every `meta.yaml`, so files are looked for beside their run first.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from gnomon.errors import GnomonError, MissingExtra
from gnomon.importing.folders import folders_with, walk
from gnomon.importing.mlflow_files import LocalFiles, local_files
from gnomon.importing.mlflow_source import (
    Dataset,
    DatasetInput,
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

_META = "meta.yaml"
_TRASH = ".trash"
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_MODEL_STATUSES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}
# Folders of an experiment that are no runs.
_NOT_RUNS = {"tags", "datasets", "models", "traces", "assessments", "evaluation_datasets"}
_DELETED_VERSION = "Deleted_Internal"

Meta = Mapping[str, object]


class FolderSource:
    """An `mlruns` folder."""

    def __init__(self, root: Path) -> None:
        try:
            import yaml  # noqa: F401 - said before any work is done
        except ImportError as error:
            raise MissingExtra("PyYAML", extra="mlflow", purpose="reading an mlruns folder") from error
        if root.is_file():
            raise GnomonError(f"{root} is a file; name a database as sqlite:///{root}, or the mlruns folder")
        if not root.is_dir():
            raise GnomonError(f"{root} is no folder; name the mlruns folder, a database URL or the URL of a server")
        self.name = str(root)
        self._root = root
        self._places: dict[str, Path] = {}
        if not any(True for _ in self.experiments()):
            raise GnomonError(f"there is no experiment in {root}; name the folder that MLflow calls mlruns")

    def close(self) -> None:
        """Nothing is open."""

    def experiments(self) -> Iterator[SourceExperiment]:
        folders = [*folders_with(_META, self._root), *folders_with(_META, self._root / _TRASH)]
        metas = [(folder, _read_meta(folder / _META)) for folder in folders]
        for folder, meta in sorted(metas, key=lambda each: (len(each[0].name), each[0].name)):
            uid = _text(meta, "experiment_id")
            if not uid:
                continue
            self._places[uid] = folder
            yield SourceExperiment(
                experiment_id=uid,
                name=_text(meta, "name"),
                artifact_location=_text(meta, "artifact_location"),
                lifecycle_stage="deleted" if folder.parent.name == _TRASH else _text(meta, "lifecycle_stage"),
                creation_time=_number(meta, "creation_time"),
                tags=_pairs(folder / "tags"),
            )

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        folder = self._places[experiment_id]
        metas = [
            (place, _read_meta(place / _META)) for place in folders_with(_META, folder) if place.name not in _NOT_RUNS
        ]
        for place, meta in sorted(metas, key=lambda each: (_number(each[1], "start_time") or 0, each[0].name)):
            tags = _texts(place / "tags")
            yield SourceRun(
                run_id=_text(meta, "run_id") or _text(meta, "run_uuid"),
                experiment_id=experiment_id,
                run_name=_text(meta, "run_name") or _text(meta, "name") or tags.get("mlflow.runName", ""),
                user_id=_text(meta, "user_id"),
                status=_STATUSES.get(_number(meta, "status") or 0, "RUNNING"),
                lifecycle_stage=_text(meta, "lifecycle_stage") or "active",
                start_time=_number(meta, "start_time"),
                end_time=_number(meta, "end_time"),
                artifact_uri=(place / "artifacts").resolve().as_uri(),
                state=_state(place / "metrics"),
                metric_keys=[key for key, _ in _key_files(place / "metrics")],
                params=_texts(place / "params"),
                tags=tags,
                datasets=[*_datasets(place, folder)],
                models_in=[*_links(place / "inputs", "MODEL")],
                models_out=[*_links(place / "outputs", "RUN_OUTPUT")],
            )

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        """Lines stand in the order in which they were logged, so a series is sorted in memory."""
        folder = self._places[run.experiment_id] / run.run_id / "metrics"
        for key, path in _key_files(folder):
            points = [(step, time_ms, value) for time_ms, value, step, _ in _lines(path)]
            # Equal points side by side: NaN compares with nothing, and the zeros are two.
            points.sort(key=lambda point: (*point[1::-1], math.isnan(point[2]), point[2], math.copysign(1, point[2])))
            for point in points:
                yield key, point

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        for place in folders_with(_META, self._places[experiment_id] / "models"):
            meta = _read_meta(place / _META)
            if _text(meta, "lifecycle_stage") == "deleted":
                continue
            yield SourceModel(
                model_id=_text(meta, "model_id"),
                experiment_id=experiment_id,
                name=_text(meta, "name"),
                status=_MODEL_STATUSES.get(_number(meta, "status") or 1, "LOGGED_MODEL_PENDING"),
                artifact_uri=(place / "artifacts").resolve().as_uri(),
                model_type=_text(meta, "model_type"),
                source_run_id=_text(meta, "source_run_id"),
                creation_timestamp_ms=_number(meta, "creation_timestamp"),
                params=_pairs(place / "params"),
                tags=_pairs(place / "tags"),
                metrics=[*_model_metrics(place / "metrics")],
            )

    def registered(self) -> Iterator[SourceRegistered]:
        for place in folders_with(_META, self._root / "models"):
            meta = _read_meta(place / _META)
            versions = [*_versions(place)]
            yield SourceRegistered(
                name=_text(meta, "name"),
                description=_text(meta, "description"),
                tags=_pairs(place / "tags"),
                aliases={key: int(value) for key, value in _texts(place / "aliases").items()},
                versions=sorted(versions, key=lambda each: each.version),
            )

    def files(self, uri: str) -> LocalFiles:
        return local_files(uri, proxied_at=(), relative_to=self._root)

    def left_out(self) -> list[tuple[str, int]]:
        traces = sum(1 for _ in self._root.glob("*/traces/*/trace_info.yaml"))
        return [("traces", traces)] if traces else []


def _versions(place: Path) -> Iterator[SourceVersion]:
    for folder in folders_with(_META, place):
        if not folder.name.startswith("version-"):
            continue
        meta = _read_meta(folder / _META)
        stage = _text(meta, "current_stage") or "None"
        if stage == _DELETED_VERSION:
            continue
        model = _text(meta, "model_id")
        yield SourceVersion(
            version=_number(meta, "version") or 0,
            source=f"models:/{model}" if model else _text(meta, "source"),
            run_id=_text(meta, "run_id"),
            run_link=_text(meta, "run_link"),
            description=_text(meta, "description"),
            current_stage=stage,
            tags=_pairs(folder / "tags"),
        )


def _datasets(run: Path, experiment: Path) -> Iterator[DatasetInput]:
    for place in folders_with(_META, run / "inputs"):
        meta = _read_meta(place / _META)
        if meta.get("source_type") != "DATASET":
            continue
        of = experiment / "datasets" / _text(meta, "source_id") / _META
        if not of.is_file():
            continue
        data, tags = _read_meta(of), meta.get("tags")
        yield DatasetInput(
            Dataset(
                name=_text(data, "name"),
                digest=_text(data, "digest"),
                source_type=_text(data, "source_type"),
                source=_text(data, "source"),
                schema=_text(data, "schema") or None,
                profile=_text(data, "profile") or None,
            ),
            [Pair(str(key), str(value)) for key, value in tags.items()] if isinstance(tags, dict) else [],
        )


def _links(folder: Path, source_type: str) -> Iterator[ModelLink]:
    for place in folders_with(_META, folder):
        meta = _read_meta(place / _META)
        if meta.get("source_type") == source_type:
            yield ModelLink(_text(meta, "source_id"), _number(meta, "step") or 0)


def _model_metrics(folder: Path) -> Iterator[ModelMetric]:
    for key, path in _key_files(folder):
        for time_ms, value, step, more in _lines(path):
            run, name, digest = (*more, "", "", "")[:3]
            yield ModelMetric(key, value, time_ms, step, run, name, digest)


def _lines(path: Path) -> Iterator[tuple[int, float, int, list[str]]]:
    """Timestamp, value, step, and what follows them."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            parts = line.split()
            if len(parts) >= 2:
                yield int(parts[0]), float(parts[1]), int(parts[2]) if len(parts) > 2 else 0, parts[3:]


def _key_files(folder: Path) -> list[tuple[str, Path]]:
    """Keys with a slash in them are files in folders."""
    files = [path for place, names in walk(folder) for name in names if (path := place / name).is_file()]
    return sorted((path.relative_to(folder).as_posix(), path) for path in files)


def _state(folder: Path) -> str:
    stats = [(key, path.stat()) for key, path in _key_files(folder)]
    return ";".join(f"{key}:{stat.st_size}" for key, stat in stats)


def _texts(folder: Path) -> dict[str, str]:
    # As bytes: reading text would change the ends of lines.
    return {key: path.read_bytes().decode() for key, path in _key_files(folder)}


def _pairs(folder: Path) -> list[Pair]:
    return [Pair(key, value) for key, value in _texts(folder).items()]


def _read_meta(path: Path) -> Meta:
    import yaml

    try:
        with path.open(encoding="utf-8") as file:
            found = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GnomonError(f"{path} is no YAML that MLflow wrote ({error}); mend it or move its folder away") from error
    return cast("Meta", found) if isinstance(found, dict) else {}


def _text(meta: Meta, key: str) -> str:
    value = meta.get(key)
    return "" if value is None else str(value)


def _number(meta: Meta, key: str) -> int | None:
    value = meta.get(key)
    return int(value) if isinstance(value, int | float | str) and str(value).lstrip("-").isdigit() else None
