"""The routes of traces, in the third version of their protocol; `traces_v2.py` has the second."""

from collections.abc import Sequence

from litestar import Response
from msgspec import UnsetType
from msgspec.structs import replace

from gnomon_server.api.bodies import given
from gnomon_server.api.mlflow import trace_wire as wire
from gnomon_server.api.mlflow.declare import PREFIXES, wire_route
from gnomon_server.api.mlflow.errors import WireError
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.limits import checked_key
from gnomon_server.api.mlflow.paging import offset_of, token_at
from gnomon_server.api.mlflow.reading import value_refused
from gnomon_server.api.mlflow.search_words import Words, in_mlflow_words, shown_set
from gnomon_server.api.mlflow.trace_convert import head_of, trace_info, trace_message
from gnomon_server.api.mlflow.trace_files import send_file
from gnomon_server.api.mlflow.trace_words import in_words_of_traces
from gnomon_server.api.mlflow.wire import Nothing
from gnomon_server.api.route import Call
from gnomon_server.core.span_facts import SOURCE_RUN, SPANS_LOCATION
from gnomon_server.model.errors import InvalidRequest, TraceNotFound
from gnomon_server.model.filters.clauses import Clause, ClauseKind, Vocabulary, parse_clauses, parse_keyed_order
from gnomon_server.model.traces import Trace, TraceOrder

NAME = "mlflow.traceName"
_TRACES = "/3.0/mlflow/traces"
# Two versions of the protocol have these alike.
_BOTH = tuple(f"{prefix}/{version}" for prefix in PREFIXES for version in ("2.0", "3.0"))
_TAGS = "/mlflow/traces/{trace_id:str}/tags"
_MAX_PAGE = 500
_MAX_BATCH = 1_000
_WORDS = Vocabulary(
    attributes={
        "request_id": "text",
        "timestamp_ms": "number",
        "execution_time_ms": "number",
        "end_time_ms": "number",
        "status": "text",
        "client_request_id": "text",
        "name": "text",
        "run_id": "text",
        "prompt": "text",
        "text": "text",
        "experiment_id": "number",
    },
    entities={
        **dict.fromkeys(("attribute", "attributes", "trace"), "attribute"),
        **dict.fromkeys(("tag", "tags"), "tag"),
        **dict.fromkeys(("metadata", "request_metadata"), "metadata"),
        "span": "span",
        "feedback": "feedback",
        "expectation": "expectation",
    },
    aliases={
        "timestamp": "timestamp_ms",
        "execution_time": "execution_time_ms",
        "end_time": "end_time_ms",
        "trace_id": "request_id",
        "state": "status",
    },
)
_NUMBERS = ("timestamp", "timestamp_ms", "execution_time", "execution_time_ms", "end_time", "end_time_ms")
_LISTED = ("status", "request_id", "run_id", "trace_id", "state")
_SAID = Words(
    entities=_WORDS.entities,
    known=f"Valid values are {shown_set(sorted(_WORDS.entities))}",
    attributes=("name", *_NUMBERS, *_LISTED, "client_request_id", "prompt", "text"),
    tagged=("name",),
    open_sets=("tag", "metadata"),
    or_lists=True,
    numbers=_NUMBERS,
    listed=_LISTED,
    ordered=("name", *_NUMBERS, "status", "request_id", "run_id", "experiment_id"),
    also_ordered=("trace_id", "state", "client_request_id"),
    keyed_order=True,
    sets=("tag", "metadata", "attribute"),
    quotes_rest=True,
    rlike=True,
    unread=("span", "feedback", "expectation"),
)
_ORDERED = (
    "timestamp_ms",
    "execution_time_ms",
    "end_time_ms",
    "status",
    "request_id",
    "client_request_id",
    "experiment_id",
)


@wire_route("POST", _TRACES, needs="runs.log", asks=wire.StartTrace)
def start_trace(call: Call[wire.StartTrace, None]) -> wire.TraceFound:
    """Keep what the client says of a trace. It is called at the end of one, in spite of its name."""
    assert not isinstance(call.body.trace, UnsetType)
    sent = call.body.trace.trace_info
    place = sent.trace_location.mlflow_experiment
    number = number_of("" if isinstance(place, UnsetType) else place.experiment_id)
    call.services.numbered.get(call.principal, number)
    made = call.services.traces.put(call.principal, number, head_of(sent, now_ms=call.services.now_ms()))
    return wire.TraceFound(wire.Trace(trace_info(made)))


@wire_route("GET", _TRACES + "/get", needs="runs.get", asks=wire.TraceAsked)
def get_trace(call: Call[wire.TraceAsked, None]) -> wire.TraceFound:
    """Get a trace with its spans."""
    uid = call.body.trace_id
    try:
        trace, spans = call.services.traces.tree(call.principal, uid)
    except TraceNotFound:
        raise _not_found(f"Trace with ID {uid} is not found.") from None
    if not spans and not call.body.allow_partial:
        raise TraceNotFound(uid)
    return wire.TraceFound(trace_message(trace, spans))


