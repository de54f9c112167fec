"""The SQL of runs: their rows, params, tags and latest values. `search.py` finds which; this reads and writes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import Run, RunHead
from gnomon_server.model.ids import KeyId, RowId, RunUid, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import usage
from gnomon_server.store.meta.run_values import ids_in, read_metrics, read_run_params, read_run_tags, sent_ids
from gnomon_server.store.meta.upsert import upsert
from gnomon_server.store.points.compiled import HotSelect

# SQLite takes 32,766 bound values in one statement; a list of more than this is asked for in parts.
_IN_LIST = 900

# In the order of the fields of `Run`.
_RUN_COLUMNS = (
    t.run.c.id,
    t.run.c.uid,
    t.run.c.experiment,
    t.experiment.c.uid,
    t.experiment.c.artifact_location,
    *(
        t.run.c[name]
        for name in (
            "name",
            "description",
            "status",
            "lifecycle_stage",
            "archived_with",
            "start_ms",
            "end_ms",
            "created_by",
        )
    ),
)
_RUNS = sa.select(*_RUN_COLUMNS).select_from(t.run.join(t.experiment, t.experiment.c.id == t.run.c.experiment))


def find_heads(connection: Connection, uids: Sequence[str]) -> dict[str, RunHead]:
    """The heads of the runs that exist in the tenant of the connection."""
    return {
        uid: RunHead(row=RowId(row), experiment=RowId(experiment), lifecycle_stage=stage)
        for uid in uids
        for row, experiment, stage in _HEAD.run(connection, (uid,))
    }


def lock_heads(connection: Connection, uids: Sequence[str]) -> dict[str, RunHead]:
    """The same, and until the transaction ends nobody else writes to these runs. For databases of several writers."""
    c = t.run.c
    query = sa.select(c.uid, c.id, c.experiment, c.lifecycle_stage).where(c.uid.in_(uids)).order_by(c.id)
    return {
        uid: RunHead(row=RowId(row), experiment=RowId(experiment), lifecycle_stage=stage)
        for uid, row, experiment, stage in connection.execute(query.with_for_update(key_share=True, of=t.run))
    }


def find_run(connection: Connection, uid: str) -> Run | None:
    """One run with params, latest metric values and tags."""
    found = _filled(connection, _RUN_NAMED.run(connection, (uid,)))
    return found[0] if found else None


def read_runs(connection: Connection, rows: Sequence[RowId], *, with_metrics: bool = True) -> list[Run]:
    """The runs of these rows, in this order, filled; without metrics for who reads their latest points besides."""
    found = {row[0]: row for row in _RUNS_LISTED.run(connection, (sent_ids(connection, rows),))}
    return _filled(connection, [found[row] for row in rows if row in found], with_metrics=with_metrics)


def find_rows(connection: Connection, uids: Sequence[str]) -> dict[str, RowId]:
    query = sa.select(t.run.c.uid, t.run.c.id).where(t.run.c.uid.in_(uids))
    return {uid: RowId(row) for uid, row in connection.execute(query)}


def uids_of(connection: Connection, rows: Sequence[RowId]) -> dict[RowId, RunUid]:
    query = sa.select(t.run.c.id, t.run.c.uid).where(t.run.c.id.in_(rows))
    return {RowId(row): RunUid(uid) for row, uid in connection.execute(query)}


def insert_run(
    connection: Connection,
    tenant: TenantId,
    *,
    uid: str,
    experiment: RowId,
    name: str,
    description: str,
    start_ms: int,
    created_by: str,
    now_ms: int,
) -> RowId:
    row = _next_row(connection)
    connection.execute(
        sa.insert(t.run_base).values(
            tenant=tenant,
            id=row,
            uid=uid,
            experiment=experiment,
            name=name,
            description=description,
            status="running",
            lifecycle_stage="active",
            archived_with=None,
            start_ms=start_ms,
            end_ms=None,
            created_by=created_by,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
    )
    usage.add(connection, tenant, runs=1)
    return RowId(row)


def _next_row(connection: Connection) -> int:
    """A number for a run. Where several processes remember what they know of runs, none is given out twice."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(sa.Sequence("run_row_").next_value()).scalar_one())
    return connection.scalar(sa.select(sa.func.coalesce(sa.func.max(t.run.c.id) + 1, 1))) or 1


def update_run(connection: Connection, tenant: TenantId, row: RowId, **values: str | int | None) -> None:
    base = t.run_base
    connection.execute(sa.update(base).where(base.c.tenant == tenant, base.c.id == row).values(**values))


def archive_runs_of(connection: Connection, tenant: TenantId, experiment: RowId, *, now_ms: int) -> None:
    """Archive the active runs of an experiment with it."""
    base = t.run_base
    where = (base.c.tenant == tenant, base.c.experiment == experiment, base.c.lifecycle_stage == "active")
    values = {"lifecycle_stage": "deleted", "archived_with": experiment, "updated_ms": now_ms}
    connection.execute(sa.update(base).where(*where).values(**values))


