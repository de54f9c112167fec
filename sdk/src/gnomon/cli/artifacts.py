"""`gnomon artifacts`: list, get and log the files of a run."""

from pathlib import Path

import click

from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import plain, print_json, print_table, size


@click.group()
def artifacts() -> None:
    """List, download and upload the files of a run."""


@artifacts.command("list")
@click.argument("run")
@click.argument("path", default="")
@json_option
@pass_session
def list_artifacts(session: Session, run: str, path: str, as_json: bool) -> None:
    """Every file of a RUN, or those below a PATH in it."""
    found = [*session.client.artifacts.walk(session.run(run).id, path)]
    if as_json:
        print_json({"artifacts": found, "total": len(found)})
        return
    rows = [(each.path, size(each.size), (each.sha256 or "-")[:16]) for each in found]
    print_table(("path", "size", "sha256"), rows, right=("size",))


@artifacts.command()
@click.argument("run")
@click.argument("path", default="")
@click.option("--to", required=True, type=click.Path(file_okay=False, path_type=Path), help="Directory to write below.")
@json_option
@pass_session
def get(session: Session, run: str, path: str, to: Path, as_json: bool) -> None:
    """Download the file at PATH of a RUN, or all below it; each is checked against its SHA-256."""
    uid = session.run(run).id
    below = [artifact.path for artifact in session.client.artifacts.walk(uid, path)]
    written = [session.client.artifacts.download(uid, name, to) for name in below or [path]]
    if as_json:
        print_json({"files": [str(file) for file in written]})
        return
    for file in written:
        click.echo(plain(str(file)))


@artifacts.command()
@click.argument("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--artifact-path", metavar="DIRECTORY", help="Directory within the run's artifacts.")
@json_option
@pass_session
def log(session: Session, run: str, file: Path, artifact_path: str | None, as_json: bool) -> None:
    """Upload FILE to a RUN."""
    logged = session.client.artifacts.log(session.run(run).id, file, artifact_path=artifact_path)
    if as_json:
        print_json(logged)
    else:
        click.echo(plain(f"{logged.artifact}  {size(logged.size)}  sha256 {logged.sha256}"))
