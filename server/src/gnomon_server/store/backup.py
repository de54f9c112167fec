"""Backups of a home: taken while the server runs, checked, and put back. `docs/formats/backup.md` draws it.

    <folder>/<time>/gnomon.db       the database as it was at one moment, packed
    <folder>/<time>/manifest.json   what the backup holds, written last: without it there is no backup
    <folder>/contents/<tenant>/ab/<sha256>   the contents of artifacts, shared by all backups of the folder

Of PostgreSQL the copy is a database of the embedded kind too (`meta/copying.py`), so a backup is one thing wherever it
was taken, and is put back into either.

The database comes first, in one snapshot; then every content that it names. A content is never changed, and one that
is unused is kept for the grace of artifacts, so those of the snapshot are there. One that an earlier backup brought is
not copied again. Nothing that is read is believed: what is copied is hashed on the way, and `verify` hashes it again.
"""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import pysqlite3.dbapi2 as sqlite
from msgspec import Struct

from gnomon_server.store import backup_objects
from gnomon_server.store.backup_files import BackupError as BackupError
from gnomon_server.store.backup_files import Content, bring, copy_file, hash_file, sync_file, write_file
from gnomon_server.store.backup_objects import Named, Stores
from gnomon_server.store.directories import make_durable, sync_directory
from gnomon_server.store.meta.migrate import HEAD, migrate
from gnomon_server.store.opening import migrate_shared, need_driver

FORMAT = 1
_DATABASE, _MANIFEST, _CONTENTS, _ARTIFACTS = "gnomon.db", "manifest.json", "contents", "artifacts"
_ON_DISK = """SELECT b.tenant, b.sha256, b.size FROM blob_ b WHERE NOT EXISTS
    (SELECT 1 FROM blob_object_ o WHERE b.tenant = o.tenant AND b.sha256 = o.sha256) ORDER BY b.tenant, b.sha256"""

