"""What MLflow's clients ask of the server itself."""

import pytest

from tests.compat.wire_client import Wire


def test_version_and_health_are_plain_text(wire: Wire) -> None:
    assert wire.http.get("/version").text == "3.17.2"
    assert wire.http.get("/health").text == "OK"


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_both_prefixes_answer_the_same(wire: Wire, prefix: str) -> None:
    assert wire.http.get(f"{prefix}/3.0/mlflow/server-info").json()["workspaces_enabled"] is True
    run = wire.new_run()
    body = {"run_id": run, "key": "m", "value": 1, "timestamp": 1}
    assert wire.http.post(f"{prefix}/2.0/mlflow/runs/log-metric", json=body).json() == {}
    found = wire.http.get(f"{prefix}/2.0/mlflow/runs/get", params={"run_id": run}).json()
    assert found["run"]["data"]["metrics"][0]["value"] == 1.0


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/2.0/mlflow/nothing"), ("POST", "/api/3.0/mlflow/nothing"), ("GET", "/api/2.0/x")],
)
def test_other_paths_are_not_found_in_words_that_clients_read(wire: Wire, method: str, path: str) -> None:
    answer = wire.http.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "ENDPOINT_NOT_FOUND"
    assert path in answer.json()["message"]
