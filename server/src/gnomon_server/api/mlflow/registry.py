"""The routes of the model registry: registered models, their versions, tags, aliases and stages.

A version's source is resolved when it is made: a client is handed an address that leads to files of this server, or
one outside of it that the client reads with its own means. It never leads to the server's disk.
"""

import re
from collections.abc import Mapping

from gnomon_server.api.mlflow import model_wire as wire
from gnomon_server.api.mlflow.artifacts import clean_path, place_of, send_file
from gnomon_server.api.mlflow.convert import registered_message, version_message
from gnomon_server.api.mlflow.declare import AnyCall, wire_route
from gnomon_server.api.mlflow.errors import WireError
from gnomon_server.api.mlflow.limits import (
    MAX_REGISTRY_TAG_VALUE,
    checked_alias,
    checked_key,
    checked_model_name,
    checked_tags,
    checked_value,
    free_alias,
    refuse_long_prompt,
)
from gnomon_server.api.mlflow.paging import offset_of, token_at
from gnomon_server.api.mlflow.published import note_version
from gnomon_server.api.mlflow.reading import value_refused
from gnomon_server.api.mlflow.search_words import Words, in_mlflow_words
from gnomon_server.api.mlflow.sources import SCHEME, address_of, files_of, source_of
from gnomon_server.api.mlflow.wire import Nothing, Pair
from gnomon_server.api.route import Answer, Call
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters.clauses import Clause, ClauseKind, Vocabulary, parse_clause_order, parse_clauses
from gnomon_server.model.registry import STAGES, ModelVersion, RegisteredModel, Stage

_RM = "/2.0/mlflow/registered-models/"
_MV = "/2.0/mlflow/model-versions/"
PROMPT = "mlflow.prompt.is_prompt"
_MAX_MODELS = 1_000
_MAX_VERSIONS = 200_000
_VERSION = re.compile(r"-?\d{1,15}", re.ASCII)
_ENTITIES: Mapping[str, ClauseKind] = {"attribute": "attribute", "tag": "tag", "tags": "tag"}
_MODEL_WORDS = Vocabulary(
    attributes={"name": "text", "creation_timestamp": "number", "last_updated_timestamp": "number"},
    entities=_ENTITIES,
    aliases={"timestamp": "last_updated_timestamp"},
)
_VERSION_WORDS = Vocabulary(
    attributes={
        "name": "text",
        "version_number": "number",
        "run_id": "text",
        "source_path": "text",
        "model_id": "text",
        "creation_timestamp": "number",
        "last_updated_timestamp": "number",
    },
    entities=_ENTITIES,
)
_KNOWN = "Valid entity types are ('attribute', 'tag', 'tags')"
_MODELS_SAID = Words(
    entities=_ENTITIES,
    known=_KNOWN,
    attributes=("name",),
    listed=("name",),
    ordered=("name", "timestamp"),
    also_ordered=("last_updated_timestamp",),
    or_lists=True,
)
_VERSIONS_SAID = Words(
    entities=_ENTITIES,
    known=_KNOWN,
    attributes=("name", "version_number", "run_id", "source_path"),
    numbers=("version_number", "creation_timestamp", "last_updated_timestamp"),
    listed=("name", "run_id"),
    ordered=("name", "version_number", "creation_timestamp", "last_updated_timestamp"),
    orders_by_attributes=True,
    or_lists=True,
)


@wire_route("POST", _RM + "create", needs="runs.write", asks=wire.CreateRegisteredModel)
def create_registered(call: Call[wire.CreateRegisteredModel, None]) -> wire.RegisteredFound:
    """Register a name."""
    body = call.body
    made = call.services.registry.create(
        call.principal, name=checked_model_name(body.name), description=body.description, tags=_tags(body.tags)
    )
    return wire.RegisteredFound(registered_message(made))


@wire_route("GET", _RM + "get", needs="runs.read", asks=wire.ModelNamed)
def get_registered(call: Call[wire.ModelNamed, None]) -> wire.RegisteredFound:
    """Get a registered model."""
    return wire.RegisteredFound(registered_message(_registered(call, call.body.name)))


