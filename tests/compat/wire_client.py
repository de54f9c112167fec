"""MLflow's protocol by hand: what any HTTP client may send, without MLflow's own."""

from typing import Any

import httpx

Json = dict[str, Any]


class Wire:
    """Requests to one server in one tenant."""

    def __init__(self, base_url: str, workspace: str) -> None:
        self.http = httpx.Client(base_url=base_url, headers={"X-MLFLOW-WORKSPACE": workspace}, timeout=60)

    def post(self, path: str, status: int = 200, /, **body: Any) -> Json:
        return self.send("POST", path, body, status)

    def get(self, path: str, status: int = 200, /, **query: Any) -> Json:
        return _answer(self.http.get(f"/api/2.0/mlflow/{path}", params=query), status)

    def send(self, method: str, path: str, body: Any, status: int = 200) -> Json:
        return _answer(self.http.request(method, f"/api/2.0/mlflow/{path}", json=body), status)

    def raw(self, path: str, content: bytes, status: int = 200) -> Json:
        headers = {"Content-Type": "application/json"}
        return _answer(self.http.post(f"/api/2.0/mlflow/{path}", content=content, headers=headers), status)

    def refused(self, path: str, status: int, code: str, /, **body: Any) -> str:
        """The message of a refusal."""
        answer = self.post(path, status, **body)
        assert answer["error_code"] == code, answer
        return str(answer["message"])

    def new_run(self, experiment_id: str = "0", **fields: Any) -> str:
        return str(self.post("runs/create", experiment_id=experiment_id, **fields)["run"]["info"]["run_id"])


def _answer(response: httpx.Response, status: int) -> Json:
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    answer = response.json()
    assert isinstance(answer, dict)
    return answer
