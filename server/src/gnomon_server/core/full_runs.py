"""Runs with all that is latest of them, and changes that name their own times: what clients of other trackers ask for.

The rules are those of `Runs`. Here a client says when a run started and ended (it may log what happened elsewhere),
and a search names experiments by number and passes over those that are not there.
"""

import random
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.experiments import clean_tag_map
from gnomon_server.core.ingest import store_tags
from gnomon_server.core.outbox import Outbox
from gnomon_server.core.quotas import Quotas
from gnomon_server.core.run_begin import begin_run
from gnomon_server.core.run_names import pair_name
from gnomon_server.core.runs import ENDED, Runs, RunSearch
from gnomon_server.model import names
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import LatestPoint, LifecycleStage, Run, RunHead, RunStatus
from gnomon_server.model.errors import ExperimentNotFound, RunArchived, TagNotFound
from gnomon_server.model.filters import Expr, OrderItem
from gnomon_server.model.ids import new_uid
from gnomon_server.model.points import Points, checked_time
from gnomon_server.model.registry import RunLinks
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import check_ins, links, numbered, search
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import runs as sql
from gnomon_server.store.meta.keys import KeyCache, find_keys
from gnomon_server.store.meta.run_values import read_latest
from gnomon_server.store.points import read

# Runs filled by one set of statements.
_READ_AT_ONCE = 1_000


NO_LINKS = RunLinks()


class FullRun(Struct, frozen=True):
    """A run, its experiment's number, the latest point of each metric by name, what it took in and gave out."""

    run: Run
    experiment_number: int
    latest: Sequence[LatestPoint] = ()
    links: RunLinks = NO_LINKS


class FullSearch(Struct, frozen=True):
    """Which runs of which experiments, in which order, which page. `stage` None takes archived runs too."""

    numbers: Sequence[int]
    filter: Expr | None
    order: Sequence[OrderItem]
    stage: LifecycleStage | None
    limit: int
    offset: int


