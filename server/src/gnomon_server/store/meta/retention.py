"""The SQL of retention rules: keeping them, and finding the runs that one takes.

Never taken: a run with the tag `gnomon.keep`, the run of a registered model's version, and the run whose logged model
such a version came from.
"""

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.filters.ast import Expr, leaves
from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.retention import KEEP_TAG, Best, RetentionAction, RetentionPreview, RetentionRule
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import search, storage
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.keys import find_keys
from gnomon_server.store.meta.retention_tables import retention_rule, retention_rule_base
from gnomon_server.store.meta.search_values import Scope

_ENDED = ("finished", "failed", "killed")


def insert_rule(connection: Connection, tenant: TenantId, rule: RetentionRule, experiment: RowId | None) -> None:
    connection.execute(
        sa.insert(retention_rule_base).values(
            tenant=tenant,
            uid=rule.uid,
            action=rule.action,
            experiment=experiment,
            filter=rule.filter,
            after_ms=rule.after_ms,
            keep_best=rule.keep_best,
            metric=rule.metric,
            best=rule.best,
            created_by=rule.created_by,
            created_ms=rule.created_ms,
            applied_ms=None,
            applied_runs=0,
        )
    )


def list_rules(connection: Connection) -> list[RetentionRule]:
    """The rules of the tenant, oldest first."""
    c = retention_rule.c
    rows = connection.execute(
        sa.select(retention_rule, t.experiment.c.uid.label("experiment_uid"))
        .select_from(retention_rule.outerjoin(t.experiment, t.experiment.c.id == c.experiment))
        .order_by(c.created_ms, c.uid)
    )
    return [
        RetentionRule(
            uid=row.uid,
            action=cast("RetentionAction", row.action),
            experiment=row.experiment_uid,
            filter=row.filter,
            after_ms=row.after_ms,
            keep_best=row.keep_best,
            metric=row.metric,
            best=cast("Best", row.best),
            created_by=row.created_by,
            created_ms=row.created_ms,
            applied_ms=row.applied_ms,
            applied_runs=row.applied_runs,
        )
        for row in rows
    ]


def delete_rule(connection: Connection, tenant: TenantId, uid: str) -> None:
    base = retention_rule_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.uid == uid))


def note_applied(connection: Connection, tenant: TenantId, uid: str, *, runs: int, now_ms: int) -> None:
    """Write down that a rule was applied, and took so many runs more."""
    base = retention_rule_base
    connection.execute(
        sa.update(base)
        .where(base.c.tenant == tenant, base.c.uid == uid)
        .values(applied_ms=now_ms, applied_runs=base.c.applied_runs + runs)
    )


def tenants_with_rules(connection: Connection) -> list[TenantId]:
    """For a connection that sees every tenant."""
    c = retention_rule_base.c
    return [TenantId(tenant) for tenant in connection.scalars(sa.select(c.tenant).distinct().order_by(c.tenant))]


def due_runs(
    connection: Connection,
    rule: RetentionRule,
    experiment: RowId | None,
    filter: Expr | None,
    *,
    now_ms: int,
    limit: int,
) -> list[tuple[RowId, RowId]]:
    """Runs that the rule takes now, each with its experiment; the oldest first, at most so many."""
    r = t.run.c
    due = _due(connection, rule, experiment, filter, now_ms=now_ms)
    rows = connection.execute(sa.select(r.id, r.experiment).where(due).order_by(r.id).limit(limit))
    return [(RowId(run), RowId(of)) for run, of in rows]


def still_due(
    connection: Connection, rule: RetentionRule, runs: Sequence[RowId], *, now_ms: int
) -> list[tuple[RowId, RowId, bool]]:
    """Of runs that were found, those that may go in this transaction: not restored, pinned or registered meanwhile.

    With each its experiment, and whether it was archived with that.
    """
    r = t.run.c
    query = sa.select(r.id, r.experiment, r.archived_with).where(
        r.id.in_(runs), *_old_enough(rule, now_ms=now_ms), *_unprotected(connection)
    )
    return [(RowId(run), RowId(of), archived_with is not None) for run, of, archived_with in connection.execute(query)]


