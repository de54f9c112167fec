"""Where the files of a model version are: what a client may name as its source, and the address it is handed for it.

A source leads to files of this server that the request names the owner of, or to a place outside of it that clients
read with their own means. It never leads to the server's disk.
"""

import re
from typing import NamedTuple
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


class Source(NamedTuple):
    """What a new version is made of. `files` is where they are if it is a copy; `model` and `run` are "" if unknown."""

    source: str
    model: str = ""
    run: str = ""
    files: str | None = None


def source_of(call: Call[wire.CreateVersion, None], body: wire.CreateVersion, *, is_prompt: bool) -> Source:
    """What a client names as the source of a new version, checked."""
    source, model = body.source, body.model_id
    if is_prompt and _WORD.fullmatch(source):  # the text of a prompt is a tag; its source is a word that leads nowhere
        return Source(source)
    if named := re.fullmatch(r"models:/(m-[0-9a-f]{32})", source):
        if model and model != named[1]:
            raise _bad_source(source, "model_id")
        call.services.models.get(call.principal, named[1])
        return Source(source, named[1])
    if named := re.fullmatch(r"models:/([^/@]+)(?:/(\d{1,15}|(?i:latest))|@([\w\-]+))", source):
        copied = _copied(call, named[1], named[2] or "", named[3] or "")
        itself = f"models:/{copied.name}/{copied.version}"
        return Source(itself, copied.model, copied.run, address_of(call, copied))
    if named := re.fullmatch(r"runs:/([^/?#]+)/(.+)", source):
        if named[1] != body.run_id:
            raise _bad_source(source, "run_id")
        return Source(source, model)
    if source.startswith(SCHEME) and not source.startswith(SCHEME + "/"):
        try:
            place = place_of(source.removeprefix(SCHEME))
        except (ArtifactNotFound, InvalidRequest):
            raise _bad_source(source, "run_id") from None
        if place.uid != (body.run_id if place.of == "run" else model):
            raise _bad_source(source, "run_id" if place.of == "run" else "model_id")
        return Source(source, model)
    if _REMOTE.fullmatch(source) and not _CLIMBS.search(unquote(source)):
        return Source(source, model)
    raise _bad_source(source, "run_id")


def _copied(call: AnyCall, name: str, number: str, alias: str) -> ModelVersion:
    """The version of a registered model that a number, `latest` or an alias names."""
    registry = call.services.registry
    if number.isdigit():
        return registry.version(call.principal, name, int(number))
    found = registry.get(call.principal, name)
    newest = max((one.version for one in found.latest), default=None)
    version = newest if number else found.aliases.get(alias)
    if version is None:
        raise InvalidRequest(f"Registered model alias {alias or number} not found.")
    return registry.version(call.principal, name, version)


def _bad_source(source: str, owner: str) -> InvalidRequest:
    """Why a source is refused; clients look for how the first sentence goes on."""
    scheme = source.partition(":")[0].lower() if ":" in source.partition("/")[0] else ""
    if scheme in ("", "file"):
        why = (
            "To use a local path as a model version source, the run_id request parameter has to be specified and the "
            "local path has to be contained within the artifact directory of the run specified by the run_id"
        )
    elif _HOSTED.match(source) or _CLIMBS.search(source):
        why = (
            "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an "
            "absolute path must be provided without relative path references present. Please provide an absolute path"
        )
    else:
        why = f"The {owner} request parameter must identify the resource that contains the source"
    return InvalidRequest(f"Invalid model version source: '{source}'. {why}.")


def address_of(call: AnyCall, version: ModelVersion) -> str:
    """The address of the files of a version, as it is handed out: clients follow one of a run by themselves."""
    place = version.files or version.source
    if named := re.fullmatch(r"models:/(m-[0-9a-f]{32})", place):
        return call.services.models.get(call.principal, named[1]).artifact_uri
    return place


def files_of(call: AnyCall, version: ModelVersion) -> str:
    """The address of the files of a version as it is resolved here."""
    place = address_of(call, version)
    if named := re.fullmatch(r"runs:/([0-9a-f]{32})/(.+)", place):
        return f"{call.services.runs.get(call.principal, named[1]).artifact_uri}/{named[2]}"
    return place
