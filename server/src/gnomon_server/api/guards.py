"""Every route declares the permission it needs; a route without one stops the app from starting.

Credentials come in a header and nowhere else: `Authorization: Bearer <key>`, `X-API-Key: <key>`, or HTTP Basic with
the key as password, which is what MLflow's clients can send; the text of a session comes as a bearer too. No cookie, so
no other site's page can use them.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from anyio import to_thread
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from gnomon_server.api.front.guard import TENANT_STATE
from gnomon_server.api.services import Services, services_of
from gnomon_server.core.roles import Permission, Principal
from gnomon_server.model.audit import Deed
from gnomon_server.model.errors import AccessDenied, Unauthenticated, invalid_field

# Litestar leaves user, auth and app state open; this app uses none of them.
Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

PERMISSION = "permission"
PRINCIPAL_STATE = "principal"
# What these allow stands in the audit log once it is done.
_WRITTEN_DOWN: frozenset[Permission] = frozenset(
    ("experiments.delete", "runs.delete", "retention.manage", "webhooks.manage")
)
_ABOUT_ITSELF: frozenset[Permission] = frozenset(("self.read", "self.end"))
_TENANT, _WORKSPACE = b"x-tenant-id", b"x-mlflow-workspace"
_READ = frozenset((b"authorization", b"x-api-key", _TENANT, _WORKSPACE))


class Sent(NamedTuple):
    """What a request says of who it is."""

    credential: str | None
    tenant: str | None


def sent_by(headers: Iterable[tuple[bytes, bytes]]) -> Sent:
    """Read the credential and the tenant from the headers of a request."""
    found: dict[bytes, str] = {}
    for name, value in headers:
        if name in _READ:
            if name in found:
                raise invalid_field(name.decode(), "is sent twice; send it once")
            found[name] = value.decode("latin-1")
    if not found:
        return Sent(None, None)
    tenant, workspace = found.get(_TENANT), found.get(_WORKSPACE)
    if tenant is not None and workspace is not None and tenant != workspace:
        raise invalid_field("X-MLFLOW-WORKSPACE", "names another tenant than X-Tenant-ID; send one of them")
    credential = found.get(b"x-api-key") or _credential_of(found.get(b"authorization", ""))
    return Sent(credential, workspace if tenant is None else tenant)


def needs(permission: Permission) -> Guard:
    """A guard that lets a request pass whose principal holds the permission, and leaves the principal in its scope."""

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        if permission == "public":
            return
        state = connection.scope["state"]
        sent = sent_by(connection.scope["headers"])
        about_itself = permission in _ABOUT_ITSELF
        address = address_of(connection.scope.get("client"))
        principal = await authenticate(services_of(connection.scope), sent, address, is_about_itself=about_itself)
        state[PRINCIPAL_STATE] = principal
        state[TENANT_STATE] = principal.tenant_name
        refuse_without(principal, permission)

    setattr(guard, PERMISSION, permission)
    return guard


def refuse_without(principal: Principal, permission: Permission) -> None:
    """Raise unless the principal holds the permission."""
    if permission not in principal.permissions:
        who = "without an API key nobody may" if not principal.key_id else f"the role {principal.role} does not"
        raise AccessDenied(f"this needs the permission {permission}, and {who} hold it", code="role_required")


def address_of(client: tuple[str, int] | None) -> str:
    """The address of who asks: of the connection, or what a trusted proxy says. A Unix socket has none."""
    return "" if client is None else client[0]


async def authenticate(services: Services, sent: Sent, address: str, *, is_about_itself: bool = False) -> Principal:
    """The principal of a request. A tenant that the process has not seen yet is looked up off the event loop."""
    access = services.access
    if access.is_secured:
        try:
            principal = access.by_key(sent.credential, sent.tenant, is_about_itself=is_about_itself)
        except Unauthenticated:
            if sent.credential is not None:
                services.attempts.take(address)
            raise
        services.rates.take_request(principal)
        return principal
    known = access.known(sent.tenant)
    return known if known is not None else await to_thread.run_sync(access.principal, sent.tenant)


async def write_down(services: Services, by: Principal | None, permission: Permission, method: str, path: str) -> None:
    """Put what a request did into the audit log, where it belongs there: before it is answered."""
    if by is not None and by.key_id and permission in _WRITTEN_DOWN and method != "GET":
        deed = Deed(action=permission, actor=by.key_id, tenant=by.tenant_name, target=path, detail={"method": method})
        await to_thread.run_sync(services.audit.record, deed)


def refuse_unguarded(routes: Sequence[BaseRoute]) -> None:
    """Raise when a route declares no permission. Called once, before the app serves."""
    for route in routes:
        handlers = route.route_handlers if isinstance(route, HTTPRoute) else [getattr(route, "route_handler", None)]
        for handler in handlers:
            if handler is not None and getattr(handler, "http_methods", None) == {"OPTIONS"}:
                continue  # Litestar's own answer to OPTIONS: the methods of the path, and nothing else
            guards = [] if handler is None else handler.guards or []
            if not any(hasattr(guard, PERMISSION) for guard in guards):
                raise RuntimeError(f"the route {route.path} declares no permission; add guards=[needs(...)]")


def _credential_of(authorization: str) -> str | None:
    scheme, _, rest = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            try:
                pair = base64.b64decode(rest.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return None
            return pair.partition(":")[2]
        case _:
            return None
