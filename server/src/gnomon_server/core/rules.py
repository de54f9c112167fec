"""The rules of rules: what may be asked of them, who made them, and what they have fired for."""

from collections.abc import Callable, Sequence
from math import isfinite

from msgspec import Struct, structs

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.experiments import clean_tag_map
from gnomon_server.core.finding import find_experiment, writable_experiment
from gnomon_server.model import names
from gnomon_server.model.entities import Experiment
from gnomon_server.model.errors import InvalidRequest, NotFound, invalid_field
from gnomon_server.model.filters import parse_filter
from gnomon_server.model.ids import new_uid
from gnomon_server.model.rules import Firing, Rule, RuleContent, judge
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import rules as sql
from gnomon_server.store.meta import runs as run_sql
from gnomon_server.store.meta import webhooks as webhook_sql

MAX_RULES = 50
_LONGEST_MINUTES = 30 * 24 * 60
_TESTED_RUNS = 100


class MetricRuleNotFound(NotFound):
    """No such rule in this experiment."""

    code = "metric_rule_not_found"

    def __init__(self, uid: str) -> None:
        super().__init__(f"there is no rule {uid!r} in this experiment; its list of rules has their ids")


class Matched(Struct, frozen=True):
    """A run for which a rule holds now."""

    run: str
    run_name: str
    message: str


class Rules:
    """List, make, change, try and remove the rules of one experiment at a time."""

    def __init__(
        self, stores: Stores, access: Access, *, now_ms: Callable[[], int], on_change: Callable[[], None]
    ) -> None:
        self._stores = stores
        self._access = access
        self._now_ms = now_ms
        self._on_change = on_change

    def list(self, by: Principal, experiment_uid: str) -> list[Rule]:
        with self._stores.database.read(by.tenant) as connection:
            return sql.list_rules(connection, find_experiment(self._access, connection, experiment_uid).row)

    def create(self, by: Principal, experiment_uid: str, content: RuleContent, *, is_active: bool) -> Rule:
        """Make a rule. It looks at runs that run, and at whatever is logged from now on."""
        now_ms = self._now_ms()
        content = _checked(content, now_ms)
        rule = Rule(new_uid(), content, is_active, by.subject, now_ms, now_ms)

        def work(tx: Connection) -> Rule:
            experiment = writable_experiment(self._access, tx, experiment_uid)
            if len(sql.list_rules(tx, experiment.row)) >= MAX_RULES:
                raise InvalidRequest(f"the experiment has {MAX_RULES} rules, as many as it may", code="too_many_rules")
            self._refuse_unknown_webhook(tx, content)
            sql.insert_rule(tx, by.tenant, experiment.row, rule)
            return rule

        return self._told(self._stores.writer.call(by.tenant, work))

    def replace(self, by: Principal, experiment_uid: str, uid: str, content: RuleContent, *, is_active: bool) -> Rule:
        """Change a rule as a whole. What it has fired for stays."""
        now_ms = self._now_ms()
        content = _checked(content, now_ms)

        def work(tx: Connection) -> Rule:
            old = self._rule(tx, writable_experiment(self._access, tx, experiment_uid), uid)
            self._refuse_unknown_webhook(tx, content)
            rule = structs.replace(old, content=content, is_active=is_active, updated_ms=now_ms)
            sql.update_rule(tx, by.tenant, rule)
            return rule

        return self._told(self._stores.writer.call(by.tenant, work))

    def delete(self, by: Principal, experiment_uid: str, uid: str) -> Rule:
        """Remove a rule, with what it has fired for; events of runs stay."""

        def work(tx: Connection) -> Rule:
            rule = self._rule(tx, writable_experiment(self._access, tx, experiment_uid), uid)
            sql.delete_rule(tx, by.tenant, uid)
            return rule

        return self._told(self._stores.writer.call(by.tenant, work))

    def firings(
        self, by: Principal, experiment_uid: str, uid: str, *, limit: int, offset: int
    ) -> tuple[int, Sequence[Firing]]:
        """The runs that a rule has fired for, newest first."""
        with self._stores.database.read(by.tenant) as connection:
            self._rule(connection, find_experiment(self._access, connection, experiment_uid), uid)
            return sql.read_firings(connection, uid, limit=limit, offset=offset)

    def clear(self, by: Principal, experiment_uid: str, uid: str, run_uid: str) -> None:
        """Let a rule fire for a run again. One that has not fired is clear."""

        def work(tx: Connection) -> None:
            experiment = writable_experiment(self._access, tx, experiment_uid)
            run = run_sql.find_rows(tx, [run_uid]).get(run_uid)
            if run is None:
                raise self._access.missing_run(run_uid)
            self._rule(tx, experiment, uid)
            sql.clear_firing(tx, by.tenant, uid, run, now_ms=self._now_ms())

        self._stores.writer.call(by.tenant, work)

    def matching(self, by: Principal, experiment_uid: str, uid: str) -> Sequence[Matched]:
        """Of the newest runs those for which a rule holds now; nothing is done. Of time it knows nothing."""
        with self._stores.database.read(by.tenant) as connection:
            experiment = find_experiment(self._access, connection, experiment_uid)
            content = self._rule(connection, experiment, uid).content
            found: list[Matched] = []
            wanted = {content.metric} if content.metric else None
            rows = sql.newest_runs(connection, experiment.row, limit=_TESTED_RUNS)
            for run in run_sql.read_runs(connection, rows, with_metrics=False):
                message = judge(content, sql.read_summaries(connection, run.row, wanted))
                if message is not None:
                    found.append(Matched(run.uid, run.name, message))
            return found

    def _told(self, rule: Rule) -> Rule:
        self._on_change()
        return rule

    def _rule(self, connection: Connection, experiment: Experiment, uid: str) -> Rule:
        found = sql.find_rule(connection, experiment.row, uid)
        if found is None:
            raise MetricRuleNotFound(uid)
        return found

    def _refuse_unknown_webhook(self, tx: Connection, content: RuleContent) -> None:
        if content.webhook is not None and webhook_sql.find_webhook(tx, content.webhook) is None:
            raise invalid_field(
                "webhook_id", "is no webhook of this tenant; leave it out to tell all that want to know"
            )


