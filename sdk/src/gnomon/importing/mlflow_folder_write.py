"""Writing an `mlruns` folder, as MLflow's file store lays it out: what `mlflow_folder.py` reads.

Every scalar of a `meta.yaml` is written as a double-quoted string or a number, which YAML reads as they are. A key is
the path of a file, so of two keys `a` and `a/b` only the first can be kept: such keys raise `Unwritable`.
"""

import hashlib
import json
import os
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from gnomon.errors import GnomonError
from gnomon.importing.mlflow_source import DatasetInput, ModelLink, Pair, SourceModel, SourceRegistered, SourceRun

_META = "meta.yaml"
_STATUSES = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}
_MODEL_STATUSES = {"LOGGED_MODEL_PENDING": 1, "LOGGED_MODEL_READY": 2, "LOGGED_MODEL_UPLOAD_FAILED": 3}
_LOCAL = 4
_LONGEST_NAME = 255

Scalar = str | int | None


class Unwritable(GnomonError):
    """A key that cannot be the path of a file; the sentence says why."""


def run_meta(run: SourceRun, place: Path) -> dict[str, Scalar]:
    return {
        "artifact_uri": (place / "artifacts").as_uri(),
        "end_time": run.end_time,
        "entry_point_name": "",
        "experiment_id": run.experiment_id,
        "lifecycle_stage": run.lifecycle_stage,
        "run_id": run.run_id,
        "run_name": run.run_name,
        "run_uuid": run.run_id,
        "source_name": "",
        "source_type": _LOCAL,
        "source_version": "",
        "start_time": run.start_time or 0,
        "status": _STATUSES.get(run.status, 1),
        "user_id": run.user_id,
    }


def model_meta(model: SourceModel, place: Path) -> dict[str, Scalar]:
    return {
        "artifact_location": (place / "artifacts").as_uri(),
        "creation_timestamp": model.creation_timestamp_ms or 0,
        "experiment_id": model.experiment_id,
        "last_updated_timestamp": model.creation_timestamp_ms or 0,
        "lifecycle_stage": "active",
        "model_id": model.model_id,
        "model_type": model.model_type or None,
        "name": model.name,
        "source_run_id": model.source_run_id or None,
        "status": _MODEL_STATUSES.get(model.status, 1),
        "status_message": None,
    }


def write_meta(folder: Path, values: Mapping[str, Scalar], *, tags: Sequence[Pair] | None = None) -> None:
    """Write `meta.yaml` of a folder, which is made."""
    lines = [f"{key}: {_scalar(value)}" for key, value in values.items()]
    if tags is not None:
        lines.append("tags: {}" if not tags else "tags:")
        lines += [f"  {_scalar(tag.key)}: {_scalar(tag.value)}" for tag in tags]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _META).write_text("\n".join(lines) + "\n", encoding="utf-8")


def key_file(folder: Path, key: str) -> Path:
    """The file of a key, its folder made; raises `Unwritable`."""
    parts = key.split("/")
    if posixpath.normpath(key) != key or key.startswith(("/", "..")) or "" in parts or "." in parts or "\0" in key:
        raise Unwritable("its key is no path of a file")
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        raise Unwritable("a part of its key is longer than the name of a file may be")
    path = folder.joinpath(*parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Unwritable("a key that is the beginning of this one is a file already") from None
    if path.is_dir():
        raise Unwritable("keys below it are in a folder of its name already")
    return path


def write_text(folder: Path, key: str, value: str) -> None:
    """A param, tag or alias: a file that is its value."""
    key_file(folder, key).write_bytes(value.encode())


def write_links(run: SourceRun, place: Path, experiment: Path) -> None:
    """What a run took in and gave out."""
    for each in run.datasets:
        _write_dataset(each, run.run_id, place, experiment)
    for model in run.models_in:
        values: dict[str, Scalar] = {"source_type": "MODEL", "source_id": model.model_id}
        values |= {"destination_type": "RUN", "destination_id": model.model_id}
        write_meta(place / "inputs" / _md5(model.model_id, run.run_id), values, tags=[])
    for model in run.models_out:
        _write_output(model, place)


def write_registered(root: Path, model: SourceRegistered) -> None:
    place = root / "models" / model.name
    write_meta(
        place,
        {
            "creation_timestamp": 0,
            "deployment_job_id": None,
            "deployment_job_state": None,
            "description": model.description or None,
            "last_updated_timestamp": 0,
            "name": model.name,
        },
    )
    for tag in model.tags:
        write_text(place / "tags", tag.key, tag.value)
    for alias, number in model.aliases.items():
        write_text(place / "aliases", alias, str(number))
    for version in model.versions:
        model_id = version.source.removeprefix("models:/") if version.source.startswith("models:/m-") else None
        folder = place / f"version-{version.version}"
        write_meta(
            folder,
            {
                "creation_timestamp": 0,
                "current_stage": version.current_stage,
                "deployment_job_state": None,
                "description": version.description or None,
                "last_updated_timestamp": 0,
                **({} if model_id is None else {"model_id": model_id}),
                "name": model.name,
                "run_id": version.run_id or None,
                "run_link": version.run_link or None,
                "source": version.source,
                "status": "READY",
                "status_message": None,
                "storage_location": version.source,
                "user_id": None,
                "version": version.version,
            },
        )
        for tag in version.tags:
            write_text(folder / "tags", tag.key, tag.value)


def _write_dataset(each: DatasetInput, run_id: str, place: Path, experiment: Path) -> None:
    data = each.dataset
    uid = _md5(data.name, data.digest)
    of_data: dict[str, Scalar] = {name: getattr(data, name) for name in data.__struct_fields__}
    write_meta(experiment / "datasets" / uid, of_data)
    values: dict[str, Scalar] = {"source_type": "DATASET", "source_id": uid}
    values |= {"destination_type": "RUN", "destination_id": uid}
    write_meta(place / "inputs" / _md5(uid, run_id), values, tags=each.tags)


def _write_output(model: ModelLink, place: Path) -> None:
    values: dict[str, Scalar] = {"source_type": "RUN_OUTPUT", "source_id": model.model_id}
    values |= {"destination_type": "MODEL_OUTPUT", "destination_id": model.model_id, "step": model.step}
    write_meta(place / "outputs" / model.model_id, values, tags=[])


def _md5(first: str, second: str) -> str:
    """How the file store names datasets and inputs."""
    return hashlib.md5(first.encode() + second.encode(), usedforsecurity=False).hexdigest()


def _scalar(value: Scalar) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    return "".join(
        each if each.isascii() or each.isprintable() else _escaped(each)
        for each in json.dumps(value, ensure_ascii=False)
    ).replace("\x7f", "\\x7f")


def _escaped(each: str) -> str:
    return f"\\U{ord(each):08x}"


def sync_folder(folder: Path) -> None:
    """On the disk before it gets its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
