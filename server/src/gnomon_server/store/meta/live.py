"""What a watcher is told of runs and series, read by their rows: a few hundred of them, several times a second."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import LifecycleStage, RunStatus
from gnomon_server.model.ids import KeyId, RowId, RunUid
from gnomon_server.store.meta import tables as t


class RunLine(NamedTuple):
    """A run in one line."""

    row: RowId
    uid: RunUid
    name: str
    status: RunStatus
    lifecycle_stage: LifecycleStage
    start_ms: int
    end_ms: int | None


class SeriesLine(NamedTuple):
    """One metric of a run as it stands: how many points, and the last of them (`value` None is NaN)."""

    run: RowId
    key: str
    n: int
    step: float
    value: float | None


def read_run_lines(connection: Connection, rows: Collection[RowId]) -> list[RunLine]:
    """The runs of these rows, oldest first."""
    c = t.run.c
    columns = (c.id, c.uid, c.name, c.status, c.lifecycle_stage, c.start_ms, c.end_ms)
    found = connection.execute(sa.select(*columns).where(c.id.in_(sorted(rows))).order_by(c.id))
    return [RunLine(*row) for row in found]


def read_series_lines(connection: Connection, pairs: Sequence[tuple[RowId, KeyId]]) -> list[SeriesLine]:
    """The series of these (run, key)."""
    if not pairs:
        return []
    c = t.series.c
    query = (
        sa.select(c.run, t.key.c.name, c.n, c.last_step, c.last_value)
        .select_from(t.series.join(t.key, t.key.c.id == c.key))
        .where(sa.tuple_(c.run, c.key).in_(pairs))
    )
    return [SeriesLine(*row) for row in connection.execute(query)]


def count_running(connection: Connection, experiment: RowId) -> int:
    """How many active runs of the experiment are running."""
    c = t.run.c
    where = (c.experiment == experiment, c.lifecycle_stage == "active", c.status == "running")
    return connection.scalar(sa.select(sa.func.count()).select_from(t.run).where(*where)) or 0
