"""Spans of requests, as a collector gets them by OTLP over HTTP; and that nothing of it is there when it is off."""

import gzip
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.receiver import Receiver
from tests.support.secured import as_key, make_key
from tests.support.server_process import ServerProcess

TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0b1902b7"
CANARY = "canary-7f3a"


@pytest.fixture
def collector() -> Iterator[Receiver]:
    started = Receiver("127.0.0.1", TAKEN)
    yield started
    started.close()


def exported(collector: Receiver) -> list[Span]:
    """What a collector reads of the requests that it was sent."""
    spans = []
    for sent in collector.requests:
        head, _, body = sent.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/traces HTTP/1.1\r\n")
        assert b"content-type: application/x-protobuf" in head.lower()
        request = ExportTraceServiceRequest.FromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        for resource in request.resource_spans:
            said = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert said["service.name"] == "gnomon"
            assert said["service.instance.id"]
            spans += [span for scope in resource.scope_spans for span in scope.spans]
    return spans


def attributes(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_request_is_a_span_with_its_reads_and_its_commit(tmp_path: Path, collector: Receiver) -> None:
    home = tmp_path / "home"
    key = make_key(home, "editor", "vision")
    server = ServerProcess(home, env={"GNOMON_OTEL_ENDPOINT": f"http://127.0.0.1:{collector.port}/"}).start()
    with as_key(server, key.text) as api:
        experiment = api.post("/experiments", json={"name": CANARY}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        logged = api.post(
            f"/experiments/runs/{run}/log-metrics",
            json={"metrics": {CANARY: 1}},
            headers={"traceparent": f"00-{TRACE}-{CALLER}-01"},
        )
        assert logged.status_code == 200
        assert api.get(f"/experiments/runs?filter=params.{CANARY.replace('-', '_')}='{CANARY}'").status_code in (
            200,
            400,
        )
        assert api.get(f"/experiments/{CANARY}").status_code >= 400
    assert httpx.get(f"{server.base_url}/healthz").status_code == 200
    with as_key(server, f"gnm_aaaaaaaaaa_{CANARY}") as api:
        assert api.get("/experiments").status_code == 401
    assert server.stop() == 0, "what waits is sent before the end"

    spans = exported(collector)
    requests = {span.name: span for span in spans if span.kind == Span.SPAN_KIND_SERVER}
    span = requests["POST /api/v1/experiments/runs/{run_id}/log-metrics"]
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == CALLER
    said = attributes(span)
    assert said.pop("gnomon.request_id") == logged.headers["x-request-id"]
    assert said == {
        "http.request.method": "POST",
        "http.route": "/api/v1/experiments/runs/{run_id}/log-metrics",
        "http.response.status_code": 200,
        "gnomon.tenant": "vision",
    }

    def within(name: str) -> list[str]:
        return [child.name for child in spans if child.parent_span_id == requests[name].span_id]

    assert within("POST /api/v1/experiments/runs/{run_id}/log-metrics") == ["commit"]
    assert "commit" in within("POST /api/v1/experiments")
    assert "store.read" in within("GET /api/v1/experiments/runs")
    refused = requests["GET /api/v1/experiments"]
    assert attributes(refused)["http.response.status_code"] == 401
    assert "gnomon.tenant" not in attributes(refused)
    assert "GET /healthz" not in requests
    assert {span.kind for span in spans if not span.parent_span_id} == {Span.SPAN_KIND_SERVER}, "nothing but requests"
    everything = b"".join(span.SerializeToString() for span in spans)
    assert CANARY.encode() not in everything
    assert key.text.rpartition("_")[0].encode() not in everything


@pytest.mark.nightly
def test_a_collector_that_hangs_delays_neither_requests_nor_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        env = {"GNOMON_OTEL_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        server = ServerProcess(tmp_path / "home", env=env).start()
        with server.client() as api:
            assert all(api.get("/experiments").status_code == 200 for _ in range(200))
        assert server.process is not None
        server.process.terminate()
        assert server.process.wait(timeout=60) == 0


def test_how_much_is_traced_is_chosen(tmp_path: Path, collector: Receiver) -> None:
    env = {"GNOMON_OTEL_ENDPOINT": f"http://127.0.0.1:{collector.port}", "GNOMON_OTEL_SHARE": "0"}
    server = ServerProcess(tmp_path / "home", env=env).start()
    with server.client() as api:
        api.get("/experiments")
        api.get("/me", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
    assert server.stop() == 0
    requests = [span.name for span in exported(collector) if span.kind == Span.SPAN_KIND_SERVER]
    assert requests == ["GET /api/v1/me"], "the caller has decided for its own"


def test_an_endpoint_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="GNOMON_OTEL_ENDPOINT"):
        ServerProcess(tmp_path / "home", env={"GNOMON_OTEL_ENDPOINT": "collector:4318"}).start()


def test_nothing_of_it_is_loaded_when_it_is_off(tmp_path: Path) -> None:
    code = (
        "import sys; from gnomon_server.app import open_server; from gnomon_server.settings import Settings;"
        f"server = open_server(Settings(home={str(tmp_path / 'home')!r})); server.asgi; server.close();"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "gnomon_server.app" in loaded
    # The names of attributes alone are loaded by a library of ours, where they are installed.
    assert not loaded & {"opentelemetry.sdk", "opentelemetry.exporter", "gnomon_server.api.tracing", "requests"}
