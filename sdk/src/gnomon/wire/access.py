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
    """Who the server takes the caller for. In open mode `role` is `open`, and there is no key."""

    mode: Literal["open", "secured"]
    role: Literal["open", "viewer", "ingest", "editor", "admin", "platform"]
    name: str
    key_id: str | None
    tenant: str | None
    tenants: list[TenantName]
    permissions: list[str]


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
