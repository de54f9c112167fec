"""The SQL of the model registry: registered models, their versions, tags and aliases."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.registry import ModelVersion, RegisteredModel
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta.clauses import Attribute, KeyedValues, conditions
from gnomon_server.store.meta.upsert import upsert

Place = tuple[RowId, int]

# The version that stands for the registered model itself in the table of tags.
ITSELF = 0
_IN_LIST = 1_000
_VERSION = (
    "version",
    "description",
    "source",
    "run",
    "run_link",
    "model",
    "stage",
    "created_by",
    "created_ms",
    "updated_ms",
    "files",
)


def find_registered(connection: Connection, name: str) -> RegisteredModel | None:
    row = connection.scalar(sa.select(m.registered_model.c.id).where(m.registered_model.c.name == name))
    return None if row is None else read_registered(connection, [RowId(row)])[0]


def read_registered(connection: Connection, rows: Sequence[RowId]) -> list[RegisteredModel]:
    """The registered models of these rows, in this order."""
    by_row: dict[int, RegisteredModel] = {}
    c = m.registered_model.c
    for start in range(0, len(rows), _IN_LIST):
        part = rows[start : start + _IN_LIST]
        tags = _tags(connection, part, itself=True)
        aliases = _aliases(connection, part)
        latest = _latest(connection, part)
        for row in connection.execute(sa.select(m.registered_model).where(c.id.in_(part))):
            by_row[row.id] = RegisteredModel(
                row=RowId(row.id),
                name=row.name,
                description=row.description,
                created_ms=row.created_ms,
                updated_ms=row.updated_ms,
                tags=tags.get((row.id, ITSELF), {}),
                aliases=aliases.get(row.id, {}),
                latest=latest.get(row.id, ()),
            )
    return [by_row[row] for row in rows if row in by_row]


def insert_registered(connection: Connection, tenant: TenantId, *, name: str, description: str, now_ms: int) -> RowId:
    row = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(m.registered_model.c.id) + 1, 1))) or 1
    connection.execute(
        sa.insert(m.registered_model_base).values(
            tenant=tenant,
            id=row,
            name=name,
            description=description,
            last_version=0,
            created_ms=now_ms,
            updated_ms=now_ms,
        )
    )
    return RowId(row)


def update_registered(connection: Connection, tenant: TenantId, row: RowId, **values: str | int) -> None:
    base = m.registered_model_base
    connection.execute(sa.update(base).where(base.c.tenant == tenant, base.c.id == row).values(**values))


def delete_registered(connection: Connection, tenant: TenantId, row: RowId) -> None:
    """Delete a registered model with its versions, tags and aliases. The files that they name stay."""
    for base in (m.model_alias_base, m.model_version_tag_base, m.model_version_base):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.registered == row))
    base = m.registered_model_base
    connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.id == row))


def next_version(connection: Connection, tenant: TenantId, row: RowId) -> int:
    """A version number that was never given out."""
    c = m.registered_model.c
    version = (connection.scalar(sa.select(c.last_version).where(c.id == row)) or 0) + 1
    update_registered(connection, tenant, row, last_version=version)
    return version


def insert_version(
    connection: Connection, tenant: TenantId, row: RowId, version: int, **values: str | int | None
) -> None:
    connection.execute(sa.insert(m.model_version_base).values(tenant=tenant, registered=row, version=version, **values))


def update_version(connection: Connection, tenant: TenantId, row: RowId, version: int, **values: str | int) -> None:
    base = m.model_version_base
    where = (base.c.tenant == tenant, base.c.registered == row, base.c.version == version)
    connection.execute(sa.update(base).where(*where).values(**values))


def archive_stage(connection: Connection, tenant: TenantId, row: RowId, stage: str, *, but: int, now_ms: int) -> None:
    """Move the versions of a stage, but one, to the archive."""
    base = m.model_version_base
    where = (base.c.tenant == tenant, base.c.registered == row, base.c.stage == stage, base.c.version != but)
    connection.execute(sa.update(base).where(*where).values(stage="Archived", updated_ms=now_ms))


def delete_version(connection: Connection, tenant: TenantId, row: RowId, version: int) -> None:
    """Delete a version with its tags and the aliases that point to it."""
    for base in (m.model_alias_base, m.model_version_tag_base, m.model_version_base):
        where = (base.c.tenant == tenant, base.c.registered == row, base.c.version == version)
        connection.execute(sa.delete(base).where(*where))


def find_version(connection: Connection, name: str, version: int) -> ModelVersion | None:
    c = m.registered_model.c
    row = connection.scalar(sa.select(c.id).where(c.name == name))
    if row is None:
        return None
    found = read_versions(connection, [(RowId(row), version)])
    return found[0] if found else None


def read_versions(connection: Connection, places: Sequence[Place]) -> list[ModelVersion]:
    """The versions at these places, in this order."""
    by_place: dict[Place, ModelVersion] = {}
    rows = list(dict.fromkeys(row for row, _ in places))
    v = m.model_version.c
    for start in range(0, len(rows), _IN_LIST):
        part = rows[start : start + _IN_LIST]
        tags = _tags(connection, part, itself=False)
        aliases = _aliases(connection, part)
        source = m.model_version.join(m.registered_model, m.registered_model.c.id == v.registered)
        columns = [v.registered, m.registered_model.c.name, *(v[name] for name in _VERSION)]
        for registered, name, *rest in connection.execute(
            sa.select(*columns).select_from(source).where(v.registered.in_(part))
        ):
            found = ModelVersion(name, *rest)
            place = (RowId(registered), found.version)
            named = [alias for alias, version in aliases.get(registered, {}).items() if version == found.version]
            by_place[place] = replace(found, tags=tags.get((registered, found.version), {}), aliases=named)
    return [by_place[place] for place in places if place in by_place]


def set_tags(connection: Connection, tenant: TenantId, place: Place, tags: Mapping[str, str]) -> None:
    insert = upsert(connection, m.model_version_tag_base)
    statement = insert.on_conflict_do_update(
        index_elements=["tenant", "registered", "version", "key"], set_={"value": insert.excluded.value}
    )
    row, version = place
    rows = [
        {"tenant": tenant, "registered": row, "version": version, "key": key, "value": value}
        for key, value in tags.items()
    ]
    if rows:
        connection.execute(statement, rows)


def delete_tag(connection: Connection, tenant: TenantId, place: Place, key: str) -> None:
    c = m.model_version_tag_base.c
    where = (c.tenant == tenant, c.registered == place[0], c.version == place[1], c.key == key)
    connection.execute(sa.delete(m.model_version_tag_base).where(*where))


def set_alias(connection: Connection, tenant: TenantId, row: RowId, alias: str, version: int) -> None:
    insert = upsert(connection, m.model_alias_base)
    statement = insert.on_conflict_do_update(
        index_elements=["tenant", "registered", "alias"], set_={"version": insert.excluded.version}
    )
    connection.execute(statement, [{"tenant": tenant, "registered": row, "alias": alias, "version": version}])


def delete_alias(connection: Connection, tenant: TenantId, row: RowId, alias: str) -> None:
    c = m.model_alias_base.c
    where = (c.tenant == tenant, c.registered == row, c.alias == alias)
    connection.execute(sa.delete(m.model_alias_base).where(*where))


def search_registered(
    connection: Connection, clauses: Sequence[Clause], order: Sequence[tuple[str, bool]], *, limit: int, offset: int
) -> tuple[int, list[RowId]]:
    """A page of the registered models that match, and how many do."""
    c, tag = m.registered_model.c, m.model_version_tag.c
    attributes: dict[str, Attribute] = {
        "name": c.name,
        "creation_timestamp": c.created_ms,
        "last_updated_timestamp": c.updated_ms,
    }
    tags = KeyedValues(
        lambda key: sa.select(tag.registered).where(tag.registered == c.id, tag.version == ITSELF, tag.key == key),
        tag.value,
    )
    where = conditions(connection, clauses, attributes, {"tag": tags})
    total = connection.scalar(sa.select(sa.func.count()).select_from(m.registered_model).where(*where)) or 0
    by = [attributes[key].desc() if descending else attributes[key].asc() for key, descending in order]
    page = sa.select(c.id).where(*where).order_by(*by, c.name).limit(limit).offset(offset)
    return total, [RowId(row) for row in connection.scalars(page)]


def search_versions(
    connection: Connection, clauses: Sequence[Clause], order: Sequence[tuple[str, bool]], *, limit: int, offset: int
) -> tuple[int, list[Place]]:
    """A page of the versions that match, and how many do; without an order the last changed first."""
    v, tag, registered = m.model_version.c, m.model_version_tag.c, m.registered_model.c
    source = m.model_version.join(m.registered_model, registered.id == v.registered)
    attributes: dict[str, Attribute] = {
        "name": registered.name,
        "version_number": v.version,
        "run_id": v.run,
        "source_path": v.source,
        "model_id": v.model,
        "creation_timestamp": v.created_ms,
        "last_updated_timestamp": v.updated_ms,
    }
    tags = KeyedValues(
        lambda key: sa.select(tag.registered).where(
            tag.registered == v.registered, tag.version == v.version, tag.key == key
        ),
        tag.value,
    )
    where = conditions(connection, clauses, attributes, {"tag": tags})
    total = connection.scalar(sa.select(sa.func.count()).select_from(source).where(*where)) or 0
    order = order or (("last_updated_timestamp", True),)
    by = [attributes[key].desc() if descending else attributes[key].asc() for key, descending in order]
    page = sa.select(v.registered, v.version).select_from(source).where(*where)
    page = page.order_by(*by, registered.name, v.version.desc()).limit(limit).offset(offset)
    return total, [(RowId(row), version) for row, version in connection.execute(page)]


def _latest(connection: Connection, rows: Sequence[RowId]) -> dict[int, list[ModelVersion]]:
    """The newest version of each stage that has one; the stage whose first version is the oldest comes first."""
    v = m.model_version.c
    query = sa.select(v.registered, sa.func.max(v.version)).where(v.registered.in_(rows))
    query = query.group_by(v.registered, v.stage).order_by(v.registered, sa.func.min(v.version))
    places = [(RowId(row), version) for row, version in connection.execute(query)]
    latest: dict[int, list[ModelVersion]] = {}
    for (row, _), found in zip(places, read_versions(connection, places), strict=True):
        latest.setdefault(row, []).append(found)
    return latest


def _tags(connection: Connection, rows: Sequence[RowId], *, itself: bool) -> dict[tuple[int, int], dict[str, str]]:
    c = m.model_version_tag.c
    is_meant = c.version == ITSELF if itself else c.version != ITSELF
    found: dict[tuple[int, int], dict[str, str]] = {}
    query = sa.select(c.registered, c.version, c.key, c.value).where(c.registered.in_(rows), is_meant).order_by(c.key)
    for row, version, key, value in connection.execute(query):
        found.setdefault((row, version), {})[key] = value
    return found


def _aliases(connection: Connection, rows: Sequence[RowId]) -> dict[int, dict[str, int]]:
    c = m.model_alias.c
    found: dict[int, dict[str, int]] = {}
    query = sa.select(c.registered, c.alias, c.version).where(c.registered.in_(rows)).order_by(c.alias)
    for row, alias, version in connection.execute(query):
        found.setdefault(row, {})[alias] = version
    return found
