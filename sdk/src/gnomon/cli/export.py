"""`gnomon export`: an experiment as Parquet and files, and the check of one."""

from pathlib import Path

import click

from gnomon.cli.progress import showing_progress
from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import plain, print_facts, print_json, size
from gnomon.client.records import Run
from gnomon.export import Manifest, export_experiment, verify_export


class _Exports(click.Group):
    """`gnomon export EXPERIMENT` without naming a format is the export to Parquet."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, "-h", "--help"):
            args = ["parquet", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Exports)
def export() -> None:
    """Write what the server keeps to files that outlive it.

    `gnomon export EXPERIMENT --to DIRECTORY` writes Parquet (name an experiment called `mlflow` by its id).
    """


@export.command()
@click.argument("experiment", required=False)
@click.option("--to", type=click.Path(path_type=Path), help="The new directory to write.")
@click.option("--verify", type=click.Path(path_type=Path), help="Check this export instead of making one.")
@json_option
@pass_session
def parquet(session: Session, experiment: str | None, to: Path | None, verify: Path | None, as_json: bool) -> None:
    """Write a whole EXPERIMENT to a directory: runs and points as Parquet, artifacts as they are, a manifest.

    With --verify DIRECTORY, check that such a directory is whole and unchanged.
    """
    if verify is not None:
        if experiment is not None or to is not None:
            raise click.UsageError("--verify DIRECTORY stands alone")
        _tell(verify_export(verify), f"whole and unchanged: {verify}", as_json)
        return
    if experiment is None or to is None:
        raise click.UsageError("say what and where: gnomon export EXPERIMENT --to DIRECTORY")
    found = session.experiment(experiment)
    with showing_progress() as show:

        def progress(run: Run, done: int, total: int) -> None:
            show(run.name, done, total)

        manifest = export_experiment(session.client, found, to, progress=progress)
    _tell(manifest, f"exported: {to}", as_json)


@export.command()
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The new folder to write.")
@click.option("--experiment", "experiments", metavar="NAME", multiple=True, help="Only this one; may be repeated.")
@json_option
@pass_session
def mlflow(session: Session, to: Path, experiments: tuple[str, ...], as_json: bool) -> None:
    """Write an mlruns folder that MLflow opens: runs, all points, files, models and the registry.

    It is read back and compared before it takes its name. Exit code 1 when the ends differ.
    """
    from gnomon.cli.importing import going_on, tell_report
    from gnomon.importing.mlflow_export import export_mlflow

    with going_on() as progress:
        report = export_mlflow(session.client, to, experiments=experiments, progress=progress)
    tell_report(report, as_json)


def _tell(manifest: Manifest, headline: str, as_json: bool) -> None:
    if as_json:
        print_json(manifest)
        return
    click.echo(plain(headline))
    counts = manifest.counts
    print_facts(
        {
            "experiment": manifest.experiment,
            "runs": str(counts.runs),
            "params": str(counts.params),
            "tags": str(counts.tags),
            "points": str(counts.points),
            "artifacts": str(counts.artifacts),
            "files": f"{len(manifest.files)}, {size(sum(file.size for file in manifest.files))}",
        }
    )
