"""The routes of experiments. MLflow's experiment id is our number."""

import re

from gnomon_server.api.bodies import given
from gnomon_server.api.mlflow import wire
from gnomon_server.api.mlflow.convert import experiment_message
from gnomon_server.api.mlflow.declare import AnyCall, wire_route
from gnomon_server.api.mlflow.errors import WireError
from gnomon_server.api.mlflow.limits import (
    MAX_EXPERIMENT_TAG_VALUE,
    checked_experiment_name,
    checked_key,
    checked_location,
    checked_tags,
    checked_value,
    refuse_page,
)
from gnomon_server.api.mlflow.paging import offset_of, token_at
from gnomon_server.api.mlflow.search_words import Words, in_mlflow_words
from gnomon_server.api.mlflow.views import stage_of
from gnomon_server.api.route import Call
from gnomon_server.core.numbered import DEFAULT_NAME, DEFAULT_NUMBER
from gnomon_server.model.errors import (
    AlreadyExists,
    ExperimentArchived,
    ExperimentNotFound,
    InvalidRequest,
)
from gnomon_server.model.filters.clauses import Vocabulary, parse_clause_order, parse_clauses

_NUMBER = re.compile(r"-?\d{1,15}", re.ASCII)
_WORDS = Vocabulary(
    attributes={"name": "text", "experiment_id": "text", "creation_time": "number", "last_update_time": "number"},
    entities={"attribute": "attribute", "tag": "tag", "tags": "tag"},
)
_SAID = Words(
    entities={"attribute": "attribute", "tag": "tag", "tags": "tag"},
    known="Valid entity types are ('attribute', 'tag', 'tags')",
    attributes=tuple(_WORDS.attributes),
    numbers=("creation_time", "last_update_time"),
    listed=("experiment_id",),
    exact=("experiment_id",),
    nulls={"tag": "tags"},
    ordered=tuple(_WORDS.attributes),
    sets=("attribute",),
    orders_by_attributes=True,
)


def number_of(experiment_id: str) -> int:
    """The number that an experiment id is; "" is the default experiment's."""
    if not experiment_id:
        return DEFAULT_NUMBER
    if _NUMBER.fullmatch(experiment_id) is None:
        raise InvalidRequest(f"Invalid experiment ID '{experiment_id}'. Experiment ID must be a valid integer.")
    return int(experiment_id)


def _keep_default(call: AnyCall, name: str) -> None:
    """Make the default experiment before another takes its name: to MLflow's clients it was always there."""
    if name == DEFAULT_NAME:
        call.services.numbered.ensure_default(call.principal)


@wire_route("POST", "/2.0/mlflow/experiments/create", needs="experiments.create", asks=wire.CreateExperiment)
def create_experiment(call: Call[wire.CreateExperiment, None]) -> wire.ExperimentCreated:
    """Create an experiment. It gets the id that is asked for where that is free, and otherwise the next one."""
    body = call.body
    checked_location(body.artifact_location)
    _keep_default(call, body.name)
    asked = number_of(body.experiment_id) if body.experiment_id else None
    try:
        made = call.services.experiments.create(
            call.principal,
            name=checked_experiment_name(body.name),
            description="",
            artifact_location=body.artifact_location or None,
            number=asked,
            created_ms=given(body.creation_time),
            tags=checked_tags(body.tags, longest=MAX_EXPERIMENT_TAG_VALUE),
            longest_tag=MAX_EXPERIMENT_TAG_VALUE,
        )
    except AlreadyExists:
        raise AlreadyExists(f"Experiment(name={body.name}) already exists.") from None
    return wire.ExperimentCreated(str(made.number))


def read_experiment(call: Call[wire.ExperimentAsked, None]) -> wire.ExperimentFound:
    """Get an experiment by id, deleted ones too."""
    found = call.services.numbered.get(call.principal, number_of(call.body.experiment_id))
    return wire.ExperimentFound(experiment_message(call.principal, found))


get_experiment = wire_route("GET", "/2.0/mlflow/experiments/get", needs="experiments.get", asks=wire.ExperimentAsked)(
    read_experiment
)


