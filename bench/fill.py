"""Homes with data in them, written past HTTP where a server's own API would take hours.

Ours goes through the store's own functions, a thousand runs a transaction, so every row is the one that a batch would
have left. MLflow's goes into the schema that its own migrations made, as its store writes it. No server
may be running on the home.
"""

import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pysqlite3
import sqlalchemy as sa

from bench.project import Block, Floats, Project, curve, run_uid
from bench.servers import MLFLOW_ENV, mlflow_database, peer
from bench.wires import BASE_MS
from gnomon_server.app import Server, open_server
from gnomon_server.model.entities import Experiment
from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.points import Points
from gnomon_server.settings import Settings
from gnomon_server.store import Connection
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.keys import KeyCache, count_keys
from gnomon_server.store.points import chunks, codec, folding, segments, summaries
from gnomon_server.store.points.compiled import HotInsert

EXPERIMENT = "bench"
_STEP_MS = 100
_MOST_ENTRIES = 10_000


class GnomonHome:
    """A home of ours, opened without HTTP; `experiment` is the id of the one that all is added to."""

    def __init__(self, server: Server) -> None:
        self._writing = server.services.stores.database.open_writer()
        self._tenant: TenantId = server.services.access.principal(None).tenant
        made = _experiment(server)
        self._experiment = made.row
        self.experiment = made.uid
        self._keys = KeyCache()

    def add_project(self, project: Project, *, after: int = 0) -> None:
        """The runs of the project, those before number `after` left out."""
        for block in project.blocks(after=after):
            self._write(partial(self._write_block, project, block))

    def add_series(self, first_run: int, runs: int, keys: Sequence[str], *, points: int) -> None:
        """Sealed series, for runs that exist, each with its own curve: what sealing would have left of a long run."""
        encoder = codec.Encoder()
        for number in range(first_run, first_run + runs):
            columns = [curve_points(number * len(keys) + at, points) for at in range(len(keys))]
            self._write(partial(self._write_series, number, keys, columns, encoder))

    def close(self) -> None:
        self._writing.close()

    def _write(self, work: Callable[[Connection], None]) -> None:
        """One transaction, and none of the savepoints that the writer thread gives its jobs.

        In a savepoint SQLite walks its journal after each row that a trigger judges: a hundred times slower by then.
        """
        with self._writing.connection.begin(), self._writing.as_tenant(self._tenant) as tx:
            work(tx)

    def _write_block(self, project: Project, block: Block, tx: Connection) -> None:
        first = _next_row(tx)
        rows = [RowId(first + at) for at in range(len(block))]
        params = self._keys.resolve(tx, self._tenant, project.param_names)
        metrics = self._keys.resolve(tx, self._tenant, project.metric_names)
        _RUN.run(tx, [self._run_row(row, block, at) for at, row in enumerate(rows)])
        experiment_sql.add_runs(tx, self._tenant, self._experiment, len(rows))
        _PARAM.run(
            tx,
            [
                (self._tenant, row, key, self._experiment, value, _number(value))
                for row, values in zip(rows, block.params, strict=True)
                for key, value in zip(params, values, strict=True)
            ],
        )
        key = np.array(metrics, np.uint32)
        step = np.zeros(len(metrics))
        kept, items = [], []
        for at, row in enumerate(rows):
            times = np.full(len(metrics), block.start_ms(at), np.int64)
            columns = (key, step, times, np.ascontiguousarray(block.values[at]))
            kept.append(segments.SegmentRow(row, len(key), segments.encode(*columns, identified=True)))
            items.append(folding.FoldItem(row, self._experiment, *columns, identified=True))
        segments.insert(tx, self._tenant, kept)
        summaries.write_summaries(tx, self._tenant, folding.fold(items))
        for kind, ids in (("param", params), ("metric", metrics)):
            added = {(self._experiment, each): len(rows) for each in ids}
            count_keys(tx, self._tenant, "param" if kind == "param" else "metric", added)

    def _run_row(self, row: RowId, block: Block, at: int) -> tuple[object, ...]:
        start = block.start_ms(at)
        name, end = f"run-{block.first + at}", start + 50_000
        fixed = ("finished", "active", None, start, end, "bench", start, end)
        return (self._tenant, row, block.uid(at), self._experiment, name, "", *fixed)

    def _write_series(
        self, number: int, keys: Sequence[str], columns: Sequence[Points], encoder: codec.Encoder, tx: Connection
    ) -> None:
        run = _row_of(tx, run_uid(number))
        ids = self._keys.resolve(tx, self._tenant, keys)
        generation = self._generation(tx, run)
        new = [
            chunk
            for key, points in zip(ids, columns, strict=True)
            for chunk in chunks.build(run, key, generation, points, encoder)
        ]
        chunks.insert(tx, self._tenant, new)
        items = [
            folding.FoldItem(
                run,
                self._experiment,
                np.full(len(points), key, np.uint32),
                points.step,
                points.time_ms,
                points.value,
                identified=True,
            )
            for key, points in zip(ids, columns, strict=True)
        ]
        folded = folding.fold(items)
        added: dict[tuple[RowId, KeyId], int] = {}
        for row in summaries.new_series(tx, folded, ()):
            added[self._experiment, row.key] = added.get((self._experiment, row.key), 0) + 1
        summaries.write_summaries(tx, self._tenant, folded)
        count_keys(tx, self._tenant, "metric", added)

    def _generation(self, tx: Connection, run: RowId) -> int:
        """The id of a segment that comes and goes, as when the points of a request are sealed."""
        nothing = segments.encode(
            np.empty(0, np.uint32), np.empty(0), np.empty(0, np.int64), np.empty(0), identified=True
        )
        segments.insert(tx, self._tenant, [segments.SegmentRow(run, 0, nothing)])
        generation = int(tx.scalar(sa.select(sa.func.max(t.segment.c.id))) or 0)
        mine = (t.segment_base.c.tenant == self._tenant, t.segment_base.c.id == generation)
        tx.execute(sa.delete(t.segment_base).where(*mine))
        return generation


