"""A whole experiment as files that outlive any server: Parquet tables, the artifacts as they are, and a manifest.

    DIR/
    ├── manifest.json           what is here: counts, and size and SHA-256 of every other file
    ├── experiment.json         the experiment as the API tells it
    ├── runs.parquet            one row per run, archived ones too
    ├── params.parquet          run_id, key, value
    ├── tags.parquet            run_id, key, value
    ├── metrics/RUN.parquet     every point of the run: key, step, timestamp (Unix ms), value (NaN and infinities exact)
    └── artifacts/RUN/…         the files, each checked against its SHA-256 on the way

Invariants: DIR appears only when it is complete (it is written beside its place and renamed); memory is bounded by a
page of runs, a batch of points and a piece of a file; each count in the manifest is of what was written.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

import gnomon
from gnomon.client import Client
from gnomon.client.artifacts import PIECE_BYTES, place_below
from gnomon.client.records import Run
from gnomon.errors import GnomonError, MissingExtra, UnsafePath
from gnomon.wire import ExperimentResponse, LifecycleStage

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "gnomon-export"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
# Runs fetched at once: a run may have thousands of params and metrics, so a page is kept small.
PAGE_RUNS = 100
# Rows that a reader can take at once; and of tables with one row each, fewer, because each costs kilobytes here.
ROW_GROUP = 65_536
MOST_WAITING = 1_000


class Counts(Struct, frozen=True):
    """How much there is of everything."""

    runs: int = 0
    params: int = 0
    tags: int = 0
    points: int = 0
    artifacts: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class ExportedFile(Struct, frozen=True):
    path: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    """`manifest.json`."""

    format: str
    version: int
    experiment_id: str
    experiment: str
    exported_at: str
    written_by: str
    counts: Counts
    files: list[ExportedFile]


Progress = Callable[[Run, int, int], None]


def quietly(run: Run, done: int, total: int) -> None:
    """Nobody is watching."""


def export_experiment(
    client: Client, experiment: ExperimentResponse, to: Path, *, progress: Progress = quietly
) -> Manifest:
    """Write the experiment into the new directory `to`; `progress` hears of each run that is done."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise GnomonError(f"{to} exists already and is not empty; name a new directory")
    try:
        import pyarrow as pa  # noqa: F401 - said before any work is done
    except ImportError as error:
        raise MissingExtra("pyarrow", extra="arrow", purpose="an export") from error
    to.parent.mkdir(parents=True, exist_ok=True)
    with _appearing(to) as directory:
        (directory / "experiment.json").write_bytes(msgspec.json.format(msgspec.json.encode(experiment)))
        counts = _write_runs(client, experiment, directory, progress)
        manifest = Manifest(
            format=FORMAT,
            version=FORMAT_VERSION,
            experiment_id=experiment.id,
            experiment=experiment.name,
            exported_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            written_by=f"gnomon-sdk {gnomon.__version__}",
            counts=counts,
            files=[*_describe(directory)],
        )
        (directory / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        _sync(directory)
    return manifest


def verify_export(directory: Path) -> Manifest:
    """Check that each file of the manifest is there, whole and unchanged, and that nothing was added."""
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise GnomonError(f"there is no {MANIFEST}; name the directory of an export: {directory}") from None
    except msgspec.DecodeError as error:
        raise GnomonError(f"the manifest is damaged ({error}); export again: {directory / MANIFEST}") from error
    if (manifest.format, manifest.version) != (FORMAT, FORMAT_VERSION):
        raise GnomonError(f"{manifest.format} {manifest.version} is not known here; install a newer gnomon-sdk")
    promised = {file.path: file for file in manifest.files}
    found = {file.path: file for file in _describe(directory)}
    for path, file in promised.items():
        if path not in found:
            raise GnomonError(f"the export is not whole: {path} is missing; export again")
        if found[path] != file:
            raise GnomonError(f"the export is damaged: {path} is not the file that was written; export again")
    if added := sorted(set(found) - set(promised)):
        raise GnomonError(f"the export holds a file that is not of it: {added[0]}; move it elsewhere")
    return manifest


def _write_runs(client: Client, experiment: ExperimentResponse, directory: Path, progress: Progress) -> Counts:
    import pyarrow as pa

    text = pa.string()
    pair = pa.schema([("run_id", text), ("key", text), ("value", text)])
    total = sum(client.runs.list([experiment.id], lifecycle_stage=stage, limit=1).total for stage in _STAGES)
    counts = Counts()
    with (
        _parquet(directory / "runs.parquet", _run_schema()) as runs,
        _parquet(directory / "params.parquet", pair) as params,
        _parquet(directory / "tags.parquet", pair) as tags,
    ):
        for run in _every_run(client, experiment.id):
            runs.write(pa.Table.from_pylist([_run_row(run)], schema=_run_schema()))
            params.write(_pairs(run.id, run.params, pair))
            tags.write(_pairs(run.id, run.tags, pair))
            counts += Counts(
                runs=1,
                params=len(run.params),
                tags=len(run.tags),
                points=_write_points(client, run, directory) if run.metrics else 0,
                artifacts=_write_artifacts(client, run, directory),
            )
            progress(run, counts.runs, max(total, counts.runs))
    return counts


def _every_run(client: Client, experiment_id: str) -> Iterator[Run]:
    # Oldest first: runs that start meanwhile come at the end and shift no page.
    for stage in _STAGES:
        yield from client.runs.iterate(
            [experiment_id], lifecycle_stage=stage, order_by="start_time asc", page=PAGE_RUNS
        )


def _write_points(client: Client, run: Run, directory: Path) -> int:
    count = 0
    path = directory / "metrics" / f"{run.id}.parquet"
    path.parent.mkdir(exist_ok=True)
    schema = _point_schema()
    with client.metrics.stream_history(run.id) as reader, _parquet(path, schema) as points:
        for batch in reader:
            points.write(batch.cast(schema))
            count += batch.num_rows
    return count


def _write_artifacts(client: Client, run: Run, directory: Path) -> int:
    count = 0
    for artifact in client.artifacts.walk(run.id):
        client.artifacts.download(run.id, artifact.path, directory / "artifacts" / run.id)
        count += 1
    return count


class _Parquet:
    """A Parquet file that gathers small tables into row groups of a useful size."""

    def __init__(self, path: Path, schema: "pa.Schema") -> None:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, rows: "pa.Table | pa.RecordBatch") -> None:
        import pyarrow as pa

        self._waiting.append(pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows)
        self._rows += rows.num_rows
        if self._rows >= ROW_GROUP or len(self._waiting) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa

        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting, self._rows = [], 0

    def close(self) -> None:
        self._writer.close()


