"""The routes of runs: create, read, change, delete, restore, find."""

from dataclasses import replace

from msgspec import UNSET, UnsetType, structs

from gnomon_server.api.bodies import given
from gnomon_server.api.mlflow import wire
from gnomon_server.api.mlflow.convert import RUN_NAME, run_info, run_message
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.limits import MAX_PAGE, MAX_TAG_VALUE, checked_key, refuse_page
from gnomon_server.api.mlflow.paging import offset_of, token_at
from gnomon_server.api.mlflow.reading import value_refused
from gnomon_server.api.mlflow.search_words import Words, in_mlflow_words
from gnomon_server.api.mlflow.views import stage_of, status_of
from gnomon_server.api.route import Call
from gnomon_server.core.full_runs import FullSearch
from gnomon_server.model.errors import ExperimentArchived, InvalidRequest
from gnomon_server.model.filters import MLFLOW, And, Column, Expr, Not, Or, OrderItem, parse_filter, parse_order_by

USER = "mlflow.user"
_ORDERED = (
    "run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time", "created", "Created",
)  # fmt: skip
_SAID = Words(
    entities={
        **dict.fromkeys(("metric", "metrics"), "metric"),
        **dict.fromkeys(("parameter", "parameters", "param", "params"), "parameter"),
        **dict.fromkeys(("tag", "tags"), "tag"),
        **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
        **dict.fromkeys(("dataset", "datasets"), "dataset"),
    },
    known="Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    attributes=(*_ORDERED, "run name", "Run name", "Run Name"),
    numbers=("start_time", "end_time", "created", "Created"),
    listed=("run_id",),
    open_sets=("metric", "tag", "dataset"),
    nulls={"tag": "tags", "parameter": "params"},
    ordered=_ORDERED,
    keyed_order=True,
    sets=("metric", "parameter", "tag", "attribute", "dataset"),
    quotes_rest=True,
)


@wire_route("POST", "/2.0/mlflow/runs/create", needs="runs.log", asks=wire.CreateRun)
def create_run(call: Call[wire.CreateRun, None]) -> wire.RunFound:
    """Create a run."""
    body = call.body
    tags = {
        checked_key(tag.key, path=f"tags[{place}].key", what="key"): tag.value[:MAX_TAG_VALUE]
        for place, tag in enumerate(body.tags)
    }
    tagged_name = tags.pop(RUN_NAME, "")
    if body.run_name and tagged_name and body.run_name != tagged_name:
        raise InvalidRequest(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name='{body.run_name}', mlflow.runName='{tagged_name}')."
        )
    number = number_of(body.experiment_id)
    if call.services.numbered.get(call.principal, number).lifecycle_stage != "active":
        raise ExperimentArchived(str(number))
    made = call.services.full_runs.create(
        call.principal,
        number=number,
        name=body.run_name or tagged_name or None,
        start_ms=given(body.start_time),
        created_by=body.user_id or tags.get(USER),
        tags=tags,
    )
    # MLflow's server tells no outputs of a run that has just begun.
    return wire.RunFound(structs.replace(run_message(made), outputs=UNSET))


def read_run(call: Call[wire.RunAsked, None]) -> wire.RunFound:
    """Get a run, deleted ones too."""
    return wire.RunFound(run_message(call.services.full_runs.get(call.principal, run_of(call.body))))


get_run = wire_route("GET", "/2.0/mlflow/runs/get", needs="runs.get", asks=wire.RunAsked)(read_run)


@wire_route("POST", "/2.0/mlflow/runs/update", needs="runs.log", asks=wire.UpdateRun)
def update_run(call: Call[wire.UpdateRun, None]) -> wire.RunUpdated:
    """Change the status, the end or the name of a run."""
    body = call.body
    changed = call.services.full_runs.revise(
        call.principal,
        run_of(body),
        status=None if isinstance(body.status, UnsetType) else status_of(body.status),
        end_ms=given(body.end_time),
        name=body.run_name or None,
    )
    if body.run_name and RUN_NAME in changed.run.tags:  # the tag was removed; a new name brings it back
        call.services.full_runs.remove_tag(call.principal, run_of(body), RUN_NAME)
    return wire.RunUpdated(run_info(changed))


@wire_route("POST", "/2.0/mlflow/runs/delete", needs="runs.delete", asks=wire.RunAsked)
def delete_run(call: Call[wire.RunAsked, None]) -> wire.Nothing:
    """Delete a run: it is archived."""
    call.services.runs.archive(call.principal, run_of(call.body))
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/runs/restore", needs="runs.delete", asks=wire.RunAsked)
def restore_run(call: Call[wire.RunAsked, None]) -> wire.Nothing:
    """Restore a deleted run."""
    call.services.runs.restore(call.principal, run_of(call.body))
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/runs/delete-tag", needs="runs.log", asks=wire.RunKey)
def delete_tag(call: Call[wire.RunKey, None]) -> wire.Nothing:
    """Remove a tag of a run. The run keeps its name when the tag that tells it is removed."""
    run, key = run_of(call.body), call.body.key
    if key == RUN_NAME:
        call.services.full_runs.hide_tag(call.principal, run, key)
    else:
        call.services.full_runs.remove_tag(call.principal, run, key)
    return wire.Nothing()


def find_runs(call: Call[wire.SearchRuns, None]) -> wire.RunsFound:
    """Find runs; the newest first."""
    body = call.body
    if body.max_results > MAX_PAGE:
        raise value_refused("max_results", body.max_results)
    refuse_page(body.max_results)
    offset = offset_of(body.page_token)
    with in_mlflow_words(_SAID, body.filter, body.order_by):
        wanted = parse_filter(body.filter, now_ms=call.services.now_ms(), dialect=MLFLOW)
        order = parse_order_by(body.order_by, dialect=MLFLOW)
    search = FullSearch(
        numbers=[number_of(one) for one in body.experiment_ids],
        filter=None if wanted is None else _named(wanted),
        order=[_named_item(item) for item in order],
        stage=stage_of(body.run_view_type, field="run_view_type"),
        limit=body.max_results,
        offset=offset,
    )
    total, found = call.services.full_runs.find(call.principal, search)
    return wire.RunsFound([run_message(one) for one in found], token_at(offset + len(found), total=total))


search_runs = wire_route("POST", "/2.0/mlflow/runs/search", needs="runs.read", asks=wire.SearchRuns)(find_runs)


def run_of(
    message: wire.RunAsked
    | wire.UpdateRun
    | wire.RunKey
    | wire.RunPair
    | wire.LogMetric
    | wire.LogBatch
    | wire.ListArtifacts
    | wire.LogInputs
    | wire.LogOutputs
    | wire.LogModel,
) -> str:
    """The run that a message names; old clients call it `run_uuid`."""
    return message.run_id or message.run_uuid


def _named(expr: Expr) -> Expr:
    """The expression with the tag that is a run's name read as the name."""
    if isinstance(expr, And | Or):
        return type(expr)(tuple(_named(item) for item in expr.items))
    if isinstance(expr, Not):
        return Not(_named(expr.item))
    return replace(expr, column=_NAME) if expr.column == _NAME_TAG else expr


def _named_item(item: OrderItem) -> OrderItem:
    return replace(item, column=_NAME) if item.column == _NAME_TAG else item


_NAME_TAG = Column("tag", RUN_NAME)
_NAME = Column("attribute", "name", text="run_name")

ROUTES = [create_run, get_run, update_run, delete_run, restore_run, delete_tag, search_runs]
