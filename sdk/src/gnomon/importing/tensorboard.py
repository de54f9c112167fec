"""`gnomon import tensorboard`: every folder of event files below a folder becomes a run.

Invariants:
- Points keep the step, the time to the millisecond and the exact value: a 32-bit float is a double of the same value.
- What a file says up to its torn end is imported; what stands behind it is counted in the report.
- A run is begun when something of it can be kept. Its id is made of the experiment, the tenant, the folder's place
  below the log directory and the name of its first file: importing again goes on with it.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from gnomon.client import Client
from gnomon.errors import GnomonError
from gnomon.importing import protobuf as pb
from gnomon.importing.destination import Destination, PointWriter, run_id_for
from gnomon.importing.events import Ended, Event, EventReader, Hyperparameters, Item, Media, Other, Scalar
from gnomon.importing.folders import walk
from gnomon.importing.report import ImportReport, LeftOut, RunCheck, check_run, nothing_imported, report_of
from gnomon.importing.tfrecord import FRAME_BYTES, RecordFile
from gnomon.media import clean_path, media_path
from gnomon.values import clean_key
from gnomon.wire import RunBegin

FORMAT = "tensorboard"
_MARK = "tfevents"
_MAX_STEP = 2**53
_MAX_TIME_MS = 253_402_300_799_999
# What is being done, to which run, how much of it is done and how much there is.
Progress = Callable[[str, str, int, int], None]


class LogFolder(Struct, frozen=True):
    """One run of a log directory: its name and its event files, oldest first."""

    name: str
    files: list[Path]

    @property
    def size(self) -> int:
        return sum(file.stat().st_size for file in self.files)


def find_runs(root: Path) -> list[LogFolder]:
    """The folders at and below `root` that have event files, by name."""
    found = []
    for folder, names in sorted(walk(root)):
        files = [folder / name for name in names if _MARK in name and (folder / name).is_file()]
        if files:
            place = folder.relative_to(root).as_posix()
            found.append(LogFolder(root.resolve().name if place == "." else place, files))
    return found


def import_tensorboard(
    client: Client, root: Path, *, experiment: str | None = None, progress: Progress
) -> ImportReport:
    """Import a log directory into an experiment (named as the directory, if none is given), and check it."""
    runs = find_runs(root)
    if not runs:
        raise GnomonError(f"there is no event file (its name has {_MARK!r} in it) at or below {root}")
    into = clean_key(experiment or root.resolve().name or "tensorboard", 255)
    left_out = LeftOut()
    checks: list[RunCheck] = []
    for folder in runs:
        checked = _RunImport(client, folder, into, left_out, progress).run()
        if checked is not None:
            checks.append(checked)
    if not checks:
        raise nothing_imported(root, left_out)
    return report_of(FORMAT, str(root), into, checks, left_out)


class _RunImport:
    """One folder of event files."""

    def __init__(
        self, client: Client, folder: LogFolder, experiment: str, left_out: LeftOut, progress: Progress
    ) -> None:
        self._client = client
        self._folder = folder
        self._experiment = experiment
        self._left_out = left_out
        self._progress = progress
        self._reader = EventReader()
        self._keys: dict[str, str] = {}
        self._to: Destination | None = None
        self._writer: PointWriter | None = None
        self._file = folder.files[0]
        self._done, self._total = 0, folder.size
        self._has_failed = False
        self._last_ms = 0

    def run(self) -> RunCheck | None:
        """None: there is nothing in it that could be kept."""
        for file in self._folder.files:
            self._file, self._writer = file, None
            self._read(file)
            self._flush()
        to = self._to
        if to is None:
            self._skip("run", self._folder.name, "nothing in its files can be kept")
            return None
        to.end("failed" if self._has_failed else "finished", self._last_ms)
        points = sum(digest.sum().points for digest in to.expected.series.values())
        read = 0

        def tell(count: int) -> None:
            nonlocal read
            read += count
            self._progress("checking", self._folder.name, read, points)

        return check_run(self._client, to.run_id, to.expected, source=self._folder.name, sent=to.sent, progress=tell)

    def _read(self, file: Path) -> None:
        records = RecordFile(file)
        for record in records:
            self._record(record)
            self._done += len(record) + FRAME_BYTES
            self._progress("reading", self._folder.name, self._done, self._total)
        if records.unread:
            self._skip("damage", file.name, f"{records.fault}; {records.unread} bytes of it are not read")

    def _flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def _record(self, record: bytes) -> None:
        try:
            event = self._reader.read(record)
        except pb.Malformed as error:
            self._skip("damage", self._file.name, f"a record is no event: {error}")
            return
        if not event.items:
            return
        time_ms = _milliseconds(event.wall_time)
        if time_ms is None or abs(event.step) > _MAX_STEP:
            self._skip("event", self._file.name, "its time is not between 1970 and 9999, or its step is above 2^53")
            return
        for item in event.items:
            self._item(item, event, time_ms)

    def _item(self, item: Item, event: Event, time_ms: int) -> None:
        if isinstance(item, Other):
            self._skip(item.kind, item.name, item.reason)
            return
        to = self._to or self._begin(time_ms)
        self._last_ms = max(self._last_ms, time_ms)
        if isinstance(item, Scalar):
            self._point(to, item, event.step, time_ms)
        elif isinstance(item, Media):
            index = item.index
            while (place := _place(item, event.step, index)) in to.expected.files:
                index += 1  # written twice at one step: both are kept
            to.file(place, item.data)
        elif isinstance(item, Hyperparameters):
            params = {clean_key(key): value for key, value in item.params.items()}
            to.texts(params=params, tags={"tensorboard.group": item.group} if item.group else {})
        elif isinstance(item, Ended):
            self._has_failed = item.has_failed

    def _point(self, to: Destination, item: Scalar, step: int, time_ms: int) -> None:
        key = self._keys.get(item.tag)
        if key is None:
            key = self._keys[item.tag] = clean_key(item.tag)
            if key != item.tag:
                self._skip("name", item.tag, f"the server cannot keep this name; the series is {key!r}")
        if self._writer is None:
            self._writer = to.points(self._file.name)
        if not self._writer.add(key, step, time_ms, item.value):
            self._skip("series", item.tag, "the run has as many series as the server takes")

    def _begin(self, start_ms: int) -> Destination:
        tenant = self._client.settings.tenant or ""
        name = self._folder.files[0].name
        run_id = run_id_for(FORMAT, tenant, self._experiment, self._folder.name, name, start_ms=start_ms)
        to = Destination(
            self._client,
            run_id,
            progress=lambda points: None,  # noqa: ARG005 - bytes read are the measure here
        )
        to.begin(RunBegin(experiment=self._experiment, name=clean_key(self._folder.name, 500), start_time=start_ms))
        to.texts(params={}, tags={"gnomon.imported_from": FORMAT})
        self._to = to
        return to

    def _skip(self, kind: str, name: str, reason: str) -> None:
        self._left_out.add(self._folder.name, kind=kind, name=name, reason=reason)


def _place(item: Media, step: int, index: int) -> str:
    if item.kind is not None:
        return media_path(item.kind, item.tag, step, item.suffix, index)
    return clean_path(f"{item.tag}/{step}{f'_{index}' if index else ''}{item.suffix}")


def _milliseconds(seconds: float) -> int | None:
    """Whole milliseconds of a time that the server keeps; None for any other."""
    if not 0 <= seconds <= _MAX_TIME_MS / 1000:
        return None
    return min(round(seconds * 1000), _MAX_TIME_MS)
