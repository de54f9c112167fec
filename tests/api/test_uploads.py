"""Files that come in parts: what is here is not sent again, and what is not as promised is no artifact."""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess
from tests.unit.test_sdk_http.scripted import Answer, ScriptedServer

import gnomon
from gnomon.client import uploads as client_uploads
from gnomon.wire import PART_BYTES, part_size

pytestmark = pytest.mark.both_backends


Json = dict[str, Any]
SIZE = 2 * PART_BYTES + 12_345


def noise(size: int = SIZE, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def begin(api: httpx.Client, run: str, data: bytes, path: str = "models/model.bin") -> Json:
    body = {"path": path, "size": len(data), "sha256": sha(data)}
    answer = api.post(f"/experiments/runs/{run}/uploads", json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def put(
    api: httpx.Client, run: str, upload: str, number: int | str, data: bytes, digest: str | None = None
) -> httpx.Response:
    where = f"/experiments/runs/{run}/uploads/{upload}/parts/{number}"
    headers = {"Content-Type": "application/octet-stream"}
    return api.put(where, params={"sha256": digest or sha(data)}, content=data, headers=headers)


def part(data: bytes, number: int) -> bytes:
    return data[number * PART_BYTES : (number + 1) * PART_BYTES]


def complete(api: httpx.Client, run: str, upload: str) -> httpx.Response:
    return api.post(f"/experiments/runs/{run}/uploads/{upload}/complete")


def stored(api: httpx.Client, run: str, path: str = "models/model.bin") -> bytes:
    answer = api.get(f"/experiments/runs/{run}/artifacts/{path}")
    assert answer.status_code == 200, answer.text
    return answer.content


def test_parts_come_in_any_order_and_make_the_file(api: httpx.Client, run: str) -> None:
    data = noise()
    status = begin(api, run, data)
    upload = status["upload_id"]
    assert (status["part_size"], status["parts"], status["artifact"]) == (PART_BYTES, [], None)
    for number in (2, 0):
        assert put(api, run, upload, number, part(data, number)).status_code == 200
    assert_problem(complete(api, run, upload), 400, "parts_missing")
    assert begin(api, run, data)["parts"] == [0, 2]
    assert api.get(f"/experiments/runs/{run}/uploads/{upload}").json()["parts"] == [0, 2]
    for _ in range(2):
        assert put(api, run, upload, 1, part(data, 1)).status_code == 200
    logged = complete(api, run, upload).json()
    assert (logged["artifact"], logged["size"], logged["sha256"]) == ("models/model.bin", SIZE, sha(data))
    assert stored(api, run) == data
    assert_problem(complete(api, run, upload), 404, "upload_not_found")


def test_a_content_that_is_here_is_attached_without_a_byte(api: httpx.Client, experiment: str, run: str) -> None:
    data = noise(1000)
    api.post(f"/experiments/runs/{run}/log-artifact", files={"file": ("a.bin", data)})
    other = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
    found = begin(api, other, data, "copy.bin")["artifact"]
    assert (found["artifact"], found["sha256"]) == ("copy.bin", sha(data))
    assert stored(api, other, "copy.bin") == data


def test_another_tenants_content_is_not_here(api: httpx.Client, run: str, server: ServerProcess) -> None:
    data = noise(1000, seed=9)
    api.post(f"/experiments/runs/{run}/log-artifact", files={"file": ("a.bin", data)})
    with server.client("another-tenant") as stranger:
        experiment = stranger.post("/experiments", json={"name": "x"}).json()["id"]
        theirs = stranger.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        assert begin(stranger, theirs, data)["artifact"] is None
        upload = begin(api, run, noise(50, seed=3))["upload_id"]
        assert_problem(complete(stranger, theirs, upload), 404, "upload_not_found")
        assert_problem(complete(stranger, run, upload), 403, "tenant_access_denied")


def test_an_empty_file_has_no_parts(api: httpx.Client, run: str) -> None:
    upload = begin(api, run, b"", "empty.bin")["upload_id"]
    assert complete(api, run, upload).json()["size"] == 0
    assert stored(api, run, "empty.bin") == b""


@pytest.mark.parametrize("sent", [b"", b"short", b"x" * 1000 + b"!", b"y" * 1000])
def test_a_part_that_is_not_what_it_says_does_not_count(api: httpx.Client, run: str, sent: bytes) -> None:
    data = b"x" * 1000
    upload = begin(api, run, data)["upload_id"]
    assert_problem(put(api, run, upload, 0, sent, sha(data)), 400, "hash_mismatch")
    assert begin(api, run, data)["parts"] == []
    assert put(api, run, upload, 0, data).status_code == 200
    assert complete(api, run, upload).status_code == 200


def test_a_whole_that_is_not_what_was_promised_is_no_artifact(api: httpx.Client, run: str) -> None:
    body = {"path": "a.bin", "size": 5, "sha256": "0" * 64}
    upload = api.post(f"/experiments/runs/{run}/uploads", json=body).json()["upload_id"]
    assert put(api, run, upload, 0, b"hello").status_code == 200
    assert_problem(complete(api, run, upload), 400, "hash_mismatch")
    assert api.get(f"/experiments/runs/{run}/artifacts").json()["artifacts"] == []
    assert_problem(complete(api, run, upload), 404, "upload_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"path": "../x", "size": 1, "sha256": "0" * 64},
        {"path": "/x", "size": 1, "sha256": "0" * 64},
        {"path": "x", "size": -1, "sha256": "0" * 64},
        {"path": "x", "size": 2**53, "sha256": "0" * 64},
        {"path": "x", "size": 1, "sha256": "0" * 63},
        {"path": "x", "size": 1, "sha256": "Z" * 64},
        {"path": "x", "size": 1},
        {},
    ],
)
def test_what_cannot_be_an_upload_is_refused(api: httpx.Client, run: str, body: Json) -> None:
    assert api.post(f"/experiments/runs/{run}/uploads", json=body).status_code in (400, 413)


@pytest.mark.parametrize("number", ["1", "-1", "x", "99999999999", "%C2%B2"])
def test_a_part_that_the_file_does_not_have_is_refused(api: httpx.Client, run: str, number: str) -> None:
    upload = begin(api, run, b"data")["upload_id"]
    assert put(api, run, upload, number, b"data").status_code == 400
    assert put(api, run, "nonsense", 0, b"data").status_code == 404


def test_an_upload_can_be_given_up(api: httpx.Client, run: str) -> None:
    upload = begin(api, run, b"data")["upload_id"]
    assert api.delete(f"/experiments/runs/{run}/uploads/{upload}").json() == {"upload_id": upload}
    assert_problem(put(api, run, upload, 0, b"data"), 404, "upload_not_found")


def test_an_archived_run_takes_no_upload(api: httpx.Client, run: str) -> None:
    upload = begin(api, run, b"data")["upload_id"]
    api.delete(f"/experiments/runs/{run}")
    assert_problem(put(api, run, upload, 0, b"data"), 400, "run_archived")


def test_parts_survive_a_killed_server(tmp_path: Path) -> None:
    data = noise()
    server = ServerProcess(tmp_path / "home").start()
    with server.client("t") as api:
        experiment = api.post("/experiments", json={"name": "x"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        upload = begin(api, run, data)["upload_id"]
        put(api, run, upload, 1, part(data, 1))
    server.kill()
    server = ServerProcess(tmp_path / "home").start()
    with server.client("t") as api:
        assert begin(api, run, data)["parts"] == [1]
        for number in (0, 2):
            put(api, run, upload, number, part(data, number))
        assert complete(api, run, upload).status_code == 200
        assert stored(api, run) == data
    assert server.stop() == 0
    assert list((tmp_path / "home" / "artifacts" / "uploads").glob("*/*")) == []


def test_the_client_sends_a_large_file_in_parts_and_only_what_is_missing(
    api: httpx.Client, server: ServerProcess, tenant: str, run: str, tmp_path: Path
) -> None:
    data = noise(seed=4)
    file = tmp_path / "model.bin"
    file.write_bytes(data)
    upload = begin(api, run, data, "m/model.bin")["upload_id"]
    put(api, run, upload, 0, part(data, 0))
    with gnomon.Client(server.base_url, tenant=tenant) as client:
        sent: list[str] = []
        upload_of = client.uploads._transport.upload

        def watched(path: str, *args: Any, **more: Any) -> Any:
            sent.append(path.rpartition("/")[2])
            return upload_of(path, *args, **more)

        client.uploads._transport.upload = watched  # type: ignore[method-assign]  # to see what is sent
        logged = client.artifacts.log(run, file, artifact_path="m")
        assert (logged.sha256, sorted(sent)) == (sha(data), ["1", "2"])
        assert client.artifacts.log(run, file, artifact_path="again").artifact == "again/model.bin"
        assert sorted(sent) == ["1", "2"]
    assert stored(api, run, "m/model.bin") == stored(api, run, "again/model.bin") == data


def test_a_file_that_changes_while_it_is_sent_is_no_artifact(
    server: ServerProcess, tenant: str, api: httpx.Client, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(noise(seed=5))
    hashed = client_uploads.hash_file(file)
    monkeypatch.setattr(client_uploads, "hash_file", lambda _source: hashed)
    for damage in (lambda: os.truncate(file, SIZE - 1), lambda: file.write_bytes(noise(seed=6))):
        damage()
        with (
            gnomon.Client(server.base_url, tenant=tenant) as client,
            pytest.raises(gnomon.GnomonError, match="changed"),
        ):
            client.artifacts.log(run, file)
    assert api.get(f"/experiments/runs/{run}/artifacts").json()["artifacts"] == []


def test_an_upload_that_another_answer_finished_is_begun_again(tmp_path: Path) -> None:
    """The answer of `complete` was lost, and the repeat hears that there is no such upload: beginning again tells."""
    file = tmp_path / "model.bin"
    file.write_bytes(b"x" * client_uploads.MIN_BYTES)
    whole = sha(file.read_bytes())
    logged = f'{{"message":"","run_id":"r","artifact":"model.bin","size":1,"sha256":"{whole}"}}'
    status = f'{{"upload_id":"u","path":"p","size":1,"sha256":"{whole}","part_size":8388608,"parts":[0],"artifact":'
    gone = b'{"type":"","title":"","status":404,"detail":"gone","code":"upload_not_found"}'
    server = ScriptedServer(
        Answer(body=f"{status}null}}".encode()), Answer(404, gone), Answer(body=f"{status}{logged}}}".encode())
    )
    with gnomon.Client(server.url) as client:
        assert client.artifacts.log("r", file).sha256 == whole
    assert [asked.target.rpartition("/")[2] for asked in server.script.asked] == ["uploads", "complete", "uploads"]
    server.close()


def test_parts_are_as_many_as_an_upload_may_have() -> None:
    assert part_size(0) == part_size(80_000 * 1024 * 1024) == PART_BYTES
    assert -(-(1 << 40) // part_size(1 << 40)) <= 10_000


def test_a_large_file_that_a_script_logs_last_is_sent_while_its_process_ends(
    server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes(b"w" * (client_uploads.MIN_BYTES + 1))
    given = {"GNOMON_URL": server.base_url, "GNOMON_TENANT": tenant, "GNOMON_SPOOL": str(tmp_path / "spool")}
    body = f"import gnomon; run = gnomon.init('fraud'); print(run.id); run.log_artifact({str(file)!r})"
    env = os.environ | given | {"GNOMON_EXIT_TIMEOUT": "60", "GNOMON_CAPTURE": "none"}
    done = subprocess.run([sys.executable, "-c", body], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    with gnomon.Client(server.base_url, tenant=tenant) as client:
        kept = [(each.path, each.size) for each in client.artifacts.walk(done.stdout.strip())]
    assert kept == [("model.pt", client_uploads.MIN_BYTES + 1)]
