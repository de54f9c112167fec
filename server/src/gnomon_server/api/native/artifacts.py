"""The routes of artifacts: files of a run, streamed both ways through threads, piece by piece."""

from typing import Annotated
from urllib.parse import unquote

from anyio import CancelScope, to_thread
from litestar import Response
from msgspec import Meta, Struct

from gnomon import wire
from gnomon_server.api.artifact_paths import ARTIFACT_PATH
from gnomon_server.api.attachments import OCTETS
from gnomon_server.api.downloads import answer_file, file_headers, not_modified
from gnomon_server.api.multipart import FormFile
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.ranges import is_known
from gnomon_server.api.route import Answer, Call, json_answer, route
from gnomon_server.api.times import iso_time
from gnomon_server.core.artifacts import OpenArtifact
from gnomon_server.model import names
from gnomon_server.model.errors import (
    AccessDenied,
    ArtifactNotFound,
    InvalidRequest,
    RangeUnsatisfiable,
    RunArchived,
    RunNotFound,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)

TAG = "artifacts"
READS = (InvalidRequest, AccessDenied, RunNotFound, ArtifactNotFound)
_DIRECTORY = Meta(extra_json_schema={"pattern": f"^$|{ARTIFACT_PATH}"})
_ATTACHMENT = {OCTETS: "the bytes; the type comes from the end of the name, and this is the type of any other"}
_HEADERS = {
    "ETag": 'the content: "sha256:" and 64 hex digits',
    "Content-Length": "the bytes that follow",
    "Content-Disposition": "always attachment, with the name",
    "Accept-Ranges": "bytes",
}


class UploadQuery(Struct, frozen=True):
    artifact_path: Annotated[str, _DIRECTORY, Meta(description="where to put the file; empty: the run's root")] = ""


class ListQuery(Struct, frozen=True):
    path: Annotated[str, _DIRECTORY, Meta(description="the directory to list; empty: the run's root")] = ""
    limit: Limit = 100
    offset: Offset = 0


@route(
    "POST",
    "/experiments/runs/{run_id:str}/log-artifact",
    needs="runs.log",
    tag=TAG,
    query=UploadQuery,
    consumes="multipart/form-data",
    gives=wire.ArtifactLogged,
    raises=[InvalidRequest, RunArchived, AccessDenied, RunNotFound, TooLarge, UnsupportedMedia, Unavailable],
)
async def log_artifact(call: Call[None, UploadQuery]) -> Response[bytes]:
    """Upload an artifact file to a run.

    One part named `file`, with a file name. The file is kept when this is answered. A file of the same name is
    replaced; the same file again changes nothing.
    """
    artifacts, principal, run = call.services.artifacts, call.principal, call.path("run_id")
    directory = _directory(call.query.artifact_path, field="artifact_path")
    form = FormFile(call.request.headers, call.request.receive)
    await to_thread.run_sync(artifacts.refuse_unwritable, principal, run)
    name = names.file_name(await form.name())
    path = names.artifact_path(f"{directory}/{name}", field="artifact_path") if directory else name
    upload = await to_thread.run_sync(artifacts.begin, principal, run, path)
    try:
        async for piece in form.pieces():
            await to_thread.run_sync(upload.write, piece)
        kept = await to_thread.run_sync(upload.commit)
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(upload.close)
    return json_answer(
        wire.ArtifactLogged(
            message="Artifact logged", run_id=run, artifact=kept.path, size=kept.size, sha256=kept.sha256
        )
    )


@route(
    "GET",
    "/experiments/runs/{run_id:str}/artifacts",
    needs="runs.get",
    tag=TAG,
    query=ListQuery,
    gives=wire.ArtifactListResponse,
    raises=[InvalidRequest, AccessDenied, RunNotFound],
)
def list_artifacts(call: Call[None, ListQuery]) -> wire.ArtifactListResponse:
    """List a directory of a run's artifacts, by name.

    Paths are relative to the run's root. What lies deeper shows as its directory. An unknown directory is empty.
    """
    query = call.query
    directory = _directory(query.path, field="path")
    total, entries = call.services.artifacts.list_directory(
        call.principal, call.path("run_id"), directory, limit=query.limit, offset=query.offset
    )
    listed = [
        wire.ArtifactInfo(path=entry.path, is_dir=True, size=None, sha256=None, created_at=None)
        if entry.artifact is None
        else wire.ArtifactInfo(
            path=entry.path,
            is_dir=False,
            size=entry.artifact.size,
            sha256=entry.artifact.sha256,
            created_at=iso_time(entry.artifact.created_ms),
        )
        for entry in entries
    ]
    return wire.ArtifactListResponse(artifacts=listed, total=total, limit=query.limit, offset=query.offset)


@route(
    "GET",
    "/experiments/runs/{run_id:str}/artifacts/{path:path}",
    needs="runs.get",
    tag=TAG,
    media=_ATTACHMENT,
    headers=_HEADERS,
    raises=[*READS, RangeUnsatisfiable],
    also={
        206: "the byte range asked for",
        302: "the address of the object store that has it, valid for a short time (GNOMON_PRESIGN)",
        304: "the content is the one named by If-None-Match",
    },
)
async def download_artifact(call: Call[None, None]) -> Answer:
    """Download an artifact, or one byte range of it.

    Always as an attachment. `If-None-Match` with its ETag is answered 304; one `Range` is answered 206, and with
    `If-Range` only while the artifact is still the same.
    """
    return await answer_file(call.request, await _open(call), call.services.direct)


@route(
    "HEAD",
    "/experiments/runs/{run_id:str}/artifacts/{path:path}",
    needs="runs.read",
    tag=TAG,
    headers=_HEADERS,
    raises=READS,
    also={304: "the content is the one named by If-None-Match"},
)
async def head_artifact(call: Call[None, None]) -> Answer:
    """Ask for the headers of an artifact."""
    opened = await _open(call)
    opened.file.close()
    headers = file_headers(opened)
    if is_known(call.request.headers.getall("if-none-match", []), headers["ETag"]):
        return not_modified(headers)
    return Response(b"", headers={**headers, "Content-Length": str(opened.artifact.size)})


async def _open(call: Call[None, None]) -> OpenArtifact:
    path = names.artifact_path(_asked_path(call))
    return await to_thread.run_sync(call.services.artifacts.open, call.principal, call.path("run_id"), path)


def _asked_path(call: Call[None, None]) -> str:
    """The path of the artifact as the client wrote it, decoded once.

    Not the router's parameter: the router drops empty segments and a slash at the end, and here nothing is repaired.
    """
    raw = call.request.scope["raw_path"].decode("latin-1")
    try:
        path = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("the path is not UTF-8") from None
    return path.partition(f"/runs/{call.path('run_id')}/artifacts/")[2]


def _directory(text: str, *, field: str) -> str:
    return names.artifact_path(text, field=field) if text else ""


ROUTES = [log_artifact, list_artifacts, download_artifact, head_artifact]
