"""`gnomon`: the command line, for people and for scripts.

Invariants:
- Results go to stdout, everything else to stderr; `--json` on a command makes its stdout one JSON document.
- An error is one sentence and a next step on stderr, never a traceback: exit code 1, or 2 when the command was
  mistyped.
- What users named (runs, tags, files) is printed without control characters, so no name can drive a terminal.
- Commands of other distributions are found through the entry point group `gnomon.commands`: `gnomon server` is one.
"""

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import click

import gnomon
from gnomon.cli.session import Session
from gnomon.cli.text import plain
from gnomon.errors import ApiError, GnomonError

_COMMANDS = {
    "experiments": "gnomon.cli.experiments:experiments",
    "runs": "gnomon.cli.runs:runs",
    "metrics": "gnomon.cli.metrics:metrics",
    "artifacts": "gnomon.cli.artifacts:artifacts",
    "export": "gnomon.cli.export:export",
    "demo": "gnomon.cli.demo:demo",
    "sync": "gnomon.cli.sync:sync",
    "storage": "gnomon.cli.storage:storage",
    "doctor": "gnomon.cli.doctor:doctor",
    "retention": "gnomon.cli.retention:retention",
    "rules": "gnomon.cli.rules:rules",
    "webhooks": "gnomon.cli.webhooks:webhooks",
    "mcp": "gnomon.cli.mcp:mcp",
    "import": "gnomon.cli.importing:import_",
    "login": "gnomon.cli.login:login",
    "logout": "gnomon.cli.login:logout",
}
_ELSEWHERE = dict.fromkeys(("server", "keys", "audit", "backup", "restore", "verify"), "pip install gnomon")


class Commands(click.Group):
    """Loads a command when it is named, and turns what can go wrong into a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted({*_COMMANDS, *_ELSEWHERE, *(point.name for point in _plugins())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        if where := _COMMANDS.get(cmd_name):
            module, _, attribute = where.partition(":")
            return _command(getattr(import_module(module), attribute), cmd_name)
        for point in _plugins():
            if point.name == cmd_name:
                return _command(point.load(), cmd_name)
        if cmd_name in _ELSEWHERE:
            return _absent(cmd_name, install=_ELSEWHERE[cmd_name])
        return None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except GnomonError as error:
            raise click.ClickException(plain(sentence(error))) from error
        except (OSError, UnicodeError) as error:
            if isinstance(error, BrokenPipeError):  # the reader (`head`, say) has had enough: click ends quietly
                raise
            raise click.ClickException(plain(f"{error}; look at that place and run the command again")) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", metavar="URL", help="Address of the server [GNOMON_URL; default http://127.0.0.1:7417].")
@click.option("--tenant", metavar="NAME", help="Tenant to work in [GNOMON_TENANT].")
@click.option("--api-key", metavar="KEY", help="API key [GNOMON_API_KEY, which no process list shows].")
@click.version_option(gnomon.__version__, prog_name="gnomon")
@click.pass_context
def cli(ctx: click.Context, url: str | None, tenant: str | None, api_key: str | None) -> None:
    """Track machine-learning experiments: read and change what a Gnomon server keeps.

    An EXPERIMENT or a RUN is named by its id, by the beginning of its id, or by its name.
    """
    session = Session(url=url, tenant=tenant, api_key=api_key)
    ctx.obj = session
    ctx.call_on_close(session.close)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows `?` in its place rather than an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    cli(prog_name="gnomon")


def sentence(error: GnomonError) -> str:
    """What a person should read: the server's sentence, the fields it names, and for a defect the request's id."""
    if not isinstance(error, ApiError):
        return str(error)
    fields = [f"{field.field}: {field.message}" for field in error.errors if field.message not in error.detail]
    parts = [error.detail, *fields]
    if error.status >= 500 and error.request_id:
        parts.append(f"request id {error.request_id}")
    return "; ".join(parts)


def _plugins() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group="gnomon.commands"))


def _command(found: object, name: str) -> click.Command:
    if not isinstance(found, click.Command):
        raise GnomonError(f"the package behind `gnomon {name}` is broken; install it again")
    return found


def _absent(name: str, *, install: str) -> click.Command:
    @click.command(
        name,
        short_help=f"Not installed: {install}",
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
    )
    @click.argument("rest", nargs=-1, type=click.UNPROCESSED)
    def absent(rest: tuple[str, ...]) -> None:  # noqa: ARG001 - whatever follows, the answer is the same
        raise GnomonError(f"`gnomon {name}` is not installed here: {install}")

    return absent
