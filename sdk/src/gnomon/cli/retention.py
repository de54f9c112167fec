"""`gnomon retention`: rules by which runs are archived, and archived runs removed for good."""

import re
from collections.abc import Sequence

import click
from msgspec import Struct

from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import moment, plain, print_facts, print_json, print_rest, print_table, short_ids, size
from gnomon.errors import GnomonError
from gnomon.wire import RetentionApplied, RetentionPreview, RetentionRuleCreate, RetentionRuleResponse
from gnomon.wire.retention import Best, RetentionAction

_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0}


class Age(click.ParamType[float]):
    """Text such as `30d`, `12h` or `8w`, as days."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d{1,5})([hdw])", str(value))
        if found is None:
            self.fail(f"{value!r} is no age; write it as 30d, 12h or 8w", param, ctx)
        return int(found[1]) * _DAYS[found[2]]


class Ran(Struct, frozen=True):
    """What `gnomon retention run --json` prints: of a dry run the previews, else what was applied."""

    previews: list[RetentionPreview]
    applied: list[RetentionApplied]


@click.group()
def retention() -> None:
    """Rules of what is archived, and of what is removed for good once it is archived.

    Runs with the tag gnomon.keep and runs of registered model versions are never taken.
    """


@retention.command("list")
@json_option
@pass_session
def list_rules(session: Session, as_json: bool) -> None:
    """The rules of the tenant, oldest first."""
    found = session.client.retention.rules()
    if as_json:
        print_json(found)
        return
    ids = short_ids([rule.id for rule in found.rules])
    rows = [
        (uid, _says(rule), rule.experiment_id or "every one", moment(rule.applied_at), f"{rule.applied_runs:,}")
        for uid, rule in zip(ids, found.rules, strict=True)
    ]
    print_table(("id", "rule", "experiment", "applied", "runs taken"), rows, right=("runs taken",))


@retention.command()
@click.argument("action", type=click.Choice(["archive", "purge"]))
@click.option("--after", type=Age(), required=True, metavar="30d", help="Since the run ended, or was archived.")
@click.option("-e", "--experiment", metavar="EXPERIMENT", help="Only its runs [default: every experiment].")
@click.option("--filter", default="", metavar="QUERY", help="Only runs that match, as in `gnomon runs list`.")
@click.option(
    "--keep-best", default=0, type=click.IntRange(min=0), help="So many of each experiment stay, by --metric."
)
@click.option("--metric", metavar="KEY", help="What --keep-best goes by: the best value a run ever had.")
@click.option("--best", type=click.Choice(["min", "max"]), default="min", show_default=True)
@json_option
@pass_session
def add(
    session: Session,
    action: RetentionAction,
    after: float,
    experiment: str | None,
    filter: str,
    keep_best: int,
    metric: str | None,
    best: Best,
    as_json: bool,
) -> None:
    """Add a rule that archives runs, or one that purges archived runs; prints its id.

    The server applies it within the hour; `gnomon retention run ID --dry-run` says what it would take.
    """
    if keep_best and metric is None:
        raise click.UsageError("--keep-best needs --metric")
    uid = None if experiment is None else session.experiment(experiment).id
    rule = RetentionRuleCreate(action, after, uid, filter, keep_best, metric, best)
    made = session.client.retention.add(rule)
    if as_json:
        print_json(made)
    else:
        click.echo(made.id)


@retention.command()
@click.argument("rule")
@json_option
@pass_session
def remove(session: Session, rule: str, as_json: bool) -> None:
    """Remove a RULE, by its id or the beginning of it. What it took stays as it is."""
    (found,) = _named(session, [rule])
    removed = session.client.retention.remove(found.id)
    if as_json:
        print_json(removed)
    else:
        click.echo(plain(f"removed {removed.id}: {_says(removed)}"))


@retention.command()
@click.argument("rules", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be taken, and change nothing.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="Runs shown of each.")
@json_option
@pass_session
def run(session: Session, rules: tuple[str, ...], dry_run: bool, limit: int, as_json: bool) -> None:
    """Apply RULES now (all of them, if none is named), or say with --dry-run what they would take."""
    previews: list[RetentionPreview] = []
    applied: list[RetentionApplied] = []
    for rule in _named(session, rules):
        if dry_run:
            previews.append(session.client.retention.preview(rule.id, limit=limit))
            if not as_json:
                _tell(rule, previews[-1])
        else:
            applied.append(_apply(session, rule))
            if not as_json:
                done = "archived" if rule.action == "archive" else "removed for good"
                click.echo(plain(f"{rule.id}: {applied[-1].runs:,} runs {done}"))
    if as_json:
        print_json(Ran(previews, applied))


def _apply(session: Session, rule: RetentionRuleResponse) -> RetentionApplied:
    taken = 0
    while True:
        step = session.client.retention.apply(rule.id)
        taken += step.runs
        if step.done:
            return RetentionApplied(rule.id, taken, True)
        click.echo(plain(f"{rule.id}: {taken:,} runs so far"), err=True)


def _named(session: Session, references: Sequence[str]) -> list[RetentionRuleResponse]:
    every = session.client.retention.rules().rules
    if not references:
        return every
    found = []
    for reference in references:
        fitting = [rule for rule in every if rule.id.startswith(reference)]
        if len(fitting) != 1:
            how_many = "no rule" if not fitting else "several rules"
            raise GnomonError(f"{how_many} begin with {reference!r}; see `gnomon retention list`")
        found.append(fitting[0])
    return found


def _tell(rule: RetentionRuleResponse, found: RetentionPreview) -> None:
    what = "would be archived, which frees nothing" if rule.action == "archive" else "would be removed for good"
    print_facts(
        {
            "rule": f"{rule.id}: {_says(rule)}",
            "runs": f"{found.total:,} {what}",
            "points": size(found.points_bytes),
            "artifacts": size(found.artifact_bytes),
        }
    )
    if found.runs:
        ids = short_ids([each.run_id for each in found.runs])
        rows = [
            (
                uid,
                each.name,
                f"{each.points:,}",
                size(each.points_bytes),
                f"{each.artifacts:,}",
                size(each.artifact_bytes),
            )
            for uid, each in zip(ids, found.runs, strict=True)
        ]
        numbers = ("points", "of points", "files", "of files")
        print_table(("id", "run", *numbers), rows, right=numbers)
        print_rest(len(rows), found.total, 0)
    click.echo()


def _says(rule: RetentionRuleResponse) -> str:
    since = "ended" if rule.action == "archive" else "were archived"
    says = f"{rule.action} runs that {since} {rule.after_days:g} days ago"
    if rule.filter:
        says += f" and match {rule.filter}"
    if rule.keep_best:
        says += f", but the best {rule.keep_best} by {rule.metric} ({rule.best})"
    return says
