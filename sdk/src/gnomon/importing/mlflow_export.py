"""`gnomon export mlflow`: a tenant as an `mlruns` folder, which MLflow opens and `gnomon import mlflow` brings back.

It is written beside its place and takes its name when it is whole and has been read back: every series, file, param and
tag of the folder is compared with what the server told.
"""

import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from gnomon.client import Client
from gnomon.errors import GnomonError
from gnomon.importing import mlflow_folder_write as write
from gnomon.importing.mlflow_folder import FolderSource
from gnomon.importing.mlflow_import import api_of
from gnomon.importing.mlflow_server import ServerSource
from gnomon.importing.mlflow_source import Source, SourceExperiment, SourceModel, SourceRun, Unreachable
from gnomon.importing.report import (
    Expected,
    FileCheck,
    ImportReport,
    LeftOut,
    RunCheck,
    SeriesCheck,
    SeriesDigest,
    TextCheck,
    report_of,
)

FORMAT = "mlruns"
_PAGE_POINTS = 10_000
_TRASH = ".trash"
_DEFAULT = "0"
Progress = Callable[[str, str, int, int], None]


def export_mlflow(client: Client, to: Path, *, experiments: Sequence[str] = (), progress: Progress) -> ImportReport:
    """Write the tenant of the client, or some of its experiments by name, into the new folder `to`."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise GnomonError(f"{to} exists already and is not empty; name a new folder")
    to = to.resolve()
    to.parent.mkdir(parents=True, exist_ok=True)
    source = ServerSource(api_of(client))
    temporary = Path(tempfile.mkdtemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent))
    try:
        report = _Export(client, source, temporary, to, progress).run(experiments)
        temporary.chmod(0o755)
        temporary.replace(to)
        write.sync_folder(to.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        source.close()
    return report


class _Export:
    """`root` is where it is written, `to` where it will stand: the folder says so in every `meta.yaml`."""

    def __init__(self, client: Client, source: Source, root: Path, to: Path, progress: Progress) -> None:
        self._client = client
        self._source = source
        self._root = root
        self._to = to
        self._progress = progress
        self._left_out = LeftOut()
        self._expected: dict[str, Expected] = {}

    def run(self, wanted: Sequence[str]) -> ImportReport:
        found = [each for each in self._source.experiments() if not wanted or each.name in wanted]
        if missing := sorted(set(wanted) - {each.name for each in found}):
            raise GnomonError(f"no experiment is called {missing[0]!r}; see `gnomon experiments list`")
        for experiment in found:
            self._experiment(experiment)
        if not wanted:
            for model in self._source.registered():
                write.write_registered(self._root, model)
        for kind, count in self._source.left_out():
            self._skip("", kind, "", "MLflow's file store is given runs and models only", count)
        names = ", ".join(each.name for each in found)
        return report_of(FORMAT, str(self._to), names, [*self._checks()], self._left_out)

    def _experiment(self, experiment: SourceExperiment) -> None:
        is_deleted = experiment.lifecycle_stage == "deleted" and experiment.experiment_id != _DEFAULT
        below = Path(_TRASH) / experiment.experiment_id if is_deleted else Path(experiment.experiment_id)
        folder = self._root / below
        write.write_meta(
            folder,
            {
                "artifact_location": (self._to / below).as_uri(),
                "creation_time": experiment.creation_time or 0,
                "experiment_id": experiment.experiment_id,
                "last_update_time": experiment.creation_time or 0,
                "lifecycle_stage": experiment.lifecycle_stage,
                "name": experiment.name,
            },
        )
        for tag in experiment.tags:
            self._text(experiment.name, "tag", folder / "tags", tag.key, tag.value)
        runs = list(self._source.runs(experiment.experiment_id))
        for done, run in enumerate(runs):
            self._progress("exporting", f"{experiment.name}: {run.run_name}", done, len(runs))
            self._run(run, below)
        for model in self._source.models(experiment.experiment_id):
            self._model(model, below / "models" / model.model_id)

    def _run(self, run: SourceRun, experiment: Path) -> None:
        below = experiment / run.run_id
        place = self._root / below
        expected = self._expected[run.run_id] = Expected()
        write.write_meta(place, write.run_meta(run, self._to / below))
        for name in ("metrics", "params", "tags", "artifacts"):
            (place / name).mkdir()
        for key, value in run.params.items():
            if self._text(run.run_name, "param", place / "params", key, value):
                expected.params[key] = value
        for key, value in run.tags.items():
            if self._text(run.run_name, "tag", place / "tags", key, value):
                expected.tags[key] = value
        for key in run.metric_keys:
            self._series(run, key, place / "metrics", expected)
        write.write_links(run, place, self._root / experiment)
        self._files(run.artifact_uri, place / "artifacts", run.run_name, expected)

    def _series(self, run: SourceRun, key: str, folder: Path, expected: Expected) -> None:
        """The native API tells a point exactly; MLflow's protocol bounds what is infinite."""
        try:
            path = write.key_file(folder, key)
        except write.Unwritable as error:
            self._skip(run.run_name, "metric", key, str(error))
            return
        digest = expected.series[key] = SeriesDigest()
        offset, cut = 0, 0
        with path.open("w", encoding="ascii") as lines:
            while True:
                (page,) = self._client.metrics.history(run.run_id, [key], limit=_PAGE_POINTS, offset=offset).series
                for step, time_ms, value in zip(page.step, page.timestamp, page.value, strict=True):
                    whole = math.floor(step)
                    cut += whole != step
                    digest.add(whole, time_ms, value)
                    lines.write(f"{time_ms} {value!r} {whole}\n")
                offset += len(page.step)
                if not page.step or offset >= page.total:
                    break
        if cut:
            self._skip(run.run_name, "steps", key, "steps are integers in MLflow; fractions are rounded down", cut)

    def _model(self, model: SourceModel, below: Path) -> None:
        place = self._root / below
        write.write_meta(place, write.model_meta(model, self._to / below))
        for name in ("metrics", "params", "tags", "artifacts"):
            (place / name).mkdir()
        for kind, pairs in (("params", model.params), ("tags", model.tags)):
            for pair in pairs:
                self._text(model.name, kind, place / kind, pair.key, pair.value)
        for each in model.metrics:
            data = f" {each.dataset_name} {each.dataset_digest}" if each.dataset_name and each.dataset_digest else ""
            try:
                path = write.key_file(place / "metrics", each.key)
            except write.Unwritable as error:
                self._skip(model.name, "metric", each.key, str(error))
                continue
            with path.open("a", encoding="utf-8") as lines:
                lines.write(f"{each.timestamp} {each.value!r} {each.step} {each.run_id}{data}\n")
        self._files(model.artifact_uri, place / "artifacts", model.name, Expected())

    def _files(self, uri: str, to: Path, owner: str, expected: Expected) -> None:
        try:
            tree = self._source.files(uri)
        except Unreachable as error:
            self._skip(owner, "files", uri, str(error))
            return
        for path in tree.walk():
            target = to / path
            if not target.resolve().is_relative_to(to.resolve()):
                raise GnomonError(f"the server names a file outside of its folder: {path}; nothing is exported")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with tree.fetch(path) as file:
                    shutil.copyfile(file, target)
            except Unreachable as error:
                self._skip(owner, "file", path, str(error))
                continue
            expected.files[path] = (target.stat().st_size, _sha256(target))

    def _text(self, owner: str, kind: str, folder: Path, key: str, value: str) -> bool:
        try:
            write.write_text(folder, key, value)
        except write.Unwritable as error:
            self._skip(owner, kind, key, str(error))
            return False
        return True

    def _checks(self) -> Iterator[RunCheck]:
        """Read the folder back, as an import would, and compare."""
        folder = FolderSource(self._root)
        for experiment in folder.experiments():
            for run in folder.runs(experiment.experiment_id):
                yield _compared(folder, run, self._expected.pop(run.run_id))
        if self._expected:
            raise GnomonError(f"the folder lacks the run {next(iter(self._expected))}; export again")

    def _skip(self, owner: str, kind: str, name: str, reason: str, count: int = 1) -> None:
        self._left_out.add(owner, kind=kind, name=name, reason=reason, count=count)


