"""The routes of runs: create, find, read, change, end, archive, restore, compare."""

from typing import Annotated

from litestar import Response
from msgspec import UNSET, Meta, Struct, UnsetType

from gnomon import wire
from gnomon_server.api.bodies import given
from gnomon_server.api.native.convert import compared_run, comparison, run_response
from gnomon_server.api.native.paging import Limit, Offset, Purged
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.times import iso_time, parse_time
from gnomon_server.core.comparison import compare
from gnomon_server.core.runs import RunSearch
from gnomon_server.model.entities import RunEventKind
from gnomon_server.model.errors import (
    AccessDenied,
    ExperimentArchived,
    ExperimentNotFound,
    InvalidRequest,
    NotArchived,
    RunArchived,
    RunNotFound,
    Unavailable,
    invalid_field,
)
from gnomon_server.model.filters import parse_filter, parse_order_by

TAG = "runs"
READS = (InvalidRequest, AccessDenied, RunNotFound)
WRITES = (*READS, RunArchived, Unavailable)

FilterText = Annotated[
    str, Meta(description="the query language, at most 8 KiB: metrics.loss < 0.3 and params.opt = 'adam'")
]
OrderText = Annotated[list[str], Meta(description="repeatable: metrics.loss asc")]


class RunQuery(Struct, frozen=True):
    experiment_id: Annotated[
        list[wire.Uid],
        Meta(description="repeatable; absent means all of the tenant", extra_json_schema={"maxItems": 100}),
    ] = []
    status: wire.RunStatus | UnsetType = UNSET
    lifecycle_stage: wire.LifecycleStage = "active"
    search: Annotated[str | UnsetType, Meta(description="a part of the name, whatever its case")] = UNSET
    filter: FilterText = ""
    order_by: OrderText = []
    limit: Limit = 100
    offset: Offset = 0


@route(
    "POST",
    "/experiments/runs",
    needs="runs.log",
    tag=TAG,
    body=wire.RunCreate,
    status=201,
    gives=wire.RunResponse,
    raises=[InvalidRequest, AccessDenied, ExperimentNotFound, ExperimentArchived, Unavailable],
    headers={"Location": "where the run is"},
)
def create_run(call: Call[wire.RunCreate, None]) -> Response[bytes]:
    """Create a new run within an experiment.

    Its status starts as `running`. Without a name the server makes a readable one. With an `id` of the caller's own the
    same request again answers the same run.
    """
    body = call.body
    made = call.services.runs.create(
        call.principal,
        experiment_uid=body.experiment_id,
        name=body.name,
        description=body.description or "",
        tags=body.tags or {},
        wanted_uid=body.id,
    )
    return json_answer(run_response(made), status=201, headers={"Location": f"/api/v1/experiments/runs/{made.uid}"})


@route(
    "GET",
    "/experiments/runs",
    needs="runs.read",
    tag=TAG,
    query=RunQuery,
    gives=wire.RunListResponse,
    raises=[InvalidRequest, AccessDenied, ExperimentNotFound],
)
def list_runs(call: Call[None, RunQuery]) -> wire.RunListResponse:
    """List runs, newest first, of some experiments or of the whole tenant.

    `filter` and `order_by` speak the query language; `total` is exact.
    """
    asked = call.query
    total, found = call.services.runs.find(call.principal, run_search(asked, now_ms=call.services.now_ms()))
    return wire.RunListResponse(
        runs=[run_response(run) for run in found], total=total, limit=asked.limit, offset=asked.offset
    )


def run_search(asked: RunQuery, *, now_ms: int) -> RunSearch:
    return RunSearch(
        experiments=asked.experiment_id,
        status=given(asked.status),
        lifecycle_stage=asked.lifecycle_stage,
        name_search=given(asked.search),
        filter=parse_filter(asked.filter, now_ms=now_ms),
        order=parse_order_by(asked.order_by),
        limit=asked.limit,
        offset=asked.offset,
    )


@route("GET", "/experiments/runs/{run_id:str}", needs="runs.get", tag=TAG, gives=wire.RunResponse, raises=READS)
def get_run(call: Call[None, None]) -> wire.RunResponse:
    """Get a run with its params, latest metrics and tags, archived ones too."""
    return run_response(call.services.runs.get(call.principal, call.path("run_id")))


@route(
    "PATCH",
    "/experiments/runs/{run_id:str}",
    needs="runs.log",
    tag=TAG,
    body=wire.RunPatch,
    body_doc=Annotated[wire.RunPatch, Meta(extra_json_schema={"minProperties": 1})],
    gives=wire.RunResponse,
    raises=WRITES,
)
def update_run(call: Call[wire.RunPatch, None]) -> wire.RunResponse:
    """Change name, description, tags or status of a run.

    Tags merge; a tag set to null is removed. The status `running` reopens an ended run.
    """
    body = call.body
    changed = call.services.runs.update(
        call.principal,
        call.path("run_id"),
        name=given(body.name),
        description=given(body.description),
        tags=given(body.tags),
        status=given(body.status),
    )
    return run_response(changed)


