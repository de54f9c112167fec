"""The routes that are nobody's data: health, readiness, metrics, the API's own description."""

import os

from litestar import Response
from msgspec import Struct

from gnomon_server.api import reference
from gnomon_server.api.route import Call, route
from gnomon_server.api.services import Services
from gnomon_server.api.telemetry import CONTENT_TYPE
from gnomon_server.model.errors import Unavailable

TAG = "system"


class Health(Struct, frozen=True):
    status: str
    version: str


@route("GET", "/healthz", needs="public", tag=TAG, gives=Health)
async def healthz(call: Call[None, None]) -> Health:
    """Whether the process answers at all."""
    return Health(status="ok", version=call.services.version)


@route("GET", "/readyz", needs="public", tag=TAG, gives=Health, raises=[Unavailable])
async def readyz(call: Call[None, None]) -> Health:
    """Whether the server takes requests; 503 while it starts or stops."""
    if not call.services.is_serving:
        raise Unavailable("the server is starting or stopping; try again in a moment", code="not_ready")
    return Health(status="ready", version=call.services.version)


@route("GET", "/metrics", needs="public", tag=TAG, media={"text/plain": "Prometheus text"})
async def metrics(call: Call[None, None]) -> Response[bytes]:
    """The server's own numbers, for Prometheus; with several processes on a port those of all of them."""
    take_stock(call.services)
    return Response(content=call.services.telemetry.page(), media_type=CONTENT_TYPE)


def take_stock(services: Services) -> None:
    """Bring those numbers up to date that are not counted as they come."""
    services.telemetry.take_stock(
        queued=services.stores.writer.queued,
        points=services.ingest.points_kept,
        refused=services.quotas.refused(),
        disk=os.statvfs(services.settings.home_path),
        is_disk_full=services.stores.writer.is_disk_full,
    )


@route("GET", "/openapi.json", needs="public", tag=TAG, media={"application/json": "this document"})
async def openapi_json(call: Call[None, None]) -> Response[bytes]:
    """The OpenAPI 3.1 document of this server."""
    return Response(content=call.services.openapi, media_type="application/json")


@route("GET", "/docs", needs="public", tag=TAG, media={"text/html": "the reference page"})
def docs(call: Call[None, None]) -> Response[bytes]:
    """The API reference as a page, made from the OpenAPI document; it loads nothing from elsewhere."""
    headers = {"Content-Security-Policy": reference.POLICY}
    return Response(content=reference.page(call.services.openapi), media_type="text/html", headers=headers)


ROUTES = [healthz, readyz, metrics, openapi_json, docs]
