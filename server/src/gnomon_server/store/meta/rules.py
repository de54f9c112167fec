"""The SQL of rules: themselves, what they look at, and for which runs they have fired."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import RunStatus
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.rules import Firing, Rule, RuleContent, Summary
from gnomon_server.store.meta import automation_tables as a
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.upsert import upsert

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RuleContent).decode
_RULE_COLUMNS = ("uid", "content", "active", "created_by", "created_ms", "updated_ms")
_OF_METRIC = ("n", "nonfinite", "last_value", "last_step", "low", "low_step", "high", "high_step", "total")


class ActiveRule(NamedTuple):
    """A rule of some tenant that may fire."""

    tenant: TenantId
    experiment: RowId
    rule: Rule


class RunState(NamedTuple):
    """What a rule must know of a run besides its metrics. `heard_ms`: the last batch or check-in, 0 without any."""

    uid: str
    status: RunStatus
    start_ms: int
    heard_ms: int


def list_rules(connection: Connection, experiment: RowId) -> list[Rule]:
    """The rules of an experiment, oldest first."""
    c = a.rule.c
    query = sa.select(*(c[name] for name in _RULE_COLUMNS)).where(c.experiment == experiment).order_by(c.uid)
    return [_rule(row) for row in connection.execute(query)]


def find_rule(connection: Connection, experiment: RowId, uid: str) -> Rule | None:
    c = a.rule.c
    query = sa.select(*(c[name] for name in _RULE_COLUMNS)).where(c.experiment == experiment, c.uid == uid)
    row = connection.execute(query).first()
    return None if row is None else _rule(row)


def active_rules(connection: Connection) -> list[ActiveRule]:
    """All active rules of all tenants. Asked outside the wall."""
    c = a.rule_base.c
    query = sa.select(c.tenant, c.experiment, *(c[name] for name in _RULE_COLUMNS)).where(c.active == 1)
    rows = connection.execute(query)
    return [ActiveRule(TenantId(row[0]), RowId(row[1]), _rule(row[2:])) for row in rows]


def insert_rule(connection: Connection, tenant: TenantId, experiment: RowId, rule: Rule) -> None:
    values = {"uid": rule.uid, "created_by": rule.created_by, "created_ms": rule.created_ms, **_changing(rule)}
    connection.execute(sa.insert(a.rule_base).values(tenant=tenant, experiment=experiment, **values))


def update_rule(connection: Connection, tenant: TenantId, rule: Rule) -> None:
    base = a.rule_base
    where = (base.c.tenant == tenant, base.c.uid == rule.uid)
    connection.execute(sa.update(base).where(*where).values(**_changing(rule)))


def delete_rule(connection: Connection, tenant: TenantId, uid: str) -> None:
    """Remove a rule and what it has fired for."""
    for base, column in ((a.firing_base, a.firing_base.c.rule), (a.rule_base, a.rule_base.c.uid)):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, column == uid))


def delete_of_experiment(connection: Connection, tenant: TenantId, experiment: RowId) -> None:
    for rule in list_rules(connection, experiment):
        delete_rule(connection, tenant, rule.uid)


def delete_of_run(connection: Connection, tenant: TenantId, run: RowId) -> None:
    base = a.firing_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.run == run))


def running_runs(connection: Connection, experiment: RowId, *, limit: int) -> list[RowId]:
    """The newest running runs of an experiment."""
    c = t.run.c
    where = (c.experiment == experiment, c.lifecycle_stage == "active", c.status == "running")
    return [RowId(row) for row in connection.scalars(sa.select(c.id).where(*where).order_by(c.id.desc()).limit(limit))]


def newest_runs(connection: Connection, experiment: RowId, *, limit: int) -> list[RowId]:
    c = t.run.c
    where = (c.experiment == experiment, c.lifecycle_stage == "active")
    query = sa.select(c.id).where(*where).order_by(c.start_ms.desc(), c.id.desc()).limit(limit)
    return [RowId(row) for row in connection.scalars(query)]


def run_state(connection: Connection, run: RowId) -> RunState | None:
    """How a run stands; None for one that is archived or gone."""
    c = t.run.c
    row = connection.execute(
        sa.select(c.uid, c.status, c.start_ms).where(c.id == run, c.lifecycle_stage == "active")
    ).first()
    if row is None:
        return None
    batch_ms = connection.scalar(sa.select(sa.func.max(t.ledger.c.last_ms)).where(t.ledger.c.run == run)) or 0
    check_ms = connection.scalar(sa.select(a.check_in.c.seen_ms).where(a.check_in.c.run == run)) or 0
    return RunState(row[0], row[1], row[2], max(batch_ms, check_ms))


def read_summaries(connection: Connection, run: RowId, names: Collection[str] | None) -> list[Summary]:
    """The metrics of a run, those of these names or all that matter to a rule over any."""
    c = t.series.c
    query = (
        sa.select(t.key.c.name, *(c[name] for name in _OF_METRIC))
        .select_from(t.series.join(t.key, t.key.c.id == c.key))
        .where(c.run == run)
    )
    query = query.where(c.nonfinite > 0) if names is None else query.where(t.key.c.name.in_(sorted(names)))
    return [Summary(*row) for row in connection.execute(query.order_by(t.key.c.name))]


def count_points(connection: Connection, run: RowId) -> int:
    """How many points a run has: a number that changes when one comes."""
    return connection.scalar(sa.select(sa.func.sum(t.series.c.n)).where(t.series.c.run == run)) or 0


def find_firing(connection: Connection, rule: str, run: RowId) -> tuple[int | None, int] | None:
    """When a firing was cleared (None: it was not) and how many values it told of; None where there is none."""
    c = a.firing.c
    row = connection.execute(sa.select(c.cleared_ms, c.seen).where(c.rule == rule, c.run == run)).first()
    return None if row is None else (row[0], row[1])


def claim_firing(
    connection: Connection, tenant: TenantId, rule: str, run: RowId, *, message: str, seen: int, now_ms: int
) -> bool:
    """Note that a rule fires for a run; False when it has, and nobody cleared it. Of several callers one gets True."""
    base = a.firing_base
    insert = upsert(connection, base).values(
        tenant=tenant, rule=rule, run=run, fired_ms=now_ms, message=message, seen=seen, cleared_ms=None
    )
    insert = insert.on_conflict_do_nothing(index_elements=["tenant", "rule", "run"])
    # Not by the count of rows: PostgreSQL's driver has none for an INSERT of several rows, as SQLAlchemy sends it.
    if connection.execute(insert.returning(base.c.run)).first() is not None:
        return True
    where = (base.c.tenant == tenant, base.c.rule == rule, base.c.run == run, base.c.cleared_ms.is_not(None))
    values = {"fired_ms": now_ms, "message": message, "seen": seen, "cleared_ms": None}
    return connection.execute(sa.update(base).where(*where).values(**values)).rowcount == 1


def clear_firing(connection: Connection, tenant: TenantId, rule: str, run: RowId, *, now_ms: int) -> bool:
    """Let a rule fire for a run again; whether it had fired."""
    base = a.firing_base
    where = (base.c.tenant == tenant, base.c.rule == rule, base.c.run == run)
    return connection.execute(sa.update(base).where(*where).values(cleared_ms=now_ms)).rowcount == 1


def read_firings(connection: Connection, rule: str, *, limit: int, offset: int) -> tuple[int, Sequence[Firing]]:
    """For how many runs a rule has fired, and a page of them, newest first."""
    c = a.firing.c
    total = connection.scalar(sa.select(sa.func.count()).select_from(a.firing).where(c.rule == rule)) or 0
    query = (
        sa.select(t.run.c.uid, t.run.c.name, c.fired_ms, c.message, c.cleared_ms)
        .select_from(a.firing.join(t.run, t.run.c.id == c.run))
        .where(c.rule == rule)
        .order_by(c.fired_ms.desc(), c.run.desc())
        .limit(limit)
        .offset(offset)
    )
    return total, [Firing(*row) for row in connection.execute(query)]


def _changing(rule: Rule) -> dict[str, object]:
    return {
        "content": _encode(rule.content).decode(),
        "active": int(rule.is_active),
        "updated_ms": rule.updated_ms,
    }


def _rule(row: Sequence[object]) -> Rule:
    uid, content, active, created_by, created_ms, updated_ms = row
    return Rule(
        str(uid), _decode(str(content)), bool(active), str(created_by), int(str(created_ms)), int(str(updated_ms))
    )
