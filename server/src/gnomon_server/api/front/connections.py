"""The open connections of one server: how many there may be, and one clock that looks at all of them.

A timer for each request would cost more than the rest of the guard, so one sweep every second (or oftener, under
shorter limits) asks each connection whether it took too long. When the server is full, a connection that waits for its
client (for a request's head, or in a body that comes too slowly) makes way for the new one: whoever holds
connections open without using them only ever displaces himself.
"""

import asyncio
import ipaddress
from collections import deque
from typing import Protocol

from gnomon_server.api.front.limits import ConnectionLimits
from gnomon_server.api.front.problems import Refusal, busy


class Connection(Protocol):
    peer: str

    def sweep(self, passed_secs: float) -> None:
        """Count the time that passed and end this connection if its client took too long."""

    def is_slow(self) -> bool:
        """Whether the client is well on the way to being cut."""

    def abort(self) -> None: ...


class Connections:
    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.is_leaving = False  # a server that hands over: each answer closes its connection
        self._exempt = tuple(ipaddress.ip_network(network, strict=False) for network in limits.exempt)
        self._open: set[Connection] = set()
        self._of_peer: dict[str, int] = {}
        # Those that wait for a head, the one that waits longest first (a dict keeps the order).
        self._waiting: dict[Connection, None] = {}
        self._slow: deque[Connection] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._swept_at = 0.0
        self._tick_secs = min(
            1.0, *(secs / 4 for secs in (limits.head_secs, limits.body_grace_secs, limits.linger_secs))
        )

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> Refusal | None:
        """Take the connection in, or say why not."""
        peer = connection.peer
        if self._of_peer.get(peer, 0) >= self.limits.per_peer and not self._is_exempt(peer):
            return busy(429, "too_many_connections", "this address has as many connections open as it may")
        if len(self._open) >= self.limits.connections and not self._make_way():
            return busy(503, "too_many_connections", "the server has as many connections open as it may")
        self._open.add(connection)
        self._of_peer[peer] = self._of_peer.get(peer, 0) + 1
        if self._timer is None:
            self._swept_at = loop.time()
            self._timer = loop.call_later(self._tick_secs, self._sweep, loop)
        return None

    def leave(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        left = self._of_peer[connection.peer] - 1
        if left:
            self._of_peer[connection.peer] = left
        else:
            del self._of_peer[connection.peer]
        if not self._open and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def starts_waiting(self, connection: Connection) -> None:
        self._waiting[connection] = None

    def stops_waiting(self, connection: Connection) -> None:
        self._waiting.pop(connection, None)

    def _is_exempt(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:  # a Unix socket has no address: whoever can open the file may
            return True
        return any(address in network for network in self._exempt)

    def _make_way(self) -> bool:
        if self._waiting:
            self._evict(next(iter(self._waiting)))
            return True
        while self._slow:
            connection = self._slow.popleft()
            if connection in self._open and connection.is_slow():
                self._evict(connection)
                return True
        return False

    def _evict(self, connection: Connection) -> None:
        self.leave(connection)
        connection.abort()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        # Of a longer gap the server was the cause, not its clients: it was busy, and what they sent is still unread.
        passed_secs = min(now - self._swept_at, 2 * self._tick_secs)
        self._swept_at = now
        for connection in tuple(self._open):
            connection.sweep(passed_secs)
        self._slow = deque(connection for connection in self._open if connection.is_slow())
        self._timer = loop.call_later(self._tick_secs, self._sweep, loop) if self._open else None
