"""Attempts of an address to get in: how many, whose they are, and how much of them is remembered."""

import pytest

from gnomon_server.core.attempts import Attempts
from gnomon_server.model.errors import TooManyRequests


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tries(attempts: Attempts, address: str, most: int = 100) -> int:
    """How many attempts are let through before one is refused."""
    for done in range(most):
        try:
            attempts.take(address)
        except TooManyRequests as refused:
            return done if refused.retry_after_secs >= 1 else -1
    return most


def test_an_address_has_so_many_attempts_and_gets_them_back() -> None:
    clock = Clock()
    attempts = Attempts(30, clock=clock)
    assert tries(attempts, "203.0.113.5") == 30
    assert tries(attempts, "203.0.113.6") == 30, "another address has its own"
    clock.now = 2.0
    assert tries(attempts, "203.0.113.5") == 1
    clock.now = 1_000.0
    assert tries(attempts, "203.0.113.5") == 30


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8::1", "2001:db8::ffff:2"), ("192.0.2.1", "::ffff:192.0.2.1"), ("fe80::1%eth0", "fe80::1%eth1")],
)
def test_ways_to_write_one_address_share_its_attempts(one: str, other: str) -> None:
    attempts = Attempts(5, clock=Clock())
    assert tries(attempts, one) == 5
    assert tries(attempts, other) == 0


def test_processes_share_the_attempts_and_each_has_one() -> None:
    assert tries(Attempts(30, processes=lambda: 3, clock=Clock()), "192.0.2.1") == 10
    assert tries(Attempts(2, processes=lambda: 3, clock=Clock()), "192.0.2.1") == 1


def test_many_addresses_take_no_more_memory_than_some() -> None:
    attempts = Attempts(1, clock=Clock())
    for number in range(30_000):
        attempts.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    attempts.take("x" * 1_000_000)
    assert len(attempts) == 10_000
    assert tries(attempts, "10.0.117.47") == 0, "the latest are remembered"


def test_none_are_bounded_by_a_rate_of_nothing() -> None:
    attempts = Attempts(0, clock=Clock())
    assert tries(attempts, "192.0.2.1", most=10_000) == 10_000
    assert len(attempts) == 0
