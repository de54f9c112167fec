"""Files of a run: streamed both ways, and held to their SHA-256 both ways.

Invariants:
- Memory is bounded by one piece, whatever the size of the file.
- An upload is hashed while it is read and compared with what the server hashed while it wrote.
- A download appears under its name only when it is whole and its SHA-256 is that of the `ETag`: it is written beside
  its place and then renamed.
- The server's names are not trusted: nothing is written outside the directory that the caller chose, not even
  through a symbolic link inside it.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import BinaryIO, Protocol

from gnomon.client.experiments import PAGE
from gnomon.client.transport import Query, Transport, path_of
from gnomon.client.uploads import MIN_BYTES, Uploads
from gnomon.errors import ConnectionFailed, GnomonError, IntegrityError, UnsafePath
from gnomon.wire import ArtifactInfo, ArtifactListResponse, ArtifactLogged

# Large enough that the loop costs nothing beside the hash, small enough to be no memory at all.
PIECE_BYTES = 256 * 1024
MAX_RESUMES = 5

# What some system reads as "elsewhere", or a terminal as a command: backslash, drive, controls, bidirectional marks.
_ELSEWHERE = re.compile("\\\\|^[A-Za-z]:|[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _Hash(Protocol):
    def update(self, piece: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class Artifacts:
    """`client.artifacts`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._uploads = Uploads(transport)

    def log(
        self,
        run_id: str,
        source: str | PurePath | bytes,
        *,
        artifact_path: str | None = None,
        name: str | None = None,
    ) -> ArtifactLogged:
        """Upload a file, or bytes under a `name`, into the directory `artifact_path` of the run's artifacts.

        A file that is there already is replaced. A large one goes in parts: what the server has is not sent again.
        """
        if isinstance(source, bytes) and name is None:
            raise GnomonError("bytes need a name to be stored under: artifacts.log(run_id, data, name='notes.txt')")
        if not isinstance(source, bytes) and Path(source).stat().st_size >= MIN_BYTES:
            place = name or PurePath(os.fsdecode(source)).name
            return self._uploads.log(run_id, source, f"{artifact_path}/{place}" if artifact_path else place)
        upload = _Upload(source, name=name or PurePath(os.fsdecode(source)).name)
        query: Query = [] if artifact_path is None else [("artifact_path", artifact_path)]
        logged = self._transport.upload(
            path_of("experiments", "runs", run_id, "log-artifact"),
            ArtifactLogged,
            query=query,
            body=upload.pieces,
            length=upload.length,
            content_type=upload.content_type,
        )
        if logged.sha256 != upload.sha256:
            raise IntegrityError(
                f"the server stored other bytes than were sent (SHA-256 {logged.sha256}, sent {upload.sha256});"
                f" log the file again: {upload.name}"
            )
        return logged

    def list(self, run_id: str, path: str = "", *, limit: int = 1000, offset: int = 0) -> ArtifactListResponse:
        """One page of what lies in one directory of the run's artifacts."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        if path:
            query.append(("path", path))
        where = path_of("experiments", "runs", run_id, "artifacts")
        return self._transport.call("GET", where, ArtifactListResponse, query=query)

    def walk(self, run_id: str, path: str = "") -> Iterator[ArtifactInfo]:
        """Every file in and below the directory, depth first."""
        offset = 0
        while True:
            page = self.list(run_id, path, limit=PAGE, offset=offset)
            for artifact in page.artifacts:
                if artifact.is_dir:
                    yield from self.walk(run_id, artifact.path)
                else:
                    yield artifact
            offset += len(page.artifacts)
            if not page.artifacts or offset >= page.total:
                return

    def read(self, run_id: str, path: str) -> bytes:
        """A small artifact as bytes, verified."""
        return b"".join(self._pieces(run_id, path))

    def download(self, run_id: str, path: str, to: str | PurePath) -> Path:
        """Write one artifact below the directory `to`, at its own path there, and say where it is."""
        directory = Path(to)
        target = place_below(directory, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            for piece in self._pieces(run_id, path):
                file.write(piece)
        return target

    def _pieces(self, run_id: str, path: str) -> Iterator[bytes]:
        """The bytes in order; a broken connection is taken up where it broke. Raises at the end on a wrong hash."""
        where = path_of("experiments", "runs", run_id, "artifacts", *path.split("/"))
        digest = hashlib.sha256()
        etag, received, resumes = "", 0, 0
        while True:
            headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
            if received:
                headers |= {"Range": f"bytes={received}-", "If-Range": etag}
            try:
                with self._transport.stream(where, headers=headers) as response:
                    if received and response.status != 206:
                        raise IntegrityError(f"the artifact changed while it was read; read it again: {path}")
                    etag = response.headers.get("ETag", "")
                    for piece in response.stream(PIECE_BYTES, decode_content=False):
                        digest.update(piece)
                        received += len(piece)
                        yield piece
                break
            except ConnectionFailed:
                resumes += 1
                if resumes > MAX_RESUMES or not received:
                    raise
        _check_digest(path, etag, digest)


def place_below(directory: Path, name: str) -> Path:
    """Where a file named by the server goes below the directory, or `UnsafePath` if that is not below it."""
    segments = name.split("/")
    # Windows drops dots and blanks at the end of a name, so one of nothing else is `.`, `..` or nothing there.
    leads_up = any(not segment.strip(". ") for segment in segments)
    if leads_up or _ELSEWHERE.search(name) or (os.name == "nt" and ":" in name):
        raise UnsafePath(f"refused to write the artifact {name!r}: its name could leave the directory {directory}")
    target = directory.joinpath(*segments)
    # resolve() follows links that lie in the directory already: where do we really end up?
    if not target.parent.resolve().is_relative_to(directory.resolve()):
        raise UnsafePath(f"refused to write the artifact {name!r}: a link leads it out of the directory {directory}")
    return target


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A new file beside the target that takes its name when the block ends well, and vanishes when it does not."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _check_digest(path: str, etag: str, digest: _Hash) -> None:
    promised = etag.removeprefix("W/").strip('"').removeprefix("sha256:")
    if len(promised) != 64:
        raise IntegrityError(f"the server did not say the SHA-256 of {path!r} (its ETag is {etag!r}); nothing was kept")
    if promised != digest.hexdigest():
        raise IntegrityError(
            f"{path!r} came with SHA-256 {digest.hexdigest()}, but {promised} was promised; nothing was kept, try again"
        )


class _Upload:
    """A multipart/form-data body with one file, its length known before the first byte."""

    def __init__(self, source: str | PurePath | bytes, *, name: str) -> None:
        self.name = name
        self._source = source
        self._size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
        self.sha256 = ""
        boundary = secrets.token_hex(16)
        # As browsers write it (WHATWG, multipart/form-data encoding): only these three characters are escaped.
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        self._head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self.length = len(self._head) + self._size + len(self._tail)
        self.content_type = f"multipart/form-data; boundary={boundary}"

    def pieces(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        yield self._head
        sent = 0
        for piece in self._file_pieces():
            digest.update(piece)
            sent += len(piece)
            yield piece
        if sent != self._size:
            raise IntegrityError(
                f"the file became shorter while it was sent; log it again when it is done: {self._source!r}"
            )
        self.sha256 = digest.hexdigest()
        yield self._tail

    def _file_pieces(self) -> Iterator[bytes]:
        if isinstance(self._source, bytes):
            for start in range(0, self._size, PIECE_BYTES):
                yield self._source[start : start + PIECE_BYTES]
            return
        left = self._size
        with Path(self._source).open("rb") as file:
            # A log that grows meanwhile is sent as long as it was when we looked.
            while left and (piece := file.read(min(PIECE_BYTES, left))):
                left -= len(piece)
                yield piece
