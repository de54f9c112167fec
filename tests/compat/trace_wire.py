"""Traces by hand: spans as an OpenTelemetry exporter sends them, and the trace as MLflow's client does."""

from typing import Any

import httpx

from tests.compat.wire_client import Wire

TRACE = "0123456789abcdef0123456789abcdef"
UID = f"tr-{TRACE}"
V3 = "/api/3.0/mlflow/traces"


def span(uid: str, *, parent: str = "", name: str = "step", start: int = 1_000, **more: Any) -> dict[str, Any]:
    span = {"traceId": TRACE, "spanId": uid * 16, "name": name, "startTimeUnixNano": str(start), **more}
    return {**span, **({"parentSpanId": parent * 16} if parent else {}), "endTimeUnixNano": str(start + 5_000_000)}


def export(wire: Wire, *spans: dict[str, Any], status: int = 200, **headers: str) -> httpx.Response:
    body = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "agent"}}]},
                "scopeSpans": [{"spans": list(spans)}],
            }
        ]
    }
    answer = wire.http.post("/v1/traces", json=body, headers={"x-mlflow-experiment-id": "0", **headers})
    assert answer.status_code == status, answer.text
    return answer


def info_of(wire: Wire, uid: str = UID) -> dict[str, Any]:
    found: dict[str, Any] = wire.http.get(f"{V3}/{uid}").json()["trace"]["trace_info"]
    return found


def put(wire: Wire, status: int = 200, **fields: Any) -> dict[str, Any]:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    info = {
        "trace_id": UID,
        "trace_location": place,
        "request_time": "2026-01-02T03:04:05.250Z",
        "state": "OK",
        **fields,
    }
    answer = wire.http.post(V3, json={"trace": {"trace_info": info}})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def searched(wire: Wire, text: str = "", **more: Any) -> list[str]:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    answer = wire.http.post(f"{V3}/search", json={"locations": [place], "filter": text, **more})
    assert answer.status_code == 200, answer.text
    return [one["trace_id"] for one in answer.json().get("traces", [])]
