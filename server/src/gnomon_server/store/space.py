"""The files of a home, measured: the database with its WAL and reserve, the contents of artifacts, the disk."""

import os
from pathlib import Path

from gnomon_server.model.storage import InstallationUse
from gnomon_server.store.blobs import BlobStore
from gnomon_server.store.meta import storage as sql
from gnomon_server.store.meta.engine import Database


def measure(database: Database, blobs: BlobStore) -> InstallationUse:
    """Sizes as they are now. One row is read for each chunk, and one for each content."""
    path = database.path
    with database.system() as connection:
        points = sql.measure_points(connection)
        contents, unused = sql.measure_contents(connection)
        page_bytes = int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
    disk = os.statvfs(path.parent)
    return InstallationUse(
        database_bytes=pages * page_bytes,
        points_bytes=points,
        free_bytes=free * page_bytes,
        wal_bytes=size_of(path.with_name(f"{path.name}-wal")),
        reserve_bytes=size_of(path.with_name(f"{path.name}-reserve")),
        content_bytes=contents,
        unused_bytes=unused,
        upload_bytes=blobs.unpublished_bytes(),
        disk_bytes=disk.f_frsize * disk.f_blocks,
        disk_free_bytes=disk.f_frsize * disk.f_bavail,
    )


def size_of(path: Path) -> int:
    """The length of a file; 0 when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
