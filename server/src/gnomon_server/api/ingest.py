"""The ingest routes past the framework: the same declarations, the same guard, half of the time.

Litestar costs about a third of a one-point request (`python -m bench framework`), so the few routes that a training
loop calls are answered here, by one ASGI app that stands between the outer guard and Litestar. Each is still declared
once, with `@ingest_route`: that makes its entry in this table and the Litestar handler that the OpenAPI document, 405
and in-process tests go by. Both run the same function behind the same permission. A dialect whose paths name no run
brings a table of its own, and says errors in its own words.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from gnomon_server.api.front.asgi import App, Receive, Scope, Send
from gnomon_server.api.front.guard import TENANT_STATE
from gnomon_server.api.guards import PRINCIPAL_STATE, address_of, authenticate, refuse_without, sent_by
from gnomon_server.api.problems import PROBLEM_JSON, defect_of, problem_of
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.services import Services
from gnomon_server.core.access import Permission, Principal
from gnomon_server.model.errors import GnomonError

_encode = msgspec.json.Encoder().encode
_PERMISSION: Permission = "runs.log"
_PREFIX = "/api/v1/experiments/runs/"


@dataclass(frozen=True, slots=True)
class Logged:
    """One ingest request: who logs to which run ("": the body says it), and the raw body."""

    services: Services
    principal: Principal
    run: str
    body: bytes
    content_type: str


Ingestion = Callable[[Logged], Awaitable[msgspec.Struct]]


@dataclass(frozen=True, slots=True)
class IngestRoute:
    """A declared ingest route: `name` is the last part of its path."""

    name: str
    function: Ingestion
    handler: HTTPRouteHandler


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is sent."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


# What is answered to an error of the request with this id.
SayError = Callable[[Exception, str], Answered]


@dataclass(frozen=True, slots=True)
class IngestTable:
    """Ingest routes of a dialect, by their whole paths."""

    functions: Mapping[str, Ingestion]
    say_error: SayError


def say_problem(error: Exception, request_id: str) -> Answered:
    """The words of the native API."""
    problem, headers = problem_of(error) if isinstance(error, GnomonError) else (defect_of(error, request_id), {})
    return Answered(problem.status, PROBLEM_JSON, _encode(problem), headers)


def ingest_route(
    name: str,
    *,
    tag: str,
    body_doc: Any,
    gives: Any,
    raises: Sequence[type[GnomonError]],
    also_consumes: Sequence[str] = (),
    is_body_optional: bool = False,
) -> Callable[[Ingestion], IngestRoute]:
    """Declare `POST /experiments/runs/{run_id}/<name>`. Its permission is `runs.log`, as for every ingest route."""

    def declare(function: Ingestion) -> IngestRoute:
        async def handle(call: Call[None, None]) -> Response[bytes]:
            content_type = call.request.headers.get("content-type", "")
            body = await call.request.body()
            logged = Logged(call.services, call.principal, call.path("run_id"), body, content_type)
            return json_answer(await function(logged))

        handle.__name__ = function.__name__
        handle.__doc__ = function.__doc__
        declared = route(
            "POST",
            f"/experiments/runs/{{run_id:str}}/{name}",
            needs=_PERMISSION,
            tag=tag,
            body_doc=body_doc,
            gives=gives,
            raises=raises,
            also_consumes=also_consumes,
            is_body_optional=is_body_optional,
        )
        return IngestRoute(name, function, declared(handle))

    return declare


class IngestApp:
    """ASGI: answers the ingest routes, passes everything else on."""

    def __init__(
        self, app: App, services: Services, routes: Sequence[IngestRoute], tables: Sequence[IngestTable] = ()
    ) -> None:
        self._app = app
        self._services = services
        self._functions = {each.name: (each.function, f"{_PREFIX}{{run_id}}/{each.name}") for each in routes}
        self._exact = {
            path: (function, table.say_error) for table in tables for path, function in table.functions.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            path: str = scope["path"]
            if path.startswith(_PREFIX):
                run, _, name = path[len(_PREFIX) :].partition("/")
                known = self._functions.get(name)
                if known is not None:
                    function, scope["path_template"] = known
                    await self._answer(function, say_problem, run, scope, receive, send)
                    return
            elif (found := self._exact.get(path)) is not None:
                scope["path_template"] = path
                await self._answer(*found, "", scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(
        self, function: Ingestion, say_error: SayError, run: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            answer = Answered(200, "application/json", _encode(await self._run(function, run, scope, receive)))
        except Exception as error:
            answer = say_error(error, str(scope["state"].get("request_id", "")))
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        headers += [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _run(self, function: Ingestion, run: str, scope: Scope, receive: Receive) -> msgspec.Struct:
        headers = scope["headers"]
        principal = await authenticate(self._services, sent_by(headers), address_of(scope.get("client")))
        scope["state"][PRINCIPAL_STATE] = principal
        scope["state"][TENANT_STATE] = principal.tenant_name
        refuse_without(principal, _PERMISSION)
        content_type = next((value.decode("latin-1") for name, value in headers if name == b"content-type"), "")
        body = await _read_body(receive)
        return await function(Logged(self._services, principal, run, body, content_type))


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)
