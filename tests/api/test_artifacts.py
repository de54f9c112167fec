"""Files of a run through the public door: upload, list, read back byte for byte, replace."""

import hashlib
import re
from urllib.parse import quote

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.both_backends


UNKNOWN = "0" * 32


def upload(
    api: httpx.Client, run: str, name: str, data: bytes, directory: str | None = None, **more: str
) -> httpx.Response:
    params = more if directory is None else {"artifact_path": directory, **more}
    return api.post(f"/experiments/runs/{run}/log-artifact", params=params, files={"file": (name, data)})


def put(api: httpx.Client, run: str, path: str, data: bytes = b"x") -> dict[str, object]:
    directory, _, name = path.rpartition("/")
    answer = upload(api, run, name, data, directory or None)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert isinstance(body, dict)
    return body


def get(api: httpx.Client, run: str, path: str, **headers: str) -> httpx.Response:
    return api.get(f"/experiments/runs/{run}/artifacts/{path}", headers=headers)


def listed(api: httpx.Client, run: str, **params: str | int) -> dict[str, object]:
    answer = api.get(f"/experiments/runs/{run}/artifacts", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert isinstance(body, dict)
    return body


def paths(api: httpx.Client, run: str, **params: str | int) -> list[tuple[str, bool]]:
    entries = listed(api, run, **params)["artifacts"]
    assert isinstance(entries, list)
    return [(entry["path"], entry["is_dir"]) for entry in entries]


@pytest.mark.parametrize("size", [0, 1, 255, 65_536, 262_144, 262_145, 3_000_017])
def test_a_file_comes_back_byte_for_byte(api: httpx.Client, run: str, size: int) -> None:
    data = (b"\r\n--boundary" + bytes(range(256))) * (size // 200 + 1)
    data = data[:size]
    sha256 = hashlib.sha256(data).hexdigest()
    answer = upload(api, run, "model.pkl", data, "models")
    assert answer.status_code == 200, answer.text
    logged = answer.json()
    assert logged.pop("message")
    assert logged == {"run_id": run, "artifact": "models/model.pkl", "size": size, "sha256": sha256}
    back = get(api, run, "models/model.pkl")
    assert back.status_code == 200
    assert back.content == data
    assert back.headers["content-length"] == str(size)
    assert back.headers["etag"] == f'"sha256:{sha256}"'


def test_a_file_without_a_directory_stands_at_the_root(api: httpx.Client, run: str) -> None:
    for params in ({}, {"artifact_path": ""}):
        answer = api.post(f"/experiments/runs/{run}/log-artifact", params=params, files={"file": ("a.txt", b"a")})
        assert answer.json()["artifact"] == "a.txt"


@pytest.mark.parametrize(
    "path",
    ["a b/c d.txt", "é/中文.bin", "deep/" * 63 + "end", "x'y\"z/(1)&=+;,@!$.txt", "ab:c", "...x/..y", "~/.hidden"],
)
def test_odd_but_honest_names_are_kept(api: httpx.Client, run: str, path: str) -> None:
    assert put(api, run, path, b"odd")["artifact"] == path
    back = get(api, run, quote(path))
    assert back.status_code == 200, back.text
    assert back.content == b"odd"


def test_the_same_file_again_changes_nothing(api: httpx.Client, run: str) -> None:
    first, before = put(api, run, "m/a", b"same"), listed(api, run, path="m")
    again = put(api, run, "m/a", b"same")
    assert again == first
    assert listed(api, run, path="m") == before


def test_another_file_under_the_same_name_replaces_it(api: httpx.Client, run: str) -> None:
    put(api, run, "m/a", b"old")
    put(api, run, "m/a", b"newer")
    assert get(api, run, "m/a").content == b"newer"
    body = listed(api, run, path="m")
    assert body["total"] == 1
    put(api, run, "m/a", b"old")
    assert get(api, run, "m/a").content == b"old"


def test_a_directory_lists_its_files_and_directories(api: httpx.Client, run: str) -> None:
    for path in ("b.txt", "a/one", "a/two", "a/deep/three", "a0", "a-b", "z/only"):
        put(api, run, path, path.encode())
    assert paths(api, run) == [("a", True), ("a-b", False), ("a0", False), ("b.txt", False), ("z", True)]
    assert paths(api, run, path="a") == [("a/deep", True), ("a/one", False), ("a/two", False)]
    assert paths(api, run, path="a/deep") == [("a/deep/three", False)]
    body = listed(api, run, path="a")
    assert (body["total"], body["limit"], body["offset"]) == (3, 100, 0)
    entries = body["artifacts"]
    assert isinstance(entries, list)
    assert entries[0] == {"path": "a/deep", "is_dir": True, "size": None, "sha256": None, "created_at": None}
    assert entries[1]["size"] == 5
    assert entries[1]["sha256"] == hashlib.sha256(b"a/one").hexdigest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entries[1]["created_at"])


def test_a_directory_comes_in_pages(api: httpx.Client, run: str) -> None:
    for i in range(7):
        put(api, run, f"d{i}/file" if i % 2 else f"f{i}")
    everything = paths(api, run)
    assert len(everything) == 7
    got = [entry for offset in range(0, 9, 3) for entry in paths(api, run, limit=3, offset=offset)]
    assert got == everything
    assert listed(api, run, offset=100) == {"artifacts": [], "total": 7, "limit": 100, "offset": 100}


def test_an_unknown_directory_and_a_file_are_empty_directories(api: httpx.Client, run: str) -> None:
    put(api, run, "a/file")
    for path in ("nowhere", "a/file", "a/fil", "A"):
        assert listed(api, run, path=path) == {"artifacts": [], "total": 0, "limit": 100, "offset": 0}


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"limit": "x"}])
def test_a_page_out_of_bounds_is_refused(api: httpx.Client, run: str, params: dict[str, str | int]) -> None:
    answer = api.get(f"/experiments/runs/{run}/artifacts", params=params)
    assert_problem(answer, 400, "invalid_request", field=next(iter(params)))


