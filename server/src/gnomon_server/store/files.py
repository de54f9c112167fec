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
from gnomon_server.store.object_store import StoreRefused, claim, open_objects, place_of
from gnomon_server.store.object_uploads import ObjectUploads
from gnomon_server.store.uploads import UploadStore


class Files(NamedTuple):
    """What keeps files; `direct` where there is an object store."""

    blobs: Blobs
    uploads: UploadStore
    direct: DirectStore | None


def open_files(settings: Settings, database: Database, writer: BatchWriter) -> Files:
    """The contents and the uploads under way. Raises `StoreRefused` when the object store cannot be used."""
    root = settings.home_path / "artifacts"
    local = LocalBlobs(root)
    with database.system() as connection:
        has_objects = counts_objects(connection)
        uid = connection.scalar(sa.select(installation.c.id)) or ""
    if not settings.artifacts:
        if has_objects:
            raise StoreRefused(
                "some artifacts stand in an object store, and GNOMON_ARTIFACTS names none; give the URL that it had"
            )
        return Files(local, LocalUploads(root / "uploads", local), None)
    place = place_of(settings)
    store = open_objects(place)
    claim(store, place, uid)
    blobs = ObjectBlobs(store, local)
    uploads = ObjectUploads(blobs, database, writer)
    return Files(blobs, uploads, DirectStore(blobs, uploads, database, writer))
