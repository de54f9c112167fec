"""`gnomon mcp`: the server's experiments as tools of the Model Context Protocol, over standard input and output."""

import click

from gnomon.cli.session import Session, pass_session
from gnomon.errors import MissingExtra


@click.command("mcp")
@click.option("--write", is_flag=True, help="Also offer the tool that sets tags of a run [default: reading alone].")
@pass_session
def mcp(session: Session, write: bool) -> None:
    """Serve a program that speaks the Model Context Protocol: experiments, runs, comparisons, curves in words.

    It talks over standard input and output; the program starts it. The server is that of GNOMON_URL or --url.
    """
    try:
        from gnomon.agents.questions import build_server
    except ImportError as error:
        raise MissingExtra("mcp", extra="mcp", purpose="`gnomon mcp`") from error
    build_server(session.client, write=write).run()
