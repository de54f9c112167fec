"""Retention: rules by which runs are archived, and archived ones removed for good, by themselves or when asked.

Two steps on purpose: no rule removes a run that nobody archived, and what a rule archives can be restored until a
purge rule's time has passed. Rules are applied off the commit path, some runs in a transaction, each looked at again
in the transaction that takes it. What was taken stands in the audit log.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.audit import Audit
from gnomon_server.core.finding import find_experiment
from gnomon_server.core.ingest import Ingest
from gnomon_server.model import names
from gnomon_server.model.audit import Deed
from gnomon_server.model.changes import Change
from gnomon_server.model.errors import GnomonError, InvalidRequest, RuleNotFound, invalid_field
from gnomon_server.model.filters import Expr, parse_filter
from gnomon_server.model.ids import RowId, TenantId, new_uid
from gnomon_server.model.retention import Best, RetentionAction, RetentionPreview, RetentionRule
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import purge as purge_sql
from gnomon_server.store.meta import retention as sql
from gnomon_server.store.meta import tenants

log = logging.getLogger("gnomon.retention")

MAX_RULES = 100
MAX_KEPT = 100_000
_LONGEST_DAYS = 36_500
_DAY_MS = 86_400_000
_LONGEST_FILTER = 8 * 1024
# Runs taken in one transaction, so that nobody's commit waits long; and in one round of upkeep or one request.
_AT_ONCE = 20
_A_ROUND = 200


class Applied(NamedTuple):
    """What one application took, and whether the rule may take more now."""

    runs: int
    is_done: bool


class _Due(NamedTuple):
    tenant: TenantId
    tenant_name: str
    rule: RetentionRule


class Retention:
    """The rules of one tenant at a time, and their application."""

    def __init__(
        self, stores: Stores, access: Access, ingest: Ingest, audit: Audit, *, now_ms: Callable[[], int]
    ) -> None:
        self._stores = stores
        self._access = access
        self._ingest = ingest
        self._audit = audit
        self._now_ms = now_ms
        self._waiting: deque[_Due] = deque()

    def list(self, principal: Principal) -> list[RetentionRule]:
        """The rules of the tenant, oldest first."""
        with self._stores.database.read(principal.tenant) as connection:
            return sql.list_rules(connection)

    def create(
        self,
        principal: Principal,
        *,
        action: RetentionAction,
        experiment: str | None,
        filter: str,
        after_days: float,
        keep_best: int,
        metric: str | None,
        best: Best,
    ) -> RetentionRule:
        """Add a rule. It is applied at the next pass; a preview says what it would take."""
        if not 0 <= after_days <= _LONGEST_DAYS:
            raise invalid_field("after_days", f"must lie between 0 and {_LONGEST_DAYS}")
        if not 0 <= keep_best <= MAX_KEPT:
            raise invalid_field("keep_best", f"must lie between 0 and {MAX_KEPT}")
        if keep_best and (metric is None or action == "purge"):
            raise invalid_field("keep_best", "goes with a metric, in a rule that archives")
        if len(filter) > _LONGEST_FILTER:
            raise invalid_field("filter", f"has {len(filter)} characters; at most {_LONGEST_FILTER} are read")
        now_ms = self._now_ms()
        parse_filter(filter, now_ms=now_ms)
        rule = RetentionRule(
            uid=new_uid(),
            action=action,
            experiment=experiment,
            filter=filter,
            after_ms=int(after_days * _DAY_MS),
            keep_best=keep_best,
            metric="" if metric is None else names.key(metric, field="metric"),
            best=best,
            created_by=principal.subject,
            created_ms=now_ms,
        )

        def work(tx: Connection) -> None:
            if len(sql.list_rules(tx)) >= MAX_RULES:
                raise InvalidRequest(
                    f"the tenant has {MAX_RULES} rules, as many as it may; remove one first", code="too_many_rules"
                )
            sql.insert_rule(tx, principal.tenant, rule, self._row(tx, experiment))

        self._stores.writer.call(principal.tenant, work)
        return rule

    def remove(self, principal: Principal, uid: str) -> RetentionRule:
        """Remove a rule; what it was is returned. What it took stays as it is."""

        def work(tx: Connection) -> RetentionRule:
            rule = _find(tx, uid)
            sql.delete_rule(tx, principal.tenant, uid)
            return rule

        return self._stores.writer.call(principal.tenant, work)

    def preview(self, principal: Principal, uid: str, *, limit: int, offset: int) -> RetentionPreview:
        """What a rule would take now."""
        now_ms = self._now_ms()
        with self._stores.database.read(principal.tenant) as connection:
            rule = _find(connection, uid)
            row, wanted = self._row(connection, rule.experiment), _filter(rule, now_ms)
            return sql.preview(connection, rule, row, wanted, now_ms=now_ms, limit=limit, offset=offset)

    def apply(self, principal: Principal, uid: str) -> Applied:
        """Apply a rule now to some runs; again until it is done."""
        with self._stores.database.read(principal.tenant) as connection:
            rule = _find(connection, uid)
        return self._apply(_Due(principal.tenant, principal.tenant_name, rule), actor=principal.key_id or "anonymous")

    def begin_pass(self) -> None:
        """Have every rule of every tenant applied, a round at a time."""
        if self._waiting:
            return
        with self._stores.database.system() as connection:
            found = sql.tenants_with_rules(connection)
            called = {tenant: tenants.name_of(connection, tenant) for tenant in found}
        for tenant in found:
            with self._stores.database.read(tenant) as connection:
                self._waiting.extend(_Due(tenant, called[tenant], rule) for rule in sql.list_rules(connection))

    def go_on(self) -> None:
        """One round of a pass. A rule that cannot be applied is left until the next one, and said."""
        if not self._waiting:
            return
        due = self._waiting[0]
        try:
            is_done = self._apply(due, actor="retention").is_done
        except GnomonError as refused:
            log.warning("the retention rule %s of %s is not applied: %s", due.rule.uid, due.tenant_name, refused.detail)
            is_done = True
        except BaseException:
            self._waiting.popleft()
            raise
        if is_done:
            self._waiting.popleft()

    def _apply(self, due: _Due, *, actor: str) -> Applied:
        rule, now_ms = due.rule, self._now_ms()
        with self._stores.database.read(due.tenant) as connection:
            row, wanted = self._row(connection, rule.experiment), _filter(rule, now_ms)
            runs = sql.due_runs(connection, rule, row, wanted, now_ms=now_ms, limit=_A_ROUND)
        taken = 0
        for at in range(0, len(runs), _AT_ONCE):
            some = [run for run, _ in runs[at : at + _AT_ONCE]]
            taken += self._stores.writer.call(due.tenant, partial(self._take, due, some, now_ms))
        self._stores.writer.call(
            due.tenant, lambda tx: sql.note_applied(tx, due.tenant, rule.uid, runs=taken, now_ms=now_ms)
        )
        if taken:
            self._audit.record(
                Deed(
                    action=f"retention.{rule.action}",
                    actor=actor,
                    tenant=due.tenant_name,
                    target=rule.uid,
                    detail={"runs": str(taken)},
                )
            )
        return Applied(taken, is_done=len(runs) < _A_ROUND)

    def _take(self, due: _Due, runs: Sequence[RowId], now_ms: int, tx: Connection) -> int:
        """Archive or remove those of the runs that may still go."""
        found = sql.still_due(tx, due.rule, runs, now_ms=now_ms)
        if due.rule.action == "archive":
            sql.archive_runs(tx, due.tenant, [run for run, _, _ in found], now_ms=now_ms)
        for run, experiment, was_archived_with_it in found:
            if due.rule.action == "purge":
                purge_sql.purge_run(tx, due.tenant, run, experiment, now_ms=now_ms)
            if due.rule.action == "archive" or was_archived_with_it:
                experiment_sql.add_runs(tx, due.tenant, experiment, -1)
        if found:
            if due.rule.action == "archive":
                self._ingest.forget_runs()
            else:
                self._ingest.undo()
            for experiment in {experiment for _, experiment, _ in found}:
                self._stores.writer.note(Change("runs", due.tenant, experiment))
        return len(found)

    def _row(self, connection: Connection, uid: str | None) -> RowId | None:
        if uid is None:
            return None
        return find_experiment(self._access, connection, uid).row


def _find(connection: Connection, uid: str) -> RetentionRule:
    for rule in sql.list_rules(connection):
        if rule.uid == uid:
            return rule
    raise RuleNotFound(uid)


def _filter(rule: RetentionRule, now_ms: int) -> Expr | None:
    return parse_filter(rule.filter, now_ms=now_ms)
