"""Domain errors in MLflow's words: `{"error_code", "message"}` and the status that its clients expect.

Clients branch on the code, and they retry 429 and 5xx for minutes: what a user did wrong is never one of those.
"""

from collections.abc import Callable, Mapping

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from msgspec import Struct

from gnomon_server.api.ingest import Answered
from gnomon_server.api.problems import defect_of
from gnomon_server.api.route import HttpRequest
from gnomon_server.model import errors as e

STATUS: Mapping[str, int] = {
    "INVALID_PARAMETER_VALUE": 400,
    "BAD_REQUEST": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "INVALID_STATE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    # Its usual 429 would have clients try for minutes what only a person can mend.
    "RESOURCE_EXHAUSTED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
}

CODES: Mapping[type[e.GnomonError], str] = {
    e.AlreadyExists: "RESOURCE_ALREADY_EXISTS",
    e.InvalidRequest: "INVALID_PARAMETER_VALUE",
    e.Unauthenticated: "UNAUTHENTICATED",
    e.QuotaExceeded: "RESOURCE_EXHAUSTED",
    e.AccessDenied: "PERMISSION_DENIED",
    e.NotFound: "RESOURCE_DOES_NOT_EXIST",
    e.TooManyRequests: "REQUEST_LIMIT_EXCEEDED",
    e.Unavailable: "TEMPORARILY_UNAVAILABLE",
    e.GnomonError: "BAD_REQUEST",
}


class WireError(e.GnomonError):
    """A refusal whose code only this protocol has."""

    def __init__(self, error_code: str, detail: str) -> None:
        super().__init__(detail)
        self.error_code = error_code


class ErrorBody(Struct, frozen=True):
    error_code: str
    message: str


def say_error(error: Exception, request_id: str) -> Answered:
    """What is answered to an error; a defect of ours shows the request id and nothing else."""
    headers: dict[str, str] = {}
    if isinstance(error, WireError):
        code, message = error.error_code, error.detail
    elif isinstance(error, e.GnomonError):
        code = next(CODES[cls] for cls in type(error).__mro__ if cls in CODES)
        message = sentence_of(error)
        if isinstance(error, e.Unavailable | e.TooManyRequests):
            headers["Retry-After"] = str(error.retry_after_secs)
        if isinstance(error, e.Unauthenticated):
            headers["WWW-Authenticate"] = 'Basic realm="mlflow"'
    elif isinstance(error, HTTPException) and error.status_code < 500:
        code, message = ("ENDPOINT_NOT_FOUND" if error.status_code == 404 else "BAD_REQUEST"), str(error.detail)
    else:
        code = "INTERNAL_ERROR"
        message = f"{defect_of(error, request_id).detail}: {request_id}"
    body = msgspec.json.encode(ErrorBody(code, message))
    return Answered(STATUS[code], "application/json", body, headers)


def answer_error(request: HttpRequest, error: Exception) -> Response[bytes]:
    answer = say_error(error, str(request.scope.get("state", {}).get("request_id", "")))
    return Response(
        content=answer.body, status_code=answer.status, media_type=answer.content_type, headers=dict(answer.headers)
    )


def sentence_of(error: e.GnomonError) -> str:
    """The sentence, as MLflow puts it where its clients or their tests read it."""
    for cls in type(error).__mro__:
        if cls in _SENTENCES:
            return _SENTENCES[cls](error)
    return error.detail


def _missing_tag(key: str, kind: str, uid: str) -> str:
    match kind:
        case "trace":
            return f"No trace tag with key '{key}' for trace with ID '{uid}'"
        case "model":
            return f"No tag with key {key!r} found for model with ID {uid!r}."
    return f"No tag with name: {key} in {kind} with id {uid}"


# Each function is given an error of the class that it stands beside.
_SENTENCES: Mapping[type, Callable[..., str]] = {
    e.ExperimentNotFound: lambda error: f"No Experiment with id={error.uid} exists",
    e.RunNotFound: lambda error: f"Run with id={error.uid} not found",
    e.ModelNotFound: lambda error: f"Logged model with ID '{error.uid}' not found.",
    e.TraceNotFound: lambda error: f"Trace with ID '{error.uid}' not found.",
    e.AssessmentNotFound: lambda error: f"Assessment with ID '{error.uid}' not found for trace '{error.trace}'",
    e.TagNotFound: lambda error: _missing_tag(error.key, *error.owner.split(" ", 1)),
    e.ArtifactNotFound: lambda error: f"No such artifact: '{error.path}'",
    e.RunArchived: lambda error: f"The run {error.uid} must be in the 'active' state. Current state is deleted.",
    e.ExperimentArchived: lambda error: (
        f"The experiment {error.uid} must be in the 'active' state. Current state is deleted."
    ),
}
