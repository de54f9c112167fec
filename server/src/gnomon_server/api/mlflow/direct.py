"""The routes of files that go past the server: MLflow's multipart uploads and presigned addresses of its proxy.

On a server that keeps files on its disk they answer 501 in the words by which MLflow's clients know to send a file
whole. What comes in parts becomes an artifact when it is completed, after every byte was read and hashed.
"""

from anyio import to_thread

from gnomon_server.api.mlflow import direct_wire, wire
from gnomon_server.api.mlflow.artifacts import Place, open_file, place_of, proxied_path
from gnomon_server.api.mlflow.declare import AnyCall, wire_route
from gnomon_server.api.mlflow.errors import WireError
from gnomon_server.api.route import Call
from gnomon_server.core.direct import SentPart
from gnomon_server.model.errors import InvalidRequest

_PROXY = "/2.0/mlflow-artifacts"
# Clients compare the beginning of these with their own words and then send, or fetch, the file whole.
_NO_UPLOAD = "Multipart upload is not supported for the current artifact repository"
_NO_DOWNLOAD = "Presigned download is not supported for the current artifact repository"


@wire_route("POST", _PROXY + "/mpu/create/{rest:path}", needs="runs.log", asks=direct_wire.CreateParts)
def create_upload(call: Call[direct_wire.CreateParts, None]) -> direct_wire.PartsCreated:
    """Begin an upload in parts: an address for each."""
    place = _writable_place(call, "/mpu/create/", call.body.path)
    upload, urls = call.services.direct.begin(call.principal, place.uid, place.path, call.body.num_parts, of=place.of)
    credentials = [direct_wire.PartCredential(url, part_number=number) for number, url in enumerate(urls, start=1)]
    return direct_wire.PartsCreated(upload_id=upload, credentials=credentials)


@wire_route("POST", _PROXY + "/mpu/complete/{rest:path}", needs="runs.log", asks=direct_wire.CompleteParts)
def complete_upload(call: Call[direct_wire.CompleteParts, None]) -> wire.Nothing:
    """Make the file of the parts that the client names."""
    body = call.body
    place = _writable_place(call, "/mpu/complete/", body.path)
    parts = [SentPart(part.part_number, part.etag) for part in body.parts]
    call.services.direct.complete(call.principal, place.uid, place.path, body.upload_id, parts, of=place.of)
    return wire.Nothing()


@wire_route("POST", _PROXY + "/mpu/abort/{rest:path}", needs="runs.log", asks=direct_wire.AbortParts)
def abort_upload(call: Call[direct_wire.AbortParts, None]) -> wire.Nothing:
    """Forget an upload in parts."""
    place = _writable_place(call, "/mpu/abort/", call.body.path)
    call.services.direct.abort(call.principal, place.uid, place.path, call.body.upload_id, of=place.of)
    return wire.Nothing()


@wire_route("GET", _PROXY + "/presigned/{rest:path}", needs="runs.get")
async def presigned_download(call: Call[None, None]) -> direct_wire.PresignedDownload:
    """Where a file can be read, in parts too, for a short time."""
    opened = await to_thread.run_sync(open_file, call, place_of(proxied_path(call.request, f"{_PROXY}/presigned/")))
    opened.file.close()
    url = call.services.direct.download_url(opened)
    if url is None:
        raise _refusal(_NO_DOWNLOAD)
    return direct_wire.PresignedDownload(url, file_size=opened.artifact.size)


def _writable_place(call: AnyCall, after: str, name: str) -> Place:
    """The directory of the address and the name of the file in it, which the caller may write."""
    name = name.replace("\\", "/").rpartition("/")[2]  # clients send the path on their own disk
    if not name:
        raise InvalidRequest("Invalid path: name the file to write")
    place = place_of(f"{proxied_path(call.request, _PROXY + after).rstrip('/')}/{name}")
    call.services.artifacts.refuse_unwritable(call.principal, place.uid, of=place.of)
    if not call.services.direct.is_possible:
        raise _refusal(_NO_UPLOAD)
    return place


def _refusal(sentence: str) -> WireError:
    return WireError("NOT_IMPLEMENTED", f"{sentence}: this server keeps the file on its own disk")


ROUTES = [create_upload, complete_upload, abort_upload, presigned_download]
