"""Experiments by their number, and runs with what their latest points say: what dialects of other trackers ask for."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import LatestPoint, LifecycleStage
from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import RowId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.clauses import Attribute, KeyedValues, conditions

# Rows named in one statement: far below what either database takes, and few enough for its statement to be kept.
_IN_LIST = 1_000


def rows_numbered(connection: Connection, numbers: Sequence[int]) -> list[RowId]:
    """The rows of the experiments that have these numbers; numbers of none are passed over."""
    rows: list[RowId] = []
    for start in range(0, len(numbers), _IN_LIST):
        query = sa.select(t.experiment.c.id).where(t.experiment.c.number.in_(numbers[start : start + _IN_LIST]))
        rows.extend(RowId(row) for row in connection.scalars(query))
    return rows


def numbers_of(connection: Connection, experiments: Sequence[RowId]) -> dict[RowId, int]:
    """The numbers of experiments, by row."""
    found: dict[RowId, int] = {}
    for start in range(0, len(experiments), _IN_LIST):
        part = experiments[start : start + _IN_LIST]
        query = sa.select(t.experiment.c.id, t.experiment.c.number).where(t.experiment.c.id.in_(part))
        found.update((RowId(row), number) for row, number in connection.execute(query))
    return found


def read_latest(connection: Connection, runs: Sequence[RowId]) -> dict[RowId, list[LatestPoint]]:
    """The latest point of each metric of some runs, by name."""
    latest: dict[RowId, list[LatestPoint]] = {run: [] for run in runs}
    series = t.series.c
    for start in range(0, len(runs), _IN_LIST):
        query = (
            sa.select(series.run, t.key.c.name, series.last_value, series.last_step, series.last_ms)
            .select_from(t.series.join(t.key, t.key.c.id == series.key))
            .where(series.run.in_(runs[start : start + _IN_LIST]))
            .order_by(series.run, t.key.c.name)
        )
        for run, name, value, step, time_ms in connection.execute(query).all():
            point = LatestPoint(name, float("nan") if value is None else value, step, time_ms)
            latest[RowId(run)].append(point)
    return latest


def search_experiments(
    connection: Connection,
    clauses: Sequence[Clause],
    order: Sequence[tuple[str, bool]],
    *,
    stage: LifecycleStage | None,
    limit: int,
    offset: int,
) -> tuple[int, list[RowId]]:
    """A page of the experiments that match, and how many do. Ties go by number, the newest first."""
    c = t.experiment.c
    attributes: dict[str, Attribute] = {
        "name": c.name,
        "experiment_id": sa.cast(c.number, sa.Text),
        "creation_time": c.created_ms,
        "last_update_time": c.updated_ms,
    }
    tag = t.experiment_tag.c
    tags = KeyedValues(lambda key: sa.select(tag.experiment).where(tag.experiment == c.id, tag.key == key), tag.value)
    where = conditions(connection, clauses, attributes, {"tag": tags})
    if stage is not None:
        where.append(c.lifecycle_stage == stage)
    total = connection.scalar(sa.select(sa.func.count()).select_from(t.experiment).where(*where)) or 0
    columns = {**attributes, "experiment_id": c.number}
    by = [columns[name].desc() if descending else columns[name].asc() for name, descending in order]
    page = sa.select(c.id).where(*where).order_by(*by, c.number.desc()).limit(limit).offset(offset)
    return total, [RowId(row) for row in connection.scalars(page)]
