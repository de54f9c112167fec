"""Corners that MLflow's own tests look into, where a client would trip over another answer."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.compat.wire_client import Wire


def _model(wire: Wire) -> dict[str, Any]:
    experiment = wire.post("experiments/create", name="of-models")["experiment_id"]
    info: dict[str, Any] = wire.post("logged-models", experiment_id=experiment, name="net")["model"]["info"]
    return info


def _noted(wire: Wire, model: str) -> str:
    tags = wire.get(f"logged-models/{model}")["model"]["info"].get("tags", [])
    return {tag["key"]: tag["value"] for tag in tags}.get("mlflow.modelVersions", "")


def test_a_logged_model_names_the_versions_made_of_it(wire: Wire) -> None:
    info = _model(wire)
    model = info["model_id"]
    wire.post("registered-models/create", name="net")
    for source in (info["artifact_uri"], f"models:/{model}"):
        wire.post("model-versions/create", name="net", source=source, model_id=model)
    assert _noted(wire, model) == '[{"name": "net", "version": 1}, {"name": "net", "version": 2}]'


def test_versions_that_are_made_at_once_are_all_named(wire: Wire) -> None:
    info = _model(wire)
    model = info["model_id"]
    wire.post("registered-models/create", name="net")

    def publish(_nth: int) -> None:
        wire.post("model-versions/create", name="net", source=info["artifact_uri"], model_id=model)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(publish, range(40)))
    assert sorted(one["version"] for one in json.loads(_noted(wire, model))) == list(range(1, 41))


def test_only_as_many_versions_are_named_as_a_tag_holds(wire: Wire) -> None:
    info = _model(wire)
    model = info["model_id"]
    wire.post("registered-models/create", name="net")
    many = [{"name": "x" * 70, "version": number} for number in range(80)]
    tag = {"key": "mlflow.modelVersions", "value": json.dumps(many)}
    wire.send("PATCH", f"logged-models/{model}/tags", {"tags": [tag]})
    wire.post("model-versions/create", name="net", source=info["artifact_uri"], model_id=model)
    listed = json.loads(_noted(wire, model))
    assert listed[-1] == {"name": "net", "version": 1}
    assert listed[:-1] == many[-len(listed) + 1 :]


@pytest.mark.parametrize("words", ["mine", '{"name": "net"}'])
def test_a_tag_with_other_words_is_left_as_it_is(wire: Wire, words: str) -> None:
    info = _model(wire)
    model = info["model_id"]
    wire.post("registered-models/create", name="net")
    tag = {"key": "mlflow.modelVersions", "value": words}
    wire.send("PATCH", f"logged-models/{model}/tags", {"tags": [tag]})
    wire.post("model-versions/create", name="net", source=info["artifact_uri"], model_id=model)
    assert _noted(wire, model) == words


@pytest.mark.parametrize("value", [{"threshold": 1000, "passed": True}, [1, 2]])
def test_an_expectation_that_is_no_plain_value_comes_back_as_json(wire: Wire, value: object) -> None:
    experiment = wire.post("experiments/create", name="of-traces")["experiment_id"]
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    info = {"trace_id": "tr-1", "trace_location": place, "request_time": "2026-01-01T00:00:00Z", "state": "OK"}
    assert wire.http.post("/api/3.0/mlflow/traces", json={"trace": {"trace_info": info}}).status_code == 200
    sent = {"assessment_name": "right", "expectation": {"value": value}, "source": {"source_type": "CODE"}}
    answer = wire.http.post("/api/3.0/mlflow/traces/tr-1/assessments", json={"assessment": sent})
    kept = answer.json()["assessment"]["expectation"]["serialized_value"]
    assert (kept["serialization_format"], json.loads(kept["value"])) == ("JSON_FORMAT", value)


def test_an_upload_from_a_page_without_a_body_is_refused(wire: Wire) -> None:
    experiment = wire.post("experiments/create", name="of-files")["experiment_id"]
    run = wire.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    asked = {"run_uuid": run, "path": "a.txt"}
    answer = wire.http.post("/ajax-api/2.0/mlflow/upload-artifact", params=asked)
    assert (answer.status_code, answer.json()["message"]) == (400, "Request must specify data.")
    answer = wire.http.post("/ajax-api/2.0/mlflow/upload-artifact", params=asked, content=b"x")
    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("a.txt", "text/plain", "filename=a.txt"),
        ("MLmodel", "text/plain", "filename=MLmodel"),
        ("mlproject", "text/plain", "filename=mlproject"),
        ("step+20.webp", "image/webp", "filename=step+20.webp"),
        ("weights.pkl", "application/octet-stream", "filename=weights.pkl"),
        ("page.html", "text/html", "filename=page.html"),
        ("paper.pdf", "application/pdf", "filename=paper.pdf"),
        ("style.css", "application/octet-stream", "filename=style.css"),
        ("code.mjs", "application/octet-stream", "filename=code.mjs"),
        ("two words.txt", "text/plain", "filename=\"two words.txt\"; filename*=UTF-8''two%20words.txt"),
    ],
)
def test_a_file_has_the_type_and_the_name_that_clients_expect(wire: Wire, name: str, kind: str, shown: str) -> None:
    experiment = wire.post("experiments/create", name="of-types")["experiment_id"]
    info = wire.post("runs/create", experiment_id=experiment)["run"]["info"]
    place = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    proxied = f"/api/2.0/mlflow-artifacts/artifacts/{place}/{name}"
    assert wire.http.put(proxied, content=b"x").status_code == 200
    asked = {"run_id": info["run_id"], "path": name}
    for answer in (wire.http.get(proxied), wire.http.get("/get-artifact", params=asked)):
        headers = answer.headers
        assert (headers["content-type"], headers["content-disposition"]) == (kind, f"attachment; {shown}")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_a_prompt_that_is_too_long_is_told_as_a_prompt(wire: Wire) -> None:
    is_prompt = {"key": "mlflow.prompt.is_prompt", "value": "true"}
    wire.post("registered-models/create", name="greeting", tags=[is_prompt])
    long = {"key": "mlflow.prompt.text", "value": "a" * 100_001}
    version = {"name": "greeting", "source": "prompt-template"}
    says = "Prompt text exceeds max length of 100000 characters."
    code = "INVALID_PARAMETER_VALUE"
    assert wire.refused("model-versions/create", 400, code, **version, tags=[is_prompt, long]) == says
    wire.post("model-versions/create", **version, tags=[is_prompt, {**long, "value": "a" * 100_000}])
    assert wire.refused("model-versions/set-tag", 400, code, name="greeting", version="1", **long) == says
    other = {"key": "other", "value": "a" * 100_001}
    assert "'value' exceeds" in wire.refused("model-versions/set-tag", 400, code, name="greeting", version="1", **other)


def test_spans_are_the_first_thing_that_a_new_server_hears_of(wire: Wire) -> None:
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "a", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    answer = wire.http.post("/v1/traces", json=body, headers={"x-mlflow-experiment-id": "0"})
    assert (answer.status_code, answer.text) == (200, "{}")
    found = wire.http.get("/api/3.0/mlflow/traces/get", params={"trace_id": "tr-" + "ab" * 16}).json()["trace"]
    assert [one["name"] for one in found["spans"]] == ["a"]
    assert wire.get("experiments/get", experiment_id="0")["experiment"]["name"] == "Default"
