"""The routes of saved views: what a page shows, under a name."""

from typing import Annotated

from litestar import Response
from msgspec import Meta, Struct

from gnomon import wire
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.times import iso_time
from gnomon_server.core.views import MAX_STATE
from gnomon_server.model.entities import SavedView
from gnomon_server.model.errors import (
    AccessDenied,
    AlreadyExists,
    ExperimentNotFound,
    InvalidRequest,
    Unavailable,
    ViewNotFound,
)

TAG = "views"
READS = (InvalidRequest, AccessDenied, ExperimentNotFound)
WRITES = (*READS, AlreadyExists, Unavailable)

# The document says the bounds; core judges them, in a sentence.
ViewState = Annotated[
    str,
    Meta(
        description="the query string of the page as its URL writes it, without the question mark",
        extra_json_schema={"maxLength": MAX_STATE, "pattern": "^[ -~]*$"},
    ),
]


class ViewSave(wire.Request, frozen=True):
    name: wire.ExperimentName
    state: ViewState


class ViewResponse(Struct, frozen=True):
    id: wire.Uid
    name: str
    state: str
    created_at: wire.Time
    last_updated: wire.Time
    created_by: str


class ViewListResponse(Struct, frozen=True):
    views: list[ViewResponse]
    total: int


@route(
    "GET",
    "/experiments/{experiment_id:str}/views",
    needs="experiments.read",
    tag=TAG,
    gives=ViewListResponse,
    raises=READS,
)
def list_views(call: Call[None, None]) -> ViewListResponse:
    """List the saved views of an experiment, by name."""
    found = call.services.views.list(call.principal, call.path("experiment_id"))
    return ViewListResponse(views=[_view_response(view) for view in found], total=len(found))


@route(
    "POST",
    "/experiments/{experiment_id:str}/views",
    needs="experiments.write",
    tag=TAG,
    body=ViewSave,
    status=201,
    gives=ViewResponse,
    raises=WRITES,
    headers={"Location": "where the view can be changed"},
)
def create_view(call: Call[ViewSave, None]) -> Response[bytes]:
    """Save a view of an experiment.

    The name must be free in the experiment, which takes 200 views.
    """
    experiment, body = call.path("experiment_id"), call.body
    made = call.services.views.create(call.principal, experiment, name=body.name, state=body.state)
    location = f"/api/v1/experiments/{experiment}/views/{made.uid}"
    return json_answer(_view_response(made), status=201, headers={"Location": location})


@route(
    "PUT",
    "/experiments/{experiment_id:str}/views/{view_id:str}",
    needs="experiments.write",
    tag=TAG,
    body=ViewSave,
    gives=ViewResponse,
    raises=[*WRITES, ViewNotFound],
)
def replace_view(call: Call[ViewSave, None]) -> ViewResponse:
    """Give a saved view another name and state."""
    body = call.body
    changed = call.services.views.replace(
        call.principal, call.path("experiment_id"), call.path("view_id"), name=body.name, state=body.state
    )
    return _view_response(changed)


@route(
    "DELETE",
    "/experiments/{experiment_id:str}/views/{view_id:str}",
    needs="experiments.write",
    tag=TAG,
    gives=ViewResponse,
    raises=[*READS, ViewNotFound, Unavailable],
)
def delete_view(call: Call[None, None]) -> ViewResponse:
    """Remove a saved view for good; the answer is what it was, for whoever wants to undo."""
    return _view_response(call.services.views.delete(call.principal, call.path("experiment_id"), call.path("view_id")))


def _view_response(view: SavedView) -> ViewResponse:
    return ViewResponse(
        id=view.uid,
        name=view.name,
        state=view.state,
        created_at=iso_time(view.created_ms),
        last_updated=iso_time(view.updated_ms),
        created_by=view.created_by,
    )


ROUTES = [list_views, create_view, replace_view, delete_view]
