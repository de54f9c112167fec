"""Front: the outer guard of every request, before routing, authentication or parsing.

It gives each request an id, judges its head (`head.py`), passes its body on within bounds (unpacked, counted, held to
a budget), adds the security headers to every answer and writes one line to the access log. What takes time on the wire
is bounded below it, by `protocol.py`. It stands on the path of every ingest request, so it makes one object, takes one
pass over the headers and starts no task or timer.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import perf_counter_ns
from typing import Protocol

from gnomon_server.api.front import access_log
from gnomon_server.api.front.asgi import App, Message, Receive, Scope, Send
from gnomon_server.api.front.bodies import BodyRule
from gnomon_server.api.front.budget import BodyBudget
from gnomon_server.api.front.head import Head, HeadRules
from gnomon_server.api.front.limits import FrontLimits
from gnomon_server.api.front.problems import (
    DEFAULT_CACHING,
    DEFAULT_POLICY,
    SECURITY_HEADERS,
    Refusal,
    problem_body,
    problem_headers,
)
from gnomon_server.api.front.unpacking import Unpacking, UnpackingError
from gnomon_server.model.ids import new_uid

# Keys of scope["state"]. The app may set TENANT_STATE to the name of the tenant, once it knows who asks and before it
# reads the body; until then the header is believed, which only ever costs the caller its own budget.
REQUEST_ID_STATE = "request_id"
TENANT_STATE = "tenant_name"
CUT_STATE = "cut_status"

_LEFT = 499
_REFUSALS = frozenset((401, 403))
_TOO_LARGE = Refusal(413, "too_large", "the body is larger than this route takes; send it in smaller parts", close=True)
_INTERNAL = Refusal(500, "internal", "the server failed; tell its operator the request id", close=True)

_log = logging.getLogger("gnomon.front")
# Status and JSON body of a refusal of a path; None: it is said as a problem.
Speak = Callable[[str, Refusal], tuple[int, bytes] | None]


class Traced(Protocol):
    """What records a request."""

    def end(self, status: int) -> None:
        """The request is answered, with this status."""


Trace = Callable[[Scope], AbstractContextManager[Traced | None]]


class BodyEnded(BaseException):
    """The body will not come: it was refused and answered, or its client left.

    Not an Exception, like CancelledError: handlers of errors let it pass, blocks that clean up run.
    """


class Front:
    """An ASGI app around the app that it guards.

    `on_request` is told the method, status and seconds of each answer, `on_refusal` of each 401 and 403. `speak` says
    what the guard itself refuses in the words of the dialect that a path belongs to. `trace` is a span around each.
    """

    def __init__(
        self,
        app: App,
        limits: FrontLimits | None = None,
        *,
        on_request: Callable[[str, int, float], None] | None = None,
        on_refusal: Callable[[Scope, int], None] | None = None,
        speak: Speak | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._trace = trace
        self._app = app
        self._speak = speak
        self._on_refusal = on_refusal
        self._on_request = on_request
        self._limits = limits or FrontLimits()
        self._rules = HeadRules(self._limits)
        self.budget = BodyBudget(self._limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no WebSocket is served here"})
        elif scope["type"] == "http":
            exchange = _Exchange(scope, receive, send, self.budget, self._limits, self._speak)
            started_ns = perf_counter_ns()
            try:
                if self._trace is None:
                    await exchange.run(self._app, self._rules)
                else:
                    await self._run_traced(self._trace, exchange, scope)
            finally:
                duration_ns = perf_counter_ns() - started_ns
                if self._on_request is not None:
                    self._on_request(scope["method"], exchange.status, duration_ns / 1e9)
                if exchange.status in _REFUSALS and self._on_refusal is not None:
                    self._on_refusal(scope, exchange.status)
                if access_log.is_wanted():
                    exchange.write_line(duration_ns)
        else:
            await self._app(scope, receive, send)

    async def _run_traced(self, trace: Trace, exchange: "_Exchange", scope: Scope) -> None:
        with trace(scope) as span:
            try:
                await exchange.run(self._app, self._rules)
            finally:
                if span is not None:
                    span.end(exchange.status)


class _Exchange:
    """One request and its answer."""

    __slots__ = (
        "_body_done",
        "_budget",
        "_bytes_in",
        "_bytes_out",
        "_held",
        "_limits",
        "_receive",
        "_request_id",
        "_rule",
        "_scope",
        "_send",
        "_speak",
        "_status",
        "_tenant",
        "_unpacking",
    )

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, budget: BodyBudget, limits: FrontLimits, speak: Speak | None
    ) -> None:
        self._scope = scope
        self._speak = speak
        self._receive = receive
        self._send = send
        self._budget = budget
        self._limits = limits
        self._request_id = new_uid()
        self._status = 0  # 0 until the answer starts
        self._bytes_in = 0
        self._bytes_out = 0
        self._held = 0
        self._tenant: str | None = None
        self._body_done = True
        self._rule: BodyRule | None = None
        self._unpacking: Unpacking | None = None

    @property
    def status(self) -> int:
        """What was answered; 408 when the connection was cut, 499 when the client left first."""
        if self._status:
            return self._status
        cut: int = self._scope["state"].get(CUT_STATE, _LEFT)
        return cut

    async def run(self, app: App, rules: HeadRules) -> None:
        scope = self._scope
        scope.setdefault("state", {})[REQUEST_ID_STATE] = self._request_id
        head = rules.judge(scope["method"], scope["path"], scope["raw_path"], scope["query_string"], scope["headers"])
        try:
            if isinstance(head, Refusal):
                await self._refuse(head)
            else:
                await self._pass_on(app, head)
        finally:
            if self._held:
                self._budget.give_back(self._tenant or "", self._held)

    async def _pass_on(self, app: App, head: Head) -> None:
        scope = self._scope
        if head.tenant is not None:
            self._tenant = head.tenant[:64].decode("ascii", "backslashreplace")
        receive = self._receive
        if head.rule is not None:
            receive = self._receive_body
            self._rule = head.rule
            self._body_done = False
            if head.coding is not None:
                self._unpacking = Unpacking(head.coding, self._limits, head.rule.max_bytes)
                packed = (b"content-encoding", b"content-length")
                scope["headers"] = [header for header in scope["headers"] if header[0] not in packed]
        try:
            await app(scope, receive, self._answer)
        except BodyEnded:
            return
        except Exception:
            _log.exception("request %s failed", self._request_id)
            if self._status:
                raise  # too late for another answer: the server cuts the connection, so the client sees it is partial
            await self._refuse(_INTERNAL)

    async def _receive_body(self) -> Message:
        message = await self._receive()
        if self._body_done or message["type"] != "http.request":
            if self._body_done or self._status:
                return message
            raise BodyEnded
        body = message.get("body", b"")
        last = not message.get("more_body", False)
        self._bytes_in += len(body)
        if (refusal := self._over_bound()) is not None:
            await self._end_body(refusal)
        if self._unpacking is not None:
            try:
                body = self._unpacking.feed(body, last=last)
            except UnpackingError as refused:
                await self._end_body(refused.refusal)
            message = {"type": "http.request", "body": body, "more_body": not last}
        if body and (refusal := self._hold(len(body))) is not None:
            await self._end_body(refusal)
        self._body_done = last
        return message

    def _over_bound(self) -> Refusal | None:
        max_bytes = None if self._rule is None else self._rule.max_bytes
        return _TOO_LARGE if max_bytes is not None and self._bytes_in > max_bytes else None

    def _hold(self, n: int) -> Refusal | None:
        if self._rule is None or not self._rule.held:
            return None
        if not self._held:
            self._tenant = self._scope["state"].get(TENANT_STATE) or self._tenant or "default"
        refusal = self._budget.take(self._tenant or "", n)
        if refusal is None:
            self._held += n
        return refusal

    async def _end_body(self, refusal: Refusal) -> None:
        if not self._status:
            await self._refuse(refusal)
        raise BodyEnded

    async def _refuse(self, refusal: Refusal) -> None:
        spoken = None if self._speak is None else self._speak(self._scope["path"], refusal)
        if spoken is None:
            status, body = refusal.status, problem_body(refusal, self._request_id)
            headers = problem_headers(refusal, body)
        else:
            status, body = spoken
            headers = [
                (name, b"application/json" if name == b"content-type" else value)
                for name, value in problem_headers(refusal, body)
            ]
        await self._answer({"type": "http.response.start", "status": status, "headers": headers})
        await self._answer({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            given = message.get("headers", ())
            headers = [*given, *SECURITY_HEADERS, (b"x-request-id", self._request_id.encode())]
            names = {name for name, _ in given}
            if b"content-security-policy" not in names:
                headers.append(DEFAULT_POLICY)
            if b"cache-control" not in names:
                headers.append(DEFAULT_CACHING)
            message["headers"] = headers
        elif message["type"] == "http.response.body":
            self._bytes_out += len(message.get("body", b""))
        await self._send(message)

    def write_line(self, duration_ns: int) -> None:
        scope = self._scope
        state = scope["state"]
        access_log.write(
            request_id=self._request_id,
            method=scope["method"],
            raw_path=scope["raw_path"],
            status=self.status,
            duration_ns=duration_ns,
            bytes_in=self._bytes_in,
            bytes_out=self._bytes_out,
            tenant=state.get(TENANT_STATE) or self._tenant,
        )
