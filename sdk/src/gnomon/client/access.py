"""Who may do what: the caller itself, API keys, and the audit log."""

from collections.abc import Sequence

from gnomon.client.transport import Transport, path_of
from gnomon.wire import (
    AuditListResponse,
    KeyCreate,
    KeyListResponse,
    KeyMinted,
    KeyResponse,
    KeyRotate,
    MeResponse,
    Role,
)


class Access:
    """`client.access`. All but `me` need a key of role admin or platform."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def me(self) -> MeResponse:
        """Who the server takes the caller for, and what it may do."""
        return self._transport.call("GET", path_of("me"), MeResponse)

    def keys(self) -> KeyListResponse:
        """The keys that open the caller's tenant, those that ended included; for a platform key all."""
        return self._transport.call("GET", path_of("keys"), KeyListResponse)

    def create_key(
        self, role: Role, *, name: str | None = None, tenants: Sequence[str] = (), expires_ms: int | None = None
    ) -> KeyMinted:
        """Make a key; its `secret` is answered this once. `expires_ms` is Unix milliseconds."""
        message = KeyCreate(role, name, list(tenants), expires_ms)
        return self._transport.call("POST", path_of("keys"), KeyMinted, message=message)

    def rotate_key(self, key_id: str, *, overlap_secs: int = 86_400) -> KeyMinted:
        """A new key like this one, which goes on for `overlap_secs` and then ends."""
        message = KeyRotate(overlap_secs)
        return self._transport.call("POST", path_of("keys", key_id, "rotate"), KeyMinted, message=message)

    def revoke_key(self, key_id: str) -> KeyResponse:
        """End a key now; again changes nothing."""
        return self._transport.call("DELETE", path_of("keys", key_id), KeyResponse, repeatable=True)

    def audit(self, *, limit: int = 100, offset: int = 0) -> AuditListResponse:
        """The audit log of the caller's tenant, newest first; for a platform key the whole of it."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        return self._transport.call("GET", path_of("audit"), AuditListResponse, query=query)