# What is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds. `rows` counts the rows of each table; `audit` is the last digest of the audit log.

    `objects` is what stands in object stores and is named alone.
    """

    format: int
    taken_at: str
    revision: str
    database_sha256: str
    database_bytes: int
    rows: dict[str, int]
    contents: int
    content_bytes: int
    audit: str | None
    objects: Named | None = None


def take(
    database: Path | str, artifacts: Path, folder: Path, *, bring_from: Stores | None = None, progress: Progress
) -> tuple[Path, Manifest]:
    """Take a backup of a home into the folder; servers may run. Returns where it stands, and its manifest.

    `database` is the file of an embedded one, or the URL of PostgreSQL for the role that serves or the owner. With
    `bring_from` what stands in these object stores is brought along, and the backup needs them no more.
    """
    if isinstance(database, Path) and not database.exists():
        raise BackupError(f"there is no database {database}; name the home with --home")
    moment = datetime.now(UTC)
    place = folder / f"{moment:%Y%m%dT%H%M%S.%fZ}"
    partial = folder / f"partial-{uuid4().hex}"
    make_durable(partial)
    try:
        progress("database", 0, 1)
        _copy_database(database, partial / _DATABASE, progress)
        progress("database", 1, 1)
        named = backup_objects.find_named(partial / _DATABASE)
        if named is not None and bring_from is not None:
            backup_objects.bring_in(partial / _DATABASE, named, bring_from, folder / _CONTENTS, progress=progress)
            sync_file(partial / _DATABASE)
            named = None
        contents = _contents(partial / _DATABASE)
        total = sum(content.size for content in contents)
        done = 0
        for content in contents:
            bring(content, artifacts, folder / _CONTENTS)
            done += content.size
            progress("contents", done, total)
        sha256, size = hash_file(partial / _DATABASE)
        manifest = Manifest(
            format=FORMAT,
            taken_at=f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
            revision=_scalar(partial / _DATABASE, "SELECT version_num FROM alembic_version") or "",
            database_sha256=sha256,
            database_bytes=size,
            rows=_rows(partial / _DATABASE),
            contents=len(contents),
            content_bytes=total,
            audit=_scalar(partial / _DATABASE, "SELECT lower(hex(digest)) FROM audit_ ORDER BY id DESC LIMIT 1"),
            objects=named,
        )
        write_file(partial / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        sync_directory(partial)
        partial.rename(place)
        sync_directory(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return place, manifest


def find(folder: Path) -> list[Path]:
    """The whole backups of a folder, oldest first."""
    return sorted(path.parent for path in folder.glob(f"*/{_MANIFEST}")) if folder.is_dir() else []


def verify(place: Path, *, stores: Stores | None = None, progress: Progress) -> Manifest:
    """Read all of a backup and hold it against its manifest; raises BackupError that names what is damaged.

    Objects that it names are read where they stand when their `stores` are given.
    """
    manifest = _manifest(place)
    database = place / _DATABASE
    progress("database", 0, 1)
    if not database.exists() or hash_file(database) != (manifest.database_sha256, manifest.database_bytes):
        raise BackupError(f"{database} is not the file that was backed up; take another backup of this folder")
    if (found := _scalar(database, "PRAGMA integrity_check")) != "ok":
        raise BackupError(f"the database was damaged before it was backed up: {found}")
    if _scalar(database, "PRAGMA foreign_key_check") is not None or _rows(database) != manifest.rows:
        raise BackupError(f"the rows of {database} are not those that its manifest counts")
    progress("database", 1, 1)
    done = 0
    for content in _contents(database):
        path = content.below(place.parent / _CONTENTS)
        if not path.exists():
            raise BackupError(f"the content {path} is missing; take another backup, it brings what is missing")
        if hash_file(path) != (content.sha256, content.size):
            raise BackupError(f"the content {path} is damaged; remove the file and take another backup")
        done += content.size
        progress("contents", done, manifest.content_bytes)
    if backup_objects.find_named(database) != manifest.objects:
        raise BackupError(f"the objects that {database} names are not those that its manifest counts")
    if manifest.objects is not None and stores is not None:
        backup_objects.check(database, manifest.objects, stores, progress=progress)
    return manifest


def restore(place: Path, home: Path, *, take_over: Stores | None = None, progress: Progress) -> Manifest:
    """Put a backup into a home that is new or empty. Everything is checked on the way; a failure leaves no database.

    A backup that names objects is put back where their stores may be taken over from the installation they belong to.
    """
    manifest = _fit(place, home, take_over, progress)
    _bring_back(place, home, manifest, progress)
    partial = home / "gnomon.db.partial"
    progress("database back", 0, 1)
    copy_file(place / _DATABASE, partial)
    uid = _renewed(partial, manifest)
    partial.rename(home / _DATABASE)
    sync_directory(home)
    progress("database back", 1, 1)
    if uid is not None and take_over is not None:
        take_over.take_over(uid)
    return manifest


def restore_shared(
    place: Path,
    home: Path,
    url: str,
    *,
    serving_role: str | None = None,
    take_over: Stores | None = None,
    progress: Progress,
) -> Manifest:
    """Put a backup into a PostgreSQL database without rows, and its contents into a home that is new or empty.

    `url` is of the role that owns the database. The rows come in one transaction, and are compared with those of the
    backup before it is committed; after a failure there are none, and nothing is left in the home.
    """
    manifest = _fit(place, home, take_over, progress)
    migrate_shared(url, serving_role=serving_role)
    from gnomon_server.store.meta import move  # needs the driver, which migrating has asked for

    make_durable(home)
    partial = home / "gnomon.db.partial"
    try:
        move.refuse_rows_of(url)  # before hours of copying; `restore` looks again
        _bring_back(place, home, manifest, progress)
        copy_file(place / _DATABASE, partial)
        migrate(partial)
        uid = _renewed(partial, manifest)
        move.restore(partial, url, progress=progress)
    except BaseException as error:
        shutil.rmtree(home / _ARTIFACTS, ignore_errors=True)
        if isinstance(error, move.MoveError):
            raise BackupError(str(error)) from None
        raise
    finally:
        for path in (partial, *(partial.with_name(partial.name + end) for end in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)
    if uid is not None and take_over is not None:
        take_over.take_over(uid)
    return manifest


def _renewed(database: Path, manifest: Manifest) -> str | None:
    """The new id of a copy that names objects; None of one that names none, which keeps its own."""
    if manifest.objects is None:
        return None
    uid = backup_objects.become_another(database)
    sync_file(database)
    return uid


def _fit(place: Path, home: Path, take_over: Stores | None, progress: Progress) -> Manifest:
    """The manifest of a backup that is whole and can be put into this home."""
    manifest = verify(place, progress=progress)
    if home.exists() and any(home.iterdir()):
        raise BackupError(f"{home} is not empty; restore into a new folder, then start the server on it")
    if manifest.revision > HEAD:
        raise BackupError(f"the backup is of a newer gnomon (revision {manifest.revision}); install that version")
    if manifest.objects is not None:
        if take_over is None:
            raise BackupError(
                "the backup names objects that belong to the installation it was taken of; if that will never run"
                " again, restore with --take-over-objects, and for a copy beside it take a backup with"
                " --include-objects"
            )
        take_over.need(manifest.objects)
    return manifest


def _bring_back(place: Path, home: Path, manifest: Manifest, progress: Progress) -> None:
    make_durable(home)
    done = 0
    for content in _contents(place / _DATABASE):
        bring(content, place.parent / _CONTENTS, home / _ARTIFACTS)
        done += content.size
        progress("contents back", done, manifest.content_bytes)


def _manifest(place: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode((place / _MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupError(f"{place} is no whole backup: it has no {_MANIFEST}") from None
    except msgspec.MsgspecError as error:
        raise BackupError(f"{place / _MANIFEST} cannot be read: {error}") from None
    if manifest.format != FORMAT:
        raise BackupError(f"{place} has the format {manifest.format}, which this version cannot read")
    return manifest


def _copy_database(source: Path | str, target: Path, progress: Progress) -> None:
    """One snapshot, packed; those who write wait for nothing."""
    if isinstance(source, str):
        _copy_shared(source, target, progress)
    else:
        connection = sqlite.connect(str(source), timeout=30)
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        except sqlite.Error as error:
            raise BackupError(f"{source} cannot be copied: {error}") from None
        finally:
            connection.close()
    target.chmod(0o600)
    sync_file(target)


def _copy_shared(url: str, target: Path, progress: Progress) -> None:
    need_driver()
    from gnomon_server.store.meta import copying
    from gnomon_server.store.meta.move import MoveError

    try:
        copying.copy_out(url, target, progress=progress)
    except MoveError as error:
        raise BackupError(str(error)) from None


def _contents(database: Path) -> list[Content]:
    with _reading(database) as connection:
        # Those in an object store are not copied; a database of before has no such table.
        known = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'blob_object_'").fetchone()
        listed = _ON_DISK if known else "SELECT tenant, sha256, size FROM blob_ ORDER BY tenant, sha256"
        rows = connection.execute(listed).fetchall()
    return [Content(int(tenant), str(sha256), int(size)) for tenant, sha256, size in rows]


def _rows(database: Path) -> dict[str, int]:
    with _reading(database) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608  # our tables
            for name in sorted(names)
        }


def _scalar(database: Path, statement: str) -> str | None:
    with _reading(database) as connection:
        row = connection.execute(statement).fetchone()
    return None if row is None else str(row[0])


class _reading:  # noqa: N801  # a context manager, used like a function
    """A connection that changes nothing, not even by making a WAL beside the file."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite.connect(f"file:{database}?mode=ro&immutable=1", uri=True)

    def __enter__(self) -> sqlite.Connection:
        return self._connection

    def __exit__(self, *_error: object) -> None:
        self._connection.close()
