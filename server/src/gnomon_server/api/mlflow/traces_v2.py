"""The routes of traces in the second version of their protocol, which clients before MLflow 3 speak."""

from gnomon_server.api.mlflow import trace_wire as wire
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.trace_convert import state_of_v2, trace_info_v2
from gnomon_server.api.mlflow.traces import find_traces
from gnomon_server.api.route import Call
from gnomon_server.model.ids import new_uid
from gnomon_server.model.traces import TraceHead

_TRACES = "/2.0/mlflow/traces"


@wire_route("POST", _TRACES, needs="runs.log", asks=wire.BeginTraceV2)
def begin_trace(call: Call[wire.BeginTraceV2, None]) -> wire.TraceInfoFoundV2:
    """Begin a trace; the server gives it its id."""
    body = call.body
    number = number_of(body.experiment_id)
    call.services.numbered.get(call.principal, number)
    head = TraceHead(
        uid=f"tr-{new_uid()}",
        time_ms=max(body.timestamp_ms, 0),
        state="IN_PROGRESS",
        tags={pair.key: pair.value for pair in body.tags},
        metadata={pair.key: pair.value for pair in body.request_metadata},
    )
    return wire.TraceInfoFoundV2(trace_info_v2(call.services.traces.put(call.principal, number, head)))


@wire_route("PATCH", _TRACES + "/{trace_id:str}", needs="runs.log", asks=wire.EndTraceV2)
def end_trace(call: Call[wire.EndTraceV2, None]) -> wire.TraceInfoFoundV2:
    """Say when and how a trace ended; tags and metadata merge."""
    body = call.body
    old = call.services.traces.get(call.principal, call.path("trace_id"))
    head = TraceHead(
        uid=old.uid,
        time_ms=old.time_ms,
        duration_ms=body.timestamp_ms - old.time_ms,
        state=state_of_v2(body.status),
        client_request=old.client_request,
        tags={pair.key: pair.value for pair in body.tags},
        metadata={pair.key: pair.value for pair in body.request_metadata},
    )
    return wire.TraceInfoFoundV2(trace_info_v2(call.services.traces.put(call.principal, old.experiment_number, head)))


@wire_route("GET", _TRACES + "/{trace_id:str}/info", needs="runs.get")
def get_trace_info_v2(call: Call[None, None]) -> wire.TraceInfoFoundV2:
    """Get a trace without its spans."""
    return wire.TraceInfoFoundV2(trace_info_v2(call.services.traces.get(call.principal, call.path("trace_id"))))


@wire_route("GET", _TRACES, needs="runs.read", asks=wire.SearchTracesV2)
def search_traces_v2(call: Call[wire.SearchTracesV2, None]) -> wire.TracePageV2:
    """Find traces; the newest first."""
    found, token = find_traces(call, call.body.experiment_ids, call.body)
    return wire.TracePageV2([trace_info_v2(one) for one in found], token)


ROUTES = [begin_trace, end_trace, get_trace_info_v2, search_traces_v2]
