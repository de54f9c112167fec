"""The routes of artifacts: MLflow's proxy, whose paths are `<experiment>/<run>/artifacts/<path>`, and a run's own list.

A path that leads to no run or logged model of ours names nothing: there is no folder behind this that could be walked.
"""

import re
from mimetypes import MimeTypes
from typing import NamedTuple
from urllib.parse import unquote

from anyio import CancelScope, to_thread
from litestar import Response

from gnomon_server.api.attachments import OCTETS, media_type
from gnomon_server.api.downloads import answer_file
from gnomon_server.api.mlflow import trace_files, wire
from gnomon_server.api.mlflow.declare import PREFIXES, AnyCall, wire_route
from gnomon_server.api.mlflow.errors import WireError
from gnomon_server.api.mlflow.reading import missing_value
from gnomon_server.api.mlflow.runs import run_of
from gnomon_server.api.route import Answer, Call, HttpRequest
from gnomon_server.core.artifacts import OpenArtifact, Owner
from gnomon_server.model import names
from gnomon_server.model.errors import ArtifactNotFound, InvalidRequest, NotFound

# More entries than any client shows; MLflow's own lists have no pages.
_MOST_ENTRIES = 100_000
_PLACE = re.compile(
    r"[0-9a-f]{32}/(?:(?P<run>[0-9a-f]{32})|models/(?P<model>m-[0-9a-f]{32}))/artifacts(?:/(?P<path>.*))?", re.DOTALL
)
# What MLflow's pages show as text, whatever a browser would make of it; it is sent as a download all the same.
_TEXT = re.compile(
    r"(?:^|/)(?:MLmodel|MLproject|mlproject|[^/]*\.(?:txt|log|err|cfg|conf|cnf|cf|ini|properties|prop|hocon|toml|yaml|yml"
    r"|xml|json|js|py|py3|csv|tsv|md|rst|ipynb))$"
)
# What a page can load as a part of itself, download or not.
_CODE = re.compile(r"(?:text|application)/(?:javascript|x-javascript|ecmascript|css|wasm)")
_KNOWN_TYPES = MimeTypes(filenames=())  # the table of Python, and none of the machine's
# A name that needs no quotes in a header (RFC 9110, token), which MLflow's clients then find without them.
_TOKEN = re.compile(r"[A-Za-z0-9!#$&'*+.^_`|~-]+")
_PROXY = "/2.0/mlflow-artifacts/artifacts"


class Place(NamedTuple):
    """Whose files are meant, and where among them ("": the root)."""

    of: Owner
    uid: str
    path: str


def place_of(path: str) -> Place:
    """What a path of the proxy leads to."""
    if ".." in path.split("/") or path.startswith("/"):
        raise InvalidRequest("Invalid path")
    found = _PLACE.fullmatch(path.rstrip("/"))
    if found is None:
        raise ArtifactNotFound(path)
    of: Owner = "model" if found["run"] is None else "run"
    return Place(of, found["run"] or found["model"], clean_path(found["path"] or ""))


def clean_path(path: str) -> str:
    """A path below the root of a run or model; "" is the root."""
    try:
        return names.artifact_path(path) if path else ""
    except InvalidRequest:
        raise InvalidRequest("Invalid path") from None


def listed_files(call: AnyCall, place: Place, *, below: str) -> list[wire.FileInfo]:
    """What stands in a directory, with paths relative to `below`."""
    _, entries = call.services.artifacts.list_directory(
        call.principal, place.uid, place.path, limit=_MOST_ENTRIES, offset=0, of=place.of
    )
    start = len(below) + 1 if below else 0
    return [
        wire.FileInfo(entry.path[start:], is_dir=True)
        if entry.artifact is None
        else wire.FileInfo(entry.path[start:], is_dir=False, file_size=entry.artifact.size)
        for entry in entries
    ]


@wire_route("GET", _PROXY, needs="runs.get", asks=wire.ListArtifacts)
def list_proxied(call: Call[wire.ListArtifacts, None]) -> wire.FilesFound:
    """List a directory; one that is not there, or is a file, is empty."""
    try:
        place = place_of(call.body.path)
        return wire.FilesFound(listed_files(call, place, below=place.path))
    except NotFound:
        return wire.FilesFound()


@wire_route("PUT", _PROXY + "/{rest:path}", needs="runs.log")
async def upload(call: Call[None, None]) -> Response[bytes]:
    """Upload a file: the body is its content."""
    path = proxied_path(call.request)
    trace = trace_files.trace_of(path)
    if trace is not None:
        await trace_files.keep_file(call, trace)
    else:
        await _keep(call, place_of(path))
    return Response(content=b"", media_type="application/json")


@wire_route("GET", _PROXY + "/{rest:path}", needs="runs.get")
async def download(call: Call[None, None]) -> Answer:
    """Download a file, or one byte range of it."""
    path = proxied_path(call.request)
    trace = trace_files.trace_of(path)
    return await (send_file(call, place_of(path)) if trace is None else trace_files.send_file(call, trace))