class FullRuns:
    """Create, read, find and change runs of one tenant at a time."""

    def __init__(
        self,
        stores: Stores,
        access: Access,
        runs: Runs,
        outbox: Outbox,
        *,
        now_ms: Callable[[], int],
        rng: random.Random,
        quotas: Quotas,
    ) -> None:
        self._stores = stores
        self._access = access
        self._runs = runs
        self._outbox = outbox
        self._now_ms = now_ms
        self._rng = rng
        self._quotas = quotas

    def create(
        self,
        principal: Principal,
        *,
        number: int,
        name: str | None,
        start_ms: int | None,
        created_by: str | None,
        tags: Mapping[str, str],
    ) -> FullRun:
        """Start a run in an active experiment. Where nobody has to prove who they are, they may say it."""
        clean_name = None if name is None else names.run_name(name)
        clean_tags = clean_tag_map(tags)
        uid = new_uid()
        now_ms = self._now_ms()
        started_ms = now_ms if start_ms is None else checked_time(start_ms, field="start_time")
        creator = created_by if created_by and principal.is_anonymous else principal.subject

        def work(tx: Connection) -> FullRun:
            experiment = experiment_sql.find_experiment_numbered(tx, number)
            if experiment is None:
                raise ExperimentNotFound(str(number))
            head = begin_run(
                tx,
                principal.tenant,
                experiment,
                uid=uid,
                name=clean_name or pair_name(self._rng),
                description="",
                start_ms=started_ms,
                created_by=creator,
                now_ms=now_ms,
                rng=self._rng,
                quotas=self._quotas,
            )
            if clean_tags:
                store_tags(tx, principal.tenant, head, clean_tags, keys=KeyCache())
            self._outbox.tell_begun(tx, principal.tenant, head.row)
            return self._changed(tx, principal, uid)

        return self._stores.writer.call(principal.tenant, work)

    def get(self, principal: Principal, uid: str) -> FullRun:
        """A run, archived ones too."""
        with self._stores.database.read(principal.tenant) as connection:
            found = sql.find_run(connection, uid)
            if found is not None:
                return _filled(connection, [found])[0]
        raise self._access.missing_run(uid)

    def find(self, principal: Principal, wanted: FullSearch) -> tuple[int, list[FullRun]]:
        """A page of runs, and how many match in all. Numbers of no experiment are passed over."""
        self._runs.settle(principal, RunSearch(filter=wanted.filter, order=wanted.order))
        with self._stores.database.read(principal.tenant) as connection:
            total, rows = search.find_runs(
                connection,
                experiments=numbered.rows_numbered(connection, wanted.numbers),
                filter=wanted.filter,
                order=wanted.order,
                lifecycle=wanted.stage or "all",
                limit=wanted.limit,
                offset=wanted.offset,
            )
            found: list[FullRun] = []
            for start in range(0, len(rows), _READ_AT_ONCE):
                part = rows[start : start + _READ_AT_ONCE]
                found += _filled(connection, sql.read_runs(connection, part, with_metrics=False))
            return total, found

    def revise(
        self, principal: Principal, uid: str, *, status: RunStatus | None, end_ms: int | None, name: str | None
    ) -> FullRun:
        """Change what is given. A run that is reopened has no end, and one that ends has that which is said."""
        clean_name = None if name is None else names.run_name(name)
        if end_ms is not None:
            checked_time(end_ms, field="end_time")
        now_ms = self._now_ms()

        def work(tx: Connection) -> FullRun:
            run = self._writable(tx, uid)
            values: dict[str, str | int | None] = {"updated_ms": now_ms}
            if clean_name is not None:
                values["name"] = clean_name
            if status is not None:
                check_ins.forget_promise(tx, principal.tenant, run.row)
                values["status"] = status
                values["end_ms"] = run.end_ms if status in ENDED else None
            if end_ms is not None:
                values["end_ms"] = end_ms
            sql.update_run(tx, principal.tenant, run.row, **values)
            if status is not None:
                self._outbox.tell_status(tx, principal.tenant, run.row, before=run.status, after=status)
            return self._changed(tx, principal, uid)

        return self._stores.writer.call(principal.tenant, work)

    def extend_tag(self, principal: Principal, uid: str, key: str, entry: object) -> None:
        """Add an entry to a tag whose value is a JSON list; a tag that is no list yet becomes one."""

        def work(tx: Connection) -> None:
            run = self._writable(tx, uid)
            try:
                entries = msgspec.json.decode(run.tags.get(key, "[]"), type=list[object])
            except msgspec.DecodeError:
                entries = []
            value = names.tag_value(msgspec.json.encode([*entries, entry]).decode(), field=key)
            head = RunHead(row=run.row, experiment=run.experiment, lifecycle_stage=run.lifecycle_stage)
            store_tags(tx, principal.tenant, head, {key: value}, keys=KeyCache())
            self._changed(tx, principal, uid)

        self._stores.writer.call(principal.tenant, work)

    def hide_tag(self, principal: Principal, uid: str, key: str) -> None:
        """Leave an empty tag as the sign that a tag which is made on the way out is not wanted any more."""

        def work(tx: Connection) -> None:
            run = self._writable(tx, uid)
            if run.tags.get(key) == "":
                raise TagNotFound(key, owner=f"run {uid}")
            head = RunHead(row=run.row, experiment=run.experiment, lifecycle_stage=run.lifecycle_stage)
            store_tags(tx, principal.tenant, head, {key: ""}, keys=KeyCache())
            self._changed(tx, principal, uid)

        self._stores.writer.call(principal.tenant, work)

    def remove_tag(self, principal: Principal, uid: str, key: str) -> None:
        """Remove a tag that the run has."""

        def work(tx: Connection) -> None:
            run = self._writable(tx, uid)
            if key not in run.tags:
                raise TagNotFound(key, owner=f"run {uid}")
            head = RunHead(row=run.row, experiment=run.experiment, lifecycle_stage=run.lifecycle_stage)
            store_tags(tx, principal.tenant, head, {key: None}, keys=KeyCache())
            self._changed(tx, principal, uid)

        self._stores.writer.call(principal.tenant, work)

    def histories(
        self, principal: Principal, uids: Sequence[str], key: str, *, steps: tuple[float, float] | None = None
    ) -> dict[str, Points]:
        """All points of one metric of some runs, in the order (step, arrival); unknown runs have none."""
        with self._stores.database.read(principal.tenant) as connection:
            rows = sql.find_rows(connection, uids)
            found = find_keys(connection, [key]).get(key)
            if found is None:
                return {}
            return {uid: read.read_series(connection, row, [found], steps=steps)[found] for uid, row in rows.items()}

    def _changed(self, tx: Connection, principal: Principal, uid: str) -> FullRun:
        """The run as this transaction leaves it, told to those who watch."""
        run = sql.find_run(tx, uid)
        assert run is not None, "written in this transaction"
        self._stores.writer.note(Change("run", principal.tenant, run.experiment, run.row))
        return _filled(tx, [run])[0]

    def _writable(self, tx: Connection, uid: str) -> Run:
        run = sql.find_run(tx, uid)
        if run is None:
            raise self._access.missing_run(uid)
        if run.lifecycle_stage != "active":
            raise RunArchived(uid)
        return run


def _filled(connection: Connection, runs: Sequence[Run]) -> list[FullRun]:
    rows = [run.row for run in runs]
    latest = read_latest(connection, rows)
    numbers = numbered.numbers_of(connection, list({run.experiment for run in runs}))
    linked = links.read_links(connection, rows)
    return [FullRun(run, numbers[run.experiment], latest[run.row], linked.get(run.row, NO_LINKS)) for run in runs]
