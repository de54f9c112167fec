"""The file in which clients before MLflow 3.4 keep the spans of a trace: it becomes spans like all others."""

import base64
from typing import Any

import pytest

from tests.compat.wire_client import Wire

TRACE = "0123456789abcdef0123456789abcdef"
V3 = "/api/3.0/mlflow/traces"
OLD_SPANS: list[dict[str, Any]] = [
    {
        "name": "root",
        "context": {"span_id": "0x00000000000000a1", "trace_id": "0x" + TRACE},
        "parent_id": None,
        "start_time": 1_000,
        "end_time": 9_000,
        "status_code": "OK",
        "status_message": "",
        "attributes": {"mlflow.spanType": '"AGENT"', "mlflow.spanInputs": '{"q": 1}', "plain": "not json"},
        "events": [{"name": "token", "timestamp": 2_000, "attributes": {"n": 1}}],
    },
    {
        "name": "step",
        "context": {"span_id": "0x00000000000000a2", "trace_id": "0x" + TRACE},
        "parent_id": "0x00000000000000a1",
        "start_time": 3_000,
        "end_time": 4_000,
        "status_code": "ERROR",
        "status_message": "no",
        "attributes": {},
        "events": [],
    },
]


def _old_file(wire: Wire) -> tuple[str, str]:
    """A trace that a client of MLflow 2 began, and where it keeps its spans."""
    uid = wire.post("traces", experiment_id="0", timestamp_ms=1_000)["trace_info"]["request_id"]
    tags = wire.get(f"traces/{uid}/info")["trace_info"]["tags"]
    root = next(tag["value"] for tag in tags if tag["key"] == "mlflow.artifactLocation")
    return uid, f"/api/2.0/mlflow-artifacts/artifacts/{root.removeprefix('mlflow-artifacts:/')}/traces.json"


def test_the_file_of_spans_of_older_clients(wire: Wire) -> None:
    uid, path = _old_file(wire)
    assert wire.http.put(path, json={"spans": OLD_SPANS}).status_code == 200
    spans = wire.http.get(f"{V3}/get", params={"trace_id": uid}).json()["trace"]["spans"]
    assert [(span["name"], span["status"].get("code")) for span in spans] == [
        ("root", "STATUS_CODE_OK"),
        ("step", "STATUS_CODE_ERROR"),
    ]
    given = wire.http.get(path).json()["spans"]
    assert given[0]["context"] == OLD_SPANS[0]["context"]
    assert given[0]["attributes"]["mlflow.spanInputs"] == '{"q":1}'
    assert given[0]["attributes"]["plain"] == '"not json"'
    assert given[0]["events"] == OLD_SPANS[0]["events"]
    assert [span["parent_id"] for span in given] == [None, "0x00000000000000a1"]
    place = {"mlflow_experiment": {"experiment_id": "0"}}
    answer = wire.http.post(f"{V3}/search", json={"locations": [place], "filter": "span.type = 'AGENT'"})
    assert [one["trace_id"] for one in answer.json()["traces"]] == [uid]


def test_the_same_file_in_its_later_form(wire: Wire) -> None:
    uid, path = _old_file(wire)
    span = {
        "name": "root",
        "trace_id": base64.b64encode(bytes.fromhex(TRACE)).decode(),
        "span_id": base64.b64encode(bytes.fromhex("a" * 16)).decode(),
        "parent_span_id": None,
        "start_time_unix_nano": 5,
        "end_time_unix_nano": 6,
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {"a": "1"},
    }
    assert wire.http.put(path, json={"spans": [span]}).status_code == 200
    found = wire.http.get(f"{V3}/get", params={"trace_id": uid}).json()["trace"]["spans"]
    assert [(one["span_id"], one["attributes"][0]["value"]) for one in found] == [(span["span_id"], {"int_value": 1})]


@pytest.mark.parametrize("content", [b"no", b"[]", b'{"spans": [{}]}', b'{"spans": [{"name": "a", "context": {}}]}'])
def test_files_of_spans_that_are_refused(wire: Wire, content: bytes) -> None:
    _, path = _old_file(wire)
    answer = wire.http.put(path, content=content)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert wire.http.put(path.replace("tr-", "tr-none"), json={"spans": []}).status_code == 404
