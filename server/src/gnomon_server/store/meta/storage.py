"""What experiments, runs and metrics take on the disk, measured when somebody asks.

The bytes of points are their columns as they are kept, without the rows and pages around them, also where they were
moved to an object store; `measure_points` alone counts what stands in the database. `length()` of a blob stands in the
head of its row, so SQLite reads none of what it measures; still it is one row for each chunk.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId
from gnomon_server.model.storage import MetricUse, NamedUse, StorageUse, UnsealedUse
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import object_tables as o
from gnomon_server.store.meta import tables as t

_POINTS = (t.segment, t.chunk)


def measure_experiment(connection: Connection, experiment: RowId) -> StorageUse:
    """Count and add up what the runs and logged models of an experiment keep, archived ones too."""
    points = _points_by(t.run.c.experiment, t.run.c.experiment == experiment)
    files = _files_by_experiment(experiment)
    runs = sa.select(sa.func.count()).where(t.run.c.experiment == experiment).scalar_subquery()
    query = sa.select(runs, points.c.n, points.c.bytes, files.c.n, files.c.bytes).select_from(
        sa.select(sa.literal(1)).subquery().outerjoin(points, sa.true()).outerjoin(files, sa.true())
    )
    return _use(connection.execute(query).one())


def list_experiments(connection: Connection, *, limit: int, offset: int) -> tuple[int, list[NamedUse]]:
    """A page of the tenant's experiments, archived ones too, those that take most first; and how many there are."""
    points, files = _points_by(t.run.c.experiment), _files_by_experiment()
    runs = sa.select(t.run.c.experiment.label("owner"), sa.func.count().label("n")).group_by(t.run.c.experiment)
    counted = runs.subquery()
    e = t.experiment.c
    query = (
        sa.select(
            *(e.uid, e.name, e.lifecycle_stage, counted.c.n, points.c.n, points.c.bytes, files.c.n, files.c.bytes)
        )
        .select_from(
            t.experiment.outerjoin(counted, counted.c.owner == e.id)
            .outerjoin(points, points.c.owner == e.id)
            .outerjoin(files, files.c.owner == e.id)
        )
        .order_by(_largest(points, files), e.id)
    )
    total = connection.scalar(sa.select(sa.func.count()).select_from(t.experiment)) or 0
    return total, [_named(row) for row in connection.execute(query.limit(limit).offset(offset))]


def list_runs(
    connection: Connection, of: sa.ColumnElement[bool], *, limit: int, offset: int
) -> tuple[int, list[NamedUse]]:
    """A page of the runs for which `of` holds, those that take most first; and how many there are."""
    total = connection.scalar(sa.select(sa.func.count()).select_from(t.run).where(of)) or 0
    query = _runs(of, _points_by(t.run.c.id, of), _files_by_run(of))
    return total, [_named(row) for row in connection.execute(query.limit(limit).offset(offset))]


def measure_run(connection: Connection, run: RowId) -> NamedUse:
    """What one run takes."""
    of = t.run.c.id == run
    return _named(connection.execute(_runs(of, _points_by(t.run.c.id, of), _files_by_run(of))).one())


def list_metrics(
    connection: Connection, *, experiment: RowId | None = None, run: RowId | None = None, limit: int, offset: int
) -> tuple[int, list[MetricUse], UnsealedUse]:
    """A page of the metrics of an experiment or of a run, those that take most first; how many; and the unsealed."""
    runs = sa.select(t.run.c.id).where(t.run.c.id == run if experiment is None else t.run.c.experiment == experiment)
    sealed = (
        sa.select(t.chunk.c.run, t.chunk.c.key, _bytes(t.chunk).label("bytes"), sa.func.sum(t.chunk.c.n).label("n"))
        .where(t.chunk.c.run.in_(runs))
        .group_by(t.chunk.c.run, t.chunk.c.key)
        .subquery()
    )
    size = sa.func.sum(sealed.c.bytes)
    by_name = (
        sa.select(t.key.c.name, sa.func.count(sealed.c.run.distinct()), sa.func.sum(sealed.c.n), size)
        .select_from(sealed.join(t.key, t.key.c.id == sealed.c.key))
        .group_by(t.key.c.name)
    )
    total = connection.scalar(sa.select(sa.func.count()).select_from(by_name.subquery())) or 0
    rows = connection.execute(by_name.order_by(size.desc(), t.key.c.name).limit(limit).offset(offset))
    found = [MetricUse(str(name), int(count), int(points), int(taken)) for name, count, points, taken in rows]
    tail = sa.select(sa.func.coalesce(sa.func.sum(t.segment.c.n), 0), _bytes(t.segment)).where(
        t.segment.c.run.in_(runs)
    )
    points, taken = connection.execute(tail).one()
    return total, found, UnsealedUse(int(points), int(taken))


def list_runs_of(connection: Connection, experiment: RowId, *, limit: int, offset: int) -> tuple[int, list[NamedUse]]:
    """A page of an experiment's runs, archived ones too, those that take most first; and how many there are."""
    return list_runs(connection, t.run.c.experiment == experiment, limit=limit, offset=offset)


def measure_freed(connection: Connection, of: sa.ColumnElement[bool]) -> tuple[int, int]:
    """The bytes of the points of some runs, and of the contents that nothing but these runs refers to."""
    runs = sa.select(t.run.c.id).where(of)
    points = sum(
        int(connection.scalar(sa.select(_bytes(table)).where(table.c.run.in_(runs))) or 0) for table in _POINTS
    )
    a = t.artifact.c
    used = sa.select(a.sha256, sa.func.count().label("n")).where(a.run.in_(runs)).group_by(a.sha256).subquery()
    only = sa.select(sa.func.coalesce(sa.func.sum(t.blob.c.size), 0)).select_from(
        t.blob.join(used, sa.and_(used.c.sha256 == t.blob.c.sha256, used.c.n == t.blob.c.refs))
    )
    return points, int(connection.scalar(only) or 0)