@wire_route("GET", _TRACES + "/batchGet", needs="runs.read", asks=wire.TracesAsked)
def batch_get_traces(call: Call[wire.TracesAsked, None]) -> wire.TracesFound:
    """Get traces that have their spans; others are passed over."""
    body = call.body
    _refuse_many(body.trace_ids)
    found = call.services.traces.trees(call.principal, body.trace_ids, numbers=_numbers(body.experiment_ids))
    return wire.TracesFound([trace_message(trace, spans) for trace, spans in found if spans])


@wire_route("POST", _TRACES + "/batchGetInfos", needs="runs.read", asks=wire.TracesAsked)
def batch_get_infos(call: Call[wire.TracesAsked, None]) -> wire.TraceInfosFound:
    """Get traces without their spans."""
    body = call.body
    _refuse_many(body.trace_ids)
    found = call.services.traces.trees(call.principal, body.trace_ids, numbers=_numbers(body.experiment_ids))
    return wire.TraceInfosFound([trace_info(trace) for trace, _ in found])


@wire_route("POST", _TRACES + "/search", needs="runs.read", asks=wire.SearchTraces)
def search_traces(call: Call[wire.SearchTraces, None]) -> wire.TracePage:
    """Find traces; the newest first."""
    body = call.body
    places = [one.mlflow_experiment for one in body.locations]
    ids = [place.experiment_id for place in places if not isinstance(place, UnsetType)]
    found, token = find_traces(call, ids, body)
    return wire.TracePage([trace_info(one) for one in found], token)


@wire_route("GET", _TRACES + "/{trace_id:str}", needs="runs.get")
def get_trace_info(call: Call[None, None]) -> wire.TraceFound:
    """Get a trace without its spans."""
    return wire.TraceFound(wire.Trace(trace_info(call.services.traces.get(call.principal, call.path("trace_id")))))


@wire_route("POST", "/mlflow/traces/delete-traces", needs="runs.delete", asks=wire.DeleteTraces, prefixes=_BOTH)
def delete_traces(call: Call[wire.DeleteTraces, None]) -> wire.TracesDeleted:
    """Remove traces for good: those named, or the oldest until a time."""
    body = call.body
    uids, until_ms, most = (
        [*body.request_ids, *body.trace_ids],
        given(body.max_timestamp_millis),
        given(body.max_traces),
    )
    if until_ms is None and not uids:
        raise InvalidRequest("Either `max_timestamp_millis` or `trace_ids` must be specified.")
    if until_ms is not None and uids:
        raise InvalidRequest("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")
    if uids and most is not None:
        raise InvalidRequest("`max_traces` can't be specified if `trace_ids` is specified.")
    if most is not None and most <= 0:
        raise InvalidRequest(f"`max_traces` must be a positive integer, received {most}.")
    _refuse_many(uids)
    deleted = call.services.traces.delete(
        call.principal, number_of(body.experiment_id), uids=uids or None, until_ms=until_ms, limit=most
    )
    return wire.TracesDeleted(deleted)


@wire_route("PATCH", _TAGS, needs="runs.log", asks=wire.TraceTag, prefixes=_BOTH)
def set_trace_tag(call: Call[wire.TraceTag, None]) -> Nothing:
    """Set a tag of a trace."""
    body = call.body
    _refuse_reserved(body.key, "set")
    key = checked_key(body.key, path="key", what="key")
    call.services.traces.set_tags(call.principal, call.path("trace_id"), {key: body.value})
    return Nothing()


@wire_route("DELETE", _TAGS, needs="runs.write", asks=wire.TraceTag, prefixes=_BOTH)
def delete_trace_tag(call: Call[wire.TraceTag, None]) -> Nothing:
    """Remove a tag of a trace."""
    key, uid = call.body.key, call.path("trace_id")
    _refuse_reserved(key, "deleted")
    try:
        call.services.traces.remove_tag(call.principal, uid, key)
    except TraceNotFound:
        raise _not_found(f"No trace tag with key '{key}' for trace with ID '{uid}'") from None
    return Nothing()


@wire_route("POST", "/2.0/mlflow/traces/link-to-run", needs="runs.log", asks=wire.LinkTraces)
def link_to_run(call: Call[wire.LinkTraces, None]) -> Nothing:
    """Say that traces belong to a run too."""
    call.services.traces.link_run(call.principal, call.body.trace_ids, call.body.run_id)
    return Nothing()


@wire_route("POST", "/2.0/mlflow/traces/link-prompts", needs="runs.log", asks=wire.LinkPrompts)
def link_prompts(call: Call[wire.LinkPrompts, None]) -> Nothing:
    """Say which versions of prompts a trace used."""
    prompts = [f"{one.name}/{one.version}" for one in call.body.prompt_versions]
    call.services.traces.link_prompts(call.principal, call.body.trace_id, prompts)
    return Nothing()


