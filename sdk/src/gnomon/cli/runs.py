"""`gnomon runs`: list, show, compare, create, log, end, update, archive, restore."""

import click

from gnomon.cli.pages import gather
from gnomon.cli.session import Session, json_option, pairs, pass_session
from gnomon.cli.text import (
    duration,
    moment,
    number,
    print_facts,
    print_json,
    print_rest,
    print_table,
    short_ids,
)
from gnomon.client.records import Run, RunPage
from gnomon.wire import EndStatus, MetricEntry, RunStatus

STATUSES = click.Choice(["running", "scheduled", "finished", "failed", "killed"])


@click.group()
def runs() -> None:
    """List, show, compare and change runs."""


@runs.command("list")
@click.option("-e", "--experiment", "named", multiple=True, metavar="EXPERIMENT", help="Only its runs; repeatable.")
@click.option("--filter", metavar="QUERY", help="Such as \"metrics.loss < 0.3 and params.opt = 'adam'\".")
@click.option("--order-by", multiple=True, metavar="FIELD", help='Such as "metrics.loss asc"; may be repeated.')
@click.option("--status", type=STATUSES)
@click.option("--search", metavar="TEXT", help="Only names that hold this text, in any case.")
@click.option("--archived", is_flag=True, help="The archived ones instead.")
@click.option(
    "-c", "--column", "columns", multiple=True, metavar="COLUMN", help="metrics.loss, params.lr, tags.team, …"
)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1))
@click.option("--offset", default=0, type=click.IntRange(min=0))
@json_option
@pass_session
def list_runs(
    session: Session,
    named: tuple[str, ...],
    filter: str | None,
    order_by: tuple[str, ...],
    status: RunStatus | None,
    search: str | None,
    archived: bool,
    columns: tuple[str, ...],
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """Runs, newest first unless ordered otherwise."""
    _check_columns(columns)
    experiment_ids = [session.experiment(reference).id for reference in named]

    def fetch(limit: int, offset: int) -> tuple[list[Run], int]:
        page = session.client.runs.list(
            experiment_ids,
            status=status,
            lifecycle_stage="deleted" if archived else None,
            search=search,
            filter=filter,
            order_by=order_by,
            limit=limit,
            offset=offset,
        )
        return page.runs, page.total

    found, total = gather(fetch, limit=limit, offset=offset)
    if as_json:
        print_json(RunPage(runs=found, total=total, limit=limit, offset=offset))
        return
    rows = [
        (
            uid,
            run.name,
            run.status,
            moment(run.start_time),
            duration(run.duration_ms),
            *(_value(run, c) for c in columns),
        )
        for uid, run in zip(short_ids([run.id for run in found]), found, strict=True)
    ]
    numbers = ("duration", *(column for column in columns if column.startswith("metrics.")))
    print_table(("id", "name", "status", "started", "duration", *columns), rows, right=numbers)
    print_rest(len(found), total, offset)


@runs.command()
@click.argument("run")
@json_option
@pass_session
def show(session: Session, run: str, as_json: bool) -> None:
    """One RUN: its facts, params, tags and the latest value of each metric."""
    _show(session.run(run), as_json)


@runs.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("-m", "--metric", "metrics", multiple=True, metavar="KEY", help="Only these; may be repeated.")
@json_option
@pass_session
def compare(session: Session, runs: tuple[str, ...], metrics: tuple[str, ...], as_json: bool) -> None:
    """2 to 10 RUNS side by side: the metrics, the best of each marked *, and the params that differ."""
    if not 2 <= len(runs) <= 10:
        raise click.UsageError(f"give 2 to 10 runs to compare, not {len(runs)}")
    answer = session.client.runs.compare([session.run(reference).id for reference in runs], metrics=metrics or None)
    if as_json:
        print_json(answer)
        return
    sides = answer.runs
    rows = [("status", *(side.status for side in sides))]
    for key, by_run in sorted(answer.comparison.param_differences.items()):
        rows.append((f"params.{key}", *(by_run.get(side.run_id) or "-" for side in sides)))
    for key, metric in sorted(answer.comparison.metric_comparison.items()):
        best = [" *" if side.run_id == metric.best_run_id else "  " for side in sides]
        values = [number(metric.all_values.get(side.run_id)) for side in sides]
        title = f"metrics.{key} ({metric.direction})"
        rows.append((title, *(value + mark for value, mark in zip(values, best, strict=True))))
    print_table(("", *(side.name for side in sides)), rows)
    winner = next((side.name for side in sides if side.run_id == answer.comparison.best_run), None)
    print_facts({"best": winner or "none: it is a draw"})


@runs.command()
@click.argument("experiment")
@click.option("--name", metavar="NAME", help="Without one the server makes a readable one.")
@click.option("--description", default="", metavar="TEXT")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be repeated.")
@json_option
@pass_session
def create(
    session: Session, experiment: str, name: str | None, description: str, tags: tuple[str, ...], as_json: bool
) -> None:
    """A new run of an EXPERIMENT; prints its id."""
    uid = session.experiment(experiment).id
    made = session.client.runs.create(uid, name=name, description=description, tags=pairs(tags, option="--tag"))
    if as_json:
        print_json(made)
    else:
        click.echo(made.id)


@runs.command()
@click.argument("run")
@click.option("-m", "--metric", "metrics", multiple=True, metavar="KEY=NUMBER", help="May be repeated.")
@click.option("-p", "--param", "params", multiple=True, metavar="KEY=VALUE", help="May be repeated.")
@click.option("-t", "--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be repeated.")
@click.option("--step", default=0.0, type=float, help="The step of the metrics.")
@json_option
@pass_session
def log(
    session: Session,
    run: str,
    metrics: tuple[str, ...],
    params: tuple[str, ...],
    tags: tuple[str, ...],
    step: float,
    as_json: bool,
) -> None:
    """Log metrics, params and tags to a RUN: all of them, or none."""
    if not metrics and not params and not tags:
        raise click.UsageError("say what to log: --metric, --param or --tag")
    points = [
        MetricEntry(key=key, value=_double(value), step=int(step) if step.is_integer() else step)
        for key, value in pairs(metrics, option="--metric").items()
    ]
    logged = session.client.runs.log_batch(
        session.run(run).id,
        metrics=points,
        params=pairs(params, option="--param"),
        tags=pairs(tags, option="--tag"),
    )
    if as_json:
        print_json(logged)
    else:
        click.echo(f"logged {logged.metrics} metrics, {logged.params} params, {logged.tags} tags")


@runs.command()
@click.argument("run")
@click.option("--status", type=click.Choice(["finished", "failed", "killed"]), default="finished", show_default=True)
@json_option
@pass_session
def end(session: Session, run: str, status: EndStatus, as_json: bool) -> None:
    """Say that a RUN has ended, and how."""
    _show(session.client.runs.end(session.run(run).id, status), as_json)


@runs.command()
@click.argument("run")
@click.option("--name", metavar="NAME")
@click.option("--description", metavar="TEXT")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be repeated.")
@click.option("--remove-tag", "removed", multiple=True, metavar="KEY", help="May be repeated.")
@click.option("--reopen", is_flag=True, help="An ended run is running again.")
@json_option
@pass_session
def update(
    session: Session,
    run: str,
    name: str | None,
    description: str | None,
    tags: tuple[str, ...],
    removed: tuple[str, ...],
    reopen: bool,
    as_json: bool,
) -> None:
    """Change the name, description or tags of a RUN, or reopen it."""
    merged: dict[str, str | None] = {**pairs(tags, option="--tag"), **dict.fromkeys(removed)}
    if name is None and description is None and not merged and not reopen:
        raise click.UsageError("say what to change: --name, --description, --tag, --remove-tag or --reopen")
    changed = session.client.runs.update(
        session.run(run).id,
        name=name,
        description=description,
        tags=merged or None,
        status="running" if reopen else None,
    )
    _show(changed, as_json)


@runs.command()
@click.argument("run")
@json_option
@pass_session
def archive(session: Session, run: str, as_json: bool) -> None:
    """Put a RUN away; nothing is deleted."""
    _show(session.client.runs.archive(session.run(run).id), as_json)


@runs.command()
@click.argument("run")
@json_option
@pass_session
def restore(session: Session, run: str, as_json: bool) -> None:
    """Bring an archived RUN back."""
    _show(session.client.runs.restore(session.run(run).id), as_json)


def _show(run: Run, as_json: bool) -> None:
    if as_json:
        print_json(run)
        return
    facts = {
        "id": run.id,
        "name": run.name,
        "experiment": run.experiment_id,
        "status": run.status,
        "stage": run.lifecycle_stage,
        "started": moment(run.start_time),
        "ended": moment(run.end_time),
        "duration": duration(run.duration_ms),
        "created by": run.created_by,
        "description": run.description,
    }
    facts |= {f"params.{key}": value for key, value in sorted(run.params.items())}
    facts |= {f"metrics.{key}": number(value) for key, value in sorted(run.metrics.items())}
    print_facts(facts | {f"tags.{key}": value for key, value in sorted(run.tags.items())})


def _check_columns(columns: tuple[str, ...]) -> None:
    for column in columns:
        if column.partition(".")[0] not in ("metrics", "params", "tags"):
            raise click.UsageError(f"--column wants metrics.KEY, params.KEY or tags.KEY, not {column!r}")


def _value(run: Run, column: str) -> str:
    kind, _, key = column.partition(".")
    if kind == "metrics":
        return number(run.metrics.get(key))
    return (run.params if kind == "params" else run.tags).get(key, "-")


def _double(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"--metric wants KEY=NUMBER; {text!r} is no number (NaN and Infinity are)") from None
