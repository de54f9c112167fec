"""Sending an artifact: whole or one byte range of it, always as a download, through threads, piece by piece."""

from collections.abc import AsyncIterator

from anyio import to_thread
from litestar import Response
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from gnomon_server.api.attachments import attachment_headers
from gnomon_server.api.ranges import is_known, wanted_range
from gnomon_server.api.route import Answer, HttpRequest
from gnomon_server.core.artifacts import OpenArtifact
from gnomon_server.core.direct import Direct

# A slow reader holds two of these, one on its way and one that waits. Many slow readers must fit into memory, so that
# pieces are small where there are many.
_PIECE_BYTES = 128 * 1024
_SMALL_PIECE_BYTES = 32 * 1024
_MANY = 64
_under_way: set[object] = set()  # the downloads of this process


# What a page of ours fetches by itself is not sent elsewhere: another origin would refuse it.
_FETCHED_BY_A_PAGE = ("cors", "no-cors", "same-origin")


async def answer_file(request: HttpRequest, opened: OpenArtifact, direct: Direct) -> Answer:
    """The answer to a GET of an artifact; it closes the file, whatever comes of it."""
    try:
        if request.headers.get("sec-fetch-mode") not in _FETCHED_BY_A_PAGE and (url := direct.redirect_url(opened)):
            opened.file.close()
            headers = {"Location": url, "ETag": file_headers(opened)["ETag"], "Cache-Control": "no-store"}
            return Response(b"", status_code=302, headers=headers)
        return await _answer(request, opened)
    except BaseException:
        opened.file.close()
        raise


async def _answer(request: HttpRequest, opened: OpenArtifact) -> Answer:
    headers = file_headers(opened)
    etag, size = headers["ETag"], opened.artifact.size
    if is_known(request.headers.getall("if-none-match", []), etag):
        opened.file.close()
        return not_modified(headers)
    part = wanted_range(
        request.headers.getall("range", []), if_range=request.headers.get("if-range"), etag=etag, size=size
    )
    sent = range(size) if part is None else part
    headers["Content-Length"] = str(len(sent))
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    # Before the status is: an object store that fails now is still a 503, and not an answer cut off in the middle.
    opened.file.seek(sent.start)
    first = await _piece(opened, len(sent))
    return Stream(
        _pieces(opened, first, len(sent)),
        status_code=200 if part is None else 206,
        headers=headers,
        # After the answer, and also after a client that left; a file whose answer fails is closed with its object.
        background=BackgroundTask(opened.file.close),
    )


async def _pieces(opened: OpenArtifact, first: bytes, size: int) -> AsyncIterator[bytes]:
    me = object()
    _under_way.add(me)
    try:
        left, piece = size - len(first), first
        del first
        yield piece
        while left:
            del piece  # before the next one comes
            piece = await _piece(opened, left)
            left -= len(piece)
            yield piece
    finally:
        _under_way.discard(me)


async def _piece(opened: OpenArtifact, left: int) -> bytes:
    """What comes next, at most `left` bytes; empty only where nothing is left."""
    most = _PIECE_BYTES if len(_under_way) < _MANY else _SMALL_PIECE_BYTES
    piece = await to_thread.run_sync(opened.file.read, min(left, most))
    if left and not piece:
        raise RuntimeError(f"the file of content {opened.artifact.sha256} is shorter than it was when it was kept")
    return piece


def file_headers(opened: OpenArtifact) -> dict[str, str]:
    return {
        **attachment_headers(opened.artifact.path),
        "ETag": f'"sha256:{opened.artifact.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
    }


def not_modified(headers: dict[str, str]) -> Response[bytes]:
    kept = {name: headers[name] for name in ("ETag", "Cache-Control")}
    return Response(b"", status_code=304, headers=kept)