@wire_route("DELETE", _PROXY + "/{rest:path}", needs="runs.delete")
def remove(call: Call[None, None]) -> wire.Nothing:
    """Remove a file, or a directory with all that is in it; what is not there is removed."""
    try:
        place = place_of(proxied_path(call.request))
    except ArtifactNotFound:
        return wire.Nothing()
    call.services.artifacts.remove(call.principal, place.uid, place.path, of=place.of)
    return wire.Nothing()


def read_directory(call: Call[wire.ListArtifacts, None]) -> wire.FilesFound:
    """List a directory of a run; paths are relative to the root of the run."""
    run = run_of(call.body)
    if not run:
        raise missing_value("run_id")
    uri = call.services.runs.get(call.principal, run).artifact_uri
    return wire.FilesFound(listed_files(call, Place("run", run, clean_path(call.body.path)), below=""), root_uri=uri)


list_artifacts = wire_route("GET", "/2.0/mlflow/artifacts/list", needs="runs.get", asks=wire.ListArtifacts)(
    read_directory
)


@wire_route("GET", "/get-artifact", needs="runs.get", asks=wire.GetArtifact, prefixes=("", *PREFIXES))
async def get_artifact(call: Call[wire.GetArtifact, None]) -> Answer:
    """Download a file of a run."""
    body = call.body
    run = body.run_id or body.run_uuid
    if not run:
        raise InvalidRequest("Request must specify run_id or run_uuid parameter")
    return await send_file(call, Place("run", run, clean_path(body.path)))


@wire_route("POST", "/2.0/mlflow/upload-artifact", needs="runs.log", prefixes=("/ajax-api",))
async def upload_from_page(call: Call[None, None]) -> wire.Nothing:
    """Upload a file, as MLflow's own pages do: the body is its content."""
    asked = call.request.query_params
    run, path = asked.get("run_uuid", ""), asked.get("path", "")
    for name, value in (("run_uuid", run), ("path", path)):
        if not value:
            raise InvalidRequest(f"Request must specify {name}.")
    place = Place("run", run, clean_path(path))
    if call.request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in call.request.headers:
        raise InvalidRequest("Request must specify data.")
    await _keep(call, place)
    return wire.Nothing()


async def send_file(call: AnyCall, place: Place) -> Answer:
    """The file at a place, as a download."""
    opened = await to_thread.run_sync(open_file, call, place)
    answer = await answer_file(call.request, opened, call.services.direct)
    if "Content-Disposition" not in answer.headers:
        return answer  # it is not the file: it is known to the client, or elsewhere
    name = place.path.rpartition("/")[2]
    answer.headers["Content-Type"] = _type_of(name)
    if _TOKEN.fullmatch(name):
        answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer


def _type_of(name: str) -> str:
    """The type that MLflow's server guesses. It is a sandboxed download all the same, and never code of a page."""
    if _TEXT.search(name):
        return "text/plain"
    guessed = _KNOWN_TYPES.guess_type(name)[0] or media_type(name).partition(";")[0]
    return OCTETS if _CODE.fullmatch(guessed) else guessed


def open_file(call: AnyCall, place: Place) -> OpenArtifact:
    """The file at a place; the caller closes it."""
    artifacts = call.services.artifacts
    if not place.path:
        raise InvalidRequest("This is a directory; name a file in it.")
    try:
        return artifacts.open(call.principal, place.uid, place.path, of=place.of)
    except ArtifactNotFound:
        if artifacts.list_directory(call.principal, place.uid, place.path, limit=1, offset=0, of=place.of)[0]:
            raise WireError("INVALID_PARAMETER_VALUE", "This is a directory; name a file in it.") from None
        raise


async def _keep(call: Call[None, None], place: Place) -> None:
    artifacts = call.services.artifacts
    if not place.path:
        raise InvalidRequest("Invalid path: name the file to write")
    await to_thread.run_sync(lambda: artifacts.refuse_unwritable(call.principal, place.uid, of=place.of))
    upload = await to_thread.run_sync(lambda: artifacts.begin(call.principal, place.uid, place.path, of=place.of))
    try:
        async for piece in call.request.stream():
            if piece:
                await to_thread.run_sync(upload.write, piece)
        await to_thread.run_sync(upload.commit)
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(upload.close)


def proxied_path(request: HttpRequest, after: str = _PROXY + "/") -> str:
    """The path of the artifact as the client wrote it, decoded once; the router's parameter is repaired already."""
    raw = request.scope["raw_path"].decode("latin-1")
    try:
        path = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("Invalid path: it is not UTF-8") from None
    return path.partition(after)[2]


ROUTES = [list_proxied, upload, download, remove, list_artifacts, get_artifact, upload_from_page]