def restore_runs_of(
    connection: Connection, tenant: TenantId, experiment: RowId, *, all_of_them: bool, now_ms: int
) -> None:
    """Bring back the runs that the archiving of the experiment took; or those archived before it, too."""
    base = t.run_base
    taken = base.c.lifecycle_stage == "deleted" if all_of_them else base.c.archived_with == experiment
    where = (base.c.tenant == tenant, base.c.experiment == experiment, taken)
    values = {"lifecycle_stage": "active", "archived_with": None, "updated_ms": now_ms}
    connection.execute(sa.update(base).where(*where).values(**values))


def read_params(connection: Connection, run: RowId, keys: Sequence[KeyId]) -> dict[KeyId, str]:
    query = sa.select(t.param.c.key, t.param.c.value).where(t.param.c.run == run, t.param.c.key.in_(keys))
    return {KeyId(key): value for key, value in connection.execute(query)}


def insert_params(
    connection: Connection,
    tenant: TenantId,
    run: RowId,
    experiment: RowId,
    values: Mapping[KeyId, tuple[str, float | None]],
) -> None:
    """Write params that the run has not; each as text and, where it is one, as a number."""
    rows = [
        {"tenant": tenant, "run": run, "key": key, "experiment": experiment, "value": text, "number": number}
        for key, (text, number) in values.items()
    ]
    connection.execute(sa.insert(t.param_base), rows)


def read_tag_keys(connection: Connection, run: RowId, keys: Sequence[KeyId]) -> set[KeyId]:
    query = sa.select(t.tag.c.key).where(t.tag.c.run == run, t.tag.c.key.in_(keys))
    return {KeyId(key) for key in connection.scalars(query)}


def set_tags(
    connection: Connection, tenant: TenantId, run: RowId, experiment: RowId, values: Mapping[KeyId, str]
) -> None:
    base = t.tag_base
    rows = [
        {"tenant": tenant, "run": run, "key": key, "experiment": experiment, "value": value}
        for key, value in values.items()
    ]
    insert = upsert(connection, base)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["tenant", "run", "key"], set_={"value": insert.excluded.value}),
        rows,
    )


def delete_tags(connection: Connection, tenant: TenantId, run: RowId, keys: Sequence[KeyId]) -> None:
    base = t.tag_base
    connection.execute(
        sa.delete(base).where(base.c.tenant == tenant, base.c.run == run, base.c.key == sa.bindparam("k")),
        [{"k": key} for key in keys],
    )


def count_series(connection: Connection, run: RowId) -> int:
    """How many metrics the run has."""
    return _SERIES_COUNT.scalar(connection, (run,)) or 0


def read_starts(connection: Connection, rows: Sequence[RowId]) -> dict[RowId, int]:
    """When each run started, Unix milliseconds."""
    query = sa.select(t.run.c.id, t.run.c.start_ms).where(t.run.c.id.in_(rows))
    return {RowId(row): start_ms for row, start_ms in connection.execute(query)}


def read_series_names(connection: Connection, run: RowId) -> list[tuple[str, KeyId]]:
    """The metrics of a run, by name."""
    query = (
        sa.select(t.key.c.name, t.key.c.id)
        .select_from(t.series.join(t.key, t.key.c.id == t.series.c.key))
        .where(t.series.c.run == run)
        .order_by(t.key.c.name)
    )
    return [(name, KeyId(key)) for name, key in connection.execute(query)]


def read_series_keys(connection: Connection, run: RowId, keys: Sequence[KeyId]) -> set[KeyId]:
    """Those of the keys that the run has points of."""
    found: set[KeyId] = set()
    for start in range(0, len(keys), _IN_LIST):
        part = keys[start : start + _IN_LIST]
        query = sa.select(t.series.c.key).where(t.series.c.run == run, t.series.c.key.in_(part))
        found.update(KeyId(key) for key in connection.scalars(query))
    return found


def _filled(connection: Connection, rows: Sequence[Sequence[Any]], *, with_metrics: bool = True) -> list[Run]:
    """The runs of rows of `_RUN_COLUMNS`. `Any`: what a row holds is of as many types as its columns."""
    if not rows:
        return []
    ids = [RowId(row[0]) for row in rows]
    params, tags = read_run_params(connection, ids), read_run_tags(connection, ids)
    metrics = read_metrics(connection, ids) if with_metrics else {row: {} for row in ids}
    filled: list[Sequence[Any]] = [(*row, params[row[0]], metrics[row[0]], tags[row[0]]) for row in rows]
    return [Run(*fields) for fields in filled]


_HEAD = HotSelect(
    ("uid",),
    lambda _connection: sa.select(t.run.c.id, t.run.c.experiment, t.run.c.lifecycle_stage).where(
        t.run.c.uid == sa.bindparam("uid")
    ),
)
_SERIES_COUNT = HotSelect(
    ("run",),
    lambda _connection: sa.select(sa.func.count()).select_from(t.series).where(t.series.c.run == sa.bindparam("run")),
)
_RUN_NAMED = HotSelect(("uid",), lambda _connection: _RUNS.where(t.run.c.uid == sa.bindparam("uid")))
_RUNS_LISTED = HotSelect(("rows",), lambda connection: _RUNS.where(ids_in(connection, t.run.c.id, "rows")))
