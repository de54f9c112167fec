"""What a client asks of the server itself."""

from litestar import Response
from msgspec import Struct

from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.route import Call

# The version of the protocol that is spoken here, which is what clients take this number for.
SPOKEN = "3.17.2"


class ServerInfo(Struct, frozen=True):
    store_type: str
    workspaces_enabled: bool
    trace_archival_enabled: bool
    multipart_uploads_enabled: bool
    multipart_downloads_enabled: bool
    presigned_upload_run_id_supported: bool
    presigned_upload_model_id_supported: bool
    features_enabled: dict[str, bool]


@wire_route("GET", "/health", needs="public", prefixes=("",))
async def health(call: Call[None, None]) -> Response[bytes]:  # noqa: ARG001  # every route is given its call
    """Whether the process answers."""
    return Response(content=b"OK", media_type="text/plain")


@wire_route("GET", "/version", needs="public", prefixes=("",))
async def version(call: Call[None, None]) -> Response[bytes]:  # noqa: ARG001
    """The version of MLflow whose protocol is spoken."""
    return Response(content=SPOKEN.encode(), media_type="text/plain")


@wire_route("GET", "/3.0/mlflow/server-info", needs="public")
async def server_info(call: Call[None, None]) -> ServerInfo:
    """What this server can do."""
    return ServerInfo(
        store_type="SqlStore",
        workspaces_enabled=True,
        trace_archival_enabled=False,
        multipart_uploads_enabled=call.services.direct.is_possible,
        multipart_downloads_enabled=call.services.direct.is_possible,
        presigned_upload_run_id_supported=False,
        presigned_upload_model_id_supported=False,
        features_enabled={"gateway": False},
    )


ROUTES = [health, version, server_info]
