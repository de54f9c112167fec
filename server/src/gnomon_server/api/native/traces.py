"""The routes that read traces: those of a run, and the spans of one. They are written by OpenTelemetry's and MLflow's
protocols.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from gnomon import wire
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.route import Call, route
from gnomon_server.api.times import iso_time
from gnomon_server.model.errors import AccessDenied, InvalidRequest, RunNotFound, TraceNotFound
from gnomon_server.model.traces import AssessmentKind, Span, SpanStatus, Trace, TraceState

TAG = "traces"
_NAME = "mlflow.traceName"


class TraceQuery(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 50
    offset: Offset = 0


class TraceSummary(Struct, frozen=True):
    """`duration_ms` is null while it is not known."""

    id: str
    name: str
    state: TraceState
    started_at: wire.Time
    duration_ms: int | None
    request_preview: str | None
    response_preview: str | None
    tags: dict[str, str]
    metadata: dict[str, str]


class TraceListResponse(Struct, frozen=True):
    traces: list[TraceSummary]
    total: int


class SpanEvent(Struct, frozen=True):
    """Something that happened in a span; `at_ns` since the trace's first span began."""

    name: str
    at_ns: int
    attributes: dict[str, str]


class SpanResponse(Struct, frozen=True):
    """`depth` 0 is the root. Attributes that are text stand as they are, all others as JSON.

    Times are nanoseconds since the trace's first span began, so that a browser can count them.
    """

    id: str
    parent: str | None
    depth: int
    name: str
    kind: str
    status: SpanStatus
    message: str
    start_ns: int
    duration_ns: int | None
    attributes: dict[str, str]
    events: list[SpanEvent]


class AssessmentResponse(Struct, frozen=True):
    """`payload` is JSON: `{"value": …}`, or what was wrong."""

    id: str
    name: str
    kind: AssessmentKind
    source_type: str
    source_id: str
    payload: str
    rationale: str | None
    is_valid: bool


class _Event(Struct, frozen=True):
    name: str
    time_ns: int
    attributes: dict[str, object]


class _Content(Struct, frozen=True):
    """What the API reads of a span's content."""

    attributes: dict[str, object]
    events: list[_Event] = []
    message: str = ""


class TraceResponse(Struct, frozen=True):
    trace: TraceSummary
    spans: list[SpanResponse]
    assessments: list[AssessmentResponse]


@route(
    "GET",
    "/experiments/runs/{run_id:str}/traces",
    needs="runs.read",
    tag=TAG,
    query=TraceQuery,
    gives=TraceListResponse,
    raises=(InvalidRequest, AccessDenied, RunNotFound),
)
def list_run_traces(call: Call[None, TraceQuery]) -> TraceListResponse:
    """List the traces of a run, newest first."""
    query = call.query
    total, found = call.services.traces.of_run(
        call.principal, call.path("run_id"), limit=query.limit, offset=query.offset
    )
    return TraceListResponse([_summary(one) for one in found], total)


@route(
    "GET",
    "/traces/{trace_id:str}",
    needs="runs.get",
    tag=TAG,
    gives=TraceResponse,
    raises=(InvalidRequest, AccessDenied, TraceNotFound),
)
def get_trace(call: Call[None, None]) -> TraceResponse:
    """Get a trace with its spans in the order of the tree.

    Each span follows its parent; siblings stand in the order in which they began. A span whose parent is not there
    stands at the top.
    """
    trace, spans = call.services.traces.tree(call.principal, call.path("trace_id"))
    judged = [
        AssessmentResponse(
            id=one.uid,
            name=one.name,
            kind=one.kind,
            source_type=one.source_type,
            source_id=one.source_id,
            payload=one.payload,
            rationale=one.rationale,
            is_valid=one.is_valid,
        )
        for one in trace.assessments
    ]
    return TraceResponse(_summary(trace), _tree(spans), judged)


def _summary(trace: Trace) -> TraceSummary:
    return TraceSummary(
        id=trace.uid,
        name=trace.tags.get(_NAME, ""),
        state=trace.state,
        started_at=iso_time(trace.time_ms),
        duration_ms=trace.duration_ms,
        request_preview=trace.request_preview,
        response_preview=trace.response_preview,
        tags=dict(trace.tags),
        metadata=dict(trace.metadata),
    )


def _tree(spans: list[Span]) -> list[SpanResponse]:
    """The spans depth first. They come in the order in which they began; a cycle of parents is cut where it closes."""
    known = {span.uid for span in spans}
    below: dict[str | None, list[Span]] = {}
    for span in spans:
        below.setdefault(span.parent if span.parent in known and span.parent != span.uid else None, []).append(span)
    first = min((span.start_ns for span in spans), default=0)
    found: list[SpanResponse] = []
    seen: set[str] = set()
    for start in (*below.get(None, []), *spans):  # the second pass takes what only a cycle leads to
        stack = [(start, 0)]
        while stack:
            span, depth = stack.pop()
            if span.uid in seen:
                continue
            seen.add(span.uid)
            found.append(_span(span, depth, first))
            stack.extend((child, depth + 1) for child in reversed(below.get(span.uid, [])))
    return found


def _span(span: Span, depth: int, first: int) -> SpanResponse:
    content = _decode_content(span.content)
    return SpanResponse(
        id=span.uid,
        parent=span.parent,
        depth=depth,
        name=span.name,
        kind=span.kind,
        status=span.status,
        message=content.message,
        start_ns=span.start_ns - first,
        duration_ns=None if span.end_ns is None else max(0, span.end_ns - span.start_ns),
        attributes=_texts(content.attributes),
        events=[SpanEvent(one.name, one.time_ns - first, _texts(one.attributes)) for one in content.events],
    )


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode() for key, value in values.items()
    }


_decode_content = msgspec.json.Decoder(_Content).decode

ROUTES = [list_run_traces, get_trace]
