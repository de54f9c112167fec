"""Traces: what one request to an agent or a model did, as a tree of spans."""

import builtins

from msgspec import Struct

from gnomon.client.transport import Transport, path_of


class TraceSummary(Struct, frozen=True):
    """`duration_ms` is None while it is not known."""

    id: str
    name: str
    state: str
    started_at: str
    duration_ms: int | None
    request_preview: str | None
    response_preview: str | None
    tags: dict[str, str]
    metadata: dict[str, str]


class TracePage(Struct, frozen=True):
    traces: builtins.list[TraceSummary]
    total: int


class SpanEvent(Struct, frozen=True):
    """Something that happened in a span; `at_ns` since the trace's first span began."""

    name: str
    at_ns: int
    attributes: dict[str, str]


class Span(Struct, frozen=True):
    """One step. `depth` 0 is the root; `start_ns` counts from when the trace's first span began.

    Attributes that are text stand as they are, all others as JSON.
    """

    id: str
    parent: str | None
    depth: int
    name: str
    kind: str
    status: str
    message: str
    start_ns: int
    duration_ns: int | None
    attributes: dict[str, str]
    events: builtins.list[SpanEvent]


class Assessment(Struct, frozen=True):
    """What was said of a trace; `payload` is JSON."""

    id: str
    name: str
    kind: str
    source_type: str
    source_id: str
    payload: str
    rationale: str | None
    is_valid: bool


class Trace(Struct, frozen=True):
    """A trace whose spans stand in the order of the tree: each follows its parent."""

    trace: TraceSummary
    spans: builtins.list[Span]
    assessments: builtins.list[Assessment]


class Traces:
    """`client.traces`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, run_id: str, *, limit: int = 50, offset: int = 0) -> TracePage:
        """The traces of a run, the newest first."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        return self._transport.call("GET", path_of("experiments", "runs", run_id, "traces"), TracePage, query=query)

    def get(self, trace_id: str) -> Trace:
        """A trace with its spans."""
        return self._transport.call("GET", path_of("traces", trace_id), Trace)
