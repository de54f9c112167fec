"""Where artifacts are kept: below the home, or in the object store that the settings name."""

from typing import NamedTuple

import sqlalchemy as sa

from gnomon_server.settings import Settings
from gnomon_server.store import BatchWriter
from gnomon_server.store.blobs import Blobs
from gnomon_server.store.direct import DirectStore
from gnomon_server.store.local_blobs import LocalBlobs
from gnomon_server.store.local_uploads import LocalUploads
from gnomon_server.store.meta.artifacts import counts_objects
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.object_tables import installation
from gnomon_server.store.object_blobs import ObjectBlobs
from gnomon_server.store.object_chunks import ObjectChunks
from gnomon_server.store.object_store import Ownership, RemoteStore, StoreRefused, claim, open_objects, place_of
from gnomon_server.store.object_uploads import ObjectUploads
from gnomon_server.store.points import moving
from gnomon_server.store.uploads import UploadStore

_NOT_NAMED = "some {what} stand in an object store, and {setting} names none; give the URL that it had"


class Files(NamedTuple):
    """What keeps files; `direct` and `chunks` where there is an object store for them."""

    blobs: Blobs
    uploads: UploadStore
    direct: DirectStore | None
    chunks: ObjectChunks | None


def open_files(settings: Settings, database: Database, writer: BatchWriter) -> Files:
    """The contents and the uploads under way. Raises `StoreRefused` when the object store cannot be used."""
    root = settings.home_path / "artifacts"
    local = LocalBlobs(root, is_shared=database.is_shared)
    with database.system() as connection:
        has_objects = counts_objects(connection)
        has_moved = moving.has_moved(connection)
        uid = connection.scalar(sa.select(installation.c.id)) or ""
    if has_objects and not settings.artifacts:
        raise StoreRefused(_NOT_NAMED.format(what="artifacts", setting="GNOMON_ARTIFACTS"))
    if has_moved and not settings.chunks:
        raise StoreRefused(_NOT_NAMED.format(what="points", setting="GNOMON_CHUNKS"))
    chunks = None
    if settings.chunks:
        cache = settings.home_path / "cache" / "chunks"
        store, owned = _open(settings, settings.chunks, uid)
        chunks = ObjectChunks(store, cache, owned, cache_bytes=settings.chunk_cache_bytes)
        database.moved.attach(chunks)
    if not settings.artifacts:
        return Files(local, LocalUploads(root / "uploads", local), None, chunks)
    store, owned = _open(settings, settings.artifacts, uid)
    blobs = ObjectBlobs(store, local, owned)
    uploads = ObjectUploads(blobs, database, writer)
    return Files(blobs, uploads, DirectStore(blobs, uploads, database, writer), chunks)


def _open(settings: Settings, url: str, uid: str) -> tuple[RemoteStore, Ownership]:
    place = place_of(settings, url)
    store = open_objects(place)
    claim(store, place, uid)
    return store, Ownership(store, place, uid)
