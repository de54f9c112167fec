"""uvicorn's HTTP protocol with bounds on what it leaves unbounded: time, the size of a head, trailers, pipelines.

uvicorn keeps a half-sent head or body open for ever, lets trailers join the headers of a request that already runs,
queues pipelined requests without limit, and closes with unread data behind an early answer, which resets the
connection before the client can read it. Each is bounded here; `docs/guides/limits.md` has the numbers.

What a connection is doing: *head* (`_head_waited_secs` is set: it waits for a request or the rest of its head), *body*
(`_body_open`), *deaf* (what still comes is thrown away: it is about to be closed). All on the event loop's thread.
"""

import asyncio
import socket

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gnomon_server.api.front.connections import Connections
from gnomon_server.api.front.guard import CUT_STATE
from gnomon_server.api.front.limits import KIB, MIB, ConnectionLimits
from gnomon_server.api.front.problems import Refusal, raw_answer
from gnomon_server.model.ids import new_uid

# No client of ours pipelines, and those that do wait for answers before they send many.
_MAX_PIPELINED = 8
# What is read and thrown away after an early answer, so that the client finishes sending and reads the answer.
_LINGER_BYTES = 64 * MIB
# The rest of a body that its route did not read: up to here the connection stays usable.
_KEPT_REST_BYTES = MIB
# Chunk sizes, chunk extensions and trailers may weigh as much as the body they carry, and this much more.
_FREE_OVERHEAD_BYTES = 128 * KIB

_MALFORMED = Refusal(400, "invalid_request", "this is not a well-formed HTTP/1.1 request", close=True)
_LARGE_HEAD = Refusal(431, "headers_too_large", "the headers are too many or too long", close=True)
_SLOW_HEAD = Refusal(408, "request_timeout", "the request's headers took too long", close=True)
_SLOW_BODY = Refusal(408, "request_timeout", "the request's body came too slowly", close=True)


