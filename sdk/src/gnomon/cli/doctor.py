"""`gnomon doctor`: what is wrong here, and what to do about it."""

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click
from msgspec import Struct

from gnomon.checkup import Check, client_checks
from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import plain, print_json
from gnomon.errors import GnomonError

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


class Checkup(Struct, frozen=True):
    """What `--json` prints."""

    checks: list[Check]
    ok: int
    warn: int
    fail: int


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Look at this home of a server too [GNOMON_HOME].")
@click.option("--full", is_flag=True, help="Read all of the home's database and artifacts, however large.")
@click.option("--repair", is_flag=True, help="Count anew what quotas count, where the home's counters are wrong.")
@json_option
@pass_session
def doctor(session: Session, home: Path | None, full: bool, repair: bool, as_json: bool) -> None:
    """Check this machine, the server it logs to, and the home of a server on it.

    Each line is ok, warn or fail, with a next step. Ends with 1 when one is fail. A server may run on the home.
    """
    found: list[Check] = []
    for check in _checks(session, home, full, repair):
        found.append(check)
        if not as_json:
            _print(check)
    count = {state: sum(check.state == state for check in found) for state in _COLOURS}
    if as_json:
        print_json(Checkup(found, ok=count["ok"], warn=count["warn"], fail=count["fail"]))
    else:
        click.echo(f"{count['ok']} ok, {count['warn']} to look at, {count['fail']} wrong")
    if count["fail"]:
        raise click.exceptions.Exit(1)


def _checks(session: Session, home: Path | None, full: bool, repair: bool) -> Iterator[Check]:
    yield from client_checks(session.client, os.environ)
    others = entry_points(group="gnomon.checks")
    if home is not None and not others:
        raise GnomonError("the home of a server is looked at where the server is installed: pip install gnomon")
    for point in others:
        yield from point.load()(home, full=full, repair=repair)


def _print(check: Check) -> None:
    click.echo(
        f"{click.style(f'{check.state:<4}', fg=_COLOURS[check.state])}  {plain(check.name)}: {plain(check.says)}"
    )
    if check.next:
        click.echo(f"      {plain(check.next)}")