@wire_route(
    "GET",
    "/mlflow/get-trace-artifact",
    needs="runs.get",
    asks=wire.TraceFileAsked,
    prefixes=("/ajax-api/2.0", "/ajax-api/3.0"),
)
async def get_trace_file(call: Call[wire.TraceFileAsked, None]) -> Response[bytes]:
    """Download the spans of a trace as a file, as MLflow's own pages do."""
    return await send_file(call, call.body.request_id)


def find_traces(
    call: Call[wire.SearchTraces, None] | Call[wire.SearchTracesV2, None],
    ids: Sequence[str],
    asked: wire.SearchTraces | wire.SearchTracesV2,
) -> tuple[list[Trace], str]:
    """A page of traces and the token of the next; there is one whenever the page is full."""
    if asked.max_results < 1:
        raise InvalidRequest(
            f"Invalid value {asked.max_results} for parameter 'max_results' supplied. It must be a positive integer"
        )
    if asked.max_results > _MAX_PAGE:
        raise value_refused("max_results", asked.max_results)
    offset = offset_of(asked.page_token)
    clauses = wanted_traces(asked.filter)
    with in_mlflow_words(_SAID, asked.filter, asked.order_by):
        order = [_order(*item) for item in parse_keyed_order(asked.order_by, _WORDS)]
    found = call.services.traces.search(
        call.principal,
        clauses,
        order,
        numbers=[number_of(one) for one in ids],
        limit=asked.max_results,
        offset=offset,
    )
    end = offset + len(found)
    return found, token_at(end, total=end + (len(found) == asked.max_results))


def wanted_traces(text: str) -> list[Clause]:
    """A filter of traces, parsed."""
    with in_mlflow_words(_SAID, text, []), in_words_of_traces(text):
        return [_meant(clause) for clause in parse_clauses(text, _WORDS)]


def _meant(clause: Clause) -> Clause:
    """A clause on a name, a text or a run as it is kept."""
    if clause.kind == "attribute" and clause.key == "name":
        return replace(clause, kind="tag", key=NAME)
    if clause.kind == "attribute" and clause.key == "text":
        return replace(clause, kind="span", key="content")
    if clause.kind == "metadata" and clause.key == SOURCE_RUN and clause.op == "=":
        return replace(clause, kind="attribute", key="run_id")
    if clause.kind == "span" and clause.key == "content":
        if clause.op not in ("like", "ilike"):
            raise InvalidRequest(f"span.content comparator '{clause.op.upper()}' not one of '{{'ILIKE', 'LIKE'}}'")
        return clause
    if clause.kind == "span" and not (clause.key in ("name", "type", "status") or clause.key.startswith("attributes.")):
        raise InvalidRequest(
            f"Invalid span attribute '{clause.key}'. "
            "Supported attributes: name, status, type, attributes.<attribute_name>."
        )
    if clause.kind == "attribute" and clause.key == "experiment_id":
        raise InvalidRequest("Invalid attribute key 'experiment_id': name the experiments as locations.")
    return clause


def _order(kind: ClauseKind, key: str, descending: bool) -> TraceOrder:
    if kind == "attribute" and key in ("name", "run_id"):
        kind, key = ("tag", NAME) if key == "name" else ("metadata", SOURCE_RUN)
    if kind in ("span", "feedback", "expectation"):
        raise InvalidRequest(f"Invalid identifier type '{kind}'")
    if kind == "attribute" and key in _ORDERED:
        return TraceOrder("attribute", key, descending)
    if kind == "tag":
        return TraceOrder("tag", key, descending)
    if kind == "metadata":
        return TraceOrder("metadata", key, descending)
    raise InvalidRequest(f"Invalid order_by entity `{kind}` with key `{key}`; order by one of {', '.join(_ORDERED)}")


def _not_found(message: str) -> WireError:
    return WireError("RESOURCE_DOES_NOT_EXIST", message)


def _numbers(ids: list[str] | UnsetType) -> list[int] | None:
    return None if isinstance(ids, UnsetType) else [number_of(one) for one in ids]


def _refuse_many(uids: Sequence[str]) -> None:
    if len(uids) > _MAX_BATCH:
        raise InvalidRequest(f"name at most {_MAX_BATCH} traces at once; these are {len(uids)}")


def _refuse_reserved(key: str, done: str) -> None:
    if key == SPANS_LOCATION:
        raise InvalidRequest(f"Tag '{key}' is immutable and cannot be {done} on a trace.")


ROUTES = [
    start_trace,
    get_trace,
    batch_get_traces,
    batch_get_infos,
    search_traces,
    get_trace_info,
    delete_traces,
    set_trace_tag,
    delete_trace_tag,
    link_to_run,
    link_prompts,
    get_trace_file,
]
