"""Files that go past the server: to and from a real object store, by addresses that open one thing for a short time."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.api.test_uploads import begin, complete, part, sha
from tests.support.problems import assert_problem
from tests.support.seaweed import SECRET, Seaweed
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.wire import PART_BYTES


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, seaweed: Seaweed, _chosen_database: None
) -> Iterator[ServerProcess]:
    env = {**seaweed.env("s3://gnomon/presigned"), "GNOMON_PRESIGN": "1", "GNOMON_PRESIGN_SECS": "60"}
    running = ServerProcess(tmp_path_factory.mktemp("presigned") / "home", env=env).start()
    yield running
    assert running.stop() == 0
    assert SECRET not in running.log_path.read_text()


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def upload(api: httpx.Client, run: str, name: str, data: bytes) -> None:
    answer = api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, data)})
    assert answer.status_code == 200, answer.text


def test_a_large_download_is_sent_to_the_store_and_is_a_download_there(api: httpx.Client, run: str) -> None:
    data = b"<script>" + noise(2_000_000)
    upload(api, run, "page.html", data)
    answer = api.get(f"/experiments/runs/{run}/artifacts/page.html")
    assert answer.status_code == 302
    assert answer.content == b""
    assert answer.headers["ETag"] == f'"sha256:{sha(data)}"'
    assert answer.headers["Cache-Control"] == "no-store"
    there = httpx.get(answer.headers["Location"])
    assert there.content == data
    assert there.headers["Content-Disposition"].startswith("attachment")
    assert there.headers["Content-Type"] == "application/octet-stream"
    some = httpx.get(answer.headers["Location"], headers={"Range": "bytes=10-19"})
    assert (some.status_code, some.content) == (206, data[10:20])


def test_what_is_small_known_or_fetched_by_a_page_is_answered_here(api: httpx.Client, run: str) -> None:
    data = noise(2_000_000)
    upload(api, run, "f", data)
    upload(api, run, "small", b"small")
    where = f"/experiments/runs/{run}/artifacts"
    assert api.get(f"{where}/small").content == b"small"
    fetched = api.get(f"{where}/f", headers={"Sec-Fetch-Mode": "cors"})
    assert (fetched.status_code, fetched.content) == (200, data)
    assert api.head(f"{where}/f").headers["Content-Length"] == "2000000"


def test_an_address_opens_one_object_for_one_method(api: httpx.Client, run: str) -> None:
    upload(api, run, "f", noise(2_000_000))
    url = api.get(f"/experiments/runs/{run}/artifacts/f").headers["Location"]
    for method in ("PUT", "DELETE"):
        assert httpx.request(method, url).status_code == 403
    parts = urlsplit(url)
    other = parts._replace(path=parts.path[:-1] + ("0" if parts.path[-1] != "0" else "1")).geturl()
    assert httpx.get(other).status_code == 403


def test_parts_that_went_past_the_server_are_hashed_before_they_count(api: httpx.Client, run: str) -> None:
    data = noise(2 * PART_BYTES + 12_345)
    begun = begin(api, run, data)
    urls = {each["number"]: each["url"] for each in begun["part_urls"]}
    assert sorted(urls) == [0, 1, 2]
    for number in (0, 1):
        assert httpx.put(urls[number], content=part(data, number)).status_code == 200
    again = begin(api, run, data)
    assert (again["parts"], [each["number"] for each in again["part_urls"]]) == ([0, 1], [2])
    assert_problem(complete(api, run, begun["upload_id"]), 400, "parts_missing")
    assert httpx.put(urls[2], content=part(data, 2)).status_code == 200
    assert complete(api, run, begun["upload_id"]).json()["sha256"] == sha(data)
    # The address is valid still, and nobody reads what is put there now.
    assert httpx.put(urls[0], content=noise(PART_BYTES)).status_code == 200
    location = api.get(f"/experiments/runs/{run}/artifacts/models/model.bin").headers["Location"]
    assert hashlib.sha256(httpx.get(location).content).hexdigest() == sha(data)


def test_parts_with_other_bytes_are_refused_as_a_whole(api: httpx.Client, run: str) -> None:
    data = noise(PART_BYTES + 1)
    begun = begin(api, run, data)
    for each in begun["part_urls"]:
        size = len(part(data, each["number"]))
        assert httpx.put(each["url"], content=noise(size + 1)[:size]).status_code == 200
    assert_problem(complete(api, run, begun["upload_id"]), 400, "hash_mismatch")
    assert_problem(complete(api, run, begun["upload_id"]), 404, "upload_not_found")
    assert api.get(f"/experiments/runs/{run}/artifacts/models/model.bin").status_code == 404


def test_the_client_goes_past_the_server_both_ways(
    server: ServerProcess, tenant: str, run: str, tmp_path: Path
) -> None:
    data = noise(3 * PART_BYTES + 7)
    (tmp_path / "model.bin").write_bytes(data)
    with gnomon.Client(server.base_url, tenant=tenant) as client:
        kept = client.artifacts.log(run, tmp_path / "model.bin")
        assert kept.sha256 == sha(data)
        assert client.artifacts.read(run, "model.bin") == data
    asked = [line for line in server.log_path.read_text().splitlines() if run in line]
    assert any("/complete" in line for line in asked)
    assert not [line for line in asked if "/parts/" in line]
    (read,) = [line for line in asked if "artifacts/model.bin" in line]
    assert "302" in read


def test_a_part_whose_address_cannot_be_reached_goes_through_the_server(
    server: ServerProcess, tenant: str, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: httpx.Client
) -> None:
    data = noise(PART_BYTES + 3)
    (tmp_path / "f").write_bytes(data)
    with gnomon.Client(server.base_url, tenant=tenant) as client:
        begun = client.uploads.begin

        def elsewhere(*args: object) -> gnomon.wire.UploadStatus:
            status = begun(*args)  # type: ignore[arg-type]  # passed on as they came
            nowhere = [gnomon.wire.PartUrl(number=each.number, url="http://127.0.0.1:9/x") for each in status.part_urls]
            return gnomon.wire.UploadStatus(
                **{name: getattr(status, name) for name in status.__struct_fields__ if name != "part_urls"},
                part_urls=nowhere,
            )

        monkeypatch.setattr(client.uploads, "begin", elsewhere)
        assert client.uploads.log(run, tmp_path / "f", "f").sha256 == sha(data)
    assert stored_elsewhere(api, run) == data


def stored_elsewhere(api: httpx.Client, run: str) -> bytes:
    return httpx.get(api.get(f"/experiments/runs/{run}/artifacts/f").headers["Location"]).content
