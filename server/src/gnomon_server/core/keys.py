"""API keys: making, replacing and revoking them, by an admin over the API or by the operator on the machine.

An admin manages the keys that open its own tenant and no other; a platform key, and the operator, manage all. Each
change stands in the audit log, in the transaction that makes it. A key's text is answered once and kept nowhere.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct, structs

from gnomon_server.core.roles import Principal
from gnomon_server.model import names
from gnomon_server.model.api_keys import ApiKey, Role, mint_key
from gnomon_server.model.audit import Deed
from gnomon_server.model.errors import AccessDenied, InvalidRequest, NotFound, invalid_field
from gnomon_server.store import Connection
from gnomon_server.store.meta import api_keys, audit, tenants

T = TypeVar("T")

OPERATOR = "operator"
MAX_TENANTS = 100
MAX_KEYS = 10_000
ROTATION_OVERLAP_MS = 24 * 3_600_000
_LONGEST_LIFE_MS = 10 * 366 * 24 * 3_600_000


class Transact(Protocol):
    """Runs work in one committed transaction: the writer's queue in a server, a connection of its own in a command."""

    def __call__(self, work: Callable[[Connection], T], /) -> T: ...


class MintedKey(Struct, frozen=True):
    """A new key, and its text: the only time that anybody sees it."""

    key: ApiKey
    text: str


class KeyNotFound(NotFound):
    """No key has this id, or it is not the caller's to manage."""

    code = "key_not_found"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no key {key_id!r} here; list them with GET /api/v1/keys or `gnomon keys list`")


class Keys:
    """The keys of one server. `by` is the principal that asks; None is the operator on the machine."""

    def __init__(self, transact: Transact, *, now_ms: Callable[[], int], on_change: Callable[[], None]) -> None:
        self._transact = transact
        self._now_ms = now_ms
        self._on_change = on_change

    def visible(self, by: Principal | None) -> Sequence[ApiKey]:
        """The keys that `by` may see, oldest first, those that ended included."""
        found = self._transact(api_keys.list_keys)
        return [key for key in found if _sees(by, key)]

    def create(
        self,
        by: Principal | None,
        *,
        name: str,
        role: Role,
        tenant_names: Sequence[str],
        expires_ms: int | None = None,
    ) -> MintedKey:
        """Make a key. A tenant that is new is made with it, where `by` may make tenants."""
        wanted = self._checked_tenants(by, role, tenant_names)
        now_ms = self._now_ms()
        _check_end(expires_ms, now_ms)
        text, key_id, digest = mint_key()
        draft = ApiKey(
            id=key_id,
            name=names.run_name(name) if name else f"key-{key_id}",
            role=role,
            tenants={},
            digest=digest,
            created_ms=now_ms,
            created_by=_actor(by),
            expires_ms=expires_ms,
        )

        def work(connection: Connection) -> ApiKey:
            if api_keys.count_keys(connection) >= MAX_KEYS:
                raise InvalidRequest(f"there are {MAX_KEYS} keys already; that is all this server keeps")
            made = structs.replace(
                draft, tenants={each: tenants.ensure_tenant(connection, each, now_ms=now_ms) for each in wanted}
            )
            api_keys.insert_key(connection, made)
            self._write_down(connection, by, "key.create", made)
            return made

        key = self._transact(work)
        self._on_change()
        return MintedKey(key, text)

    def rotate(self, by: Principal | None, key_id: str, *, overlap_ms: int = ROTATION_OVERLAP_MS) -> MintedKey:
        """A new key like this one; the old one goes on for `overlap_ms`, so that jobs change over without a gap."""
        old = self._managed(by, key_id)
        now_ms = self._now_ms()
        if not old.is_live(now_ms):
            raise InvalidRequest(f"key {key_id} has ended; make a new one instead", code="key_ended")
        text, new_id, digest = mint_key()
        new = ApiKey(
            id=new_id,
            name=old.name,
            role=old.role,
            tenants=old.tenants,
            digest=digest,
            created_ms=now_ms,
            created_by=_actor(by),
            expires_ms=old.expires_ms,
        )
        ends_ms = now_ms + overlap_ms if old.expires_ms is None else min(old.expires_ms, now_ms + overlap_ms)

        def work(connection: Connection) -> None:
            api_keys.insert_key(connection, new)
            api_keys.end_key(connection, old.id, expires_ms=ends_ms)
            self._write_down(connection, by, "key.rotate", old, replaced_by=new.id)

        self._transact(work)
        self._on_change()
        return MintedKey(new, text)

    def revoke(self, by: Principal | None, key_id: str) -> ApiKey:
        """End a key now. Again: the same answer."""
        key = self._managed(by, key_id)
        if key.revoked_ms is not None:
            return key
        now_ms = self._now_ms()

        def work(connection: Connection) -> None:
            api_keys.end_key(connection, key.id, revoked_ms=now_ms)
            self._write_down(connection, by, "key.revoke", key)

        self._transact(work)
        self._on_change()
        return structs.replace(key, revoked_ms=now_ms)

    def _managed(self, by: Principal | None, key_id: str) -> ApiKey:
        key = self._transact(lambda connection: api_keys.find_key(connection, key_id))
        if key is None or not _sees(by, key):
            raise KeyNotFound(key_id)
        if by is not None and by.role != "platform" and set(key.tenants) != {by.tenant_name}:
            raise AccessDenied(f"key {key_id} opens other tenants too; a platform key manages it", code="role_required")
        return key

    def _checked_tenants(self, by: Principal | None, role: Role, tenant_names: Sequence[str]) -> list[str]:
        wanted = sorted({names.tenant(each, field="tenants") for each in tenant_names})
        may_all = by is None or by.role == "platform"
        if role == "platform":
            if not may_all:
                raise AccessDenied("only a platform key makes platform keys", code="role_required")
            if wanted:
                raise invalid_field("tenants", "a platform key opens no tenant's data; leave them out")
            return []
        if not wanted and not may_all:
            assert by is not None  # who may not all is somebody
            wanted = [by.tenant_name]
        if not wanted:
            raise invalid_field("tenants", "name at least one tenant that the key opens")
        if len(wanted) > MAX_TENANTS:
            raise invalid_field("tenants", f"are {len(wanted)}; a key opens at most {MAX_TENANTS}")
        if by is not None and not may_all and wanted != [by.tenant_name]:
            raise AccessDenied()
        return wanted

    def _write_down(self, connection: Connection, by: Principal | None, action: str, key: ApiKey, **more: str) -> None:
        detail = {"name": key.name, "role": key.role, "tenants": ",".join(key.tenants), **more}
        # In the log of the tenant that the key opens; where it opens several, in that of the one who made the change.
        own = next(iter(key.tenants)) if len(key.tenants) == 1 else ("" if by is None else by.tenant_name)
        deed = Deed(action=action, actor=_actor(by), tenant=own, target=key.id, detail=detail)
        audit.append_deeds(connection, [deed], now_ms=self._now_ms())


def _actor(by: Principal | None) -> str:
    return OPERATOR if by is None else by.key_id


def _sees(by: Principal | None, key: ApiKey) -> bool:
    return by is None or by.role == "platform" or by.tenant_name in key.tenants


def _check_end(expires_ms: int | None, now_ms: int) -> None:
    if expires_ms is not None and not now_ms < expires_ms <= now_ms + _LONGEST_LIFE_MS:
        raise invalid_field("expires_at", "must lie between now and ten years from now")
