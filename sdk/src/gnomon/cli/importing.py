"""`gnomon import`: what other trackers have kept, brought in and checked at both ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gnomon.cli.progress import showing_progress
from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import plain, print_json, print_table
from gnomon.errors import ConnectionFailed, GnomonError, ServerBusy, ServerFault
from gnomon.importing.report import ImportReport, RunCheck, Unmapped

Progress = Callable[[str, str, int, int], None]


@click.group(name="import")
def import_() -> None:
    """Bring in what other trackers have kept.

    Broken off and begun again, an import goes on where it stopped and doubles nothing. It ends with a report: count,
    sum and hash of every series at both ends, and what could not be mapped. Exit code 1 when the ends differ.
    """


@import_.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--experiment", metavar="NAME", help="Where the runs go [default: the name of the folder].")
@json_option
@pass_session
def tensorboard(session: Session, folder: Path, experiment: str | None, as_json: bool) -> None:
    """Import a TensorBoard log directory: each folder of event files at or below FOLDER becomes a run."""
    from gnomon.importing.tensorboard import import_tensorboard

    with going_on() as progress:
        report = import_tensorboard(session.client, folder, experiment=experiment, progress=progress)
    tell_report(report, as_json)


@import_.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--experiment", metavar="NAME", help="Where the runs go [default: the project of each run].")
@json_option
@pass_session
def wandb(session: Session, folder: Path, experiment: str | None, as_json: bool) -> None:
    """Import the run folders of wandb at or below FOLDER: offline runs, or what lies beside online ones."""
    from gnomon.importing.wandb import import_wandb

    with going_on() as progress:
        report = import_wandb(session.client, folder, experiment=experiment, progress=progress)
    tell_report(report, as_json)


@import_.command()
@click.argument("source")
@click.option("--experiment", "experiments", metavar="NAME", multiple=True, help="Only this one; may be repeated.")
@click.option(
    "--artifacts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Where an MLflow server keeps the files that it proxies (its --artifacts-destination), for a database.",
)
@click.option("--new-ids", is_flag=True, help="Give runs new ids, for a second copy in another tenant of the server.")
@json_option
@pass_session
def mlflow(
    session: Session,
    source: str,
    experiments: tuple[str, ...],
    artifacts: tuple[Path, ...],
    new_ids: bool,
    as_json: bool,
) -> None:
    """Import from MLflow: experiments, runs, all points, files, models and the registry.

    SOURCE is the URL of an MLflow server, the URL of its database (sqlite:///mlflow.db, postgresql://...), or an
    mlruns folder.
    """
    from gnomon.importing.mlflow_import import import_mlflow, open_source

    found = open_source(source, artifacts=artifacts)
    try:
        with going_on() as progress:
            report = import_mlflow(session.client, found, experiments=experiments, new_ids=new_ids, progress=progress)
    finally:
        found.close()
    tell_report(report, as_json)


def tell_report(report: ImportReport, as_json: bool) -> None:
    """Print the report, and end with 1 when the ends differ."""
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    if not report.equal:
        raise click.exceptions.Exit(1)


@contextmanager
def going_on() -> Iterator[Progress]:
    """Progress of what can be begun again. A server that goes away is told with what to do."""
    try:
        with showing_progress() as show:
            yield lambda what, name, done, total: show(f"{what} {name}", done, total)
    except (ConnectionFailed, ServerBusy, ServerFault) as error:
        raise GnomonError(f"{error}; what was sent is kept: the same command goes on where it stopped") from error


def _print_report(report: ImportReport) -> None:
    if report.runs:
        print_table(
            ["run", "id", "series", "points", "sent now", "files", "params", "ends"],
            [
                [
                    run.name,
                    run.run_id,
                    str(len(run.series)),
                    str(run.points),
                    str(run.sent),
                    str(len(run.files)),
                    str(run.params.count),
                    "equal" if run.equal else "DIFFER",
                ]
                for run in report.runs
            ],
            right=["series", "points", "sent now", "files", "params"],
        )
    for run in report.runs:
        for line in _differences(run):
            click.echo(plain(f"differs: {run.name}: {line}"))
    for item in report.items:
        for part in item.unequal:
            click.echo(plain(f"differs: {item.kind} {item.name}: {part}"))
    for each in report.unmapped:
        click.echo(plain(_left_out(each)))
    series = sum(len(run.series) for run in report.runs)
    ends = "count, sum and hash of each series are equal at both ends" if report.equal else "THE ENDS DIFFER, see above"
    counts = f"{report.points} points of {series} series and {report.files} files in {len(report.runs)} runs"
    click.echo(plain(f"{report.experiment}: {counts}; {ends}; not mapped: {sum(u.count for u in report.unmapped)}"))


def _differences(run: RunCheck) -> Iterator[str]:
    for series in run.series:
        if not series.equal:
            own, server = series.source, series.server
            yield (
                f"series {series.key}: {own.points} points, sum {own.total!r}, hash {own.sha256[:12]} in the source;"
                f" {server.points}, {server.total!r}, {server.sha256[:12]} on the server"
            )
    for file in run.files:
        if not file.equal:
            yield f"file {file.path}: {file.sha256[:12]} in the source, {(file.server or 'none')[:12]} on the server"
    for kind, check in (("param", run.params), ("tag", run.tags)):
        for key in check.unequal:
            yield f"{kind} {key}: the server has another value"


def _left_out(each: Unmapped) -> str:
    times = f" ({each.count} times)" if each.count > 1 else ""
    return f"not mapped: {each.source}: {each.kind} {each.name}{times}: {each.reason}"
