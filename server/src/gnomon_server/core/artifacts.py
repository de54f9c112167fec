"""The rules of artifacts: files of a run or of a logged model, kept whole or not at all.

An upload is answered when the file is durable (on the disk under its digest, or an object of a store) and then, in one
transaction, the row that gives it a path. Readers find a row first, so they see a whole file or none. The same content
again under the same path changes nothing; another content replaces it as the next version. A content that nothing uses
any more is kept for a grace and then swept.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from gnomon_server.core.access import Access, Principal
from gnomon_server.core.quotas import Quotas
from gnomon_server.model.entities import Artifact
from gnomon_server.model.errors import (
    ArtifactNotFound,
    GnomonError,
    ModelNotFound,
    RunArchived,
    TooLarge,
    Unavailable,
    invalid_field,
)
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.settings import Settings
from gnomon_server.store import Connection, Stores
from gnomon_server.store.blobs import BlobFile, Content, Incoming
from gnomon_server.store.meta import artifacts as sql
from gnomon_server.store.meta import models as model_sql
from gnomon_server.store.meta import runs as run_sql

_HOUR_MS = 3_600_000
_SWEPT_AT_ONCE = 200
# A replaced artifact whose old content was swept between our reading its row and opening its file is looked up again.
_OPEN_ATTEMPTS = 3
# How often an object store is looked through for objects without a row: a question for each thousand of them.
_STRAYS_MS = 24 * _HOUR_MS
_REFER_ATTEMPTS = 3

# Whose files are meant; a uid is then that of a run or of a logged model.
Owner = Literal["run", "model"]


@dataclass(frozen=True, slots=True)
class OpenArtifact:
    """An artifact and its file, which the caller closes."""

    artifact: Artifact
    file: BlobFile
    stored: str


@dataclass(frozen=True, slots=True)
class _Place:
    """The owner of files: where they stand, its row, and whether it takes more."""

    shelf: sql.Shelf
    row: RowId
    is_active: bool


class Artifacts:
    """Store, list and open the artifacts of one tenant at a time; sweep those of all."""

    def __init__(
        self, stores: Stores, access: Access, *, settings: Settings, now_ms: Callable[[], int], quotas: Quotas
    ) -> None:
        self._stores = stores
        self._quotas = quotas
        self._access = access
        self._now_ms = now_ms
        self._max_bytes = settings.max_artifact_bytes
        self._grace_ms = int(settings.artifact_grace_hours * _HOUR_MS)
        self._has_swept_strays = False
        self._next_strays_ms = 0

    def refuse_unwritable(self, principal: Principal, uid: str, *, of: Owner = "run") -> None:
        """Raise when the owner takes no artifacts; asked before the body is read, and again when the row is written."""
        with self._stores.database.read(principal.tenant) as connection:
            self._writable(connection, uid, of)

    def begin(self, principal: Principal, uid: str, path: str, *, of: Owner = "run") -> "Upload":
        """Start an upload to a clean path (`names.artifact_path`)."""
        self._stores.writer.refuse_on_full_disk()
        incoming = self._stores.blobs.begin(principal.tenant)
        return Upload(incoming, max_bytes=self._max_bytes, adopt=partial(self.adopt, principal, uid, path, of=of))

    def attach(self, principal: Principal, run: str, path: str, sha256: str, size: int) -> Artifact | None:
        """Make an artifact of a content that the tenant has already; None where it has not."""
        tenant, blobs = principal.tenant, self._stores.blobs
        with blobs.hold(tenant, sha256):
            with self._stores.database.read(tenant) as connection:
                is_known = bool(sql.known_contents(connection, [sha256]))
                stored = sql.find_object(connection, sha256)
            if not is_known or not blobs.has(tenant, sha256, stored, size):
                return None
            return self._attach(principal, run, path, Content(sha256, size), stored)

    def adopt(
        self, principal: Principal, uid: str, path: str, incoming: Incoming, content: Content, *, of: Owner = "run"
    ) -> Artifact:
        """Publish a finished content and make an artifact of it; when that is refused, nothing of it is left."""
        tenant, blobs = principal.tenant, self._stores.blobs
        stored = ""
        try:
            with blobs.hold(tenant, content.sha256):
                stored = incoming.publish(content.sha256)
                artifact, kept = self._keep(principal, uid, of, path, content, stored)
        except BaseException as error:
            # An object whose row may be there all the same is left alone: if it is nobody's, it is swept as a stray.
            if not stored or (isinstance(error, GnomonError) and not isinstance(error, Unavailable)):
                blobs.withdraw(tenant, content.sha256, stored, used=_Used(self._stores, tenant))
            raise
        if kept != stored:
            blobs.withdraw(tenant, content.sha256, stored, used=_Used(self._stores, tenant))
        return artifact

    def refuse_too_much(self, principal: Principal, uid: str, path: str, content: Content) -> None:
        """Raise when the file would pass the tenant's quota: before it is sent, and again when its row is written."""
        with self._stores.database.read(principal.tenant) as connection:
            place = self._writable(connection, uid, "run")
            old = sql.find_artifact(connection, place.shelf, place.row, path)
            self._refuse_past_quota(connection, principal.tenant, content, old)

    def list_directory(
        self, principal: Principal, uid: str, directory: str, *, limit: int, offset: int, of: Owner = "run"
    ) -> tuple[int, list[sql.ArtifactEntry]]:
        """A page of a directory, and how many entries it has; "" is the root. An unknown one is empty."""
        with self._stores.database.read(principal.tenant) as connection:
            place = self._find(connection, uid, of)
            return sql.list_directory(connection, place.shelf, place.row, directory, limit=limit, offset=offset)

    def open(self, principal: Principal, uid: str, path: str, *, of: Owner = "run") -> OpenArtifact:
        """An artifact with its content, open."""
        attempts_left = _OPEN_ATTEMPTS
        while True:
            with self._stores.database.read(principal.tenant) as connection:
                place = self._find(connection, uid, of)
                artifact = sql.find_artifact(connection, place.shelf, place.row, path)
                stored = "" if artifact is None else sql.find_object(connection, artifact.sha256)
            if artifact is None:
                raise ArtifactNotFound(path)
            attempts_left -= 1
            try:
                file = self._stores.blobs.open(principal.tenant, artifact.sha256, stored)
            except FileNotFoundError:
                if not attempts_left:
                    raise
                continue
            return OpenArtifact(artifact, file, stored)

    def remove(self, principal: Principal, uid: str, path: str, *, of: Owner = "run") -> None:
        """Remove a file, or a directory with all that is in it ("": everything). What is not there is removed."""

        def work(tx: Connection) -> None:
            place = self._writable(tx, uid, of)
            now_ms = self._now_ms()
            for sha256 in sql.delete_artifacts(tx, principal.tenant, place.shelf, place.row, path):
                sql.drop_reference(tx, principal.tenant, sha256, now_ms=now_ms)

        self._stores.writer.call(principal.tenant, work)

    def sweep(self, now_ms: int) -> int:
        """Remove the contents that nothing has used for the grace; how many were removed.

        Row first, in a transaction, then the file or object: a crash in between leaves one without a row. Files of
        that kind are looked for once, by the first sweep of each process, objects once a day.
        """
        swept = 0
        before_ms = now_ms - self._grace_ms
        blobs = self._stores.blobs
        while unused := self._find_unused(before_ms):
            for tenant, sha256s in unused.items():
                objects = self._delete_rows(tenant, sha256s, before_ms=before_ms)
                blobs.remove(objects)
                swept += len(objects) + self._sweep_files(tenant, sha256s)
        if not self._has_swept_strays:
            swept += sum(
                self._sweep_files(tenant, sha256s) for tenant in blobs.tenants() for sha256s in blobs.contents(tenant)
            )
            self._has_swept_strays = True
        blobs.empty_trash()
        if now_ms >= self._next_strays_ms:
            swept += sum(self._sweep_strays(tenant, stored) for tenant, stored in blobs.strays(now_ms))
            self._next_strays_ms = now_ms + _STRAYS_MS
        return swept

    def _sweep_strays(self, tenant: TenantId, stored: Sequence[str]) -> int:
        with self._stores.database.read(tenant) as connection:
            known = sql.known_objects(connection, stored)
        strays = [each for each in stored if each not in known]
        self._stores.blobs.remove(strays)
        return len(strays)

    def _keep(
        self, principal: Principal, uid: str, of: Owner, path: str, content: Content, stored: str
    ) -> tuple[Artifact, str]:
        """Write the row of a published content; with it, the object that holds the content from now on."""
        tenant = principal.tenant

        def refer(tx: Connection) -> str:
            if not stored:
                sql.add_reference(tx, tenant, sha256=content.sha256, size=content.size)
                return ""
            for _ in range(_REFER_ATTEMPTS):
                kept = sql.add_object_reference(tx, tenant, sha256=content.sha256, size=content.size, stored=stored)
                if kept is not None:
                    return kept
            raise Unavailable("the same content is being swept at this moment; try again")

        def work(tx: Connection) -> tuple[Artifact, str]:
            place = self._writable(tx, uid, of)
            old = sql.find_artifact(tx, place.shelf, place.row, path)
            if old is not None and old.sha256 == content.sha256:
                return old, sql.find_object(tx, content.sha256)
            return self._put(tx, tenant, place, path, content, old=old, refer=refer)

        return self._stores.writer.call(tenant, work)

    def _attach(self, principal: Principal, uid: str, path: str, content: Content, stored: str) -> Artifact | None:
        """Write the row of a content that has one; None when it has been swept meanwhile."""
        tenant = principal.tenant

        def refer(tx: Connection) -> str:
            if not sql.revive(tx, tenant, content.sha256) or sql.find_object(tx, content.sha256) != stored:
                raise _Swept
            return stored

        def work(tx: Connection) -> Artifact:
            place = self._writable(tx, uid, "run")
            old = sql.find_artifact(tx, place.shelf, place.row, path)
            if old is not None and old.sha256 == content.sha256:
                return old
            return self._put(tx, tenant, place, path, content, old=old, refer=refer)[0]

        try:
            return self._stores.writer.call(tenant, work)
        except _Swept:
            return None

    def _put(
        self,
        tx: Connection,
        tenant: TenantId,
        place: "_Place",
        path: str,
        content: Content,
        *,
        old: Artifact | None,
        refer: Callable[[Connection], str],
    ) -> tuple[Artifact, str]:
        if old is None:
            _refuse_clash(tx, place, path)
        self._refuse_past_quota(tx, tenant, content, old)
        now_ms = self._now_ms()
        artifact = Artifact(path, content.sha256, content.size, 1 if old is None else old.version + 1, now_ms)
        kept = refer(tx)
        sql.put_artifact(tx, tenant, place.shelf, place.row, artifact)
        if old is not None:
            sql.drop_reference(tx, tenant, old.sha256, now_ms=now_ms)
        return artifact, kept

    def _refuse_past_quota(
        self, connection: Connection, tenant: TenantId, content: Content, old: Artifact | None
    ) -> None:
        """What is there already takes no more room, and what the file replaces gives its own back."""
        if self._quotas.limits_of(tenant).artifact_bytes is None or sql.count_uses(connection, content.sha256):
            return
        freed = old.size if old is not None and sql.count_uses(connection, old.sha256) == 1 else 0
        self._quotas.admit(connection, tenant, "artifact_bytes", content.size - freed)

    def _find(self, connection: Connection, uid: str, of: Owner) -> "_Place":
        if of == "model":
            row = model_sql.find_row(connection, uid)
            if row is None:
                raise ModelNotFound(uid) if model_sql.has_model(connection, uid) else self._access.missing_model(uid)
            return _Place(sql.MODELS, row, is_active=True)
        head = run_sql.find_heads(connection, [uid]).get(uid)
        if head is None:
            raise self._access.missing_run(uid)
        return _Place(sql.RUNS, head.row, is_active=head.lifecycle_stage == "active")

    def _writable(self, connection: Connection, uid: str, of: Owner) -> "_Place":
        place = self._find(connection, uid, of)
        if not place.is_active:
            raise RunArchived(uid)
        return place

    def _find_unused(self, before_ms: int) -> dict[TenantId, list[str]]:
        with self._stores.database.system() as connection:
            return sql.find_unused(connection, before_ms=before_ms, limit=_SWEPT_AT_ONCE)

    def _delete_rows(self, tenant: TenantId, sha256s: Sequence[str], *, before_ms: int) -> list[str]:
        return self._stores.writer.call(tenant, lambda tx: sql.delete_unused(tx, tenant, sha256s, before_ms=before_ms))

    def _sweep_files(self, tenant: TenantId, sha256s: Sequence[str]) -> int:
        return sum(
            self._stores.blobs.sweep(tenant, sha256s[at : at + _SWEPT_AT_ONCE], used=_Used(self._stores, tenant))
            for at in range(0, len(sha256s), _SWEPT_AT_ONCE)
        )


