"""The checks of a home for `gnomon doctor`, found by the entry point `gnomon.checks`.

The home may be in use: everything is read beside the server that has it. Nothing but counters is repaired, and those
when asked for; each line says what a person does next.
"""

import fcntl
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from gnomon.checkup import Check
from gnomon.places import network_type
from gnomon_server.commands.checkup_data import data_checks
from gnomon_server.settings import is_postgresql, load_settings
from gnomon_server.store import database_path
from gnomon_server.store.meta.engine import MIN_SQLITE

# The reserve is 64 MiB, and logging is refused when there is no room for it and half as much again.
_LEAST_FREE_BYTES = 96 * 1024 * 1024
_SLOW_SYNC_SECS = 0.05
_SYNCS = 15


def home_checks(home: Path | None, *, full: bool, repair: bool = False) -> Iterator[Check]:
    """The checks of a home, one after the other as they are done; none where no home is.

    `repair`: counters that are wrong are counted anew.
    """
    try:
        settings = load_settings(home=None if home is None else str(home))
        is_shared = is_postgresql(settings.database_url)
        database_folder = settings.home_path if is_shared else database_path(settings.database_url).parent
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
    if not is_shared:  # SQLite alone asks that much of a file system
        yield _file_system(folder)
    yield _free(database_folder)
    yield _sync_time(database_folder)
    is_running = _is_running(folder)
    yield Check("in use", "ok", f"a server runs on {folder}" if is_running else f"no server runs on {folder}")
    yield from data_checks(settings, full=full, repair=repair, is_running=is_running)


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
