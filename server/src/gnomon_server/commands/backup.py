"""`gnomon backup` and `gnomon restore`: copies of a home that are proven to be whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from msgspec import Struct

from gnomon.cli.progress import showing_progress
from gnomon.cli.session import json_option
from gnomon.cli.text import print_facts, print_json, print_table, size
from gnomon_server.commands.home import home_option, write_down
from gnomon_server.core.keys import OPERATOR
from gnomon_server.model.audit import Deed
from gnomon_server.settings import Settings, is_postgresql, load_settings
from gnomon_server.store import backup, database_path
from gnomon_server.store.backup import BackupError, Manifest
from gnomon_server.store.backup_objects import Stores
from gnomon_server.store.opening import CANNOT_OPEN

folder_argument = click.argument("folder", type=click.Path(path_type=Path))


class Told(Struct, frozen=True):
    """What the commands answer with `--json`."""

    backup: str
    manifest: Manifest


class _TakesByDefault(click.Group):
    """`gnomon backup FOLDER` is `gnomon backup take FOLDER`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["take", *args]
        return super().parse_args(ctx, args)


@click.group("backup", cls=_TakesByDefault)
def command() -> None:
    """Take backups of the server's data while it runs, and prove that they are whole.

    `gnomon backup FOLDER` takes one.
    """


@command.command()
@folder_argument
@click.option("--include-objects", is_flag=True, help="Bring along what stands in object stores.")
@home_option
@json_option
def take(folder: Path, include_objects: bool, home: Path | None, as_json: bool) -> None:
    """Take a backup into FOLDER, which may hold earlier ones: contents they share are kept once.

    What stands in object stores (GNOMON_ARTIFACTS, GNOMON_CHUNKS) is named with its hash and stays there, unless
    --include-objects brings it along; the backup then needs no store.
    """
    settings = _settings(home)
    stores = Stores(settings) if include_objects else None
    with _sentences(), showing_progress() as progress:
        place, manifest = backup.take(
            _database(settings),
            settings.home_path / "artifacts",
            folder.absolute(),
            bring_from=stores,
            progress=progress,
        )
        write_down(settings, _deed("backup.take", place, manifest))
    _tell(place, manifest, as_json)


@command.command()
@folder_argument
@click.option("--at", "name", help="Which one, as `gnomon backup list` names it [default: the newest].")
@click.option("--skip-objects", is_flag=True, help="Do not read what the backup names in object stores.")
@json_option
def verify(folder: Path, name: str | None, skip_objects: bool, as_json: bool) -> None:
    """Read all of a backup: its database, its rows, every content. Ends with 1 when anything is damaged.

    Objects that it names are read where they stand: GNOMON_ARTIFACTS and GNOMON_CHUNKS say where, as for the server.
    """
    stores = None if skip_objects else Stores(_settings(None))
    with _sentences(), showing_progress() as progress:
        place = _chosen(folder, name)
        manifest = backup.verify(place, stores=stores, progress=progress)
    _tell(place, manifest, as_json)


@command.command("list")
@folder_argument
@json_option
def list_backups(folder: Path, as_json: bool) -> None:
    """The backups of FOLDER, oldest first."""
    found = backup.find(folder)
    if as_json:
        print_json([place.name for place in found])
    else:
        print_table(("backup",), [(place.name,) for place in found])


@click.command("restore")
@folder_argument
@click.option("--at", "name", help="Which backup, as `gnomon backup list` names it [default: the newest].")
@click.option("--home", type=click.Path(path_type=Path), required=True, help="a folder that is new or empty")
@click.option("--database", "url", metavar="URL", help="A PostgreSQL database without rows, of the role that owns it.")
@click.option("--serving-role", metavar="NAME", help="A role that servers will use, as in `gnomon server migrate`.")
@click.option("--take-over-objects", is_flag=True, help="The objects that the backup names are this home's from now.")
@json_option
def restore(
    folder: Path,
    name: str | None,
    home: Path,
    url: str | None,
    serving_role: str | None,
    take_over_objects: bool,
    as_json: bool,
) -> None:
    """Put a backup of FOLDER into a new home; start the server on it afterwards.

    With --database the rows go to PostgreSQL and the files into the home, wherever the backup was taken. Objects that
    it names belong to one installation: --take-over-objects when the one that it was taken of will never run again.
    """
    if serving_role is not None and url is None:
        raise click.UsageError("--serving-role belongs to --database, which is not given")
    with _sentences(), showing_progress() as progress:
        place = _chosen(folder, name)
        stores = Stores(_settings(home)) if take_over_objects else None
        if url is None:
            manifest = backup.restore(place, home.absolute(), take_over=stores, progress=progress)
        else:
            manifest = backup.restore_shared(
                place, home.absolute(), url, serving_role=serving_role, take_over=stores, progress=progress
            )
        put = load_settings(home=str(home.absolute()), database=url or f"sqlite:///{home.absolute()}/gnomon.db")
        write_down(put, _deed("backup.restore", place, manifest))
    _tell(place, manifest, as_json)


def _chosen(folder: Path, name: str | None) -> Path:
    found: Sequence[Path] = backup.find(folder.absolute())
    if name is not None:
        found = [place for place in found if place.name == name]
    if not found:
        raise BackupError(
            f"{folder} holds no {'backup' if name is None else f'backup {name}'}; see `gnomon backup list`"
        )
    return found[-1]


def _deed(action: str, place: Path, manifest: Manifest) -> Deed:
    detail = {"folder": str(place.parent), "taken_at": manifest.taken_at, "database_sha256": manifest.database_sha256}
    return Deed(action=action, actor=OPERATOR, target=place.name, detail=detail)


def _tell(place: Path, manifest: Manifest, as_json: bool) -> None:
    if as_json:
        print_json(Told(str(place), manifest))
        return
    rows = manifest.rows
    print_facts(
        {
            "backup": str(place),
            "taken at": manifest.taken_at,
            "experiments, runs": f"{rows.get('experiment_', 0):,}, {rows.get('run_', 0):,}",
            "database": size(manifest.database_bytes),
            "artifacts": f"{manifest.contents:,} contents, {size(manifest.content_bytes)}",
            **_objects(manifest),
        }
    )


def _objects(manifest: Manifest) -> dict[str, str]:
    """What stands elsewhere, and what a person must know of it."""
    named = manifest.objects
    if named is None:
        return {}
    return {
        "in object stores": f"{named.contents:,} contents, {size(named.content_bytes)};"
        f" {named.chunks:,} chunks of points, {size(named.chunk_bytes)}",
        "not in the backup": "the objects: keep them as long as it, or take it with --include-objects",
    }


def _settings(home: Path | None) -> Settings:
    try:
        return load_settings(home=None if home is None else str(home))
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _database(settings: Settings) -> Path | str:
    url = settings.database_url
    return url if is_postgresql(url) else database_path(url)


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except (BackupError, *CANNOT_OPEN) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or 'the backup'}: {error.strerror}; nothing was finished"
        ) from None