def _compared(folder: FolderSource, run: SourceRun, expected: Expected) -> RunCheck:
    found = {key: SeriesDigest() for key in expected.series}
    for key, (step, time_ms, value) in folder.points(run):
        found.setdefault(key, SeriesDigest()).add(step, time_ms, value)
    series = []
    for key, digest in sorted(expected.series.items()):
        own, there = digest.sum(), found[key].sum()
        series.append(SeriesCheck(key, own, there, equal=msgspec.structs.asdict(own) == msgspec.structs.asdict(there)))
    tree = folder.files(run.artifact_uri)
    digests = {}
    for path in tree.walk():
        with tree.fetch(path) as file:
            digests[path] = _sha256(file)
    files = [
        FileCheck(path, size, digest, digests.get(path), equal=digests.get(path) == digest)
        for path, (size, digest) in sorted(expected.files.items())
    ]
    params, tags = _texts(expected.params, run.params), _texts(expected.tags, run.tags)
    is_equal = all(each.equal for each in series) and all(each.equal for each in files)
    is_equal = is_equal and not params.unequal and not tags.unequal
    return RunCheck(
        run.run_id,
        run.run_id,
        run.run_name,
        sum(each.source.points for each in series),
        series,
        files,
        params,
        tags,
        is_equal,
    )


def _texts(expected: dict[str, str], found: dict[str, str]) -> TextCheck:
    return TextCheck(len(expected), sorted(key for key, value in expected.items() if found.get(key) != value))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
