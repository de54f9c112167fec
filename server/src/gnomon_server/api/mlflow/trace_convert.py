"""Traces to MLflow's messages, and back. Pure functions.

Times are protobuf's: RFC 3339 with as many digits as it needs, durations in seconds with an `s`.
"""

import base64
import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import cast

import msgspec
from msgspec import UNSET, Raw, UnsetType

from gnomon_server.api.mlflow import trace_wire as wire
from gnomon_server.api.mlflow.reading import invalid_value, missing_value, word_of
from gnomon_server.api.mlflow.wire import Enum, KeyValue
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.ids import new_uid
from gnomon_server.model.points import MAX_TIME_MS
from gnomon_server.model.traces import Assessment, AssessmentKind, Span, Trace, TraceHead, TraceState

FINALIZED = "mlflow.trace.infoFinalized"
_STATES = {"STATE_UNSPECIFIED": 0, "OK": 1, "ERROR": 2, "IN_PROGRESS": 3}
_STATES_V2 = {"TRACE_STATUS_UNSPECIFIED": 0, "OK": 1, "ERROR": 2, "IN_PROGRESS": 3}
_DURATION = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?s")
_STATUS = {"OK": "STATUS_CODE_OK", "ERROR": "STATUS_CODE_ERROR", "UNSET": "STATUS_CODE_UNSET"}


def head_of(sent: wire.TraceInfoSent, *, now_ms: int) -> TraceHead:
    """What a client says of a trace."""
    duration = sent.execution_duration
    return TraceHead(
        uid=sent.trace_id,
        time_ms=_time(sent.request_time, "request_time") if sent.request_time else 0,
        duration_ms=None if isinstance(duration, UnsetType) else _duration(duration),
        state=cast("TraceState", word_of(sent.state, _STATES, field="state")),
        client_request=_given(sent.client_request_id),
        request_preview=_given(sent.request_preview),
        response_preview=_given(sent.response_preview),
        tags=sent.tags,
        metadata={key: value for key, value in sent.trace_metadata.items() if key != FINALIZED},
        assessments=[assessment_of(one, now_ms=now_ms) for one in sent.assessments],
    )


def state_of_v2(status: Enum) -> TraceState:
    word = word_of(status, _STATES_V2, field="status")
    return "STATE_UNSPECIFIED" if word == "TRACE_STATUS_UNSPECIFIED" else cast("TraceState", word)


def assessment_of(sent: wire.AssessmentSent, *, now_ms: int) -> Assessment:
    """An assessment as it is kept."""
    kind, payload = payload_of(sent)
    if not sent.assessment_name and kind != "issue":
        raise missing_value("assessment.assessment_name")
    return Assessment(
        uid=sent.assessment_id or f"a-{new_uid()}",
        name=sent.assessment_name,
        kind=kind,
        source_type=sent.source.source_type or "SOURCE_TYPE_UNSPECIFIED",
        source_id=sent.source.source_id,
        payload=payload,
        created_ms=_time(sent.create_time, "create_time") if sent.create_time else now_ms,
        updated_ms=_time(sent.last_update_time, "last_update_time") if sent.last_update_time else now_ms,
        rationale=_given(sent.rationale),
        metadata=sent.metadata,
        span=sent.span_id or None,
        overrides=sent.overrides or None,
        is_valid=sent.valid,
    )


def payload_of(sent: wire.AssessmentSent) -> tuple[AssessmentKind, str]:
    """Which of the three it is, and what it says, as JSON."""
    kinds: tuple[AssessmentKind, ...] = ("feedback", "expectation", "issue")
    given = [(kind, getattr(sent, kind)) for kind in kinds if getattr(sent, kind) is not UNSET]
    if len(given) != 1:
        raise InvalidRequest("An assessment holds exactly one of feedback, expectation and issue.")
    kind, payload = given[0]
    value = payload.get("value")
    if kind == "expectation" and isinstance(value, dict | list):
        # MLflow keeps what is no plain value as JSON in a string, and its clients look for it there.
        payload = {"serialized_value": {"value": json.dumps(value), "serialization_format": "JSON_FORMAT"}}
    return kind, msgspec.json.encode(payload).decode()


def trace_info(trace: Trace) -> wire.TraceInfo:
    more = {FINALIZED: "true"} if trace.is_final else {}
    return wire.TraceInfo(
        trace_id=trace.uid,
        trace_location=wire.LocationTold(wire.ExperimentTold(str(trace.experiment_number))),
        request_time=_timestamp(trace.time_ms),
        state=trace.state,
        client_request_id=_told(trace.client_request),
        execution_duration=UNSET if trace.duration_ms is None else _seconds(trace.duration_ms),
        request_preview=_told(trace.request_preview),
        response_preview=_told(trace.response_preview),
        trace_metadata={**trace.metadata, **more},
        tags=dict(trace.tags),
        assessments=[assessment_message(one, trace.uid) for one in trace.assessments],
    )


