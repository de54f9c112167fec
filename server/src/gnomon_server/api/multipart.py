"""A form with one file, read as it comes: `multipart/form-data` with exactly one part, named `file`.

The body goes through an incremental parser in the pieces in which it arrives; nothing is spooled, and memory is
bounded by one piece whatever the size of the file. Any other part is refused rather than ignored: a field that was
meant as `artifact_path` would otherwise put the file in the wrong place without a word.
"""

from collections.abc import AsyncIterator
from typing import cast

from litestar.datastructures import Headers
from litestar.types import HTTPReceiveMessage, Receive
from multipart import (  # type: ignore[import-untyped]  # the library comes without types
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)

from gnomon_server.model.errors import InvalidRequest, UnsupportedMedia, invalid_field

FILE_FIELD = "file"
# Large enough that handing a piece to a thread costs little beside writing and hashing it.
_PIECE_BYTES = 256 * 1024
# A body that begins otherwise than with a part is not read to its end.
_MAX_PREAMBLE_BYTES = 64 * 1024
_MAX_BOUNDARY = 70
_BOUNDARY_CHARS = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ")
_UNENCODED = frozenset(("7bit", "8bit", "binary"))


class FormFile:
    """The one file of a form: first its `name`, then its `pieces`. Raises `InvalidRequest` for any other form."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self._parser = PushMultipartParser(boundary_of(headers.get("content-type", "")))
        self._events = self._parse(receive)

    async def name(self) -> str:
        """The file name as the client gave it. Reads up to the head of the part."""
        async for event in self._events:
            assert isinstance(event, MultipartSegment), "the parser begins with a part"
            return _file_name(event)
        raise InvalidRequest(f"the form is empty; send one part named {FILE_FIELD} with a file name")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content, in pieces of 256 KiB or more but for the last; then the form must end."""
        gathered: list[bytes] = []
        size = 0
        async for event in self._events:
            if isinstance(event, MultipartSegment):
                raise _unexpected(event)
            if event is None:
                continue
            gathered.append(event)
            size += len(event)
            if size >= _PIECE_BYTES:
                yield b"".join(gathered)
                gathered.clear()
                size = 0
        if gathered:
            yield b"".join(gathered)

    async def _parse(self, receive: Receive) -> AsyncIterator[MultipartSegment | bytes | None]:
        parser = self._parser
        has_begun = False
        received = 0
        try:
            async for chunk in _chunks(receive):
                received += len(chunk)
                for event in parser.parse(chunk):
                    has_begun = True
                    yield event
                if not has_begun and received > _MAX_PREAMBLE_BYTES:
                    raise InvalidRequest("the body does not begin with the boundary that Content-Type announces")
            parser.close()
        except ParserLimitReached:
            raise InvalidRequest("a part of the form has too many or too long headers") from None
        except MultipartError as error:
            raise InvalidRequest(f"the body is not a whole multipart/form-data form: {error.args[0]}") from None


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type announces. Split by hand: no pattern runs over a header."""
    media, *options = content_type.split(";")
    if media.strip().lower() != "multipart/form-data":
        raise UnsupportedMedia("send the file as multipart/form-data, in one part named file")
    found = [option.partition("=")[2] for option in options if option.partition("=")[0].strip().lower() == "boundary"]
    boundary = found[0].strip() if len(found) == 1 else ""
    if len(boundary) > 1 and boundary[0] == boundary[-1] == '"':
        boundary = boundary[1:-1]
    if not 0 < len(boundary) <= _MAX_BOUNDARY or not _BOUNDARY_CHARS.issuperset(boundary) or boundary[-1] == " ":
        raise InvalidRequest("Content-Type: multipart/form-data needs one boundary of 1 to 70 characters")
    return boundary


def _file_name(part: MultipartSegment) -> str:
    if part.name != FILE_FIELD:
        raise _unexpected(part)
    disposition = part.header("Content-Disposition")
    assert isinstance(disposition, str), "the parser refuses a part without one"
    if "\\" in disposition:  # the parser would cut off what looks like a Windows directory
        raise invalid_field(FILE_FIELD, "has a file name with a backslash; send the name alone")
    if part.filename is None:
        raise invalid_field(FILE_FIELD, 'has no filename="…"; give the part a file name (filename*= is not read)')
    if part.header("Content-Transfer-Encoding", "binary").strip().lower() not in _UNENCODED:
        raise invalid_field(FILE_FIELD, "has a Content-Transfer-Encoding; send its bytes as they are")
    name: str = part.filename
    return name


def _unexpected(part: MultipartSegment) -> InvalidRequest:
    if part.name == FILE_FIELD:
        return invalid_field(FILE_FIELD, "is sent twice; send one file in one request")
    advice = "give artifact_path in the query" if part.name == "artifact_path" else "send one part named file"
    return invalid_field(part.name or "body", f"is not a part of this form; {advice}")


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it arrives. Read here and not through the request, which would hold it to the bounds of JSON."""
    more = True
    while more:
        # Litestar's type of `receive` speaks of WebSockets too.
        message = cast("HTTPReceiveMessage", await receive())
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the body ended before the form did; send it again")
        if message["body"]:
            yield message["body"]
        more = message["more_body"]
