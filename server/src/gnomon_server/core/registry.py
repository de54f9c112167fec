"""The rules of the model registry: names are unique, versions count up and are never given out twice.

A version names where its files are; deleting it leaves the files. An alias points to one version at a time.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from gnomon_server.core import mlflow_events
from gnomon_server.core.access import Principal
from gnomon_server.core.outbox import Outbox
from gnomon_server.model import names
from gnomon_server.model.errors import AlreadyExists, RegisteredModelNotFound, invalid_field
from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.registry import ModelVersion, RegisteredModel, Stage
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import registry as sql

_FORBIDDEN = re.compile(r"[/:]")
_ALIAS = re.compile(r"[\w\-]+")
_ALIAS_LIKE_VERSION = re.compile(r"[vV]\d+")
MAX_TEXT = 100_000
MAX_ALIAS = 255


class Registry:
    """Registered models of one tenant at a time."""

    def __init__(self, stores: Stores, outbox: Outbox, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._outbox = outbox
        self._now_ms = now_ms

    def create(self, principal: Principal, *, name: str, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Register a name; it must be free."""
        clean, text = _name(name), _text(description)
        clean_tags = _clean_tags(tags)

        def work(tx: Connection) -> RegisteredModel:
            if sql.find_registered(tx, clean) is not None:
                raise AlreadyExists(f"Registered Model (name={clean}) already exists.")
            row = sql.insert_registered(tx, principal.tenant, name=clean, description=text, now_ms=self._now_ms())
            sql.set_tags(tx, principal.tenant, (row, sql.ITSELF), clean_tags)
            made = _registered(tx, clean)
            self._outbox.tell_mlflow(tx, principal.tenant, mlflow_events.model_created(made))
            return made

        return self._stores.writer.call(principal.tenant, work)

    def get(self, principal: Principal, name: str) -> RegisteredModel:
        with self._stores.database.read(principal.tenant) as connection:
            return _registered(connection, name)

    def search(
        self,
        principal: Principal,
        clauses: Sequence[Clause],
        order: Sequence[tuple[str, bool]],
        *,
        limit: int,
        offset: int,
    ) -> tuple[int, list[RegisteredModel]]:
        with self._stores.database.read(principal.tenant) as connection:
            total, rows = sql.search_registered(connection, clauses, order, limit=limit, offset=offset)
            return total, sql.read_registered(connection, rows)

    def update(
        self, principal: Principal, name: str, *, new_name: str | None = None, description: str | None = None
    ) -> RegisteredModel:
        """Rename or describe a registered model."""
        values: dict[str, str | int] = {"updated_ms": self._now_ms()}
        if description is not None:
            values["description"] = _text(description)
        renamed = name if new_name is None else _name(new_name)

        def work(tx: Connection) -> RegisteredModel:
            found = _registered(tx, name)
            if renamed != name and sql.find_registered(tx, renamed) is not None:
                raise AlreadyExists(f"Registered Model (name={renamed}) already exists.")
            sql.update_registered(tx, principal.tenant, found.row, **{**values, "name": renamed})
            return _registered(tx, renamed)

        return self._stores.writer.call(principal.tenant, work)

    def delete(self, principal: Principal, name: str) -> None:
        """Delete a registered model and its versions; their files stay where they are."""

        def work(tx: Connection) -> None:
            sql.delete_registered(tx, principal.tenant, _registered(tx, name).row)

        self._stores.writer.call(principal.tenant, work)

    def set_tag(self, principal: Principal, name: str, version: int | None, key: str, value: str) -> None:
        """Tag a registered model, or (with a number) one of its versions."""
        clean = _clean_tags({key: value})
        self._in_place(
            principal,
            name,
            version,
            lambda tx, place: sql.set_tags(tx, principal.tenant, place, clean),
            tag=(key, value),
        )

    def remove_tag(self, principal: Principal, name: str, version: int | None, key: str) -> None:
        """Remove a tag; one that is not there is removed."""
        self._in_place(
            principal,
            name,
            version,
            lambda tx, place: sql.delete_tag(tx, principal.tenant, place, key),
            tag=(key, None),
        )

    def set_alias(self, principal: Principal, name: str, alias: str, version: int) -> None:
        """Point an alias to a version."""
        _refuse_alias(alias)

        def work(tx: Connection) -> None:
            _version(tx, name, version)
            found = _registered(tx, name)
            sql.set_alias(tx, principal.tenant, found.row, alias, version)
            sql.update_registered(tx, principal.tenant, found.row, updated_ms=self._now_ms())
            facts = {"name": name, "alias": alias, "version": version}
            self._outbox.tell_model(tx, principal.tenant, "model_alias.set", facts)
            self._outbox.tell_mlflow(tx, principal.tenant, mlflow_events.alias_set(found, alias, version))

        self._stores.writer.call(principal.tenant, work)

    def delete_alias(self, principal: Principal, name: str, alias: str) -> None:
        def work(tx: Connection) -> None:
            found = _registered(tx, name)
            sql.delete_alias(tx, principal.tenant, found.row, alias)
            if alias in found.aliases:
                facts = {"name": name, "alias": alias, "version": found.aliases[alias]}
                self._outbox.tell_model(tx, principal.tenant, "model_alias.deleted", facts)
                self._outbox.tell_mlflow(tx, principal.tenant, mlflow_events.alias_deleted(found, alias))

        self._stores.writer.call(principal.tenant, work)

    def create_version(
        self,
        principal: Principal,
        name: str,
        *,
        source: str,
        run: str,
        run_link: str,
        model: str,
        description: str,
        tags: Mapping[str, str],
        files: str | None = None,
    ) -> ModelVersion:
        """Publish the next version of a registered model; `files` tells where they are when it copies a version."""
        text, clean_tags = _text(description), _clean_tags(tags)

        def work(tx: Connection) -> ModelVersion:
            found = _registered(tx, name)
            now_ms = self._now_ms()
            version = sql.next_version(tx, principal.tenant, found.row)
            sql.insert_version(
                tx,
                principal.tenant,
                found.row,
                version,
                description=text,
                source=source,
                run=run,
                run_link=run_link,
                model=model,
                stage="None",
                created_by=principal.subject,
                created_ms=now_ms,
                updated_ms=now_ms,
                files=files,
            )
            sql.update_registered(tx, principal.tenant, found.row, updated_ms=now_ms)
            sql.set_tags(tx, principal.tenant, (found.row, version), clean_tags)
            made = _version(tx, name, version)
            self._outbox.tell_model(tx, principal.tenant, "model_version.created", _facts(made))
            self._outbox.tell_mlflow(tx, principal.tenant, mlflow_events.version_created(made))
            return made

        return self._stores.writer.call(principal.tenant, work)

    def version(self, principal: Principal, name: str, version: int) -> ModelVersion:
        with self._stores.database.read(principal.tenant) as connection:
            return _version(connection, name, version)

    def search_versions(
        self,
        principal: Principal,
        clauses: Sequence[Clause],
        order: Sequence[tuple[str, bool]],
        *,
        limit: int,
        offset: int,
    ) -> tuple[int, list[ModelVersion]]:
        with self._stores.database.read(principal.tenant) as connection:
            total, places = sql.search_versions(connection, clauses, order, limit=limit, offset=offset)
            return total, sql.read_versions(connection, places)

    def update_version(self, principal: Principal, name: str, version: int, *, description: str) -> ModelVersion:
        text = _text(description)

        def work(tx: Connection) -> ModelVersion:
            _version(tx, name, version)
            row = _registered(tx, name).row
            now_ms = self._now_ms()
            sql.update_version(tx, principal.tenant, row, version, description=text, updated_ms=now_ms)
            return _version(tx, name, version)

        return self._stores.writer.call(principal.tenant, work)

    def move(
        self, principal: Principal, name: str, version: int, stage: Stage, *, archive_others: bool
    ) -> ModelVersion:
        """Move a version to a stage, and perhaps those that are there to the archive."""

        def work(tx: Connection) -> ModelVersion:
            before = _version(tx, name, version)
            row = _registered(tx, name).row
            now_ms = self._now_ms()
            if archive_others:
                sql.archive_stage(tx, principal.tenant, row, stage, but=version, now_ms=now_ms)
            sql.update_version(tx, principal.tenant, row, version, stage=stage, updated_ms=now_ms)
            sql.update_registered(tx, principal.tenant, row, updated_ms=now_ms)
            moved = _version(tx, name, version)
            if moved.stage != before.stage:
                self._outbox.tell_model(tx, principal.tenant, "model_version.stage_changed", _facts(moved))
            return moved

        return self._stores.writer.call(principal.tenant, work)

    def delete_version(self, principal: Principal, name: str, version: int) -> None:
        """Delete a version; its number is not given out again."""

        def work(tx: Connection) -> None:
            _version(tx, name, version)
            row = _registered(tx, name).row
            sql.delete_version(tx, principal.tenant, row, version)
            sql.update_registered(tx, principal.tenant, row, updated_ms=self._now_ms())

        self._stores.writer.call(principal.tenant, work)

    def _in_place(
        self,
        principal: Principal,
        name: str,
        version: int | None,
        change: Callable[[Connection, sql.Place], None],
        *,
        tag: tuple[str, str | None],
    ) -> None:
        def work(tx: Connection) -> None:
            if version is not None:
                _version(tx, name, version)
            found = _registered(tx, name)
            change(tx, (found.row, sql.ITSELF if version is None else version))
            if version is None:
                told = mlflow_events.model_tag(found, *tag)
            else:
                told = mlflow_events.version_tag(found, version, *tag)
            self._outbox.tell_mlflow(tx, principal.tenant, told)

        self._stores.writer.call(principal.tenant, work)


