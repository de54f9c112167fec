"""One run of wandb, from its folders to the server."""

import base64
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from gnomon.client import Client
from gnomon.importing import protobuf as pb
from gnomon.importing.destination import Destination, PointWriter, run_id_for
from gnomon.importing.folders import walk
from gnomon.importing.report import LeftOut, RunCheck, check_run
from gnomon.importing.wandb_log import WandbLog
from gnomon.importing.wandb_records import (
    ArtifactFile,
    ArtifactLogged,
    Begun,
    ConfigChange,
    Exited,
    History,
    Json,
    Mentioned,
    MetricDefined,
    Output,
    Said,
    Stats,
    SummaryChange,
    decode_record,
)
from gnomon.importing.wandb_values import (
    Beside,
    DataAt,
    FileAt,
    Point,
    Sorted,
    TableAt,
    nest,
    remove,
    sort_values,
    strict,
    suffix_of,
    table_files,
)
from gnomon.media import clean_path, media_path
from gnomon.values import MAX_PARAM, MAX_TAG, clean_key, flatten, text
from gnomon.wire import EndStatus, RunBegin

FORMAT = "wandb"
_MAX_STEP = 2**53
_MAX_TIME_MS = 253_402_300_799_999
_MAX_DESCRIPTION = 1_000
# wandb's own bookkeeping: the tables of a run as artifacts, its history, its code's job.
_OWN_ARTIFACTS = frozenset(("run_table", "wandb-history", "job"))
Progress = Callable[[str, str, int, int], None]


