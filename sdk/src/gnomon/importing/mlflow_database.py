"""MLflow's tracking database, read as it lies: SQLite with Python's own driver, PostgreSQL with `pg8000`.

Nothing is written and MLflow is not needed. Tables and columns that a database of an older MLflow lacks count as
empty, and everything is read in one snapshot, so that a server may go on writing meanwhile.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

from gnomon.errors import GnomonError, MissingExtra
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

_MODEL_STATUSES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}
_DELETED_VERSION = "Deleted_Internal"
_WORKSPACE = "default"
# Rows fetched at once.
_CHUNK = 10_000
# Without these it is no database of MLflow's, or one from before its 1.1.
_NEEDED = {
    "experiments": {"experiment_id", "name"},
    "runs": {"run_uuid", "experiment_id", "status"},
    "metrics": {"run_uuid", "key", "value", "timestamp", "step", "is_nan"},
    "params": {"run_uuid", "key", "value"},
    "tags": {"run_uuid", "key", "value"},
}
# What else a database may hold: its table, and what to call it.
_NOT_READ = {
    "trace_info": "traces",
    "assessments": "assessments of traces",
    "evaluation_datasets": "evaluation datasets",
    "scorers": "scorers",
    "webhooks": "webhooks",
    "jobs": "jobs",
    "endpoints": "gateway endpoints",
    "issues": "issues",
}

Row = Mapping[str, object]


class _Cursor(Protocol):
    @property
    def description(self) -> Sequence[Sequence[object]] | None: ...
    def execute(self, statement: str, values: Sequence[object] = ...) -> object: ...
    def fetchmany(self, size: int = ...) -> Sequence[Sequence[object]]: ...


class _Connection(Protocol):
    def cursor(self) -> _Cursor: ...
    def close(self) -> None: ...


class DatabaseSource:
    """A tracking database. `artifacts` are folders where files of `mlflow-artifacts:` URIs may lie."""

    def __init__(self, url: str, *, artifacts: Sequence[Path] = ()) -> None:
        parts = urlsplit(url)
        self.name = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"  # never the password
        self._home = Path.cwd()
        self._mark = "%s"
        if parts.scheme.partition("+")[0] == "sqlite":
            path = _sqlite_path(url)
            self._connection, self._fault = _open_sqlite(path)
            self._home, self._mark = path.resolve().parent, "?"
        else:
            self._connection, self._fault = _open_postgresql(url)
        self._artifacts = [*artifacts, self._home / "mlartifacts"]
        self._columns = self._read_columns()
        if any(columns - self._columns.get(table, set()) for table, columns in _NEEDED.items()):
            raise GnomonError(f"{self.name} has no tables of MLflow; name the database of an MLflow tracking server")

    def close(self) -> None:
        self._connection.close()

    def experiments(self) -> Iterator[SourceExperiment]:
        tags = self._grouped("SELECT experiment_id, key, value FROM experiment_tags", "experiment_tags")
        where, values = self._in_workspace("experiments")
        for row in self._rows(f"SELECT * FROM experiments{where} ORDER BY experiment_id", values):
            uid = _text(row, "experiment_id")
            yield SourceExperiment(
                experiment_id=uid,
                name=_text(row, "name"),
                artifact_location=_text(row, "artifact_location"),
                lifecycle_stage=_text(row, "lifecycle_stage") or "active",
                creation_time=_number(row, "creation_time"),
                tags=tags.get(uid, []),
            )

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        statement = f"SELECT * FROM runs WHERE experiment_id = {self._mark} ORDER BY start_time, run_uuid"
        for row in self._rows(statement, [int(experiment_id)]):
            run = _text(row, "run_uuid")
            tags = {pair.key: pair.value for pair in self._pairs("tags", "run_uuid", run)}
            keys = self._rows(
                f"SELECT key, count(*) AS points FROM metrics WHERE run_uuid = {self._mark} GROUP BY key ORDER BY key",
                [run],
            )
            counts = {_text(each, "key"): _number(each, "points") for each in keys}
            yield SourceRun(
                run_id=run,
                experiment_id=experiment_id,
                run_name=_text(row, "name") or tags.get("mlflow.runName", ""),
                user_id=_text(row, "user_id"),
                status=_text(row, "status"),
                lifecycle_stage=_text(row, "lifecycle_stage") or "active",
                start_time=_number(row, "start_time"),
                end_time=_number(row, "end_time"),
                artifact_uri=_text(row, "artifact_uri"),
                state=repr(counts),
                metric_keys=[*counts],
                params={pair.key: pair.value for pair in self._pairs("params", "run_uuid", run)},
                tags=tags,
                datasets=[*self._datasets(run)],
                models_in=[*self._links("RUN_INPUT", run, "MODEL_INPUT")],
                models_out=[*self._links("RUN_OUTPUT", run, "MODEL_OUTPUT")],
            )

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        statement = (
            f"SELECT key, step, timestamp, value, is_nan FROM metrics WHERE run_uuid = {self._mark}"
            " ORDER BY key, timestamp, step, value, is_nan"
        )
        for key, step, time_ms, value, is_nan in self._tuples(statement, [run.run_id]):
            number = float("nan") if is_nan else float(cast("float", value))
            yield str(key), (int(cast("int", step)), int(cast("int", time_ms)), number)

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        if "logged_models" not in self._columns:
            return
        statement = (
            f"SELECT * FROM logged_models WHERE experiment_id = {self._mark} AND lifecycle_stage = 'active'"
            " ORDER BY creation_timestamp_ms, model_id"
        )
        for row in self._rows(statement, [int(experiment_id)]):
            uid = _text(row, "model_id")
            metrics = self._of(
                uid,
                "logged_model_metrics",
                "model_id",
                order="metric_name, metric_timestamp_ms, metric_step, run_id",
            )
            yield SourceModel(
                model_id=uid,
                experiment_id=experiment_id,
                name=_text(row, "name"),
                status=_MODEL_STATUSES.get(_number(row, "status") or 1, "LOGGED_MODEL_PENDING"),
                artifact_uri=_text(row, "artifact_location"),
                model_type=_text(row, "model_type"),
                source_run_id=_text(row, "source_run_id"),
                creation_timestamp_ms=_number(row, "creation_timestamp_ms"),
                params=self._pairs("logged_model_params", "model_id", uid, key="param_key", value="param_value"),
                tags=self._pairs("logged_model_tags", "model_id", uid, key="tag_key", value="tag_value"),
                metrics=[
                    ModelMetric(
                        key=_text(each, "metric_name"),
                        value=float(cast("float", each["metric_value"])),
                        timestamp=_number(each, "metric_timestamp_ms") or 0,
                        step=_number(each, "metric_step") or 0,
                        run_id=_text(each, "run_id"),
                        dataset_name=_text(each, "dataset_name"),
                        dataset_digest=_text(each, "dataset_digest"),
                    )
                    for each in metrics
                    if each["metric_value"] is not None
                ],
            )

    def registered(self) -> Iterator[SourceRegistered]:
        if "registered_models" not in self._columns:
            return
        where, values = self._in_workspace("registered_models")
        for row in self._rows(f"SELECT * FROM registered_models{where} ORDER BY name", values):
            name = _text(row, "name")
            found = self._of(name, "model_versions", "name", order="version")
            versions = [each for each in found if _text(each, "current_stage") != _DELETED_VERSION]
            aliases = self._pairs("registered_model_aliases", "name", name, key="alias", value="version")
            yield SourceRegistered(
                name=name,
                description=_text(row, "description"),
                tags=self._pairs("registered_model_tags", "name", name),
                aliases={each.key: int(each.value) for each in aliases},
                versions=[self._version(name, each) for each in versions],
            )

    def files(self, uri: str) -> LocalFiles:
        return local_files(uri, proxied_at=self._artifacts, relative_to=self._home)

    def left_out(self) -> list[tuple[str, int]]:
        found = []
        for table, kind in _NOT_READ.items():
            if table in self._columns:
                ((count,),) = self._tuples(f"SELECT count(*) FROM {table}")
                found.append((kind, int(cast("int", count))))
        for table in ("experiments", "registered_models"):
            if "workspace" in self._columns.get(table, ()):
                statement = f"SELECT count(*) FROM {table} WHERE workspace <> {self._mark}"
                ((count,),) = self._tuples(statement, [_WORKSPACE])
                found.append((f"{table.replace('_', ' ')} of other workspaces", int(cast("int", count))))
        return [(kind, count) for kind, count in found if count]

    def _version(self, name: str, row: Row) -> SourceVersion:
        number = _number(row, "version") or 0
        tags = [each for each in self._of(name, "model_version_tags", "name", order="key") if each["version"] == number]
        return SourceVersion(
            version=number,
            source=_text(row, "source"),
            run_id=_text(row, "run_id"),
            run_link=_text(row, "run_link"),
            description=_text(row, "description"),
            current_stage=_text(row, "current_stage") or "None",
            tags=[Pair(_text(each, "key"), _text(each, "value")) for each in tags],
        )

    def _datasets(self, run: str) -> Iterator[DatasetInput]:
        if "inputs" not in self._columns or "datasets" not in self._columns:
            return
        statement = (
            "SELECT inputs.input_uuid, datasets.* FROM inputs JOIN datasets ON datasets.dataset_uuid = inputs.source_id"
            f" WHERE inputs.source_type = 'DATASET' AND inputs.destination_id = {self._mark}"
            " ORDER BY datasets.name, datasets.digest"
        )
        for row in self._rows(statement, [run]):
            yield DatasetInput(
                Dataset(
                    name=_text(row, "name"),
                    digest=_text(row, "digest"),
                    source_type=_text(row, "dataset_source_type"),
                    source=_text(row, "dataset_source"),
                    schema=_text(row, "dataset_schema") or None,
                    profile=_text(row, "dataset_profile") or None,
                ),
                self._pairs("input_tags", "input_uuid", _text(row, "input_uuid"), key="name"),
            )

    def _links(self, source_type: str, run: str, destination_type: str) -> Iterator[ModelLink]:
        if "inputs" not in self._columns:
            return
        statement = (
            f"SELECT * FROM inputs WHERE source_type = {self._mark} AND source_id = {self._mark}"
            f" AND destination_type = {self._mark} ORDER BY destination_id"
        )
        for row in self._rows(statement, [source_type, run, destination_type]):
            yield ModelLink(_text(row, "destination_id"), _number(row, "step") or 0)

    def _of(self, uid: str, table: str, owner: str, *, order: str) -> Iterator[Row]:
        """The rows of `uid`; none where the database is older than the table."""
        if table in self._columns:
            yield from self._rows(f"SELECT * FROM {table} WHERE {owner} = {self._mark} ORDER BY {order}", [uid])

    def _pairs(self, table: str, owner: str, uid: str, *, key: str = "key", value: str = "value") -> list[Pair]:
        if table not in self._columns:
            return []
        statement = f"SELECT {key} AS k, {value} AS v FROM {table} WHERE {owner} = {self._mark} ORDER BY {key}"
        return [Pair(_text(row, "k"), _text(row, "v")) for row in self._rows(statement, [uid])]

    def _grouped(self, statement: str, table: str) -> dict[str, list[Pair]]:
        found: dict[str, list[Pair]] = {}
        if table in self._columns:
            for owner, key, value in self._tuples(statement):
                found.setdefault(str(owner), []).append(Pair(str(key), "" if value is None else str(value)))
        return found

    def _in_workspace(self, table: str) -> tuple[str, list[object]]:
        if "workspace" not in self._columns.get(table, set()):
            return "", []
        return f" WHERE workspace = {self._mark}", [_WORKSPACE]

    def _rows(self, statement: str, values: Sequence[object] = ()) -> Iterator[Row]:
        for names, row in self._fetch(statement, values):
            yield dict(zip(names, row, strict=True))

    def _tuples(self, statement: str, values: Sequence[object] = ()) -> Iterator[Sequence[object]]:
        for _, row in self._fetch(statement, values):
            yield row

    def _fetch(self, statement: str, values: Sequence[object]) -> Iterator[tuple[list[str], Sequence[object]]]:
        try:
            cursor = self._connection.cursor()
            cursor.execute(statement, values)
            names = [str(column[0]) for column in cursor.description or ()]
            while rows := cursor.fetchmany(_CHUNK):
                for row in rows:
                    yield names, row
        except self._fault as error:
            raise GnomonError(
                f"{self.name} cannot be read further ({error}); check the database and run the command again: what has"
                " arrived is not sent twice"
            ) from error

    def _read_columns(self) -> dict[str, set[str]]:
        """The columns of each table."""
        if self._mark == "?":
            statement = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        else:
            statement = (
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            )
        found: dict[str, set[str]] = {}
        for table, column in self._tuples(statement):
            found.setdefault(str(table), set()).add(str(column))
        return found


def _sqlite_path(url: str) -> Path:
    """`sqlite:///relative` and `sqlite:////absolute`, as SQLAlchemy writes them."""
    path = unquote(urlsplit(url).path)
    return Path(path.removeprefix("/")) if path else Path()


def _open_sqlite(path: Path) -> tuple[_Connection, type[Exception]]:
    if not path.is_file():
        raise GnomonError(f"there is no database {path}; sqlite:///x.db is relative, sqlite:////x/y.db absolute")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        raise GnomonError(f"{path} cannot be read as an SQLite database ({error}); name MLflow's database") from error
    return cast("_Connection", connection), sqlite3.Error


def _open_postgresql(url: str) -> tuple[_Connection, type[Exception]]:
    try:
        import pg8000.dbapi as pg
    except ImportError as error:
        raise MissingExtra("pg8000", extra="postgresql", purpose="reading a PostgreSQL database") from error
    parts = urlsplit(url)
    try:
        connection = pg.connect(
            user=unquote(parts.username or "postgres"),
            password=None if parts.password is None else unquote(parts.password),
            host=parts.hostname or "localhost",
            port=parts.port or 5432,
            database=unquote(parts.path.lstrip("/")),
        )
        cursor = connection.cursor()
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    except (pg.Error, OSError) as error:
        raise GnomonError(f"the database at {parts.hostname} does not let us in ({error}); check the URL") from error
    return cast("_Connection", connection), cast("type[Exception]", pg.Error)


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def _number(row: Row, column: str) -> int | None:
    value = row.get(column)
    return None if value is None else int(cast("int", value))
