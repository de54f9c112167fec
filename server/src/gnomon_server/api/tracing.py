"""OpenTelemetry spans of requests, exported by OTLP over HTTP. Imported only where `GNOMON_OTEL_ENDPOINT` is set.

A span for each request, and within it one for each snapshot that was read and each commit that was waited for. They
say the method, the route as it was declared, the status, the tenant and the request id: never a path, a query, a
header or a body, where secrets may be. A collector that is slow or gone costs spans, never a request: they wait in a
bounded queue and a thread of their own sends them.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from socket import gethostname

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gnomon_server.api.front import Scope
from gnomon_server.api.front.guard import REQUEST_ID_STATE, TENANT_STATE
from gnomon_server.api.services import LoopWaker
from gnomon_server.store.tickets import Ticket

_PATH = "/v1/traces"
_TIMEOUT_SECS = 3.0
# What a stopping server waits for the collector before it gives up what is left.
_LAST_SECS = 2.0
# Asked for every few seconds by machines; they would be most of the spans and say nothing.
_UNTRACED = frozenset(("/healthz", "/readyz", "/metrics"))


class Tracing:
    """The tracer of one process. `share`: which part of the requests is traced, where the caller has not decided."""

    def __init__(self, endpoint: str, *, share: float, version: str) -> None:
        self._exporter = OTLPSpanExporter(endpoint.rstrip("/") + _PATH, timeout=_TIMEOUT_SECS)
        resource = Resource.create(
            {
                "service.name": "gnomon",
                "service.version": version,
                "service.instance.id": f"{gethostname()}:{getpid()}",
            }
        )
        self._provider = TracerProvider(
            sampler=ParentBasedTraceIdRatio(share), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("gnomon", version)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, scope: Scope) -> Iterator["RequestSpan | None"]:
        """The span of a request while it is answered; None where it has none."""
        if scope["path"] in _UNTRACED:
            yield None
            return
        sent = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"}
        with self._tracer.start_as_current_span(
            scope["method"],
            context=self._propagator.extract(sent),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,  # whose text may hold what was sent
            set_status_on_exception=False,
        ) as span:
            yield RequestSpan(span, scope)

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """A span within that of the request at hand; none where there is no request."""
        if not get_current_span().is_recording():
            yield
            return
        with self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False):
            yield

    def waker(self) -> LoopWaker:
        """What waits for commits on the event loop, with a span each."""
        return _TracedWaker(self)

    def close(self) -> None:
        """Send what waits; a collector that does not answer is given up."""
        last = threading.Timer(_LAST_SECS, self._exporter.shutdown)
        last.daemon = True
        last.start()
        self._provider.shutdown()
        last.cancel()


class RequestSpan:
    """The span of one request."""

    def __init__(self, span: Span, scope: Scope) -> None:
        self._span = span
        self._scope = scope

    def end(self, status: int) -> None:
        """Say what is known once the request is answered."""
        span, scope = self._span, self._scope
        template = scope.get("path_template")
        if template:
            route = "/".join(_without_type(part) for part in template.split("/"))
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("gnomon.request_id", scope["state"][REQUEST_ID_STATE])
        if tenant := scope["state"].get(TENANT_STATE):
            span.set_attribute("gnomon.tenant", tenant)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))


class _TracedWaker(LoopWaker):
    """Waits for commits, and says in the request's span how long."""

    def __init__(self, tracing: Tracing) -> None:
        super().__init__()
        self._tracing = tracing

    async def committed(self, ticket: Ticket[object]) -> object:
        with self._tracing.within("commit"):
            return await super().committed(ticket)


def _without_type(part: str) -> str:
    """`{run_id}` of `{run_id:str}`."""
    return part.partition(":")[0] + "}" if part.startswith("{") and ":" in part else part
