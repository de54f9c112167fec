"""The routes of uploads in parts: for files that are large, or whose connection breaks.

Begin with what the file is; send the parts that are missing, in any order and at once; complete. After a break begin
again with the same words: the answer lists the parts that are here.
"""

from typing import Annotated

from anyio import CancelScope, to_thread
from litestar import Response
from msgspec import Meta, Struct

from gnomon import wire
from gnomon_server.api.artifact_paths import ARTIFACT_PATH
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.core.uploads import PartMismatch, mismatch
from gnomon_server.model import names
from gnomon_server.model.entities import Artifact
from gnomon_server.model.errors import (
    AccessDenied,
    InvalidRequest,
    RunArchived,
    RunNotFound,
    TooLarge,
    Unavailable,
    UploadNotFound,
    invalid_field,
)
from gnomon_server.store.uploads import Expected

TAG = "artifacts"
RAISES = (InvalidRequest, RunArchived, AccessDenied, RunNotFound, Unavailable)
_DIGITS = frozenset("0123456789abcdef")


class UploadBegin(wire.Request, frozen=True):
    """What a file that comes in parts will be: its path in the run, its size in bytes, the SHA-256 of all of it."""

    path: Annotated[str, Meta(extra_json_schema={"minLength": 1, "pattern": ARTIFACT_PATH})]
    size: Annotated[int, Meta(extra_json_schema={"minimum": 0, "maximum": 2**40})]
    sha256: wire.Sha256


class PartQuery(Struct, frozen=True):
    sha256: Annotated[wire.Sha256, Meta(description="of the part's bytes")]


@route(
    "POST",
    "/experiments/runs/{run_id:str}/uploads",
    needs="runs.log",
    tag=TAG,
    body=UploadBegin,
    gives=wire.UploadStatus,
    raises=[*RAISES, TooLarge],
)
def begin_upload(call: Call[UploadBegin, None]) -> wire.UploadStatus:
    """Begin, or go on with, an upload in parts.

    `parts` lists those that are here already. Where the tenant has the content, the artifact is there at once and
    nothing has to be sent.
    """
    body, run = call.body, call.path("run_id")
    expected = Expected(
        run=run,
        path=names.artifact_path(body.path),
        size=_size(body.size),
        sha256=_sha256(body.sha256),
        part_size=wire.part_size(body.size),
    )
    uploads = call.services.uploads
    found = uploads.begin(call.principal, expected)
    parts = [] if found is not None else uploads.find(call.principal, run, expected.id)[1]
    urls = {} if found is not None else call.services.direct.offered_parts(call.principal, expected, parts)
    return _status(expected, parts, found, urls)


@route(
    "GET",
    "/experiments/runs/{run_id:str}/uploads/{upload_id:str}",
    needs="runs.log",
    tag=TAG,
    gives=wire.UploadStatus,
    raises=[*RAISES, UploadNotFound],
)
def get_upload(call: Call[None, None]) -> wire.UploadStatus:
    """Get an upload under way: which of its parts are here."""
    expected, parts = call.services.uploads.find(call.principal, call.path("run_id"), _id(call))
    return _status(expected, parts, None, call.services.direct.offered_parts(call.principal, expected, parts))


@route(
    "PUT",
    "/experiments/runs/{run_id:str}/uploads/{upload_id:str}/parts/{number:str}",
    needs="runs.log",
    tag=TAG,
    query=PartQuery,
    consumes="application/octet-stream",
    gives=wire.PartReceived,
    raises=[*RAISES, UploadNotFound, TooLarge],
)
async def put_part(call: Call[None, PartQuery]) -> Response[bytes]:
    """Send a part, counted from 0. It is on the disk when this is answered; the same part again changes nothing."""
    number = _number(call.path("number"))
    uploads, principal, run, upload = call.services.uploads, call.principal, call.path("run_id"), _id(call)
    sha256 = _sha256(call.query.sha256)
    part = await to_thread.run_sync(uploads.open_part, principal, run, upload, number, sha256)
    try:
        async for piece in call.request.stream():
            if piece:
                await to_thread.run_sync(part.write, piece)
        await to_thread.run_sync(part.commit)
    except PartMismatch:
        raise mismatch(number) from None
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(part.close)
    return json_answer(wire.PartReceived(upload_id=upload, number=number, sha256=sha256))


@route(
    "POST",
    "/experiments/runs/{run_id:str}/uploads/{upload_id:str}/complete",
    needs="runs.log",
    tag=TAG,
    gives=wire.ArtifactLogged,
    raises=[*RAISES, UploadNotFound],
)
def complete_upload(call: Call[None, None]) -> wire.ArtifactLogged:
    """Make the artifact of an upload whose parts are all here.

    The whole is read back from the disk and hashed first. The artifact is kept when this is answered.
    """
    run = call.path("run_id")
    return _logged(run, call.services.uploads.complete(call.principal, run, _id(call)))


@route(
    "DELETE",
    "/experiments/runs/{run_id:str}/uploads/{upload_id:str}",
    needs="runs.log",
    tag=TAG,
    gives=wire.UploadRemoved,
    raises=[*RAISES, UploadNotFound],
)
def remove_upload(call: Call[None, None]) -> wire.UploadRemoved:
    """Give up an upload, and forget the parts that came."""
    upload = _id(call)
    call.services.uploads.remove(call.principal, call.path("run_id"), upload)
    return wire.UploadRemoved(upload_id=upload)


def _id(call: "Call[None, None] | Call[None, PartQuery]") -> str:
    """Only what can be an id of ours is looked for."""
    upload = call.path("upload_id")
    if len(upload) != 32 or not _DIGITS.issuperset(upload):
        raise UploadNotFound(upload)
    return upload


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise invalid_field("number", "is no number of a part; parts are counted from 0")
    return int(text)


def _size(size: int) -> int:
    if not 0 <= size < 2**53:
        raise invalid_field("size", "is a number of bytes")
    return size


def _sha256(text: str) -> str:
    if len(text) != 64 or not _DIGITS.issuperset(text):
        raise invalid_field("sha256", "is no SHA-256: 64 digits of 0-9 and a-f")
    return text


def _status(expected: Expected, parts: list[int], kept: Artifact | None, urls: dict[int, str]) -> wire.UploadStatus:
    return wire.UploadStatus(
        upload_id=expected.id,
        path=expected.path,
        size=expected.size,
        sha256=expected.sha256,
        part_size=expected.part_size,
        parts=parts,
        artifact=None if kept is None else _logged(expected.run, kept),
        part_urls=[wire.PartUrl(number=number, url=url) for number, url in urls.items()],
    )


def _logged(run: str, kept: Artifact) -> wire.ArtifactLogged:
    return wire.ArtifactLogged(
        message="Artifact logged", run_id=run, artifact=kept.path, size=kept.size, sha256=kept.sha256
    )


ROUTES = [begin_upload, get_upload, put_part, complete_upload, remove_upload]
