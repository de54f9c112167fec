"""The rules of uploads in parts: what is there already is not sent, what was sent is not sent again.

An upload says what it will be before a byte of it comes: run, path, size and SHA-256. A content that the tenant has
already is attached at once. Otherwise parts come in any order, each with its own SHA-256, and again after a restart of
either side; the whole is read back and hashed before it becomes an artifact. What took no part for a week is forgotten.
"""

from collections.abc import Callable

from gnomon_server.core.access import Principal
from gnomon_server.core.artifacts import Artifacts
from gnomon_server.model.entities import Artifact
from gnomon_server.model.errors import InvalidRequest, TooLarge, Unavailable, UploadNotFound, invalid_field
from gnomon_server.settings import Settings
from gnomon_server.store.blobs import Content
from gnomon_server.store.uploads import Expected, Part, PartMismatch, UploadStore

EXPIRES_MS = 7 * 24 * 3_600_000
MAX_UPLOADS = 1_000


class Uploads:
    """Begin, continue and finish uploads of one tenant at a time."""

    def __init__(
        self, store: UploadStore, artifacts: Artifacts, *, settings: Settings, now_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._now_ms = now_ms
        self._max_bytes = settings.max_artifact_bytes

    def begin(self, principal: Principal, expected: Expected) -> Artifact | None:
        """Expect an upload to a clean path. The artifact, when its content is here already and nothing has to come."""
        self._artifacts.refuse_unwritable(principal, expected.run)
        if expected.size > self._max_bytes:
            raise TooLarge(f"the file is larger than {self._max_bytes} bytes, the most that this server takes")
        found = self._artifacts.attach(principal, expected.run, expected.path, expected.sha256, expected.size)
        if found is not None:
            self._store.remove(principal.tenant, expected.id)
            return found
        content = Content(expected.sha256, expected.size)
        self._artifacts.refuse_too_much(principal, expected.run, expected.path, content)
        if self._store.find(principal.tenant, expected.id) is None:
            if self._store.count(principal.tenant) >= MAX_UPLOADS:
                raise InvalidRequest(
                    f"{MAX_UPLOADS} uploads of this tenant are under way; finish or remove some first",
                    code="too_many_uploads",
                )
            self._store.begin(principal.tenant, expected, now_ms=self._now_ms())
        return None

    def find(self, principal: Principal, run: str, upload: str) -> tuple[Expected, list[int]]:
        """An upload of the run, and the parts that have come."""
        expected = self._expected(principal, run, upload)
        return expected, self._store.received(principal.tenant, expected)

    def open_part(self, principal: Principal, run: str, upload: str, number: int, sha256: str) -> Part:
        """A part to write. Raises when the upload has none of this number."""
        expected = self._expected(principal, run, upload)
        if not 0 <= number < expected.parts:
            raise invalid_field("number", f"is none of the {expected.parts} parts, counted from 0")
        return self._store.open_part(principal.tenant, expected, number, sha256)

    def complete(self, principal: Principal, run: str, upload: str) -> Artifact:
        """Make the artifact of an upload whose parts are all there."""
        tenant = principal.tenant
        with self._store.finishing(tenant, upload) as is_first:
            if not is_first:
                raise Unavailable("the upload is being finished by another request; ask again", retry_after_secs=1)
            expected, received = self.find(principal, run, upload)
            missing = sorted(set(range(expected.parts)) - set(received))
            if missing:
                raise InvalidRequest(
                    f"{len(missing)} of {expected.parts} parts are missing, the first is {missing[0]}; send them first",
                    code="parts_missing",
                )
            incoming = self._store.assemble(tenant, expected)
            try:
                content = incoming.finish()
                if (content.sha256, content.size) != (expected.sha256, expected.size):
                    self._store.remove(tenant, upload)
                    raise InvalidRequest(
                        f"the parts make up SHA-256 {content.sha256}, but {expected.sha256} was promised; the file"
                        " changed while it was sent: begin again",
                        code="hash_mismatch",
                    )
                kept = self._artifacts.adopt(principal, run, expected.path, incoming, content)
            finally:
                incoming.discard()
            self._store.remove(tenant, upload)
            return kept

    def remove(self, principal: Principal, run: str, upload: str) -> None:
        """Forget an upload and what came of it."""
        self._expected(principal, run, upload)
        self._store.remove(principal.tenant, upload)

    def expire(self) -> int:
        """Forget the uploads that took no part for a week; how many."""
        return self._store.expire(self._now_ms() - EXPIRES_MS)

    def _expected(self, principal: Principal, run: str, upload: str) -> Expected:
        self._artifacts.refuse_unwritable(principal, run)
        expected = self._store.find(principal.tenant, upload)
        if expected is None or expected.run != run:
            raise UploadNotFound(upload)
        return expected


def mismatch(number: int) -> InvalidRequest:
    """What a client hears whose part is not what it promised."""
    return InvalidRequest(
        f"part {number} came with other bytes than its length and SHA-256 say; nothing of it counts, send it again",
        code="hash_mismatch",
    )


__all__ = ["PartMismatch", "Uploads", "mismatch"]
