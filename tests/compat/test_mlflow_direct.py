"""MLflow's client with its multipart switches on: past the server where there is an object store, whole where not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compat.conftest import scenario_runner
from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess

SWITCHES = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true",
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "6000000",
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": "5242880",
    "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE": "6000000",
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": "5242880",
}
MPU = "/api/2.0/mlflow-artifacts/mpu"


@pytest.mark.both_backends
def test_a_large_file_goes_up_and_down(
    server: ServerProcess, tenant: str, mlflow_python: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run = scenario_runner(mlflow_python, server.base_url, tmp_path, MLFLOW_WORKSPACE=tenant, **SWITCHES)
    found = run("in_parts")
    assert found["is_same"]
    assert found["small"] == "small"
    elsewhere = [line for line in found["asked"] if server.base_url not in line]
    is_objects = server is request.getfixturevalue("object_server") if "objects" in request.node.name else False
    assert len([line for line in elsewhere if line.startswith("PUT")]) == (3 if is_objects else 0)
    assert bool([line for line in elsewhere if line.startswith("GET")]) == is_objects
    with server.client(tenant) as api:
        head = api.head(f"/experiments/runs/{found['run']}/artifacts/deep/folder/big.bin")
        assert head.headers["ETag"] == f'"sha256:{found["sha256"]}"'


@pytest.fixture
def wire(object_server: ServerProcess, tenant: str) -> Iterator[Wire]:
    wire = Wire(object_server.base_url, tenant)
    yield wire
    wire.http.close()


def _call(wire: Wire, verb: str, run: str, body: dict[str, Any], status: int = 200) -> Any:
    uri = wire.get("runs/get", run_id=run)["run"]["info"]["artifact_uri"]
    answer = wire.http.post(f"{MPU}/{verb}/{uri.removeprefix('mlflow-artifacts:/')}/d", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_parts_are_those_that_the_store_has(wire: Wire) -> None:
    run = wire.new_run()
    created = _call(wire, "create", run, {"path": "/home/me/f.bin", "num_parts": 2})
    urls = {each["part_number"]: each["url"] for each in created["credentials"]}
    assert sorted(urls) == [1, 2]
    etags = {number: httpx.put(url, content=b"part %d" % number).headers["ETag"] for number, url in urls.items()}
    whole = {"path": "f.bin", "upload_id": created["upload_id"]}
    parts = [{"part_number": number, "etag": etag} for number, etag in etags.items()]
    for wrong in ([], [*parts, parts[0]], [{"part_number": 1, "etag": etags[2]}], [{"part_number": 3, "etag": "x"}]):
        _call(wire, "complete", run, {**whole, "parts": wrong}, 400)
    _call(wire, "complete", run, {**whole, "path": "other.bin", "parts": parts}, 404)
    _call(wire, "complete", wire.new_run(), {**whole, "parts": parts}, 404)
    _call(wire, "complete", run, {**whole, "parts": parts[::-1]})
    read = wire.http.get("/get-artifact", params={"run_id": run, "path": "d/f.bin"})
    assert read.content == b"part 1part 2"
    _call(wire, "complete", run, {**whole, "parts": parts}, 404)


def test_an_upload_that_is_given_up_is_forgotten(wire: Wire) -> None:
    run = wire.new_run()
    created = _call(wire, "create", run, {"path": "f.bin", "num_parts": 1})
    etag = httpx.put(created["credentials"][0]["url"], content=b"x").headers["ETag"]
    body = {"path": "f.bin", "upload_id": created["upload_id"]}
    _call(wire, "abort", run, body)
    _call(wire, "abort", run, body, 404)
    _call(wire, "complete", run, {**body, "parts": [{"part_number": 1, "etag": etag}]}, 404)


@pytest.mark.parametrize("parts", [0, -1, 10_001])
def test_an_upload_has_one_to_ten_thousand_parts(wire: Wire, parts: int) -> None:
    _call(wire, "create", wire.new_run(), {"path": "f", "num_parts": parts}, 400)
