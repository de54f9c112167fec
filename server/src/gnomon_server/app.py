"""The composition root: settings become stores, stores become services, services become one ASGI app.

The only module that knows every room. `open_server` builds everything for one home, `Server.close` ends it in the
reverse order: no new writes, upkeep, the writer (which commits what waits), the database.
"""

import os
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
from litestar import Litestar, Response, Router
from litestar.exceptions import HTTPException

from gnomon_server.api import mlflow, system
from gnomon_server.api.front import Front, FrontLimits, Scope
from gnomon_server.api.guards import PRINCIPAL_STATE, refuse_unguarded
from gnomon_server.api.ingest import IngestApp
from gnomon_server.api.native import INGEST, ROUTES
from gnomon_server.api.native.live import encode_news
from gnomon_server.api.openapi import openapi_document
from gnomon_server.api.problems import answer_defect, answer_gnomon_error, answer_http_error
from gnomon_server.api.route import Doc, HttpRequest, options_routes
from gnomon_server.api.services import SERVICES, Services
from gnomon_server.api.streams import LiveStreams
from gnomon_server.api.telemetry import Telemetry
from gnomon_server.api.web import UI_FOLDER, absent_page, load_ui, web_routes
from gnomon_server.core.access import Access
from gnomon_server.core.artifacts import Artifacts
from gnomon_server.core.assessments import Assessments
from gnomon_server.core.attempts import Attempts
from gnomon_server.core.audit import Audit
from gnomon_server.core.automation import Automation
from gnomon_server.core.deliveries import Deliveries
from gnomon_server.core.direct import Direct
from gnomon_server.core.experiments import Experiments
from gnomon_server.core.full_runs import FullRuns
from gnomon_server.core.ingest import Ingest
from gnomon_server.core.keys import Keys
from gnomon_server.core.live import Live
from gnomon_server.core.liveness import Liveness
from gnomon_server.core.metrics import Metrics
from gnomon_server.core.models import Models
from gnomon_server.core.mover import Mover
from gnomon_server.core.numbered import NumberedExperiments
from gnomon_server.core.oidc_provider import Provider
from gnomon_server.core.outbox import Outbox
from gnomon_server.core.quota_limits import QuotaLimits
from gnomon_server.core.quotas import Quotas
from gnomon_server.core.rates import Rates
from gnomon_server.core.registry import Registry
from gnomon_server.core.retention import Retention
from gnomon_server.core.rule_watch import RuleWatch
from gnomon_server.core.rules import Rules
from gnomon_server.core.runs import Runs
from gnomon_server.core.sessions import Sessions
from gnomon_server.core.sign_in import SignIn, SignInConfig, sign_in_config
from gnomon_server.core.storage import Storage
from gnomon_server.core.tables import RunTables
from gnomon_server.core.traces import Traces
from gnomon_server.core.upkeep import Upkeep
from gnomon_server.core.uploads import Uploads
from gnomon_server.core.views import Views
from gnomon_server.core.watch import Watch
from gnomon_server.core.webhooks import Webhooks
from gnomon_server.egress.addresses import parse_allowed
from gnomon_server.egress.client import Egress
from gnomon_server.model.changes import Change
from gnomon_server.model.errors import GnomonError
from gnomon_server.model.ids import TenantId
from gnomon_server.settings import Settings, comma_list
from gnomon_server.store import Stores, Telling
from gnomon_server.store.files import open_files
from gnomon_server.store.object_store import StoreRefused
from gnomon_server.store.opening import lock_home, make_gossip, make_writer, open_database, release_reserve
from gnomon_server.store.points.schedule import SealSchedule
from gnomon_server.store.traced import TracedDatabase, TracedWriter

if TYPE_CHECKING:
    from gnomon_server.api.tracing import Tracing

API_PREFIX = "/api/v1"
# What sysexits.h calls EX_IOERR: a supervisor starts the process again, and it reads what is really on the disk.
EXIT_IO_ERROR = 74
# The frame of a multipart form around a file; the file itself is bounded by its route.
_FORM_BYTES = 64 * 1024


