"""Removing a run for good: its params, tags, artifacts and row, after its points; and what counted them.

A few deletes by primary key; how long it takes depends on the run's keys and chunks, not on its points.
"""

from collections import Counter

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import KeyKind
from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.store.meta import artifacts, check_ins, rules, traces, usage, webhooks
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import trace_tables as r
from gnomon_server.store.meta.keys import count_keys
from gnomon_server.store.meta.retention_tables import retention_rule_base
from gnomon_server.store.points.purge import delete_run

# Pages of one step: at 4 KiB a page, two megabytes are moved while the writer waits.
VACUUM_PAGES = 512
_WORTH_PAGES = 2_048


def purge_run(connection: Connection, tenant: TenantId, run: RowId, experiment: RowId, *, now_ms: int) -> None:
    """Remove a run and everything of it. Contents of its artifacts begin their grace where no other run uses them."""
    _forget(connection, tenant, "metric", experiment, delete_run(connection, tenant, run))
    kinds: tuple[tuple[KeyKind, sa.Table], ...] = (("param", t.param), ("tag", t.tag))
    for kind, view in kinds:
        keys = [KeyId(key) for key in connection.scalars(sa.select(view.c.key).where(view.c.run == run))]
        _forget(connection, tenant, kind, experiment, keys)
    for sha256 in connection.scalars(sa.select(t.artifact.c.sha256).where(t.artifact.c.run == run)).all():
        artifacts.drop_reference(connection, tenant, sha256, now_ms=now_ms)
    check_ins.delete_of_run(connection, tenant, run)
    rules.delete_of_run(connection, tenant, run)
    for base in (t.param_base, t.tag_base, t.artifact_base, m.run_dataset_base, m.run_model_base):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.run == run))
    base = t.run_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.id == run))
    usage.add(connection, tenant, runs=-1)


def purge_experiment(connection: Connection, tenant: TenantId, experiment: RowId, *, now_ms: int) -> None:
    """Remove an experiment that has no runs any more, with its datasets, logged models and traces."""
    model = m.logged_model.c
    for row in connection.scalars(sa.select(model.id).where(model.experiment == experiment)).all():
        _purge_model(connection, tenant, RowId(row), now_ms=now_ms)
    trace = r.trace.c
    rows = connection.scalars(sa.select(trace.id).where(trace.experiment == experiment)).all()
    traces.delete_traces(connection, tenant, [RowId(row) for row in rows])
    rules.delete_of_experiment(connection, tenant, experiment)
    webhooks.delete_of_experiment(connection, tenant, experiment)
    for base in (t.experiment_tag_base, t.key_count_base, t.saved_view_base, m.dataset_base, retention_rule_base):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.experiment == experiment))
    base = t.experiment_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.id == experiment))
    usage.add(connection, tenant, experiments=-1)


def _purge_model(connection: Connection, tenant: TenantId, model: RowId, *, now_ms: int) -> None:
    """Remove a logged model and its files."""
    for sha256 in artifacts.delete_artifacts(connection, tenant, artifacts.MODELS, model, ""):
        artifacts.drop_reference(connection, tenant, sha256, now_ms=now_ms)
    for base in (m.logged_model_param_base, m.logged_model_tag_base, m.logged_model_metric_base):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.model == model))
    base = m.logged_model_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.id == model))


def runs_of(connection: Connection, experiment: RowId, *, limit: int) -> list[RowId]:
    """Some runs of an experiment, whatever their lifecycle."""
    query = sa.select(t.run.c.id).where(t.run.c.experiment == experiment).limit(limit)
    return [RowId(run) for run in connection.scalars(query)]


def give_back_pages(connection: Connection) -> bool:
    """Hand some free pages of the SQLite file back to the file system; False when there are too few to be worth it.

    PostgreSQL does so by itself.
    """
    if connection.dialect.name != "sqlite":
        return False
    free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    if free < _WORTH_PAGES or free * 5 < pages:
        return False
    # A row without columns for each page: only the driver's own cursor steps through those.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
    cursor.fetchall()
    cursor.close()
    return True


def _forget(connection: Connection, tenant: TenantId, kind: KeyKind, experiment: RowId, keys: list[KeyId]) -> None:
    count_keys(connection, tenant, kind, {(experiment, key): -count for key, count in Counter(keys).items()})
