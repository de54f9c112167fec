"""The rules of logged models, and of what runs take in and give out.

A model belongs to an active experiment. It is pending until its files are there and its maker says so; params are
written once; what was measured of it moves forward as metrics of runs do. A run that takes no writes takes no links.
"""

import random
from collections.abc import Callable, Mapping, Sequence

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.run_names import run_name
from gnomon_server.model import names
from gnomon_server.model.entities import RunHead
from gnomon_server.model.errors import (
    AlreadyExists,
    ExperimentArchived,
    ExperimentNotFound,
    ModelNotFound,
    ParamConflict,
    RunArchived,
    TagNotFound,
    invalid_field,
)
from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import RowId
from gnomon_server.model.points import checked_time
from gnomon_server.model.registry import (
    DatasetInput,
    DatasetUse,
    LoggedModel,
    ModelMetric,
    ModelOrder,
    ModelStatus,
    ModelUid,
    ModelUse,
    is_model_uid,
    new_model_uid,
)
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import links, numbered
from gnomon_server.store.meta import models as sql
from gnomon_server.store.meta import runs as run_sql

MAX_LISTED_DATASETS = 1_000


class Models:
    """Create, read, find and change logged models of one tenant at a time; link runs to models and datasets."""

    def __init__(self, stores: Stores, access: Access, *, now_ms: Callable[[], int], rng: random.Random) -> None:
        self._stores = stores
        self._access = access
        self._now_ms = now_ms
        self._rng = rng

    def create(
        self,
        principal: Principal,
        *,
        number: int,
        name: str | None,
        model_type: str,
        source_run: str,
        params: Mapping[str, str],
        tags: Mapping[str, str],
        uid: str | None = None,
        created_ms: int | None = None,
    ) -> LoggedModel:
        """Make a pending model in the experiment of this number. Without a name it gets a readable one.

        One that comes from elsewhere may bring its id, which must be free in the tenant, and its time.
        """
        if uid is not None and not is_model_uid(uid):
            raise invalid_field("model_id", "is no id of a model: m- and 32 lower-case hex digits")
        made_uid = ModelUid(uid) if uid is not None else new_model_uid()
        clean_params = {names.key(key): names.param_value(value) for key, value in params.items()}
        clean_tags = {names.key(key): names.tag_value(value) for key, value in tags.items()}
        now_ms = self._now_ms() if created_ms is None else checked_time(created_ms, field="creation_timestamp_ms")

        def work(tx: Connection) -> LoggedModel:
            if uid is not None and sql.has_model(tx, uid):
                raise AlreadyExists(f"there is a logged model {uid!r} already, a deleted one perhaps")
            experiment = experiment_sql.find_experiment_numbered(tx, number)
            if experiment is None:
                raise ExperimentNotFound(str(number))
            if experiment.lifecycle_stage != "active":
                raise ExperimentArchived(str(number))
            row = sql.insert_model(
                tx,
                principal.tenant,
                uid=made_uid,
                experiment=experiment.row,
                source_run=source_run,
                name=name or run_name(experiment.run_count + 1, rng=self._rng),
                model_type=model_type,
                created_ms=now_ms,
                updated_ms=now_ms,
            )
            sql.set_params(tx, principal.tenant, row, clean_params)
            sql.set_tags(tx, principal.tenant, row, clean_tags)
            return self._read(tx, made_uid)

        return self._stores.writer.call(principal.tenant, work)

    def get(self, principal: Principal, uid: str) -> LoggedModel:
        with self._stores.database.read(principal.tenant) as connection:
            return self._read(connection, uid)

    def search(
        self,
        principal: Principal,
        clauses: Sequence[Clause],
        order: Sequence[ModelOrder],
        *,
        numbers: Sequence[int],
        datasets: Sequence[tuple[str, str]],
        limit: int,
        offset: int,
    ) -> tuple[int, list[LoggedModel]]:
        """A page of the models of some experiments, the newest first, and how many match."""
        with self._stores.database.read(principal.tenant) as connection:
            total, rows = sql.search_models(
                connection,
                clauses,
                order,
                experiments=numbered.rows_numbered(connection, numbers),
                datasets=datasets,
                limit=limit,
                offset=offset,
            )
            return total, sql.read_models(connection, rows)

    def finish(self, principal: Principal, uid: str, status: ModelStatus) -> LoggedModel:
        """Say that the files of a model are there, or that they will not come."""
        return self._change(principal, uid, None, status=status)

    def archive(self, principal: Principal, uid: str) -> None:
        """Delete a model: it is found no more."""

        def work(tx: Connection) -> None:
            model = self._read(tx, uid)
            sql.update_model(tx, principal.tenant, model.row, lifecycle_stage="deleted", updated_ms=self._now_ms())

        self._stores.writer.call(principal.tenant, work)

    def set_tags(self, principal: Principal, uid: str, tags: Mapping[str, str]) -> LoggedModel:
        clean = {names.key(key): names.tag_value(value) for key, value in tags.items()}
        return self._change(principal, uid, lambda tx, model: sql.set_tags(tx, principal.tenant, model.row, clean))

    def revise_tag(self, principal: Principal, uid: str, key: str, revise: Callable[[str | None], str | None]) -> None:
        """Set a tag to what `revise` makes of its value, which nobody changes meanwhile; None leaves all as it is."""

        def work(tx: Connection) -> None:
            model = self._read(tx, uid)
            value = revise(model.tags.get(key))
            if value is not None:
                sql.set_tags(tx, principal.tenant, model.row, {key: names.tag_value(value)})
                sql.update_model(tx, principal.tenant, model.row, updated_ms=self._now_ms())

        self._stores.writer.call(principal.tenant, work)

    def remove_tag(self, principal: Principal, uid: str, key: str) -> LoggedModel:
        def work(tx: Connection, model: LoggedModel) -> None:
            if key not in model.tags:
                raise TagNotFound(key, owner=f"model {uid}")
            sql.delete_tag(tx, principal.tenant, model.row, key)

        return self._change(principal, uid, work)

    def log_params(self, principal: Principal, uid: str, params: Mapping[str, str]) -> LoggedModel:
        clean = {names.key(key): names.param_value(value) for key, value in params.items()}

        def work(tx: Connection, model: LoggedModel) -> None:
            for key, value in clean.items():
                if model.params.get(key, value) != value:
                    raise ParamConflict(key, old=model.params[key], new=value)
            sql.set_params(tx, principal.tenant, model.row, clean)

        return self._change(principal, uid, work)

    def log_metrics(self, principal: Principal, metrics: Sequence[tuple[str, ModelMetric]]) -> None:
        """Keep what was measured of models; every one of them must be there."""

        def work(tx: Connection) -> None:
            rows: dict[str, RowId] = {}
            for uid, _ in metrics:
                if uid not in rows:
                    rows[uid] = self._read(tx, uid).row
            sql.set_metrics(tx, principal.tenant, [(rows[uid], metric) for uid, metric in metrics])

        self._stores.writer.call(principal.tenant, work)

    def link_inputs(
        self, principal: Principal, run_uid: str, datasets: Sequence[DatasetInput], models: Sequence[ModelUse]
    ) -> None:
        """Say what a run took in."""

        def work(tx: Connection) -> None:
            run = self._writable_run(tx, run_uid)
            links.add_datasets(tx, principal.tenant, run.row, run.experiment, datasets)
            links.add_models(tx, principal.tenant, run.row, "input", models)

        self._stores.writer.call(principal.tenant, work)

    def link_outputs(self, principal: Principal, run_uid: str, models: Sequence[ModelUse]) -> None:
        """Say what a run gave out."""

        def work(tx: Connection) -> None:
            run = self._writable_run(tx, run_uid)
            links.add_models(tx, principal.tenant, run.row, "output", models)

        self._stores.writer.call(principal.tenant, work)

    def datasets(self, principal: Principal, numbers: Sequence[int]) -> list[DatasetUse]:
        """The datasets that runs of some experiments took in."""
        with self._stores.database.read(principal.tenant) as connection:
            rows = numbered.rows_numbered(connection, numbers)
            return links.list_datasets(connection, rows, limit=MAX_LISTED_DATASETS)

    def _change(
        self,
        principal: Principal,
        uid: str,
        change: Callable[[Connection, LoggedModel], None] | None,
        **values: str,
    ) -> LoggedModel:
        def work(tx: Connection) -> LoggedModel:
            model = self._read(tx, uid)
            if change is not None:
                change(tx, model)
            sql.update_model(tx, principal.tenant, model.row, updated_ms=self._now_ms(), **values)
            return self._read(tx, uid)

        return self._stores.writer.call(principal.tenant, work)

    def _read(self, connection: Connection, uid: str) -> LoggedModel:
        found = sql.find_model(connection, uid)
        if found is None:  # the tenant's own that was deleted is not found; a foreign one is not to be seen
            raise ModelNotFound(uid) if sql.has_model(connection, uid) else self._access.missing_model(uid)
        return found

    def _writable_run(self, tx: Connection, uid: str) -> RunHead:
        head = run_sql.find_heads(tx, [uid]).get(uid)
        if head is None:
            raise self._access.missing_run(uid)
        if head.lifecycle_stage != "active":
            raise RunArchived(uid)
        return head
