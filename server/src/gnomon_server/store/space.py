"""The files of a home, measured: the database with its WAL and reserve, the contents of artifacts, the disk.

What stands in an object store is told by the rows that name it: no store is asked.
"""

import os
from pathlib import Path

from sqlalchemy.engine import Connection

from gnomon_server.model.storage import InstallationUse
from gnomon_server.store.blobs import Blobs
from gnomon_server.store.meta import storage as sql
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.engine import Database as SqliteDatabase

_BESIDE = ("wal", "reserve")


def measure(database: Database, blobs: Blobs) -> InstallationUse:
    """Sizes as they are now. One row is read for each chunk, and one for each content."""
    with database.system() as connection:
        points, moved = sql.measure_points(connection), sql.measure_moved(connection)
        contents, in_objects, unused = sql.measure_contents(connection)
        if isinstance(database, SqliteDatabase):
            file, free = _pages(connection)
            wal, reserve = (size_of(database.path.with_name(f"{database.path.name}-{part}")) for part in _BESIDE)
            disk = os.statvfs(database.path.parent)
        else:  # its files are the database server's, which tells their sum
            file = int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
            free = wal = reserve = 0
            disk = os.statvfs(blobs.root)
    return InstallationUse(
        database_bytes=file,
        points_bytes=points,
        free_bytes=free,
        moved_bytes=moved,
        wal_bytes=wal,
        reserve_bytes=reserve,
        content_bytes=contents,
        object_bytes=in_objects,
        unused_bytes=unused,
        upload_bytes=blobs.unpublished_bytes(),
        disk_bytes=disk.f_frsize * disk.f_blocks,
        disk_free_bytes=disk.f_frsize * disk.f_bavail,
    )


def _pages(connection: Connection) -> tuple[int, int]:
    """The bytes of SQLite's file, and those of them that hold nothing."""
    size, pages, free = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_size", "page_count", "freelist_count")
    )
    return pages * size, free * size


def size_of(path: Path) -> int:
    """The length of a file; 0 when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
