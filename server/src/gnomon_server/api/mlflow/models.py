"""The routes of logged models."""

from collections.abc import Mapping, Sequence

from gnomon_server.api.bodies import given
from gnomon_server.api.mlflow import model_wire as wire
from gnomon_server.api.mlflow.artifacts import Place, clean_path, listed_files, send_file
from gnomon_server.api.mlflow.convert import model_message
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.experiments import number_of
from gnomon_server.api.mlflow.limits import MAX_PARAM_VALUE
from gnomon_server.api.mlflow.reading import missing_value, word_of
from gnomon_server.api.mlflow.wire import FilesFound, Nothing, Pair
from gnomon_server.api.route import Answer, Call
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.registry import ModelStatus

_STATUSES: Mapping[str, int] = {
    "LOGGED_MODEL_STATUS_UNSPECIFIED": 0,
    "LOGGED_MODEL_PENDING": 1,
    "LOGGED_MODEL_READY": 2,
    "LOGGED_MODEL_UPLOAD_FAILED": 3,
}
STATUS_OF: Mapping[str, ModelStatus] = {
    "LOGGED_MODEL_PENDING": "pending",
    "LOGGED_MODEL_READY": "ready",
    "LOGGED_MODEL_UPLOAD_FAILED": "failed",
}
_MODEL = "/2.0/mlflow/logged-models/{model_id:str}"
_FORBIDDEN_IN_NAME = set("/:.%\"'`")


@wire_route("POST", "/2.0/mlflow/logged-models", needs="runs.log", asks=wire.CreateLoggedModel)
def create_model(call: Call[wire.CreateLoggedModel, None]) -> wire.LoggedModelFound:
    """Create a logged model, pending until it is finalized."""
    body = call.body
    if body.name and _FORBIDDEN_IN_NAME & set(body.name):
        raise InvalidRequest(
            f"Invalid model name ({body.name!r}) provided. Model name must be a non-empty string and cannot contain "
            "the following characters: ('/', ':', '.', '%', '\"', \"'\")"
        )
    number = number_of(body.experiment_id)
    call.services.numbered.get(call.principal, number)
    made = call.services.models.create(
        call.principal,
        number=number,
        name=body.name or None,
        model_type=body.model_type,
        source_run=body.source_run_id,
        params=_pairs(body.params, "params", longest=MAX_PARAM_VALUE),
        tags=_pairs(body.tags, "tags"),
        uid=body.model_id or None,
        created_ms=given(body.creation_timestamp_ms),
    )
    return wire.LoggedModelFound(model_message(made))


@wire_route("GET", _MODEL, needs="runs.get")
def get_model(call: Call[None, None]) -> wire.LoggedModelFound:
    """Get a logged model."""
    return wire.LoggedModelFound(model_message(call.services.models.get(call.principal, call.path("model_id"))))


@wire_route("PATCH", _MODEL, needs="runs.log", asks=wire.FinalizeLoggedModel)
def finalize_model(call: Call[wire.FinalizeLoggedModel, None]) -> wire.LoggedModelFound:
    """Say whether the files of a logged model are there."""
    word = word_of(call.body.status, _STATUSES, field="status")
    if word not in STATUS_OF:
        raise InvalidRequest(f"Invalid model status: {word}. Expected one of {', '.join(STATUS_OF)}.")
    changed = call.services.models.finish(call.principal, call.path("model_id"), STATUS_OF[word])
    return wire.LoggedModelFound(model_message(changed))


@wire_route("DELETE", _MODEL, needs="runs.delete")
def delete_model(call: Call[None, None]) -> Nothing:
    """Delete a logged model."""
    call.services.models.archive(call.principal, call.path("model_id"))
    return Nothing()


@wire_route("POST", _MODEL + "/params", needs="runs.log", asks=wire.LoggedModelPairs)
def log_model_params(call: Call[wire.LoggedModelPairs, None]) -> Nothing:
    """Log params of a logged model."""
    params = _pairs(call.body.params, "params", longest=MAX_PARAM_VALUE)
    call.services.models.log_params(call.principal, call.path("model_id"), params)
    return Nothing()


@wire_route("PATCH", _MODEL + "/tags", needs="runs.log", asks=wire.LoggedModelPairs)
def set_model_tags(call: Call[wire.LoggedModelPairs, None]) -> wire.LoggedModelFound:
    """Set tags of a logged model."""
    changed = call.services.models.set_tags(call.principal, call.path("model_id"), _pairs(call.body.tags, "tags"))
    return wire.LoggedModelFound(model_message(changed))


@wire_route("DELETE", _MODEL + "/tags/{tag_key:str}", needs="runs.log")
def delete_model_tag(call: Call[None, None]) -> Nothing:
    """Remove a tag of a logged model."""
    call.services.models.remove_tag(call.principal, call.path("model_id"), call.path("tag_key"))
    return Nothing()


@wire_route("GET", _MODEL + "/artifacts/directories", needs="runs.get", asks=wire.ListModelArtifacts)
def list_model_files(call: Call[wire.ListModelArtifacts, None]) -> FilesFound:
    """List a directory of a logged model; paths are relative to its root."""
    uid = call.path("model_id")
    uri = call.services.models.get(call.principal, uid).artifact_uri
    place = Place("model", uid, clean_path(call.body.artifact_directory_path))
    return FilesFound(listed_files(call, place, below=""), root_uri=uri)


@wire_route("GET", _MODEL + "/artifacts/files", needs="runs.get", asks=wire.ModelFileAsked, prefixes=("/ajax-api",))
async def get_model_file(call: Call[wire.ModelFileAsked, None]) -> Answer:
    """Download a file of a logged model."""
    return await send_file(call, Place("model", call.path("model_id"), clean_path(call.body.artifact_file_path)))


def _pairs(sent: Sequence[Pair], field: str, *, longest: int | None = None) -> dict[str, str]:
    for place, pair in enumerate(sent):
        if not pair.key:
            raise missing_value(f"{field}[{place}].key")
    return {pair.key: pair.value[:longest] for pair in sent}


ROUTES = [
    create_model,
    get_model,
    finalize_model,
    delete_model,
    log_model_params,
    set_model_tags,
    delete_model_tag,
    list_model_files,
    get_model_file,
]
