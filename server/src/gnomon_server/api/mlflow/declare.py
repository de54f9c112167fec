"""How a route of MLflow's protocol is declared: once, for `/api` and for `/ajax-api`, which its own web pages use.

The function is given one parsed message, whether it came as a body or as a query, and returns the answer. It runs in
a thread of the reader pool. Errors are said in MLflow's words (`errors.py`).
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from anyio import to_thread
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Struct

from gnomon_server.api.guards import PRINCIPAL_STATE, write_down
from gnomon_server.api.guards import needs as needs_guard
from gnomon_server.api.mlflow.errors import answer_error
from gnomon_server.api.mlflow.reading import read_body, read_query
from gnomon_server.api.mlflow.wire import Asked
from gnomon_server.api.route import Answer, Call, HttpRequest, json_answer, query_pairs, reader_limit
from gnomon_server.api.services import services_of
from gnomon_server.core.access import Permission, Principal
from gnomon_server.model.errors import GnomonError

PREFIXES = ("/api", "/ajax-api")

# `Any` stands for the message that the declaration names, and for the Struct or whole Response that answers it.
AnyCall = Call[Any, None]
Function = Callable[[AnyCall], Any]


def wire_route(
    methods: str | Sequence[str],
    path: str,
    *,
    needs: Permission,
    asks: type[Asked] | None = None,
    prefixes: Sequence[str] = PREFIXES,
) -> Callable[[Function], HTTPRouteHandler]:
    """Declare a route: `path` as in `/2.0/mlflow/runs/create`; `asks` None leaves the request to the function."""

    def declare(function: Function) -> HTTPRouteHandler:
        is_async = inspect.iscoroutinefunction(function)

        async def endpoint(request: HttpRequest) -> Answer:
            message = None
            if asks is not None:
                is_query = request.method == "GET"
                message = read_query(query_pairs(request), asks) if is_query else read_body(await request.body(), asks)
            principal = cast("Principal", request.scope["state"].get(PRINCIPAL_STATE))  # set by the guard of this route
            services = services_of(cast("Mapping[str, Any]", request.scope))
            call = Call(request, principal, services, message, None)
            if is_async:
                result = await cast("Callable[[Any], Awaitable[Any]]", function)(call)
            else:
                result = await to_thread.run_sync(function, call, limiter=reader_limit())
            await write_down(services, principal, needs, request.method, request.scope["path"])
            return result if isinstance(result, Response | Stream) else json_answer(cast("Struct", result))

        endpoint.__name__ = function.__name__
        endpoint.__doc__ = function.__doc__
        return HTTPRouteHandler(
            [prefix + path for prefix in prefixes],
            http_method=cast("Any", [methods] if isinstance(methods, str) else list(methods)),
            guards=[needs_guard(needs)],
            status_code=200,
            exception_handlers={
                GnomonError: answer_error,
                HTTPException: answer_error,
                Exception: answer_error,
            },
        )(endpoint)

    return declare
