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
    SessionListResponse,
    SessionResponse,
    SignInWays,
)


class Access:
    """`client.access`. Keys and the audit log need a key of role admin or platform.

    Signing in is the browser's: the cookie of the attempt belongs to it.
    """

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

    def sign_in_ways(self) -> SignInWays:
        """How people get in; needs no key."""
        return self._transport.call("GET", path_of("sign-in"), SignInWays)

    def sessions(self) -> SessionListResponse:
        """The live sessions of people: the caller's own, for whoever manages keys those that open its tenant."""
        return self._transport.call("GET", path_of("sessions"), SessionListResponse)

    def end_session(self, session_id: str) -> SessionResponse:
        """End a person's session now; again changes nothing."""
        return self._transport.call("DELETE", path_of("sessions", session_id), SessionResponse, repeatable=True)

    def sign_out(self) -> SessionResponse:
        """End the session that this client speaks with."""
        return self._transport.call("POST", path_of("sign-out"), SessionResponse, repeatable=True)

    def audit(self, *, limit: int = 100, offset: int = 0) -> AuditListResponse:
        """The audit log of the caller's tenant, newest first; for a platform key the whole of it."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        return self._transport.call("GET", path_of("audit"), AuditListResponse, query=query)
