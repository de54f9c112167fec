"""An answer may come before the whole body was sent; the client learns whether it may use the connection again."""

from urllib.parse import urlsplit

import pytest
from tests.attacks.raw_http import Wire, request
from tests.support.server_process import ServerProcess

UNKNOWN = "/api/v1/experiments/runs/0192f0c1a2b37000800000000000abcd/log-artifact"
MIB = 1024 * 1024


def connect(server: ServerProcess) -> Wire:
    address = urlsplit(server.base_url)
    assert address.hostname is not None
    assert address.port is not None
    return Wire((address.hostname, address.port))


def upload_head(length: int | None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return request(
        "POST", UNKNOWN, "Content-Type: multipart/form-data; boundary=b", framing, host="127.0.0.1", close=False
    )


def test_a_short_rest_is_read_and_the_connection_goes_on(server: ServerProcess) -> None:
    with connect(server) as wire:
        wire.send(upload_head(MIB))
        answer = wire.answer()
        assert answer is not None
        assert answer.status == 404
        assert "connection" not in answer.headers
        wire.send(bytes(MIB))
        wire.send(request(target="/healthz", host="127.0.0.1", close=False))
        answer = wire.answer()
        assert answer is not None
        assert answer.status == 200


@pytest.mark.parametrize("length", [MIB + 1, None])
def test_an_answer_before_a_long_rest_says_that_the_connection_ends(server: ServerProcess, length: int | None) -> None:
    with connect(server) as wire:
        wire.send(upload_head(length))
        answer = wire.answer()
        assert answer is not None
        assert answer.status == 404
        assert answer.headers["connection"] == "close"
        assert wire.is_closed_by_server()
