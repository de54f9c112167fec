"""The guard turns the corpus away before the app behind it sees anything."""

import json
from collections.abc import Iterator

import pytest

from gnomon_server.api.front import FrontLimits
from tests.attacks.checks import assert_bounced, assert_guarded, assert_healthy, assert_problem
from tests.attacks.corpus import GUARD_CORPUS, JSON, Attack
from tests.attacks.guarded import GuardedServer
from tests.attacks.raw_http import ConnectionCutError, Wire, chunked, exchange, request


@pytest.fixture(scope="module")
def server() -> Iterator[GuardedServer]:
    limits = FrontLimits(hosts=frozenset(("lab.example",)), origins=frozenset(("https://ui.example",)))
    with GuardedServer(limits) as running:
        yield running


@pytest.mark.parametrize("attack", GUARD_CORPUS, ids=lambda attack: attack.id)
def test_the_guard_turns_it_away(server: GuardedServer, attack: Attack) -> None:
    reached = len(server.app.reached)
    answers = exchange(server.address, attack.payload)
    assert_bounced(attack, answers)
    # A body that unpacks to nonsense is found out while the app reads it; all else never reaches the app.
    if not attack.id.startswith("LIM-02-not") and not attack.id.startswith("ATK-31-chunk"):
        assert len(server.app.reached) == reached
    assert_healthy(server.address)


GOOD = {
    "plain": request("GET", "/api/v1/experiments"),
    "name-with-port": request("GET", "/", host="localhost:7417"),
    "upper-case": request("GET", "/", host="LOCALHOST"),
    "root-dot": request("GET", "/", host="localhost."),
    "loopback": request("GET", "/", host="127.0.0.1:7417"),
    "loopback-6": request("GET", "/", host="[::1]:7417"),
    "configured-host": request("GET", "/", host="lab.example"),
    "probe-by-address": request("GET", "/healthz", host="10.0.0.7:7417"),
    "readiness-by-address": request("GET", "/readyz", host="10.0.0.7:7417"),
    "query": request("GET", "/a?search=%00%2F..%5C&x=//"),
    "encoded-name": request("GET", "/a/%C3%A9%20b"),
    "dots-in-names": request("GET", "/a/..b/c../...d"),
    "artifact-with-slash": request("GET", "/api/v1/experiments/runs/x/artifacts/models%2Fm.pkl"),
    "cross-site-read": request("GET", "/", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site"),
    "same-origin-write": request("POST", "/x", JSON, "Origin: http://localhost", body=b"{}"),
    "same-origin-port": request("POST", "/x", JSON, "Origin: http://localhost:1", host="localhost:1", body=b"{}"),
    "same-origin-tls": request("POST", "/x", JSON, "Origin: https://lab.example", host="lab.example:443", body=b"{}"),
    "own-page": request("POST", "/x", JSON, "Sec-Fetch-Site: same-origin", body=b"{}"),
    "allowed-origin": request("POST", "/x", JSON, "Origin: https://ui.example", body=b"{}"),
    "options": request("OPTIONS", "/x", "Origin: http://evil.example"),
    "charset": request("POST", "/x", "Content-Type: application/json; charset=utf-8", body=b"{}"),
    "type-in-capitals": request("POST", "/x", "Content-Type: Application/JSON", body=b"{}"),
    "no-body-no-type": request("POST", "/api/v1/experiments/runs/x/end"),
    "length-0-no-type": request("POST", "/x/end", "Content-Length: 0"),
    "msgpack-ingest": request("POST", "/x/log-batch", "Content-Type: application/msgpack", body=b"\x80"),
    "chunked": request("POST", "/x", JSON, "Transfer-Encoding: chunked", body=chunked(b"{", b"}")),
    "upload": request("PUT", "/api/v1/x/artifacts/a.bin", "Content-Type: image/svg+xml", body=b"x"),
    "form": request("POST", "/x/log-artifact", "Content-Type: multipart/form-data; boundary=x", body=b"--x--"),
    "identity": request("POST", "/x", JSON, "Content-Encoding: identity", body=b"{}"),
}


@pytest.mark.parametrize("payload", GOOD.values(), ids=GOOD.keys())
def test_an_ordinary_request_passes(server: GuardedServer, payload: bytes) -> None:
    (answer,) = exchange(server.address, payload)
    assert answer.status == 200, answer.body
    assert_guarded(answer)


def test_a_trailer_never_joins_the_headers(server: GuardedServer) -> None:
    body = b"2\r\n{}\r\n0\r\nX-Tenant-ID: other\r\nAuthorization: Bearer x\r\n\r\n"
    (answer,) = exchange(server.address, request("POST", "/x", JSON, "Transfer-Encoding: chunked", body=body))
    assert answer.status == 200
    assert not {"x-tenant-id", "authorization"} & set(json.loads(answer.body)["headers"])


def test_what_follows_an_upgrade_is_no_request(server: GuardedServer) -> None:
    reached = len(server.app.reached)
    with Wire(server.address) as wire:
        wire.send(request("GET", "/ws", "Upgrade: websocket", "Connection: Upgrade", close=False))
        wire.send(request("GET", "/smuggled"))
        answers = wire.answers()
    assert [answer.status for answer in answers] == [200]
    assert server.app.reached[reached:] == ["/ws"]


def test_garbage_behind_a_good_request_costs_only_the_garbage(server: GuardedServer) -> None:
    answers = exchange(server.address, request("GET", "/good", close=False) + b"\x00\x01garbage\r\n\r\n")
    assert [answer.status for answer in answers] == [200]


def test_requests_on_one_connection_are_answered_in_order(server: GuardedServer) -> None:
    first, second = request("GET", "/one", close=False), request("GET", "/two")
    with Wire(server.address) as wire:
        wire.send(first + second)
        assert [answer.status for answer in wire.answers()] == [200, 200]
    assert server.app.reached[-2:] == ["/one", "/two"]


def test_a_pipeline_is_bounded(server: GuardedServer) -> None:
    reached = len(server.app.reached)
    answers = exchange(server.address, request("GET", "/p", close=False) * 1_000)
    assert {answer.status for answer in answers} == {200}
    assert len(server.app.reached) - reached <= 16
    assert_healthy(server.address)


def test_a_defect_shows_a_request_id_and_nothing_else(server: GuardedServer) -> None:
    (answer,) = exchange(server.address, request("GET", "/boom"))
    assert answer.status == 500
    assert_guarded(answer)
    assert_problem(answer)
    assert json.loads(answer.body)["request_id"] == answer.headers["x-request-id"]


def test_a_defect_amid_an_answer_cuts_it(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        wire.send(request("GET", "/late"))
        with pytest.raises(ConnectionCutError):
            wire.answer()
    assert_healthy(server.address)


def test_an_answer_is_one_packet(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        for _ in range(20):
            wire.send(request("GET", "/", close=False))
            assert wire.reads_of_one_answer() == 1


def test_an_answer_may_bring_its_own_policy(server: GuardedServer) -> None:
    (answer,) = exchange(server.address, request("GET", "/html"))
    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert answer.headers["cache-control"] == "max-age=1"


def test_a_client_chooses_no_request_id(server: GuardedServer) -> None:
    (answer,) = exchange(server.address, request("GET", "/", "X-Request-Id: mine"))
    assert answer.headers["x-request-id"] != "mine"
