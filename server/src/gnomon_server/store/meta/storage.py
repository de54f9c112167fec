"""What an experiment takes on the disk, measured when somebody asks.

The bytes of points are their columns as they are kept, without the rows and pages around them. `length()` of a blob
stands in the head of its row, so SQLite reads none of what it measures; still it is one row for each chunk.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import StorageUse
from gnomon_server.model.ids import RowId
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import tables as t


def measure_experiment(connection: Connection, experiment: RowId) -> StorageUse:
    """Count and add up what the runs and logged models of an experiment keep, archived ones too."""
    runs = sa.select(t.run.c.id).where(t.run.c.experiment == experiment)
    models = sa.select(m.logged_model.c.id).where(m.logged_model.c.experiment == experiment)
    points = points_bytes = 0
    for table in (t.segment, t.chunk):
        sums = sa.select(
            sa.func.coalesce(sa.func.sum(table.c.n), 0),
            sa.func.coalesce(sa.func.sum(sa.func.length(table.c.data)), 0),
        ).where(table.c.run.in_(runs))
        number, size = connection.execute(sums).one()
        points += int(number)
        points_bytes += int(size)
    files = sa.union_all(
        sa.select(t.artifact.c.sha256, t.artifact.c.size).where(t.artifact.c.run.in_(runs)),
        sa.select(m.model_artifact.c.sha256, m.model_artifact.c.size).where(m.model_artifact.c.model.in_(models)),
    ).subquery()
    contents = sa.select(sa.func.count().label("n"), files.c.size).group_by(files.c.sha256, files.c.size).subquery()
    artifacts, artifact_bytes = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(contents.c.n), 0), sa.func.coalesce(sa.func.sum(contents.c.size), 0))
    ).one()
    return StorageUse(
        runs=connection.scalar(sa.select(sa.func.count()).select_from(runs.subquery())) or 0,
        points=points,
        points_bytes=points_bytes,
        artifacts=int(artifacts),
        artifact_bytes=int(artifact_bytes),
    )
