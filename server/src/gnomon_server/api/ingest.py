"""The ingest routes past the framework: the same declarations, the same guard, half of the time.

Litestar costs about a third of a one-point request (`python -m bench framework`), so the few routes that a training
loop calls are answered here, by one ASGI app that stands between the outer guard and Litestar. Each is still declared
once, with `@ingest_route`: that makes its entry in this table and the Litestar handler that the OpenAPI document, 405
and in-process tests go by. Both run the same function behind the same permission.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from gnomon_server.api.front.asgi import App, Receive, Scope, Send
from gnomon_server.api.front.guard import TENANT_STATE
from gnomon_server.api.guards import authenticate, refuse_without
from gnomon_server.api.problems import PROBLEM_JSON, defect_of, problem_of
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.services import Services
from gnomon_server.core.access import Permission, Principal
from gnomon_server.model.errors import GnomonError

_encode = msgspec.json.Encoder().encode
_PERMISSION: Permission = "runs.write"
_PREFIX = "/api/v1/experiments/runs/"


@dataclass(frozen=True, slots=True)
class Logged:
    """One ingest request: who logs to which run, and the raw body."""

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


def ingest_route(
    name: str,
    *,
    tag: str,
    body_doc: Any,
    gives: Any,
    raises: Sequence[type[GnomonError]],
    also_consumes: Sequence[str] = (),
) -> Callable[[Ingestion], IngestRoute]:
    """Declare `POST /experiments/runs/{run_id}/<name>`. Its permission is `runs.write`, as for every ingest route."""

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
        )
        return IngestRoute(name, function, declared(handle))

    return declare


class IngestApp:
    """ASGI: answers the ingest routes, passes everything else on."""

    def __init__(self, app: App, services: Services, routes: Sequence[IngestRoute]) -> None:
        self._app = app
        self._services = services
        self._functions = {each.name: each.function for each in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(_PREFIX):
            run, _, name = scope["path"][len(_PREFIX) :].partition("/")
            function = self._functions.get(name)
            if function is not None:
                await self._answer(function, run, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, function: Ingestion, run: str, scope: Scope, receive: Receive, send: Send) -> None:
        status, content_type, headers = 200, b"application/json", []
        try:
            answer = _encode(await self._run(function, run, scope, receive))
        except GnomonError as error:
            problem, extra = problem_of(error)
            status, content_type, answer = problem.status, PROBLEM_JSON.encode(), _encode(problem)
            headers = [(name.lower().encode(), value.encode()) for name, value in extra.items()]
        except Exception as error:
            problem = defect_of(error, str(scope["state"].get("request_id", "")))
            status, content_type, answer = 500, PROBLEM_JSON.encode(), _encode(problem)
        headers += [(b"content-type", content_type), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _run(self, function: Ingestion, run: str, scope: Scope, receive: Receive) -> msgspec.Struct:
        tenants: list[str] = []
        content_type = ""
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"x-tenant-id":
                tenants.append(value.decode("latin-1"))
        principal = await authenticate(self._services, tenants)
        refuse_without(principal, _PERMISSION)
        scope["state"][TENANT_STATE] = principal.tenant_name
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
