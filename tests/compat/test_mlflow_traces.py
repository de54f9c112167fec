"""Traces: by MLflow's client, by hand, and as any OpenTelemetry exporter sends them."""

import base64
import gzip
from typing import Any

import pytest

from tests.compat.conftest import Scenario
from tests.compat.trace_wire import TRACE, UID, V3, export, info_of, put, searched, span
from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess


@pytest.fixture(autouse=True)
def default_experiment(wire: Wire) -> None:
    wire.get("experiments/get", experiment_id="0")


def test_the_client(scenario: Scenario) -> None:
    found = scenario("traces")
    judged = found.pop("assessments")
    assert sorted(judged, key=str) == sorted(
        [["good", 0.5, "because", False], ["good", 3.0, None, True], ["wanted", {"x": [1]}, None, None]], key=str
    )
    assert found == {
        "state": ["OK", "request-1", "apple"],
        "previews": [{"question": "why?"}, {"answer": 42}],
        "tree": [["answer", "UNKNOWN", None], ["look_up", "TOOL", "answer"], ["model", "UNKNOWN", "look_up"]],
        "nested": {"a": [1, 2.5, None, True]},
        "event": [["token", {"text": "ü"}]],
        "outputs": ["42", {"answer": 42}],
        "tokens": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        "error": ["ERROR", "ERROR", 1],
        "searches": {
            "": ["third", "second", "first"],
            "trace.status = 'ERROR'": ["third"],
            "tags.fruit = 'apple'": ["second", "first"],
            "tags.fruit IS NULL": ["third"],
            "name = 'answer'": ["second", "first"],
            "name LIKE 'fa%'": ["third"],
            "run_id = 'RUN'": ["second"],
            "client_request_id = 'request-1'": ["second", "first"],
            "timestamp > 0 AND execution_time >= 0": ["third", "second", "first"],
            "span.name = 'model' AND span.status = 'OK'": ["second", "first"],
            "span.type = 'TOOL'": ["second", "first"],
            "span.content LIKE '%how?%'": ["second"],
            "trace.text LIKE '%how?%'": ["second"],
            "span.attributes.depth LIKE '%1%'": ["second", "first"],
        },
        "ordered": ["first", "second", "third"],
        "paged": ["third", "second"],
        "by_run": [True],
        "judged": {
            "feedback.good >= 3": ["first"],
            "feedback.good > 3": [],
            "feedback.good IS NOT NULL": ["first"],
            "expectation.none IS NOT NULL": [],
        },
        "left": 2,
        "tagged": "v",
        "untagged": False,
        "deleted": 1,
        "gone": ["third", "second"],
    }


def test_what_the_client_says_stands_over_what_spans_say(wire: Wire) -> None:
    put(wire, execution_duration="1.5s", tags={"a": "1"}, request_preview="given")
    export(wire, span("a", start=9_000_000_000))
    info = info_of(wire)
    assert (info["request_time"], info["execution_duration"]) == ("2026-01-02T03:04:05.250Z", "1.500s")
    assert info["request_preview"] == "given"
    put(wire, tags={"b": "2"}, state="ERROR")
    tags = info_of(wire)["tags"]
    assert (tags["a"], tags["b"]) == ("1", "2")
    assert len(wire.http.get(f"{V3}/get", params={"trace_id": UID}).json()["trace"]["spans"]) == 1


def test_a_span_sent_again_counts_once(wire: Wire) -> None:
    for name in ("before", "after"):
        export(wire, span("a", name=name))
    spans = wire.http.get(f"{V3}/batchGet", params={"trace_ids": UID}).json()["traces"][0]["spans"]
    assert [span["name"] for span in spans] == ["after"]
    assert base64.b64decode(spans[0]["span_id"]).hex() == "a" * 16


