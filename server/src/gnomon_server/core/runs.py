"""The rules of runs: their life from `running` to an end, archiving, renaming, tags, and finding them."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.experiments import clean_tag_map
from gnomon_server.core.ingest import Ingest, store_tags
from gnomon_server.core.outbox import Outbox
from gnomon_server.core.quotas import Quotas
from gnomon_server.core.run_begin import begin_run, refuse_foreign_id
from gnomon_server.model import names
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import LifecycleStage, Run, RunEvent, RunHead, RunStatus
from gnomon_server.model.errors import ExperimentArchived, InvalidRequest, NotArchived, RunArchived, invalid_field
from gnomon_server.model.filters import Column, Expr, OrderItem, leaves
from gnomon_server.model.ids import RowId, TenantId, new_uid
from gnomon_server.model.points import MAX_TIME_MS
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import check_ins, purge, search
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import ledger as ledger_sql
from gnomon_server.store.meta import runs as sql
from gnomon_server.store.meta.keys import KeyCache, find_keys
from gnomon_server.store.points.recount import recount, uncounted

ENDED: frozenset[RunStatus] = frozenset(("finished", "failed", "killed"))
MAX_EXPERIMENTS_A_SEARCH = 100


class RunSearch(Struct, frozen=True):
    """Which runs, in which order, which page of them. No experiment means all of the tenant."""

    experiments: Sequence[str] = ()
    status: RunStatus | None = None
    lifecycle_stage: LifecycleStage = "active"
    name_search: str | None = None
    filter: Expr | None = None
    order: Sequence[OrderItem] = ()
    limit: int = 100
    offset: int = 0


class Runs:
    """Create, read, find, change, end, archive and restore runs of one tenant at a time."""

    def __init__(
        self,
        stores: Stores,
        access: Access,
        ingest: Ingest,
        outbox: Outbox,
        *,
        now_ms: Callable[[], int],
        rng: random.Random,
        quotas: Quotas,
    ) -> None:
        self._stores = stores
        self._access = access
        self._ingest = ingest
        self._outbox = outbox
        self._now_ms = now_ms
        self._rng = rng
        self._quotas = quotas

    def create(
        self,
        principal: Principal,
        *,
        experiment_uid: str,
        name: str | None,
        description: str,
        tags: Mapping[str, str],
        wanted_uid: str | None = None,
    ) -> Run:
        """Start a run in an active experiment. Without a name it gets a readable one.

        With `wanted_uid`, an id that the client made, the run is there once, however often it is asked for.
        """
        clean_name = None if name is None else names.run_name(name)
        description = names.description(description)
        clean_tags = clean_tag_map(tags)
        uid = new_uid() if wanted_uid is None else wanted_uid
        now_ms = self._now_ms()

        def work(tx: Connection) -> Run:
            experiment = experiment_sql.find_experiment(tx, experiment_uid)
            if experiment is None:
                raise self._access.missing_experiment(experiment_uid)
            if wanted_uid is not None and (there := sql.find_run(tx, uid)) is not None:
                if there.experiment != experiment.row:
                    raise invalid_field("id", "is a run of another experiment already; make a new id")
                return there
            if wanted_uid is not None:
                refuse_foreign_id(uid, missing_run=self._access.missing_run, field="id")
            head = begin_run(
                tx,
                principal.tenant,
                experiment,
                uid=uid,
                name=clean_name,
                description=description,
                start_ms=now_ms,
                created_by=principal.subject,
                now_ms=now_ms,
                rng=self._rng,
                quotas=self._quotas,
            )
            if clean_tags:
                store_tags(tx, principal.tenant, head, clean_tags, keys=KeyCache())
            self._outbox.tell_begun(tx, principal.tenant, head.row)
            return self._changed(tx, principal.tenant, uid)

        return self._stores.writer.call(principal.tenant, work)

    def get(self, principal: Principal, uid: str) -> Run:
        with self._stores.database.read(principal.tenant) as connection:
            found = sql.find_run(connection, uid)
        if found is None:
            raise self._access.missing_run(uid)
        return found

    def ledger(self, principal: Principal, uid: str) -> tuple[Run, list[ledger_sql.WriterProgress]]:
        """A run, and per writer what arrived of it."""
        run = self.get(principal, uid)
        with self._stores.database.read(principal.tenant) as connection:
            return run, ledger_sql.read_ledger(connection, run.row)

    def events(self, principal: Principal, uid: str, *, limit: int, offset: int) -> tuple[int, Sequence[RunEvent]]:
        """What happened to a run besides what it logged: how many such events there are, and a page, newest first."""
        run = self.get(principal, uid)
        with self._stores.database.read(principal.tenant) as connection:
            return check_ins.read_events(connection, run.row, limit=limit, offset=offset)

    def settle(self, principal: Principal, wanted: RunSearch, columns: Iterable[Column] = ()) -> None:
        """Before counts or means are read: have the series counted to which points came late, if there are any."""
        named = [*columns, *(item.column for item in wanted.order)]
        if wanted.filter is not None:
            named.extend(leaf.column for leaf in leaves(wanted.filter))
        counted = {column.key for column in named if column.kind == "metric" and column.aggregate in ("n", "mean")}
        if not counted:
            return
        with self._stores.database.read(principal.tenant) as connection:
            experiments = self.experiment_rows(connection, wanted.experiments)
            keys = find_keys(connection, sorted(counted))
            late = uncounted(connection, experiments, list(keys.values()))
        if late:
            self._stores.writer.call(principal.tenant, lambda tx: recount(tx, principal.tenant, late))

    def find(self, principal: Principal, wanted: RunSearch) -> tuple[int, list[Run]]:
        """A page of runs, and how many match in all."""
        self.settle(principal, wanted)
        with self._stores.database.read(principal.tenant) as connection:
            total, rows = self.find_rows(connection, wanted)
            return total, sql.read_runs(connection, rows)

    def find_rows(self, connection: Connection, wanted: RunSearch) -> tuple[int, list[RowId]]:
        experiments = self.experiment_rows(connection, wanted.experiments)
        return search.find_runs(
            connection,
            experiments=experiments,
            filter=wanted.filter,
            order=wanted.order,
            lifecycle=wanted.lifecycle_stage,
            status=wanted.status,
            name_search=wanted.name_search,
            limit=wanted.limit,
            offset=wanted.offset,
        )

    def experiment_rows(self, connection: Connection, uids: Sequence[str]) -> list[RowId] | None:
        """The rows of the experiments a search names; None means all of the tenant."""
        if not uids:
            return None
        if len(uids) > MAX_EXPERIMENTS_A_SEARCH:
            raise invalid_field("experiment_id", f"is given {len(uids)} times; at most {MAX_EXPERIMENTS_A_SEARCH}")
        rows = []
        for uid in dict.fromkeys(uids):
            experiment = experiment_sql.find_experiment(connection, uid)
            if experiment is None:
                raise self._access.missing_experiment(uid)
            rows.append(experiment.row)
        return rows

    def update(
        self,
        principal: Principal,
        uid: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        status: RunStatus | None = None,
    ) -> Run:
        """Change what is given; tags merge; the status `running` reopens an ended run."""
        if name is None and description is None and tags is None and status is None:
            raise InvalidRequest("the body changes nothing; give at least one of name, description, tags, status")
        now_ms = self._now_ms()
        values: dict[str, str | int | None] = {"updated_ms": now_ms}
        if name is not None:
            values["name"] = names.run_name(name)
        if description is not None:
            values["description"] = names.description(description)
        clean_tags = clean_tag_map(tags or {})

        def work(tx: Connection) -> Run:
            run = self._writable(tx, uid)
            if status is not None and status != run.status:
                values["status"] = status
                values["end_ms"] = (run.end_ms or now_ms) if status in ENDED else None
            if status is not None:
                check_ins.forget_promise(tx, principal.tenant, run.row)
            sql.update_run(tx, principal.tenant, run.row, **values)
            if clean_tags:
                store_tags(tx, principal.tenant, _head(run), clean_tags, keys=KeyCache())
            if status is not None:
                self._outbox.tell_status(tx, principal.tenant, run.row, before=run.status, after=status)
            return self._changed(tx, principal.tenant, uid)

        return self._stores.writer.call(principal.tenant, work)

    def end(self, principal: Principal, uid: str, *, status: RunStatus, end_ms: int | None) -> Run:
        """End a run. The same end again answers the same; late points are still taken afterwards."""
        if end_ms is not None and not 0 <= end_ms <= MAX_TIME_MS:
            raise invalid_field("end_time", "is not between 1970 and 9999")

        def work(tx: Connection) -> Run:
            run = self._writable(tx, uid)
            check_ins.forget_promise(tx, principal.tenant, run.row)
            is_same = run.status == status and (end_ms is None or end_ms == run.end_ms)
            if is_same:
                return run
            if end_ms is not None and end_ms < run.start_ms:
                raise invalid_field("end_time", "is before the run's start_time")
            now_ms = self._now_ms()
            keeps_end = end_ms is None and run.end_ms is not None
            ended_ms = run.end_ms if keeps_end else (now_ms if end_ms is None else end_ms)
            sql.update_run(tx, principal.tenant, run.row, status=status, end_ms=ended_ms, updated_ms=now_ms)
            self._outbox.tell_status(tx, principal.tenant, run.row, before=run.status, after=status)
            return self._changed(tx, principal.tenant, uid)

        return self._stores.writer.call(principal.tenant, work)

    def archive(self, principal: Principal, uid: str) -> Run:
        """Archive one run; its data stays and it takes no more. Doing it again changes nothing."""

        def work(tx: Connection) -> Run:
            run = self._find(tx, uid)
            if run.lifecycle_stage == "deleted":
                return run
            now_ms = self._now_ms()
            sql.update_run(
                tx, principal.tenant, run.row, lifecycle_stage="deleted", archived_with=None, updated_ms=now_ms
            )
            experiment_sql.add_runs(tx, principal.tenant, run.experiment, -1)
            self._ingest.forget_runs()
            return self._changed(tx, principal.tenant, uid)

        return self._stores.writer.call(principal.tenant, work)

    def restore(self, principal: Principal, uid: str) -> Run:
        """Bring one run back; its experiment must be active."""

        def work(tx: Connection) -> Run:
            run = self._find(tx, uid)
            if run.lifecycle_stage == "active":
                return run
            experiment = experiment_sql.find_experiment(tx, run.experiment_uid)
            assert experiment is not None, "a run's experiment exists"
            if experiment.lifecycle_stage != "active":
                raise ExperimentArchived(experiment.uid)
            sql.update_run(
                tx,
                principal.tenant,
                run.row,
                lifecycle_stage="active",
                archived_with=None,
                updated_ms=self._now_ms(),
            )
            experiment_sql.add_runs(tx, principal.tenant, run.experiment, 1)
            self._ingest.forget_runs()
            return self._changed(tx, principal.tenant, uid)

        return self._stores.writer.call(principal.tenant, work)

    def purge(self, principal: Principal, uid: str) -> None:
        """Remove an archived run for good, with its points and artifacts."""

        def work(tx: Connection) -> None:
            run = self._find(tx, uid)
            if run.lifecycle_stage != "deleted":
                raise NotArchived("run", uid)
            purge.purge_run(tx, principal.tenant, run.row, run.experiment, now_ms=self._now_ms())
            if run.archived_with is not None:
                experiment_sql.add_runs(tx, principal.tenant, run.experiment, -1)
            self._ingest.undo()
            self._stores.writer.note(Change("runs", principal.tenant, run.experiment))

        self._stores.writer.call(principal.tenant, work)

    def _changed(self, tx: Connection, tenant: TenantId, uid: str) -> Run:
        """The run as this transaction leaves it, told to those who watch."""
        run = sql.find_run(tx, uid)
        assert run is not None, "written in this transaction"
        self._stores.writer.note(Change("run", tenant, run.experiment, run.row))
        return run

    def _find(self, tx: Connection, uid: str) -> Run:
        found = sql.find_run(tx, uid)
        if found is None:
            raise self._access.missing_run(uid)
        return found

    def _writable(self, tx: Connection, uid: str) -> Run:
        run = self._find(tx, uid)
        if run.lifecycle_stage != "active":
            raise RunArchived(uid)
        return run


def _head(run: Run) -> RunHead:
    return RunHead(row=run.row, experiment=run.experiment, lifecycle_stage=run.lifecycle_stage)
