"""The routes that are nobody's data: health, readiness, metrics, the API's own description."""

import os

from litestar import Response
from msgspec import Struct

from gnomon_server.api import reference
from gnomon_server.api.route import Call, route
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
    """The server's own numbers, for Prometheus."""
    telemetry = call.services.telemetry
    telemetry.queued.set(call.services.stores.writer.queued)
    telemetry.points.set(call.services.ingest.points_kept)
    for name, count in call.services.quotas.refused().items():
        telemetry.quota_refusals.labels(name).set(count)
    disk = os.statvfs(call.services.settings.home_path)
    telemetry.disk_free.set(disk.f_frsize * disk.f_bavail)
    telemetry.is_disk_full.set(call.services.stores.writer.is_disk_full)
    return Response(content=telemetry.page(), media_type=CONTENT_TYPE)


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
