"""Messages about who may do what: API keys, the caller itself, and the audit log."""

from typing import Annotated, Literal

from msgspec import Struct

from gnomon.bounds import Count, EndTime, RunName, Time, UnixMs, said
from gnomon.wire.messages import Request

Role = Literal["viewer", "ingest", "editor", "admin", "platform"]
TenantName = Annotated[str, said(pattern="^[a-z0-9][a-z0-9_-]{0,62}$")]
KeyId = Annotated[str, said(pattern="^[a-z2-7]{10}$")]


class KeyCreate(Request, frozen=True):
    """`tenants` absent: the caller's own. `name` says who holds it; runs that it begins are `created_by` that name."""

    role: Role
    name: RunName | None = None
    tenants: Annotated[list[TenantName], said(maxItems=100)] = []
    expires_at: EndTime | UnixMs | None = None


class KeyRotate(Request, frozen=True):
    """How long the old key goes on beside the new one."""

    overlap_secs: Annotated[int, said(minimum=0, maximum=30 * 86_400)] = 86_400


class KeyResponse(Struct, frozen=True):
    """What is known of a key; its secret is not. `last_used_at` is kept to the hour."""

    id: KeyId
    name: str
    role: Role
    tenants: list[TenantName]
    created_at: Time
    created_by: str
    expires_at: Time | None
    last_used_at: Time | None
    revoked_at: Time | None


class KeyMinted(Struct, frozen=True):
    """A new key: `secret` is the whole of it, shown this once."""

    secret: str
    key: KeyResponse


class KeyListResponse(Struct, frozen=True):
    keys: list[KeyResponse]
    total: Count


class MeResponse(Struct, frozen=True):
    """Who the server takes the caller for. In open mode `role` is `open`, and there is no key.

    `session_id` is that of a person who signed in, who then holds no key; `expires_at` is when either ends by itself.
    """

    mode: Literal["open", "secured"]
    role: Literal["open", "viewer", "ingest", "editor", "admin", "platform"]
    name: str
    key_id: str | None
    session_id: str | None
    expires_at: Time | None
    tenant: str | None
    tenants: list[TenantName]
    permissions: list[str]


class SignInWays(Struct, frozen=True):
    """How one gets in. `provider` is what the identity provider is called, null when there is none."""

    mode: Literal["open", "secured"]
    provider: str | None


class SignInStart(Request, frozen=True):
    """`return_to`: the path of the UI where the person comes out."""

    return_to: Annotated[str, said(maxLength=2_000)] = "/"


class SignInStarted(Struct, frozen=True):
    """Where the browser goes to sign in."""

    url: str


class SignInFinish(Request, frozen=True):
    """What the provider sent back with the browser."""

    code: Annotated[str, said(maxLength=4_096)]
    state: Annotated[str, said(maxLength=200)]
    iss: Annotated[str, said(maxLength=2_000)] | None = None


class SessionResponse(Struct, frozen=True):
    """A person's session: the role in each tenant. `last_used_at` is kept to the hour."""

    id: KeyId
    name: str
    subject: str
    tenants: dict[TenantName, Literal["viewer", "editor", "admin"]]
    created_at: Time
    expires_at: Time
    last_used_at: Time | None
    revoked_at: Time | None


class SessionBegun(Struct, frozen=True):
    """A new session: `secret` is sent as a bearer token, and shown this once."""

    secret: str
    return_to: str
    session: SessionResponse


class SessionListResponse(Struct, frozen=True):
    sessions: list[SessionResponse]
    total: Count


class AuditEntryResponse(Struct, frozen=True):
    """`digest` chains the entry to the one before it, in hex."""

    id: int
    time: Time
    tenant: str
    actor: str
    action: str
    target: str
    detail: dict[str, str]
    digest: str


class AuditListResponse(Struct, frozen=True):
    entries: list[AuditEntryResponse]
    total: Count
    limit: Count
    offset: Count