def test_a_path_is_a_file_or_a_directory(api: httpx.Client, run: str) -> None:
    put(api, run, "a/b/c")
    for directory, name, field in (
        ("a", "b", "file"),
        ("a/b/c", "d", "artifact_path"),
        ("a/b/c/d", "e", "artifact_path"),
    ):
        assert_problem(upload(api, run, name, b"x", directory), 400, "invalid_request", field=field)
    assert paths(api, run, path="a/b") == [("a/b/c", False)]
    put(api, run, "a/b2")
    put(api, run, "a/b/c", b"replaced")


@pytest.mark.parametrize(
    "directory",
    [
        "..",
        "../..",
        "a/../b",
        "/etc",
        "//etc",
        "a//b",
        "a/",
        ".",
        "a/./b",
        "..\\..\\etc",
        "C:\\Windows",
        "C:/Windows",
        "\\\\?\\C:\\",
        "%2e%2e",
        "%252e%252e%252f",
        "a%2fb",
        "a?b",
        "a#/../b",
        "a\x00b",
        "a\nb",
        "a\u202eb",
        "a/.. /b",
        "d/" * 64 + "d",
        "x" * 256,
    ],
)
def test_a_directory_that_leads_elsewhere_is_refused(api: httpx.Client, run: str, directory: str) -> None:
    assert_problem(upload(api, run, "f", b"x", directory), 400, "invalid_request", field="artifact_path")
    assert_problem(
        api.get(f"/experiments/runs/{run}/artifacts", params={"path": directory}), 400, "invalid_request", field="path"
    )
    assert listed(api, run)["total"] == 0


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "/etc/passwd", "../x", "..\\..\\x", "C:\\x", "a%2fb", "a?b", "a#b", "x" * 256]
)
def test_a_file_name_that_is_a_path_is_refused(api: httpx.Client, run: str, name: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\nx\r\n--b--\r\n' % name.encode()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = api.post(f"/experiments/runs/{run}/log-artifact", content=body, headers=headers)
    assert_problem(answer, 400, "invalid_request", field="file")
    assert listed(api, run)["total"] == 0


def test_two_spellings_of_a_name_are_one_artifact(api: httpx.Client, run: str) -> None:
    put(api, run, "e\u0301t\u00e9", b"one")
    assert put(api, run, "\u00e9t\u00e9", b"two")["artifact"] == "\u00e9t\u00e9"
    assert listed(api, run)["total"] == 1


def test_an_unknown_run_and_an_unknown_artifact_are_404(api: httpx.Client, run: str) -> None:
    for unknown in (UNKNOWN, "nonsense"):
        assert_problem(upload(api, unknown, "a", b"x"), 404, "run_not_found")
        assert_problem(get(api, unknown, "a"), 404, "run_not_found")
        assert_problem(api.get(f"/experiments/runs/{unknown}/artifacts"), 404, "run_not_found")
    put(api, run, "a/b")
    for path in ("b", "a", "a/B", "a/b/c"):
        assert_problem(get(api, run, path), 404, "artifact_not_found")


def test_the_artifacts_of_another_tenant_are_403(server: ServerProcess, api: httpx.Client, run: str) -> None:
    put(api, run, "secret", b"canary")
    with server.client("stranger") as stranger:
        for answer in (
            upload(stranger, run, "secret", b"overwritten"),
            get(stranger, run, "secret"),
            stranger.get(f"/experiments/runs/{run}/artifacts"),
        ):
            assert_problem(answer, 403, "tenant_access_denied")
            assert "canary" not in answer.text
        assert stranger.head(f"/experiments/runs/{run}/artifacts/secret").status_code == 403
    assert get(api, run, "secret").content == b"canary"


def test_an_archived_run_takes_no_files_and_shows_those_it_has(api: httpx.Client, experiment: str, run: str) -> None:
    put(api, run, "a", b"kept")
    assert api.delete(f"/experiments/{experiment}").status_code in (200, 204)
    assert_problem(upload(api, run, "b", b"late"), 400, "run_archived")
    assert get(api, run, "a").content == b"kept"
    assert paths(api, run) == [("a", False)]
