"""Experiments by their number: what dialects of other trackers ask for."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import LifecycleStage
from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import RowId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.clauses import Attribute, KeyedValues, conditions
from gnomon_server.store.meta.run_values import ids_in, sent_ids
from gnomon_server.store.points.compiled import HotSelect


def rows_numbered(connection: Connection, numbers: Sequence[int]) -> list[RowId]:
    """The rows of the experiments that have these numbers; numbers of none are passed over."""
    return [RowId(row) for (row,) in _ROWS_NUMBERED.run(connection, (sent_ids(connection, numbers),))]


def numbers_of(connection: Connection, experiments: Sequence[RowId]) -> dict[RowId, int]:
    """The numbers of experiments, by row."""
    found = _NUMBERS.run(connection, (sent_ids(connection, experiments),))
    return {RowId(row): number for row, number in found}


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


_ROWS_NUMBERED = HotSelect(
    ("numbers",),
    lambda connection: sa.select(t.experiment.c.id).where(ids_in(connection, t.experiment.c.number, "numbers")),
)
_NUMBERS = HotSelect(
    ("rows",),
    lambda connection: sa.select(t.experiment.c.id, t.experiment.c.number).where(
        ids_in(connection, t.experiment.c.id, "rows")
    ),
)