def test_protobuf_and_gzip(wire: Wire) -> None:
    attribute = b"\x0a\x01k\x12\x09\x21" + bytes.fromhex("000000000000e03f")  # k: 0.5
    span = (
        b"\x0a\x10" + bytes.fromhex(TRACE) + b"\x12\x08" + b"\xaa" * 8 + b"\x2a\x01n"
        + b"\x39" + (7_000_000).to_bytes(8, "little") + b"\x4a" + bytes([len(attribute)]) + attribute
    )  # fmt: skip
    scope = b"\x12" + bytes([len(span)]) + span
    resource = b"\x12" + bytes([len(scope)]) + scope
    raw = b"\x0a" + bytes([len(resource)]) + resource
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "x-mlflow-experiment-id": "0"}
    answer = wire.http.post("/v1/traces", content=gzip.compress(raw), headers=headers)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", "application/x-protobuf")
    found = wire.http.get(f"{V3}/get", params={"trace_id": UID}).json()["trace"]["spans"][0]
    assert found["attributes"][0] == {"key": "k", "value": {"double_value": 0.5}}
    assert found["start_time_unix_nano"] == 7_000_000
    for cut in range(1, len(raw)):
        headers.pop("Content-Encoding", None)
        assert wire.http.post("/v1/traces", content=raw[:cut], headers=headers).status_code in (200, 400)


@pytest.mark.parametrize(
    ("spans", "says"),
    [
        ([{"traceId": "xyz", "spanId": "a" * 16}], "trace_id is not 16 bytes"),
        ([{"traceId": TRACE, "spanId": ""}], "span_id is not 8 bytes"),
        ([{"traceId": TRACE, "spanId": "a" * 16, "startTimeUnixNano": "-1"}], "Unix nanoseconds"),
        ([{"traceId": TRACE, "spanId": "a" * 16, "startTimeUnixNano": "soon"}], "is no integer"),
        ([span("a", attributes=[{"key": "k", "value": {"doubleValue": "much"}}])], "is no number"),
        ([span("a", attributes=[{"key": "k", "value": {"intValue": str(2**63)}}])], "does not fit into 64 bits"),
        ([span("0")], "span_id is all zeros"),
        ([{**span("a"), "traceId": "0" * 32}], "trace_id is all zeros"),
    ],
)
def test_spans_that_are_refused(wire: Wire, spans: list[dict[str, Any]], says: str) -> None:
    answer = export(wire, *spans, status=400).json()
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert says in answer["message"]
    assert searched(wire) == []


def test_an_export_that_is_refused(wire: Wire) -> None:
    deep: dict[str, Any] = {"intValue": 1}
    for _ in range(40):
        deep = {"arrayValue": {"values": [deep]}}
    many = span("a", attributes=[{"key": "deep", "value": deep}])
    assert "nested too deeply" in export(wire, many, status=400).json()["message"]
    assert (
        export(wire, span("a"), status=404, **{"x-mlflow-experiment-id": "77"}).json()["error_code"]
        == "RESOURCE_DOES_NOT_EXIST"
    )
    assert wire.http.post("/v1/traces", json={"resourceSpans": []}).status_code == 400
    assert wire.http.post("/v1/traces", json={}, headers={"x-mlflow-experiment-id": "0"}).status_code == 400
    large = span("a", attributes=[{"key": "x", "value": {"stringValue": "x" * 1_100_000}}])
    assert "at most 1,048,576 are kept" in export(wire, large, status=400).json()["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "DONE"},
        {"request_time": "yesterday"},
        {"request_time": "2026-01-02T03:04:05"},
        {"execution_duration": "soon"},
        {"trace_id": "a/b"},
        {"tags": {"": "x"}},
        {"tags": {"k" * 251: "x"}},
        {"trace_metadata": {"a": 1}},
        {"assessments": [{"assessment_name": "x"}]},
    ],
)
def test_traces_that_are_refused(wire: Wire, fields: dict[str, Any]) -> None:
    assert put(wire, 400, **fields)["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "text",
    [
        "nothing = 'x'",
        "span.colour = 'x'",
        "span.content = 'x'",
        "trace.status > 'OK'",
        "tags.a = 1",
        "timestamp = 'x'",
        "a.b = 'x'",
        "text RLIKE '('",
    ],
)
def test_filters_that_are_refused(wire: Wire, text: str) -> None:
    place = {"mlflow_experiment": {"experiment_id": "0"}}
    answer = wire.http.post(f"{V3}/search", json={"locations": [place], "filter": text})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_trace_is_found_by_the_text_of_a_span(wire: Wire) -> None:
    export(wire, span("1", name="needle"))
    assert searched(wire, "span.content LIKE '%needle%'") == [UID]
    assert searched(wire, 'span.content ILIKE "%NEEDLE%"') == [UID]
    assert searched(wire, "span.content LIKE '%NEEDLE%'") == []
    assert searched(wire, "span.content LIKE '%needle%' AND span.name = 'needle'") == [UID]


