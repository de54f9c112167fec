"""`gnomon verify`: is all that a home keeps what was written? `gnomon doctor --full` asks it too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from msgspec import Struct

from gnomon.cli.progress import showing_progress
from gnomon.cli.session import json_option
from gnomon.cli.text import plain, print_json
from gnomon_server.commands.home import home_option, open_as_it_is
from gnomon_server.core.audit import verify as verify_chain
from gnomon_server.model.errors import GnomonError, Unavailable
from gnomon_server.settings import Settings, load_settings
from gnomon_server.store import Connection
from gnomon_server.store.meta import checkup
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.engine import Database as SqliteDatabase
from gnomon_server.store.object_store import StoreRefused
from gnomon_server.store.opening import CANNOT_OPEN
from gnomon_server.store.verify import attach_chunks, contents, verify_contents, verify_points, verify_rows
from gnomon_server.store.verify.verdicts import Finding, Progress, Verdict

_RESTORE = "restore a backup beside it (`gnomon restore`), and compare what is named"
# What a person does next, for each kind of thing.
NEXT_STEPS = {
    "database": "restore it from a backup: `gnomon restore`",
    "integrity": "restore it from a backup: `gnomon restore`",
    "references": _RESTORE,
    "counts": f"pages and searches may miss something; {_RESTORE}",
    "quotas": "count them anew: `gnomon doctor --repair`",
    "points": f"bring objects that are named back from the store's versions; {_RESTORE}",
    "summaries": _RESTORE,
    "ledger": _RESTORE,
    "artifacts": "upload the file again, or bring the content back from a backup",
    "object store": "see that the store runs and that GNOMON_ARTIFACTS and GNOMON_CHUNKS are those of the server",
    "audit log": "look at who can write the database, and restore it from a backup",
}


class Verified(Struct, frozen=True):
    """What `--json` prints: the verdict on each kind of thing, and how many things are wrong in all."""

    verdicts: list[Verdict]
    wrong: int


@click.command("verify")
@home_option
@json_option
def command(home: Path | None, as_json: bool) -> None:
    """Read everything that a home keeps, and name each thing that is not as it was written.

    Points, their summaries, the ledger, artifacts, references between rows, counters and the audit log; contents and
    chunks in object stores too. A server may run meanwhile. Changes nothing. Ends with 1 when something is wrong.
    """
    verdicts: list[Verdict] = []
    with _opened(home) as (database, settings), showing_progress() as progress:
        for verdict in all_verdicts(database, settings, progress=progress):
            verdicts.append(verdict)
            if not as_json:
                _print(verdict)
    wrong = sum(verdict.wrong for verdict in verdicts)
    if as_json:
        print_json(Verified(verdicts, wrong))
    else:
        click.echo("everything is as it was written" if not wrong else f"{wrong:,} things are not as they were written")
    if wrong:
        raise click.exceptions.Exit(1)


def all_verdicts(database: Database, settings: Settings, *, progress: Progress) -> Iterator[Verdict]:
    """The verdict on each kind of thing, as it is reached."""
    try:
        if isinstance(database, SqliteDatabase):
            yield _integrity(database)
        yield from verify_rows(database, progress=progress)
        with database.system() as connection:
            yield audit_verdict(connection)
        yield from _objects(database, settings)
        yield from verify_points(database, progress=progress)
        with database.system() as connection:
            read = _reader(connection, settings)
        if read is not None:
            yield verify_contents(database, read, progress=progress)
    except checkup.UNREADABLE as error:
        reason = str(getattr(error, "orig", None) or error)
        yield _refusal("database", "the database", f"it cannot be read: {reason}")
    except Unavailable as error:
        yield _refusal("database", "the database", error.detail)


def audit_verdict(connection: Connection) -> Verdict:
    """The chain of the audit log, from its first entry on."""
    intact, broken = verify_chain(connection)
    found = [] if broken is None else [Finding(f"entry {broken.id}", "it is not as it was written")]
    return Verdict("audit log", "entries", intact + len(found), len(found), found)


def _integrity(database: SqliteDatabase) -> Verdict:
    with database.system() as connection:
        damage = checkup.find_damage(connection)
    if damage is not None:
        return _refusal("integrity", database.path.name, damage)
    return Verdict("integrity", "bytes of pages and indexes", database.path.stat().st_size, 0, [])


def _objects(database: Database, settings: Settings) -> Iterator[Verdict]:
    """Whether the object stores can be asked, where there are any."""
    if not (settings.artifacts or settings.chunks):
        return
    try:
        attach_chunks(database, settings)
        if settings.artifacts:
            with database.system() as connection:
                contents.object_reader(connection, settings)
    except StoreRefused as error:
        yield _refusal("object store", settings.artifacts or settings.chunks, str(error))
        return
    yield Verdict("object store", "stores that answer", bool(settings.artifacts) + bool(settings.chunks), 0, [])


def _reader(connection: Connection, settings: Settings) -> contents.Reader | None:
    """None where the store refuses, which has been said."""
    if not settings.artifacts:
        return contents.local_reader(settings)
    try:
        return contents.object_reader(connection, settings)
    except StoreRefused:
        return None


def _refusal(name: str, place: str, says: str) -> Verdict:
    return Verdict(name, "", 1, 1, [Finding(place, says)])


def _print(verdict: Verdict) -> None:
    if not verdict.wrong:
        click.echo(f"{click.style('ok  ', fg='green')}  {verdict.name}: {verdict.checked:,} {verdict.of}")
        return
    click.echo(f"{click.style('fail', fg='red')}  {verdict.name}: {verdict.wrong:,} wrong of {verdict.checked:,}")
    for found in verdict.findings:
        click.echo(f"      {plain(found.place)}: {plain(found.says)}")
    if verdict.wrong > len(verdict.findings):
        click.echo(f"      and {verdict.wrong - len(verdict.findings):,} more")
    click.echo(f"      next: {NEXT_STEPS[verdict.name]}")


@contextmanager
def _opened(home: Path | None) -> Iterator[tuple[Database, Settings]]:
    os.umask(0o077)
    try:
        settings = load_settings(home=None if home is None else str(home))
        database = open_as_it_is(settings)
    except CANNOT_OPEN as error:
        raise click.ClickException(str(error)) from None
    try:
        yield database, settings
    except GnomonError as error:
        raise click.ClickException(error.detail) from None
    finally:
        database.close()
