"""The outbox over days, by a clock of the test's own: back-off, the end of trying, forgetting, one sender at a time."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.receiver import Receiver

from gnomon_server.app import Server, open_server
from gnomon_server.core.access import Principal
from gnomon_server.core.deliveries import FIRST_WAIT_SECS, TRIED_MS, Deliveries
from gnomon_server.egress.addresses import parse_allowed
from gnomon_server.egress.client import Egress
from gnomon_server.model.webhooks import Delivery
from gnomon_server.settings import Settings
from gnomon_server.store.meta import webhooks as sql

HOUR_MS = 3_600_000


class Clock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[Server]:
    opened = open_server(Settings(home=str(tmp_path / "home"), egress_allow="127.0.0.1"), clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def by(server: Server) -> Principal:
    return server.services.access.principal("default")


def sender(server: Server, clock: Clock) -> Deliveries:
    egress = Egress(parse_allowed(["127.0.0.1"]), timeout_secs=5)
    return Deliveries(server.services.stores, egress, now_ms=clock, rng=random.Random(1))


def make_hook(server: Server, by: Principal, receiver: Receiver) -> str:
    url = f"http://127.0.0.1:{receiver.port}/"
    made = server.services.webhooks.create(by, name="w", url=url, events=["run.failed"], experiment=None, format="json")
    return made.uid


def only(server: Server, by: Principal, hook: str) -> Delivery:
    total, found = server.services.webhooks.deliveries(by, hook, state=None, limit=10, offset=0)
    assert total == 1
    return found[0]


def test_waiting_grows_to_an_hour_and_ends_after_three_days(server: Server, clock: Clock, by: Principal) -> None:
    receiver = Receiver("127.0.0.1", b"HTTP/1.1 503 No\r\n\r\n")
    hook, deliveries = make_hook(server, by, receiver), sender(server, clock)
    server.services.webhooks.test(by, hook)
    begun, waits = clock.ms, []
    while True:
        assert deliveries.send_due() == 1
        assert deliveries.send_due() == 0
        found = only(server, by, hook)
        if found.state == "dead":
            break
        waits.append(found.next_ms - clock.ms)
        clock.ms = found.next_ms
    assert FIRST_WAIT_SECS * 500 <= waits[0] <= FIRST_WAIT_SECS * 1000
    assert all(0.5 * FIRST_WAIT_SECS * 1000 <= wait <= HOUR_MS for wait in waits)
    assert max(waits) > HOUR_MS / 2
    assert TRIED_MS - HOUR_MS <= clock.ms - begun <= TRIED_MS
    assert (found.attempts, found.status, found.error) == (len(waits) + 1, 503, "answered 503")
    assert len(receiver.requests) == found.attempts
    receiver.close()


def test_a_receiver_says_when_to_come_again_and_that_it_is_gone(server: Server, clock: Clock, by: Principal) -> None:
    replies = [b"HTTP/1.1 429 Slow\r\nRetry-After: 1800\r\n\r\n", b"HTTP/1.1 410 Gone\r\n\r\n"]
    receiver = Receiver("127.0.0.1", lambda connection: connection.sendall(replies[len(receiver.requests) - 1]))
    hook, deliveries = make_hook(server, by, receiver), sender(server, clock)
    server.services.webhooks.test(by, hook)
    deliveries.send_due()
    assert only(server, by, hook).next_ms - clock.ms >= 1_800_000
    clock.ms += 2 * HOUR_MS
    deliveries.send_due()
    assert only(server, by, hook).state == "dead"
    receiver.close()


def test_nothing_listens_and_the_log_says_so(server: Server, clock: Clock, by: Principal) -> None:
    receiver = Receiver("127.0.0.1")
    hook = make_hook(server, by, receiver)
    receiver.close()
    server.services.webhooks.test(by, hook)
    sender(server, clock).send_due()
    found = only(server, by, hook)
    assert (found.state, found.status) == ("waiting", None)
    assert "connection failed" in (found.error or "")


def test_one_sender_at_a_time(server: Server, clock: Clock, by: Principal) -> None:
    receiver = Receiver("127.0.0.1")
    hook = make_hook(server, by, receiver)
    server.services.webhooks.test(by, hook)
    due = sql.Due(by.tenant, hook)
    call = server.services.stores.writer.call

    def lease() -> bool:
        return call(by.tenant, lambda tx: sql.take_lease(tx, due, now_ms=clock.ms, until_ms=clock.ms + 60_000))

    assert [lease(), lease()] == [True, False]
    assert sender(server, clock).send_due() == 0
    clock.ms += 60_000  # who held it is dead
    assert sender(server, clock).send_due() == 1
    assert lease()
    receiver.close()


def test_what_is_done_is_forgotten_after_a_week(server: Server, clock: Clock, by: Principal) -> None:
    receiver = Receiver("127.0.0.1")
    hook, deliveries = make_hook(server, by, receiver), sender(server, clock)
    server.services.webhooks.test(by, hook)
    deliveries.send_due()
    clock.ms += 6 * 24 * HOUR_MS
    deliveries.forget_old()
    assert only(server, by, hook).state == "delivered"
    clock.ms += 2 * 24 * HOUR_MS
    deliveries.forget_old()
    assert server.services.webhooks.deliveries(by, hook, state=None, limit=10, offset=0)[0] == 0
    receiver.close()
