"""Every endpoint of MLflow's protocol is served, or says at once that it is not; the guide tells which, to the path."""

import re

import pytest

from gnomon_server.api import mlflow
from tests.compat.conftest import ROOT, Scenario
from tests.compat.wire_client import Wire

GUIDE = (ROOT / "docs" / "guides" / "mlflow.md").read_text()
# Named in the guide by the group that it belongs to.
WHOLE_GROUPS = ("/logged-models", "/mlflow/traces", "/model-versions/get-artifact", "/mlflow-artifacts/artifacts")


# What MLflow's own server has and this one has not, by the first words of the path.
LEFT_OUT = {
    "artifacts/presigned-download-url",
    "artifacts/presigned-upload-url",
    "datasets",
    "gateway",
    "get-online-trace-details",
    "issues",
    "label-schemas",
    "prompt-optimization",
    "review-queues",
    "scorers",
    "search-datasets",  # of `/api`: MLflow's own server has it nowhere; both have another under `/ajax-api`
    "traces/metrics",
    "unified-traces",
    "workspaces",
}


def _served() -> list[str]:
    return sorted({path for handler in mlflow.ROUTES for path in handler.paths if not path.startswith("/ajax-api")})


@pytest.mark.parametrize("path", _served())
def test_the_guide_names_what_is_served(path: str) -> None:
    named = [part for part in path.split("/") if part and not part.startswith("{")]
    if any(group in path for group in WHOLE_GROUPS):
        assert named[-1] in GUIDE
    else:
        assert re.search(rf"[`/]{re.escape(named[-1])}`", GUIDE)


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_the_guide_names_what_is_left_out(name: str) -> None:
    assert f"`{name}`" in GUIDE


def test_every_endpoint_is_served_or_says_that_it_is_not(scenario: Scenario, wire: Wire) -> None:
    endpoints = scenario("endpoints")["endpoints"]
    assert len(endpoints) > 300  # under both prefixes
    left_out = set()
    for endpoint in endpoints:
        method, _, path = endpoint.partition(" ")
        answer = wire.http.request(method, path, json=None if method == "GET" else {})
        assert answer.status_code in (200, 400, 404, 501), (endpoint, answer.text)  # none that a client sends again
        said = answer.json() if answer.content else {}
        if answer.status_code == 501 or said.get("error_code") == "ENDPOINT_NOT_FOUND":
            assert said["message"], endpoint
            left_out.add(_group(path))
    assert left_out == LEFT_OUT


def _group(path: str) -> str:
    """What an endpoint is about: `gateway` of `/api/3.0/mlflow/gateway/secrets/create`."""
    first, *rest = path.split("/")[4:]
    return f"{first}/{rest[0]}" if first in ("artifacts", "experiments", "traces") else first