class Upload:
    """One file on its way in: `write` its pieces, then `commit`. `close` in every case: it undoes what is not kept."""

    def __init__(self, incoming: Incoming, *, max_bytes: int, adopt: Callable[[Incoming, Content], Artifact]) -> None:
        self._incoming = incoming
        self._max_bytes = max_bytes
        self._adopt = adopt

    def write(self, piece: bytes) -> None:
        if self._incoming.size + len(piece) > self._max_bytes:
            raise TooLarge(f"the file is larger than {self._max_bytes} bytes, the most that this server takes")
        self._incoming.write(piece)

    def commit(self) -> Artifact:
        """Keep the file: on the disk or in the object store, then in the database. It is readable when this returns."""
        return self._adopt(self._incoming, self._incoming.finish())

    def close(self) -> None:
        """Let go of the file; one that was not committed leaves nothing. Doing it again changes nothing."""
        self._incoming.discard()


class _Swept(Exception):
    """A content was there a moment ago; its transaction is undone."""


class _Used:
    """Which contents have a committed row."""

    def __init__(self, stores: Stores, tenant: TenantId) -> None:
        self._stores = stores
        self._tenant = tenant

    def __call__(self, sha256s: Sequence[str]) -> Collection[str]:
        with self._stores.database.read(self._tenant) as connection:
            return sql.known_contents(connection, sha256s)


def _refuse_clash(tx: Connection, place: _Place, path: str) -> None:
    """A path is a file or a directory, never both: clients write artifacts to their disks."""
    if (file := sql.find_file_above(tx, place.shelf, place.row, path)) is not None:
        raise invalid_field("artifact_path", f"passes through {file!r}, which is a file of this run; choose another")
    if sql.is_directory(tx, place.shelf, place.row, path):
        raise invalid_field("file", f"would replace {path!r}, which is a directory of this run; rename the file")
