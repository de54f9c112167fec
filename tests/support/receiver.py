"""A receiver of webhooks: a plain socket server that keeps what it was sent and answers as it is told."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """Listens on one address and answers each request with the bytes that `reply` gives; keeps what it was sent."""

    def __init__(self, address: str, reply: bytes | Callable[[socket.socket], None] = OK, port: int = 0) -> None:
        self._reply = reply
        self.requests: list[bytes] = []
        self._socket = socket.create_server((address, port))
        self.port: int = self._socket.getsockname()[1]
        self.tls: ssl.SSLContext | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
                if self.tls is not None:
                    connection = self.tls.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            with closing(connection):
                self.requests.append(_read_request(connection))
                try:
                    if callable(self._reply):
                        self._reply(connection)
                    else:
                        connection.sendall(self._reply)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received and (piece := connection.recv(65_536)):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length and (piece := connection.recv(65_536)):
        body += piece
    return head + b"\r\n\r\n" + body
