"""How a file leaves the server: parts of it, none of it when it is known, and always as a harmless attachment."""

from http.client import HTTPConnection

import httpx
import pytest
from tests.api.test_artifacts import put
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.both_backends


DATA = bytes(range(256)) * 2_000


@pytest.fixture
def url(api: httpx.Client, run: str) -> str:
    put(api, run, "models/data.bin", DATA)
    return f"/experiments/runs/{run}/artifacts/models/data.bin"


def test_a_part_is_206(api: httpx.Client, url: str) -> None:
    for header, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=1000-300000", 1000, 300_001),
        ("bytes=-5", 511_995, 512_000),
    ):
        answer = api.get(url, headers={"Range": header})
        assert answer.status_code == 206
        assert answer.content == DATA[start:stop]
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
        assert answer.headers["content-length"] == str(stop - start)
        assert answer.headers["accept-ranges"] == "bytes"


def test_a_part_outside_is_416_with_the_size(api: httpx.Client, url: str) -> None:
    for header in ("bytes=512000-", "bytes=0-1,4-5", "bytes=" + "0-1," * 1_000 + "0-1", "bytes=x"):
        answer = api.get(url, headers={"Range": header})
        assert_problem(answer, 416, "range_not_satisfiable")
        assert answer.headers["content-range"] == f"bytes */{len(DATA)}"


def test_a_part_of_a_file_that_changed_is_the_whole_new_file(api: httpx.Client, run: str, url: str) -> None:
    etag = api.head(url).headers["etag"]
    same = api.get(url, headers={"Range": "bytes=5-", "If-Range": etag})
    assert (same.status_code, same.content) == (206, DATA[5:])
    put(api, run, "models/data.bin", b"another")
    changed = api.get(url, headers={"Range": "bytes=5-", "If-Range": etag})
    assert (changed.status_code, changed.content) == (200, b"another")


def test_a_known_file_is_304_without_a_body(api: httpx.Client, url: str) -> None:
    etag = api.get(url).headers["etag"]
    for method in ("GET", "HEAD"):
        for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            answer = api.request(method, url, headers={"If-None-Match": tag, "Range": "bytes=0-1"})
            assert answer.status_code == 304
            assert answer.content == b""
            assert answer.headers["etag"] == etag
            assert "content-disposition" not in answer.headers
    assert api.get(url, headers={"If-None-Match": '"sha256:00"'}).status_code == 200


def test_head_answers_the_headers_of_get(api: httpx.Client, url: str) -> None:
    varying = {"date", "x-request-id"}
    get, head = api.get(url), api.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k not in varying} == {
        k: v for k, v in get.headers.items() if k not in varying
    }
    assert api.head(url + "x").status_code == 404
    assert api.head(url + "%252e").status_code == 400


@pytest.mark.parametrize(
    "name", ["page.html", "drawing.svg", "feed.xml", "app.js", "paper.pdf", "book.ipynb", "plot.png"]
)
def test_a_file_is_never_a_page_of_ours(api: httpx.Client, run: str, name: str) -> None:
    put(api, run, name, b"<script>alert(document.domain)</script>")
    headers = api.get(f"/experiments/runs/{run}/artifacts/{name}").headers
    assert headers["content-disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    for header, value in (
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
        ("content-type", "image/png" if name == "plot.png" else "application/octet-stream"),
    ):
        assert set(headers.get_list(header)) == {value}


def test_the_uploader_does_not_choose_the_type(api: httpx.Client, run: str) -> None:
    files = {"file": ("a.bin", b"<script>", "text/html; charset=utf-7")}
    assert api.post(f"/experiments/runs/{run}/log-artifact", files=files).status_code == 200
    assert api.get(f"/experiments/runs/{run}/artifacts/a.bin").headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
        "%25252e%25252e%25252f",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "C:%5cWindows%5cwin.ini",
        "C:/Windows/win.ini",
        "..%5c..%5cetc",
        "a%00b",
        "a%0d%0ab",
        "a%3fb",
        "a%23b",
        "models/",
        "models//data.bin",
        "models/./data.bin",
        "models/data.bin/",
        "models%2f%2fdata.bin",
        "%ff",
        "%e2%80%aex",
    ],
)
def test_a_path_is_refused_and_never_repaired(
    api: httpx.Client, server: ServerProcess, run: str, url: str, path: str
) -> None:
    # Not by httpx, which takes dots out of a path before it sends it.
    connection = HTTPConnection(server.base_url.removeprefix("http://"))
    connection.request(
        "GET", f"/api/v1/experiments/runs/{run}/artifacts/{path}", headers={"X-Tenant-ID": api.headers["x-tenant-id"]}
    )
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 400, body[:500]
    assert b"root:" not in body


def test_an_encoded_slash_separates_like_a_plain_one(api: httpx.Client, run: str, url: str) -> None:
    assert api.get(url.replace("models/", "models%2F"), headers={"Range": "bytes=0-0"}).content == DATA[:1]
