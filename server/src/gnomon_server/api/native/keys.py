"""The routes of access: the caller itself, API keys, and the audit log."""

import msgspec
from litestar import Response

from gnomon import wire
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.native.times import iso_time, parse_time
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.core.keys import KeyNotFound, MintedKey
from gnomon_server.model.api_keys import ApiKey
from gnomon_server.model.audit import AuditEntry
from gnomon_server.model.errors import AccessDenied, InvalidRequest, Unavailable, invalid_field

TAG = "access"
CHANGES = (InvalidRequest, AccessDenied, Unavailable)
_LONGEST_OVERLAP_SECS = 30 * 86_400


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    offset: Offset = 0


@route("GET", "/me", needs="self.read", tag=TAG, gives=wire.MeResponse)
def get_me(call: Call[None, None]) -> wire.MeResponse:
    """Say who the caller is: its role, its tenant and what it may do.

    An API key is tried by asking this.
    """
    by = call.principal
    access = call.services.access
    is_person = by.person is not None
    return wire.MeResponse(
        mode="secured" if by.key_id else "open",
        role=by.role,
        name=by.subject,
        key_id=None if is_person else by.key_id or None,
        session_id=by.key_id if is_person else None,
        expires_at=_time(access.ends_ms(by)),
        tenant=by.tenant_name or None,
        tenants=access.tenants_of(by),
        permissions=sorted(by.permissions - {"public"}),
    )


@route("GET", "/keys", needs="keys.manage", tag=TAG, gives=wire.KeyListResponse, raises=[AccessDenied])
def list_keys(call: Call[None, None]) -> wire.KeyListResponse:
    """List the API keys that open the caller's tenant, oldest first; for a platform key all of them.

    Keys that ended are listed too. No answer holds a secret.
    """
    found = call.services.keys.visible(call.principal)
    return wire.KeyListResponse(keys=[key_response(key) for key in found], total=len(found))


@route(
    "POST",
    "/keys",
    needs="keys.manage",
    tag=TAG,
    body=wire.KeyCreate,
    status=201,
    gives=wire.KeyMinted,
    raises=CHANGES,
    headers={"Location": "where the key can be revoked"},
)
def create_key(call: Call[wire.KeyCreate, None]) -> Response[bytes]:
    """Make an API key. Its secret is in this answer and nowhere else.

    The first key of a server is made on its own machine: `gnomon keys create`.
    """
    body = call.body
    minted = call.services.keys.create(
        call.principal,
        name=body.name or "",
        role=body.role,
        tenant_names=body.tenants,
        expires_ms=None if body.expires_at is None else parse_time(body.expires_at, field="expires_at"),
    )
    return json_answer(minted_response(minted), status=201, headers={"Location": f"/api/v1/keys/{minted.key.id}"})


@route(
    "POST",
    "/keys/{key_id:str}/rotate",
    needs="keys.manage",
    tag=TAG,
    body=wire.KeyRotate,
    is_body_optional=True,
    status=201,
    gives=wire.KeyMinted,
    raises=[*CHANGES, KeyNotFound],
)
def rotate_key(call: Call[wire.KeyRotate | None, None]) -> Response[bytes]:
    """Make a key like this one, which then ends by itself; for a day, or as long as is said, both open."""
    overlap_secs = (call.body or wire.KeyRotate()).overlap_secs
    if not 0 <= overlap_secs <= _LONGEST_OVERLAP_SECS:
        raise invalid_field("overlap_secs", f"must lie between 0 and {_LONGEST_OVERLAP_SECS}")
    minted = call.services.keys.rotate(call.principal, call.path("key_id"), overlap_ms=overlap_secs * 1000)
    return json_answer(minted_response(minted), status=201)


@route(
    "DELETE",
    "/keys/{key_id:str}",
    needs="keys.manage",
    tag=TAG,
    gives=wire.KeyResponse,
    raises=[*CHANGES, KeyNotFound],
)
def revoke_key(call: Call[None, None]) -> wire.KeyResponse:
    """Revoke a key: within a second it opens nothing, on every server process. Again: the same answer."""
    return key_response(call.services.keys.revoke(call.principal, call.path("key_id")))


@route(
    "GET",
    "/audit",
    needs="audit.read",
    tag=TAG,
    query=AuditQuery,
    gives=wire.AuditListResponse,
    raises=[InvalidRequest, AccessDenied],
)
def list_audit(call: Call[None, AuditQuery]) -> wire.AuditListResponse:
    """List the audit log of the caller's tenant, newest first; for a platform key the whole of it."""
    asked = call.query
    total, found = call.services.audit.page(call.principal, limit=asked.limit, offset=asked.offset)
    return wire.AuditListResponse(
        entries=[entry_response(entry) for entry in found], total=total, limit=asked.limit, offset=asked.offset
    )


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
        expires_at=_time(key.expires_ms),
        last_used_at=_time(key.last_used_ms),
        revoked_at=_time(key.revoked_ms),
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


def _time(time_ms: int | None) -> str | None:
    return None if time_ms is None else iso_time(time_ms)


ROUTES = [get_me, list_keys, create_key, rotate_key, revoke_key, list_audit]
