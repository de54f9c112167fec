"""A server with keys, and tenants on it whose quotas a platform key sets."""

from pathlib import Path
from typing import Any

import httpx

from tests.support.secured import Key, as_key, code_of, make_key
from tests.support.server_process import ServerProcess

MLFLOW = "/api/2.0/mlflow"


class House:
    """A server with keys; each test takes a tenant of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.platform = make_key(home, "platform")
        self.server = ServerProcess(home, env={"GNOMON_ARTIFACT_GRACE_HOURS": "24"}).start()
        self._made: list[Tenant] = []

    def tenant(self) -> "Tenant":
        name = f"q{len(self._made) + 1}"
        with as_key(self.server, self.platform.text) as api:
            made = api.post("/keys", json={"role": "admin", "tenants": [name]}).json()
        key = Key(made["key"]["id"], made["secret"])
        # A new key opens the process that made it at once.
        tenant = Tenant(self, name, as_key(self.server, key.text), key)
        self._made.append(tenant)
        return tenant

    def close(self) -> None:
        for each in self._made:
            each.api.close()
            each.mlflow.close()
        assert self.server.stop() == 0


class Tenant:
    def __init__(self, house: House, name: str, api: httpx.Client, key: Key) -> None:
        self.house, self.name, self.api, self.key = house, name, api, key
        self.mlflow = httpx.Client(base_url=house.server.base_url, auth=("x", key.text), timeout=60)

    def set(self, **limits: int | None) -> dict[str, Any]:
        with as_key(self.house.server, self.house.platform.text) as platform:
            answer = platform.patch(f"/quotas/{self.name}", json=limits)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def use(self) -> dict[str, int]:
        answer = self.api.get(f"/quotas/{self.name}")
        assert answer.status_code == 200, answer.text
        return {each["quota"]: each["used"] for each in answer.json()["quotas"]}

    def experiment(self, name: str = "fraud") -> str:
        return str(self.api.post("/experiments", json={"name": name}).json()["id"])

    def run(self, experiment: str) -> str:
        answer = self.api.post("/experiments/runs", json={"experiment_id": experiment})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def log(self, run: str, keys: list[str], steps: range) -> httpx.Response:
        metrics = [{"key": key, "value": 1.0, "step": step} for step in steps for key in keys]
        return self.api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": metrics})

    def upload(self, run: str, name: str, content: bytes) -> httpx.Response:
        return self.api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, content)})

    def send(self, method: str, experiment: str, run: str, name: str, content: bytes = b"") -> httpx.Response:
        """A file as MLflow's clients send it."""
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{name}"
        return self.mlflow.request(method, path, content=content)

    def ask_mlflow(self, path: str, **body: object) -> httpx.Response:
        return self.mlflow.post(f"{MLFLOW}/{path}", json=body)


def refused(answer: httpx.Response, quota: str) -> str:
    """The sentence of a refusal: it names what was limited, the use and what to do, and asks for no retry."""
    assert code_of(answer) == (403, "quota_exceeded"), answer.text
    assert "Retry-After" not in answer.headers
    detail = str(answer.json()["detail"])
    said = {"artifact_bytes": "bytes of artifacts", "series": "metric series"}.get(quota, quota)
    assert said in detail
    assert "ask whoever runs the server" in detail
    return detail


def refused_by_mlflow(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error_code"]) == (403, "RESOURCE_EXHAUSTED"), answer.text
    assert "quota" in answer.json()["message"]
