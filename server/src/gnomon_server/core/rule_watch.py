"""Watching the rules: off the commit path, over summaries, and only of runs that changed.

The writer's thread hands over which runs took points (`note`, which costs a look into a small set); `look` judges them
from the automation thread, one read of a few rows each. Invariants:

- A rule fires once for a run until it is cleared: the firing is claimed in the transaction that acts on it, so of
  several processes that see the same one acts.
- What is judged is how things stand at the look, not every point on the way: a last value that came and went between
  two looks is not seen, an extreme or a NaN always is.
- How long a run has made no progress or no sound is counted from this process's first look at it, so a restart only
  ever delays such a rule, and the time of a server that was away counts against nobody.
- After a start every running run of an experiment with rules is looked at once.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from gnomon_server.core.ingest import store_tags
from gnomon_server.core.outbox import Outbox
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import RunHead
from gnomon_server.model.filters import parse_filter
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.rules import Rule, Summary, best_of, judge, nonfinite_of
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import check_ins, search
from gnomon_server.store.meta import rules as sql
from gnomon_server.store.meta.keys import KeyCache

log = logging.getLogger("gnomon.rules")

# Rules of other processes are found this often; of this one at once.
_READ_MS = 5_000
# Past it the changed runs are forgotten and every running one is looked at in their place.
_MOST_CHANGED = 20_000
_MOST_RUNNING = 10_000

Place = tuple[TenantId, RowId]
Watched = tuple[TenantId, RowId, RowId]  # tenant, experiment, run


class RuleWatch:
    """The rules of one server and the runs that they watch. `look` is called again and again, by one thread."""

    def __init__(self, stores: Stores, outbox: Outbox, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._outbox = outbox
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._changed: set[Watched] = set()
        self._places: frozenset[Place] = frozenset()  # experiments with rules
        self._overflowed = False
        self._is_stale = True
        self._read_ms = 0
        self._rules: dict[Place, list[Rule]] = {}
        # Of a timed rule and a run: what it watches, and since when that has not moved.
        self._since: dict[tuple[str, Watched], tuple[object, int]] = {}

    def note(self, changes: Iterable[Change]) -> None:
        """These changes are committed. Called in the writer's thread."""
        places = self._places
        if not places:
            return
        found = {
            (each.tenant, each.experiment, each.run)
            for each in changes
            if each.run and (each.tenant, each.experiment) in places
        }
        if found:
            with self._lock:
                self._changed |= found
                if len(self._changed) > _MOST_CHANGED:
                    self._changed.clear()
                    self._overflowed = True

    def forget_rules(self) -> None:
        """Rules were changed: read them anew at the next look."""
        self._is_stale = True

    def look(self) -> int:
        """Judge the rules of runs that changed, and those whose time has come; how many fired."""
        now_ms = self._now_ms()
        fresh = self._read_rules(now_ms)
        with self._lock:
            changed, self._changed = self._changed, set()
            overflowed, self._overflowed = self._overflowed, False
        for place in self._rules if overflowed else fresh:
            changed |= self._running(place)
        changed |= {
            watched for (uid, watched), (_, since_ms) in self._since.items() if self._is_due(uid, since_ms, now_ms)
        }
        return sum(self._look_at(watched, now_ms) for watched in changed)

    def _read_rules(self, now_ms: int) -> Sequence[Place]:
        """Read the rules anew when it is time; the experiments whose rules have changed."""
        if not self._is_stale and 0 <= now_ms - self._read_ms < _READ_MS:
            return ()
        self._is_stale, self._read_ms = False, now_ms
        with self._stores.database.system() as connection:
            found: dict[Place, list[Rule]] = {}
            for tenant, experiment, rule in sql.active_rules(connection):
                found.setdefault((tenant, experiment), []).append(rule)
        fresh = [place for place, rules in found.items() if rules != self._rules.get(place)]
        known = {rule.uid for rules in found.values() for rule in rules}
        self._since = {key: value for key, value in self._since.items() if key[0] in known}
        self._rules, self._places = found, frozenset(found)
        return fresh

    def _running(self, place: Place) -> set[Watched]:
        tenant, experiment = place
        with self._stores.database.read(tenant) as connection:
            runs = sql.running_runs(connection, experiment, limit=_MOST_RUNNING)
        return {(tenant, experiment, run) for run in runs}

    def _is_due(self, uid: str, since_ms: int, now_ms: int) -> bool:
        minutes = next(
            (rule.content.minutes for rules in self._rules.values() for rule in rules if rule.uid == uid), None
        )
        return minutes is not None and now_ms - since_ms >= minutes * 60_000

    def _look_at(self, watched: Watched, now_ms: int) -> int:
        tenant, experiment, run = watched
        fired = 0
        for rule in self._rules.get((tenant, experiment), ()):
            with self._stores.database.read(tenant) as connection:
                state = sql.run_state(connection, run)
                if state is None:
                    self._forget_run(watched)
                    return fired
                found = self._judged(connection, rule, watched, state, now_ms)
            if found is not None:
                message, seen = found
                fired += self._stores.writer.call(tenant, partial(self._fire, watched, rule, message, seen))
        return fired

    def _judged(
        self, connection: Connection, rule: Rule, watched: Watched, state: sql.RunState, now_ms: int
    ) -> tuple[str, int] | None:
        """Why the rule holds for the run, if it does and has not been told, and how many values that tells of."""
        _, experiment, run = watched
        content = rule.content
        firing = sql.find_firing(connection, rule.uid, run)
        if firing is not None and firing[0] is None:
            self._since.pop((rule.uid, watched), None)
            return None
        told = 0 if firing is None else firing[1]
        summaries = sql.read_summaries(connection, run, {content.metric} if content.metric else None)
        if content.is_timed:
            message = self._judged_by_time(connection, rule, watched, state, summaries, now_ms)
        else:
            message = judge(content, summaries, told=told)
        if message is None or not self._passes(connection, rule, experiment, state.uid):
            return None
        return message, nonfinite_of(content, summaries)

    def _judged_by_time(
        self,
        connection: Connection,
        rule: Rule,
        watched: Watched,
        state: sql.RunState,
        summaries: Sequence[Summary],
        now_ms: int,
    ) -> str | None:
        content, key = rule.content, (rule.uid, watched)
        if state.status != "running" or content.minutes is None:
            self._since.pop(key, None)
            return None
        if content.kind == "silent":
            mark: object = (sql.count_points(connection, watched[2]), state.heard_ms)
            what = "nothing was heard of it"
        else:
            best = best_of(summaries[0], content.direction) if summaries else None
            if best is None:
                return None
            mark, what = best[0], f"{content.metric} has not improved (best {best[0]:.6g})"
        before, since_ms = self._since.get(key, (None, now_ms))
        if before != mark:
            # A check-in is no change that is noted, so it is found only now, with its own time.
            self._since[key] = (mark, state.heard_ms if since_ms < state.heard_ms < now_ms else now_ms)
            return None
        if now_ms - since_ms < content.minutes * 60_000:
            return None
        return f"{what} for {content.minutes:g} min"

    def _passes(self, connection: Connection, rule: Rule, experiment: RowId, uid: str) -> bool:
        if not rule.content.filter:
            return True
        wanted = parse_filter(f"({rule.content.filter}) and run_id = '{uid}'", now_ms=self._now_ms())
        total, _ = search.find_runs(connection, experiments=[experiment], filter=wanted, limit=1, offset=0)
        return total > 0

    def _fire(self, watched: Watched, rule: Rule, message: str, seen: int, tx: Connection) -> bool:
        tenant, experiment, run = watched
        state, now_ms, content = sql.run_state(tx, run), self._now_ms(), rule.content
        still_there = sql.find_rule(tx, experiment, rule.uid)
        if state is None or still_there is None or not still_there.is_active:
            return False
        if not sql.claim_firing(tx, tenant, rule.uid, run, message=message, seen=seen, now_ms=now_ms):
            return False
        said = f"{content.name}: {message}"
        check_ins.add_event(tx, tenant, run, at_ms=now_ms, kind="rule", message=said)
        if content.tags:
            head = RunHead(row=run, experiment=experiment, lifecycle_stage="active")
            store_tags(tx, tenant, head, content.tags, keys=KeyCache())
        facts = {"id": rule.uid, "name": content.name, "kind": content.kind, "message": message}
        self._outbox.tell_rule(tx, tenant, run, facts, webhook=content.webhook)
        is_ended = content.ends_run and check_ins.end_running(
            tx, tenant, run, end_ms=max(now_ms, state.start_ms), now_ms=now_ms
        )
        if is_ended:
            check_ins.forget_promise(tx, tenant, run)
            self._outbox.tell_status(tx, tenant, run, before="running", after="killed", reason=said)
        self._stores.writer.note(Change("run", tenant, experiment, run))
        log.info("rule fired", extra={"run": state.uid, "rule": rule.uid})
        return True

    def _forget_run(self, watched: Watched) -> None:
        for key in [key for key in self._since if key[1] == watched]:
            del self._since[key]