def archive_runs(connection: Connection, tenant: TenantId, runs: Sequence[RowId], *, now_ms: int) -> None:
    base = t.run_base
    connection.execute(
        sa.update(base)
        .where(base.c.tenant == tenant, base.c.id.in_(runs))
        .values(lifecycle_stage="deleted", archived_with=None, updated_ms=now_ms)
    )


def preview(
    connection: Connection,
    rule: RetentionRule,
    experiment: RowId | None,
    filter: Expr | None,
    *,
    now_ms: int,
    limit: int,
    offset: int,
) -> RetentionPreview:
    """What the rule would take now; nothing is changed."""
    due = _due(connection, rule, experiment, filter, now_ms=now_ms)
    total, runs = storage.list_runs(connection, due, limit=limit, offset=offset)
    points, contents = storage.measure_freed(connection, due)
    return RetentionPreview(total=total, points_bytes=points, artifact_bytes=contents, runs=runs)


def _due(
    connection: Connection, rule: RetentionRule, experiment: RowId | None, filter: Expr | None, *, now_ms: int
) -> sa.ColumnElement[bool]:
    """A condition on rows of `run`."""
    conditions = [*_old_enough(rule, now_ms=now_ms), *_unprotected(connection)]
    experiments = None if experiment is None else [experiment]
    if experiment is not None:
        conditions.append(t.run.c.experiment == experiment)
    if filter is not None:
        scope = Scope.of(connection, experiments, "active" if rule.action == "archive" else "deleted")
        keys = search.key_ids(connection, [leaf.column for leaf in leaves(filter)])
        conditions.append(t.run.c.id.in_(search.matching(scope, keys, filter)))
    if rule.action == "archive" and rule.keep_best:
        keys = find_keys(connection, [rule.metric])
        if rule.metric in keys:
            conditions.append(t.run.c.id.not_in(_best(rule, keys[rule.metric])))
    return sa.and_(*conditions)


def _old_enough(rule: RetentionRule, *, now_ms: int) -> list[sa.ColumnElement[bool]]:
    r, before_ms = t.run.c, now_ms - rule.after_ms
    if rule.action == "archive":
        ended_ms = sa.func.coalesce(r.end_ms, r.updated_ms)
        return [r.lifecycle_stage == "active", r.status.in_(_ENDED), ended_ms <= before_ms]
    return [r.lifecycle_stage == "deleted", r.updated_ms <= before_ms]


def _unprotected(connection: Connection) -> list[sa.ColumnElement[bool]]:
    version, model = m.model_version.c, m.logged_model.c
    of_versions = sa.select(version.run).where(version.run != "")
    of_models = sa.select(model.source_run).where(
        model.source_run != "", model.uid.in_(sa.select(version.model).where(version.model != ""))
    )
    conditions: list[sa.ColumnElement[bool]] = [t.run.c.uid.not_in(of_versions), t.run.c.uid.not_in(of_models)]
    tag = find_keys(connection, [KEEP_TAG]).get(KEEP_TAG)
    if tag is not None:
        conditions.append(t.run.c.id.not_in(sa.select(t.tag.c.run).where(t.tag.c.key == tag)))
    return conditions


def _best(rule: RetentionRule, key: KeyId) -> sa.Select[int]:
    """The active runs that have the best values of the metric, in each experiment."""
    series, run = t.series.c, t.run.alias("ranked")
    value = series.low.asc() if rule.best == "min" else series.high.desc()
    place = sa.func.row_number().over(partition_by=run.c.experiment, order_by=[value, run.c.id])
    ranked = (
        sa.select(series.run, place.label("place"))
        .select_from(t.series.join(run, run.c.id == series.run))
        .where(series.key == key, run.c.lifecycle_stage == "active", series.low.is_not(None))
        .subquery()
    )
    return sa.select(ranked.c.run).where(ranked.c.place <= rule.keep_best)
