"""`gnomon experiments`: list, show, create, update, archive, restore; keys and groups of an experiment's runs."""

import click

from gnomon.cli.pages import gather
from gnomon.cli.session import Session, json_option, pairs, pass_session
from gnomon.cli.text import moment, number, print_facts, print_json, print_rest, print_table, short_ids
from gnomon.client.records import Kind
from gnomon.wire import ExperimentListResponse, ExperimentResponse, KeysResponse


@click.group()
def experiments() -> None:
    """List, show and change experiments."""


@experiments.command("list")
@click.option("--search", metavar="TEXT", help="Only names that hold this text, in any case.")
@click.option("--archived", is_flag=True, help="The archived ones instead.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1))
@click.option("--offset", default=0, type=click.IntRange(min=0))
@json_option
@pass_session
def list_experiments(
    session: Session, search: str | None, archived: bool, limit: int, offset: int, as_json: bool
) -> None:
    """The experiments of the tenant, newest first."""

    def fetch(limit: int, offset: int) -> tuple[list[ExperimentResponse], int]:
        page = session.client.experiments.list(
            search=search, lifecycle_stage="deleted" if archived else "active", limit=limit, offset=offset
        )
        return page.experiments, page.total

    found, total = gather(fetch, limit=limit, offset=offset)
    if as_json:
        print_json(ExperimentListResponse(experiments=found, total=total, limit=limit, offset=offset))
        return
    ids = short_ids([each.id for each in found])
    rows = [
        (uid, each.name, str(each.run_count), moment(each.created_at), each.description)
        for uid, each in zip(ids, found, strict=True)
    ]
    print_table(("id", "name", "runs", "created", "description"), rows, right=("runs",))
    print_rest(len(found), total, offset)


@experiments.command()
@click.argument("experiment")
@json_option
@pass_session
def show(session: Session, experiment: str, as_json: bool) -> None:
    """One EXPERIMENT: its facts and tags."""
    _show(session.experiment(experiment), as_json)


@experiments.command()
@click.argument("name")
@click.option("--description", default="", metavar="TEXT")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be repeated.")
@json_option
@pass_session
def create(session: Session, name: str, description: str, tags: tuple[str, ...], as_json: bool) -> None:
    """A new experiment; prints its id."""
    made = session.client.experiments.create(name, description=description, tags=pairs(tags, option="--tag"))
    if as_json:
        print_json(made)
    else:
        click.echo(made.id)


@experiments.command()
@click.argument("experiment")
@click.option("--name", metavar="NAME")
@click.option("--description", metavar="TEXT")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="May be repeated.")
@click.option("--remove-tag", "removed", multiple=True, metavar="KEY", help="May be repeated.")
@json_option
@pass_session
def update(
    session: Session,
    experiment: str,
    name: str | None,
    description: str | None,
    tags: tuple[str, ...],
    removed: tuple[str, ...],
    as_json: bool,
) -> None:
    """Change the name, description or tags of an EXPERIMENT."""
    merged: dict[str, str | None] = {**pairs(tags, option="--tag"), **dict.fromkeys(removed)}
    if name is None and description is None and not merged:
        raise click.UsageError("say what to change: --name, --description, --tag or --remove-tag")
    uid = session.experiment(experiment).id
    changed = session.client.experiments.update(uid, name=name, description=description, tags=merged or None)
    _show(changed, as_json)


@experiments.command()
@click.argument("experiment")
@json_option
@pass_session
def archive(session: Session, experiment: str, as_json: bool) -> None:
    """Put an EXPERIMENT and its runs away; nothing is deleted."""
    _show(session.client.experiments.archive(session.experiment(experiment).id), as_json)


@experiments.command()
@click.argument("experiment")
@json_option
@pass_session
def restore(session: Session, experiment: str, as_json: bool) -> None:
    """Bring an archived EXPERIMENT back, with the runs that went with it."""
    _show(session.client.experiments.restore(session.experiment(experiment).id), as_json)


@experiments.command()
@click.argument("experiment")
@click.option("--kind", type=click.Choice(["metric", "param", "tag"]), help="Only these.")
@click.option("--prefix", default="", metavar="TEXT", help="Only names that begin so.")
@json_option
@pass_session
def keys(session: Session, experiment: str, kind: Kind | None, prefix: str, as_json: bool) -> None:
    """The metrics, params and tags that the runs of an EXPERIMENT have."""
    uid = session.experiment(experiment).id
    found = [*session.client.experiments.iterate_keys(uid, kind=kind, prefix=prefix)]
    if as_json:
        print_json(KeysResponse(keys=found, total=len(found), limit=max(1, len(found)), offset=0))
        return
    print_table(("kind", "key", "runs"), [(key.kind, key.key, str(key.runs)) for key in found], right=("runs",))


@experiments.command()
@click.argument("experiment")
@click.option(
    "--by", required=True, multiple=True, metavar="FIELD", help="params.opt, tags.team, status, …; repeatable."
)
@click.option("--column", "columns", multiple=True, metavar="COLUMN", help="metrics.loss.min, …; may be repeated.")
@click.option("--filter", metavar="QUERY", help='Only runs that match, such as "metrics.loss < 0.3".')
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--offset", default=0, type=click.IntRange(min=0))
@json_option
@pass_session
def groups(
    session: Session,
    experiment: str,
    by: tuple[str, ...],
    columns: tuple[str, ...],
    filter: str | None,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """The runs of an EXPERIMENT in groups, with aggregates of the columns over each."""
    uid = session.experiment(experiment).id
    page = session.client.experiments.groups(uid, by, columns=columns, filter=filter, limit=limit, offset=offset)
    if as_json:
        print_json(page)
        return
    said = sorted(
        {(column, name) for group in page.groups for column in group.aggregates for name in group.aggregates[column]}
    )
    numbers = [f"{column} {name}" for column, name in said]
    rows = [
        (
            *(group.values.get(field) or "-" for field in by),
            str(group.n),
            *(number(group.aggregates.get(column, {}).get(name)) for column, name in said),
        )
        for group in page.groups
    ]
    print_table((*by, "runs", *numbers), rows, right=("runs", *numbers))
    print_rest(len(page.groups), page.total, offset)


def _show(experiment: ExperimentResponse, as_json: bool) -> None:
    if as_json:
        print_json(experiment)
        return
    facts = {
        "id": experiment.id,
        "name": experiment.name,
        "stage": experiment.lifecycle_stage,
        "runs": str(experiment.run_count),
        "created": moment(experiment.created_at),
        "updated": moment(experiment.last_updated),
        "artifacts": experiment.artifact_location,
        "description": experiment.description,
    }
    print_facts(facts | {f"tags.{key}": value for key, value in sorted(experiment.tags.items())})
