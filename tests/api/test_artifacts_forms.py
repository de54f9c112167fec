"""Forms as hostile and as clumsy clients send them: one file is taken, anything else is refused and leaves nothing."""

import httpx
import pytest
from tests.api.test_artifacts import listed
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

FORM = "multipart/form-data; boundary=b"
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'


def send(api: httpx.Client, run: str, body: bytes, content_type: str | None = FORM) -> httpx.Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return api.post(f"/experiments/runs/{run}/log-artifact", content=body, headers=headers)


def refused(api: httpx.Client, server: ServerProcess, run: str, answer: httpx.Response, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert listed(api, run)["total"] == 0
    assert list((server.home / "artifacts" / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [
        HEAD + b"\r\nhello\r\n--b--",
        HEAD + b"\r\nhello\r\n--b--\r\n",
        HEAD + b"\r\nhello\r\n--b--\r\nepilogue",
        b"\r\n" + HEAD + b"\r\nhello\r\n--b--\r\n",
        b"preamble\r\n" + HEAD + b"\r\nhello\r\n--b--\r\n",
        HEAD + b"Content-Type: text/html\r\nContent-Transfer-Encoding: BINARY\r\nX-Other: 1\r\n\r\nhello\r\n--b--\r\n",
        HEAD + b"Content-Length: 5\r\n\r\nhello\r\n--b--\r\n",
        HEAD.replace(b'"file"', b"file").replace(b'"a.txt"', b"a.txt") + b"\r\nhello\r\n--b--\r\n",
    ],
)
def test_a_form_with_one_file_is_taken_however_it_is_cut(api: httpx.Client, run: str, body: bytes) -> None:
    for piece in (1, 7, len(body)):
        pieces = (body[at : at + piece] for at in range(0, len(body), piece))
        answer = api.post(f"/experiments/runs/{run}/log-artifact", content=pieces, headers={"Content-Type": FORM})
        assert answer.status_code == 200, answer.text
        assert answer.json()["artifact"] == "a.txt"
    assert api.get(f"/experiments/runs/{run}/artifacts/a.txt").content == b"hello"


@pytest.mark.parametrize(
    "content",
    [
        b"--b",
        b"\r\n--b",
        b"\r\n--",
        b"\r\n--bb\r\n",
        b"--b--\r\n",
        b"\r" * 300_000,
        b"\r\n-" * 100_000,
        b"\r\n--c" * 90_000,
    ],
)
def test_content_that_looks_like_a_boundary_is_content(api: httpx.Client, run: str, content: bytes) -> None:
    if b"\r\n--b" in content:
        content = content.replace(b"\r\n--b", b"\r\n-_b")
    assert send(api, run, HEAD + b"\r\n" + content + b"\r\n--b--\r\n").status_code == 200
    assert api.get(f"/experiments/runs/{run}/artifacts/a.txt").content == content


@pytest.mark.parametrize(
    "body",
    [
        b"--b--\r\n",
        b"--b",
        b"--b\r\n",
        b"hello",
        b"--c\r\n\r\n--c--",
        HEAD,
        HEAD + b"\r\n",
        HEAD + b"\r\nhello",
        HEAD + b"\r\nhello\r\n--b",
        HEAD + b"\r\nhello\r\n--b-",
        HEAD + b"\r\nhello\r\n--bx\r\n",
        HEAD + b"Content-Length: 4\r\n\r\nhello\r\n--b--\r\n",
        HEAD + b"Content-Length: 6\r\n\r\nhello\r\n--b--\r\n",
        HEAD + b"Content-Length: -1\r\n\r\nhello\r\n--b--\r\n",
        HEAD + b"no colon\r\n\r\nhello\r\n--b--\r\n",
        HEAD + b"\xff: 1\r\n\r\nhello\r\n--b--\r\n",
        HEAD + b"X: " + b"x" * 5_000 + b"\r\n\r\nhello\r\n--b--\r\n",
        HEAD + b"X: 1\r\n" * 9 + b"\r\nhello\r\n--b--\r\n",
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n",
        b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: attachment; name="file"; filename="a"\r\n\r\nhello\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\nhello\r\n--b--\r\n',
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''%2e%2e%2f\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a%0D%0Ab"\r\n\r\nx\r\n--b--\r\n',
        HEAD + b"\r\none\r\n" + HEAD + b"\r\ntwo\r\n--b--\r\n",
        b"--b\r\n\r\n\r\n" * 10_000 + b"--b--\r\n",
        (b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n') * 10_000 + b"--b--\r\n",
        b"p" * 200_000,
    ],
    ids=lambda body: body[-40:].decode("latin-1").encode("unicode_escape").decode(),
)
def test_any_other_form_is_refused(api: httpx.Client, server: ServerProcess, run: str, body: bytes) -> None:
    refused(api, server, run, send(api, run, body))


def test_a_part_that_is_not_the_file_is_refused_by_name(api: httpx.Client, server: ServerProcess, run: str) -> None:
    files = {"file": ("a", b"x")}
    answer = api.post(f"/experiments/runs/{run}/log-artifact", data={"artifact_path": "models"}, files=files)
    assert_problem(answer, 400, "invalid_request", field="artifact_path")
    assert "query" in answer.json()["detail"]
    refused(api, server, run, answer)
    refused(api, server, run, api.post(f"/experiments/runs/{run}/log-artifact", files={"upload": ("a", b"x")}))


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=b; boundary=c",
        "multipart/form-data; boundary=" + "b" * 71,
        "multipart/form-data; boundary=b\u00e9",
        'multipart/form-data; boundary="b\\"',
        "multipart/form-data; !=" + '\\"' * 10_000,
    ],
)
def test_a_form_needs_one_plain_boundary(api: httpx.Client, server: ServerProcess, run: str, content_type: str) -> None:
    body = HEAD + b"\r\nhello\r\n--b--\r\n"
    headers = [(b"Content-Type", content_type.encode("latin-1"))]
    answer = api.post(f"/experiments/runs/{run}/log-artifact", content=body, headers=headers)
    refused(api, server, run, answer)


def test_boundaries_of_known_clients_are_read(api: httpx.Client, run: str) -> None:
    for written, boundary in (
        ('"----=_Part_0_1.2"', "----=_Part_0_1.2"),
        ("----WebKitFormBoundaryabcDEF012", "----WebKitFormBoundaryabcDEF012"),
        ("b" * 70, "b" * 70),
        ("b; charset=utf-8", "b"),
    ):
        body = (HEAD + b"\r\nhello\r\n--b--\r\n").replace(b"--b", b"--" + boundary.encode())
        assert send(api, run, body, f"Multipart/Form-Data;Boundary={written}").status_code == 200


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/octet-stream", "multipart/mixed; boundary=b", "text/plain", None]
)
def test_another_media_type_is_415(
    api: httpx.Client, server: ServerProcess, run: str, content_type: str | None
) -> None:
    refused(api, server, run, send(api, run, HEAD + b"\r\nhello\r\n--b--\r\n", content_type), 415)


def test_no_body_is_refused(api: httpx.Client, server: ServerProcess, run: str) -> None:
    answer = api.post(f"/experiments/runs/{run}/log-artifact", headers={"Content-Type": FORM})
    refused(api, server, run, answer)
