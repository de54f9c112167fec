"""`gnomon sync`: send what jobs have logged and could not send themselves."""

from dataclasses import replace
from pathlib import Path

import click
from msgspec import Struct

from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import plain, print_json
from gnomon.drain import Drain
from gnomon.errors import GnomonError
from gnomon.places import spool_roots
from gnomon.remote import HttpRemote
from gnomon.spool import adopt, find_folders
from gnomon.uploader import drain_dead, fate_of

# A server that restarts is back within these; after that a person looks.
ATTEMPTS = 6


class Synced(Struct, frozen=True):
    """One writer: what was sent, and what the server says it has of it."""

    run_id: str
    writer: str
    folder: str
    points: int
    points_on_server: int
    rejected: int
    status: str | None

    @property
    def is_checked(self) -> bool:
        return self.points == self.points_on_server


class Left(Struct, frozen=True):
    """One writer whose spool stays, and why."""

    folder: str
    reason: str


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
@pass_session
def sync(session: Session, folder: Path | None, as_json: bool) -> None:
    """Send the spools at or below FOLDER (all of yours, if none is given) whose jobs are dead or have finished.

    A run whose job was killed is ended as killed. What is sent is compared with what the server has. Exit code 1 when
    something is left.
    """
    roots = spool_roots() if folder is None else [folder]
    sent: list[Synced] = []
    left: list[Left] = []
    for each in (found for root in roots if root.exists() for found in find_folders(root)):
        try:
            found = _send(session, each)
        except GnomonError as error:
            found = Left(str(each), str(error))
        if found is None:
            continue
        if isinstance(found, Synced):
            sent.append(found)
        else:
            left.append(found)
        if not as_json:
            click.echo(plain(_line(found)), err=isinstance(found, Left))
    unequal = [each for each in sent if not each.is_checked]
    if as_json:
        print_json({"sent": sent, "left": left, "equal": not unequal})
    else:
        points = sum(each.points for each in sent)
        click.echo(f"{points} points of {len(sent)} spools sent, {len(left)} spools left, {len(unequal)} unequal")
    if left or unequal:
        raise click.exceptions.Exit(1)


def _send(session: Session, folder: Path) -> Synced | Left | None:
    """None: there was nothing in it, or somebody else has sent it by now."""
    adopted = adopt(folder)
    if adopted is None and not folder.exists():
        return None
    if adopted is None:
        return Left(str(folder), "its job is alive and sends it, or somebody else does")
    try:
        drain = drain_dead(
            folder,
            lambda header: _remote(session, header.tenant),
            fate=fate_of(folder),
            on_step=_tell,
        )
        header, cursor = drain.header, drain.cursor
        return Synced(
            run_id=header.run,
            writer=header.writer,
            folder=str(folder),
            points=cursor.points,
            points_on_server=_remote(session, header.tenant).points_of(header.run, header.writer),
            rejected=cursor.rejected,
            status=cursor.status,
        )
    finally:
        adopted.release()


def _remote(session: Session, tenant: str | None) -> HttpRemote:
    """The server of this command; the tenant that the job named, unless the command names one."""
    settings = session.client.settings
    return HttpRemote(replace(settings, tenant=settings.tenant or tenant), max_attempts=ATTEMPTS)


def _tell(drain: Drain) -> None:
    click.echo(plain(f"run {drain.header.run}: {drain.cursor.points} points sent"), err=True)


def _line(found: Synced | Left) -> str:
    if isinstance(found, Left):
        return f"left: {found.folder}: {found.reason}"
    rejected = f", {found.rejected} entries refused (see {found.folder}/rejected)" if found.rejected else ""
    return f"run {found.run_id}: {found.points_on_server} of {found.points} points on the server{rejected}"