def trace_message(trace: Trace, spans: list[Span]) -> wire.Trace:
    return wire.Trace(trace_info(trace), [_span(span) for span in spans])


def trace_info_v2(trace: Trace) -> wire.TraceInfoV2:
    state = "TRACE_STATUS_UNSPECIFIED" if trace.state == "STATE_UNSPECIFIED" else trace.state
    return wire.TraceInfoV2(
        request_id=trace.uid,
        experiment_id=str(trace.experiment_number),
        timestamp_ms=trace.time_ms,
        status=state,
        execution_time_ms=UNSET if trace.duration_ms is None else trace.duration_ms,
        request_metadata=[KeyValue(key, value) for key, value in trace.metadata.items()],
        tags=[KeyValue(key, value) for key, value in trace.tags.items()],
    )


def assessment_message(one: Assessment, trace: str) -> wire.Assessment:
    payload = {one.kind: Raw(one.payload.encode())}
    return wire.Assessment(
        assessment_id=one.uid,
        assessment_name=one.name,
        trace_id=trace,
        source=wire.SourceTold(one.source_type, one.source_id),
        create_time=_timestamp(one.created_ms),
        last_update_time=_timestamp(one.updated_ms),
        valid=one.is_valid,
        rationale=_told(one.rationale),
        metadata=dict(one.metadata),
        span_id=_told(one.span),
        overrides=_told(one.overrides),
        **payload,
    )


def any_value(value: object) -> dict[str, object]:
    """A value of an attribute in OTLP's protobuf-JSON; nothing at all for null."""
    match value:
        case None:
            return {}
        case bool():
            return {"bool_value": value}
        case str():
            return {"string_value": value}
        case int():
            return {"int_value": value}
        case float():
            return {"double_value": value}
        case list():
            return {"array_value": {"values": [any_value(item) for item in value]} if value else {}}
        case dict():
            return {"kvlist_value": {"values": _pairs(value)} if value else {}}
    raise AssertionError("JSON holds nothing else")


def _span(span: Span) -> wire.SpanTold:
    content = msgspec.json.decode(span.content)
    status = {"code": _STATUS[span.status]} if span.status != "UNSET" else {}
    if content.get("message"):
        status["message"] = content["message"]
    return wire.SpanTold(
        trace_id=_base64(content["trace"]),
        span_id=_base64(span.uid),
        name=span.name,
        start_time_unix_nano=span.start_ns,
        status=status,
        parent_span_id=UNSET if span.parent is None else _base64(span.parent),
        end_time_unix_nano=UNSET if span.end_ns is None else span.end_ns,
        attributes=_pairs(content["attributes"]),
        events=[
            {"time_unix_nano": one["time_ns"], "name": one["name"], "attributes": _pairs(one["attributes"])}
            for one in content.get("events", [])
        ],
        links=[
            {
                "trace_id": _base64(one["trace"]),
                "span_id": _base64(one["span"]),
                "attributes": _pairs(one["attributes"]),
            }
            for one in content.get("links", [])
        ],
    )


def _pairs(values: dict[str, object]) -> list[dict[str, object]]:
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def _base64(hex_digits: str) -> str:
    return base64.b64encode(bytes.fromhex(hex_digits)).decode()


def _timestamp(time_ms: int) -> str:
    at = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{at}.{time_ms % 1000:03}Z" if time_ms % 1000 else f"{at}Z"


def _seconds(duration_ms: int) -> str:
    sign, whole, rest = "-" if duration_ms < 0 else "", abs(duration_ms) // 1000, abs(duration_ms) % 1000
    return f"{sign}{whole}.{rest:03}s" if rest else f"{sign}{whole}s"


def _time(text: str, field: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_value(field, text, "it is no RFC 3339 time.") from None
    if at.tzinfo is None:
        raise invalid_value(field, text, "it says no time zone.")
    time_ms = round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    if not 0 <= time_ms <= MAX_TIME_MS:
        raise invalid_value(field, text, "it is not between 1970 and 9999.")
    return time_ms


def _duration(text: str) -> int:
    try:
        if _DURATION.fullmatch(text) is None:
            raise InvalidOperation
        return int(Decimal(text[:-1]) * 1000)
    except InvalidOperation:
        raise invalid_value("execution_duration", text, "it is no duration such as 1.5s.") from None


def _given(value: str | UnsetType) -> str | None:
    return None if isinstance(value, UnsetType) else value


def _told(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value
