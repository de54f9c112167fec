"""Questions to a whole database: is the file sound, and does it hold the points that its rows count?

For a connection that sees every tenant. They read much, and change nothing.
"""

import random
from typing import NamedTuple

import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.object_tables import blob_object_base, installation


class StoredContent(NamedTuple):
    """A content that the database knows."""

    tenant: int
    sha256: str
    size: int
    stored: str  # its key in the object store; "" where it lies below the home


class PointsAudit(NamedTuple):
    """Runs whose stored points were compared with what their metrics count, and the uids of some that differ.

    `skipped` runs have metrics whose repeats are counted until they are sealed.
    """

    compared: int
    skipped: int
    wrong: int
    examples: list[str]


_EXAMPLES = 3
# What reading a damaged file raises, whoever notices it.
UNREADABLE = (sqlite.Error, sa.exc.DBAPIError)


def find_damage(connection: Connection) -> str | None:
    """What SQLite finds wrong in the file: pages, indexes, references; None when it is sound. Reads all of it."""
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if found != "ok":
        return found
    orphan = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    return None if orphan is None else f"a row of {orphan[0]} refers to a row of {orphan[2]} that is not there"


def audit_points(connection: Connection) -> PointsAudit:
    """Compare, run by run, the points there are with the points that the metrics of the run count.

    Also wrong is a run whose ledger counts points from writers while none is stored.
    """
    stored = sa.union_all(
        *(sa.select(base.c.tenant, base.c.run, base.c.n) for base in (t.segment_base, t.chunk_base))
    ).subquery()
    kept = _sum_by_run(stored.c.tenant, stored.c.run, stored.c.n)
    series = t.series_base.c
    counted = (
        sa.select(series.tenant, series.run, sa.func.sum(series.n).label("n"), sa.func.max(series.late).label("late"))
        .group_by(series.tenant, series.run)
        .subquery()
    )
    sent = _sum_by_run(t.ledger_base.c.tenant, t.ledger_base.c.run, t.ledger_base.c.points)
    r = t.run_base.c
    joined = t.run_base
    for each in (kept, counted, sent):
        joined = joined.outerjoin(each, sa.and_(each.c.tenant == r.tenant, each.c.run == r.id))  # type: ignore[assignment]
    is_late = sa.func.coalesce(counted.c.late, 0) > 0
    n = sa.func.coalesce(kept.c.n, 0)
    is_wrong = sa.and_(
        sa.not_(is_late),
        sa.or_(n != sa.func.coalesce(counted.c.n, 0), sa.and_(n == 0, sa.func.coalesce(sent.c.n, 0) > 0)),
    )
    sums = sa.select(sa.func.count(), sa.func.count(sa.case((is_late, 1))), sa.func.count(sa.case((is_wrong, 1))))
    runs, late, wrong = connection.execute(sums.select_from(joined)).one()
    examples: list[str] = []
    if wrong:
        query = sa.select(r.uid).select_from(joined).where(is_wrong).order_by(r.uid).limit(_EXAMPLES)
        examples = list(connection.scalars(query))
    return PointsAudit(int(runs) - int(late), int(late), int(wrong), examples)


def sample_contents(connection: Connection, *, most: int) -> list[StoredContent]:
    """Contents at random, at most so many."""
    b = t.blob_base.c
    o = blob_object_base.c
    kept = t.blob_base.outerjoin(blob_object_base, sa.and_(o.tenant == b.tenant, o.sha256 == b.sha256))
    columns = (b.tenant, b.sha256, b.size, sa.func.coalesce(o.object, ""))
    rows = connection.execute(sa.select(*columns).select_from(kept).order_by(b.tenant, b.sha256)).all()
    chosen = rows if len(rows) <= most else random.sample(rows, most)
    return [StoredContent(int(tenant), str(sha256), int(size), str(stored)) for tenant, sha256, size, stored in chosen]


def read_revision(connection: Connection) -> str | None:
    """The revision of the tables; None for a database without ours."""
    names = sa.inspect(connection).get_table_names()
    found = (
        connection.exec_driver_sql("SELECT version_num FROM alembic_version") if "alembic_version" in names else None
    )
    return None if found is None else str(found.scalar_one())


def read_installation(connection: Connection) -> str:
    """The id of this installation, which its object store is marked with."""
    return str(connection.scalar(sa.select(installation.c.id)) or "")


def describe_postgres(connection: Connection) -> str:
    """Its version, and whether a commit waits for its disk and its standby."""
    names = ("server_version", "synchronous_commit", "synchronous_standby_names")
    found = [str(connection.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in names]
    standby = f"standby {found[2]}" if found[2] else "no standby"
    return f"PostgreSQL {found[0]}, synchronous_commit {found[1]}, {standby}"


def _sum_by_run(tenant: sa.ColumnElement[int], run: sa.ColumnElement[int], n: sa.ColumnElement[int]) -> sa.Subquery:
    return (
        sa.select(tenant.label("tenant"), run.label("run"), sa.func.sum(n).label("n")).group_by(tenant, run).subquery()
    )
