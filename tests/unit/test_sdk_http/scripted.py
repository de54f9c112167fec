"""A server that answers from a script over a real socket: bad networks, not an imitation of the API."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

import gnomon
from gnomon.client.transport import Transport
from gnomon.settings import Settings

Headers = dict[str, str]


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: Headers = field(default_factory=dict)
    # Send only so many bytes of the body, then cut the connection; -1 cuts it before any answer.
    cut_after: int | None = None


@dataclass
class Asked:
    method: str
    target: str
    headers: Headers
    body: bytes


class Script:
    """Answers in turn, the last one for ever, and remembers what was asked."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.asked: list[Asked] = []
        self._answers = [*answers]

    def next(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class ScriptedServer:
    def __init__(self, *answers: Answer) -> None:
        script = self.script = Script(answers)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                answer = script.next(asked)
                if answer.cut_after == -1:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body if answer.cut_after is None else answer.body[: answer.cut_after])
                if answer.cut_after is not None:
                    self.close_connection = True
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the standard library's names

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


Started = tuple[gnomon.Client, Script, list[float]]


class Serve(Protocol):
    """`serve(answers…)` gives a client of such a server, what it was asked, and how long the client waited."""

    def __call__(self, *answers: Answer, api_key: str | None = None, tenant: str | None = None) -> Started: ...


def scripted_servers() -> Iterator[Serve]:
    """The fixture's body: all that were started are closed again."""
    closing: list[Callable[[], None]] = []

    def start(*answers: Answer, api_key: str | None = None, tenant: str | None = None) -> Started:
        server = ScriptedServer(*answers)
        waits: list[float] = []
        settings = Settings(url=server.url, api_key=api_key, tenant=tenant)
        client = gnomon.Client(transport=Transport(settings, sleep=waits.append, jitter=lambda: 1.0))
        closing.extend([client.close, server.close])
        return client, server.script, waits

    yield start
    for close in closing:
        close()