def test_pages_and_bounds(wire: Wire) -> None:
    uids = [f"tr-{number:032x}" for number in range(5)]
    for number, uid in enumerate(uids):
        put(wire, trace_id=uid, request_time=f"2026-01-01T00:00:0{number}Z")
    assert searched(wire) == uids[::-1]
    assert searched(wire, order_by=["timestamp_ms ASC"], max_results=2) == uids[:2]
    place = {"mlflow_experiment": {"experiment_id": "0"}}
    first = wire.http.post(f"{V3}/search", json={"locations": [place], "max_results": 3}).json()
    assert searched(wire, max_results=3, page_token=first["next_page_token"]) == uids[1::-1]
    for most in (0, 501):
        assert wire.http.post(f"{V3}/search", json={"locations": [place], "max_results": most}).status_code == 400
    assert wire.http.post(f"{V3}/search", json={"filter": ""}).status_code == 400


def test_the_second_version_of_the_protocol(wire: Wire) -> None:
    pairs = [{"key": "k", "value": "v"}]
    begun = wire.post("traces", experiment_id="0", timestamp_ms=1_000, request_metadata=pairs, tags=pairs)["trace_info"]
    assert begun["status"] == "IN_PROGRESS"
    uid = begun["request_id"]
    ended = wire.send("PATCH", f"traces/{uid}", {"timestamp_ms": 1_250, "status": "OK", "tags": []})["trace_info"]
    assert (ended["execution_time_ms"], ended["status"], ended["request_metadata"]) == (250, "OK", pairs)
    assert wire.get(f"traces/{uid}/info")["trace_info"] == ended
    assert wire.get("traces", experiment_ids="0", filter="tags.k = 'v'")["traces"] == [ended]
    assert wire.get("traces/none/info", 404)["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_deleting(wire: Wire) -> None:
    for number in range(4):
        put(wire, trace_id=f"tr-{number}", request_time=f"2026-01-01T00:00:0{number}Z")
    first_ms = 1_767_225_600_000
    for body in (
        {},
        {"max_traces": 1},
        {"max_timestamp_millis": 1, "request_ids": ["a"]},
        {"request_ids": ["a"], "max_traces": 1},
    ):
        wire.refused("traces/delete-traces", 400, "INVALID_PARAMETER_VALUE", experiment_id="0", **body)
    assert wire.post(
        "traces/delete-traces", experiment_id="0", max_timestamp_millis=first_ms + 2_000, max_traces=1
    ) == {"traces_deleted": 1}
    assert searched(wire) == ["tr-3", "tr-2", "tr-1"]
    assert wire.post("traces/delete-traces", experiment_id="0", request_ids=["tr-3", "none"]) == {"traces_deleted": 1}
    assert wire.post("traces/delete-traces", experiment_id="77", request_ids=["tr-2"]) == {"traces_deleted": 0}
    assert searched(wire) == ["tr-2", "tr-1"]


def test_tags_that_only_the_server_sets(wire: Wire) -> None:
    put(wire)
    for method, body in (
        ("PATCH", {"key": "mlflow.trace.spansLocation", "value": "x"}),
        ("DELETE", {"key": "mlflow.trace.spansLocation"}),
    ):
        assert "is immutable" in wire.send(method, f"traces/{UID}/tags", body, 400)["message"]
    assert "No trace tag with key 'none'" in wire.send("DELETE", f"traces/{UID}/tags", {"key": "none"}, 404)["message"]


def test_links(wire: Wire) -> None:
    put(wire)
    run = wire.new_run()
    wire.post("traces/link-to-run", trace_ids=[UID, "none"], run_id=run)
    wire.post("traces/link-to-run", trace_ids=[UID], run_id=run)
    assert searched(wire, f"run_id = '{run}'") == [UID]
    wire.refused("traces/link-to-run", 404, "RESOURCE_DOES_NOT_EXIST", trace_ids=[UID], run_id="none")
    wire.refused("traces/link-to-run", 400, "INVALID_PARAMETER_VALUE", trace_ids=["x"] * 101, run_id=run)
    wire.post("traces/link-prompts", trace_id=UID, prompt_versions=[{"name": "greeting", "version": "2"}])
    assert searched(wire, "prompt = 'greeting/2'") == [UID]
    assert searched(wire, "prompt = 'greeting/1'") == []
    wire.refused(
        "traces/link-prompts",
        404,
        "RESOURCE_DOES_NOT_EXIST",
        trace_id="none",
        prompt_versions=[{"name": "a", "version": "1"}],
    )


def test_another_tenant_has_none_of_it(wire: Wire, server: ServerProcess, tenant: str) -> None:
    put(wire, tags={"a": "1"})
    export(wire, span("a"))
    other = Wire(server.base_url, f"{tenant}-other")
    other.get("experiments/get", experiment_id="0")
    assert other.http.get(f"{V3}/{UID}").status_code == 404
    assert "traces" not in other.http.get(f"{V3}/batchGet", params={"trace_ids": UID}).json()
    assert searched(other) == []
    assert other.post("traces/delete-traces", experiment_id="0", request_ids=[UID]) == {"traces_deleted": 0}
    assert put(other)["trace"]["trace_info"]["tags"].get("a") is None  # the id is free there
    other.http.close()
    assert info_of(wire)["tags"]["a"] == "1"


def test_the_native_api_shows_the_tree(wire: Wire, server: ServerProcess, tenant: str) -> None:
    run = wire.new_run()
    put(wire, tags={"mlflow.traceName": "agent"}, trace_metadata={"mlflow.sourceRun": run})
    export(
        wire,
        span("c", parent="b", start=3_000),
        span("b", parent="a", start=2_000),
        span("d", parent="a", start=4_000),
        span("a"),
    )
    with server.client(tenant) as native:
        listed = native.get(f"/experiments/runs/{run}/traces").json()
        assert (listed["total"], listed["traces"][0]["id"], listed["traces"][0]["name"]) == (1, UID, "agent")
        assert native.get(f"/experiments/runs/{run}/traces?offset=1").json()["traces"] == []
        assert native.get("/experiments/runs/none/traces").status_code == 404
        spans = native.get(f"/traces/{UID}").json()["spans"]
        assert [(span["id"][0], span["depth"], span["start_ns"]) for span in spans] == [
            ("a", 0, 0),
            ("b", 1, 1_000),
            ("c", 2, 2_000),
            ("d", 1, 3_000),
        ]
        assert native.get("/traces/none").json()["code"] == "trace_not_found"


def test_parents_in_a_circle_are_shown_all_the_same(wire: Wire, server: ServerProcess, tenant: str) -> None:
    export(wire, span("a", parent="b"), span("b", parent="a"), span("c", parent="c"), span("d", parent="9"))
    with server.client(tenant) as native:
        assert sorted(span["id"][0] for span in native.get(f"/traces/{UID}").json()["spans"]) == ["a", "b", "c", "d"]


def test_an_experiment_that_is_purged_takes_its_traces(wire: Wire, server: ServerProcess, tenant: str) -> None:
    made = wire.post("experiments/create", name="short")["experiment_id"]
    export(wire, span("a"), **{"x-mlflow-experiment-id": made})
    uid = wire.get("experiments/get", experiment_id=made)["experiment"]["artifact_location"].rpartition("/")[2]
    wire.post("experiments/delete", experiment_id=made)
    assert export(wire, {**span("b"), "traceId": "f" * 32}, status=400, **{"x-mlflow-experiment-id": made})
    with server.client(tenant) as native:
        assert native.post(f"/experiments/{uid}/purge").status_code == 200
    assert wire.http.get(f"{V3}/{UID}").status_code == 404
