"""`python -m bench.bare PORT LAYERS`: ingest without storage, in layers, to measure our own share of a request.

`bare` is one ASGI function that reads the body, decodes it with the decoder that the server uses and answers as many
bytes; `guarded` is the same behind the server's outer guard, on its bounded connections; `whole` is the server, up to
the queue of the writer, where each batch is answered at once instead. All are served by the same event loop and parser,
with the same settings of the collector.
"""

import gc
import random
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvicorn

from gnomon import wire
from gnomon_server.api.front import Front
from gnomon_server.api.front.asgi import App, Receive, Scope, Send
from gnomon_server.api.front.serving import make_uvicorn_config
from gnomon_server.api.native.logging import BatchBody
from gnomon_server.app import now_ms, open_server
from gnomon_server.core.ingest import Ingest
from gnomon_server.model.batches import BatchKept, RunBatch
from gnomon_server.model.errors import RunNotFound
from gnomon_server.model.ids import TenantId
from gnomon_server.settings import Settings
from gnomon_server.store.tickets import Ticket, Waker

# By the last part of the path.
_DECODERS: dict[str, Callable[[bytes], object]] = {
    "batches": msgspec.msgpack.Decoder(wire.SequencedBatch).decode,
    "log-batch": msgspec.json.Decoder(BatchBody).decode,
    "log-metrics": msgspec.json.Decoder(wire.MetricsLog).decode,
}
_ANSWER = msgspec.json.encode(
    wire.SequencedBatchLogged(run_id="0" * 32, writer="bench", seq=0, duplicate=False, metrics=1_000, params=0, tags=0)
)
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    parts: list[bytes] = []
    has_more = True
    while has_more:
        message = await receive()
        parts.append(message.get("body", b""))
        has_more = message.get("more_body", False)
    if (decode := _DECODERS.get(scope["path"].rpartition("/")[2])) is not None:
        decode(b"".join(parts))
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER})


async def _live(receive: Receive, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


class Unstored(Ingest):
    """Takes batches and keeps none."""

    def append(self, tenant: TenantId, batch: RunBatch, *, waker: Waker | None = None) -> Ticket[object]:  # noqa: ARG002
        ticket: Ticket[object] = Ticket(waker)
        ticket.resolve(BatchKept())
        assert waker is not None, "asked by a request"
        waker.wake([ticket])
        return ticket


def whole(home: str) -> App:
    server = open_server(Settings(home=home))
    server.services.ingest = Unstored(missing_run=RunNotFound, now_ms=now_ms, rng=random.Random(0))
    return server.asgi


def serve(port: int, layers: str) -> None:
    if layers == "bare":
        config = uvicorn.Config(
            bare, port=port, http="httptools", ws="none", interface="asgi3", log_config=None, access_log=False
        )
    else:
        app = whole("home") if layers == "whole" else Front(bare)
        config = make_uvicorn_config(app, host="127.0.0.1", port=port)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as `gnomon server` does
    uvicorn.Server(config).run()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
