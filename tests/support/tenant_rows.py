"""One request for every route, with the places of ids named: EXPERIMENT, NUMBER (its per-tenant number) and RUN.

The tenant tests fill the places with ids of one's own, of another tenant, and of nobody. A route that is not listed
here fails `test_every_route_is_in_the_matrix`, so a new one is tested the minute it exists.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """`own`: what it answers with ids of one's own. `quiet`: a run of another or of nobody has nothing, and says so."""

    method: str
    path: str
    body: Json | None = None
    query: Json = field(default_factory=dict)
    files: bool = False
    own: tuple[int, ...] = (200, 201)
    quiet: bool = False

    @property
    def slots(self) -> frozenset[str]:
        text = f"{self.path} {self.body} {self.query}"
        return frozenset(slot for slot in ("EXPERIMENT", "NUMBER", "RUN") if slot in text)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


_E, _R = "/experiments/EXPERIMENT", "/experiments/runs/RUN"
NO_VIEW = "f" * 32

NATIVE = [
    Row("POST", "/experiments", {"name": "matrix"}),
    Row("GET", "/experiments"),
    Row("GET", _E),
    Row("PATCH", _E, {"description": "changed", "tags": {"changed": "yes"}}),
    Row("DELETE", _E),
    Row("POST", f"{_E}/restore"),
    Row("POST", f"{_E}/purge", own=(400,)),  # it is not archived
    Row("GET", f"{_E}/keys"),
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
    Row("POST", f"{_R}/log-metrics", {"metrics": {"m": 666}}),
    Row("POST", f"{_R}/log-params", {"params": {"changed": 1}}),
    Row("POST", f"{_R}/log-batch", {"metrics": [{"key": "m", "value": 666}], "tags": [{"key": "c", "value": "d"}]}),
    Row("POST", f"{_R}/batches", {"writer": "w", "seq": 0, "tags": {"changed": "yes"}}),
    Row("GET", f"{_R}/history"),
    Row("POST", f"{_R}/log-artifact", files=True),
    Row("GET", f"{_R}/artifacts"),
    Row("GET", f"{_R}/artifacts/secret.txt"),
    Row("HEAD", f"{_R}/artifacts/secret.txt"),
]

_M = "/2.0/mlflow"
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
    Row("GET", f"{_M}/metrics/get-history", query={"run_id": "RUN", "metric_key": "m"}, quiet=True),
    Row("GET", f"{_M}/metrics/get-history-bulk-interval", query={"run_ids": ["RUN"], "metric_key": "m"}, quiet=True),
    Row("GET", f"{_M}/metrics/get-history-bulk", query={"run_id": ["RUN"], "metric_key": "m"}, quiet=True),
]
# What it serves to anybody, and the answer to every other path.
MLFLOW_PUBLIC = {"/health", "/version", "/3.0/mlflow/server-info", "/2.0/{rest:path}", "/3.0/{rest:path}"}
# Only under /ajax-api.
MLFLOW_PAGES = {f"{_M}/metrics/get-history-bulk"}
