"""Artifacts by MLflow's proxy and by its run-scoped routes."""

import httpx
import pytest

from tests.compat.wire_client import Json, Wire
from tests.support.server_process import ServerProcess

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


class Files:
    """The proxy, below the root of one run."""

    def __init__(self, wire: Wire) -> None:
        self.http = wire.http
        self.run = wire.new_run()
        uri = wire.get("runs/get", run_id=self.run)["run"]["info"]["artifact_uri"]
        self.root = uri.removeprefix("mlflow-artifacts:/")

    def put(self, path: str, content: bytes, status: int = 200) -> httpx.Response:
        answer = self.http.put(f"{PROXY}/{self.root}/{path}", content=content)
        assert answer.status_code == status, answer.text
        return answer

    def get(self, path: str) -> httpx.Response:
        return self.http.get(f"{PROXY}/{self.root}/{path}")

    def list(self, path: str = "") -> Json:
        answer = self.http.get(PROXY, params={"path": f"{self.root}/{path}".rstrip("/")})
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found


@pytest.fixture
def files(wire: Wire) -> Files:
    return Files(wire)


def test_a_file_goes_up_and_comes_down(files: Files, server: ServerProcess, tenant: str) -> None:
    assert files.put("model/a b.txt", b"hello").content == b""
    answer = files.get("model/a b.txt")
    assert answer.content == b"hello"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    part = files.http.get(f"{PROXY}/{files.root}/model/a b.txt", headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"el")
    with server.client(tenant) as api:
        assert api.get(f"/experiments/runs/{files.run}/artifacts/model/a b.txt").content == b"hello"
        api.post(f"/experiments/runs/{files.run}/log-artifact", files={"file": ("n.txt", b"native")})
    assert files.get("n.txt").content == b"native"


def test_lists_are_relative_to_what_is_listed(files: Files, wire: Wire) -> None:
    assert files.list() == {}
    for path in ("b.txt", "d/c.txt", "d/e/f.txt", "empty"):
        files.put(path, b"" if path == "empty" else b"12")
    assert files.list() == {
        "files": [
            {"path": "b.txt", "is_dir": False, "file_size": 2},
            {"path": "d", "is_dir": True},
            {"path": "empty", "is_dir": False, "file_size": 0},
        ]
    }
    assert [one["path"] for one in files.list("d")["files"]] == ["c.txt", "e"]
    assert files.list("none") == {}
    assert files.list("b.txt") == {}
    found = wire.get("artifacts/list", run_id=files.run, path="d")
    assert [one["path"] for one in found["files"]] == ["d/c.txt", "d/e"]
    assert found["root_uri"] == f"mlflow-artifacts:/{files.root}"
    assert list(wire.get("artifacts/list", run_id=files.run, path="none")) == ["root_uri"]


def test_files_and_directories_are_removed(files: Files) -> None:
    for path in ("a", "d/b", "d/c/e", "dd"):
        files.put(path, b"1")
    for path in ("a", "d", "none"):
        answer = files.http.delete(f"{PROXY}/{files.root}/{path}")
        assert (answer.status_code, answer.json()) == (200, {})
    assert [one["path"] for one in files.list()["files"]] == ["dd"]
    assert files.get("d/b").status_code == 404


def test_what_is_not_there_is_not_found(files: Files, wire: Wire) -> None:
    files.put("d/a", b"1")
    assert files.get("none").json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert files.get("d").status_code == 400
    for path in ("x", "5eed" * 8, f"{'5eed' * 8}/{'5eed' * 8}", files.root.replace("/artifacts", "/other")):
        assert files.http.get(PROXY, params={"path": path}).json() == {}
        assert files.http.put(f"{PROXY}/{path}/f", content=b"1").status_code == 404
    assert files.http.put(f"{PROXY}/{'5eed' * 8}/{'5eed' * 8}/artifacts/f", content=b"1").status_code == 404


@pytest.mark.parametrize("path", ["..%2fa", "a%2f..%2f..%2fb", "%2e%2e/a", "a%5cb", "C:/x", "a%00"])
def test_paths_that_lead_elsewhere_are_refused(files: Files, path: str) -> None:
    assert files.put(path, b"1", 400)
    assert files.list() == {}


def test_a_deleted_run_takes_no_files(files: Files, wire: Wire) -> None:
    files.put("a", b"1")
    wire.post("runs/delete", run_id=files.run)
    assert "must be in the 'active' state" in files.put("b", b"1", 400).json()["message"]
    assert files.http.delete(f"{PROXY}/{files.root}/a").status_code == 400
    assert files.get("a").content == b"1"


def test_another_tenant_reaches_nothing(files: Files, server: ServerProcess, tenant: str) -> None:
    files.put("a", b"1")
    headers = {"X-MLFLOW-WORKSPACE": f"{tenant}-other"}
    assert files.http.get(f"{PROXY}/{files.root}/a", headers=headers).status_code == 403
    assert files.http.put(f"{PROXY}/{files.root}/a", content=b"2", headers=headers).status_code == 403
    assert files.get("a").content == b"1"


def test_the_routes_of_its_pages(files: Files) -> None:
    asked = {"run_uuid": files.run, "path": "up/a.txt"}
    answer = files.http.post("/ajax-api/2.0/mlflow/upload-artifact", params=asked, content=b"page")
    assert (answer.status_code, answer.json()) == (200, {})
    for name in ("run_id", "run_uuid"):
        assert files.http.get("/get-artifact", params={name: files.run, "path": "up/a.txt"}).content == b"page"
    assert files.http.get("/get-artifact", params={"run_id": files.run, "path": "up"}).status_code == 400
    assert files.http.get("/get-artifact", params={"path": "up"}).status_code == 400