def _facts(version: ModelVersion) -> dict[str, object]:
    facts = ("name", "version", "stage", "source", "run", "created_by")
    return {name: getattr(version, name) for name in facts}


def _registered(connection: Connection, name: str) -> RegisteredModel:
    found = sql.find_registered(connection, name)
    if found is None:
        raise RegisteredModelNotFound(f"Registered Model with name={name} not found")
    return found


def _version(connection: Connection, name: str, version: int) -> ModelVersion:
    found = sql.find_version(connection, name, version)
    if found is None:
        raise RegisteredModelNotFound(f"Model Version (name={name}, version={version}) not found")
    return found


def _name(name: str) -> str:
    clean = names.run_name(name)
    if _FORBIDDEN.search(clean):
        raise invalid_field("name", f"is {clean!r}; the name of a registered model holds no '/' and no ':'")
    return clean


def _text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise invalid_field("description", f"has {len(text)} characters; at most {MAX_TEXT} are allowed")
    return text


def _clean_tags(tags: Mapping[str, str]) -> dict[str, str]:
    for key, value in tags.items():
        if len(value) > MAX_TEXT:
            raise invalid_field(f"tags.{key}", f"has {len(value)} characters; at most {MAX_TEXT} are allowed")
    return {names.key(key, field=f"tags.{key}"): value for key, value in tags.items()}


def _refuse_alias(alias: str) -> None:
    if _ALIAS.fullmatch(alias) is None or len(alias) > MAX_ALIAS:
        raise invalid_field("alias", "use 1 to 255 letters, digits, _ and -")
    if alias.lower() == "latest" or _ALIAS_LIKE_VERSION.fullmatch(alias):
        raise invalid_field("alias", f"{alias!r} could be taken for a version; choose another")