@route(
    "POST",
    "/experiments/runs/{run_id:str}/end",
    needs="runs.log",
    tag=TAG,
    body=wire.RunEnd,
    is_body_optional=True,
    gives=wire.RunResponse,
    raises=WRITES,
)
def end_run(call: Call[wire.RunEnd | None, None]) -> wire.RunResponse:
    """End a run as finished, failed or killed.

    The same end again answers the same. Late points of an ended run are still taken.
    """
    body = call.body or wire.RunEnd()
    end_ms = None if body.end_time is None else parse_time(body.end_time, field="end_time")
    ended = call.services.runs.end(call.principal, call.path("run_id"), status=body.status, end_ms=end_ms)
    return run_response(ended)


@route("DELETE", "/experiments/runs/{run_id:str}", needs="runs.delete", tag=TAG, gives=wire.RunResponse, raises=WRITES)
def archive_run(call: Call[None, None]) -> wire.RunResponse:
    """Archive a run: it keeps its data and takes no more."""
    return run_response(call.services.runs.archive(call.principal, call.path("run_id")))


@route(
    "POST",
    "/experiments/runs/{run_id:str}/restore",
    needs="runs.delete",
    tag=TAG,
    gives=wire.RunResponse,
    raises=[*WRITES, ExperimentArchived],
)
def restore_run(call: Call[None, None]) -> wire.RunResponse:
    """Restore an archived run."""
    return run_response(call.services.runs.restore(call.principal, call.path("run_id")))


@route(
    "POST",
    "/experiments/runs/{run_id:str}/purge",
    needs="runs.delete",
    tag=TAG,
    gives=Purged,
    raises=[*READS, NotArchived, Unavailable],
)
def purge_run(call: Call[None, None]) -> Purged:
    """Remove an archived run for good, with its points and artifacts.

    There is no way back. The space is given back to the file system.
    """
    call.services.runs.purge(call.principal, call.path("run_id"))
    return Purged(call.path("run_id"))


@route(
    "POST",
    "/experiments/runs/compare",
    needs="runs.read",
    tag=TAG,
    body=wire.CompareRequest,
    gives=wire.CompareRunsResponse,
    raises=READS,
)
def compare_runs(call: Call[wire.CompareRequest, None]) -> wire.CompareRunsResponse:
    """Compare 2 to 10 runs: their metrics, which is best, and the params in which they differ."""
    ids = call.body.run_ids
    if not 2 <= len(ids) <= 10:
        raise invalid_field("run_ids", f"holds {len(ids)} ids; give 2 to 10")
    if len(set(ids)) != len(ids):
        raise invalid_field("run_ids", "names one run twice; give distinct ids")
    runs = [call.services.runs.get(call.principal, uid) for uid in ids]
    found = compare(runs, call.body.metrics, call.body.directions)
    return wire.CompareRunsResponse(runs=[compared_run(run) for run in runs], comparison=comparison(found))


class WriterLedger(Struct, frozen=True):
    """What arrived from one writer of a run: batches 0 to `last_seq`, all of them, each once.

    `points_thinned`: points that it logged and did not keep, because its disk was full.
    """

    writer: str
    last_seq: int
    points: int
    duplicates_dropped: int
    points_thinned: int
    first_at: str
    last_at: str


class LedgerResponse(Struct, frozen=True):
    run_id: str
    writers: list[WriterLedger]


@route(
    "GET",
    "/experiments/runs/{run_id:str}/ledger",
    needs="runs.get",
    tag=TAG,
    gives=LedgerResponse,
    raises=READS,
)
def get_ledger(call: Call[None, None]) -> LedgerResponse:
    """Get what arrived from each writer of a run: sequence numbers, points, and repeats dropped, points thinned."""
    run, writers = call.services.runs.ledger(call.principal, call.path("run_id"))
    return LedgerResponse(
        run_id=run.uid,
        writers=[
            WriterLedger(
                writer=one.writer,
                last_seq=one.last_seq,
                points=one.points,
                duplicates_dropped=one.duplicates,
                points_thinned=one.thinned,
                first_at=iso_time(one.first_ms),
                last_at=iso_time(one.last_ms),
            )
            for one in writers
        ],
    )


class RunEventResponse(Struct, frozen=True):
    """Something that happened to a run besides what it logged. `lost`: the server ended it, because its job had
    promised to check in and was silent; `back`: its job was heard of again, and it runs.
    """

    id: wire.Uid
    time: wire.Time
    kind: RunEventKind
    message: str


class RunEventListResponse(Struct, frozen=True):
    run_id: wire.Uid
    events: list[RunEventResponse]
    total: int
    limit: int
    offset: int


class EventQuery(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    offset: Offset = 0


@route(
    "GET",
    "/experiments/runs/{run_id:str}/events",
    needs="runs.get",
    tag=TAG,
    query=EventQuery,
    gives=RunEventListResponse,
    raises=READS,
)
def list_run_events(call: Call[None, EventQuery]) -> RunEventListResponse:
    """List what happened to a run besides what it logged, newest first."""
    run, asked = call.path("run_id"), call.query
    total, found = call.services.runs.events(call.principal, run, limit=asked.limit, offset=asked.offset)
    return RunEventListResponse(
        run_id=run,
        events=[RunEventResponse(each.uid, iso_time(each.at_ms), each.kind, each.message) for each in found],
        total=total,
        limit=asked.limit,
        offset=asked.offset,
    )


ROUTES = [
    create_run,
    list_runs,
    get_run,
    update_run,
    end_run,
    archive_run,
    restore_run,
    purge_run,
    compare_runs,
    get_ledger,
    list_run_events,
]
