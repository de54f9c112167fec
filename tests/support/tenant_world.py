"""Two tenants with one experiment, run and file each; the victim's hold a canary that no answer to others may show."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.server_process import ServerProcess
from tests.support.tenant_rows import Row

Json = Any
NOBODY = "0123456789ab7cde8f0123456789abcd"


@dataclass(frozen=True)
class Ids:
    """What the places of a row are filled with; `beside` is a second run of the same tenant."""

    experiment: str
    number: str
    run: str
    beside: str = ""
    model: str = ""
    registered: str = ""
    trace: str = ""


@dataclass(frozen=True)
class World:
    """A tenant, and what it has."""

    client: httpx.Client
    tenant: str
    ids: Ids
    canary: str


def make_world(server: ServerProcess, tenant: str) -> World:
    canary = f"canary-{secrets.token_hex(8)}"
    client = httpx.Client(base_url=server.base_url, headers={"X-Tenant-ID": tenant}, timeout=60)
    api = "/api/v1/experiments"
    body = {"name": f"{canary}-e", "description": canary, "tags": {"secret": canary}}
    experiment = client.post(api, json=body).json()
    body = {"experiment_id": experiment["id"], "name": f"{canary}-r", "description": canary, "tags": {"secret": canary}}
    run, beside = (client.post(f"{api}/runs", json=body).json()["id"] for _ in range(2))
    batch = {
        "metrics": [{"key": "m", "value": 0.5}, {"key": f"{canary}-m", "value": 1}],
        "params": [{"key": "p", "value": canary}, {"key": f"{canary}-p", "value": 1}],
    }
    assert client.post(f"{api}/runs/{run}/log-batch", json=batch).status_code == 200
    sequenced = {"writer": f"{canary}-w", "seq": 0}
    assert client.post(f"{api}/runs/{run}/batches", json=sequenced).status_code == 200
    for name in ("secret.txt", f"{canary}.txt"):
        upload = client.post(f"{api}/runs/{run}/log-artifact", files={"file": (name, canary.encode())})
        assert upload.status_code == 200
    model, registered = _make_models(client, experiment, run, canary)
    trace = _make_trace(client, experiment, run, canary)
    ids = Ids(experiment["id"], str(experiment["number"]), run, beside, model, registered, trace)
    return World(client, tenant, ids, canary)


def _make_models(client: httpx.Client, experiment: Json, run: str, canary: str) -> tuple[str, str]:
    """A logged model with a file, published as version 1 of a registered model: its id, and the name of the other."""
    mlflow, tags = "/api/2.0/mlflow", [{"key": "secret", "value": canary}]
    pairs = {"params": [{"key": "p", "value": canary}], "tags": tags}
    body = {"experiment_id": str(experiment["number"]), "name": f"{canary}-l", "source_run_id": run, **pairs}
    model = _posted(client, f"{mlflow}/logged-models", body)["model"]["info"]["model_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment['id']}/models/{model}/artifacts/secret.txt"
    assert client.put(path, content=canary.encode()).status_code == 200
    name = f"{canary}-reg"
    _posted(client, f"{mlflow}/registered-models/create", {"name": name, "description": canary, "tags": tags})
    version = {"name": name, "source": f"models:/{model}", "run_id": run, "description": canary, "tags": tags}
    assert _posted(client, f"{mlflow}/model-versions/create", version)["model_version"]["version"] == "1"
    _posted(client, f"{mlflow}/registered-models/alias", {"name": name, "alias": "champion", "version": "1"})
    return model, name


def _make_trace(client: httpx.Client, experiment: Json, run: str, canary: str) -> str:
    """A judged trace of the run, with a span: its id."""
    otel = secrets.token_hex(16)
    trace, place = f"tr-{otel}", {"mlflow_experiment": {"experiment_id": str(experiment["number"])}}
    judged = {"assessment_id": "secret", "assessment_name": "good", "feedback": {"value": True}, "rationale": canary}
    info = {"trace_id": trace, "trace_location": place, "tags": {"secret": canary}, "assessments": [judged]}
    told = {**info, "trace_metadata": {"mlflow.sourceRun": run}, "request_time": "2026-01-01T00:00:00Z"}
    _posted(client, "/api/3.0/mlflow/traces", {"trace": {"trace_info": told}})
    span = {"traceId": otel, "spanId": "a" * 16, "name": canary}
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    headers = {"x-mlflow-experiment-id": str(experiment["number"])}
    assert client.post("/v1/traces", json=spans, headers=headers).status_code == 200
    return trace


def _posted(client: httpx.Client, path: str, body: Json) -> Json:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def snapshot(world: World) -> list[Json]:
    """All that the tenant can see of its own."""
    api, ids = "/api/v1/experiments", world.ids
    run = f"{api}/runs/{ids.run}"
    paths = [
        *(f"{api}?lifecycle_stage={stage}" for stage in ("active", "deleted")),
        *(f"{api}/runs?lifecycle_stage={stage}" for stage in ("active", "deleted")),
        *(f"{api}/{ids.experiment}{rest}" for rest in ("", "/keys")),
        *(f"{run}{rest}" for rest in ("", "/history", "/ledger", "/traces", "/artifacts", "/artifacts/secret.txt")),
        f"/api/v1/traces/{ids.trace}",
        *(f"/api/2.0/mlflow/{rest}/search" for rest in ("registered-models", "model-versions")),
        *(f"/api/2.0/mlflow/logged-models/{ids.model}{rest}" for rest in ("", "/artifacts/directories")),
        f"/model-versions/get-artifact?name={ids.registered}&version=1&path=secret.txt",
    ]
    answers = [world.client.get(path) for path in paths]
    assert all(answer.status_code == 200 for answer in answers), [answer.status_code for answer in answers]
    return [answer.text for answer in answers]


def ask(
    world: World,
    row: Row,
    ids: Ids,
    *,
    prefix: str = "/api/v1",
    headers: list[tuple[str, str]] | None = None,
    own_last: bool = False,
) -> httpx.Response:
    """Send a row with its places filled; of a stream only the head is read."""
    query = _filled(row.query, ids, world.ids)
    body = None if row.body is None else _filled(row.body, ids, world.ids)
    if own_last and body is not None and "run_ids" in body:
        body["run_ids"].reverse()
    request = world.client.build_request(
        row.method,
        prefix + _filled(row.path, ids, world.ids),
        params=query or None,
        json=body,
        files={"file": ("stolen.txt", b"x")} if row.files else None,
        content=row.content,
        headers=headers,
    )
    if headers is not None:
        request.headers = httpx.Headers(
            [(name, value) for name, value in request.headers.multi_items() if name != "x-tenant-id"] + headers
        )
    answer = world.client.send(request, stream=True)
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        answer.read()
    answer.close()
    return answer


def seen(answer: httpx.Response) -> bytes:
    """Every byte of an answer: its headers too."""
    body = answer.content if answer.is_stream_consumed else b""
    return body + b"".join(name + b": " + value for name, value in answer.headers.raw)


def _filled(value: Json, ids: Ids, own: Ids) -> Json:
    if isinstance(value, str):
        if value == "OWN_RUN":
            return own.beside
        for place, found in (
            ("EXPERIMENT", ids.experiment),
            ("NUMBER", ids.number),
            ("RUN", ids.run),
            ("MODEL_ID", ids.model),
            ("REGISTERED", ids.registered),
            ("TRACE", ids.trace),
        ):
            value = value.replace(place, found)
        return value
    if isinstance(value, list):
        return [_filled(entry, ids, own) for entry in value]
    if isinstance(value, dict):
        return {name: _filled(entry, ids, own) for name, entry in value.items()}
    return value
