"""`python -m bench.bare PORT LAYERS`: ingest without storage, in layers, to measure our own share of a request.

`bare` is one ASGI function that reads the body, decodes it with the decoder that the server uses, all the way to the
checked columns that are kept, and answers as many bytes. `structs` decodes as far as msgspec goes and keeps no column;
`guarded` is that one behind the server's outer guard, on its bounded connections; `whole` is the server, up to the
queue of the writer, where each batch is answered at once instead. All are served by the same event loop and parser,
with the same settings of the collector.
"""

import gc
import random
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import uvicorn

from gnomon import wire
from gnomon_server.api.front import Front
from gnomon_server.api.front.asgi import App, Receive, Scope, Send
from gnomon_server.api.front.serving import make_uvicorn_config
from gnomon_server.api.native import batches, logging
from gnomon_server.app import now_ms, open_server
from gnomon_server.core.ingest import Ingest
from gnomon_server.core.outbox import Outbox
from gnomon_server.model.batches import BatchKept, RunBatch
from gnomon_server.model.errors import RunNotFound
from gnomon_server.model.ids import TenantId
from gnomon_server.settings import Settings
from gnomon_server.store.tickets import Ticket, Waker

Decoders = Mapping[str, Callable[[bytes], object]]

# By the last part of the path.
_TO_STRUCTS: Decoders = {
    "batches": msgspec.msgpack.Decoder(wire.SequencedBatch).decode,
    "log-batch": msgspec.json.Decoder(logging.BatchBody).decode,
    "log-metrics": msgspec.json.Decoder(wire.MetricsLog).decode,
}
_TO_COLUMNS: Decoders = {
    "batches": lambda body: batches.decode_batch(body, batches.MSGPACK),
    "log-batch": lambda body: logging.decode_batch(body, now_ms=0),
    "log-metrics": lambda body: logging.decode_metrics(body, now_ms=0),
}
_ANSWER = msgspec.json.encode(
    wire.SequencedBatchLogged(run_id="0" * 32, writer="bench", seq=0, duplicate=False, metrics=1_000, params=0, tags=0)
)
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]


def bare(decoders: Decoders) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        parts: list[bytes] = []
        has_more = True
        while has_more:
            message = await receive()
            parts.append(message.get("body", b""))
            has_more = message.get("more_body", False)
        if (decode := decoders.get(scope["path"].rpartition("/")[2])) is not None:
            decode(b"".join(parts))
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _ANSWER})

    return app


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
    server.services.ingest = Unstored(
        missing_run=RunNotFound,
        outbox=Outbox(public_url="", now_ms=now_ms),
        now_ms=now_ms,
        rng=random.Random(0),
        quotas=server.services.quotas,
    )
    return server.asgi


def serve(port: int, layers: str) -> None:
    if layers in ("bare", "structs"):
        app = bare(_TO_COLUMNS if layers == "bare" else _TO_STRUCTS)
        config = uvicorn.Config(
            app, port=port, http="httptools", ws="none", interface="asgi3", log_config=None, access_log=False
        )
    else:
        app = whole("home") if layers == "whole" else Front(bare(_TO_STRUCTS))
        config = make_uvicorn_config(app, host="127.0.0.1", port=port)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as `gnomon server` does
    uvicorn.Server(config).run()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