class _Wire(asyncio.Transport):
    """What the running request may do with the transport.

    uvicorn writes the head of an answer and its body apart, each a system call and a packet; the head waits here for
    the body, until the event loop turns at most. A close may have to linger first.
    """

    def __init__(self, protocol: "BoundedProtocol") -> None:
        super().__init__()
        self._protocol = protocol
        self._head = b""
        self._head_timer: asyncio.Handle | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._head_timer is not None:
            head = self._take_head()
            self._protocol.transport.writelines([head, data])
        elif data[:9] == b"HTTP/1.1 ":
            self._head = self._protocol.last_words(bytes(data))
            self._head_timer = self._protocol.loop.call_soon(self.flush)
        else:
            self._protocol.transport.write(data)

    def flush(self) -> None:
        if self._head_timer is not None:
            head = self._take_head()
            if not self.is_closing():
                self._protocol.transport.write(head)

    def is_closing(self) -> bool:
        return self._protocol.transport.is_closing()

    def close(self) -> None:
        self._protocol.finish()

    def _take_head(self) -> bytes:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer = None
        head, self._head = self._head, b""
        return head


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `bounded_protocol` makes the class that a server uses, with its `admitted` connections."""

    admitted: Connections

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.peer = ""
        self._limits = self.admitted.limits
        self._wire = _Wire(self)
        self._deaf = False
        self._thrown_away = 0
        self._linger_left_secs: float | None = None
        self._head_waited_secs: float | None = None
        self._head_bytes = 0
        self._in_head = False
        self._body_open = False
        self._body_bytes = 0
        self._body_raw_bytes = 0
        self._body_credit_secs = 0.0
        self._earned_bytes = 0
        self._rest_bytes = 0
        self._write_credit_secs = self._limits.write_stall_secs
        self._unsent_bytes = 0

    # ---- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        if (refusal := self.admitted.admit(self, self.loop)) is not None:
            self.transport = transport
            self._deaf = True
            transport.write(raw_answer(refusal, new_uid()))
            transport.close()
            return
        super().connection_made(transport)
        _send_at_once(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.admitted.leave(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        self.transport.abort()

    def finish(self) -> None:
        """Close once what was written is sent; while the client still sends a body, let it finish and read."""
        self._wire.flush()
        if self._body_open or self.pipeline:
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        """Send the end of our side and throw away what still comes: a plain close would reset the connection, and the
        client would lose the answer. Whoever needs the place gets it."""
        self._deaf = True
        self.pipeline.clear()
        if self.transport.is_closing() or not self.transport.can_write_eof():
            self.transport.close()
            return
        self._linger_left_secs = self._limits.linger_secs
        self.admitted.starts_waiting(self)
        self.transport.write_eof()
        self.flow.resume_reading()

    # ---- what comes in

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._thrown_away += len(data)
            if self._thrown_away > _LINGER_BYTES:
                self.transport.abort()
            return
        if self._head_waited_secs is None and not self._body_open and not self._is_answering():
            self._expect_head()
        super().data_received(data)
        self._weigh(len(data))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        if self._head_waited_secs is None:
            self._head_waited_secs = 0.0

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer would join the headers that the running request still reads; we announce none, so none counts.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_waited_secs = None
        self.admitted.stops_waiting(self)
        if self._deaf:
            raise ValueError("no request is expected any more")
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            raise ValueError("not HTTP/1")
        if not self.url.startswith(b"/") or b"#" in self.url:
            raise ValueError("the target is not a path and a query")
        if len(self.pipeline) >= _MAX_PIPELINED:
            raise ValueError("too many pipelined requests")
        super().on_headers_complete()
        self.cycle.transport = self._wire
        self._body_open = True
        self._body_bytes = self._body_raw_bytes = self._earned_bytes = self._rest_bytes = 0
        self._body_credit_secs = self._limits.body_grace_secs

    def last_words(self, head: bytes) -> bytes:
        """The head of an answer; an early one says so when the connection will not outlive the rest of the body.

        Or the client would send its next request into a connection that is about to be closed. So does every answer
        of a server that is about to hand over.
        """
        if not self.admitted.is_leaving and (not self._body_open or self._is_small_rest()):
            return head
        self.cycle.keep_alive = False
        return head if b"\r\nconnection: close\r\n" in head else head[:-2] + b"connection: close\r\n\r\n"

    def _is_small_rest(self) -> bool:
        """Whether so little is left of the body that it can be read and thrown away; unknown of a chunked one."""
        declared = next((value for name, value in self.headers if name == b"content-length"), None)
        return declared is not None and int(declared) - self._body_bytes <= _KEPT_REST_BYTES

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._earned_bytes += len(body)
        if self.cycle.response_complete:
            self._rest_bytes += len(body)
            if self._rest_bytes > _KEPT_REST_BYTES:
                self.finish()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_open = False
        super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        # The request is answered as if it had not asked to upgrade; what follows it is in no protocol of ours.
        self._deaf = True
        self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's sentence; ours is fixed
        if self._deaf:
            return
        if self._is_answering() and not self._body_open:
            # The damage is behind a good request: that one is answered, the rest is not read.
            self._deaf = True
            self.cycle.keep_alive = False
            return
        self._cut(_MALFORMED)

    # ---- what goes out

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._deaf or self._is_answering():
            return
        self.admitted.starts_waiting(self)
        if self._body_open and self.expect_100_continue:
            # Answered before the client was told to go on: it may send the body or not, so nobody knows what comes.
            self.finish()

    def resume_writing(self) -> None:
        self._write_credit_secs = self._limits.write_stall_secs
        super().resume_writing()

    # ---- time

    def sweep(self, passed_secs: float) -> None:
        if self._linger_left_secs is not None:
            self._linger_left_secs -= passed_secs
            if self._linger_left_secs <= 0:
                self.transport.abort()
                return
        self._sweep_unsent(passed_secs)
        if self._deaf or self.transport.is_closing() or self.flow.read_paused:
            return
        if self._head_waited_secs is not None:
            self._head_waited_secs += passed_secs
            if self._head_waited_secs >= self._limits.head_secs:
                self._cut(_SLOW_HEAD if self._in_head else None)
        elif self._body_open and not self.cycle.waiting_for_100_continue:
            earned_secs = self._earned_bytes / self._limits.body_bytes_per_sec
            self._earned_bytes = 0
            credit_secs = min(self._limits.body_grace_secs, self._body_credit_secs + earned_secs) - passed_secs
            self._body_credit_secs = credit_secs
            if credit_secs <= 0:
                self._cut(_SLOW_BODY if self._is_answering() else None)

    def is_slow(self) -> bool:
        return (self._body_open and self._body_credit_secs < 0.8 * self._limits.body_grace_secs) or (
            self._write_credit_secs < 0.8 * self._limits.write_stall_secs
        )

    def _sweep_unsent(self, passed_secs: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        if not unsent:
            self._write_credit_secs = self._limits.write_stall_secs
        else:
            sent_secs = max(0, self._unsent_bytes - unsent) / self._limits.body_bytes_per_sec
            self._write_credit_secs = (
                min(self._limits.write_stall_secs, self._write_credit_secs + sent_secs) - passed_secs
            )
            if self._write_credit_secs <= 0:
                self.transport.abort()
        self._unsent_bytes = unsent

    # ---- words for the above

    def _weigh(self, n: int) -> None:
        """Bound what the parser keeps to itself: a head without end, chunk extensions, trailers."""
        if self._deaf:
            return
        if self._in_head:
            self._head_bytes += n
            if self._head_bytes > self._limits.head_bytes:
                self._cut(_LARGE_HEAD)
        elif self._body_open:
            self._body_raw_bytes += n
            if self._body_raw_bytes - self._body_bytes > _FREE_OVERHEAD_BYTES + self._body_bytes:
                self._cut(_MALFORMED if self._is_answering() else None)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        self._head_waited_secs = 0.0
        self._head_bytes = 0
        self.admitted.starts_waiting(self)

    def _cut(self, refusal: Refusal | None) -> None:
        """End the connection now; with an answer, unless one has begun or nothing was asked."""
        self._deaf = True
        started = False
        if self._is_answering():
            started = self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if refusal is not None and not started:
                self.cycle.scope["state"][CUT_STATE] = refusal.status
        if started:
            self.transport.abort()
            return
        if refusal is None:
            self.transport.close()
            return
        self.transport.write(raw_answer(refusal, new_uid()))
        self._linger()


def _send_at_once(transport: asyncio.Transport) -> None:
    """Nagle's algorithm off: answers are written in two parts, and the second would wait for the peer's delayed ACK."""
    connected = transport.get_extra_info("socket")
    if connected is not None and connected.family in (socket.AF_INET, socket.AF_INET6):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def bounded_protocol(limits: ConnectionLimits) -> type[BoundedProtocol]:
    """The class to give uvicorn as `http=`; the connections of all its servers are counted together."""
    return type("GnomonProtocol", (BoundedProtocol,), {"admitted": Connections(limits)})
