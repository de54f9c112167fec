"""The outbox: what happens to runs and models, written down for webhooks in the transaction in which it happens.

So an event is sent if and only if it was committed, whatever dies in between. The body is fixed here, and each try
sends the same bytes. A tenant without webhooks pays one look at an empty index.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite, isnan

import msgspec

from gnomon_server.core import mlflow_events, slack
from gnomon_server.model.entities import Run, RunStatus
from gnomon_server.model.ids import RowId, TenantId, new_uid
from gnomon_server.model.webhooks import Delivery, EventType, Webhook
from gnomon_server.store import Connection
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import runs as run_sql
from gnomon_server.store.meta import webhooks as sql
from gnomon_server.store.meta.tenants import name_of

# A run may have thousands of metrics; a message names the first so many, by name.
_MOST_METRICS = 50

Facts = Mapping[str, object]
_OF_STATUS: Mapping[RunStatus, EventType] = {
    "running": "run.resumed",
    "finished": "run.finished",
    "failed": "run.failed",
    "killed": "run.killed",
}


class Outbox:
    """Writes down what webhooks are to be told. `public_url`: where people open this server, for links."""

    def __init__(self, *, public_url: str, now_ms: Callable[[], int]) -> None:
        self._public_url = public_url.rstrip("/")
        self._now_ms = now_ms

    def tell_begun(self, tx: Connection, tenant: TenantId, run: RowId) -> None:
        """A run has begun."""
        if sql.has_active(tx):
            self._tell_run(tx, tenant, "run.created", run)

    def tell_status(
        self, tx: Connection, tenant: TenantId, run: RowId, *, before: RunStatus, after: RunStatus, reason: str = ""
    ) -> None:
        """The status of a run has changed; told when it is another one that people wait for."""
        event = _OF_STATUS.get(after)
        if before != after and event is not None and sql.has_active(tx):
            self._tell_run(tx, tenant, event, run, {"reason": reason} if reason else {})

    def tell_rule(self, tx: Connection, tenant: TenantId, run: RowId, rule: Facts, *, webhook: str | None) -> None:
        """A rule has fired for a run; to one webhook, where the rule names it."""
        if sql.has_active(tx):
            self._tell_run(tx, tenant, "rule.fired", run, {"rule": rule}, only=webhook)

    def tell_model(self, tx: Connection, tenant: TenantId, event: EventType, model: Facts) -> None:
        """Something was published, or moved, in the model registry."""
        if sql.has_active(tx):
            self._tell(tx, tenant, event, {"model": model}, experiment=None)

    def tell_mlflow(self, tx: Connection, tenant: TenantId, told: mlflow_events.Told | None) -> None:
        """The same to webhooks of the format `mlflow`, which have their own words for it."""
        if told is None or not sql.has_active(tx):
            return
        event, payload = told
        for hook in sql.list_webhooks(tx):
            if hook.is_active and hook.format == "mlflow" and event in hook.events:
                self._put(tx, tenant, hook, event, payload)

    def test(self, tx: Connection, tenant: TenantId, hook: Webhook) -> Delivery:
        """A delivery that only tries the way; its webhook need not want it."""
        if hook.format == "mlflow":
            return self._put(tx, tenant, hook, hook.events[0], mlflow_events.example_of(hook.events[0]))
        return self._put(tx, tenant, hook, "webhook.test", {"webhook": {"id": hook.uid, "name": hook.name}})

    def example(self, connection: Connection, tenant: TenantId, hook: Webhook, event: EventType) -> Delivery:
        """What a webhook of the format `mlflow` would be sent; it is written down nowhere."""
        return self._made(connection, tenant, hook, event, mlflow_events.example_of(event))

    def _tell_run(
        self,
        tx: Connection,
        tenant: TenantId,
        event: EventType,
        row: RowId,
        more: Facts | None = None,
        *,
        only: str | None = None,
    ) -> None:
        (run,) = run_sql.read_runs(tx, [row])
        (experiment,) = experiment_sql.read_experiments(tx, [run.experiment])
        name = name_of(tx, tenant)
        data = {
            "run": {**_run_facts(run), "url": self._link(f"r/{run.uid}", name)},
            "experiment": {
                "id": experiment.uid,
                "name": experiment.name,
                "url": self._link(f"e/{experiment.uid}", name),
            },
            **(more or {}),
        }
        self._tell(tx, tenant, event, data, experiment=experiment.uid, only=only)

    def _tell(
        self,
        tx: Connection,
        tenant: TenantId,
        event: EventType,
        data: Facts,
        *,
        experiment: str | None,
        only: str | None = None,
    ) -> None:
        for hook in sql.list_webhooks(tx):
            if hook.format == "mlflow":
                continue
            is_meant = hook.uid == only if only is not None else event in hook.events
            if hook.is_active and is_meant and hook.experiment in (None, experiment):
                self._put(tx, tenant, hook, event, data)

    def _put(self, tx: Connection, tenant: TenantId, hook: Webhook, event: EventType, data: Facts) -> Delivery:
        delivery = self._made(tx, tenant, hook, event, data)
        sql.insert_delivery(tx, tenant, delivery)
        return delivery

    def _made(self, connection: Connection, tenant: TenantId, hook: Webhook, event: EventType, data: Facts) -> Delivery:
        now_ms = self._now_ms()
        at, name = _iso(now_ms), name_of(connection, tenant)
        match hook.format:
            case "slack":
                body = slack.message_of(event, data)
            case "mlflow":
                body = mlflow_events.message_of(event, data, at=at, tenant=name)
            case "json":
                body = {"type": event, "timestamp": at, "tenant": name, "data": data}
        return Delivery(
            uid=new_uid(),
            webhook=hook.uid,
            event=event,
            body=msgspec.json.encode(body).decode(),
            state="waiting",
            attempts=0,
            created_ms=now_ms,
            next_ms=now_ms,
            done_ms=None,
            status=None,
            error=None,
        )

    def _link(self, path: str, tenant: str) -> str | None:
        """The address of a page of the web UI."""
        return f"{self._public_url}/{path}?tenant={tenant}" if self._public_url else None


def _run_facts(run: Run) -> Facts:
    return {
        "id": run.uid,
        "name": run.name,
        "status": run.status,
        "start_time": _iso(run.start_ms),
        "end_time": None if run.end_ms is None else _iso(run.end_ms),
        "duration_ms": run.duration_ms,
        "created_by": run.created_by,
        "metrics": {key: _number(value) for key, value in list(run.metrics.items())[:_MOST_METRICS]},
    }


def _number(value: float) -> float | str:
    """A double as the API's JSON says it."""
    if isfinite(value):
        return value
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
