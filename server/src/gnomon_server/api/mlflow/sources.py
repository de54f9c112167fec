"""Where the files of a model version are: what a client may name as its source, and the address it is handed for it.

A source leads to files of this server that the request names the owner of, or to a place outside of it that clients
read with their own means. It never leads to the server's disk.
"""

import re
from urllib.parse import unquote

from gnomon_server.api.mlflow import model_wire as wire
from gnomon_server.api.mlflow.artifacts import place_of
from gnomon_server.api.mlflow.declare import AnyCall
from gnomon_server.api.route import Call
from gnomon_server.model.errors import ArtifactNotFound, InvalidRequest
from gnomon_server.model.registry import ModelVersion

_WORD = re.compile(r"[\w\-]{1,100}")
SCHEME = "mlflow-artifacts:/"
_REMOTE = re.compile(r"(?:s3a?|gs|wasbs?|abfss?|hdfs|https?|dbfs|ftp|sftp|r2|b2)://[^?#]+|dbfs:/[^?#]+")
_HOSTED = re.compile(r"[a-z0-9\-]+://")
_CLIMBS = re.compile(r"(?:^|[/:])\.{1,2}(?:/|$)")


def source_of(call: Call[wire.CreateVersion, None], body: wire.CreateVersion, *, is_prompt: bool) -> tuple[str, str]:
    """Where the files of a new version are, and the logged model that they are of ("": none)."""
    source, model = body.source, body.model_id
    if is_prompt and _WORD.fullmatch(source):  # the text of a prompt is a tag; its source is a word that leads nowhere
        return source, ""
    if named := re.fullmatch(r"models:/(m-[0-9a-f]{32})", source):
        if model and model != named[1]:
            raise _bad_source(source, "model_id")
        call.services.models.get(call.principal, named[1])
        return source, named[1]
    if named := re.fullmatch(r"models:/([^/@]+)(?:/(\d+)|@([\w\-]+))", source):
        aliases = call.services.registry.get(call.principal, named[1]).aliases
        if named[3] and named[3] not in aliases:
            raise InvalidRequest(f"Registered model alias {named[3]} not found.")
        number = int(named[2]) if named[2] else aliases[named[3]]
        copied = call.services.registry.version(call.principal, named[1], number)
        return files_of(call, copied), copied.model
    if named := re.fullmatch(r"runs:/([^/?#]+)/(.+)", source):
        if named[1] != body.run_id:
            raise _bad_source(source, "run_id")
        return source, model
    if source.startswith(SCHEME) and not source.startswith(SCHEME + "/"):
        try:
            place = place_of(source.removeprefix(SCHEME))
        except (ArtifactNotFound, InvalidRequest):
            raise _bad_source(source, "run_id") from None
        if place.uid != (body.run_id if place.of == "run" else model):
            raise _bad_source(source, "run_id" if place.of == "run" else "model_id")
        return source, model
    if _REMOTE.fullmatch(source) and not _CLIMBS.search(unquote(source)):
        return source, model
    raise _bad_source(source, "run_id")


def _bad_source(source: str, owner: str) -> InvalidRequest:
    """Why a source is refused; clients look for how the first sentence goes on."""
    scheme = source.partition(":")[0].lower() if ":" in source.partition("/")[0] else ""
    if scheme in ("", "file"):
        why = (
            "To use a local path as a model version source, the run_id request parameter has to name the run whose "
            "artifacts it is among; this server keeps no artifacts at paths that clients can name"
        )
    elif _HOSTED.match(source) or _CLIMBS.search(source):
        why = (
            "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, it "
            "has to be absolute, without relative parts and on a host that clients reach by themselves"
        )
    else:
        why = f"The {owner} request parameter must identify the resource that contains the source"
    return InvalidRequest(f"Invalid model version source: '{source}'. {why}.")


def files_of(call: AnyCall, version: ModelVersion) -> str:
    """The address of the files of a version, as a client can open it."""
    if named := re.fullmatch(r"models:/(m-[0-9a-f]{32})", version.source):
        return call.services.models.get(call.principal, named[1]).artifact_uri
    if named := re.fullmatch(r"runs:/([0-9a-f]{32})/(.+)", version.source):
        return f"{call.services.runs.get(call.principal, named[1]).artifact_uri}/{named[2]}"
    return version.source
