"""Every route declares the permission it needs; a route without one stops the app from starting."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from anyio import to_thread
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from gnomon_server.api.front.guard import TENANT_STATE
from gnomon_server.api.services import Services, services_of
from gnomon_server.core.access import Permission, Principal
from gnomon_server.model.errors import AccessDenied, invalid_field

# Litestar leaves user, auth and app state open; this app uses none of them.
Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

PERMISSION = "permission"
TENANT_HEADER = "x-tenant-id"
# The same by the name that MLflow's clients send.
WORKSPACE_HEADER = "x-mlflow-workspace"


def needs(permission: Permission) -> Guard:
    """A guard that lets a request pass whose principal holds the permission, and leaves the principal in its scope."""

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        if permission == "public":
            return
        sent = connection.headers
        principal = await authenticate(
            services_of(connection.scope), sent.getall(TENANT_HEADER, []), sent.getall(WORKSPACE_HEADER, [])
        )
        refuse_without(principal, permission)
        connection.scope["state"]["principal"] = principal
        connection.scope["state"][TENANT_STATE] = principal.tenant_name

    setattr(guard, PERMISSION, permission)
    return guard


def refuse_without(principal: Principal, permission: Permission) -> None:
    """Raise unless the principal holds the permission."""
    if permission not in principal.permissions:
        raise AccessDenied(f"this needs the permission {permission}", code="role_required")


async def authenticate(services: Services, tenants: Sequence[str], workspaces: Sequence[str] = ()) -> Principal:
    """The principal of a request. A tenant that the process has not seen yet is looked up off the event loop."""
    for field, sent in (("X-Tenant-ID", tenants), ("X-MLFLOW-WORKSPACE", workspaces)):
        if len(sent) > 1:
            raise invalid_field(field, "is sent twice; send it once")
    named = [*tenants, *workspaces]
    if len(set(named)) > 1:
        raise invalid_field("X-MLFLOW-WORKSPACE", "names another tenant than X-Tenant-ID; send one of them")
    name = named[0] if named else None
    known = services.access.known(name)
    return known if known is not None else await to_thread.run_sync(services.access.principal, name)


def refuse_unguarded(routes: Iterable[BaseRoute]) -> None:
    """Raise when a route declares no permission. Called once, before the app serves."""
    for route in routes:
        handlers = route.route_handlers if isinstance(route, HTTPRoute) else [getattr(route, "route_handler", None)]
        for handler in handlers:
            if handler is not None and getattr(handler, "http_methods", None) == {"OPTIONS"}:
                continue  # Litestar's own answer to OPTIONS: the methods of the path, and nothing else
            guards = [] if handler is None else handler.guards or []
            if not any(hasattr(guard, PERMISSION) for guard in guards):
                raise RuntimeError(f"the route {route.path} declares no permission; add guards=[needs(...)]")
