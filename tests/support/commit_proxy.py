"""A proxy before PostgreSQL that cuts connections at COMMIT: before it is there, or when only its answer is missing.

Whoever waits for that COMMIT cannot tell the two apart, and must not answer for more than was kept, nor for less.
"""

import random
import socket
import threading
from collections import Counter
from contextlib import suppress
from typing import Literal

Cut = Literal["before", "after"]
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # the simple query
_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"  # and that it is done
_RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # struct linger: on, 0 s, so that close() resets


class CommitProxy:
    """Listens on a port of its own until `close`."""

    def __init__(self, upstream: tuple[str, int], rng: random.Random) -> None:
        self._upstream = upstream
        self._rng = rng
        self._odds = 0.0
        self.cuts: Counter[Cut] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="commit-proxy", daemon=True).start()

    def cut(self, odds: float) -> None:
        """From now on so many of the commits are cut."""
        self._odds = odds

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream)
            except OSError:  # closed, or PostgreSQL is
                return
            pair = _Pair(self, client, server)
            threading.Thread(target=pair.to_server, daemon=True).start()
            threading.Thread(target=pair.to_client, daemon=True).start()

    def decide(self) -> Cut | None:
        if self._rng.random() >= self._odds:
            return None
        cut: Cut = self._rng.choice(("before", "after"))
        self.cuts[cut] += 1
        return cut


class _Pair:
    """One connection of a client, and that to PostgreSQL behind it."""

    def __init__(self, proxy: CommitProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._cut: Cut | None = None

    def to_server(self) -> None:
        with suppress(OSError):
            while data := self._client.recv(65_536):
                if _COMMIT in data:
                    self._cut = self._proxy.decide()
                    if self._cut == "before":
                        break
                self._server.sendall(data)
        self._end(self._server)
        if self._cut != "after":
            self._end(self._client)

    def to_client(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(65_536):
                if self._cut == "after" and _COMMITTED in data:
                    break
                self._client.sendall(data)
        self._end(self._client)
        self._end(self._server)

    @staticmethod
    def _end(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
