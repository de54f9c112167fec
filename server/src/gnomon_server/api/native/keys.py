"""The routes of access: the caller itself, API keys, and the audit log."""

import msgspec
from litestar import Response

from gnomon import wire
from gnomon_server.api.key_messages import entry_response, key_response, minted_response, time_or_none
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.times import parse_time
from gnomon_server.core.keys import KeyNotFound
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
        expires_at=time_or_none(access.ends_ms(by)),
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


ROUTES = [get_me, list_keys, create_key, rotate_key, revoke_key, list_audit]