@wire_route("POST", _RM + "rename", needs="runs.write", asks=wire.RenameRegisteredModel)
def rename_registered(call: Call[wire.RenameRegisteredModel, None]) -> wire.RegisteredFound:
    """Rename a registered model."""
    body = call.body
    return wire.RegisteredFound(
        registered_message(
            call.services.registry.update(call.principal, body.name, new_name=checked_model_name(body.new_name))
        )
    )


@wire_route("PATCH", _RM + "update", needs="runs.write", asks=wire.UpdateRegisteredModel)
def update_registered(call: Call[wire.UpdateRegisteredModel, None]) -> wire.RegisteredFound:
    """Describe a registered model."""
    text = call.body.description
    description = text if isinstance(text, str) else ""
    return wire.RegisteredFound(
        registered_message(call.services.registry.update(call.principal, call.body.name, description=description))
    )


@wire_route("DELETE", _RM + "delete", needs="runs.delete", asks=wire.ModelNamed)
def delete_registered(call: Call[wire.ModelNamed, None]) -> Nothing:
    """Delete a registered model with its versions."""
    call.services.registry.delete(call.principal, call.body.name)
    return Nothing()


@wire_route("GET", _RM + "search", needs="runs.read", asks=wire.SearchRegistered)
def search_registered(call: Call[wire.SearchRegistered, None]) -> wire.RegisteredList:
    """Find registered models, by name."""
    body = call.body
    if body.max_results < 1:
        raise InvalidRequest(
            f"Invalid value for max_results. It must be a positive number up to {_MAX_MODELS}, but got value "
            f"{body.max_results}."
        )
    if body.max_results > _MAX_MODELS:
        raise value_refused("max_results", str(body.max_results))
    offset = offset_of(body.page_token)
    with in_mlflow_words(_MODELS_SAID, body.filter, body.order_by):
        clauses = without_prompts(parse_clauses(body.filter, _MODEL_WORDS))
        order = parse_clause_order(body.order_by, _MODEL_WORDS)
    total, found = call.services.registry.search(
        call.principal,
        clauses,
        order,
        limit=body.max_results,
        offset=offset,
    )
    token = token_at(offset + len(found), total=total)
    return wire.RegisteredList([registered_message(one) for one in found], token)


@wire_route(("GET", "POST"), _RM + "get-latest-versions", needs="runs.read", asks=wire.LatestAsked)
def get_latest_versions(call: Call[wire.LatestAsked, None]) -> wire.VersionList:
    """Get the newest version of each stage, or of those that are named."""
    wanted = {_stage(stage) for stage in call.body.stages} or set(STAGES)
    latest = _registered(call, call.body.name).latest
    return wire.VersionList([version_message(one) for one in latest if one.stage in wanted])


@wire_route("POST", _RM + "set-tag", needs="runs.write", asks=wire.ModelTag)
def set_registered_tag(call: Call[wire.ModelTag, None]) -> Nothing:
    """Set a tag of a registered model."""
    body = call.body
    key, value = _tag(body.key, body.value)
    call.services.registry.set_tag(call.principal, body.name, None, key, value)
    return Nothing()


@wire_route("DELETE", _RM + "delete-tag", needs="runs.write", asks=wire.ModelTag)
def delete_registered_tag(call: Call[wire.ModelTag, None]) -> Nothing:
    """Remove a tag of a registered model."""
    key = checked_key(call.body.key, path="key", what="key")
    call.services.registry.remove_tag(call.principal, call.body.name, None, key)
    return Nothing()


@wire_route("POST", _RM + "alias", needs="runs.write", asks=wire.SetAlias)
def set_alias(call: Call[wire.SetAlias, None]) -> Nothing:
    """Point an alias to a version."""
    body = call.body
    alias = free_alias(body.alias)
    call.services.registry.set_alias(call.principal, body.name, alias, _number(body.version))
    return Nothing()


@wire_route("DELETE", _RM + "alias", needs="runs.write", asks=wire.ModelAlias)
def delete_alias(call: Call[wire.ModelAlias, None]) -> Nothing:
    """Remove an alias."""
    call.services.registry.delete_alias(call.principal, call.body.name, checked_alias(call.body.alias))
    return Nothing()


