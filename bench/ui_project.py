"""The generated project of the browser suite, in ours over HTTP and in MLflow's database.

Over HTTP MLflow's server would take hours for it, so the rows are written into its SQLite database as its store writes
them; a server that then reads it cannot tell.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from tests.support import large_project
from tests.support.large_project import Size, batches, metric_names

from bench.load import Address
from gnomon.wire import SequencedBatch

EXPERIMENT = 1
_USER = "ada"


def fill_ours(address: Address, size: Size) -> large_project.Project:
    return large_project.load(f"http://{address[0]}:{address[1]}", size)


def fill_mlflow(database: Path, size: Size) -> None:
    """Into the database of a server that has been started once and stopped."""
    metrics = metric_names(size.metrics)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
            " last_update_time) VALUES (?, ?, ?, 'active', 0, 0)",
            (EXPERIMENT, large_project.EXPERIMENT, f"mlflow-artifacts:/{EXPERIMENT}"),
        )
        for number in range(1, size.runs + 1):
            for batch in batches(number, size, metrics, str(EXPERIMENT)):
                _write(connection, f"{number:032x}", batch)
        connection.commit()


def _write(connection: sqlite3.Connection, uid: str, batch: SequencedBatch) -> None:
    if (begin := batch.create) is not None:
        connection.execute(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
            " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
            " VALUES (?, ?, 'UNKNOWN', '', '', ?, 'FINISHED', ?, ?, '', 'active', ?, ?)",
            (
                uid,
                begin.name,
                _USER,
                begin.start_time,
                begin.start_time,
                f"mlflow-artifacts:/{EXPERIMENT}/{uid}",
                EXPERIMENT,
            ),
        )
        tags = {**begin.tags, "mlflow.user": _USER, "mlflow.runName": begin.name}
        connection.executemany(
            "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
            [(key, value, uid) for key, value in tags.items()],
        )
        connection.executemany(
            "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
            [(key, value, uid) for key, value in batch.params.items()],
        )
    rows = list(_points(uid, batch))
    connection.executemany(_INSERT.format(table="metrics"), rows)
    latest = {row[0]: row for row in rows}
    connection.executemany(_INSERT.format(table="latest_metrics"), list(latest.values()))


_INSERT = "INSERT OR REPLACE INTO {table} (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"


def _points(uid: str, batch: SequencedBatch) -> Iterator[tuple[str, float, int, str, int]]:
    points = batch.points
    if points is None:
        return
    columns = (points.key, points.step, points.timestamp, points.value)
    key, step, time, value = (np.frombuffer(_packed(one), kind) for one, kind in zip(columns, _KINDS, strict=True))
    for at in range(len(key)):
        yield points.keys[int(key[at])], float(value[at]), int(time[at]), uid, int(step[at])


_KINDS = ("<u4", "<f8", "<i8", "<f8")


def _packed(column: object) -> bytes:
    assert isinstance(column, bytes), "the project is made of packed columns"
    return column
