"""How the guarded app is served: uvicorn, told everything that it would otherwise guess."""

import math
from collections.abc import Sequence
from dataclasses import replace

import uvicorn

from gnomon_server.api.front.asgi import App
from gnomon_server.api.front.limits import ConnectionLimits
from gnomon_server.api.front.protocol import BoundedProtocol, bounded_protocol


def announce_leaving(config: uvicorn.Config) -> None:
    """From now on every answer closes its connection: the next request of that client finds the next server."""
    protocol = config.http_protocol_class
    assert issubclass(protocol, BoundedProtocol), "made by make_uvicorn_config"
    protocol.admitted.is_leaving = True


def make_uvicorn_config(
    app: App,
    *,
    host: str,
    port: int,
    limits: ConnectionLimits | None = None,
    drain_secs: float = 10.0,
    trusted_proxies: Sequence[str] = (),
) -> uvicorn.Config:
    """The configuration of `uvicorn.Server` for an app behind `Front`.

    A trusted proxy may say whom it speaks for (X-Forwarded-For, -Proto) and counts as any number of peers.
    """
    limits = limits or ConnectionLimits()
    limits = replace(limits, exempt=(*limits.exempt, *trusted_proxies))
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded_protocol(limits),
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_keep_alive=limits.idle_secs,
        timeout_graceful_shutdown=math.ceil(drain_secs),
    )
