"""The guard around a tiny app, under real uvicorn: what the guard alone does, without the server behind it.

The app reads its body and answers what it saw. Paths with a meaning: /boom fails, /late fails amid its answer, /unread
answers without reading the body, /flood answers without end, /html answers with headers of its own.
"""

import json
import threading
import time
from types import TracebackType

import uvicorn

from gnomon_server.api.front import ConnectionLimits, Front, FrontLimits
from gnomon_server.api.front.asgi import Message, Receive, Scope, Send
from gnomon_server.api.front.protocol import BoundedProtocol
from gnomon_server.api.front.serving import make_uvicorn_config
from tests.attacks.raw_http import Address


class GuardedApp:
    """The tiny app; it remembers what reached it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.unwound = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        path: str = scope["path"]
        self.reached.append(path)
        if path == "/boom":
            raise RuntimeError("canary-of-a-defect")
        if path.endswith("/unread"):
            await _say(send, {"read": False})
        elif path == "/flood":
            await _flood(send)
        elif path == "/late":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            raise RuntimeError("canary-of-a-defect")
        elif path == "/html":
            own = [(b"content-security-policy", b"default-src 'self'"), (b"cache-control", b"max-age=1")]
            await _say(send, {}, own)
        else:
            await self._echo(scope, receive, send)

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        try:
            while True:
                message = await receive()
                body += message["body"]
                if not message["more_body"]:
                    break
        except BaseException:
            self.unwound += 1
            raise
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        await _say(send, {"bytes": len(body), "tail": body[-20:].decode("latin-1"), "headers": headers})


class GuardedServer:
    """Runs the guarded app in a thread while the `with` block lasts."""

    def __init__(self, limits: FrontLimits | None = None, connection_limits: ConnectionLimits | None = None) -> None:
        self.app = GuardedApp()
        self.front = Front(
            self.app, limits, on_request=lambda method, status, _: self.answered.append((method, status))
        )
        self.answered: list[tuple[str, int]] = []
        config = make_uvicorn_config(self.front, host="127.0.0.1", port=0, limits=connection_limits, drain_secs=1)
        assert isinstance(config.http, type)
        assert issubclass(config.http, BoundedProtocol)
        self._connections = config.http.admitted
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="guarded", daemon=True)

    def __enter__(self) -> "GuardedServer":
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def address(self) -> Address:
        host, port = self._server.servers[0].sockets[0].getsockname()[:2]
        return (host, port)

    @property
    def open_connections(self) -> int:
        return len(self._connections)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _say(send: Send, what: object, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = json.dumps(what).encode()
    start: Message = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *(headers or []),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _flood(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for _ in range(10_000):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
