"""The checks of a home for `gnomon doctor`, found by the entry point `gnomon.checks`.

The home may be in use: everything is read beside the server that has it. Nothing is repaired here; each line says
what a person does next.
"""

import fcntl
import hashlib
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from gnomon.checkup import Check
from gnomon.places import network_type
from gnomon_server.core.audit import verify as verify_chain
from gnomon_server.settings import Settings, load_settings
from gnomon_server.store import Connection, database_path
from gnomon_server.store.meta import api_keys, checkup
from gnomon_server.store.meta.engine import MIN_SQLITE, Database
from gnomon_server.store.meta.migrate import HEAD

# The reserve is 64 MiB, and logging is refused when there is no room for it and half as much again.
_LEAST_FREE_BYTES = 96 * 1024 * 1024
_SLOW_SYNC_SECS = 0.05
_SYNCS = 15
# Read without being asked for it with --full: a few seconds.
_READ_BYTES = 2 << 30
_SAMPLED_CONTENTS = 20
_SAMPLED_BYTES = 256 << 20
_SOON_MS = 14 * 86_400_000


def home_checks(home: Path | None, *, full: bool) -> Iterator[Check]:
    """The checks of a home, one after the other as they are done; none where no home is."""
    try:
        settings = load_settings(home=None if home is None else str(home))
        path = database_path(settings.database_url)
    except ValueError as error:
        yield Check("settings", "fail", str(error), "docs/reference/settings.md names every setting")
        return
    folder = settings.home_path
    if not folder.is_dir():
        if home is not None:
            yield Check("home", "fail", f"there is no folder {folder}", "name the home that `gnomon server` uses")
        return
    yield _sqlite_version()
    owner = _owner(folder)
    yield owner
    if owner.state == "fail":  # what SQLite makes beside the database would be ours, and lock its owner out
        return
    yield _file_system(folder)
    yield _free(path.parent)
    yield _sync_time(path.parent)
    is_running = _is_running(folder)
    yield Check("in use", "ok", f"a server runs on {folder}" if is_running else f"no server runs on {folder}")
    if not path.exists():
        yield Check("database", "fail" if is_running else "ok", f"there is no database {path} yet", "")
        return
    try:
        yield from _database(path, settings, full=full)
    except sqlite.Error as error:
        yield Check("database", "fail", f"{path} cannot be read: {error}", "restore it from a backup: `gnomon restore`")


def _sqlite_version() -> Check:
    needed = ".".join(map(str, MIN_SQLITE))
    if sqlite.sqlite_version_info < MIN_SQLITE:
        return Check(
            "sqlite", "fail", f"SQLite {sqlite.sqlite_version} is older than {needed}", "install pysqlite3 again"
        )
    return Check("sqlite", "ok", f"SQLite {sqlite.sqlite_version}")


def _owner(folder: Path) -> Check:
    shared, foreign = [], []
    for path in (folder, *folder.iterdir()):
        try:
            found = path.lstat()
        except FileNotFoundError:  # a file of a running server that went
            continue
        if found.st_mode & 0o077:
            shared.append(path)
        if found.st_uid != os.getuid():
            foreign.append(path)
    if foreign:
        next_step = f"run the server and this command as one user; chown -R that user {folder}"
        return Check("permissions", "fail", f"{foreign[0]} belongs to another user", next_step)
    if shared:
        return Check("permissions", "warn", f"others may reach into {shared[0]}", f"chmod -R go= {folder}")
    return Check("permissions", "ok", "the home and what is in it are its owner's alone")


def _file_system(folder: Path) -> Check:
    kind = network_type(folder)
    if kind is None:
        return Check("file system", "ok", "the home is on a local file system")
    says = f"the home is on a network file system ({kind}), where SQLite can lose what it wrote"
    return Check("file system", "fail", says, "move the home to a local disk, or use PostgreSQL")


def _free(folder: Path) -> Check:
    disk = os.statvfs(folder)
    free, every = disk.f_frsize * disk.f_bavail, disk.f_frsize * disk.f_blocks
    says = f"{free / 1e9:.1f} GB of {every / 1e9:.1f} GB free"
    if free < _LEAST_FREE_BYTES:
        return Check(
            "disk", "fail", f"{says}: logging is refused", "free some space; `gnomon storage` says what uses it"
        )
    if free * 10 < every:
        return Check("disk", "warn", says, "free some space soon; `gnomon storage` says what uses it")
    return Check("disk", "ok", says)


def _sync_time(folder: Path) -> Check:
    """How long the disk takes to say that a page is on it: every commit waits for that."""
    probe = folder / f"doctor-{os.getpid()}.probe"
    taken = []
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            for _ in range(_SYNCS):
                os.write(descriptor, bytes(4096))
                begun = time.perf_counter()
                os.fdatasync(descriptor)
                taken.append(time.perf_counter() - begun)
        finally:
            os.close(descriptor)
            probe.unlink()
    except OSError as error:
        return Check(
            "sync", "fail", f"nothing can be written in {folder}: {error.strerror}", "free space or mend the disk"
        )
    median = statistics.median(taken)
    says = f"the disk syncs a page in {median * 1000:.2f} ms (median of {_SYNCS}, slowest {max(taken) * 1000:.1f} ms)"
    if median > _SLOW_SYNC_SECS:
        return Check("sync", "warn", says, "every commit waits for it: put the home on a faster disk")
    return Check("sync", "ok", says)