class RunImport:
    """Reads the folders of one run in order and writes them to its destination."""

    def __init__(
        self,
        client: Client,
        begun: Begun,
        files: list[Path],
        experiment: str,
        left_out: LeftOut,
        progress: Progress,
    ) -> None:
        self._client = client
        self._begun = begun
        self._first = (begun.name, begun.notes)
        self._files = files
        self._experiment = experiment
        self._left_out = left_out
        self._progress = progress
        self._start_ms = begun.start_ms or int(files[0].stat().st_mtime * 1000)
        self._last_ms = self._start_ms
        self._last_step = 0
        self._exit_code: int | None = None
        self._config: dict[str, Json] = {}
        self._summary: dict[str, Json] = {}
        self._tags: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._placed: set[str] = set()
        self._folder = files[0].parent
        self._to = Destination(client, self._run_id(), progress=lambda points: None)  # noqa: ARG005 - bytes are counted
        self._points: PointWriter | None = None
        self._done = 0
        self._total = sum(file.stat().st_size for file in files)

    def run(self) -> RunCheck:
        """Import it, end it, and compare the ends."""
        begun = self._begun
        self._to.begin(
            RunBegin(
                experiment=self._experiment,
                name=clean_key(begun.name or begun.run_id, 500),
                description=text(begun.notes, _MAX_DESCRIPTION),
                start_time=self._start_ms,
            )
        )
        with tempfile.TemporaryDirectory(prefix="gnomon-import-") as scratch:
            self._beside = (Path(scratch) / "values.jsonl").open("w", encoding="utf-8")
            self._output = (Path(scratch) / "output.log").open("w", encoding="utf-8")
            with self._beside, self._output:
                for file in self._files:
                    self._folder = file.parent
                    self._points = self._to.points(file.parent.name)
                    self._read(file)
                    self._points.flush()
            self._keep_written(self._beside, "wandb/values.jsonl")
            for file in self._files:
                self._keep_files(file.parent)
            if not any(path.endswith("/files/output.log") for path in self._to.expected.files):
                self._keep_written(self._output, "wandb/output.log")
        self._finish()
        return self._check()

    def _read(self, file: Path) -> None:
        log = WandbLog(file)
        for record in log:
            try:
                said = decode_record(record)
            except pb.Malformed as error:
                self._skip("damage", file.name, f"a record cannot be read: {error}")
                continue
            if said is not None:
                self._take(said)
            self._done += len(record) + 7
            self._progress("reading", self._begun.run_id, self._done, self._total)
        if log.unread:
            self._skip("damage", file.name, f"{log.fault}; {log.unread} bytes of it are not read")

    def _take(self, said: Said) -> None:
        if isinstance(said, History):
            self._history(said)
        elif isinstance(said, SummaryChange):
            _change(self._summary, said)
        elif isinstance(said, ConfigChange):
            _change(self._config, said)
        elif isinstance(said, Stats):
            self._stats(said)
        elif isinstance(said, Output):
            self._output.write(said.text)
        elif isinstance(said, Begun):
            self._begun = said
            _change(self._config, said.config)
        elif isinstance(said, ArtifactLogged):
            self._artifact(said)
        elif isinstance(said, MetricDefined):
            if said.step_metric:
                self._tags[f"wandb.step_metric.{said.name}"] = said.step_metric
        elif isinstance(said, Exited):
            self._exit_code = said.code
        else:
            self._mention(said)

    def _history(self, said: History) -> None:
        values = nest(said.items)
        step = said.step if said.step is not None else values.get("_step")
        time_ms = self._time_of(values)
        if not isinstance(step, int) or abs(step) > _MAX_STEP:
            self._skip("history", str(step), "its step is no integer up to 2^53")
            return
        self._last_step, self._last_ms = max(self._last_step, step), max(self._last_ms, time_ms)
        for found in sort_values(values):
            if isinstance(found, Point):
                self._point(found, step, time_ms)
            else:
                self._place(found, step, time_ms)

    def _time_of(self, values: dict[str, Json]) -> int:
        stamp = values.get("_timestamp")
        if isinstance(stamp, int | float) and 0 <= stamp <= _MAX_TIME_MS / 1000:
            return min(round(stamp * 1000), _MAX_TIME_MS)
        return self._last_ms

    def _point(self, point: Point, step: int, time_ms: int) -> None:
        key = self._keys.get(point.key)
        if key is None:
            key = self._keys[point.key] = clean_key(point.key)
            if key != point.key:
                self._skip("name", point.key, f"the server cannot keep this name; the series is {key!r}")
        if point.is_rounded:
            self._skip("number", point.key, "an integer above 2^53 is kept as the nearest double")
        assert self._points is not None, "a file is being read"
        if not self._points.add(key, step, time_ms, point.value):
            self._skip("series", point.key, "the run has as many series as the server takes")

    def _place(self, found: Sorted, step: int, time_ms: int) -> None:
        if isinstance(found, FileAt):
            self._file_at(found, step)
        elif isinstance(found, DataAt):
            self._to.file(media_path(found.kind, found.key, step, found.suffix), found.data)
        elif isinstance(found, TableAt):
            self._table(found, step)
        elif isinstance(found, Beside):
            line = {"step": step, "time_ms": time_ms, "key": found.key, "value": strict(found.value)}
            self._beside.write(json.dumps(line, ensure_ascii=False) + "\n")
            what = f"{found.type} has no page here" if found.type else f"{type(found.value).__name__} is no number"
            its_file = ", and its file in wandb/files" if found.type else ""
            self._skip("value", found.key, f"{what}; it is kept in wandb/values.jsonl{its_file}")

    def _file_at(self, found: FileAt, step: int) -> None:
        source = self._in_folder(found.path)
        if source is None:
            self._skip("file", found.path, "the run names it, and it is not in its folder")
            return
        self._placed.add(found.path)
        self._to.file(media_path(found.kind, found.key, step, suffix_of(found.path), found.index), source)
        if found.caption:
            about = json.dumps({"caption": found.caption}, ensure_ascii=False).encode("utf-8", "replace")
            self._to.file(media_path(found.kind, found.key, step, ".json", found.index), about)

    def _table(self, found: TableAt, step: int) -> None:
        source = self._in_folder(found.path)
        if source is None:
            self._skip("file", found.path, "the run names it, and it is not in its folder")
            return
        try:
            files = table_files(json.loads(source.read_text("utf-8")))
        except Exception as error:  # a document of another version, or cells that no table here takes
            self._skip("table", found.key, f"{error}; its file is kept in wandb/files")
            return
        for data, suffix in files:
            self._to.file(media_path("tables", found.key, step, suffix), data)

    def _stats(self, said: Stats) -> None:
        seconds = max(0, said.time_ms - self._start_ms) // 1000
        self._last_ms = max(self._last_ms, said.time_ms)
        for found in sort_values(nest(said.items), "system/"):
            if isinstance(found, Point):
                self._point(found, seconds, said.time_ms)

    def _artifact(self, said: ArtifactLogged) -> None:
        if said.type in _OWN_ARTIFACTS:
            return
        self._tags[f"wandb.artifact.{said.name}"] = ", ".join([said.type, *said.aliases])
        for file in said.files:
            name = f"{said.name}/{file.path}"
            if file.reference:
                self._skip("reference", name, f"it stands elsewhere: {file.reference}")
            elif (fault := _fault_of(file)) is not None:
                self._skip("artifact", name, fault)
            else:
                self._to.file(clean_path(f"artifacts/{name}"), Path(file.local))

    def _mention(self, said: Mentioned) -> None:
        reasons = {"tensorboard log": "import it with `gnomon import tensorboard`"}
        self._skip(said.kind, said.name, reasons.get(said.kind, "there is no page for it here"))

    def _in_folder(self, path: str) -> Path | None:
        """A file that the run names, where it really lies in its folder."""
        root = (self._folder / "files").resolve()
        found = (root / path).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None

    def _keep_files(self, folder: Path) -> None:
        """Every file of the folder that is not shown at a step already."""
        root = folder / "files"
        below = "wandb/files" if len(self._files) == 1 else f"wandb/{folder.name}/files"
        for file in _files_below(root):
            path = file.relative_to(root).as_posix()
            if path not in self._placed:
                self._progress("sending", path, self._done, self._total)
                self._to.file(clean_path(f"{below}/{path}"), file)

    def _keep_written(self, file: IO[str], place: str) -> None:
        written = Path(file.name)
        if written.stat().st_size:
            self._to.file(place, written)

    def _finish(self) -> None:
        begun = self._begun
        for name, values in (("config", self._config), ("summary", self._summary)):
            values.pop("_wandb", None)
            if values:
                shown = json.dumps(strict(values), indent=2, ensure_ascii=False, sort_keys=True)
                self._to.file(f"wandb/{name}.json", shown.encode("utf-8", "replace"))
        self._to.texts(params=self._params(), tags=self._all_tags())
        if (begun.name, begun.notes) != self._first:  # renamed by the script; what people changed here stays
            name = clean_key(begun.name or begun.run_id, 500)
            self._client.runs.update(self._to.run_id, name=name, description=text(begun.notes, _MAX_DESCRIPTION))
        if len(begun.notes) > _MAX_DESCRIPTION:
            self._skip("notes", "notes", f"they are cut to {_MAX_DESCRIPTION} characters")
        self._summary_points()
        status: EndStatus = "killed" if self._exit_code is None else "failed" if self._exit_code else "finished"
        self._to.end(status, self._last_ms)

    def _params(self) -> dict[str, str]:
        params = {}
        for key, value in flatten(self._config):
            whole = text(value, 1 << 30)
            params[clean_key(key)] = whole[:MAX_PARAM]
            if len(whole) > MAX_PARAM:
                self._skip("param", key, f"it is cut to {MAX_PARAM} characters; wandb/config.json has the whole of it")
        return params

    def _all_tags(self) -> dict[str, str]:
        begun = self._begun
        said = {
            "gnomon.imported_from": FORMAT,
            "wandb.run": "/".join(part for part in (begun.entity, begun.project, begun.run_id) if part),
            "wandb.group": begun.group,
            "wandb.job_type": begun.job_type,
            "wandb.sweep": begun.sweep,
            "wandb.host": begun.host,
            "wandb.git.remote": begun.git[0],
            "wandb.git.commit": begun.git[1],
        }
        labels = dict.fromkeys(begun.labels, "true")
        every = {**labels, **self._tags, **{key: value for key, value in said.items() if value}}
        return {clean_key(key): text(value, MAX_TAG) for key, value in every.items()}

    def _summary_points(self) -> None:
        """Numbers that only the summary has, once the run has ended and they change no more."""
        if self._exit_code is None:
            return
        writer = self._to.points("summary")
        for found in sort_values(self._summary):
            if isinstance(found, Point) and found.key not in self._keys:
                writer.add(clean_key(found.key), self._last_step, self._last_ms, found.value)
        writer.flush()

    def _check(self) -> RunCheck:
        points = sum(digest.sum().points for digest in self._to.expected.series.values())
        read = 0

        def tell(count: int) -> None:
            nonlocal read
            read += count
            self._progress("checking", self._begun.run_id, read, points)

        source = self._begun.run_id
        return check_run(
            self._client, self._to.run_id, self._to.expected, source=source, sent=self._to.sent, progress=tell
        )

    def _run_id(self) -> str:
        begun = self._begun
        identity = (self._client.settings.tenant or "", self._experiment, begun.entity, begun.project, begun.run_id)
        return run_id_for(FORMAT, *identity, start_ms=self._start_ms)

    def _skip(self, kind: str, name: str, reason: str) -> None:
        self._left_out.add(self._begun.run_id, kind=kind, name=name, reason=reason)


def _change(values: dict[str, Json], change: ConfigChange) -> None:
    for path, value in change.updates:
        at: dict[str, Json] = values
        for part in path[:-1]:
            below = at.get(part)
            if not isinstance(below, dict):
                below = at[part] = {}
            at = below
        at[path[-1]] = value
    for path in change.removes:
        remove(values, path)


def _fault_of(file: ArtifactFile) -> str | None:
    """Why a file of an artifact cannot be kept; None if it lies there as it was logged."""
    if not file.local or not Path(file.local).is_file():
        return "its file is not on this machine; wandb moved or removed it"
    digest = hashlib.md5(usedforsecurity=False)
    with Path(file.local).open("rb") as source:
        while piece := source.read(1 << 20):
            digest.update(piece)
    if base64.b64encode(digest.digest()).decode() != file.md5:
        return "its file has changed since it was logged"
    return None


def _files_below(root: Path) -> Iterator[Path]:
    """The files at and below a folder, links to files outside it too: `wandb.save` makes such."""
    for folder, names in walk(root):
        for name in names:
            if (path := folder / name).is_file():
                yield path