def measure_points(connection: Connection) -> int:
    """The bytes of all points of all tenants in the database; for a connection that sees them."""
    size = (sa.func.coalesce(sa.func.sum(sa.func.length(base.c.data)), 0) for base in (t.segment_base, t.chunk_base))
    return sum(int(connection.scalar(sa.select(each)) or 0) for each in size)


def measure_moved(connection: Connection) -> int:
    """The bytes of all points of all tenants that stand in the object store; for a connection that sees them."""
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(o.chunk_object_base.c.length), 0))) or 0)


def measure_contents(connection: Connection) -> tuple[int, int, int]:
    """The bytes of all contents of all tenants, of those in the object store, and of those that nothing refers to."""
    blob, object_ = t.blob_base.c, o.blob_object_base.c
    size = blob.size
    sums = (
        sa.func.coalesce(sa.func.sum(each), 0)
        for each in (
            size,
            sa.case((object_.object.is_not(None), size)),
            sa.case((blob.unused_ms.is_not(None), size)),
        )
    )
    held = t.blob_base.outerjoin(o.blob_object_base, (object_.tenant == blob.tenant) & (object_.sha256 == blob.sha256))
    every, in_objects, unused = connection.execute(sa.select(*sums).select_from(held)).one()
    return int(every), int(in_objects), int(unused)


def _bytes(table: sa.Table) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(_size(table)), 0)


def _size(table: sa.Table) -> sa.ColumnElement[int]:
    """The bytes of one row's points. Those of a moved chunk are counted where it stands."""
    here: sa.ColumnElement[int] = sa.func.length(table.c.data)
    if table is not t.chunk:
        return here
    object_ = o.chunk_object.c
    same = (object_[name] == table.c[name] for name in ("tenant", "run", "key", "gen", "part"))
    moved = sa.select(object_.length).where(*same).correlate(table).scalar_subquery()
    return sa.case((here == 0, sa.func.coalesce(moved, 0)), else_=here)


def _points_by(owner: sa.ColumnElement[int], of: sa.ColumnElement[bool] | None = None) -> sa.Subquery:
    """Points and their bytes by what owns them (a column of runs), of the runs for which `of` holds."""
    parts = []
    for table in _POINTS:
        each = sa.select(owner.label("owner"), table.c.n, _size(table).label("size")).select_from(
            table.join(t.run, t.run.c.id == table.c.run)
        )
        parts.append(each if of is None else each.where(of))
    every = sa.union_all(*parts).subquery()
    return (
        sa.select(every.c.owner, sa.func.sum(every.c.n).label("n"), sa.func.sum(every.c.size).label("bytes"))
        .group_by(every.c.owner)
        .subquery()
    )


def _files_by_run(of: sa.ColumnElement[bool]) -> sa.Subquery:
    a = t.artifact.c
    return _once_each(
        sa.select(a.run.label("owner"), a.sha256, a.size).where(a.run.in_(sa.select(t.run.c.id).where(of)))
    )


def _files_by_experiment(experiment: RowId | None = None) -> sa.Subquery:
    a, b = t.artifact.c, m.model_artifact.c
    run, model = t.run.c, m.logged_model.c
    of_runs = sa.select(run.experiment.label("owner"), a.sha256, a.size).select_from(
        t.artifact.join(t.run, run.id == a.run)
    )
    of_models = sa.select(model.experiment.label("owner"), b.sha256, b.size).select_from(
        m.model_artifact.join(m.logged_model, model.id == b.model)
    )
    if experiment is not None:
        of_runs, of_models = (
            of_runs.where(run.experiment == experiment),
            of_models.where(model.experiment == experiment),
        )
    return _once_each(sa.union_all(of_runs, of_models))


def _once_each(files: sa.Select[Any] | sa.CompoundSelect[Any]) -> sa.Subquery:
    """Files by owner: their number, and the bytes of their contents, each content once."""
    every = files.subquery()
    contents = (
        sa.select(every.c.owner, every.c.size, sa.func.count().label("n"))
        .group_by(every.c.owner, every.c.sha256, every.c.size)
        .subquery()
    )
    return (
        sa.select(contents.c.owner, sa.func.sum(contents.c.n).label("n"), sa.func.sum(contents.c.size).label("bytes"))
        .group_by(contents.c.owner)
        .subquery()
    )


def _runs(of: sa.ColumnElement[bool], points: sa.Subquery, files: sa.Subquery) -> sa.Select[Any]:
    r = t.run.c
    return (
        sa.select(
            *(r.uid, r.name, r.lifecycle_stage, sa.literal(1)),
            *(points.c.n, points.c.bytes, files.c.n, files.c.bytes),
        )
        .select_from(t.run.outerjoin(points, points.c.owner == r.id).outerjoin(files, files.c.owner == r.id))
        .where(of)
        .order_by(_largest(points, files), r.id)
    )


def _largest(points: sa.Subquery, files: sa.Subquery) -> sa.ColumnElement[int]:
    return (sa.func.coalesce(points.c.bytes, 0) + sa.func.coalesce(files.c.bytes, 0)).desc()


def _named(row: Sequence[Any]) -> NamedUse:
    return NamedUse(row[0], row[1], row[2], _use(row[3:]))


def _use(numbers: Sequence[Any]) -> StorageUse:
    return StorageUse(*(int(number or 0) for number in numbers))
