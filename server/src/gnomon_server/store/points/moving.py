"""Moving old chunks out of the database: many in one object, and a row for each that says where its bytes are.

`due` pages through the chunks of all tenants by their key. `commit` runs on the writer after the object is durable: it
empties a chunk and writes where its bytes stand, in one transaction. A chunk that was merged or purged meanwhile is
left out. A crash in between leaves an object without a row. A chunk is immutable, so its bytes are the same before,
during and after, and a reader in an older snapshot still sees them in the row.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.store.meta import object_tables as o
from gnomon_server.store.meta import tables as t

_PAGE_ROWS = 1_000
# An object of about so many bytes: a hundred full chunks, read by ranges.
OBJECT_BYTES = 16 * 1024 * 1024

Cursor = tuple[int, int, int, int, int]
START: Cursor = (-1, -1, -1, -1, -1)


class DueChunk(NamedTuple):
    """A chunk that is to be moved, and how many bytes it has."""

    tenant: TenantId
    run: RowId
    key: KeyId
    gen: int
    part: int
    length: int

    @property
    def identity(self) -> tuple[int, int, int, int]:
        return (self.run, self.key, self.gen, self.part)


class Packed(NamedTuple):
    """Chunks of one tenant, and the bytes of all of them, one after the other."""

    tenant: TenantId
    chunks: Sequence[DueChunk]
    data: bytes


def due(system: Connection, cursor: Cursor, *, before_ms: int) -> tuple[list[DueChunk], Cursor | None]:
    """The chunks of a page whose newest point is older, and where the next page begins; None after the last."""
    c = t.chunk_base.c
    identity = (c.tenant, c.run, c.key, c.gen, c.part)
    length = sa.func.length(c.data)
    page = (
        sa.select(*identity, length.label("length"), c.hi_ms)
        .where(sa.tuple_(*identity) > sa.tuple_(*(sa.literal(each) for each in cursor)))
        .order_by(*identity)
        .limit(_PAGE_ROWS)
    )
    rows = system.execute(page).all()
    found = [DueChunk(*row[:6]) for row in rows if row.length and row.hi_ms < before_ms]
    if len(rows) < _PAGE_ROWS:
        return found, None
    tenant, run, key, gen, part = rows[-1][:5]
    return found, (tenant, run, key, gen, part)


def batches(chunks: Sequence[DueChunk]) -> Iterator[list[DueChunk]]:
    """So many chunks together as make an object."""
    batch: list[DueChunk] = []
    size = 0
    for chunk in chunks:
        batch.append(chunk)
        size += chunk.length
        if size >= OBJECT_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def pack(connection: Connection, tenant: TenantId, chunks: Sequence[DueChunk]) -> Packed:
    """The bytes of chunks of one tenant. Those that are gone are left out."""
    c = t.chunk.c
    identity = (c.run, c.key, c.gen, c.part)
    query = sa.select(*identity, c.data).where(sa.tuple_(*identity).in_([chunk.identity for chunk in chunks]))
    bytes_of = {tuple(row[:4]): bytes(row.data) for row in connection.execute(query)}
    found = [chunk for chunk in chunks if len(bytes_of.get(chunk.identity, b"")) == chunk.length]
    return Packed(tenant, found, b"".join(bytes_of[chunk.identity] for chunk in found))


def commit(connection: Connection, packed: Packed, stored: str) -> int:
    """Say that the chunks stand in the object now; how many of them were still there."""
    base = t.chunk_base
    moved, at = 0, 0
    for chunk in packed.chunks:
        values = {"tenant": chunk.tenant, "run": chunk.run, "key": chunk.key, "gen": chunk.gen, "part": chunk.part}
        emptied = (
            sa.update(base)
            .where(*(base.c[name] == value for name, value in values.items()), sa.func.length(base.c.data) > 0)
            .values(data=b"")
        )
        if connection.execute(emptied).rowcount:
            place = {"object": stored, "at": at, "length": chunk.length}
            connection.execute(sa.insert(o.chunk_object_base).values(**values, **place))
            moved += 1
        at += chunk.length
    return moved


def known_objects(connection: Connection, stored: Sequence[str]) -> set[str]:
    """Those of the objects that hold a chunk still."""
    object_ = o.chunk_object.c
    return set(connection.scalars(sa.select(object_.object).where(object_.object.in_(stored)).distinct()))


def has_moved(system: Connection) -> bool:
    """Whether any chunk stands in an object store. Needs a system connection."""
    return system.execute(sa.select(o.chunk_object_base.c.tenant).limit(1)).first() is not None
