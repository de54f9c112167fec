"""`gnomon audit`: read the audit log of the server on this machine, and check that nothing in it was changed."""

import sys
from pathlib import Path

import click
from msgspec import Struct

from gnomon.cli.session import json_option
from gnomon.cli.text import print_json, print_table
from gnomon.wire import AuditListResponse
from gnomon_server.api.key_messages import entry_response
from gnomon_server.commands.home import home_option, opened_home
from gnomon_server.core.audit import verify as verify_chain
from gnomon_server.store.meta import audit


class Verified(Struct, frozen=True):
    """What `gnomon audit verify --json` says: `broken_at` is the number of the first entry that is not as written."""

    intact: int
    broken_at: int | None
    last_digest: str | None


@click.group("audit")
def command() -> None:
    """Read and check the audit log."""


@command.command("list")
@click.option("--tenant", help="Only what concerns this tenant.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--offset", default=0, type=click.IntRange(min=0))
@home_option
@json_option
def list_entries(tenant: str | None, limit: int, offset: int, home: Path | None, as_json: bool) -> None:
    """The entries, newest first."""
    with opened_home(home) as opened, opened.database.system() as connection:
        tenants = None if tenant is None else [tenant]
        total, found = audit.list_entries(connection, tenants=tenants, limit=limit, offset=offset)
    entries = [entry_response(entry) for entry in found]
    if as_json:
        print_json(AuditListResponse(entries=entries, total=total, limit=limit, offset=offset))
        return
    rows = [(str(each.id), each.time, each.tenant, each.actor, each.action, each.target) for each in entries]
    print_table(("number", "time", "tenant", "actor", "action", "target"), rows, right=("number",))


@command.command()
@home_option
@json_option
def verify(home: Path | None, as_json: bool) -> None:
    """Check the chain of hashes from the first entry to the last. Ends with 1 when an entry is not as written.

    Keep the last digest somewhere else: it proves that nothing up to it was changed or cut off.
    """
    with opened_home(home) as opened, opened.database.system() as connection:
        intact, broken = verify_chain(connection)
        _, last = audit.list_entries(connection, tenants=None, limit=1, offset=0)
    digest = last[0].digest.hex() if last else None
    if as_json:
        print_json(Verified(intact=intact, broken_at=None if broken is None else broken.id, last_digest=digest))
    elif broken is None:
        click.echo(f"{intact} entries, all as written; the last digest is {digest or 'none yet'}")
    else:
        click.echo(
            f"entry {broken.id} is not as it was written, {intact} before it are; restore the database from a backup"
            " and look at who can write its file",
            err=True,
        )
    if broken is not None:
        sys.exit(1)
