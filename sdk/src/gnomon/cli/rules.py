"""`gnomon rules`: what the server looks out for in an experiment's metrics, and what it does then."""

import re
from typing import Literal, cast

import click
from msgspec import structs

from gnomon.cli.session import Session, json_option, pairs, pass_session
from gnomon.cli.text import moment, print_facts, print_json, print_rest, print_table, short_ids
from gnomon.errors import GnomonError
from gnomon.wire import Direction, RuleResponse, RuleSave

_THRESHOLD = re.compile(
    r"(?P<metric>.+?)(?:\.(?P<aggregate>last|min|max|mean))?\s*(?P<op>>=|<=|>|<)\s*(?P<value>[^<>=]+)"
)
Aggregate = Literal["last", "min", "max", "mean"]
Comparison = Literal[">", ">=", "<", "<="]


@click.group()
def rules() -> None:
    """List, make, try and remove rules over an experiment's metrics."""


@rules.command("list")
@click.argument("experiment")
@json_option
@pass_session
def list_rules(session: Session, experiment: str, as_json: bool) -> None:
    """The rules of EXPERIMENT."""
    found = session.client.rules.list(session.experiment(experiment).id)
    if as_json:
        print_json(found)
        return
    rows = [(each.id, each.name, _said(each), "yes" if each.active else "no", _does(each)) for each in found.rules]
    print_table(("id", "name", "fires when", "active", "does"), rows)


@rules.command()
@click.argument("experiment")
@click.argument("name")
@click.option(
    "--when", metavar="CONDITION", help="A threshold: 'loss > 10', 'accuracy.max >= 0.99' (last, min, max, mean)."
)
@click.option("--nan", is_flag=True, help="A NaN or an infinity came; with --metric in that one.")
@click.option("--no-progress", metavar="METRIC", help="The best of METRIC is --steps or --minutes old.")
@click.option("--silent", is_flag=True, help="Nothing was heard of a running run for --minutes.")
@click.option("--metric", metavar="METRIC")
@click.option("--best", type=click.Choice(["min", "max"]), default="min", show_default=True, help="With --no-progress.")
@click.option("--steps", type=float)
@click.option("--minutes", type=float)
@click.option("--filter", "filter_text", default="", metavar="QUERY", help="Only runs that this finds.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Set on the run; may be repeated.")
@click.option("--webhook", metavar="WEBHOOK", help="Tell this one alone, by id or name.")
@click.option("--end-run", is_flag=True, help="End a running run as killed.")
@json_option
@pass_session
def create(
    session: Session,
    experiment: str,
    name: str,
    when: str | None,
    nan: bool,
    no_progress: str | None,
    silent: bool,
    metric: str | None,
    best: str,
    steps: float | None,
    minutes: float | None,
    filter_text: str,
    tags: tuple[str, ...],
    webhook: str | None,
    end_run: bool,
    as_json: bool,
) -> None:
    """Make a rule called NAME. It fires once for a run."""
    if sum((when is not None, nan, no_progress is not None, silent)) != 1:
        raise click.UsageError("give one of --when, --nan, --no-progress and --silent")
    rule = RuleSave(
        name=name,
        kind="nonfinite" if nan else "silent" if silent else "no_progress",
        metric=no_progress or metric,
        direction=cast("Direction", best),
        steps=steps,
        minutes=minutes,
        filter=filter_text,
        tags=pairs(tags, option="--tag"),
        webhook_id=None if webhook is None else _webhook(session, webhook),
        end_run=end_run,
    )
    made = session.client.rules.create(
        session.experiment(experiment).id, rule if when is None else _with_threshold(rule, when)
    )
    if as_json:
        print_json(made)
    else:
        print_facts({"id": made.id, "name": made.name, "fires when": _said(made), "does": _does(made)})


@rules.command()
@click.argument("experiment")
@click.argument("rule")
@json_option
@pass_session
def delete(session: Session, experiment: str, rule: str, as_json: bool) -> None:
    """Remove RULE, named by its id or its name."""
    found, owner = _find(session, experiment, rule)
    gone = session.client.rules.delete(owner, found.id)
    if as_json:
        print_json(gone)
    else:
        click.echo(f"removed {gone.name}")


