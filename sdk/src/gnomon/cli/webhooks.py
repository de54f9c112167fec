"""`gnomon webhooks`: whom the server tells what happens, and what became of each message."""

import time
from typing import cast, get_args

import click

from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import moment, print_facts, print_json, print_rest, print_table
from gnomon.errors import GnomonError
from gnomon.wire import (
    DeliveryResponse,
    DeliveryState,
    EventType,
    OwnEvent,
    WebhookFormat,
    WebhookMinted,
    WebhookResponse,
)

_EVENTS = [each for each in get_args(OwnEvent) if each != "webhook.test"]
_RUN_ENDS = ("run.finished", "run.failed", "run.killed", "rule.fired")
_TEST_WAIT_SECS = 15.0


@click.group()
def webhooks() -> None:
    """List, make, try and remove webhooks: what happens is sent to a URL, signed and retried."""


@webhooks.command("list")
@json_option
@pass_session
def list_webhooks(session: Session, as_json: bool) -> None:
    """The webhooks of the tenant."""
    found = session.client.webhooks.list()
    if as_json:
        print_json(found)
        return
    rows = [
        (each.id, each.name, each.url, each.format, "yes" if each.active else "no", " ".join(each.events))
        for each in found.webhooks
    ]
    print_table(("id", "name", "url", "format", "active", "events"), rows)


@webhooks.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice(_EVENTS),
    help="May be repeated [default: runs that end, rules that fire].",
)
@click.option("-e", "--experiment", metavar="EXPERIMENT", help="Only of this one.")
@click.option("--slack", is_flag=True, help="As messages that a Slack channel shows.")
@json_option
@pass_session
def create(
    session: Session, name: str, url: str, events: tuple[str, ...], experiment: str | None, slack: bool, as_json: bool
) -> None:
    """Send events to URL from now on. Prints the secret that they are signed with, this once."""
    made = session.client.webhooks.create(
        name,
        url,
        [cast("EventType", each) for each in events or _RUN_ENDS],
        experiment_id=None if experiment is None else session.experiment(experiment).id,
        format="slack" if slack else "json",
    )
    _show_minted(made, as_json)


@webhooks.command()
@click.argument("webhook")
@click.option("--name", metavar="TEXT")
@click.option("--url", metavar="URL")
@click.option("--event", "events", multiple=True, type=click.Choice(_EVENTS), help="These in place of the others.")
@click.option("--format", "form", type=click.Choice(["json", "slack"]))
@click.option("--active/--paused", default=None, help="While paused nothing is sent.")
@json_option
@pass_session
def update(
    session: Session,
    webhook: str,
    name: str | None,
    url: str | None,
    events: tuple[str, ...],
    form: str | None,
    active: bool | None,
    as_json: bool,
) -> None:
    """Change WEBHOOK, named by its id or its name."""
    changed = session.client.webhooks.update(
        _find(session, webhook).id,
        name=name,
        url=url,
        events=[cast("EventType", each) for each in events] or None,
        format=cast("WebhookFormat | None", form),
        active=active,
    )
    _show(changed, as_json)


@webhooks.command()
@click.argument("webhook")
@json_option
@pass_session
def delete(session: Session, webhook: str, as_json: bool) -> None:
    """Remove WEBHOOK, with what waits for it and the log of what was sent."""
    _show(session.client.webhooks.delete(_find(session, webhook).id), as_json)


@webhooks.command("rotate-secret")
@click.argument("webhook")
@json_option
@pass_session
def rotate_secret(session: Session, webhook: str, as_json: bool) -> None:
    """Print a new secret for WEBHOOK; for a day messages are signed with the old one too."""
    _show_minted(session.client.webhooks.rotate_secret(_find(session, webhook).id), as_json)


@webhooks.command()
@click.argument("webhook")
@json_option
@pass_session
def test(session: Session, webhook: str, as_json: bool) -> None:
    """Send WEBHOOK a test message and wait for what becomes of it. Exit code 1 when it did not arrive."""
    hook = _find(session, webhook)
    found = session.client.webhooks.test(hook.id)
    click.echo("Sent; waiting for the answer…", err=True)
    deadline = time.monotonic() + _TEST_WAIT_SECS
    while found.attempts == 0 and time.monotonic() < deadline:
        time.sleep(0.2)
        page = session.client.webhooks.deliveries(hook.id, limit=20)
        found = next((each for each in page.deliveries if each.id == found.id), found)
    if as_json:
        print_json(found)
    elif found.state == "delivered":
        click.echo(f"delivered, answered {found.status}")
    if found.state != "delivered":
        raise GnomonError(f"the test message did not arrive: {_outcome(found)}; it is tried again by itself")


@webhooks.command()
@click.argument("webhook")
@click.option("--state", type=click.Choice(get_args(DeliveryState)), help="Only those.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1, max=1000))
@click.option("--offset", default=0, type=click.IntRange(min=0))
@json_option
@pass_session
def deliveries(session: Session, webhook: str, state: str | None, limit: int, offset: int, as_json: bool) -> None:
    """What was sent to WEBHOOK and what waits, newest first."""
    page = session.client.webhooks.deliveries(
        _find(session, webhook).id, state=cast("DeliveryState | None", state), limit=limit, offset=offset
    )
    if as_json:
        print_json(page)
        return
    rows = [
        (each.id, each.event, each.state, str(each.attempts), moment(each.created_at), _outcome(each))
        for each in page.deliveries
    ]
    print_table(("id", "event", "state", "tries", "created", "outcome"), rows, right=("tries",))
    print_rest(len(page.deliveries), page.total, offset)


@webhooks.command()
@click.argument("webhook")
@click.argument("delivery")
@json_option
@pass_session
def redeliver(session: Session, webhook: str, delivery: str, as_json: bool) -> None:
    """Send DELIVERY, an id of the log, once more to WEBHOOK."""
    again = session.client.webhooks.redeliver(_find(session, webhook).id, delivery)
    if as_json:
        print_json(again)
    else:
        click.echo(f"{again.id} waits to be sent")


def _find(session: Session, reference: str) -> WebhookResponse:
    found = session.client.webhooks.list().webhooks
    fitting = [each for each in found if reference in (each.id, each.name)]
    if len(fitting) != 1:
        problem = "several webhooks are" if fitting else "no webhook is"
        raise GnomonError(f"{problem} called {reference!r}; see `gnomon webhooks list` and give an id")
    return fitting[0]


def _outcome(delivery: DeliveryResponse) -> str:
    return delivery.error or ("" if delivery.status is None else f"answered {delivery.status}")


def _show(hook: WebhookResponse, as_json: bool) -> None:
    if as_json:
        print_json(hook)
        return
    print_facts(
        {
            "id": hook.id,
            "name": hook.name,
            "url": hook.url,
            "events": ", ".join(hook.events),
            "experiment": hook.experiment_id or "all",
            "format": hook.format,
            "active": "yes" if hook.active else "no",
        }
    )


def _show_minted(made: WebhookMinted, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    _show(made.webhook, as_json=False)
    print_facts({"secret": made.secret})
    click.echo("Keep the secret now: it is not shown again.", err=True)
