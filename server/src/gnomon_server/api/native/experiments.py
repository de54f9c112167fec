"""The routes of experiments."""

from typing import Annotated

from litestar import Response
from msgspec import UNSET, Meta, Struct, UnsetType

from gnomon import wire
from gnomon_server.api.bodies import given
from gnomon_server.api.native.convert import experiment_response
from gnomon_server.api.native.paging import Limit, Offset, Purged
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.model.entities import KeyKind
from gnomon_server.model.errors import (
    AccessDenied,
    AlreadyExists,
    ExperimentNotFound,
    InvalidRequest,
    NotArchived,
    Unavailable,
)

TAG = "experiments"
READS = (InvalidRequest, AccessDenied, ExperimentNotFound)
WRITES = (*READS, Unavailable)


class ExperimentQuery(Struct, frozen=True):
    search: Annotated[str | UnsetType, Meta(description="a part of the name, whatever its case")] = UNSET
    lifecycle_stage: wire.LifecycleStage = "active"
    limit: Limit = 100
    offset: Offset = 0


class KeyQuery(Struct, frozen=True):
    kind: Annotated[list[KeyKind], Meta(description="repeatable; absent means all kinds")] = []
    prefix: Annotated[str, Meta(max_length=250, description="how the key begins")] = ""
    limit: Limit = 100
    offset: Offset = 0


@route(
    "POST",
    "/experiments",
    needs="experiments.create",
    tag=TAG,
    body=wire.ExperimentCreate,
    status=201,
    gives=wire.ExperimentResponse,
    raises=[InvalidRequest, AlreadyExists, AccessDenied, Unavailable],
    headers={"Location": "where the experiment is"},
)
def create_experiment(call: Call[wire.ExperimentCreate, None]) -> Response[bytes]:
    """Create a new experiment.

    The name must be free in the tenant, archived experiments included.
    """
    body = call.body
    made = call.services.experiments.create(
        call.principal,
        name=body.name,
        description=body.description or "",
        artifact_location=body.artifact_location,
        tags=body.tags or {},
    )
    return json_answer(experiment_response(made), status=201, headers={"Location": f"/api/v1/experiments/{made.uid}"})


@route(
    "GET",
    "/experiments",
    needs="experiments.read",
    tag=TAG,
    query=ExperimentQuery,
    gives=wire.ExperimentListResponse,
    raises=[InvalidRequest, AccessDenied],
)
def list_experiments(call: Call[None, ExperimentQuery]) -> wire.ExperimentListResponse:
    """List experiments, newest first."""
    asked = call.query
    total, found = call.services.experiments.list(
        call.principal,
        search=given(asked.search),
        lifecycle_stage=asked.lifecycle_stage,
        limit=asked.limit,
        offset=asked.offset,
    )
    return wire.ExperimentListResponse(
        experiments=[experiment_response(one) for one in found], total=total, limit=asked.limit, offset=asked.offset
    )


@route(
    "GET",
    "/experiments/{experiment_id:str}",
    needs="experiments.get",
    tag=TAG,
    tells_revision=True,
    gives=wire.ExperimentResponse,
    raises=READS,
)
def get_experiment(call: Call[None, None]) -> wire.ExperimentResponse:
    """Get an experiment, archived ones too."""
    return experiment_response(call.services.experiments.get(call.principal, call.path("experiment_id")))


@route(
    "PATCH",
    "/experiments/{experiment_id:str}",
    needs="experiments.write",
    tag=TAG,
    body=wire.ExperimentPatch,
    body_doc=Annotated[wire.ExperimentPatch, Meta(extra_json_schema={"minProperties": 1})],
    gives=wire.ExperimentResponse,
    raises=[*WRITES, AlreadyExists],
)
def update_experiment(call: Call[wire.ExperimentPatch, None]) -> wire.ExperimentResponse:
    """Change name, description or tags of an experiment.

    Tags merge; a tag set to null is removed.
    """
    body = call.body
    changed = call.services.experiments.update(
        call.principal,
        call.path("experiment_id"),
        name=given(body.name),
        description=given(body.description),
        tags=given(body.tags),
    )
    return experiment_response(changed)


@route(
    "DELETE",
    "/experiments/{experiment_id:str}",
    needs="experiments.delete",
    tag=TAG,
    gives=wire.ExperimentResponse,
    raises=WRITES,
)
def archive_experiment(call: Call[None, None]) -> wire.ExperimentResponse:
    """Archive an experiment and its runs.

    They keep their data and take no more; restore brings them back. Doing it again answers the same.
    """
    return experiment_response(call.services.experiments.archive(call.principal, call.path("experiment_id")))


@route(
    "POST",
    "/experiments/{experiment_id:str}/restore",
    needs="experiments.delete",
    tag=TAG,
    gives=wire.ExperimentResponse,
    raises=WRITES,
)
def restore_experiment(call: Call[None, None]) -> wire.ExperimentResponse:
    """Restore an archived experiment, with the runs that its archiving took."""
    return experiment_response(call.services.experiments.restore(call.principal, call.path("experiment_id")))


@route(
    "POST",
    "/experiments/{experiment_id:str}/purge",
    needs="experiments.delete",
    tag=TAG,
    gives=Purged,
    raises=[*READS, NotArchived, Unavailable],
)
def purge_experiment(call: Call[None, None]) -> Purged:
    """Remove an archived experiment for good, with all of its runs.

    There is no way back. It goes run by run; if it is cut short, doing it again goes on.
    """
    call.services.experiments.purge(call.principal, call.path("experiment_id"))
    return Purged(call.path("experiment_id"))


@route(
    "GET",
    "/experiments/{experiment_id:str}/keys",
    needs="runs.read",
    tag=TAG,
    tells_revision=True,
    query=KeyQuery,
    gives=wire.KeysResponse,
    raises=READS,
)
def list_keys(call: Call[None, KeyQuery]) -> wire.KeysResponse:
    """List the distinct metric, param and tag names of an experiment, with the number of runs that have each."""
    asked = call.query
    total, keys = call.services.experiments.keys(
        call.principal,
        call.path("experiment_id"),
        kinds=asked.kind or ("metric", "param", "tag"),
        prefix=asked.prefix,
        limit=asked.limit,
        offset=asked.offset,
    )
    return wire.KeysResponse(
        keys=[wire.KeyInfo(kind=key.kind, key=key.name, runs=key.runs) for key in keys],
        total=total,
        limit=asked.limit,
        offset=asked.offset,
    )


ROUTES = [
    create_experiment,
    list_experiments,
    get_experiment,
    update_experiment,
    archive_experiment,
    restore_experiment,
    purge_experiment,
    list_keys,
]