@wire_route("GET", "/2.0/mlflow/experiments/get-by-name", needs="experiments.get", asks=wire.ExperimentNamed)
def get_experiment_by_name(call: Call[wire.ExperimentNamed, None]) -> wire.ExperimentFound:
    """Get an experiment by name, deleted ones too."""
    name = call.body.experiment_name
    try:
        found = call.services.numbered.named(call.principal, name)
    except ExperimentNotFound:
        raise WireError("RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with name '{name}'") from None
    return wire.ExperimentFound(experiment_message(call.principal, found))


@wire_route(("GET", "POST"), "/2.0/mlflow/experiments/search", needs="experiments.read", asks=wire.SearchExperiments)
def search_experiments(call: Call[wire.SearchExperiments, None]) -> wire.ExperimentsFound:
    """Find experiments; the newest first."""
    body = call.body
    refuse_page(body.max_results)
    offset = offset_of(body.page_token)
    with in_mlflow_words(_SAID, body.filter, body.order_by):
        clauses = parse_clauses(body.filter, _WORDS)
        order = parse_clause_order(body.order_by, _WORDS)
    total, found = call.services.numbered.search(
        call.principal,
        clauses,
        order or [("creation_time", True)],
        stage=stage_of(body.view_type, field="view_type"),
        limit=body.max_results,
        offset=offset,
    )
    return wire.ExperimentsFound(
        [experiment_message(call.principal, one) for one in found], token_at(offset + len(found), total=total)
    )


@wire_route("POST", "/2.0/mlflow/experiments/update", needs="experiments.write", asks=wire.UpdateExperiment)
def update_experiment(call: Call[wire.UpdateExperiment, None]) -> wire.Nothing:
    """Rename an experiment."""
    body = call.body
    _keep_default(call, body.new_name)
    try:
        call.services.numbered.rename(
            call.principal, number_of(body.experiment_id), checked_experiment_name(body.new_name)
        )
    except AlreadyExists as taken:
        raise WireError("BAD_REQUEST", taken.detail) from None
    except ExperimentArchived:
        raise WireError("INVALID_STATE", "Cannot rename a non-active experiment.") from None
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/experiments/delete", needs="experiments.delete", asks=wire.ExperimentAsked)
def delete_experiment(call: Call[wire.ExperimentAsked, None]) -> wire.Nothing:
    """Delete an experiment and its runs: they are archived."""
    call.services.numbered.archive(call.principal, number_of(call.body.experiment_id))
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/experiments/restore", needs="experiments.delete", asks=wire.ExperimentAsked)
def restore_experiment(call: Call[wire.ExperimentAsked, None]) -> wire.Nothing:
    """Restore a deleted experiment and all of its runs."""
    call.services.numbered.restore(call.principal, number_of(call.body.experiment_id))
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/experiments/set-experiment-tag", needs="experiments.write", asks=wire.ExperimentTag)
def set_experiment_tag(call: Call[wire.ExperimentTag, None]) -> wire.Nothing:
    """Set a tag of an experiment."""
    body = call.body
    key = checked_key(body.key, path="key", what="key")
    value = checked_value(body.value, MAX_EXPERIMENT_TAG_VALUE)
    call.services.numbered.set_tags(
        call.principal, number_of(body.experiment_id), {key: value}, longest=MAX_EXPERIMENT_TAG_VALUE
    )
    return wire.Nothing()


@wire_route("POST", "/2.0/mlflow/experiments/delete-experiment-tag", needs="experiments.write", asks=wire.ExperimentTag)
def delete_experiment_tag(call: Call[wire.ExperimentTag, None]) -> wire.Nothing:
    """Remove a tag of an experiment."""
    call.services.numbered.remove_tag(call.principal, number_of(call.body.experiment_id), call.body.key)
    return wire.Nothing()


ROUTES = [
    create_experiment,
    get_experiment,
    get_experiment_by_name,
    search_experiments,
    update_experiment,
    delete_experiment,
    restore_experiment,
    set_experiment_tag,
    delete_experiment_tag,
]
