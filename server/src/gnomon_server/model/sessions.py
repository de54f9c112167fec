"""Sessions: what a person holds after signing in with the identity provider. Kept by `store/meta/sessions.py`.

A session has a text of the same shape as an API key (`model/api_keys.py`, with the front `gns`), it ends by itself, and
gives one role in each tenant that the person's groups open. The page keeps the text; the server keeps its digest.
"""

from typing import Literal

from msgspec import Struct

from gnomon_server.model.ids import TenantId

# A person's roles. `ingest` is for training jobs, and `platform` is held by keys alone.
SessionRole = Literal["viewer", "editor", "admin"]
SESSION_ROLES: tuple[SessionRole, ...] = ("viewer", "editor", "admin")  # each may what those before it may


class Grant(Struct, frozen=True):
    """A role in a tenant."""

    tenant: TenantId
    role: SessionRole


class Session(Struct, frozen=True):
    """What is kept of a session. Times are Unix milliseconds; `last_used_ms` is kept to the hour.

    `issuer` and `subject` say who signed in, for good; `name` is how the provider calls that person. `login` is the
    SHA-256 of the attempt's state: no attempt makes two sessions.
    """

    id: str
    issuer: str
    subject: str
    name: str
    grants: dict[str, Grant]
    digest: bytes
    login: bytes
    created_ms: int
    expires_ms: int
    last_used_ms: int | None = None
    revoked_ms: int | None = None

    def is_live(self, now_ms: int) -> bool:
        """Whether it opens anything at this moment."""
        return now_ms < self.expires_ms and self.revoked_ms is None
