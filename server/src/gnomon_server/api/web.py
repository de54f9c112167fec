"""The web UI: the files that `make ui` built, read once at start, and served from memory.

A request only ever names a key of a dictionary; no path of a client is joined to a directory. Hashed assets may be
kept for ever, pages are asked for again each time, and each has an ETag. Behind a path prefix the one `<base href>` of
the page says it, and every address of the UI follows. A server without a built UI answers its pages with a sentence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path

from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from gnomon_server.api.guards import needs
from gnomon_server.core.sign_in import CALLBACK

UI_FOLDER = Path(__file__).parent.parent / "_ui"
# What the router of the UI knows; any other path is the API's to answer.
PAGE_PATHS = ("/", "/e/{rest:path}", "/r/{rest:path}", "/models", "/models/{rest:path}", "/settings", CALLBACK)
# Below these nothing is ever a page, so whoever asks is told in the words of an API.
_NO_PAGES = ("/api/", "/ajax-api/", "/assets/")

_ASSETS = "assets/"
_INDEX = "index.html"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
# Only our own files run or style the page. blob: is what the page itself made of an artifact, to show or to save it;
# a blob inherits this policy, so a script within one does not run.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:;"
    " font-src 'self'; connect-src 'self'; frame-src blob:; object-src 'none'; base-uri 'self'; form-action 'none';"
    " frame-ancestors 'none'"
)
_MEDIA = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_CODINGS = (("br", ".br"), ("gzip", ".gz"))
_BASE = re.compile(r"<base href=\"[^\"]*\"\s*/?>")
_BASE_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><base href="/"><title>Gnomon</title></head>
<body><h1>Gnomon</h1><p>The server runs, but its web UI is not built: run <code>make ui</code> in the repository and
start it again. The API is described at <a href="docs">docs</a>.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file as it is sent. `packed` holds it compressed, by content coding, the smallest first."""

    content: bytes
    media_type: str
    caching: str
    etag: str
    packed: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class WebUi:
    """The built UI: its page, written for the path prefix of this server, and every other file by its path."""

    page: WebFile
    files: Mapping[str, WebFile]


def load_ui(folder: Path, *, base_path: str) -> WebUi:
    """Read the UI from its folder; one that does not exist gives the page that says so."""
    base = _checked_base(base_path)
    index = folder / _INDEX
    if not index.is_file():
        return WebUi(_page(_NOT_BUILT, base), {})
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != index and path.suffix not in (".br", ".gz")
    }
    return WebUi(_page(index.read_text("utf-8"), base), {name: _file(name, path) for name, path in files.items()})


def web_routes(ui: WebUi) -> list[HTTPRouteHandler]:
    """The handlers of the UI. They are not part of the API, so its document does not name them."""

    async def page(request: Request[object, object, State]) -> Response[bytes]:
        return _answer(request, ui.page, {"Content-Security-Policy": PAGE_POLICY})

    async def asset(request: Request[object, object, State]) -> Response[bytes]:
        found = ui.files.get(request.scope["path"].removeprefix("/"))
        if found is None:
            raise NotFoundException
        return _answer(request, found, {})

    at_root = [f"/{name}" for name in ui.files if "/" not in name]
    return [_handler([*PAGE_PATHS, f"/{_INDEX}"])(page), _handler([f"/{_ASSETS}{{rest:path}}", *at_root])(asset)]


def absent_page(request: Request[object, object, State], ui: WebUi) -> Response[bytes] | None:
    """The UI's own page for an address that nothing answers, for a person who asks with a browser. Else None."""
    wanted = request.headers.get("accept", "")
    is_person = request.method in ("GET", "HEAD") and "text/html" in wanted
    if not is_person or request.scope["path"].startswith(_NO_PAGES):
        return None
    headers = {"Cache-Control": _ASK_AGAIN, "Content-Security-Policy": PAGE_POLICY, "Vary": "Accept"}
    return Response(content=ui.page.content, status_code=404, headers=headers, media_type=ui.page.media_type)


def _handler(paths: list[str]) -> HTTPRouteHandler:
    return HTTPRouteHandler(paths, http_method=["GET", "HEAD"], guards=[needs("public")], status_code=200)


def _answer(request: Request[object, object, State], file: WebFile, extra: Mapping[str, str]) -> Response[bytes]:
    coding = _coding(request.headers.get("accept-encoding", ""), file)
    # The tag names the bytes on the wire, and two codings of a file are not the same bytes.
    etag = file.etag if coding is None else f'{file.etag[:-1]}-{coding}"'
    headers = {"ETag": etag, "Cache-Control": file.caching, **extra}
    if file.packed:
        headers["Vary"] = "Accept-Encoding"
    if _is_known(request.headers.get("if-none-match", ""), etag):
        return Response(content=b"", status_code=304, headers=headers, media_type=file.media_type)
    if coding is not None:
        headers["Content-Encoding"] = coding
    content = file.content if coding is None else file.packed[coding]
    return Response(content=content, status_code=200, headers=headers, media_type=file.media_type)


def _coding(accepted: str, file: WebFile) -> str | None:
    if not file.packed or not accepted:
        return None
    named = {name.strip().lower(): weight.replace(" ", "") for name, _, weight in _parts(accepted)}
    for coding in file.packed:
        weight = named.get(coding, named.get("*"))
        if weight is not None and not re.fullmatch(r"q=0(\.0*)?", weight):
            return coding
    return None


def _parts(accepted: str) -> Iterator[tuple[str, str, str]]:
    return (part.partition(";") for part in accepted.split(","))


def _is_known(if_none_match: str, etag: str) -> bool:
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in if_none_match.split(",") if tag.strip())


def _file(name: str, path: Path) -> WebFile:
    content = path.read_bytes()
    beside = {coding: path.with_name(path.name + ending) for coding, ending in _CODINGS}
    packed = {coding: packed.read_bytes() for coding, packed in beside.items() if packed.is_file()}
    return WebFile(
        content=content,
        media_type=_MEDIA.get(path.suffix, "application/octet-stream"),
        caching=_FOR_EVER if name.startswith(_ASSETS) else _ASK_AGAIN,
        etag=_etag(content),
        packed=packed,
    )


def _page(text: str, base: str) -> WebFile:
    written, count = _BASE.subn(f'<base href="{escape(base)}/" />', text, count=1)
    if not count and base:
        raise ValueError("the page of the web UI has no <base href>, so it cannot be served under GNOMON_BASE_PATH")
    content = written.encode()
    return WebFile(content, _MEDIA[".html"], _ASK_AGAIN, _etag(content), {})


def _checked_base(base_path: str) -> str:
    base = base_path.rstrip("/")
    if _BASE_PATH.fullmatch(base) is None:
        raise ValueError(f"GNOMON_BASE_PATH is {base_path!r}; write it as /gnomon")
    return base


def _etag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'
