"""The checks of what a home keeps, for `gnomon doctor`: the database of either kind, keys, audit log, contents."""

import time
from collections.abc import Iterator
from contextlib import closing

from gnomon.checkup import Check
from gnomon.cli.progress import showing_progress
from gnomon_server.commands.home import now_ms
from gnomon_server.commands.verify import NEXT_STEPS, all_verdicts, audit_verdict
from gnomon_server.core.quota_repair import repair_counters
from gnomon_server.model.errors import Unavailable
from gnomon_server.settings import Settings, is_postgresql
from gnomon_server.store import Connection, database_path
from gnomon_server.store.meta import api_keys, checkup
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.engine import Database as SqliteDatabase
from gnomon_server.store.meta.migrate import HEAD
from gnomon_server.store.object_store import StoreRefused
from gnomon_server.store.opening import CANNOT_OPEN, open_database
from gnomon_server.store.verify import contents, verify_quotas
from gnomon_server.store.verify.verdicts import Verdict

# Read without being asked for it with --full: a few seconds.
_READ_BYTES = 2 << 30
_SAMPLED_CONTENTS = 20
_SAMPLED_BYTES = 256 << 20
_SOON_MS = 14 * 86_400_000


def data_checks(settings: Settings, *, full: bool, repair: bool, is_running: bool) -> Iterator[Check]:
    """The checks of what is kept, one after the other as they are done."""
    try:
        if is_postgresql(settings.database_url):
            yield from _shared(settings, full=full, repair=repair)
        else:
            yield from _embedded(settings, full=full, repair=repair, is_running=is_running)
    except checkup.UNREADABLE as error:
        reason = str(getattr(error, "orig", None) or error)
        yield Check("database", "fail", f"it cannot be read: {reason}", "restore it from a backup: `gnomon restore`")
    except Unavailable as error:
        yield Check("database", "fail", error.detail, "see that PostgreSQL runs, and look again")


def _embedded(settings: Settings, *, full: bool, repair: bool, is_running: bool) -> Iterator[Check]:
    path = database_path(settings.database_url)
    if not path.exists():
        state, next_step = ("fail", "stop the server: its database is gone") if is_running else ("ok", "")
        yield Check("database", "fail" if state == "fail" else "ok", f"there is no database {path} yet", next_step)
        return
    database = SqliteDatabase(path)
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
            size = path.stat().st_size
            if size > _READ_BYTES and not full:
                says = f"not read: it has {size / 1e9:.1f} GB"
                next_step = "read it all with --full, or take a backup and `gnomon backup verify` it"
                yield Check("integrity", "warn", says, next_step)
            elif not full:
                yield _integrity(connection, size)
                yield _points(connection)
            yield from _keys(connection, settings)
        if repair:
            yield _repaired(database)
        yield from _rest(database, settings, full=full)
    finally:
        database.close()


def _shared(settings: Settings, *, full: bool, repair: bool) -> Iterator[Check]:
    try:
        database = open_database(settings)
    except CANNOT_OPEN as error:
        yield Check("database", "fail", str(error), "the server does not start before that is mended")
        return
    try:
        with database.system() as connection:
            yield Check("tables", "ok", f"revision {HEAD}, {checkup.describe_postgres(connection)}")
            yield from _keys(connection, settings)
        if repair:
            yield _repaired(database)
        yield from _rest(database, settings, full=full)
    finally:
        database.close()


def _rest(database: Database, settings: Settings, *, full: bool) -> Iterator[Check]:
    """What `gnomon verify` looks at: all of it, or what costs little."""
    if full:
        with showing_progress() as progress:
            for verdict in all_verdicts(database, settings, progress=progress):
                yield _check_of(verdict)
        return
    yield _check_of(verify_quotas(database))
    with database.system() as connection:
        yield _check_of(audit_verdict(connection))
        reader = contents.local_reader(settings)
        if settings.artifacts:
            try:
                reader = contents.object_reader(connection, settings)
            except StoreRefused as error:
                yield Check("object store", "fail", str(error), "artifacts can be neither sent nor fetched until then")
                return
            yield Check("object store", "ok", f"{settings.artifacts} answers, and is of this installation")
        yield _contents(connection, reader)


def _repaired(database: Database) -> Check:
    with closing(database.open_writer()) as writing:
        found = repair_counters(database, writing, now_ms=now_ms)
    says = f"of {len(found)} tenants: {', '.join(found[:3])}" if found else "none was wrong"
    return Check("repair", "ok", f"counters of quotas were counted anew, {says}")


def _check_of(verdict: Verdict) -> Check:
    if not verdict.wrong:
        return Check(verdict.name, "ok", f"{verdict.checked:,} {verdict.of}, all as written")
    first = verdict.findings[0]
    more = f", and {verdict.wrong - 1:,} more" if verdict.wrong > 1 else ""
    return Check(verdict.name, "fail", f"{first.place}: {first.says}{more}", NEXT_STEPS[verdict.name])


def _integrity(connection: Connection, size: int) -> Check:
    damage = checkup.find_damage(connection)
    if damage is not None:
        next_step = "restore it from a backup: `gnomon restore`"
        return Check("integrity", "fail", f"the database is damaged: {damage}", next_step)
    return Check("integrity", "ok", f"every page, index and reference of {size / 1e6:.0f} MB is sound")


def _points(connection: Connection) -> Check:
    found = checkup.audit_points(connection)
    if found.wrong:
        says = f"{found.wrong} runs do not hold the points that their metrics count, {', '.join(found.examples)} first"
        return Check("points", "fail", says, "compare with a backup, and report it with the server's log")
    skipped = f"; {found.skipped} have repeats that are counted until sealed" if found.skipped else ""
    return Check("points", "ok", f"{found.compared} runs hold exactly the points that their metrics count{skipped}")


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


def _contents(connection: Connection, read: contents.Reader) -> Check:
    size = number = 0
    for content in checkup.sample_contents(connection, most=_SAMPLED_CONTENTS):
        if size + content.size > _SAMPLED_BYTES:
            continue
        if says := contents.check_content(content, read):
            found = contents.finding_of(content, says)
            return Check("artifacts", "fail", f"{found.place}: {found.says}", NEXT_STEPS["artifacts"])
        size, number = size + content.size, number + 1
    return Check("artifacts", "ok", f"{number} contents (at random, {size / 1e6:.0f} MB) are what their hashes say")
