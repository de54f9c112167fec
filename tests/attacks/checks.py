"""What must hold of every answer to a hostile request."""

import json

from tests.attacks.corpus import CANARY, Attack
from tests.attacks.raw_http import Address, Answer, exchange, request

# Texts that stand in files an attacker would like to read, or in messages of a crash.
_LEAKS = (b"root:x:0:0", b"[fonts]", b"Traceback", b"canary-of-a-defect", b'File "/', CANARY.encode())


def assert_bounced(attack: Attack, answers: list[Answer]) -> None:
    assert answers, "the server closed without a word"
    for answer in answers:
        assert answer.status in attack.allowed, (answer.status, answer.body[:300])
        assert answer.status < 500
        assert answer.status != 422
        assert "location" not in answer.headers
        assert_guarded(answer)
        if answer.status >= 400:
            assert_said(answer)


def assert_said(answer: Answer) -> None:
    """A refusal is a problem, or an error of MLflow's where the path is of its protocol."""
    if answer.headers["content-type"] != "application/json":
        assert_problem(answer)
        return
    said = json.loads(answer.body)
    assert set(said) == {"error_code", "message"}
    assert all(said.values())


def assert_guarded(answer: Answer) -> None:
    """The headers that every answer carries, and what none may give away."""
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "content-security-policy" in headers
    assert "cache-control" in headers
    assert len(headers["x-request-id"]) == 32
    assert "server" not in headers
    assert "x-powered-by" not in headers
    assert not [name for name in headers if name.startswith("access-control-")]
    for leak in _LEAKS:
        assert leak not in answer.body
        assert all(leak.decode() not in value for value in headers.values())


def assert_bounced_on_the_wire(attack: Attack, answers: list[Answer]) -> None:
    """The same of MLflow's protocol, whose errors have a shape of their own; 501 says what is left out."""
    (answer,) = answers
    assert answer.status in attack.allowed, (answer.status, answer.body[:300])
    assert "location" not in answer.headers
    assert_guarded(answer)
    if answer.status >= 400 and answer.headers["content-type"] != "application/problem+json":
        said = json.loads(answer.body)
        assert said["error_code"]
        assert said["message"]


def assert_problem(answer: Answer) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert problem["status"] == answer.status
    assert problem["type"] == f"urn:gnomon:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]


def assert_healthy(address: Address) -> None:
    (answer,) = exchange(address, request("GET", "/healthz"))
    assert answer.status == 200
