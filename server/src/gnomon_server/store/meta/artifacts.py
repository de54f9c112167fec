"""The SQL of artifacts: which content stands under which path of a run or model, and how many artifacts use a content.

A shelf says whose files are meant: `run` is then the row of a run, or of a logged model.
"""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import Artifact
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.store.meta import model_tables as m
from gnomon_server.store.meta import object_tables as o
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import usage
from gnomon_server.store.meta.upsert import upsert

_COLUMNS = ("path", "sha256", "size", "version", "created_ms")
# The character after "/" in every collation by code point: `models/` <= path < `models0` is all below `models`.
_AFTER_SLASH = chr(ord("/") + 1)


class Shelf(NamedTuple):
    """Where the files of one kind of owner stand."""

    view: sa.Table
    base: sa.Table
    owner: str

    @property
    def key(self) -> sa.Column[int]:
        """The column that holds the owner's row."""
        return self.view.c[self.owner]


RUNS = Shelf(t.artifact, t.artifact_base, "run")
MODELS = Shelf(m.model_artifact, m.model_artifact_base, "model")


class ArtifactEntry(Struct, frozen=True):
    """One line of a directory: a file, or a directory (`artifact` is None) that holds files further down."""

    path: str
    artifact: Artifact | None


def find_artifact(connection: Connection, shelf: Shelf, owner: RowId, path: str) -> Artifact | None:
    columns = [shelf.view.c[name] for name in _COLUMNS]
    row = connection.execute(sa.select(*columns).where(shelf.key == owner, shelf.view.c.path == path)).first()
    return None if row is None else Artifact(*row)


def list_directory(
    connection: Connection, shelf: Shelf, owner: RowId, directory: str, *, limit: int, offset: int
) -> tuple[int, list[ArtifactEntry]]:
    """A page of what stands directly in a directory ("" is the root), by name, and how much there is in all."""
    prefix = f"{directory}/" if directory else ""
    c = shelf.view.c
    rest = sa.func.substr(c.path, len(prefix) + 1)
    slash = _position(connection, rest)
    name = sa.case((slash > 0, sa.func.substr(rest, 1, slash - 1)), else_=rest)
    lines = (
        sa.select(
            name.label("name"),
            sa.func.max(slash).label("slash"),
            *(sa.func.max(c[column]).label(column) for column in _COLUMNS[1:]),
        )
        .where(shelf.key == owner, *_below(shelf, directory))
        .group_by(name)
        .subquery()
    )
    total = connection.scalar(sa.select(sa.func.count()).select_from(lines)) or 0
    page = sa.select(lines).order_by(lines.c.name).limit(limit).offset(offset)
    return total, [
        ArtifactEntry(
            path=prefix + row.name,
            artifact=None
            if row.slash
            else Artifact(prefix + row.name, row.sha256, row.size, row.version, row.created_ms),
        )
        for row in connection.execute(page)
    ]


def find_file_above(connection: Connection, shelf: Shelf, owner: RowId, path: str) -> str | None:
    """An artifact that stands where the path needs a directory."""
    segments = path.split("/")
    above = ["/".join(segments[:depth]) for depth in range(1, len(segments))]
    c = shelf.view.c
    return connection.scalar(sa.select(c.path).where(shelf.key == owner, c.path.in_(above)).limit(1)) if above else None


def is_directory(connection: Connection, shelf: Shelf, owner: RowId, path: str) -> bool:
    query = sa.select(shelf.view.c.path).where(shelf.key == owner, *_below(shelf, path)).limit(1)
    return connection.execute(query).first() is not None


def put_artifact(connection: Connection, tenant: TenantId, shelf: Shelf, owner: RowId, artifact: Artifact) -> None:
    """Write the row of an artifact, in place of the one its path had. Its content must have its reference already."""
    insert = upsert(connection, shelf.base).values(
        {
            "tenant": tenant,
            shelf.owner: owner,
            "path": artifact.path,
            "sha256": artifact.sha256,
            "size": artifact.size,
            "version": artifact.version,
            "created_ms": artifact.created_ms,
        }
    )
    changed = {name: insert.excluded[name] for name in ("sha256", "size", "version", "created_ms")}
    connection.execute(insert.on_conflict_do_update(index_elements=["tenant", shelf.owner, "path"], set_=changed))


def delete_artifacts(connection: Connection, tenant: TenantId, shelf: Shelf, owner: RowId, path: str) -> list[str]:
    """Delete a file, or all that lies below a directory ("": everything); the contents that were referred to."""
    view, base = shelf.view.c, shelf.base.c
    is_meant = sa.true() if not path else sa.or_(view.path == path, sa.and_(*_below(shelf, path)))
    rows = connection.execute(sa.select(view.path, view.sha256).where(shelf.key == owner, is_meant)).all()
    if rows:
        where = (base.tenant == tenant, base[shelf.owner] == owner, base.path == sa.bindparam("p"))
        connection.execute(sa.delete(shelf.base).where(*where), [{"p": row.path} for row in rows])
    return [row.sha256 for row in rows]


