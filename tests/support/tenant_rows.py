"""One request for every route, with the places of ids named.

EXPERIMENT, NUMBER (its per-tenant number), RUN, MODEL_ID (a logged model), REGISTERED (the name of a registered model),
TRACE.

The tenant tests fill the places with ids of one's own, of another tenant, and of nobody. A route that is not listed
here fails `test_every_route_is_in_the_matrix`, so a new one is tested the minute it exists.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """`own`: what it answers with ids of one's own. `content` is a body that is no JSON.

    `quiet`: the slots whose foreign id is answered as one of nobody, to the byte. Names are always so, because they
    can be guessed. `nobody`: what a run of nobody is answered.
    """

    method: str
    path: str
    body: Json | None = None
    query: Json = field(default_factory=dict)
    files: bool = False
    own: tuple[int, ...] = (200, 201)
    quiet: tuple[str, ...] = ("REGISTERED", "TRACE")
    nobody: int = 404
    content: bytes | None = None

    @property
    def slots(self) -> frozenset[str]:
        text = f"{self.path} {self.body} {self.query}"
        return frozenset(
            slot for slot in ("EXPERIMENT", "NUMBER", "RUN", "MODEL_ID", "REGISTERED", "TRACE") if slot in text
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


_E, _R = "/experiments/EXPERIMENT", "/experiments/runs/RUN"
NO_VIEW = "f" * 32
NO_WEBHOOK, NO_DELIVERY = "9" * 32, "8" * 32
NO_TRACE = "tr-nobody"
NO_KEY = "a" * 10
NO_UPLOAD = "e" * 32
NO_RULE = "c" * 32
NO_SESSION = "q" * 10

NATIVE = [
    Row("POST", "/experiments", {"name": "matrix"}),
    Row("GET", "/experiments"),
    Row("GET", _E),
    Row("PATCH", _E, {"description": "changed", "tags": {"changed": "yes"}}),
    Row("DELETE", _E),
    Row("POST", f"{_E}/restore"),
    Row("POST", f"{_E}/purge", own=(400,)),  # it is not archived
    Row("GET", f"{_E}/keys"),
    Row("GET", f"{_E}/storage"),
    Row("GET", f"{_E}/storage/runs"),
    Row("GET", f"{_E}/storage/metrics"),
    Row("GET", f"{_R}/storage"),
    Row("GET", f"{_R}/storage/metrics"),
    Row("GET", "/quotas"),
    Row("GET", "/quotas/nobody", own=(404,)),
    Row("PATCH", "/quotas/nobody", {"points": 1}, own=(403,)),
    Row("GET", "/retention"),
    Row("POST", "/retention", {"action": "purge", "after_days": 1, "experiment_id": "EXPERIMENT"}),
    Row("DELETE", f"/retention/{NO_RULE}", own=(404,)),
    Row("GET", f"/retention/{NO_RULE}/preview", own=(404,)),
    Row("POST", f"/retention/{NO_RULE}/apply", own=(404,)),
    Row("GET", "/storage"),
    Row("GET", "/storage/experiments"),
    Row("GET", f"{_E}/table", query={"columns": "name,params.p,metrics.m"}),
    Row("GET", f"{_E}/groups", query={"by": "name"}),
    Row("GET", f"{_E}/live"),
    Row("GET", f"{_E}/views"),
    Row("POST", f"{_E}/views", {"name": "changed", "state": ""}),
    Row("PUT", f"{_E}/views/{NO_VIEW}", {"name": "changed", "state": ""}, own=(404,)),
    Row("DELETE", f"{_E}/views/{NO_VIEW}", own=(404,)),
    Row("POST", "/experiments/runs", {"experiment_id": "EXPERIMENT"}),
    Row("GET", "/experiments/runs", query={"experiment_id": ["EXPERIMENT"]}),
    Row("POST", "/experiments/runs/compare", {"run_ids": ["OWN_RUN", "RUN"]}),
    Row("POST", "/experiments/runs/series", {"run_ids": ["OWN_RUN", "RUN"], "keys": ["m"]}),
    Row("GET", _R),
    Row("PATCH", _R, {"name": "changed", "status": "failed"}),
    Row("DELETE", _R),
    Row("POST", f"{_R}/end", {"status": "killed"}),
    Row("POST", f"{_R}/restore"),
    Row("POST", f"{_R}/purge", own=(400,)),
    Row("GET", f"{_R}/ledger"),
    Row("POST", f"{_R}/check-in"),
    Row("GET", f"{_R}/events"),
    Row("GET", f"{_R}/traces"),
    Row("GET", f"/traces/{NO_TRACE}", own=(404,)),
    Row("POST", f"{_R}/log-metrics", {"metrics": {"m": 666}}),
    Row("POST", f"{_R}/log-params", {"params": {"changed": 1}}),
    Row("POST", f"{_R}/log-batch", {"metrics": [{"key": "m", "value": 666}], "tags": [{"key": "c", "value": "d"}]}),
    Row("POST", f"{_R}/batches", {"writer": "w", "seq": 0, "tags": {"changed": "yes"}}),
    Row("GET", f"{_R}/history"),
    Row("POST", f"{_R}/log-artifact", files=True),
    Row("POST", f"{_R}/uploads", {"path": "changed.bin", "size": 1, "sha256": "0" * 64}),
    Row("GET", f"{_R}/uploads/{NO_UPLOAD}", own=(404,)),
    Row("PUT", f"{_R}/uploads/{NO_UPLOAD}/parts/0", query={"sha256": "0" * 64}, own=(404,)),
    Row("POST", f"{_R}/uploads/{NO_UPLOAD}/complete", own=(404,)),
    Row("DELETE", f"{_R}/uploads/{NO_UPLOAD}", own=(404,)),
    Row("GET", f"{_R}/artifacts"),
    Row("GET", f"{_R}/artifacts/secret.txt"),
    Row("HEAD", f"{_R}/artifacts/secret.txt"),
    Row("GET", f"{_E}/rules"),
    Row("POST", f"{_E}/rules", {"name": "changed", "kind": "nonfinite"}),
    Row("PUT", f"{_E}/rules/{NO_RULE}", {"name": "changed", "kind": "nonfinite"}, own=(404,)),
    Row("DELETE", f"{_E}/rules/{NO_RULE}", own=(404,)),
    Row("POST", f"{_E}/rules/{NO_RULE}/test", own=(404,)),
    Row("GET", f"{_E}/rules/{NO_RULE}/firings", own=(404,)),
    Row("POST", f"{_E}/rules/{NO_RULE}/firings/RUN/clear", own=(404,)),
    Row("GET", "/webhooks"),
    Row(
        "POST",
        "/webhooks",
        {"name": "w", "url": "https://example.com/", "events": ["rule.fired"], "experiment_id": "EXPERIMENT"},
    ),
    Row("GET", f"/webhooks/{NO_WEBHOOK}", own=(404,)),
    Row("PATCH", f"/webhooks/{NO_WEBHOOK}", {"active": False}, own=(404,)),
    Row("DELETE", f"/webhooks/{NO_WEBHOOK}", own=(404,)),
    Row("POST", f"/webhooks/{NO_WEBHOOK}/rotate-secret", own=(404,)),
    Row("POST", f"/webhooks/{NO_WEBHOOK}/test", own=(404,)),
    Row("GET", f"/webhooks/{NO_WEBHOOK}/deliveries", own=(404,)),
    Row("POST", f"/webhooks/{NO_WEBHOOK}/deliveries/{NO_DELIVERY}/redeliver", own=(404,)),
    Row("GET", "/me"),
    # In open mode nobody manages keys; tests/api/test_keys.py asks with them.
    Row("GET", "/keys", own=(403,)),
    Row("POST", "/keys", {"role": "viewer"}, own=(403,)),
    Row("POST", f"/keys/{NO_KEY}/rotate", own=(403,)),
    Row("DELETE", f"/keys/{NO_KEY}", own=(403,)),
    Row("GET", "/audit", own=(403,)),
    # And nobody signs in; tests/api/test_sign_in.py does.
    Row("GET", "/sign-in"),
    Row("POST", "/sign-in/start", {}, own=(404,)),
    Row("POST", "/sign-in/finish", {"code": "c", "state": "s"}, own=(404,)),
    Row("POST", "/sign-out", own=(400,)),
    Row("GET", "/sessions"),
    Row("DELETE", f"/sessions/{NO_SESSION}", own=(404,)),
]

_M, _P, _D = "/2.0/mlflow", "/2.0/mlflow-artifacts/artifacts", "/2.0/mlflow-artifacts"
_L, _RM, _MV = f"{_M}/logged-models/MODEL_ID", f"{_M}/registered-models", f"{_M}/model-versions"
_W, _CREATED = f"{_M}/webhooks", {"entity": "PROMPT", "action": "CREATED"}
_ASKED = '{ mlflowGetRun(input: {runId: "RUN"}) { run { info { runName } } } }'
_T2, _T3 = f"{_M}/traces", "/3.0/mlflow/traces"
_ALL = ("RUN", "MODEL_ID", "REGISTERED", "TRACE")
_DATASETS = [{"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "here"}}]
# A run may say that it used any model, as on MLflow's own server: nothing is looked up, so nothing is told.
_LINKED = ("MODEL_ID", "REGISTERED", "TRACE")
_SOURCE = ("RUN", "REGISTERED", "TRACE")
_USED = [{"model_id": "MODEL_ID"}]
_VERSION = {"name": "REGISTERED", "version": "1"}
_MODEL_JSON = '{"artifact_path": "m", "flavors": {}, "run_id": "r", "utc_time_created": "t"}'
_PLACE = {"mlflow_experiment": {"experiment_id": "NUMBER"}}
_JUDGED = {"assessment_id": "secret", "assessment_name": "good", "feedback": {"value": True}}
MLFLOW = [
    Row("POST", f"{_M}/experiments/create", {"name": "matrix"}),
    Row("GET", f"{_M}/experiments/get", query={"experiment_id": "NUMBER"}),
    Row("GET", f"{_M}/experiments/get-by-name", query={"experiment_name": "nobody's"}, own=(404,)),
    Row("GET", f"{_M}/experiments/search", query={"max_results": "10"}),
    Row("POST", f"{_M}/experiments/search", {"max_results": 10}),
    Row("POST", f"{_M}/experiments/update", {"experiment_id": "NUMBER", "new_name": "changed"}),
    Row("POST", f"{_M}/experiments/delete", {"experiment_id": "NUMBER"}),
    Row("POST", f"{_M}/experiments/restore", {"experiment_id": "NUMBER"}, own=(404,)),  # it is not deleted
    Row("POST", f"{_M}/experiments/set-experiment-tag", {"experiment_id": "NUMBER", "key": "c", "value": "d"}),
    Row("POST", f"{_M}/experiments/delete-experiment-tag", {"experiment_id": "NUMBER", "key": "secret"}),
    Row("POST", f"{_M}/runs/create", {"experiment_id": "NUMBER"}),
    Row("GET", f"{_M}/runs/get", query={"run_id": "RUN"}),
    Row("POST", f"{_M}/runs/update", {"run_id": "RUN", "run_name": "changed"}),
    Row("POST", f"{_M}/runs/delete", {"run_id": "RUN"}),
    Row("POST", f"{_M}/runs/restore", {"run_id": "RUN"}),
    Row("POST", f"{_M}/runs/delete-tag", {"run_id": "RUN", "key": "secret"}),
    Row("POST", f"{_M}/runs/search", {"experiment_ids": ["NUMBER"]}),
    Row("POST", f"{_M}/runs/log-metric", {"run_id": "RUN", "key": "m", "value": 666, "timestamp": 1}),
    Row("POST", f"{_M}/runs/log-parameter", {"run_id": "RUN", "key": "changed", "value": "1"}),
    Row("POST", f"{_M}/runs/set-tag", {"run_id": "RUN", "key": "changed", "value": "1"}),
    Row("POST", f"{_M}/runs/log-batch", {"run_id": "RUN", "tags": [{"key": "c", "value": "d"}]}),
    Row("GET", f"{_M}/metrics/get-history", query={"run_id": "RUN", "metric_key": "m"}, quiet=_ALL),
    Row("GET", f"{_M}/metrics/get-history-bulk-interval", query={"run_ids": ["RUN"], "metric_key": "m"}, quiet=_ALL),
    Row("GET", f"{_M}/metrics/get-history-bulk", query={"run_id": ["RUN"], "metric_key": "m"}, quiet=_ALL),
    Row("POST", f"{_M}/runs/log-inputs", {"run_id": "RUN", "datasets": _DATASETS, "models": _USED}, quiet=_LINKED),
    Row(
        "POST",
        f"{_M}/runs/outputs",
        {"run_id": "RUN", "models": [{"model_id": "MODEL_ID", "step": "1"}]},
        quiet=_LINKED,
    ),
    Row("POST", f"{_M}/runs/log-model", {"run_id": "RUN", "model_json": _MODEL_JSON}),
    Row("POST", f"{_M}/experiments/search-datasets", {"experiment_ids": ["NUMBER"]}),
    Row("GET", f"{_M}/artifacts/list", query={"run_id": "RUN"}),
    Row("GET", "/get-artifact", query={"run_id": "RUN", "path": "secret.txt"}),
    Row("POST", f"{_M}/upload-artifact", query={"run_uuid": "RUN", "path": "stolen.txt"}, content=b"x"),
    Row("GET", _P, query={"path": "EXPERIMENT/RUN/artifacts"}, nobody=200),
    Row("GET", f"{_P}/EXPERIMENT/RUN/artifacts/secret.txt"),
    Row("PUT", f"{_P}/EXPERIMENT/RUN/artifacts/stolen.txt", content=b"x"),
    Row("DELETE", f"{_P}/EXPERIMENT/RUN/artifacts/secret.txt"),
    Row("GET", f"{_P}/EXPERIMENT/models/MODEL_ID/artifacts/secret.txt"),
    Row("PUT", f"{_P}/EXPERIMENT/models/MODEL_ID/artifacts/stolen.txt", content=b"x"),
    Row("DELETE", f"{_P}/EXPERIMENT/models/MODEL_ID/artifacts/secret.txt"),
    # What this server has no object store for; a foreign run is told apart before that is said.
    Row("POST", f"{_D}/mpu/create/EXPERIMENT/RUN/artifacts", {"path": "f", "num_parts": 1}, own=(501,)),
    Row("POST", f"{_D}/mpu/complete/EXPERIMENT/RUN/artifacts", {"path": "f", "upload_id": NO_UPLOAD}, own=(501,)),
    Row("POST", f"{_D}/mpu/abort/EXPERIMENT/RUN/artifacts", {"path": "f", "upload_id": NO_UPLOAD}, own=(501,)),
    Row("GET", f"{_D}/presigned/EXPERIMENT/RUN/artifacts/secret.txt", own=(501,)),
    Row("POST", f"{_M}/logged-models", {"experiment_id": "NUMBER", "source_run_id": "RUN", "name": "n"}, quiet=_ALL),
    Row("POST", f"{_M}/logged-models/search", {"experiment_ids": ["NUMBER"]}),
    Row("GET", _L),
    Row("PATCH", _L, {"status": "LOGGED_MODEL_READY"}),
    Row("DELETE", _L),
    Row("POST", f"{_L}/params", {"params": [{"key": "changed", "value": "1"}]}),
    Row("PATCH", f"{_L}/tags", {"tags": [{"key": "changed", "value": "1"}]}),
    Row("DELETE", f"{_L}/tags/secret"),
    Row("GET", f"{_L}/artifacts/directories"),
    Row("GET", f"{_L}/artifacts/files", query={"artifact_file_path": "secret.txt"}),
    Row("POST", f"{_RM}/create", {"name": "matrix"}),
    Row("GET", f"{_RM}/get", query={"name": "REGISTERED"}),
    Row("POST", f"{_RM}/rename", {"name": "REGISTERED", "new_name": "changed"}),
    Row("PATCH", f"{_RM}/update", {"name": "REGISTERED", "description": "changed"}),
    Row("DELETE", f"{_RM}/delete", {"name": "REGISTERED"}),
    Row("GET", f"{_RM}/search"),
    Row("GET", f"{_RM}/get-latest-versions", query={"name": "REGISTERED"}),
    Row("POST", f"{_RM}/get-latest-versions", {"name": "REGISTERED"}),
    Row("POST", f"{_RM}/set-tag", {"name": "REGISTERED", "key": "changed", "value": "1"}),
    Row("DELETE", f"{_RM}/delete-tag", {"name": "REGISTERED", "key": "secret"}),
    Row("POST", f"{_RM}/alias", {"name": "REGISTERED", "alias": "changed", "version": "1"}),
    Row("DELETE", f"{_RM}/alias", {"name": "REGISTERED", "alias": "champion"}),
    Row("GET", f"{_RM}/alias", query={"name": "REGISTERED", "alias": "champion"}),
    Row("POST", f"{_MV}/create", {"name": "REGISTERED", "source": "models:/MODEL_ID", "run_id": "RUN"}, quiet=_SOURCE),
    Row("GET", f"{_MV}/get", query=_VERSION),
    Row("GET", f"{_MV}/get-download-uri", query=_VERSION),
    Row("PATCH", f"{_MV}/update", {**_VERSION, "description": "changed"}),
    Row("POST", f"{_MV}/transition-stage", {**_VERSION, "stage": "Production"}),
    Row("DELETE", f"{_MV}/delete", _VERSION),
    Row("GET", f"{_MV}/search"),
    Row("POST", f"{_MV}/set-tag", {**_VERSION, "key": "changed", "value": "1"}),
    Row("DELETE", f"{_MV}/delete-tag", {**_VERSION, "key": "secret"}),
    *(
        Row(method, "/graphql", {"query": _ASKED} if method == "POST" else None, query=query, nobody=200)
        for method, query in (("POST", {}), ("GET", {"query": _ASKED}))
    ),
    Row("GET", _W),
    Row("POST", _W, {"name": "w", "url": "https://a.example/", "events": [_CREATED]}),
    Row("GET", f"{_W}/{NO_WEBHOOK}", own=(404,)),
    Row("PATCH", f"{_W}/{NO_WEBHOOK}", {"status": "DISABLED"}, own=(404,)),
    Row("DELETE", f"{_W}/{NO_WEBHOOK}", own=(404,)),
    Row("POST", f"{_W}/{NO_WEBHOOK}/test", {}, own=(404,)),
    Row("POST", _T2, {"experiment_id": "NUMBER", "timestamp_ms": 1}),
    Row("GET", _T2, query={"experiment_ids": ["NUMBER"]}),
    Row("PATCH", f"{_T2}/TRACE", {"timestamp_ms": 1_000, "status": "OK"}),
    Row("GET", f"{_T2}/TRACE/info"),
    *(Row("GET", f"{each}/get-trace-artifact", query={"request_id": "TRACE"}) for each in (_M, "/3.0/mlflow")),
    Row("POST", f"{_T2}/link-to-run", {"trace_ids": ["TRACE"], "run_id": "RUN"}),
    Row("POST", f"{_T2}/link-prompts", {"trace_id": "TRACE", "prompt_versions": [{"name": "p", "version": "1"}]}),
    *(Row("PATCH", f"{each}/TRACE/tags", {"key": "changed", "value": "1"}) for each in (_T2, _T3)),
    *(Row("DELETE", f"{each}/TRACE/tags", {"key": "secret"}) for each in (_T2, _T3)),
    Row("POST", _T3, {"trace": {"trace_info": {"trace_id": "TRACE", "trace_location": _PLACE}}}),
    Row("GET", f"{_T3}/get", query={"trace_id": "TRACE", "allow_partial": "true"}),
    Row("GET", f"{_T3}/batchGet", query={"trace_ids": ["TRACE"]}),
    Row("POST", f"{_T3}/batchGetInfos", {"trace_ids": ["TRACE"]}),
    Row("POST", f"{_T3}/search", {"locations": [_PLACE]}),
    Row(
        "POST",
        f"{_T3}/calculate-filter-correlation",
        {"experiment_ids": ["NUMBER"], "filter_string1": "trace.status = 'OK'", "filter_string2": "name != ''"},
    ),
    Row("GET", f"{_T3}/TRACE"),
    Row("POST", f"{_T3}/TRACE/assessments", {"assessment": _JUDGED}),
    Row("GET", f"{_T3}/TRACE/assessments/secret"),
    Row("PATCH", f"{_T3}/TRACE/assessments/secret", {"assessment": _JUDGED, "update_mask": "feedback"}),
    Row("DELETE", f"{_T3}/TRACE/assessments/secret"),
    *(
        Row("POST", f"{each}/delete-traces", {"experiment_id": "NUMBER", "request_ids": ["TRACE"]})
        for each in (_T2, _T3)
    ),
    Row("POST", "/v1/traces", {"resourceSpans": []}, own=(400,)),  # it names no experiment
    Row("GET", "/model-versions/get-artifact", query={**_VERSION, "path": "secret.txt"}),
]
# What it serves to anybody.
MLFLOW_PUBLIC = {
    "/health",
    "/version",
    "/api/3.0/mlflow/server-info",
    "/ajax-api/3.0/mlflow/server-info",
}
# Where it is served, if not under both /api and /ajax-api.
MLFLOW_ELSEWHERE = {
    f"{_M}/metrics/get-history-bulk": ("/ajax-api",),
    f"{_M}/experiments/search-datasets": ("/ajax-api",),
    f"{_M}/upload-artifact": ("/ajax-api",),
    f"{_M}/get-trace-artifact": ("/ajax-api",),
    "/3.0/mlflow/get-trace-artifact": ("/ajax-api",),
    f"{_L}/artifacts/files": ("/ajax-api",),
    "/get-artifact": ("", "/api", "/ajax-api"),
    "/graphql": ("",),
    "/model-versions/get-artifact": ("",),
    "/v1/traces": ("",),
}
