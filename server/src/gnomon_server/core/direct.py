"""The rules of files that go past the server, to and from the object store; without one there are none.

What may be read or written is decided here, before an address is signed. What was sent by addresses becomes an artifact
only after the server has read and hashed all of it.
"""

from collections.abc import Callable, Sequence

from gnomon_server.core.access import Principal
from gnomon_server.core.artifacts import Artifacts, OpenArtifact, Owner
from gnomon_server.core.uploads import MAX_UPLOADS
from gnomon_server.model.entities import Artifact
from gnomon_server.model.errors import InvalidRequest, TooLarge, UploadNotFound
from gnomon_server.settings import Settings
from gnomon_server.store.direct import DirectStore, PartMissing, SentPart
from gnomon_server.store.uploads import Expected, Target, UploadStore

MAX_PARTS = 10_000
# So many addresses an answer; a client with more parts asks again.
MAX_URLS = 1_000
# A small file costs less through the server than by a second request.
LEAST_BYTES = 1024 * 1024


class Direct:
    """Addresses for the files of one tenant at a time."""

    def __init__(
        self,
        store: DirectStore | None,
        uploads: UploadStore,
        artifacts: Artifacts,
        *,
        settings: Settings,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._artifacts = artifacts
        self._now_ms = now_ms
        self._secs = settings.presign_secs
        self._is_default = settings.presign
        self._max_bytes = settings.max_artifact_bytes

    @property
    def is_possible(self) -> bool:
        """Whether this server has an object store."""
        return self._store is not None

    def redirect_url(self, opened: OpenArtifact) -> str | None:
        """Where a download is sent instead of being answered; None: it is answered here."""
        if not self._is_default or opened.artifact.size < LEAST_BYTES:
            return None
        return self.download_url(opened)

    def download_url(self, opened: OpenArtifact) -> str | None:
        """Where the artifact can be read; None for one that stands on the server's disk."""
        if self._store is None or not opened.stored:
            return None
        return self._store.download_url(opened.stored, secs=self._secs)

    def offered_parts(self, principal: Principal, expected: Expected, received: Sequence[int]) -> dict[int, str]:
        """Addresses of the first missing parts of an upload, where this server offers them."""
        if self._store is None or not self._is_default:
            return {}
        here = set(received)
        missing = [number for number in range(expected.parts) if number not in here][:MAX_URLS]
        urls = self._store.part_urls_of(principal.tenant, expected, missing, secs=self._secs)
        return dict(zip(missing, urls, strict=True))

    def begin(self, principal: Principal, uid: str, path: str, parts: int, *, of: Owner) -> tuple[str, list[str]]:
        """Expect a file in so many parts, numbered from 1: the id of the upload, and an address for each."""
        store = self._needed()
        if not 1 <= parts <= MAX_PARTS:
            raise InvalidRequest(f"num_parts is {parts}, but an upload has 1 to {MAX_PARTS} parts")
        self._artifacts.refuse_unwritable(principal, uid, of=of)
        if self._uploads.count(principal.tenant) >= MAX_UPLOADS:
            raise InvalidRequest(
                f"{MAX_UPLOADS} uploads of this tenant are under way; finish or remove some first",
                code="too_many_uploads",
            )
        upload = store.begin(principal.tenant, Target(of, uid, path), now_ms=self._now_ms())
        return upload, store.part_urls(principal.tenant, upload, range(1, parts + 1), secs=self._secs)

    def complete(
        self, principal: Principal, uid: str, path: str, upload: str, parts: Sequence[SentPart], *, of: Owner
    ) -> Artifact:
        """Make the artifact of the parts that the client names."""
        store = self._needed()
        self._expect(principal, upload, Target(of, uid, path))
        if not parts or len({part.number for part in parts}) != len(parts) or len(parts) > MAX_PARTS:
            raise InvalidRequest(f"name each part once, 1 to {MAX_PARTS} of them")
        try:
            incoming = store.assemble(principal.tenant, upload, parts)
        except PartMissing as error:
            raise InvalidRequest(str(error), code="parts_missing") from None
        try:
            if incoming.expected_size > self._max_bytes:
                raise TooLarge(f"the file is larger than {self._max_bytes} bytes, the most that this server takes")
            kept = self._artifacts.adopt(principal, uid, path, incoming, incoming.finish(), of=of)
        finally:
            incoming.discard()
        store.remove(principal.tenant, upload)
        return kept

    def abort(self, principal: Principal, uid: str, path: str, upload: str, *, of: Owner) -> None:
        """Forget an upload and its parts."""
        self._expect(principal, upload, Target(of, uid, path))
        self._needed().remove(principal.tenant, upload)

    def _expect(self, principal: Principal, upload: str, target: Target) -> None:
        self._artifacts.refuse_unwritable(principal, target.owner, of=target.kind)
        if self._needed().find(principal.tenant, upload) != target:
            raise UploadNotFound(upload)

    def _needed(self) -> DirectStore:
        if self._store is None:
            raise InvalidRequest("this server keeps files on its disk; send them through it")
        return self._store


__all__ = ["Direct", "SentPart"]