def add_reference(connection: Connection, tenant: TenantId, *, sha256: str, size: int) -> None:
    """One artifact more uses the content, which stands on the disk."""
    base = t.blob_base
    insert = upsert(connection, base).values(tenant=tenant, sha256=sha256, size=size, refs=1, unused_ms=None)
    refs = connection.scalar(
        insert.on_conflict_do_update(
            index_elements=["tenant", "sha256"], set_={"refs": base.c.refs + 1, "unused_ms": None}
        ).returning(base.c.refs)
    )
    if refs == 1:
        usage.add(connection, tenant, artifact_bytes=size)


def add_object_reference(
    connection: Connection, tenant: TenantId, *, sha256: str, size: int, stored: str
) -> str | None:
    """One artifact more uses the content, of which `stored` is an object; the object that holds it from now on.

    That is another one, or "" for the disk, where the tenant had the content already. None: the row that was there
    has just been swept by another process; asking again makes a new one.
    """
    base = o.blob_object_base
    insert = upsert(connection, t.blob_base).values(tenant=tenant, sha256=sha256, size=size, refs=0, unused_ms=None)
    if connection.execute(insert.on_conflict_do_nothing().returning(t.blob_base.c.sha256)).first() is not None:
        connection.execute(sa.insert(base).values(tenant=tenant, sha256=sha256, object=stored))
    return find_object(connection, sha256) if revive(connection, tenant, sha256) else None


def revive(connection: Connection, tenant: TenantId, sha256: str) -> bool:
    """One artifact more uses a content that has a row; False when it has none. The row is ours until the commit."""
    base = t.blob_base
    update = sa.update(base).where(base.c.tenant == tenant, base.c.sha256 == sha256)
    row = connection.execute(
        update.values(refs=base.c.refs + 1, unused_ms=None).returning(base.c.refs, base.c.size)
    ).first()
    if row is not None and row.refs == 1:
        usage.add(connection, tenant, artifact_bytes=row.size)
    return row is not None


def find_object(connection: Connection, sha256: str) -> str:
    """The object that holds a content; "" for one on the disk."""
    object_ = o.blob_object.c
    return connection.scalar(sa.select(object_.object).where(object_.sha256 == sha256)) or ""


def known_objects(connection: Connection, stored: Sequence[str]) -> set[str]:
    """Those of the objects that hold a content."""
    object_ = o.blob_object.c
    return set(connection.scalars(sa.select(object_.object).where(object_.object.in_(stored))))


def counts_objects(system: Connection) -> bool:
    """Whether any content stands in an object store. Needs a system connection."""
    return system.execute(sa.select(o.blob_object_base.c.tenant).limit(1)).first() is not None


def drop_reference(connection: Connection, tenant: TenantId, sha256: str, *, now_ms: int) -> None:
    """One artifact fewer uses the content; the last one starts its grace."""
    base = t.blob_base
    row = connection.execute(
        sa.update(base)
        .where(base.c.tenant == tenant, base.c.sha256 == sha256)
        .values(refs=base.c.refs - 1, unused_ms=sa.case((base.c.refs == 1, now_ms), else_=base.c.unused_ms))
        .returning(base.c.refs, base.c.size)
    ).first()
    if row is not None and row.refs == 0:
        usage.add(connection, tenant, artifact_bytes=-row.size)


def count_uses(connection: Connection, sha256: str) -> int:
    """How many artifacts use a content; 0 for one that is not there."""
    return connection.scalar(sa.select(t.blob.c.refs).where(t.blob.c.sha256 == sha256)) or 0


def find_unused(system: Connection, *, before_ms: int, limit: int) -> dict[TenantId, list[str]]:
    """Contents of any tenant that no artifact has used since then. Needs a system connection."""
    c = t.blob_base.c
    query = sa.select(c.tenant, c.sha256).where(c.refs == 0, c.unused_ms <= before_ms).limit(limit)
    found: dict[TenantId, list[str]] = {}
    for tenant, sha256 in system.execute(query):
        found.setdefault(TenantId(tenant), []).append(sha256)
    return found


def delete_unused(connection: Connection, tenant: TenantId, sha256s: Sequence[str], *, before_ms: int) -> list[str]:
    """Delete the rows of contents that are unused still; the objects that held some of them, to be removed.

    The rows are locked before anything of them is deleted: one that another process revives meanwhile keeps all.
    """
    c, object_ = t.blob.c, o.blob_object.c
    is_unused = (c.sha256.in_(sha256s), c.refs == 0, c.unused_ms <= before_ms)
    found = connection.scalars(sa.select(c.sha256).where(*is_unused).with_for_update()).all()
    if not found:
        return []
    stored = list(connection.scalars(sa.select(object_.object).where(object_.sha256.in_(found))))
    for base in (o.blob_object_base, t.blob_base):
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.sha256.in_(found)))
    return stored


def known_contents(connection: Connection, sha256s: Sequence[str]) -> set[str]:
    """Those of the contents that have a row."""
    return set(connection.scalars(sa.select(t.blob.c.sha256).where(t.blob.c.sha256.in_(sha256s))))


def _below(shelf: Shelf, directory: str) -> tuple[sa.ColumnElement[bool], ...]:
    path = shelf.view.c.path
    return (path >= f"{directory}/", path < directory + _AFTER_SLASH) if directory else ()


def _position(connection: Connection, text: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    """Where the first slash stands, from 1; 0: nowhere."""
    if connection.dialect.name == "postgresql":
        return sa.func.strpos(text, "/", type_=sa.Integer)
    return sa.func.instr(text, "/", type_=sa.Integer)
