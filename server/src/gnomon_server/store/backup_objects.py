"""What a database keeps in object stores, for its backup: named and checked there, or brought into the backup.

A backup names each content that stands in a store by its SHA-256 (`blob_object_`) and each chunk of points by its place
(`chunk_object_`), whose bytes end in a CRC-32. `check` reads all of them. `bring_in` makes the copy of a database stand
by itself: the contents lie among those of the disk, the bytes of chunks in their rows, and nothing names an object any
more. Such a copy is another installation: it must not take the objects of the one it was made of for its own.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import obstore
import pysqlite3.dbapi2 as sqlite
from msgspec import Struct

from gnomon_server.model.errors import Unavailable
from gnomon_server.settings import Settings
from gnomon_server.store.backup_files import BackupError, Content, bring_pieces
from gnomon_server.store.object_store import (
    RemoteStore,
    StoreRefused,
    failing_as_unavailable,
    open_objects,
    place_of,
    read_object,
    take_over,
)
from gnomon_server.store.points.codec import DamagedPoints, decode

Progress = Callable[[str, int, int], None]

_PIECE_BYTES = 1 << 20
# So many bytes of chunks are asked for at once, of one object.
_RANGES_BYTES = 16 << 20
_CONTENTS = """SELECT b.tenant, b.sha256, b.size, o.object FROM blob_object_ o
    JOIN blob_ b ON b.tenant = o.tenant AND b.sha256 = o.sha256 ORDER BY b.tenant, b.sha256"""
_CHUNKS = """SELECT o.object, o.at, o.length, c.codec, c.n, c.tenant, c.run, c.key, c.gen, c.part FROM chunk_object_ o
    JOIN chunk_ c ON c.tenant = o.tenant AND c.run = o.run AND c.key = o.key AND c.gen = o.gen AND c.part = o.part
    ORDER BY o.object, o.at"""
_SIZES = """SELECT (SELECT count(*) FROM blob_object_), (SELECT coalesce(sum(b.size), 0) FROM blob_object_ o
    JOIN blob_ b ON b.tenant = o.tenant AND b.sha256 = o.sha256),
    (SELECT count(*) FROM chunk_object_), (SELECT coalesce(sum(length), 0) FROM chunk_object_)"""


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """What of a backup stands in object stores and not in its folder."""

    contents: int
    content_bytes: int
    chunks: int
    chunk_bytes: int


class _Chunk(NamedTuple):
    object: str
    at: int
    length: int
    codec: int
    n: int
    tenant: int
    run: int
    key: int
    gen: int
    part: int


class Stores:
    """The object stores that the settings name, each opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def artifacts(self) -> RemoteStore:
        return self._open(self._settings.artifacts, "artifacts", "GNOMON_ARTIFACTS")

    def chunks(self) -> RemoteStore:
        return self._open(self._settings.chunks, "points", "GNOMON_CHUNKS")

    def need(self, named: Named) -> None:
        """See that the settings name what is asked for. Raises `BackupError`."""
        if named.contents:
            self.artifacts()
        if named.chunks:
            self.chunks()

    def take_over(self, installation: str) -> None:
        """Make every place that the settings name this installation's. Raises `BackupError`."""
        for url in filter(None, (self._settings.artifacts, self._settings.chunks)):
            place = place_of(self._settings, url)
            try:
                take_over(open_objects(place), place, installation)
            except StoreRefused as error:
                raise BackupError(f"the home is restored, and {error}; empty it and restore again") from None

    def _open(self, url: str, what: str, setting: str) -> RemoteStore:
        if not url:
            raise BackupError(f"{what} of this database stand in an object store; set {setting} as its server has it")
        try:
            return open_objects(place_of(self._settings, url))
        except StoreRefused as error:
            raise BackupError(str(error)) from None


def find_named(database: Path) -> Named | None:
    """What a copied database names in object stores; None when it is nothing."""
    with closing(_open(database)) as connection:
        known = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('blob_object_', 'chunk_object_')")
        if known.fetchone() != (2,):  # it is of before there were any
            return None
        found = Named(*map(int, connection.execute(_SIZES).fetchone()))
    return found if found.contents or found.chunks else None


