"""What the handlers may call, gathered once by the composition root."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon_server.api.streams import LiveStreams
from gnomon_server.api.telemetry import Telemetry
from gnomon_server.core.access import Access
from gnomon_server.core.artifacts import Artifacts
from gnomon_server.core.assessments import Assessments
from gnomon_server.core.attempts import Attempts
from gnomon_server.core.audit import Audit
from gnomon_server.core.direct import Direct
from gnomon_server.core.experiments import Experiments
from gnomon_server.core.full_runs import FullRuns
from gnomon_server.core.ingest import Ingest
from gnomon_server.core.keys import Keys
from gnomon_server.core.metrics import Metrics
from gnomon_server.core.models import Models
from gnomon_server.core.numbered import NumberedExperiments
from gnomon_server.core.quota_limits import QuotaLimits
from gnomon_server.core.quotas import Quotas
from gnomon_server.core.rates import Rates
from gnomon_server.core.registry import Registry
from gnomon_server.core.retention import Retention
from gnomon_server.core.rules import Rules
from gnomon_server.core.runs import Runs
from gnomon_server.core.sessions import Sessions
from gnomon_server.core.sign_in import SignIn
from gnomon_server.core.storage import Storage
from gnomon_server.core.tables import RunTables
from gnomon_server.core.traces import Traces
from gnomon_server.core.uploads import Uploads
from gnomon_server.core.views import Views
from gnomon_server.core.webhooks import Webhooks
from gnomon_server.settings import Settings
from gnomon_server.store import Stores
from gnomon_server.store.tickets import Ticket


@dataclass(slots=True)
class Services:
    """One server's services."""

    settings: Settings
    stores: Stores
    telemetry: Telemetry
    version: str
    access: Access
    keys: Keys
    sessions: Sessions
    sign_in: SignIn | None
    audit: Audit
    rates: Rates
    attempts: Attempts
    sign_ins: Attempts
    quotas: Quotas
    quota_limits: QuotaLimits
    experiments: Experiments
    runs: Runs
    ingest: Ingest
    metrics: Metrics
    tables: RunTables
    artifacts: Artifacts
    uploads: Uploads
    direct: Direct
    numbered: NumberedExperiments
    full_runs: FullRuns
    models: Models
    registry: Registry
    traces: Traces
    assessments: Assessments
    streams: LiveStreams
    views: Views
    webhooks: Webhooks
    rules: Rules
    storage: Storage
    retention: Retention
    now_ms: Callable[[], int]
    waker: "LoopWaker" = field(default_factory=lambda: LoopWaker())
    is_serving: bool = False
    openapi: bytes = b""


class LoopWaker:
    """Resolves the futures of a commit group on the event loop: one wake-up for the whole group."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Called on the loop that serves, before the first request."""
        self._loop = asyncio.get_running_loop()

    async def committed(self, ticket: Ticket[object]) -> object:
        """Wait for a ticket made with this waker in this turn of the loop (so it cannot have been resolved yet)."""
        future = asyncio.get_running_loop().create_future()
        ticket.owner = future
        return await future

    def wake(self, tickets: Sequence[Ticket[object]]) -> None:
        assert self._loop is not None, "start() comes first"
        self._loop.call_soon_threadsafe(_resolve, tickets)


def _resolve(tickets: Sequence[Ticket[object]]) -> None:
    for ticket in tickets:
        future = ticket.owner
        assert isinstance(future, asyncio.Future)
        if future.done():  # the client went away; what it sent is kept all the same
            continue
        try:
            future.set_result(ticket.result())
        except Exception as error:
            future.set_exception(error)


SERVICES = "gnomon_services"


def services_of(scope: Mapping[str, Any]) -> Services:
    """The services of the app that serves this request. `Any`: an ASGI scope is a dict of anything."""
    found = scope["app"].state[SERVICES]
    assert isinstance(found, Services)
    return found
