"""An answer for every path of MLflow's that is not served: 501 with a sentence for what is left out, 404 for the rest.

Its clients retry neither, so what is missing fails at once and says so.
"""

import re

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException

from gnomon_server.api.front.problems import Refusal
from gnomon_server.api.mlflow.errors import ErrorBody, WireError, answer_error
from gnomon_server.api.mlflow.reading import DOCS
from gnomon_server.api.route import HttpRequest

# Everything below these belongs to MLflow's protocol.
PATHS = ("/api/2.0/", "/api/3.0/", "/ajax-api/", "/v1/traces", "/graphql", "/gateway/")

# Those of its paths that stand outside of these.
_PLAIN = ("/get-artifact", "/api/get-artifact", "/model-versions/")
_MANY_RUNS = ("/metrics/get-history-bulk", "/metrics/get-history-bulk-interval")
_CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}

_ABSENT = (
    (r"/(api|ajax-api)/3\.0/mlflow/traces/metrics", "metrics of traces"),
    (r"/(api|ajax-api)/2\.0/mlflow/(unified-traces|get-online-trace-details)", "traces of Databricks"),
    (r"/(api|ajax-api)/3\.0/mlflow/datasets", "evaluation datasets"),
    (r"/(api|ajax-api)/3\.0/mlflow/(scorers?|genai)", "scorers and evaluations"),
    (r"/(api|ajax-api)/3\.0/mlflow/(issues|label-schemas|review-queues)", "reviews of traces"),
    (r"/(api|ajax-api)/3\.0/mlflow/(gateway|mcp-servers|assistant)", "the AI gateway and its kin"),
    (r"/gateway/|/(api|ajax-api)/2\.0/mlflow/(gateway-proxy|runs/create-promptlab-run)", "the AI gateway and its kin"),
    (r"/(api|ajax-api)/3\.0/(jobs|mlflow/jobs|mlflow/prompt-optimization|mlflow/demo)", "jobs"),
    (r"/(api|ajax-api)/3\.0/mlflow/workspaces", "making and listing workspaces: name one, and it is there"),
    (r"/(api|ajax-api)/[23]\.0/mlflow/(users|roles)", "users and roles"),
    (r"/(api|ajax-api)/2\.0/mlflow/artifacts/presigned", "presigned addresses; files go through this server"),
)
_ABSENT_PATHS = [(re.compile(pattern), what) for pattern, what in _ABSENT]


def say_refusal(path: str, refusal: Refusal) -> tuple[int, bytes] | None:
    """What the outer guard refuses, in words and statuses that MLflow's clients read; None: it is not their path."""
    path = re.sub("/{2,}", "/", path)
    if not path.startswith((*PATHS, *_PLAIN)):
        return None
    status, message = refusal.status, refusal.detail
    if status == 415:
        status, message = 400, f"Bad Request. Content-Type must be one of ['application/json']; {refusal.detail}."
    elif refusal.code == "invalid_request" and "path holds" in refusal.detail:
        message = "Invalid path"
    elif status == 414 and path.endswith(_MANY_RUNS):
        # A URL so long names more runs than either takes: a hundred ids fill half of the bound.
        status, message = 400, _many_runs(path)
    return status, msgspec.json.encode(ErrorBody(_CODES.get(status, "BAD_REQUEST"), message))


def _many_runs(path: str) -> str:
    if path.endswith("-interval"):
        return f"GetMetricHistoryBulkInterval request must specify at most 100 run_ids.{DOCS}"
    return "GetMetricHistoryBulk request cannot specify more than 100 run_ids."


def answer_unserved(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """What is said to a path or method that no route takes."""
    path = request.scope["path"]
    for pattern, what in _ABSENT_PATHS:
        if pattern.match(path):
            sentence = f"this server does not have {what} (asked for {request.method} {path})"
            return answer_error(request, WireError("NOT_IMPLEMENTED", sentence))
    sentence = f"{request.method} {path} is not served here; the MLflow guide of this server lists what is"
    answer = answer_error(request, WireError("ENDPOINT_NOT_FOUND", sentence))
    answer.status_code = error.status_code
    return answer