def check(database: Path, named: Named, stores: Stores, *, progress: Progress) -> None:
    """Read every object that a copied database names. Raises `BackupError` that names what is missing or damaged."""
    total, done = named.content_bytes + named.chunk_bytes, 0
    with closing(_open(database)) as connection:
        if named.contents:
            store = stores.artifacts()
            for content, key in _contents(connection):
                digest, size = hashlib.sha256(), 0
                for piece in _pieces(store, key):
                    digest.update(piece)
                    size += len(piece)
                    done += len(piece)
                    progress("objects", done, total)
                if (digest.hexdigest(), size) != (content.sha256, content.size):
                    raise BackupError(f"the object {key} is not the content {content.sha256} that the backup names")
        if named.chunks:
            for chunk, _data in _chunk_bytes(connection, stores.chunks()):
                done += chunk.length
                progress("objects", done, total)


def bring_in(database: Path, named: Named, stores: Stores, contents: Path, *, progress: Progress) -> None:
    """Bring everything that a copied database names in object stores into the copy and below `contents`."""
    total, done = named.content_bytes + named.chunk_bytes, 0
    with closing(_open(database, writable=True)) as connection:
        connection.execute("BEGIN")
        if named.contents:
            store = stores.artifacts()
            for content, key in _contents(connection):
                bring_pieces(content, _pieces(store, key), f"the object {key}", contents)
                done += content.size
                progress("objects", done, total)
            connection.execute("DELETE FROM blob_object_")
        if named.chunks:
            for chunk, data in _chunk_bytes(connection, stores.chunks()):
                connection.execute(
                    "UPDATE chunk_ SET data = ? WHERE tenant = ? AND run = ? AND key = ? AND gen = ? AND part = ?",
                    (data, chunk.tenant, chunk.run, chunk.key, chunk.gen, chunk.part),
                )
                done += chunk.length
                progress("objects", done, total)
            connection.execute("DELETE FROM chunk_object_")
        connection.execute("DELETE FROM upload_")  # their parts are objects; whoever sends one begins again
        _renew(connection)
        connection.execute("COMMIT")


def become_another(database: Path) -> str:
    """Give a copied database an id of its own, for it goes on beside the one it was made of; the id."""
    with closing(_open(database, writable=True)) as connection:
        return _renew(connection)


def _renew(connection: sqlite.Connection) -> str:
    uid = uuid4().hex
    connection.execute("UPDATE installation_ SET id = ?", (uid,))
    return uid


def _contents(connection: sqlite.Connection) -> Iterator[tuple[Content, str]]:
    for tenant, sha256, size, key in connection.execute(_CONTENTS):
        yield Content(int(tenant), str(sha256), int(size)), str(key)


def _pieces(store: RemoteStore, key: str) -> Iterator[bytes]:
    try:
        yield from read_object(store, key, piece_bytes=_PIECE_BYTES)
    except (FileNotFoundError, Unavailable) as error:
        raise _lost(key, error) from None


def _chunk_bytes(connection: sqlite.Connection, store: RemoteStore) -> Iterator[tuple[_Chunk, bytes]]:
    """The bytes of each moved chunk, decoded once to see that they are what was sealed."""
    # All places are held, not all bytes: what is written while they are read would disturb the cursor.
    for wanted in _together([_Chunk(*row) for row in connection.execute(_CHUNKS)]):
        key = wanted[0].object
        try:
            with failing_as_unavailable():
                fetched = obstore.get_ranges(
                    store, key, starts=[each.at for each in wanted], lengths=[each.length for each in wanted]
                )
        except (FileNotFoundError, Unavailable) as error:
            raise _lost(key, error) from None
        for chunk, data in zip(wanted, fetched, strict=True):
            try:
                decode(chunk.codec, chunk.n, bytes(data))
            except DamagedPoints as error:
                raise BackupError(f"the object {key} is damaged: {error}; bring it back from the store") from None
            yield chunk, bytes(data)


def _together(chunks: list[_Chunk]) -> Iterator[list[_Chunk]]:
    """Chunks of one object, some at a time."""
    batch: list[_Chunk] = []
    size = 0
    for chunk in chunks:
        if batch and (chunk.object != batch[0].object or size + chunk.length > _RANGES_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(chunk)
        size += chunk.length
    if batch:
        yield batch


def _lost(key: str, error: Exception) -> BackupError:
    if isinstance(error, FileNotFoundError):
        return BackupError(f"the object {key} is not in its store any more; bring it back from the store's versions")
    return BackupError(f"the object {key} cannot be read: the store does not answer; try again")


def _open(database: Path, *, writable: bool = False) -> sqlite.Connection:
    mode = "mode=rw" if writable else "mode=ro&immutable=1"
    return sqlite.connect(f"file:{database}?{mode}", uri=True, isolation_level=None)
