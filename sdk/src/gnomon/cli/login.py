"""`gnomon login` and `gnomon logout`: the server and the key that later commands and scripts of this user take."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click
from msgspec import Struct

from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import plain, print_json
from gnomon.client import Client
from gnomon.client.transport import Transport
from gnomon.config_file import change_config
from gnomon.errors import SettingsError, Unauthenticated
from gnomon.settings import Settings, config_path, load_settings
from gnomon.wire import MeResponse


class LoggedIn(Struct, frozen=True):
    url: str
    config: str
    me: MeResponse


class LoggedOut(Struct, frozen=True):
    config: str
    had_key: bool


@click.command()
@click.argument("url", required=False)
@json_option
@pass_session
def login(session: Session, url: str | None, as_json: bool) -> None:
    """Keep the address of a server and your API key for it, once the server has said that it knows the key.

    The key is asked for without showing it, or read from standard input where that is no terminal; it is never an
    argument, which everybody on the machine could read. It is kept in the config file, which only you can read.
    GNOMON_URL and GNOMON_API_KEY go before the file.
    """
    path = config_path()
    settings = _settings(session, path, url)
    me = _ask(settings, key=None)
    key = None
    if me is None:
        key = _key(settings.url)
        me = _ask(settings, key=key)
    if me is None:
        raise SettingsError(
            f"{settings.url} does not know this key; ask its administrator for one, and nothing is kept"
        )
    change_config(path, {"url": settings.url, "api_key": key, "tenant": settings.tenant})
    if as_json:
        print_json(LoggedIn(settings.url, str(path), me))
        return
    click.echo(plain(_welcome(settings.url, me)))
    click.echo(plain(f"kept in {path}, which only you can read"))
    _warn_of_environment()


@click.command()
@json_option
def logout(as_json: bool) -> None:
    """Forget the key that `gnomon login` kept. The key itself goes on until it is revoked."""
    path = config_path()
    had_key = path.exists() and "api_key" in path.read_text("utf-8")
    if had_key:
        change_config(path, {"api_key": None})
    if as_json:
        print_json(LoggedOut(str(path), had_key))
    elif had_key:
        click.echo(plain(f"the key is removed from {path}; an administrator can revoke it for good"))
    else:
        click.echo(plain(f"no key is kept in {path}"))
    _warn_of_environment()


def _settings(session: Session, path: Path, url: str | None) -> Settings:
    """As every command's, but for the key; a config file that is named and not there yet is no error."""
    environ = {name: value for name, value in os.environ.items() if name != "GNOMON_CONFIG" or path.exists()}
    found = load_settings(url=url or session.url, tenant=session.tenant, environ=environ)
    return replace(found, api_key=None)


def _ask(settings: Settings, *, key: str | None) -> MeResponse | None:
    """Who the server takes this key for; None if it wants another, or one at all."""
    with Client(transport=Transport(replace(settings, api_key=key))) as client:
        try:
            return client.access.me()
        except Unauthenticated:
            return None


def _key(url: str) -> str:
    if sys.stdin.isatty():
        given = click.prompt(f"API key for {url}", hide_input=True, err=True)
    else:
        given = sys.stdin.readline()
    key = str(given).strip()
    if not key:
        raise SettingsError(f"{url} asks for an API key; give it at the prompt or on standard input")
    return key


def _welcome(url: str, me: MeResponse) -> str:
    if me.mode == "open":
        return f"{url} is open: it asks nobody for a key"
    where = f", tenant {me.tenant}" if me.tenant else ""
    return f"{url} knows you as {me.name or me.key_id}: {me.role}{where}"


def _warn_of_environment() -> None:
    for name in ("GNOMON_URL", "GNOMON_API_KEY"):
        if os.environ.get(name):
            click.echo(f"{name} is set, and goes before the file", err=True)
