"""Spans as OpenTelemetry sends them: `POST /v1/traces`, in protobuf or in JSON; the header says which experiment.

A trace's id is `tr-` and its 32 hex digits, so what MLflow's client sends and what any other exporter sends is one.
"""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence

import msgspec
from anyio import to_thread
from litestar import Response
from msgspec import Struct

from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.otlp_protobuf import MAX_DEPTH, read_request
from gnomon_server.api.route import Answer, Call
from gnomon_server.core.numbered import DEFAULT_NUMBER
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.traces import MAX_NS, MAX_SPAN_BYTES, MAX_SPAN_NAME, SentSpan, Span, SpanStatus

REQUEST_ID = "mlflow.traceRequestId"
_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"
_KINDS = ("mlflow.spanType", "openinference.span.kind", "traceloop.span.kind")
_STATUSES: Mapping[object, SpanStatus] = {1: "OK", 2: "ERROR", "STATUS_CODE_OK": "OK", "STATUS_CODE_ERROR": "ERROR"}
_BAD = "Invalid OpenTelemetry format"
_MIN_INT = -(2**63)


class AnyValue(Struct, frozen=True, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: "ArrayValue | None" = None
    kvlist_value: "KeyValueList | None" = None
    bytes_value: bytes | None = None


class KeyValue(Struct, frozen=True):
    key: str = ""
    value: AnyValue = AnyValue()


class ArrayValue(Struct, frozen=True):
    values: list[AnyValue] = []


class KeyValueList(Struct, frozen=True):
    values: list[KeyValue] = []


class Event(Struct, frozen=True, rename="camel"):
    time_unix_nano: int | str = 0
    name: str = ""
    attributes: list[KeyValue] = []


class Link(Struct, frozen=True, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    attributes: list[KeyValue] = []


class Status(Struct, frozen=True):
    message: str = ""
    code: int | str = 0


class OtlpSpan(Struct, frozen=True, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[KeyValue] = []
    events: list[Event] = []
    links: list[Link] = []
    status: Status = Status()


class Resource(Struct, frozen=True):
    attributes: list[KeyValue] = []


class ScopeSpans(Struct, frozen=True):
    spans: list[OtlpSpan] = []


class ResourceSpans(Struct, frozen=True, rename="camel"):
    resource: Resource = Resource()
    scope_spans: list[ScopeSpans] = []


class ExportRequest(Struct, frozen=True, rename="camel"):
    resource_spans: list[ResourceSpans] = []


@wire_route("POST", "/v1/traces", needs="runs.log", prefixes=("",))
async def export_traces(call: Call[None, None]) -> Answer:
    """Keep spans; the answer is OTLP's, in the form that was sent."""
    headers = call.request.headers
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    number = headers.get("x-mlflow-experiment-id")
    if number is None:
        raise InvalidRequest("name the experiment in the header x-mlflow-experiment-id")
    request = read_export(await call.request.body(), media)
    sent = [one for each in request.resource_spans for one in _spans_of(each)]
    if not request.resource_spans:
        raise InvalidRequest(f"{_BAD} - no spans found")
    if sent:
        run = headers.get("x-mlflow-run-id")
        await _keep(call, number_of(number), sent, run)
    body = b"{}" if media == _JSON else b""
    return Response(content=body, media_type=media)


def read_export(raw: bytes, media: str) -> ExportRequest:
    """The request in either form."""
    if media not in (_PROTOBUF, _JSON):
        raise InvalidRequest(f"Invalid Content-Type: {media}. Expected: {_PROTOBUF} or {_JSON}")
    try:
        if media == _JSON:
            return msgspec.json.decode(raw, type=ExportRequest)
        return msgspec.convert(read_request(raw), ExportRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest(_BAD) from None


def value_of(value: AnyValue, depth: int = 0) -> object:
    """What a value says, in Python's terms; bytes as base64."""
    if depth > MAX_DEPTH:
        raise InvalidRequest(f"{_BAD}: a value is nested too deeply")
    if value.string_value is not None:
        return value.string_value
    if value.bool_value is not None:
        return value.bool_value
    if value.int_value is not None:
        return _integer(value.int_value)
    if value.double_value is not None:
        number = _double(value.double_value)
        return number if math.isfinite(number) else str(number)
    if value.array_value is not None:
        return [value_of(item, depth + 1) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return {item.key: value_of(item.value, depth + 1) for item in value.kvlist_value.values}
    return None if value.bytes_value is None else base64.b64encode(value.bytes_value).decode()


def attributes_of(pairs: Sequence[KeyValue]) -> dict[str, object]:
    return {pair.key: value_of(pair.value) for pair in pairs}


async def _keep(call: Call[None, None], number: int, sent: Sequence[SentSpan], run: str | None) -> None:
    def work() -> None:
        if number == DEFAULT_NUMBER:  # an exporter asks for nothing before it sends
            call.services.numbered.ensure_default(call.principal)
        call.services.traces.log_spans(call.principal, number, sent, run=run)

    await to_thread.run_sync(work)


def _spans_of(each: ResourceSpans) -> list[SentSpan]:
    resource = attributes_of(each.resource.attributes)
    return [_sent(span, resource) for scope in each.scope_spans for span in scope.spans]


def _sent(span: OtlpSpan, resource: Mapping[str, object]) -> SentSpan:
    trace = _id(span.trace_id, 16, "trace_id")
    uid = f"tr-{trace}"
    attributes = {**attributes_of(span.attributes), REQUEST_ID: uid}
    kept = Span(
        uid=_id(span.span_id, 8, "span_id"),
        parent=_parent(span.parent_span_id),
        name=span.name[:MAX_SPAN_NAME],
        kind=kind_of(attributes),
        status=_STATUSES.get(span.status.code, "UNSET"),
        start_ns=_time(span.start_time_unix_nano),
        end_ns=_time(span.end_time_unix_nano) or None,
        content=content_of(
            trace,
            attributes,
            events=[
                {"name": one.name, "time_ns": _time(one.time_unix_nano), "attributes": attributes_of(one.attributes)}
                for one in span.events
            ],
            links=[
                {"trace": one.trace_id, "span": one.span_id, "attributes": attributes_of(one.attributes)}
                for one in span.links
            ],
            message=span.status.message,
        ),
    )
    return SentSpan(uid, kept, attributes, resource)


def content_of(
    trace: str,
    attributes: Mapping[str, object],
    *,
    events: Sequence[Mapping[str, object]],
    links: Sequence[Mapping[str, object]],
    message: str,
) -> str:
    """The part of a span that only readers look at, as JSON within its bound."""
    tree: dict[str, object] = {"trace": trace, "attributes": attributes}
    more = {"events": events, "links": links, "message": message}
    tree.update({name: value for name, value in more.items() if value})
    raw = msgspec.json.encode(tree)
    if len(raw) > MAX_SPAN_BYTES:
        raise InvalidRequest(f"a span has {len(raw):,} bytes; at most {MAX_SPAN_BYTES:,} are kept")
    return raw.decode()


def kind_of(attributes: Mapping[str, object]) -> str:
    """What kind of step a span is, where it says so."""
    told = next((attributes[name] for name in _KINDS if isinstance(attributes.get(name), str)), "UNKNOWN")
    return str(told)[:MAX_SPAN_NAME]


def _id(text: str, size: int, field: str) -> str:
    try:
        raw = binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != size:
        raise InvalidRequest(f"{_BAD}: {field} is not {size} bytes in hex")
    if not any(raw):
        raise InvalidRequest(f"{_BAD}: {field} is all zeros, which names nothing")
    return text.lower()


def _parent(text: str) -> str | None:
    """None for a root; some exporters say that with zeros."""
    return _id(text, 8, "parent_span_id") if text.strip("0") else None


def _time(value: int | str) -> int:
    number = _integer(value)
    if not 0 <= number <= MAX_NS:
        raise InvalidRequest(f"{_BAD}: a time is not Unix nanoseconds before the year 2262")
    return number


def _integer(value: int | str) -> int:
    try:
        number = int(value)
    except ValueError:
        raise InvalidRequest(f"{_BAD}: {value[:40]!r} is no integer") from None  # type: ignore[index]
    if not _MIN_INT <= number <= MAX_NS:
        raise InvalidRequest(f"{_BAD}: an integer does not fit into 64 bits")
    return number


def _double(value: float | str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InvalidRequest(f"{_BAD}: {value[:40]!r} is no number") from None  # type: ignore[index]


ROUTES = [export_traces]
