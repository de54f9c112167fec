"""An outage as long as it likes: on a clock of the test's own, what is logged meanwhile arrives once, and politely."""

import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.ledger_model import LedgerModel, Point

from gnomon.errors import ApiError, ConnectionFailed, ServerBusy
from gnomon.record import End, Header, Points, encode
from gnomon.spool import SpoolWriter
from gnomon.uploader import LONGEST_WAIT_SECS, Uploader

RUN = "0" * 32
HEADER = Header(run=RUN, writer="w1", first_record=0, pid=1, host="h", start_ms=5, experiment="fraud")
METRICS = 10
PHASE_SECS = 600
TIMEOUT_SECS = 30.0


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class BadHour(LedgerModel):
    """A server that is bad in each way for ten minutes: away, hanging, busy, resetting before and after a commit."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        super().__init__(rng)
        self._clock = clock
        self.asked_at: list[float] = []
        self.phases: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
            ("away", self._lost, self._nothing),
            ("hanging", self._hang, self._nothing),
            ("busy", self._busy, self._nothing),
            ("reset before the commit", self._lost, self._nothing),
            ("reset after the commit", self._nothing, self._lost),
            ("half of the answers are lost", self._nothing, self._maybe_lost),
        ]

    def _phase(self) -> int:
        return int(self._clock.now // PHASE_SECS)

    def _arrive(self) -> None:
        self.requests += 1
        self.asked_at.append(self._clock.now)
        if self._phase() < len(self.phases):
            self.phases[self._phase()][1]()

    def _answer(self) -> None:
        if self._phase() < len(self.phases):
            self.phases[self._phase()][2]()

    def _nothing(self) -> None:
        """All is well here."""

    def _lost(self) -> None:
        raise ConnectionFailed("the connection broke")

    def _maybe_lost(self) -> None:
        if self._rng.random() < 0.5:
            self._lost()

    def _hang(self) -> None:
        self._clock.now += TIMEOUT_SECS
        raise ConnectionFailed("timed out")

    def _busy(self) -> None:
        raise ServerBusy("full", status=503, code="unavailable", retry_after_secs=7)


@pytest.mark.parametrize("seed", range(2))
def test_an_hour_of_every_fault_costs_nothing_and_little_is_asked(tmp_path: Path, seed: int) -> None:
    rng, clock = random.Random(seed), Clock()
    server = BadHour(clock, rng)
    writer = SpoolWriter(tmp_path / RUN / "w", HEADER, segment_bytes=20_000)
    uploader = Uploader(writer, server, root=tmp_path, jitter=rng.random, clock=clock)
    expected: Counter[Point] = Counter()
    step, last = 0, PHASE_SECS * len(server.phases)
    while clock.now < last:
        values = {f"m{i}": rng.random() for i in range(METRICS)}
        writer.append(encode(Points(1000 + step, float(step), values)))
        expected.update((key, float(step), 1000 + step, value) for key, value in values.items())
        step += 1
        uploader._round(0)
        clock.now += 1.0
    asked = len(server.asked_at)
    writer.append(encode(End(9_999_999, "finished")))
    while (server.points, server.status.get(RUN)) != (expected, "finished"):
        uploader._round(0)
        clock.now += 1.0
        assert clock.now < last + 2 * LONGEST_WAIT_SECS, "it has not noticed that the server is well again"
    # The waits grow to a minute with full jitter: two requests a minute on average, and what the wells between allow.
    assert asked < 1_000
    busy = [at for at in server.asked_at if 2 * PHASE_SECS <= at < 3 * PHASE_SECS]
    assert all(second - first >= 7 for first, second in pairwise(busy))
    writer.close()


def test_a_thousand_clients_come_back_spread_over_the_wait(tmp_path: Path) -> None:
    """C11: with full jitter the second after an outage sees a small part of them, not all."""
    rng, clock = random.Random(3), Clock()
    waits: list[float] = []
    writer = SpoolWriter(tmp_path / RUN / "w", HEADER)
    for _ in range(1000):
        uploader = Uploader(writer, LedgerModel(), root=tmp_path, jitter=rng.random, clock=clock)
        for _ in range(12):
            uploader._back_off(0.0)
        waits.append(uploader._not_before)
    fullest = max(Counter(int(wait) for wait in waits).values())
    assert fullest < 40  # an even spread over a minute is 17 a second
    writer.close()


def test_a_bad_key_keeps_everything_and_is_asked_about_once_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    server = LedgerModel()
    server.refusal = ApiError("no such key", status=401, code="unauthenticated")
    writer = SpoolWriter(tmp_path / RUN / "w", HEADER)
    uploader = Uploader(writer, server, root=tmp_path, clock=clock)
    for i in range(600):
        writer.append(encode(Points(i, float(i), {"a": 1.0})))
        uploader._round(0)
        clock.now += 1.0
    assert 9 <= server.requests <= 11
    server.refusal = None
    clock.now += 60.0
    uploader._round(0)
    assert server.points.total() == 600
    writer.close()