def _is_running(folder: Path) -> bool:
    try:
        lock = os.open(folder / "gnomon.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)


def _database(path: Path, settings: Settings, *, full: bool) -> Iterator[Check]:
    database = Database(path)
    try:
        with database.system() as connection:
            revision = checkup.read_revision(connection)
            if revision is None or revision > HEAD:
                says = "is not a database of ours" if revision is None else f"is of a newer gnomon ({revision})"
                yield Check("tables", "fail", f"{path} {says}", "install the version that wrote it")
                return
            if revision < HEAD:
                says = f"revision {revision}; the next start brings it to {HEAD}"
                yield Check("tables", "warn", says, "take a backup first: `gnomon backup`")
                return
            yield Check("tables", "ok", f"revision {HEAD}")
            yield from _integrity(connection, path, full=full)
            yield from _keys(connection, settings)
            yield _audit(connection)
            yield _contents(connection, settings.home_path / "artifacts", full=full)
    finally:
        database.close()


def _integrity(connection: Connection, path: Path, *, full: bool) -> Iterator[Check]:
    size = path.stat().st_size
    if size > _READ_BYTES and not full:
        says = f"not read: it has {size / 1e9:.1f} GB"
        yield Check(
            "integrity", "warn", says, "read it all with --full, or take a backup and `gnomon backup verify` it"
        )
        return
    damage = checkup.find_damage(connection)
    if damage is not None:
        yield Check("integrity", "fail", f"{path} is damaged: {damage}", "restore it from a backup: `gnomon restore`")
        return
    yield Check("integrity", "ok", f"every page, index and reference of {size / 1e6:.0f} MB is sound")
    found = checkup.audit_points(connection)
    if found.wrong:
        says = f"{found.wrong} runs do not hold the points that their metrics count, {', '.join(found.examples)} first"
        yield Check("points", "fail", says, "compare with a backup, and report it with the server's log")
        return
    skipped = f"; {found.skipped} have repeats that are counted until sealed" if found.skipped else ""
    yield Check("points", "ok", f"{found.compared} runs hold exactly the points that their metrics count{skipped}")


def _keys(connection: Connection, settings: Settings) -> Iterator[Check]:
    now_ms = time.time_ns() // 1_000_000
    if api_keys.read_version(connection) == 0:
        if settings.host in ("127.0.0.1", "localhost", "::1"):
            yield Check("keys", "ok", "open mode: no API keys, and the server listens on this machine only")
        else:
            next_step = "make a key: `gnomon keys create --tenant NAME --role admin`"
            yield Check("keys", "fail", f"no API keys, and the server is to listen on {settings.host}", next_step)
        return
    live = [key for key in api_keys.list_keys(connection) if key.is_live(now_ms)]
    if not any(key.role in ("admin", "platform") for key in live):
        next_step = "make one here: `gnomon keys create --role platform`"
        yield Check("keys", "warn", f"{len(live)} API keys open the server, and none of them manages keys", next_step)
        return
    soon = [key.id for key in live if key.expires_ms is not None and key.expires_ms - now_ms < _SOON_MS]
    if soon:
        says = f"of {len(live)} API keys {len(soon)} end within 14 days: {', '.join(soon[:3])}"
        yield Check("keys", "warn", says, f"`gnomon keys rotate {soon[0]}`")
        return
    yield Check("keys", "ok", f"{len(live)} API keys open the server")


def _audit(connection: Connection) -> Check:
    intact, broken = verify_chain(connection)
    if broken is not None:
        says = f"entry {broken.id} of the audit log is not as it was written"
        return Check("audit log", "fail", says, "look at who can write the database, and restore it from a backup")
    return Check("audit log", "ok", f"{intact} entries, all as written")


def _contents(connection: Connection, root: Path, *, full: bool) -> Check:
    read = number = 0
    for content in checkup.sample_contents(connection, most=None if full else _SAMPLED_CONTENTS):
        if not full and read + content.size > _SAMPLED_BYTES:
            continue
        path = root / str(content.tenant) / content.sha256[:2] / content.sha256
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return Check("artifacts", "fail", f"{path} cannot be read: {error.strerror}", "bring it back from a backup")
        if found != content.sha256:
            return Check(
                "artifacts", "fail", f"{path} is damaged", "upload the file again, or restore it from a backup"
            )
        read, number = read + content.size, number + 1
    which = "all" if full else "at random"
    return Check("artifacts", "ok", f"{number} contents ({which}, {read / 1e6:.0f} MB) are what their hashes say")