@rules.command()
@click.argument("experiment")
@click.argument("rule")
@json_option
@pass_session
def test(session: Session, experiment: str, rule: str, as_json: bool) -> None:
    """For which of the newest 100 runs RULE holds now; nothing is done."""
    found, owner = _find(session, experiment, rule)
    tested = session.client.rules.test(owner, found.id)
    if as_json:
        print_json(tested)
        return
    ids = short_ids([each.run_id for each in tested.matches])
    print_table(
        ("run", "name", "why"),
        [(uid, each.run_name, each.message) for uid, each in zip(ids, tested.matches, strict=True)],
    )


@rules.command()
@click.argument("experiment")
@click.argument("rule")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1, max=1000))
@click.option("--offset", default=0, type=click.IntRange(min=0))
@json_option
@pass_session
def firings(session: Session, experiment: str, rule: str, limit: int, offset: int, as_json: bool) -> None:
    """The runs that RULE has fired for, newest first."""
    found, owner = _find(session, experiment, rule)
    page = session.client.rules.firings(owner, found.id, limit=limit, offset=offset)
    if as_json:
        print_json(page)
        return
    ids = short_ids([each.run_id for each in page.firings])
    rows = [
        (uid, each.run_name, moment(each.fired_at), each.message, moment(each.cleared_at) if each.cleared_at else "")
        for uid, each in zip(ids, page.firings, strict=True)
    ]
    print_table(("run", "name", "fired", "why", "cleared"), rows)
    print_rest(len(page.firings), page.total, offset)


@rules.command()
@click.argument("experiment")
@click.argument("rule")
@click.argument("run")
@json_option
@pass_session
def clear(session: Session, experiment: str, rule: str, run: str, as_json: bool) -> None:
    """Let RULE fire for RUN again."""
    found, owner = _find(session, experiment, rule)
    cleared = session.client.rules.clear(owner, found.id, session.run(run).id)
    if as_json:
        print_json(cleared)
    else:
        click.echo(f"{found.name} may fire again for {cleared.run_id}")


def _find(session: Session, experiment: str, reference: str) -> tuple[RuleResponse, str]:
    owner = session.experiment(experiment).id
    fitting = [each for each in session.client.rules.list(owner).rules if reference in (each.id, each.name)]
    if len(fitting) != 1:
        problem = "several rules are" if fitting else "no rule is"
        raise GnomonError(f"{problem} called {reference!r}; see `gnomon rules list` and give an id")
    return fitting[0], owner


def _webhook(session: Session, reference: str) -> str:
    fitting = [each.id for each in session.client.webhooks.list().webhooks if reference in (each.id, each.name)]
    if len(fitting) != 1:
        raise GnomonError(f"no webhook, or several, are called {reference!r}; see `gnomon webhooks list`")
    return fitting[0]


def _with_threshold(rule: RuleSave, text: str) -> RuleSave:
    found = _THRESHOLD.fullmatch(text.strip())
    try:
        value = float(found["value"]) if found is not None else None
    except ValueError:
        value = None
    if found is None or value is None:
        raise click.UsageError(
            f"--when wants METRIC[.AGGREGATE] and a comparison, such as 'loss.min < 0.1', not {text!r}"
        )
    return structs.replace(
        rule,
        kind="threshold",
        metric=found["metric"],
        aggregate=cast("Aggregate", found["aggregate"] or "last"),
        comparison=cast("Comparison", found["op"]),
        value=value,
    )


def _said(rule: RuleResponse) -> str:
    where = f" where {rule.filter}" if rule.filter else ""
    match rule.kind:
        case "threshold":
            return f"{rule.metric}.{rule.aggregate} {rule.comparison} {rule.value}{where}"
        case "nonfinite":
            return f"NaN or infinity in {rule.metric or 'any metric'}{where}"
        case "no_progress":
            span = f"{rule.steps:g} steps" if rule.steps is not None else f"{rule.minutes:g} min"
            return f"no better {rule.metric} ({rule.direction}) for {span}{where}"
        case _:
            return f"silent for {rule.minutes:g} min{where}"


def _does(rule: RuleResponse) -> str:
    done = ["one webhook" if rule.webhook_id else "webhooks"]
    done += [f"tag {key}={value}" for key, value in rule.tags.items()]
    return ", ".join([*done, *(["end the run"] if rule.end_run else [])])