@dataclass(slots=True)
class Server:
    """One running server: its app, and everything that must be closed again."""

    settings: Settings
    services: Services
    app: Litestar
    upkeep: Upkeep
    watch: Watch
    automation: Automation
    deliveries: Deliveries
    mover: Mover
    _lock: IO[str]
    _gossip: Telling | None = None
    tracing: "Tracing | None" = None
    _is_closed: bool = field(default=False)

    @property
    def asgi(self) -> Front:
        """The app behind its outer guard."""
        hosts = frozenset(comma_list(self.settings.allowed_hosts))
        limits = FrontLimits(hosts=hosts, artifact_bytes=self.settings.max_artifact_bytes + _FORM_BYTES)
        app = IngestApp(self.app, self.services, INGEST, [mlflow.INGEST])
        return Front(
            app,
            limits,
            on_request=self.services.telemetry.on_request,
            on_refusal=self._note_refusal,
            speak=mlflow.say_refusal,
            trace=None if self.tracing is None else self.tracing.request,
        )

    def close(self) -> None:
        """Commit what waits and close the home. Doing it again changes nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self.deliveries.stop()
        self.automation.stop()
        self.upkeep.stop()
        self.mover.stop()
        self.watch.stop()
        self.services.stores.writer.close()
        if self._gossip is not None:
            self._gossip.stop()
        self.services.stores.database.close()
        if self.tracing is not None:
            self.tracing.close()
        self._lock.close()

    def _note_refusal(self, scope: Scope, status: int) -> None:
        if self.services.access.is_secured:
            client = scope.get("client")
            self.services.audit.note_refusal(
                code=str(status),
                address=client[0] if client else "",
                method=scope["method"],
                path=scope["path"],
                by=scope["state"].get(PRINCIPAL_STATE),
            )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def gnomon_version() -> str:
    try:
        return version("gnomon")
    except PackageNotFoundError:  # run from the source tree, not installed
        return "0+source"


def open_server(
    settings: Settings,
    *,
    clock: Callable[[], int] = now_ms,
    on_fatal: Callable[[Exception], None] | None = None,
    rng: random.Random | None = None,
    several: tuple[Path, int] | None = None,
) -> Server:
    """Open the home, bring its database up to date and build the app. Raises `HomeInUse` when a server has it.

    `several`: one of the processes of a port, with the folder of what they count together and its number.
    """
    provider_config = sign_in_config(settings)
    tracing = _tracing(settings)
    lock = lock_home(settings)
    release_reserve(settings)
    database = open_database(settings)
    telemetry = Telemetry(several)
    missing_run: list[Callable[[str], GnomonError]] = []
    rng = rng or random.Random()  # noqa: S311  # run names are no secret
    egress = Egress(parse_allowed(comma_list(settings.egress_allow), has_public=settings.egress_public))
    outbox = Outbox(public_url=settings.public_url, now_ms=clock)
    quotas = Quotas(database)
    ingest = Ingest(missing_run=lambda uid: missing_run[0](uid), outbox=outbox, now_ms=clock, rng=rng, quotas=quotas)
    live = Live(database)
    rates = Rates(requests_per_sec=settings.tenant_requests_per_sec, points_per_sec=settings.tenant_points_per_sec)
    gossip = make_gossip(database, hear=live.publish, hear_gap=live.lose_track, spending=rates)

    watched: list[RuleWatch] = []

    def publish(changes: Sequence[Change]) -> None:
        live.publish(changes)
        for each in watched:
            each.note(changes)
        if gossip is not None:
            gossip.tell(changes)

    writer = make_writer(
        database,
        commit_batches=ingest.commit,
        on_undo=ingest.undo,
        on_fatal=on_fatal or _stop_process,
        on_commit=telemetry.on_commit,
        on_changes=publish,
    )
    ingest.attach(writer, is_shared=database.is_shared)
    writer.start()
    if gossip is not None:
        gossip.start()
    try:
        files = open_files(settings, database, writer)
    except StoreRefused:
        writer.close()
        if gossip is not None:
            gossip.stop()
        database.close()
        lock.close()
        raise
    untraced = stores = Stores(database, writer, files.blobs)
    if tracing is not None:
        stores = Stores(TracedDatabase(database, tracing.within), TracedWriter(writer, tracing.within), files.blobs)
    watched.append(RuleWatch(stores, outbox, now_ms=clock))
    access = Access(
        stores, now_ms=clock, hide_foreign_ids=settings.hide_foreign_ids, has_sign_in=provider_config is not None
    )
    sessions = Sessions(
        partial(writer.call, TenantId(0)),
        life_ms=int(settings.oidc_session_hours * 3_600_000),
        now_ms=clock,
        on_change=access.refresh,
    )
    audit = Audit(stores, now_ms=clock)
    missing_run.append(access.missing_run)
    artifacts = Artifacts(stores, access, settings=settings, now_ms=clock, quotas=quotas)
    uploads = Uploads(files.uploads, artifacts, settings=settings, now_ms=clock)
    runs = Runs(stores, access, ingest, outbox, now_ms=clock, rng=rng, quotas=quotas)
    experiments = Experiments(
        stores,
        access,
        ingest,
        artifact_prefixes=comma_list(settings.artifact_prefixes),
        now_ms=clock,
        quotas=quotas,
    )
    retention = Retention(stores, access, ingest, audit, now_ms=clock)
    services = Services(
        settings=settings,
        stores=stores,
        telemetry=telemetry,
        version=gnomon_version(),
        access=access,
        keys=Keys(partial(writer.call, TenantId(0)), now_ms=clock, on_change=access.refresh),
        sessions=sessions,
        sign_in=None if provider_config is None else _sign_in(provider_config, sessions),
        audit=audit,
        rates=rates,
        attempts=Attempts(settings.attempts_per_minute, processes=lambda: rates.processes),
        sign_ins=Attempts(settings.attempts_per_minute, processes=lambda: rates.processes),
        quotas=quotas,
        quota_limits=QuotaLimits(database, partial(writer.call, TenantId(0)), now_ms=clock, on_change=quotas.refresh),
        experiments=experiments,
        runs=runs,
        ingest=ingest,
        metrics=Metrics(stores, access),
        tables=RunTables(stores, runs),
        artifacts=artifacts,
        uploads=uploads,
        direct=Direct(files.direct, files.uploads, artifacts, settings=settings, now_ms=clock),
        numbered=NumberedExperiments(stores, experiments, now_ms=clock),
        full_runs=FullRuns(stores, access, runs, outbox, now_ms=clock, rng=rng, quotas=quotas),
        models=Models(stores, access, now_ms=clock, rng=rng),
        registry=Registry(stores, outbox, now_ms=clock),
        traces=Traces(stores, access, now_ms=clock),
        assessments=Assessments(stores, now_ms=clock),
        streams=LiveStreams(live, encode_news, most=settings.live_streams),
        views=Views(stores, access, now_ms=clock),
        rules=Rules(stores, access, now_ms=clock, on_change=watched[0].forget_rules),
        webhooks=Webhooks(stores, access, egress, outbox, now_ms=clock),
        storage=Storage(untraced, access),
        retention=retention,
        now_ms=clock,
    )
    if tracing is not None:
        services.waker = tracing.waker()
    schedule = SealSchedule(
        points=settings.seal_points,
        segments=settings.seal_segments,
        idle_ms=int(settings.seal_idle_secs * 1000),
    )
    upkeep = Upkeep(
        stores,
        artifacts,
        uploads,
        retention,
        schedule=schedule,
        retention_secs=settings.retention_minutes * 60,
        now_ms=clock,
    )
    watch = Watch(stores, access, audit, quotas, on_round=partial(system.take_stock, services) if several else None)
    timeout_secs = settings.check_in_timeout_secs
    automation = Automation(
        Liveness(stores, outbox, timeout_secs=timeout_secs, now_ms=clock), watched[0], timeout_secs=timeout_secs
    )
    deliveries = Deliveries(stores, egress, now_ms=clock, rng=rng)
    mover = Mover(stores, files.chunks, age_hours=settings.chunk_age_hours, now_ms=clock)
    app = build_app(services, [upkeep, watch, automation, deliveries, mover])
    return Server(settings, services, app, upkeep, watch, automation, deliveries, mover, lock, gossip, tracing)


def build_app(services: Services, threads: Sequence[Upkeep | Watch | Automation | Deliveries | Mover]) -> Litestar:
    """The Litestar app: routes, guards, errors. Refuses to be built when a route declares no permission."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        services.waker.start()
        for each in threads:
            each.start()
        services.is_serving = True
        yield
        services.is_serving = False

    ui = load_ui(UI_FOLDER, base_path=services.settings.base_path)

    def answer_unserved(request: HttpRequest, error: HTTPException) -> Response[bytes]:
        page = absent_page(request, ui) if error.status_code == 404 else None
        return page or _answer_unserved(request, error)

    app = Litestar(
        route_handlers=[
            Router(API_PREFIX, route_handlers=[*options_routes(ROUTES), *ROUTES]),
            *system.ROUTES,
            *mlflow.ROUTES,
            *web_routes(ui),
        ],
        exception_handlers={
            GnomonError: answer_gnomon_error,
            HTTPException: answer_unserved,
            Exception: answer_defect,
        },
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=None,  # the outer guard bounds bodies, by the kind of route
        logging_config=None,
        debug=False,
    )
    refuse_unguarded(app.routes)
    app.state[SERVICES] = services
    services.openapi = msgspec.json.encode(_document(services.version))
    return app


