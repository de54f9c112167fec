"""A small database for tests of the point store, written as the server's writer does it.

It stands on either database: a `Place` says which.
"""

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.points import PointBatch, Points
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points import folding, purge, read, recount, sealing, segments, summaries
from gnomon_server.store.points.grids import as_grid
from tests.support.places import Place, SqlitePlace

Point = tuple[float, int, float]  # step, time, value
Entry = tuple[int, float, int, float]  # key and a point

TENANT = TenantId(1)
RUNS = [RowId(1), RowId(2)]
KEYS = [KeyId(1), KeyId(2), KeyId(300)]


class World:
    """A database with one experiment and two runs, written as the server's writer does it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.is_embedded = isinstance(place, SqlitePlace)
        with place.past_wall().begin() as connection:
            connection.execute(sa.insert(t.tenant_base), {"id": TENANT, "name": "a", "created_ms": 0})
            _insert_parent(connection, t.experiment_base, id=1)
            for run in RUNS:
                _insert_parent(connection, t.run_base, id=run, uid=str(run), experiment=1, archived_with=None)
        self._open()

    def _open(self) -> None:
        self.database = self.place.open()
        self._writer = self.database.open_writer()

    def close(self) -> None:
        self._writer.close()
        self.database.close()

    def reopen(self) -> None:
        self.close()
        self._open()

    def append(
        self, *batches: tuple[RowId, Sequence[Entry], bool], is_recounted: bool = True
    ) -> list[tuple[RowId, KeyId]]:
        """Commit batches of (run, entries, identified) as one group; the series that are new."""
        items = [fold_item(run, RowId(1), entries, identified) for run, entries, identified in batches]
        rows = folding.fold(items)
        with self._writer.transaction(TENANT) as connection:
            new = summaries.new_series(connection, rows, set())
            summaries.write_summaries(connection, TENANT, rows)
            segments.insert(connection, TENANT, [_segment(item) for item in items])
            if is_recounted:
                recount.recount(connection, TENANT, {(row.run, row.key) for row in rows})
        return [(row.run, row.key) for row in new]

    def plan(self, run: RowId) -> sealing.SealPlan | None:
        with self.database.read(TENANT) as connection:
            return sealing.prepare(connection, run)

    def commit(self, plan: sealing.SealPlan) -> bool:
        with self._writer.transaction(TENANT) as connection:
            return sealing.commit(connection, TENANT, plan)

    def seal(self, run: RowId) -> None:
        plan = self.plan(run)
        assert plan is None or self.commit(plan)

    def delete(self, run: RowId) -> list[KeyId]:
        with self._writer.transaction(TENANT) as connection:
            return purge.delete_run(connection, TENANT, run)

    def read(self, run: RowId, steps: tuple[float, float] | None = None) -> dict[KeyId, list[Point]]:
        with self.database.read(TENANT) as connection:
            found = read.read_series(connection, run, KEYS, steps=steps)
        return {key: as_list(points) for key, points in found.items()}

    def summary(self, run: RowId, key: KeyId) -> sa.Row[tuple[object, ...]]:
        with self.database.read(TENANT) as connection:
            series = t.series
            return connection.execute(sa.select(series).where(series.c.run == run, series.c.key == key)).one()


def _insert_parent(connection: Connection, base: sa.Table, **values: object) -> None:
    row = {column.name: 0 if isinstance(column.type, sa.BigInteger) else "" for column in base.columns}
    connection.execute(sa.insert(base), {**row, "tenant": TENANT, **values})


def _columns(entries: Sequence[Entry]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    key, step, time_ms, value = zip(*entries, strict=True)
    return np.array(key, np.uint32), np.array(step, float), np.array(time_ms, np.int64), np.array(value, float)


def fold_item(run: RowId, experiment: RowId, entries: Sequence[Entry], identified: bool) -> folding.FoldItem:
    """A batch as the ingest hands it on: a grid, where it is one."""
    key, step, time_ms, value = _columns(entries)
    grid = as_grid(PointBatch((), key, step, time_ms, value), range(2**32))
    return folding.FoldItem(run, experiment, None if grid else key, step, time_ms, value, identified, grid)


def _segment(item: folding.FoldItem) -> segments.SegmentRow:
    if item.grid is None:
        data = segments.encode(item.keys(), item.step, item.time_ms, item.value, identified=item.identified)
    else:
        data = segments.encode_grid(item.grid, identified=item.identified)
    return segments.SegmentRow(item.run, len(item.value), data)


def as_list(points: Points) -> list[Point]:
    return list(zip(points.step.tolist(), points.time_ms.tolist(), points.value.tolist(), strict=True))
