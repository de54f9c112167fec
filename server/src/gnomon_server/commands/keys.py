"""`gnomon keys`: make, list, replace and revoke the API keys of the server on this machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click

from gnomon.cli.session import json_option
from gnomon.cli.text import print_json, print_table
from gnomon.wire import KeyListResponse, KeyMinted, KeyResponse
from gnomon_server.api.key_messages import key_response, minted_response
from gnomon_server.commands.home import home_option, now_ms, opened_home
from gnomon_server.core.keys import Keys, MintedKey
from gnomon_server.model.api_keys import ROLES, Role
from gnomon_server.model.errors import GnomonError

_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Duration(click.ParamType[int]):
    """Text such as `90d`, `12h` or `30m`, as milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,5})([mhd])", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration; write it as 90d, 12h or 30m", param, ctx)
        return int(found[1]) * _UNITS_MS[found[2]]


@click.group("keys")
def command() -> None:
    """Make and revoke API keys. With the first key the server asks everybody for one."""


@command.command()
@click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="A tenant that it opens; may be repeated.")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the key may do there.")
@click.option("--name", default="", help="Who holds it; stands as created_by at the runs it begins.")
@click.option("--expires", type=Duration(), metavar="90d", help="When it ends by itself [default: never].")
@home_option
@json_option
def create(
    tenants: tuple[str, ...], role: str, name: str, expires: int | None, home: Path | None, as_json: bool
) -> None:
    """Make a key and print it: this once, it is kept nowhere."""
    expires_ms = None if expires is None else now_ms() + expires
    with _keys(home) as keys:
        minted = keys.create(None, name=name, role=cast("Role", role), tenant_names=tenants, expires_ms=expires_ms)
    _show(minted, as_json)


@command.command()
@click.argument("key_id")
@click.option("--overlap", type=Duration(), default="24h", show_default=True, help="How long the old key goes on.")
@home_option
@json_option
def rotate(key_id: str, overlap: int, home: Path | None, as_json: bool) -> None:
    """Make a key like KEY_ID, which then ends by itself."""
    with _keys(home) as keys:
        minted = keys.rotate(None, key_id, overlap_ms=overlap)
    _show(minted, as_json)


@command.command()
@click.argument("key_id")
@home_option
@json_option
def revoke(key_id: str, home: Path | None, as_json: bool) -> None:
    """End KEY_ID now: within a second it opens nothing."""
    with _keys(home) as keys:
        key = key_response(keys.revoke(None, key_id))
    if as_json:
        print_json(key)
    else:
        click.echo(f"revoked {key.id} ({key.name})")


@command.command("list")
@home_option
@json_option
def list_keys(home: Path | None, as_json: bool) -> None:
    """Every key there is or was; their secrets are kept nowhere."""
    with _keys(home) as keys:
        found = [key_response(key) for key in keys.visible(None)]
    if as_json:
        print_json(KeyListResponse(keys=found, total=len(found)))
        return
    rows = [(key.id, key.name, key.role, " ".join(key.tenants), _state(key), key.last_used_at or "") for key in found]
    print_table(("id", "name", "role", "tenants", "state", "last used"), rows)


@contextmanager
def _keys(home: Path | None) -> Iterator[Keys]:
    try:
        with opened_home(home) as opened:
            yield Keys(opened.transact, now_ms=now_ms, on_change=lambda: None)
    except GnomonError as error:
        raise click.ClickException(error.detail) from None


def _show(minted: MintedKey, as_json: bool) -> None:
    if as_json:
        answer: KeyMinted = minted_response(minted)
        print_json(answer)
        return
    click.echo(minted.text)
    opens = ", ".join(sorted(minted.key.tenants)) or "the server itself"
    click.echo(f"{minted.key.role} of {opens}; id {minted.key.id}. Keep it now: it is shown this once.", err=True)


def _state(key: KeyResponse) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at}"
    return "live" if key.expires_at is None else f"until {key.expires_at}"