def _sign_in(config: SignInConfig, sessions: Sessions) -> SignIn:
    provider = Provider(config.issuer, client_id=config.client_id, client_secret=config.client_secret)
    return SignIn(config, provider, sessions)


def _tracing(settings: Settings) -> "Tracing | None":
    if not settings.otel_endpoint:
        return None
    if not settings.otel_endpoint.startswith(("http://", "https://")):
        raise ValueError(
            "GNOMON_OTEL_ENDPOINT is the http:// or https:// address of a collector, such as http://host:4318"
        )
    try:
        from gnomon_server.api.tracing import Tracing  # an extra, and only whoever traces pays for it
    except ImportError:
        raise ValueError("traces need more packages: pip install 'gnomon[otel]'") from None
    return Tracing(settings.otel_endpoint, share=settings.otel_share, version=gnomon_version())


def _answer_unserved(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """No such path or method, in the words of the dialect that the path belongs to."""
    speaks = mlflow.answer_unserved if request.scope["path"].startswith(mlflow.PATHS) else answer_http_error
    return speaks(request, error)


def _document(app_version: str) -> object:
    docs: list[tuple[str, Doc]] = []
    for prefix, handlers in ((API_PREFIX, ROUTES), ("", system.ROUTES)):
        docs.extend((prefix, handler.opt["doc"]) for handler in handlers)
    return openapi_document(docs, version=app_version)


def _stop_process(_error: Exception) -> None:
    os._exit(EXIT_IO_ERROR)
