"""Domain errors as HTTP answers of the native API: one table, one shape (RFC 9457 problem+json)."""

import logging
from http import HTTPStatus

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from gnomon.wire import FieldProblem, Problem
from gnomon_server.model import errors as e

log = logging.getLogger("gnomon.api")

PROBLEM_JSON = "application/problem+json"

STATUS: dict[type[e.GnomonError], int] = {
    e.InvalidRequest: 400,
    e.Unauthenticated: 401,
    e.AccessDenied: 403,
    e.NotFound: 404,
    e.SequenceGap: 409,
    e.TooLarge: 413,
    e.UnsupportedMedia: 415,
    e.RangeUnsatisfiable: 416,
    e.TooManyRequests: 429,
    e.Unavailable: 503,
}

_CODES = {404: "no_such_route", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
_encode = msgspec.json.Encoder().encode


def status_of(error: e.GnomonError) -> int:
    """The status of the nearest class in the table."""
    for cls in type(error).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return 500


def problem_of(error: e.GnomonError) -> tuple[Problem, dict[str, str]]:
    """The body and the headers that answer a domain error."""
    status = status_of(error)
    headers: dict[str, str] = {}
    fields: list[FieldProblem] = []
    expected_seq = None
    match error:
        case e.InvalidRequest(errors=found):
            fields = [FieldProblem(field=field, message=message) for field, message in found]
        case e.Unavailable(retry_after_secs=secs) | e.TooManyRequests(retry_after_secs=secs):
            headers["Retry-After"] = str(secs)
        case e.Unauthenticated():
            headers["WWW-Authenticate"] = "Bearer"
        case e.RangeUnsatisfiable(size=size):
            headers["Content-Range"] = f"bytes */{size}"
        case e.SequenceGap(expected_seq=seq):
            expected_seq = seq
    problem = Problem(
        type=f"urn:gnomon:problem:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.detail,
        code=error.code,
        errors=fields,
        expected_seq=expected_seq,
    )
    return problem, headers


def answer_gnomon_error(_request: Request[object, object, State], error: e.GnomonError) -> Response[bytes]:
    problem, headers = problem_of(error)
    return _answer(problem, headers)


def answer_http_error(_request: Request[object, object, State], error: HTTPException) -> Response[bytes]:
    """Routing's own errors: no such path, no such method."""
    status = error.status_code
    allow = next((value for key, value in (error.headers or {}).items() if key.lower() == "allow"), None)
    headers = {} if allow is None else {"Allow": allow}
    detail = {
        404: "no such route; GET /openapi.json lists them all",
        405: f"this path takes other methods: {allow or 'see /openapi.json'}",
    }.get(status, error.detail)
    code = _CODES.get(status, "invalid_request" if status < 500 else "internal")
    problem = Problem(
        type=f"urn:gnomon:problem:{code}", title=HTTPStatus(status).phrase, status=status, detail=detail, code=code
    )
    return _answer(problem, headers)


def answer_defect(request: Request[object, object, State], error: Exception) -> Response[bytes]:
    return _answer(defect_of(error, str(request.scope.get("state", {}).get("request_id", ""))), {})


def defect_of(error: Exception, request_id: str) -> Problem:
    """A defect of ours: logged in full, answered with the request id and nothing else."""
    log.error("request %s failed", request_id, exc_info=error, extra={"request_id": request_id})
    return Problem(
        type="urn:gnomon:problem:internal",
        title="Internal Server Error",
        status=500,
        detail="the server failed; give this request id to whoever runs it",
        code="internal",
        request_id=request_id,
    )


def _answer(problem: Problem, headers: dict[str, str]) -> Response[bytes]:
    return Response(content=_encode(problem), status_code=problem.status, media_type=PROBLEM_JSON, headers=headers)