@wire_route("GET", _RM + "alias", needs="runs.read", asks=wire.ModelAlias)
def get_by_alias(call: Call[wire.ModelAlias, None]) -> wire.VersionFound:
    """Get the version that an alias points to; `latest` is the newest."""
    found = _registered(call, call.body.name)
    alias = call.body.alias
    version = found.aliases.get(alias)
    if alias.lower() == "latest":
        version = max((one.version for one in found.latest), default=None)
    if version is None:
        raise InvalidRequest(f"Registered model alias {alias} not found.")
    return wire.VersionFound(version_message(call.services.registry.version(call.principal, found.name, version)))


@wire_route("POST", _MV + "create", needs="runs.write", asks=wire.CreateVersion)
def create_version(call: Call[wire.CreateVersion, None]) -> wire.VersionFound:
    """Publish the next version of a registered model."""
    body = call.body
    refuse_long_prompt(body.tags)
    tags = _tags(body.tags)
    found = source_of(call, body, is_prompt=PROMPT in tags)
    run = body.run_id or found.run
    if not run and found.model:
        run = call.services.models.get(call.principal, found.model).source_run
    made = call.services.registry.create_version(
        call.principal,
        body.name,
        source=found.source,
        files=found.files,
        run=run,
        run_link=body.run_link,
        model=found.model,
        description=body.description,
        tags=tags,
    )
    if found.model and PROMPT not in tags:
        note_version(call, found.model, made)
    return wire.VersionFound(version_message(made))


@wire_route("GET", _MV + "get", needs="runs.read", asks=wire.VersionAsked)
def get_version(call: Call[wire.VersionAsked, None]) -> wire.VersionFound:
    """Get a version."""
    return wire.VersionFound(version_message(_version(call, call.body.name, call.body.version)))


@wire_route("GET", _MV + "get-download-uri", needs="runs.read", asks=wire.VersionAsked)
def get_download_uri(call: Call[wire.VersionAsked, None]) -> wire.DownloadUri:
    """Get where the files of a version are."""
    return wire.DownloadUri(address_of(call, _version(call, call.body.name, call.body.version)))


@wire_route("PATCH", _MV + "update", needs="runs.write", asks=wire.UpdateVersion)
def update_version(call: Call[wire.UpdateVersion, None]) -> wire.VersionFound:
    """Describe a version."""
    body = call.body
    changed = call.services.registry.update_version(
        call.principal, body.name, _number(body.version), description=body.description
    )
    return wire.VersionFound(version_message(changed))


@wire_route("POST", _MV + "transition-stage", needs="runs.write", asks=wire.MoveVersion)
def transition_stage(call: Call[wire.MoveVersion, None]) -> wire.VersionFound:
    """Move a version to a stage."""
    body = call.body
    stage = _stage(body.stage)
    if body.archive_existing_versions and stage not in ("Staging", "Production"):
        raise InvalidRequest(
            f"Model version transition cannot archive existing model versions because '{stage}' is not an Active "
            "stage. Valid stages are ['Staging', 'Production']"
        )
    moved = call.services.registry.move(
        call.principal, body.name, _number(body.version), stage, archive_others=body.archive_existing_versions
    )
    return wire.VersionFound(version_message(moved))


@wire_route("DELETE", _MV + "delete", needs="runs.delete", asks=wire.VersionAsked)
def delete_version(call: Call[wire.VersionAsked, None]) -> Nothing:
    """Delete a version."""
    call.services.registry.delete_version(call.principal, call.body.name, _number(call.body.version))
    return Nothing()


def find_versions(call: Call[wire.SearchVersions, None]) -> wire.VersionList:
    """Find versions, the last changed first."""
    body = call.body
    if body.max_results < 1:
        raise InvalidRequest(
            f"Invalid value for max_results. It must be a positive integer, but got {body.max_results}"
        )
    if body.max_results > _MAX_VERSIONS:
        raise value_refused("max_results", str(body.max_results))
    offset = offset_of(body.page_token)
    with in_mlflow_words(_VERSIONS_SAID, body.filter, body.order_by):
        clauses = without_prompts(parse_clauses(body.filter, _VERSION_WORDS))
        order = parse_clause_order(body.order_by, _VERSION_WORDS)
    total, found = call.services.registry.search_versions(
        call.principal,
        clauses,
        order,
        limit=body.max_results,
        offset=offset,
    )
    return wire.VersionList([version_message(one) for one in found], token_at(offset + len(found), total=total))


