"""How a route is declared: method, path, permission, what it takes, gives and raises.

One declaration makes the handler, its guard and its page in the OpenAPI document, so none of the three can disagree.

    @route("GET", "/experiments", needs="experiments.read", query=ListQuery, gives=ExperimentListResponse)
    def list_experiments(call: Call[None, ListQuery]) -> ExperimentListResponse:
        \"""List experiments, newest first.\"""

A plain `def` runs in a thread of the reader pool; an `async def` on the event loop (only ingest and streams).
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Struct

from gnomon import wire
from gnomon_server.api import bodies
from gnomon_server.api.guards import PRINCIPAL_STATE, write_down
from gnomon_server.api.guards import needs as needs_guard
from gnomon_server.api.services import Services, services_of
from gnomon_server.core.access import Permission, Principal
from gnomon_server.model.errors import GnomonError

B = TypeVar("B")
Q = TypeVar("Q")

# The declarations keep types, not values: `Any` stands for "a Struct class that msgspec reads at start".
HttpRequest = Request[Any, Any, State]
Answer = Response[Any] | Stream


class _Nothing(wire.Request, frozen=True):
    """The body of a route that takes none: absent, or an object without fields."""


# Names where a live stream begins that misses nothing of what changed after this answer was read.
REVISION = "Gnomon-Revision"
_REVISION_TEXT = "send it as Last-Event-ID to the experiment's live stream: it begins with what changed since"

encode_json = msgspec.json.Encoder().encode
# As many as there are pooled connections, and a few for work that needs none.
_readers: CapacityLimiter | None = None
_READER_THREADS = 12


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One request, parsed: who, what body, which query, and the services."""

    request: HttpRequest
    principal: Principal
    services: Services
    body: B
    query: Q

    def path(self, name: str) -> str:
        value = self.request.path_params[name]
        assert isinstance(value, str)
        return value


@dataclass(frozen=True, slots=True)
class Doc:
    """What the OpenAPI document says of a route."""

    method: str
    path: str
    permission: Permission
    summary: str
    description: str
    tag: str
    body: Any
    is_body_optional: bool
    query: type[Struct] | None
    status: int
    gives: Any
    media: Mapping[str, Any]
    raises: Sequence[type[GnomonError]]
    consumes: str = "application/json"
    also_consumes: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[int, str] = field(default_factory=dict)

    def __deepcopy__(self, _memo: dict[int, object]) -> "Doc":
        """Itself: it never changes, and Litestar copies a handler with all that hangs on it."""
        return self


def route(
    method: str,
    path: str,
    *,
    needs: Permission,
    tag: str,
    body: Any = None,
    is_body_optional: bool = False,
    body_doc: Any = None,
    query: type[Struct] | None = None,
    status: int = 200,
    gives: Any = None,
    media: Mapping[str, Any] | None = None,
    raises: Sequence[type[GnomonError]] = (),
    consumes: str = "application/json",
    also_consumes: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    also: Mapping[int, str] | None = None,
    tells_revision: bool = False,
) -> Callable[[Callable[[Any], Any]], HTTPRouteHandler]:
    """Declare a route. `body`: the Struct to decode; `body_doc`: the type to show, where it says more than `body` or
    the handler decodes by itself.
    `also`: further statuses that are no errors, such as 304, with what they mean.
    `tells_revision`: the answer says where a live stream has to begin so that nothing falls between the two.

    The function may return a Struct (encoded as JSON with `status`), or a whole Response.
    """

    def declare(function: Callable[[Any], Any]) -> HTTPRouteHandler:
        is_async = inspect.iscoroutinefunction(function)
        doc = _doc_of(
            function,
            method=method,
            path=path,
            permission=needs,
            tag=tag,
            body=body if body_doc is None else body_doc,
            is_body_optional=is_body_optional,
            query=query,
            status=status,
            gives=gives,
            media=media or {},
            raises=raises,
            consumes=consumes,
            also_consumes=also_consumes,
            headers={**(headers or {}), **({REVISION: _REVISION_TEXT} if tells_revision else {})},
            also=also or {},
        )

        takes_nothing = method == "POST" and body is None and body_doc is None and consumes == "application/json"

        async def endpoint(request: HttpRequest) -> Answer:
            parsed = None
            if body is not None:
                raw = await request.body()
                parsed = None if is_body_optional and not raw else bodies.parse_body(raw, body)
            elif takes_nothing and (raw := await request.body()):
                bodies.parse_body(raw, _Nothing)
            asked = None if query is None else bodies.parse_query(query_pairs(request), query)
            principal = cast("Principal", request.scope["state"].get(PRINCIPAL_STATE))  # set by the guard of this route
            services = services_of(cast("Mapping[str, Any]", request.scope))
            call = Call(request, principal, services, parsed, asked)
            revision = services.streams.revision() if tells_revision else None  # before anything is read
            if is_async:
                result = await cast("Callable[[Any], Awaitable[Any]]", function)(call)
            else:
                result = await to_thread.run_sync(function, call, limiter=reader_limit())
            await write_down(services, principal, needs, request.method, request.scope["path"])
            if isinstance(result, Response | Stream):
                return result
            return json_answer(result, status=status, headers={} if revision is None else {REVISION: revision})

        endpoint.__name__ = function.__name__
        endpoint.__doc__ = function.__doc__
        return HTTPRouteHandler(
            path,
            http_method=[cast("Any", method)],
            guards=[needs_guard(needs)],
            opt={"doc": doc},
            status_code=status,
        )(endpoint)

    return declare


def options_routes(routes: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Answers to OPTIONS, one for each path: all of its methods. Litestar's own would name those it met first.

    They are registered before the routes, or Litestar makes its own.
    """
    methods: dict[str, set[str]] = {}
    for each in routes:
        for path in each.paths:
            methods.setdefault(path, {"OPTIONS"}).update(map(str, each.http_methods))
    return [_options_route(path, ", ".join(sorted(allowed))) for path, allowed in methods.items()]


def _options_route(path: str, allow: str) -> HTTPRouteHandler:
    async def options(request: HttpRequest) -> Response[None]:  # noqa: ARG001  # Litestar passes it by this name
        return Response(content=None, status_code=204, headers={"Allow": allow})

    return HTTPRouteHandler(path, http_method=["OPTIONS"], guards=[needs_guard("public")], status_code=204)(options)


def json_answer(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        content=encode_json(value), status_code=status, media_type="application/json", headers=dict(headers or {})
    )


def query_pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The query string, decoded once, repeats kept."""
    return [(name, value) for name, value in request.query_params.multi_items()]


def reader_limit() -> CapacityLimiter:
    # Made on first use: a limiter belongs to the event loop that is running then.
    global _readers
    if _readers is None:
        _readers = CapacityLimiter(_READER_THREADS)
    return _readers


def _doc_of(function: Callable[[Any], Any], **facts: Any) -> Doc:
    text = inspect.getdoc(function)
    assert text, f"{function.__name__} has no docstring; its first line is the route's summary"
    summary, _, description = text.partition("\n")
    return Doc(summary=summary.rstrip("."), description=description.strip(), **facts)
