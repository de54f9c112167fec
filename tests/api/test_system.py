"""Health, metrics, the OpenAPI document and what holds for every route."""

from collections.abc import Iterator

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

from gnomon_server.api.native import ROUTES
from gnomon_server.api.route import Doc
from gnomon_server.api.system import ROUTES as SYSTEM_ROUTES


@pytest.fixture
def root(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url) as client:
        yield client


def test_health_and_readiness(root: httpx.Client) -> None:
    assert root.get("/healthz").json()["status"] == "ok"
    assert root.get("/readyz").json()["status"] == "ready"


def test_metrics_count_requests_points_and_commits(root: httpx.Client, api: httpx.Client, run: str) -> None:
    api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"a": 1}})
    text = root.get("/metrics").text
    for name in ("gnomon_requests_total", "gnomon_points", "gnomon_commit_seconds_bucket", "gnomon_writer_queue"):
        assert f"\n{name}" in text


def test_the_document_is_the_routes(root: httpx.Client) -> None:
    document = root.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    declared = {(doc.method, f"{prefix}{doc.path}") for prefix, doc in _docs()}
    assert described == {(method, path.replace(":str}", "}").replace(":path}", "}")) for method, path in declared}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "422" not in operation["responses"]
            assert operation["x-permission"]


def test_the_reference_page_shows_every_route(root: httpx.Client) -> None:
    page = root.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for _, doc in _docs():
        assert doc.path.replace(":str}", "}").replace(":path}", "}") in page.text
    assert "<script" not in page.text


def test_unknown_routes_and_methods_are_problems(root: httpx.Client) -> None:
    assert_problem(root.get("/api/v1/nothing"), 404, "no_such_route")
    assert_problem(root.get("/api/v2/experiments"), 404, "no_such_route")
    refused = root.put("/api/v1/experiments", json={})
    assert_problem(refused, 405, "method_not_allowed")


def test_every_answer_has_a_request_id_and_no_banner(root: httpx.Client) -> None:
    answer = root.get("/healthz")
    assert len(answer.headers["x-request-id"]) == 32
    assert "server" not in answer.headers


def test_a_malformed_tenant_is_refused(root: httpx.Client) -> None:
    for tenant in ("A", "-a", "a b", "a" * 64, "ä", ""):
        answer = root.get("/api/v1/experiments", headers={b"X-Tenant-ID": tenant.encode()})
        assert_problem(answer, 400, "invalid_request")


def _docs() -> list[tuple[str, Doc]]:
    listed = [("/api/v1", handler.opt["doc"]) for handler in ROUTES]
    return listed + [("", handler.opt["doc"]) for handler in SYSTEM_ROUTES]