search_versions = wire_route("GET", _MV + "search", needs="runs.read", asks=wire.SearchVersions)(find_versions)


@wire_route("POST", _MV + "set-tag", needs="runs.write", asks=wire.VersionTag)
def set_version_tag(call: Call[wire.VersionTag, None]) -> Nothing:
    """Set a tag of a version."""
    body = call.body
    refuse_long_prompt([Pair(body.key, body.value)])
    key, value = _tag(body.key, body.value)
    call.services.registry.set_tag(call.principal, body.name, _number(body.version), key, value)
    return Nothing()


@wire_route("DELETE", _MV + "delete-tag", needs="runs.write", asks=wire.VersionTag)
def delete_version_tag(call: Call[wire.VersionTag, None]) -> Nothing:
    """Remove a tag of a version."""
    body = call.body
    key = checked_key(body.key, path="key", what="key")
    call.services.registry.remove_tag(call.principal, body.name, _number(body.version), key)
    return Nothing()


@wire_route("GET", "/model-versions/get-artifact", needs="runs.read", asks=wire.VersionFileAsked, prefixes=("",))
async def get_version_file(call: Call[wire.VersionFileAsked, None]) -> Answer:
    """Download a file of a version."""
    clean_path(call.body.path)
    uri = files_of(call, _version(call, call.body.name, call.body.version))
    if not uri.startswith(SCHEME):
        raise InvalidRequest(f"The files of this version are not on this server but at {uri}")
    return await send_file(call, place_of(f"{uri.removeprefix(SCHEME)}/{call.body.path}"))


def without_prompts(clauses: list[Clause]) -> list[Clause]:
    """Prompts are kept in the registry too, by a tag; they are found by those who ask for that tag."""
    rest = [clause for clause in clauses if (clause.kind, clause.key) != ("tag", PROMPT)]
    asked = [clause for clause in clauses if (clause.kind, clause.key) == ("tag", PROMPT)]
    is_for_prompts = any((clause.op, clause.values) in (("=", ("true",)), ("!=", ("false",))) for clause in asked)
    return [*rest, Clause("tag", PROMPT, "is not null" if is_for_prompts else "is null")]


def _registered(call: AnyCall, name: str) -> RegisteredModel:
    return call.services.registry.get(call.principal, name)


def _version(call: AnyCall, name: str, version: str) -> ModelVersion:
    return call.services.registry.version(call.principal, name, _number(version))


def _number(version: str) -> int:
    if _VERSION.fullmatch(version) is None:
        raise InvalidRequest(f"Parameter 'version' must be an integer, got '{version}'.")
    return int(version)


def _stage(text: str) -> Stage:
    for stage in STAGES:
        if stage.lower() == text.lower():
            return stage
    raise WireError(
        "INVALID_PARAMETER_VALUE", f"Invalid Model Version stage: {text}. Value must be one of {', '.join(STAGES)}."
    )


def _tags(pairs: list[Pair]) -> dict[str, str]:
    return checked_tags(pairs, longest=MAX_REGISTRY_TAG_VALUE)


def _tag(key: str, value: str) -> tuple[str, str]:
    return checked_key(key, path="key", what="key"), checked_value(value, MAX_REGISTRY_TAG_VALUE)


ROUTES = [
    create_registered,
    get_registered,
    rename_registered,
    update_registered,
    delete_registered,
    search_registered,
    get_latest_versions,
    set_registered_tag,
    delete_registered_tag,
    set_alias,
    delete_alias,
    get_by_alias,
    create_version,
    get_version,
    get_download_uri,
    update_version,
    transition_stage,
    delete_version,
    search_versions,
    set_version_tag,
    delete_version_tag,
    get_version_file,
]
