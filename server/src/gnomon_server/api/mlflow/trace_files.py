"""The file that clients before MLflow 3.4 keep the spans of a trace in: `…/traces/<id>/artifacts/traces.json`.

It is never kept as a file. What is uploaded becomes spans like all others, and a download is written from them, in the
form that every one of those clients reads.
"""

import base64
import binascii
import re

import msgspec
from anyio import to_thread
from litestar import Response
from msgspec import Struct

from gnomon_server.api.mlflow.declare import AnyCall
from gnomon_server.api.mlflow.otlp import content_of, kind_of
from gnomon_server.model.errors import InvalidRequest, TooLarge
from gnomon_server.model.traces import MAX_NS, MAX_SPAN_NAME, SentSpan, Span, SpanStatus

MAX_BYTES = 32 * 1024 * 1024
_FILE = re.compile(r"[0-9a-f]{32}/traces/(?P<trace>[A-Za-z0-9_.:-]{1,100})/artifacts/traces\.json")
_BAD = "traces.json: "


class _Event(Struct, frozen=True):
    """`timestamp` and `time_unix_nano` are one thing by its old and its new name."""

    name: str = ""
    timestamp: int = 0
    time_unix_nano: int = 0
    attributes: dict[str, object] = {}


class _Context(Struct, frozen=True):
    trace_id: str
    span_id: str


class _OldSpan(Struct, frozen=True):
    """As MLflow 2 writes it: ids in hex, each attribute JSON in a string."""

    name: str
    context: _Context
    start_time: int
    parent_id: str | None = None
    end_time: int | None = None
    status_code: str = "UNSET"
    status_message: str | None = None
    attributes: dict[str, object] = {}
    events: list[_Event] = []


class _Status(Struct, frozen=True):
    code: str = ""
    message: str | None = None


class _NewSpan(Struct, frozen=True):
    """As the first of MLflow 3 write it: ids in base64."""

    name: str
    trace_id: str
    span_id: str
    start_time_unix_nano: int
    parent_span_id: str | None = None
    end_time_unix_nano: int | None = None
    status: _Status = _Status()
    attributes: dict[str, object] = {}
    events: list[_Event] = []


class _File(Struct, frozen=True):
    spans: list[dict[str, object]] = []


def trace_of(path: str) -> str | None:
    """The id of the trace whose file a path of the artifact proxy names."""
    found = _FILE.fullmatch(path.strip("/"))
    return None if found is None else found["trace"]


async def keep_file(call: AnyCall, uid: str) -> None:
    """Keep what is uploaded as the spans of a trace that is there."""
    raw = bytearray()
    async for piece in call.request.stream():
        raw += piece
        if len(raw) > MAX_BYTES:
            raise TooLarge(f"{_BAD}it has more than {MAX_BYTES:,} bytes")
    await to_thread.run_sync(_keep, call, uid, bytes(raw))


async def send_file(call: AnyCall, uid: str) -> Response[bytes]:
    """The spans of a trace as such a file."""
    trace, spans = await to_thread.run_sync(call.services.traces.tree, call.principal, uid)
    body = msgspec.json.encode({"spans": [_written(span, trace.uid) for span in spans]})
    headers = {"Content-Disposition": "attachment; filename=traces.json"}
    return Response(content=body, media_type="application/json", headers=headers)


def read_spans(raw: bytes, uid: str) -> list[SentSpan]:
    """The spans of a file. Raises InvalidRequest."""
    try:
        listed = msgspec.json.decode(raw, type=_File).spans
        return [_sent(span, uid) for span in listed]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"{_BAD}{error}") from None


def _keep(call: AnyCall, uid: str, raw: bytes) -> None:
    spans = read_spans(raw, uid)
    trace = call.services.traces.get(call.principal, uid)
    if spans:
        call.services.traces.log_spans(call.principal, trace.experiment_number, spans)


def _sent(tree: dict[str, object], uid: str) -> SentSpan:
    if "context" in tree:
        old = msgspec.convert(tree, _OldSpan)
        return _span(uid, old, old.context.trace_id, old.context.span_id, old.parent_id)
    new = msgspec.convert(tree, _NewSpan)
    as_old = _OldSpan(
        name=new.name,
        context=_Context(new.trace_id, new.span_id),
        start_time=new.start_time_unix_nano,
        end_time=new.end_time_unix_nano,
        status_code=new.status.code.removeprefix("STATUS_CODE_"),
        status_message=new.status.message,
        attributes=new.attributes,
        events=new.events,
    )
    return _span(uid, as_old, new.trace_id, new.span_id, new.parent_span_id)


def _span(uid: str, read: _OldSpan, trace: str, span: str, parent: str | None) -> SentSpan:
    attributes = {key: _loaded(value) for key, value in read.attributes.items()}
    status: SpanStatus = "OK" if read.status_code == "OK" else ("ERROR" if read.status_code == "ERROR" else "UNSET")
    kept = Span(
        uid=_hex(span, 16),
        parent=_hex(parent, 16) if parent else None,
        name=read.name[:MAX_SPAN_NAME],
        kind=kind_of(attributes),
        status=status,
        start_ns=_time(read.start_time),
        end_ns=None if read.end_time is None else _time(read.end_time),
        content=content_of(
            _hex(trace, 32),
            attributes,
            events=[
                {"name": one.name, "time_ns": _time(one.time_unix_nano or one.timestamp), "attributes": one.attributes}
                for one in read.events
            ],
            links=[],
            message=read.status_message or "",
        ),
    )
    return SentSpan(uid, kept, attributes)


def _written(span: Span, uid: str) -> dict[str, object]:
    content = msgspec.json.decode(span.content)
    attributes = {**content["attributes"], "mlflow.traceRequestId": uid}
    return {
        "name": span.name,
        "context": {"span_id": f"0x{span.uid}", "trace_id": f"0x{content['trace']}"},
        "parent_id": None if span.parent is None else f"0x{span.parent}",
        "start_time": span.start_ns,
        "end_time": span.end_ns,
        "status_code": span.status,
        "status_message": content.get("message", ""),
        "attributes": {key: msgspec.json.encode(value).decode() for key, value in attributes.items()},
        "events": [
            {"name": one["name"], "timestamp": one["time_ns"], "attributes": one["attributes"]}
            for one in content.get("events", [])
        ],
    }


def _loaded(value: object) -> object:
    """An attribute as it was before it was written as JSON in a string."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value


def _hex(text: str, digits: int) -> str:
    """An id in hex, from hex or from base64."""
    plain = text.removeprefix("tr-").removeprefix("0x").lower()
    if re.fullmatch(rf"[0-9a-f]{{1,{digits}}}", plain):
        return plain.zfill(digits)
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) * 2 != digits:
        raise InvalidRequest(f"{_BAD}{text[:40]!r} is no id of {digits} hex digits")
    return raw.hex()


def _time(time_ns: int) -> int:
    if not 0 <= time_ns <= MAX_NS:
        raise InvalidRequest(f"{_BAD}a time is not Unix nanoseconds before the year 2262")
    return time_ns
