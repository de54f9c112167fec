"""What traces ARE: what one request to an agent or a model did, as a tree of spans, and what was judged of it.

Clients make the ids of traces and spans. A span's times are Unix nanoseconds, because calls shorter than a millisecond
are common; a trace's are milliseconds, like everything else here. `content` is JSON text: what only readers look at.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from gnomon_server.model.errors import InvalidRequest, invalid_field
from gnomon_server.model.ids import RowId

TraceState = Literal["STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"]
SpanStatus = Literal["UNSET", "OK", "ERROR"]
AssessmentKind = Literal["feedback", "expectation", "issue"]
# `spent`: what a span took in tokens and money, by its id; as JSON.
PairKind = Literal["tag", "metadata", "prompt", "spent"]

# A trace of more is a batch job, not a request, and nobody reads it as a tree.
MAX_SPANS = 10_000
MAX_SPAN_BYTES = 1024 * 1024
MAX_SPAN_NAME = 1_000
MAX_PREVIEW = 10_000
MAX_KEY = 250
MAX_VALUE = 8_000
MAX_PAIRS = 500
MAX_ASSESSMENTS = 1_000
MAX_ASSESSMENT_BYTES = 64 * 1024
MAX_NS = 2**63 - 1

_UID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


class Assessment(Struct, frozen=True):
    """Feedback on a trace, or what was expected of it. `payload` is JSON text: the value or the error, as sent.

    `is_valid` turns False when another assessment `overrides` this one.
    """

    uid: str
    name: str
    kind: AssessmentKind
    source_type: str
    source_id: str
    payload: str
    created_ms: int
    updated_ms: int
    rationale: str | None = None
    metadata: Mapping[str, str] = {}
    span: str | None = None
    overrides: str | None = None
    is_valid: bool = True


class TraceHead(Struct, frozen=True):
    """What a client says of a trace when it is done, or begun."""

    uid: str
    time_ms: int
    duration_ms: int | None = None
    state: TraceState = "STATE_UNSPECIFIED"
    client_request: str | None = None
    request_preview: str | None = None
    response_preview: str | None = None
    tags: Mapping[str, str] = {}
    metadata: Mapping[str, str] = {}
    assessments: Sequence[Assessment] = ()


class Trace(Struct, frozen=True):
    """A trace as it is kept. `is_final`: its client has said how it ended; spans no longer change that."""

    row: RowId
    uid: str
    experiment: RowId
    experiment_number: int
    artifact_location: str
    time_ms: int
    duration_ms: int | None
    state: TraceState
    client_request: str | None
    request_preview: str | None
    response_preview: str | None
    is_final: bool
    tags: Mapping[str, str] = {}
    metadata: Mapping[str, str] = {}
    assessments: Sequence[Assessment] = ()


class Span(Struct, frozen=True):
    """One step of a trace; `parent` None is the root. `content` is JSON: attributes, events, links and the message."""

    uid: str
    parent: str | None
    name: str
    kind: str
    status: SpanStatus
    start_ns: int
    end_ns: int | None
    content: str


class SentSpan(Struct, frozen=True):
    """A span as it arrives, with the attributes that say something of the whole trace."""

    trace: str
    span: Span
    attributes: Mapping[str, object] = {}
    resource: Mapping[str, object] = {}


class TraceOrder(Struct, frozen=True):
    """What traces are sorted by: an attribute, or the value of a tag or of metadata."""

    kind: Literal["attribute", "tag", "metadata"]
    key: str
    descending: bool = False


def trace_uid(text: str, *, field: str = "trace_id") -> str:
    """The id of a trace: 1 to 100 of letters, digits and `_ . : -`."""
    if _UID.fullmatch(text) is None:
        raise invalid_field(field, "use 1 to 100 letters, digits, `_`, `.`, `:` and `-`")
    return text


def checked_pairs(pairs: Mapping[str, str], *, field: str) -> dict[str, str]:
    """Tags or metadata of a trace within their bounds; a value past its bound is cut."""
    if len(pairs) > MAX_PAIRS:
        raise invalid_field(field, f"has {len(pairs)} entries; at most {MAX_PAIRS} are allowed")
    for key, value in pairs.items():
        if not key or len(key) > MAX_KEY:
            raise InvalidRequest(f"{field}: a key has 1 to {MAX_KEY} characters, this one {len(key)}")
        if "\x00" in key or "\x00" in value:
            raise InvalidRequest(f"{field}: neither keys nor values hold NUL")
    return {key: value[:MAX_VALUE] for key, value in pairs.items()}
