"""`gnomon server move`: from the embedded database of a home to PostgreSQL."""

from pathlib import Path
from urllib.parse import urlsplit

import click
from msgspec import Struct

from gnomon.cli.progress import showing_progress
from gnomon.cli.session import json_option
from gnomon.cli.text import print_facts, print_json
from gnomon_server.commands.home import home_option, write_down
from gnomon_server.core.keys import OPERATOR
from gnomon_server.model.audit import Deed
from gnomon_server.settings import load_settings


class Moved(Struct, frozen=True):
    """What `--json` prints: what stands at both ends, row for row the same."""

    tables: int
    rows: int
    series: int
    points: int


@click.command("move")
@click.option("--to", "url", required=True, metavar="URL", help="The PostgreSQL database, of the role that owns it.")
@click.option("--serving-role", metavar="NAME", help="A role that servers will use, as in `gnomon server migrate`.")
@home_option
@json_option
def move(url: str, serving_role: str | None, home: Path | None, as_json: bool) -> None:
    """Move a home from its embedded database to PostgreSQL, and compare both ends row by row.

    No server may run on the home. Its files of artifacts stay where they are: start the server with the same home and
    GNOMON_DATABASE. A move that was cut short goes on where it was; the embedded database keeps all it has, and gets
    an entry in its audit log.
    """
    from gnomon_server.store import database_path
    from gnomon_server.store.meta.migrate import migrate
    from gnomon_server.store.opening import CANNOT_OPEN, HomeInUse, lock_home, migrate_shared

    try:
        settings = load_settings(home=None if home is None else str(home), database="")
        path = database_path(settings.database_url)
        if not path.exists():
            raise click.ClickException(f"there is no database {path}; name the home with --home")
        with lock_home(settings):
            migrate(path)
            migrate_shared(url, serving_role=serving_role)
            # Before the rows are copied, so that the entry is among them and a move goes on where it was.
            write_down(settings, Deed(action="server.move", actor=OPERATOR, target=_named(url)))
            from gnomon_server.store.meta import move as moving  # needs the driver, which migrating has asked for

            try:
                with showing_progress() as progress:
                    found = moving.move(path, url, progress=progress)
            except moving.MoveError as error:
                raise click.ClickException(str(error)) from None
    except (HomeInUse, *CANNOT_OPEN) as error:
        raise click.ClickException(str(error)) from None
    answer = Moved(tables=found.tables, rows=found.rows, series=found.series, points=found.points)
    if as_json:
        print_json(answer)
        return
    print_facts(
        {
            "rows": f"{answer.rows:,} in {answer.tables} tables, each the same at both ends",
            "series": f"{answer.series:,}",
            "points": f"{answer.points:,}",
            "next": "start the server with this home and GNOMON_DATABASE set to the URL of its serving role",
        }
    )


def _named(url: str) -> str:
    """Host and name of a database: no user and no password."""
    found = urlsplit(url)
    return f"{found.netloc.rpartition('@')[2]}{found.path}"
