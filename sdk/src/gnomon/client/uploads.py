"""Large files in parts: hashed before a byte is sent, sent where they are missing, several at once.

Invariants:
- What the server has already is not sent: a content of the tenant's not at all, a part that came before not again.
- Each part and the whole are held to the SHA-256 that was read from the file, by the server as it writes.
- Memory is bounded by a piece a connection, whatever the size of the file.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from threading import Thread
from typing import NamedTuple

from gnomon.client.transport import Body, Transport, path_of
from gnomon.errors import IntegrityError, InvalidRequest, NotFound
from gnomon.wire import ArtifactLogged, PartReceived, Request, UploadRemoved, UploadStatus, part_size

# Below this a file costs less in one request than in three.
MIN_BYTES = 4 * 1024 * 1024
CONNECTIONS = 4
_PIECE_BYTES = 256 * 1024
_BEGINNINGS = 3


class Hashed(NamedTuple):
    """A file as it was read: its size, the SHA-256 of all of it, and of each part."""

    size: int
    sha256: str
    parts: list[str]


class _UploadBegin(Request, frozen=True):
    path: str
    size: int
    sha256: str


class Uploads:
    """`client.uploads`: what `client.artifacts.log` uses for large files, step by step."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def log(self, run_id: str, source: str | PurePath, path: str) -> ArtifactLogged:
        """Upload a file to a path of the run, going on where an earlier try ended."""
        for _ in range(_BEGINNINGS - 1):
            try:
                return self._log(run_id, Path(source), path)
            except NotFound as error:
                # Finished by a request whose answer was lost, or expired while it was sent: beginning again tells.
                if error.code != "upload_not_found":
                    raise
        return self._log(run_id, Path(source), path)

    def begin(self, run_id: str, path: str, size: int, sha256: str) -> UploadStatus:
        """Begin an upload, or ask how far it is; with `artifact`, nothing has to be sent."""
        message = _UploadBegin(path=path, size=size, sha256=sha256)
        return self._transport.call("POST", _path(run_id), UploadStatus, message=message, repeatable=True)

    def get(self, run_id: str, upload_id: str) -> UploadStatus:
        return self._transport.call("GET", _path(run_id, upload_id), UploadStatus)

    def put_part(self, run_id: str, upload_id: str, number: int, data: bytes) -> PartReceived:
        """Send a part; the same again changes nothing."""
        sha256 = hashlib.sha256(data).hexdigest()
        return self._put(run_id, upload_id, number, sha256, lambda: iter((data,)), len(data))

    def complete(self, run_id: str, upload_id: str) -> ArtifactLogged:
        """Make the artifact of an upload whose parts are all there."""
        return self._transport.call("POST", _path(run_id, upload_id, "complete"), ArtifactLogged, repeatable=True)

    def remove(self, run_id: str, upload_id: str) -> UploadRemoved:
        """Give an upload up."""
        return self._transport.call("DELETE", _path(run_id, upload_id), UploadRemoved)

    def _log(self, run_id: str, source: Path, path: str) -> ArtifactLogged:
        hashed = hash_file(source)
        status = self.begin(run_id, path, hashed.size, hashed.sha256)
        if status.artifact is not None:
            return status.artifact
        missing = sorted(set(range(len(hashed.parts))) - set(status.parts))
        _side_by_side(missing, lambda n: self._send(run_id, status, source, n, hashed.parts[n]))
        try:
            return self.complete(run_id, status.upload_id)
        except InvalidRequest as error:
            raise _changed(source) if error.code == "hash_mismatch" else error from error

    def _send(self, run_id: str, status: UploadStatus, source: Path, number: int, sha256: str) -> None:
        begin = number * status.part_size
        length = min(status.part_size, status.size - begin)
        url = next((each.url for each in status.part_urls if each.number == number), None)
        # Past the server where it offers that; an address that does not work from here is no reason to fail.
        if url is not None and self._transport.put_elsewhere(url, lambda: _pieces(source, begin, length), length):
            return
        try:
            self._put(run_id, status.upload_id, number, sha256, lambda: _pieces(source, begin, length), length)
        except InvalidRequest as error:
            raise _changed(source) if error.code == "hash_mismatch" else error from error

    def _put(self, run_id: str, upload_id: str, number: int, sha256: str, body: Body, length: int) -> PartReceived:
        return self._transport.upload(
            _path(run_id, upload_id, "parts", str(number)),
            PartReceived,
            query=[("sha256", sha256)],
            body=body,
            length=length,
            content_type="application/octet-stream",
            method="PUT",
        )


def _side_by_side(numbers: Sequence[int], send: Callable[[int], object]) -> None:
    """Send each part by one of a few threads. The first error stops the others and is raised.

    The pool of the standard library takes nothing more once the process ends, when the last files of a job are sent.
    """
    waiting = deque(numbers)
    errors: list[BaseException] = []

    def work() -> None:
        while not errors:
            try:
                number = waiting.popleft()
            except IndexError:
                return
            try:
                send(number)
            except BaseException as error:  # raised below, by the thread that waits
                errors.append(error)

    threads = [Thread(target=work, name="gnomon-upload", daemon=True) for _ in numbers[:CONNECTIONS]]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException as error:
        errors.append(error)
        raise
    if errors:
        raise errors[0]


def hash_file(source: Path) -> Hashed:
    """Read a file once for the hash of all of it and of each part."""
    size = source.stat().st_size
    each = part_size(size)
    whole, parts, left = hashlib.sha256(), [], size
    with source.open("rb") as file:
        while left:
            part, wanted = hashlib.sha256(), min(each, left)
            left -= wanted
            while wanted:
                piece = file.read(min(_PIECE_BYTES, wanted))
                if not piece:
                    raise _changed(source)
                whole.update(piece)
                part.update(piece)
                wanted -= len(piece)
            parts.append(part.hexdigest())
    return Hashed(size, whole.hexdigest(), parts)


def _pieces(source: Path, begin: int, length: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(begin)
        while length:
            piece = file.read(min(_PIECE_BYTES, length))
            if not piece:
                raise _changed(source)
            length -= len(piece)
            yield piece


def _changed(source: Path) -> IntegrityError:
    return IntegrityError(f"the file changed while it was sent; log it again when it is done: {str(source)!r}")


def _path(run_id: str, *rest: str) -> str:
    return path_of("experiments", "runs", run_id, "uploads", *rest)
