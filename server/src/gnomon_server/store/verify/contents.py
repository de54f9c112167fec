"""Whether the contents of artifacts have the bytes that their hashes say, on the disk or in an object store."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.errors import Unavailable
from gnomon_server.settings import Settings
from gnomon_server.store.meta import checkup
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.checkup import StoredContent
from gnomon_server.store.meta.object_tables import blob_object_base
from gnomon_server.store.object_store import look_at, open_objects, place_of, read_object
from gnomon_server.store.verify.verdicts import Finding

# Yields the bytes of a content. Raises `OSError` or `Unavailable` when it cannot be read.
Reader = Callable[[StoredContent], Iterator[bytes]]

_PIECE_BYTES = 1 << 20
_PAGE = 1_000


def local_reader(settings: Settings) -> Reader:
    """Reads contents that lie below the home."""
    folder = settings.home_path / "artifacts"

    def read(content: StoredContent) -> Iterator[bytes]:
        return _file(folder / str(content.tenant) / content.sha256[:2] / content.sha256)

    return read


def object_reader(connection: Connection, settings: Settings) -> Reader:
    """Reads contents in the object store, and those that came before it below the home. Raises `StoreRefused`."""
    place, local = place_of(settings, settings.artifacts), local_reader(settings)
    store = open_objects(place)
    look_at(store, place, checkup.read_installation(connection))

    def read(content: StoredContent) -> Iterator[bytes]:
        return read_object(store, content.stored, piece_bytes=_PIECE_BYTES) if content.stored else local(content)

    return read


def check_content(content: StoredContent, read: Reader, *, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """What is wrong with a content, in words; nothing when it is what its hash says."""
    digest, size = hashlib.sha256(), 0
    try:
        for piece in read(content):
            digest.update(piece)
            size += len(piece)
            on_bytes(len(piece))
    except Unavailable as error:
        return f"it cannot be read: {error.detail}"
    except OSError as error:
        return f"it cannot be read: {error.strerror or 'it is not there'}"
    if digest.hexdigest() != content.sha256:
        return "its bytes are not what its hash says"
    return "" if size == content.size else f"its row says {content.size} bytes, it has {size}"


def finding_of(content: StoredContent, says: str) -> Finding:
    where = f"object {content.stored}" if content.stored else "on the disk"
    return Finding(f"content {content.sha256} of tenant {content.tenant} ({where})", says)


def count_contents(system: Connection) -> tuple[int, int]:
    """How many contents there are, and their bytes."""
    b = t.blob_base.c
    number, size = system.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(b.size), 0))).one()
    return int(number), int(size)


def page_of_contents(system: Connection, after: tuple[int, str]) -> list[StoredContent]:
    """Some contents that follow one, in the order of tenant and hash."""
    return _contents(system, sa.tuple_(t.blob_base.c.tenant, t.blob_base.c.sha256) > sa.tuple_(*map(sa.literal, after)))


def is_kept(system: Connection, content: StoredContent) -> bool:
    """Whether a content is there still, at the same place, and something refers to it."""
    b = t.blob_base.c
    same = sa.and_(b.tenant == content.tenant, b.sha256 == content.sha256, b.refs > 0)
    return content in _contents(system, same)


def _contents(system: Connection, where: sa.ColumnElement[bool]) -> list[StoredContent]:
    b, o = t.blob_base.c, blob_object_base.c
    joined = t.blob_base.outerjoin(blob_object_base, sa.and_(o.tenant == b.tenant, o.sha256 == b.sha256))
    columns = (b.tenant, b.sha256, b.size, sa.func.coalesce(o.object, ""))
    query = sa.select(*columns).select_from(joined).where(where).order_by(b.tenant, b.sha256).limit(_PAGE)
    return [StoredContent(int(row[0]), str(row[1]), int(row[2]), str(row[3])) for row in system.execute(query)]


def _file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
