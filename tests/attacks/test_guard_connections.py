"""Clients that are slow, silent or many: each is cut, and everyone else is served meanwhile.

The graces are short here, so that a test lasts a second; nothing asserts how long anything took.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from gnomon_server.api.front import ConnectionLimits
from gnomon_server.api.front.limits import KIB
from tests.attacks.checks import assert_guarded, assert_healthy, assert_problem
from tests.attacks.corpus import JSON
from tests.attacks.guarded import GuardedServer
from tests.attacks.raw_http import Wire, exchange, request

HASTY = ConnectionLimits(head_secs=0.4, body_grace_secs=0.4, write_stall_secs=0.4, linger_secs=0.4, idle_secs=1)
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "
HALF_BODY = request("POST", "/x", JSON, "Content-Length: 1000", close=False) + b"{"


@pytest.fixture(scope="module")
def server() -> Iterator[GuardedServer]:
    with GuardedServer(connection_limits=HASTY) as running:
        yield running


def _is_408(wire: Wire) -> bool:
    answer = wire.answer()
    assert answer is not None
    assert_guarded(answer)
    assert_problem(answer)
    return answer.status == 408 and wire.is_closed_by_server()


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\n", HALF_HEAD], ids=["a-letter", "a-line", "half-a-head"])
def test_a_head_that_does_not_end_is_cut(server: GuardedServer, sent: bytes) -> None:
    with Wire(server.address) as wire:
        wire.send(sent)
        assert _is_408(wire)


def test_a_head_that_drips_is_cut(server: GuardedServer) -> None:
    with Wire(server.address) as wire, _dripping(wire, HALF_HEAD):
        assert _is_408(wire)


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"\r\n" * 1000], ids=["nothing", "a-blank-line", "blank-lines"])
def test_a_connection_that_asks_nothing_is_closed(server: GuardedServer, sent: bytes) -> None:
    with Wire(server.address) as wire:
        wire.send(sent)
        assert wire.is_closed_by_server()


def test_blank_lines_do_not_keep_an_idle_connection(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        wire.send(request("GET", "/", close=False))
        assert wire.answer() is not None
        with _dripping(wire, b"", drop=b"\r\n"):
            assert wire.is_closed_by_server()


def test_an_idle_connection_is_closed(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        wire.send(request("GET", "/", close=False))
        assert wire.answer() is not None
        assert wire.is_closed_by_server()


def test_a_body_that_stops_is_cut(server: GuardedServer) -> None:
    unwound = server.app.unwound
    with Wire(server.address) as wire:
        wire.send(HALF_BODY)
        assert _is_408(wire)
    while server.app.unwound == unwound:  # the handler is told, so that it can clean up
        time.sleep(0.01)
    assert ("POST", 408) in server.answered


def test_a_body_that_drips_is_cut(server: GuardedServer) -> None:
    with Wire(server.address) as wire, _dripping(wire, HALF_BODY):
        assert _is_408(wire)


def test_a_fast_start_buys_no_long_pause(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        wire.send(request("PUT", "/x/artifacts/a", f"Content-Length: {1 << 30}", close=False) + b"x" * (1 << 20))
        assert _is_408(wire)


def test_a_body_that_is_steady_is_taken(server: GuardedServer) -> None:
    pieces = 60
    with Wire(server.address) as wire:
        wire.send(request("PUT", "/x/artifacts/a", f"Content-Length: {pieces * KIB}"))
        for _ in range(pieces):  # for far longer than the grace
            assert wire.send(b"x" * KIB)
            time.sleep(0.02)
        answer = wire.answer()
    assert answer is not None
    assert answer.status == 200


def test_a_client_that_waits_to_be_told_is_told(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        wire.send(request("POST", "/x", JSON, "Expect: 100-continue", "Content-Length: 2"))
        wire.send(b"{}")
        answer = wire.answer()
    assert answer is not None
    assert answer.status == 200


def test_an_early_answer_to_a_waiting_client_ends_the_connection(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        wire.send(request("POST", "/unread", JSON, "Expect: 100-continue", "Content-Length: 2", close=False))
        answer = wire.answer()
        assert answer is not None
        assert answer.status == 200
        assert wire.is_closed_by_server()


def test_a_client_that_reads_nothing_is_cut(server: GuardedServer) -> None:
    with Wire(server.address) as wire:
        wire.send(request("GET", "/flood"))
        while server.open_connections:
            time.sleep(0.05)
        assert_healthy(server.address)


def test_500_slow_connections_do_not_stop_the_server() -> None:
    with GuardedServer() as server, contextlib.ExitStack() as stack:
        for number in range(500):
            wire = stack.enter_context(Wire(server.address))
            wire.send((HALF_HEAD, HALF_BODY, request("GET", "/flood"))[number % 3])
        for _ in range(20):
            assert_healthy(server.address)


def test_a_full_server_lets_the_one_that_waits_longest_make_way() -> None:
    with GuardedServer(connection_limits=ConnectionLimits(connections=20)) as server, contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server.address)) for _ in range(20)]
        for wire in wires:
            wire.send(HALF_HEAD)
        while server.open_connections < 20:
            time.sleep(0.01)
        assert_healthy(server.address)
        assert wires[0].is_closed_by_server()
        wires[-1].send(b"a\r\nConnection: close\r\n\r\n")
        answer = wires[-1].answer()
        assert answer is not None
        assert answer.status == 200


def test_a_server_full_of_work_says_so() -> None:
    with GuardedServer(connection_limits=ConnectionLimits(connections=5)) as server, contextlib.ExitStack() as stack:
        for _ in range(5):
            wire = stack.enter_context(Wire(server.address))
            wire.send(HALF_BODY)
        while len(server.app.reached) < 5:
            time.sleep(0.01)
        (answer,) = exchange(server.address, b"")
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert_guarded(answer)
        assert_problem(answer)


def test_an_address_has_its_share_of_connections() -> None:
    limits = ConnectionLimits(per_peer=3, exempt=("127.0.0.1",))
    with GuardedServer(connection_limits=limits) as server, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(Wire(server.address, source="127.0.0.2")).send(HALF_BODY)
        while len(server.app.reached) < 3:
            time.sleep(0.01)
        with Wire(server.address, source="127.0.0.2") as fourth:
            answer = fourth.answer()
        assert answer is not None
        assert answer.status == 429
        with Wire(server.address, source="127.0.0.3") as neighbour:
            neighbour.send(request("GET", "/"))
            served = neighbour.answer()
        assert served is not None
        assert served.status == 200
        for _ in range(5):  # the exempt address is not counted
            stack.enter_context(Wire(server.address)).send(HALF_HEAD)
        assert_healthy(server.address)


@contextlib.contextmanager
def _dripping(wire: Wire, first: bytes, *, drop: bytes = b"a") -> Iterator[None]:
    """Sends one drop every 20 ms, until the server has closed or the block ends."""
    stopped = threading.Event()

    def drip() -> None:
        while not stopped.wait(0.02) and wire.send(drop):
            pass

    wire.send(first)
    thread = threading.Thread(target=drip, name="drip", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