def _checked(content: RuleContent, now_ms: int) -> RuleContent:
    """The content with its texts cleaned; refused where the kind lacks something, or a number is none."""
    if content.kind in ("threshold", "no_progress") and not content.metric:
        raise invalid_field("metric", f"is needed by a rule of the kind {content.kind}")
    if not isfinite(content.value):
        raise invalid_field("value", "is not finite; a rule of the kind nonfinite finds NaN and infinities")
    if content.kind == "no_progress" and (content.steps is None) == (content.minutes is None):
        raise invalid_field("steps", "or minutes: give one of them")
    if content.kind == "silent" and content.minutes is None:
        raise invalid_field("minutes", "is needed by a rule of the kind silent")
    if content.kind in ("threshold", "nonfinite") and not (content.steps is None and content.minutes is None):
        raise invalid_field("steps", f"and minutes mean nothing to a rule of the kind {content.kind}")
    if content.minutes is not None and not 0 < content.minutes <= _LONGEST_MINUTES:
        raise invalid_field("minutes", f"must lie between 0 and {_LONGEST_MINUTES}")
    if content.steps is not None and not 0 < content.steps <= 2**53:
        raise invalid_field("steps", "must lie between 0 and 2^53")
    if content.filter:
        parse_filter(content.filter, now_ms=now_ms)
    return structs.replace(
        content,
        name=names.experiment_name(content.name),
        metric=names.key(content.metric, field="metric") if content.metric else "",
        tags=clean_tag_map(content.tags),
    )
