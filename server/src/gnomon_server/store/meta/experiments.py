"""The SQL of experiments. Reads see one tenant (the views); writes name the tenant and pass the wall."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from gnomon_server.model.entities import Experiment, LifecycleStage
from gnomon_server.model.ids import ExperimentUid, RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import usage
from gnomon_server.store.meta.upsert import upsert

DEFAULT_NAME = "Default"
# Numbers go on from the greatest, so nobody may ask for one that leaves none behind it.
MAX_ASKED_NUMBER = 10**9
# Rows named in one statement: far below what either database takes.
_IN_LIST = 1_000

_COLUMNS = [
    t.experiment.c[name]
    for name in (
        "id",
        "uid",
        "number",
        "name",
        "description",
        "artifact_location",
        "lifecycle_stage",
        "run_count",
        "created_ms",
        "updated_ms",
    )
]


def find_experiment(connection: Connection, uid: str) -> Experiment | None:
    return _one(connection, t.experiment.c.uid == uid)


def find_experiment_named(connection: Connection, name: str) -> Experiment | None:
    return _one(connection, t.experiment.c.name == name)


def find_experiment_numbered(connection: Connection, number: int) -> Experiment | None:
    return _one(connection, t.experiment.c.number == number)


def read_experiments(connection: Connection, rows: Sequence[RowId]) -> list[Experiment]:
    """The experiments of these rows, in this order."""
    by_row: dict[RowId, Experiment] = {}
    for start in range(0, len(rows), _IN_LIST):
        query = sa.select(*_COLUMNS).where(t.experiment.c.id.in_(rows[start : start + _IN_LIST]))
        by_row.update((found.row, found) for found in _with_tags(connection, connection.execute(query).all()))
    return [by_row[row] for row in rows if row in by_row]


def list_experiments(
    connection: Connection, *, search: str | None, lifecycle_stage: LifecycleStage, limit: int, offset: int
) -> tuple[int, list[Experiment]]:
    """A page, newest first, and how many match in all. `search`: a substring of the name, whatever its case."""
    where = [t.experiment.c.lifecycle_stage == lifecycle_stage]
    if search:
        where.append(_is_named_like(connection, search))
    total = connection.scalar(sa.select(sa.func.count()).select_from(t.experiment).where(*where)) or 0
    query = sa.select(*_COLUMNS).where(*where).order_by(t.experiment.c.number.desc()).limit(limit).offset(offset)
    return total, _with_tags(connection, connection.execute(query).all())


def _is_named_like(connection: Connection, search: str) -> sa.ColumnElement[bool]:
    """That a name holds the text, whatever the case of either."""
    c = t.experiment.c
    if connection.dialect.name == "sqlite":
        return sa.func.instr(sa.func.gnomon_casefold(c.name), search.casefold()) > 0
    # PostgreSQL folds case as its locale does. Names are few: they are compared here, as everywhere else.
    wanted = search.casefold()
    found = [row for row, name in connection.execute(sa.select(c.id, c.name)) if wanted in name.casefold()]
    return c.id.in_(found)


def insert_experiment(
    connection: Connection,
    tenant: TenantId,
    *,
    uid: str,
    name: str,
    description: str,
    artifact_location: str,
    now_ms: int,
    number: int | None = None,
) -> RowId:
    """Make an experiment with this number, or with the next of the tenant where it is taken or out of bounds.

    0 is kept for the one called `Default`.
    """
    next_number = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(t.experiment.c.number) + 1, 1))) or 1
    is_default = name == DEFAULT_NAME and find_experiment_numbered(connection, 0) is None
    if is_default:
        number = 0
    elif number is None or not 1 <= number <= MAX_ASKED_NUMBER or find_experiment_numbered(connection, number):
        number = max(next_number, 1)
    row = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(t.experiment.c.id) + 1, 1))) or 1
    connection.execute(
        sa.insert(t.experiment_base).values(
            tenant=tenant,
            id=row,
            uid=uid,
            number=number,
            name=name,
            description=description,
            artifact_location=artifact_location,
            lifecycle_stage="active",
            run_count=0,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
    )
    usage.add(connection, tenant, experiments=1)
    return RowId(row)


def update_experiment(connection: Connection, tenant: TenantId, row: RowId, **values: str | int) -> None:
    base = t.experiment_base
    connection.execute(sa.update(base).where(base.c.tenant == tenant, base.c.id == row).values(**values))


def add_runs(connection: Connection, tenant: TenantId, row: RowId, count: int) -> None:
    """Move the run count by `count`, below zero too."""
    base = t.experiment_base
    connection.execute(
        sa.update(base).where(base.c.tenant == tenant, base.c.id == row).values(run_count=base.c.run_count + count)
    )


def set_experiment_tags(connection: Connection, tenant: TenantId, row: RowId, tags: Mapping[str, str | None]) -> None:
    """Merge tags: a value sets, None removes."""
    base = t.experiment_tag_base
    values = [
        {"tenant": tenant, "experiment": row, "key": key, "value": value}
        for key, value in tags.items()
        if value is not None
    ]
    if values:
        insert = upsert(connection, base)
        index = ["tenant", "experiment", "key"]
        connection.execute(
            insert.on_conflict_do_update(index_elements=index, set_={"value": insert.excluded.value}), values
        )
    removed = [{"k": key} for key, value in tags.items() if value is None]
    if removed:
        where = (base.c.tenant == tenant, base.c.experiment == row, base.c.key == sa.bindparam("k"))
        connection.execute(sa.delete(base).where(*where), removed)


def _one(connection: Connection, where: sa.ColumnElement[bool]) -> Experiment | None:
    rows = connection.execute(sa.select(*_COLUMNS).where(where)).all()
    found = _with_tags(connection, rows)
    return found[0] if found else None


def _with_tags(connection: Connection, rows: Sequence[Row[tuple[object, ...]]]) -> list[Experiment]:
    if not rows:
        return []
    tags: dict[int, dict[str, str]] = {row.id: {} for row in rows}
    tag = t.experiment_tag.c
    query = sa.select(tag.experiment, tag.key, tag.value).where(tag.experiment.in_(list(tags))).order_by(tag.key)
    for experiment, key, value in connection.execute(query):
        tags[experiment][key] = value
    return [
        Experiment(
            row=RowId(row.id),
            uid=ExperimentUid(row.uid),
            number=row.number,
            name=row.name,
            description=row.description,
            artifact_location=row.artifact_location,
            lifecycle_stage=row.lifecycle_stage,
            run_count=row.run_count,
            created_ms=row.created_ms,
            updated_ms=row.updated_ms,
            tags=tags[row.id],
        )
        for row in rows
    ]
