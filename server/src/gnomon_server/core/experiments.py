"""The rules of experiments: names are unique in a tenant, archiving takes the runs along and gives them back."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gnomon_server.core.access import Access, Principal, artifact_location_of
from gnomon_server.core.ingest import Ingest
from gnomon_server.core.quotas import Quotas
from gnomon_server.model import names
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import Experiment, KeyKind, KeyUse, LifecycleStage
from gnomon_server.model.errors import AlreadyExists, FieldError, InvalidRequest, NotArchived, invalid_field
from gnomon_server.model.ids import new_uid
from gnomon_server.model.points import checked_time
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import experiments as sql
from gnomon_server.store.meta import keys as key_sql
from gnomon_server.store.meta import purge as purge_sql
from gnomon_server.store.meta import runs as run_sql

MAX_TAGS = 1_000
# Runs removed in one transaction, so that nobody's commit waits long.
_PURGED_AT_ONCE = 20

V = TypeVar("V", str, str | None)


class Experiments:
    """Create, read, change, archive and restore experiments of one tenant at a time."""

    def __init__(
        self,
        stores: Stores,
        access: Access,
        ingest: Ingest,
        *,
        artifact_prefixes: Sequence[str],
        now_ms: Callable[[], int],
        quotas: Quotas,
    ) -> None:
        self._stores = stores
        self._access = access
        self._ingest = ingest
        self._artifact_prefixes = tuple(artifact_prefixes)
        self._now_ms = now_ms
        self._quotas = quotas

    def create(
        self,
        principal: Principal,
        *,
        name: str,
        description: str,
        artifact_location: str | None,
        tags: Mapping[str, str],
        number: int | None = None,
        created_ms: int | None = None,
        longest_tag: int = names.MAX_TAG_VALUE,
    ) -> Experiment:
        """Make an experiment; its name must be free in the tenant, archived ones included.

        One that comes from elsewhere may ask for its number, which it gets where that is free, and name its time.
        """
        name = names.experiment_name(name)
        description = names.description(description)
        clean_tags = clean_tag_map(tags, longest=longest_tag)
        uid = new_uid()
        location = artifact_location_of(uid) if artifact_location is None else self._allowed(artifact_location)
        now_ms = self._now_ms() if created_ms is None else checked_time(created_ms, field="creation_time")

        def work(tx: Connection) -> Experiment:
            _refuse_taken(tx, name)
            self._quotas.admit(tx, principal.tenant, "experiments", 1)
            row = sql.insert_experiment(
                tx,
                principal.tenant,
                uid=uid,
                name=name,
                description=description,
                artifact_location=location,
                now_ms=now_ms,
                number=number,
            )
            sql.set_experiment_tags(tx, principal.tenant, row, clean_tags)
            return _read(tx, uid)

        return self._stores.writer.call(principal.tenant, work)

    def get(self, principal: Principal, uid: str) -> Experiment:
        with self._stores.database.read(principal.tenant) as connection:
            found = sql.find_experiment(connection, uid)
        if found is None:
            raise self._access.missing_experiment(uid)
        return found

    def list(
        self, principal: Principal, *, search: str | None, lifecycle_stage: LifecycleStage, limit: int, offset: int
    ) -> tuple[int, list[Experiment]]:
        with self._stores.database.read(principal.tenant) as connection:
            return sql.list_experiments(
                connection, search=search, lifecycle_stage=lifecycle_stage, limit=limit, offset=offset
            )

    def update(
        self,
        principal: Principal,
        uid: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        longest_tag: int = names.MAX_TAG_VALUE,
    ) -> Experiment:
        """Change what is given; tags merge, None removes one."""
        if name is None and description is None and tags is None:
            raise InvalidRequest("the body changes nothing; give at least one of name, description, tags")
        values: dict[str, str | int] = {"updated_ms": self._now_ms()}
        if name is not None:
            values["name"] = names.experiment_name(name)
        if description is not None:
            values["description"] = names.description(description)
        clean_tags = clean_tag_map(tags or {}, longest=longest_tag)

        def work(tx: Connection) -> Experiment:
            experiment = self._find(tx, uid)
            if name is not None and values["name"] != experiment.name:
                _refuse_taken(tx, str(values["name"]))
            sql.update_experiment(tx, principal.tenant, experiment.row, **values)
            sql.set_experiment_tags(tx, principal.tenant, experiment.row, clean_tags)
            self._stores.writer.note(Change("experiment", principal.tenant, experiment.row))
            return _read(tx, uid)

        return self._stores.writer.call(principal.tenant, work)

    def archive(self, principal: Principal, uid: str) -> Experiment:
        """Archive an experiment and its active runs; doing it again changes nothing."""

        def work(tx: Connection) -> Experiment:
            experiment = self._find(tx, uid)
            if experiment.lifecycle_stage == "deleted":
                return experiment
            now_ms = self._now_ms()
            sql.update_experiment(tx, principal.tenant, experiment.row, lifecycle_stage="deleted", updated_ms=now_ms)
            run_sql.archive_runs_of(tx, principal.tenant, experiment.row, now_ms=now_ms)
            self._ingest.forget_runs()
            self._stores.writer.note(Change("runs", principal.tenant, experiment.row))
            return _read(tx, uid)

        return self._stores.writer.call(principal.tenant, work)

    def restore(self, principal: Principal, uid: str, *, all_runs: bool = False) -> Experiment:
        """Bring back an experiment and the runs that its archiving took; `all_runs`: those archived before it, too."""

        def work(tx: Connection) -> Experiment:
            experiment = self._find(tx, uid)
            if experiment.lifecycle_stage == "active":
                return experiment
            now_ms = self._now_ms()
            sql.update_experiment(tx, principal.tenant, experiment.row, lifecycle_stage="active", updated_ms=now_ms)
            run_sql.restore_runs_of(tx, principal.tenant, experiment.row, all_of_them=all_runs, now_ms=now_ms)
            self._ingest.forget_runs()
            self._stores.writer.note(Change("runs", principal.tenant, experiment.row))
            return _read(tx, uid)

        return self._stores.writer.call(principal.tenant, work)

    def purge(self, principal: Principal, uid: str) -> None:
        """Remove an archived experiment for good, run by run; if it is cut short, doing it again goes on."""
        while True:
            if self._stores.writer.call(principal.tenant, lambda tx: self._purge_some(tx, principal, uid)):
                return

    def _purge_some(self, tx: Connection, principal: Principal, uid: str) -> bool:
        """Remove some runs, or, when there are none left, the experiment itself: True then."""
        experiment = self._find(tx, uid)
        if experiment.lifecycle_stage != "deleted":
            raise NotArchived("experiment", uid)
        runs = purge_sql.runs_of(tx, experiment.row, limit=_PURGED_AT_ONCE)
        for run in runs:
            purge_sql.purge_run(tx, principal.tenant, run, experiment.row, now_ms=self._now_ms())
        if not runs:
            purge_sql.purge_experiment(tx, principal.tenant, experiment.row, now_ms=self._now_ms())
        self._ingest.undo()
        self._stores.writer.note(Change("runs", principal.tenant, experiment.row))
        return not runs

    def keys(
        self, principal: Principal, uid: str, *, kinds: Sequence[KeyKind], prefix: str, limit: int, offset: int
    ) -> tuple[int, Sequence[KeyUse]]:
        """The distinct keys of an experiment with the number of its runs that have each."""
        experiment = self.get(principal, uid)
        with self._stores.database.read(principal.tenant) as connection:
            return key_sql.list_keys(connection, experiment.row, kinds=kinds, prefix=prefix, limit=limit, offset=offset)

    def _find(self, tx: Connection, uid: str) -> Experiment:
        found = sql.find_experiment(tx, uid)
        if found is None:
            raise self._access.missing_experiment(uid)
        return found

    def _allowed(self, location: str) -> str:
        """A location that the operator allows. A client may never point the server at a place of its own choosing."""
        if location.startswith("s3://") and any(_is_under(location, prefix) for prefix in self._artifact_prefixes):
            return location.rstrip("/")
        raise invalid_field(
            "artifact_location",
            "is not under a prefix that this server allows (GNOMON_ARTIFACT_PREFIXES); without it the server chooses",
        )


def clean_tag_map(tags: Mapping[str, V], *, field: str = "tags", longest: int = names.MAX_TAG_VALUE) -> dict[str, V]:
    """Tags with their keys and values checked."""
    if len(tags) > MAX_TAGS:
        raise invalid_field(field, f"holds {len(tags)} tags; send at most {MAX_TAGS}")
    return {
        names.key(key, field=f"{field}.{key}"): value
        if value is None
        else names.tag_value(value, field=f"{field}.{key}", longest=longest)
        for key, value in tags.items()
    }


def _is_under(location: str, prefix: str) -> bool:
    rest = location.removeprefix(prefix.rstrip("/"))
    parts = rest.split("/")
    is_plain = all(part not in (".", "..") for part in parts) and not any(sign in location for sign in "?#%\\")
    return rest != location and (rest == "" or rest.startswith("/")) and is_plain


def _refuse_taken(tx: Connection, name: str) -> None:
    taken = sql.find_experiment_named(tx, name)
    if taken is not None:
        archived = " (archived)" if taken.lifecycle_stage == "deleted" else ""
        message = f"an experiment{archived} is called {name!r} already; choose another name or use {taken.uid}"
        raise AlreadyExists(message, errors=[FieldError("name", message)])


def _read(tx: Connection, uid: str) -> Experiment:
    found = sql.find_experiment(tx, uid)
    assert found is not None, "written in this transaction"
    return found
