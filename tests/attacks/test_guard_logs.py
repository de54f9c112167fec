"""What the logs say of hostile requests: one JSON line each, nothing forged, no secret."""

import json
import logging
from collections.abc import Iterator

import pytest

from gnomon_server.api.front.access_log import RedactSecrets, redact
from tests.attacks.corpus import JSON
from tests.attacks.guarded import GuardedServer
from tests.attacks.raw_http import Wire, exchange, request

KEY = "gnm_abcdefghij_Zz0123456789Zz0123456789_a1b2c3"
SECRET = "Zz0123456789"


@pytest.fixture(scope="module")
def server() -> Iterator[GuardedServer]:
    with GuardedServer() as running:
        yield running


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="gnomon.access"):
        yield caplog


def _access(caplog: pytest.LogCaptureFixture, n: int) -> list[dict[str, object]]:
    """The first `n` lines of the access log; an answer can be read a moment before its line is written."""
    while len(found := [record for record in caplog.records if record.name == "gnomon.access"]) < n:
        pass
    return [json.loads(record.getMessage()) for record in found]


def test_a_line_says_what_was_asked_and_answered(server: GuardedServer, lines: pytest.LogCaptureFixture) -> None:
    payload = request("POST", "/api/v1/experiments?x=1", JSON, "X-Tenant-ID: team", body=b'{"a": 1}')
    (answer,) = exchange(server.address, payload)
    (line,) = _access(lines, 1)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/v1/experiments", 200)
    assert (line["bytes_in"], line["bytes_out"]) == (8, len(answer.body))
    assert line["tenant"] == "team"
    assert str(line["time"]).endswith("+00:00")
    assert isinstance(line["ms"], float)


def test_a_refusal_has_its_line_too(server: GuardedServer, lines: pytest.LogCaptureFixture) -> None:
    exchange(server.address, request("GET", "/", host="evil.example"))
    (line,) = _access(lines, 1)
    assert line["status"] == 403


def test_a_client_that_leaves_amid_its_body_is_no_defect(
    server: GuardedServer, lines: pytest.LogCaptureFixture
) -> None:
    with Wire(server.address) as wire:
        wire.send(request("POST", "/x", JSON, "Content-Length: 100", close=False) + b"{")
    (line,) = _access(lines, 1)
    assert line["status"] == 499
    assert not [record for record in lines.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "target", ["/x%0a{%22status%22:200}", "/x\x1b[31m", "/\x9b31m", '/"x', "/" + "a" * 5000], ids=ascii
)
def test_no_line_is_forged(server: GuardedServer, lines: pytest.LogCaptureFixture, target: str) -> None:
    exchange(server.address, request("GET", target, 'X-Tenant-ID: a"\x9b\xff'))
    exchange(server.address, request("GET", "/next"))
    access = [record.getMessage() for record in lines.records if record.name == "gnomon.access"]
    assert access
    for message in access:
        assert message.isascii()
        assert message.isprintable()
        assert len(message) < 1_000


def test_no_secret_reaches_a_log(server: GuardedServer, lines: pytest.LogCaptureFixture) -> None:
    headers = (f"Authorization: Bearer {KEY}", f"X-API-Key: {KEY}", f"Cookie: session={SECRET}")
    for target in ("/", "/boom", f"/{KEY}", f"/?token={SECRET}&key={KEY}"):
        exchange(server.address, request("GET", target, *headers))
        exchange(server.address, request("POST", target, JSON, *headers, body=f'"{KEY}"'.encode()))
    _access(lines, 8)
    for record in lines.records:
        assert SECRET not in logging.Formatter().format(record)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"key {KEY} was used", "key gnm_abcdefghij_[redacted] was used"),
        (f"Authorization: Bearer {SECRET}", "Authorization: [redacted]"),
        (f"authorization: Basic {SECRET}==", "authorization: [redacted]"),
        (f"{{'x-api-key': '{SECRET}'}}", "{'x-api-key': '[redacted]'}"),
        (f"?password={SECRET}&a=b", "?password=[redacted]&a=b"),
        (f"token={SECRET}", "token=[redacted]"),
        ("tokens per second: 5, run gnm_x", "tokens per second: 5, run gnm_x"),
    ],
)
def test_what_is_redacted(text: str, kept: str) -> None:
    assert redact(text) == kept


def test_tracebacks_and_arguments_are_redacted_too() -> None:
    try:
        raise ValueError(f"cannot use {KEY}")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "key %s", (KEY,), caught)
    assert RedactSecrets().filter(record)
    text = logging.Formatter().format(record)
    assert SECRET not in text
    assert "ValueError" in text
