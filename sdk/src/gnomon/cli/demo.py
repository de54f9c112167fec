"""`gnomon demo`: real training runs for a new server."""

from importlib.util import find_spec

import click

from gnomon.cli.progress import showing_progress
from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import plain, print_json
from gnomon.client.records import Run
from gnomon.errors import GnomonError, MissingExtra


@click.command()
@click.option(
    "--experiment", "name", default="digits", show_default=True, metavar="NAME", help="The experiment to make."
)
@click.option("--if-empty", is_flag=True, help="Do nothing when the tenant has an experiment of that name.")
@json_option
@pass_session
def demo(session: Session, name: str, if_empty: bool, as_json: bool) -> None:
    """Train some two dozen small models for real (under a minute) and log them, to have something to look at."""
    if (there := session.client.experiments.find(name)) is not None:
        if not if_empty:
            raise GnomonError(f"the experiment {name!r} exists already; give another name with --experiment")
        if as_json:
            print_json({"experiment_id": there.id, "experiment": there.name, "loaded": False})
        else:
            click.echo(plain(f"{name} is there already with {there.run_count} runs"))
        return
    _need_extras()
    from gnomon.demo import load_demo

    with showing_progress(every_step=True) as show:

        def progress(run: Run, done: int, total: int) -> None:
            show(f"{run.name} {run.status}", done, total)

        summary = load_demo(session.client, name=name, progress=progress)
    if as_json:
        print_json(summary)
        return
    runs = ", ".join(f"{count} {status}" for status, count in summary.runs.items())
    click.echo(plain(f"{name}: {runs}; {summary.points} points, {summary.artifacts} artifacts in {summary.seconds} s"))
    if summary.best is not None:
        click.echo(plain(f"best: {summary.best.name} with a validation accuracy of {summary.best.accuracy:.2%}"))
        click.echo(plain(f"look: gnomon metrics plot {summary.best.run_id} val/loss"))


# scikit-learn brings numpy and threadpoolctl.
_NEEDED = (("sklearn", "scikit-learn"), ("matplotlib", "matplotlib"))


def _need_extras() -> None:
    for module, package in _NEEDED:
        if find_spec(module) is None:
            raise MissingExtra(package, extra="demo", purpose="the demo")
