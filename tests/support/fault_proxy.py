"""A proxy before a real server that spoils requests as a seed decides: the faults of networks, balancers and restarts.

Every connection carries one request. What is done to it is decided before the request is sent on, so a reset may come
before the server has seen it, after the server has committed it, or in the middle of the answer.
"""

import random
import socket
import threading
from collections import Counter
from typing import Literal

Fault = Literal["none", "refused", "unavailable", "reset before", "reset after", "half an answer"]
FAULTS: tuple[Fault, ...] = ("refused", "unavailable", "reset before", "reset after", "half an answer")
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nRetry-After: 0\r\nContent-Length: 4\r\n"
    b"Connection: close\r\n\r\nbusy"
)
_RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # struct linger: on, 0 s, so that close() resets


class FaultProxy:
    """Listens on a port of its own until `close`."""

    def __init__(self, upstream: tuple[str, int], rng: random.Random, *, odds: float) -> None:
        self._upstream = upstream
        self._rng = rng
        self._odds = odds
        self.seen: Counter[Fault] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, name="fault-proxy", daemon=True)
        self._thread.start()

    def heal(self) -> None:
        self._odds = 0.0

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection:
                fault = self._rng.choice(FAULTS) if self._rng.random() < self._odds else "none"
                self.seen[fault] += 1
                try:
                    self._serve(connection, fault)
                except OSError:  # the client has gone: nothing is left to spoil
                    continue

    def _serve(self, client: socket.socket, fault: Fault) -> None:
        if fault == "refused":
            _reset(client)
            return
        request = _read_message(client)
        if fault == "unavailable":
            client.sendall(_BUSY)
            return
        if fault == "reset before":
            _reset(client)
            return
        with socket.create_connection(self._upstream) as server:
            server.sendall(request)
            answer = _read_message(server)
        if fault == "reset after":
            _reset(client)
        elif fault == "half an answer":
            client.sendall(answer[: len(answer) // 2])
        else:
            head, _, body = answer.partition(b"\r\n\r\n")
            client.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


def _read_message(connection: socket.socket) -> bytes:
    """One request or answer: the head, and as much of a body as it announces."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        body += _receive(connection)
    return head + b"\r\n\r\n" + body


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionResetError("closed in the middle of a message")
    return data
