"""Keys and entries of the audit log as messages say them: for the routes and for the command line."""

import msgspec

from gnomon import wire
from gnomon_server.api.times import iso_time
from gnomon_server.core.keys import MintedKey
from gnomon_server.model.api_keys import ApiKey
from gnomon_server.model.audit import AuditEntry


def minted_response(minted: MintedKey) -> wire.KeyMinted:
    """A new key as it is shown, once."""
    return wire.KeyMinted(secret=minted.text, key=key_response(minted.key))


def key_response(key: ApiKey) -> wire.KeyResponse:
    """A key as messages say it: without its digest."""
    return wire.KeyResponse(
        id=key.id,
        name=key.name,
        role=key.role,
        tenants=sorted(key.tenants),
        created_at=iso_time(key.created_ms),
        created_by=key.created_by,
        expires_at=time_or_none(key.expires_ms),
        last_used_at=time_or_none(key.last_used_ms),
        revoked_at=time_or_none(key.revoked_ms),
    )


def entry_response(entry: AuditEntry) -> wire.AuditEntryResponse:
    """An entry of the audit log as messages say it."""
    return wire.AuditEntryResponse(
        id=entry.id,
        time=iso_time(entry.at_ms),
        tenant=entry.tenant,
        actor=entry.actor,
        action=entry.action,
        target=entry.target,
        detail=msgspec.json.decode(entry.detail, type=dict[str, str]),
        digest=entry.digest.hex(),
    )


def time_or_none(time_ms: int | None) -> str | None:
    """A time as messages say it."""
    return None if time_ms is None else iso_time(time_ms)