@contextmanager
def gnomon_home(home: Path) -> Iterator[GnomonHome]:
    """Open a home of ours, new or filled before, to add to it; closed, it is as a stopped server leaves it."""
    server = open_server(Settings(home=str(home)))
    try:
        with closing(GnomonHome(server)) as filled:
            yield filled
    finally:
        server.close()


def _experiment(server: Server) -> Experiment:
    principal = server.services.access.principal(None)
    with server.services.stores.database.read(principal.tenant) as connection:
        found = experiment_sql.find_experiment_named(connection, EXPERIMENT)
    return found or server.services.experiments.create(
        principal, name=EXPERIMENT, description="", artifact_location=None, tags={}
    )


def curve_points(number: int, points: int) -> Points:
    """A curve as a training loop logs it: whole steps, one every tenth of a second."""
    step = np.arange(points, dtype=np.float64)
    return Points(step, BASE_MS + _STEP_MS * np.arange(points, dtype=np.int64), curve(number, points))


def sent_points(key: str, values: Floats) -> Iterator[bytes]:
    """Bodies for log-batch that hold a curve, as many points in each as the API takes."""
    for first in range(0, len(values), _MOST_ENTRIES):
        points = [
            {"key": key, "value": value, "timestamp": BASE_MS + _STEP_MS * step, "step": step}
            for step, value in enumerate(values[first : first + _MOST_ENTRIES].tolist(), start=first)
        ]
        yield json.dumps({"metrics": points}).encode()


def settle(home: Path, *, longest_secs: float = 120) -> None:
    """Wait until the server of this home has sealed every tail."""
    started = time.monotonic()
    with closing(pysqlite3.connect(f"file:{home / 'gnomon.db'}?mode=ro", uri=True)) as database:
        while database.execute("select count(*) from segment_").fetchone()[0]:
            if time.monotonic() - started > longest_secs:
                raise RuntimeError(f"the tails are not sealed after {longest_secs:g} seconds")
            time.sleep(0.2)


class MlflowHome:
    """A home of MLflow's, by its database alone; `experiment` is the id of the one that is made."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        command = [peer("mlflow"), "db", "upgrade", mlflow_database(home)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **MLFLOW_ENV})
        self._path = home / "mlflow.db"
        self.experiment = "1"
        with self._writing() as database:
            row = (1, EXPERIMENT, str(home / "a"), "active", BASE_MS, BASE_MS, "default")
            database.execute("insert into experiments values (?, ?, ?, ?, ?, ?, ?)", row)

    def add_project(self, project: Project) -> None:
        with self._writing() as database:
            for block in project.blocks():
                self._add_block(database, project, block)

    def add_series(self, number: int, key: str, values: Floats) -> None:
        """A metric history of a run that is new."""
        uid = run_uid(number)
        times = [(key, value, BASE_MS + _STEP_MS * step, uid, step, 0) for step, value in enumerate(values.tolist())]
        with self._writing() as database:
            database.execute(_ML_RUN, self._run_row(uid, number, BASE_MS))
            database.executemany(_ML_METRIC, times)
            last = times[-1]
            database.execute(_ML_LATEST, (key, last[1], last[2], last[4], 0, uid))

    def _add_block(self, database: sqlite3.Connection, project: Project, block: Block) -> None:
        uids = [block.uid(at) for at in range(len(block))]
        starts = [block.start_ms(at) for at in range(len(block))]
        rows = [self._run_row(uid, block.first + at, starts[at]) for at, uid in enumerate(uids)]
        database.executemany(_ML_RUN, rows)
        database.executemany(
            "insert into params values (?, ?, ?)",
            [
                (key, value, uid)
                for uid, values in zip(uids, block.params, strict=True)
                for key, value in zip(project.param_names, values, strict=True)
            ],
        )
        points = [
            (key, value, start, uid)
            for uid, start, values in zip(uids, starts, block.values.tolist(), strict=True)
            for key, value in zip(project.metric_names, values, strict=True)
        ]
        database.executemany(_ML_METRIC, [(*point, 0, 0) for point in points])
        database.executemany(_ML_LATEST, [(key, value, start, 0, 0, uid) for key, value, start, uid in points])

    def _run_row(self, uid: str, number: int, start: int) -> tuple[object, ...]:
        place = str(self._path.parent / "a" / uid)
        return (
            uid,
            f"run-{number}",
            "UNKNOWN",
            "",
            "",
            "bench",
            "FINISHED",
            start,
            start + 50_000,
            "",
            "active",
            place,
        )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as database, database:
            yield database


_ML_RUN = (
    "insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
    " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
    " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"
)
_ML_METRIC = "insert into metrics values (?, ?, ?, ?, ?, ?)"
_ML_LATEST = "insert into latest_metrics values (?, ?, ?, ?, ?, ?)"


def _insert_into(table: sa.Table) -> HotInsert:
    names = [column.name for column in table.columns]
    return HotInsert(names, lambda _connection: sa.insert(table).values({name: sa.bindparam(name) for name in names}))


_RUN = _insert_into(t.run_base)
_PARAM = _insert_into(t.param_base)


def _next_row(tx: Connection) -> int:
    return (tx.scalar(sa.select(sa.func.max(t.run.c.id))) or 0) + 1


def _row_of(tx: Connection, uid: str) -> RowId:
    found = tx.scalar(sa.select(t.run.c.id).where(t.run.c.uid == uid))
    if found is None:
        raise RuntimeError(f"the home has no run {uid}; add the project first")
    return RowId(found)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