@contextmanager
def _parquet(path: Path, schema: "pa.Schema") -> Iterator[_Parquet]:
    file = _Parquet(path, schema)
    try:
        yield file
        file.flush()
    finally:
        file.close()


def _run_schema() -> "pa.Schema":
    import pyarrow as pa

    text, moment = pa.string(), pa.timestamp("ms", tz="UTC")
    names = ("id", "experiment_id", "name", "description", "status", "lifecycle_stage", "created_by", "artifact_uri")
    return pa.schema(
        [*((name, text) for name in names), ("start_time", moment), ("end_time", moment), ("duration_ms", pa.int64())]
    )


def _point_schema() -> "pa.Schema":
    import pyarrow as pa

    return pa.schema([("key", pa.string()), ("step", pa.float64()), ("timestamp", pa.int64()), ("value", pa.float64())])


def _run_row(run: Run) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(run, name) for name in _run_schema().names}
    row["start_time"] = datetime.fromisoformat(run.start_time)
    row["end_time"] = None if run.end_time is None else datetime.fromisoformat(run.end_time)
    return row


def _pairs(run_id: str, values: dict[str, str], schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    rows = [{"run_id": run_id, "key": key, "value": value} for key, value in values.items()]
    return pa.Table.from_pylist(rows, schema=schema)


@contextmanager
def _appearing(to: Path) -> Iterator[Path]:
    """A directory beside `to` that takes its name when the block ends well, and vanishes when it does not."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(to)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _describe(directory: Path) -> Iterator[ExportedFile]:
    """Every file but the manifest, in order of path."""
    for path in sorted(directory.rglob("*")):
        if path.is_symlink():
            raise UnsafePath(f"an export holds no links; remove it: {path}")
        name = path.relative_to(directory).as_posix()
        if path.is_dir() or name == MANIFEST:
            continue
        place_below(directory, name)
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
        yield ExportedFile(path=name, size=path.stat().st_size, sha256=digest.hexdigest())


def _sync(directory: Path) -> None:
    """On disk before it gets its name: else a power cut could leave the name without the data."""
    for path in directory.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_STAGES: tuple[LifecycleStage, ...] = ("active", "deleted")
