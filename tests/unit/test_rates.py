"""The rate of a tenant over several processes that hear each other late: how much it gets, and that it gets it."""

import random
from collections import deque

import pytest

from gnomon_server.core.rates import Rates
from gnomon_server.core.roles import PERMISSIONS, Principal
from gnomon_server.model.errors import TooManyRequests
from gnomon_server.model.ids import TenantId
from gnomon_server.model.spending import Spent

RATE = 100.0
TICK_SECS = 0.01
# Told five times a second, and heard a twentieth of a second later.
ROUND, DELAY = 20, 5
HEARD_SECS = (ROUND + DELAY) * TICK_SECS
BUSY = Principal(
    tenant=TenantId(7), tenant_name="busy", subject="", permissions=PERMISSIONS["editor"], role="editor", key_id="k"
)


class Processes:
    """So many processes on one database, and a clock that the test moves."""

    def __init__(self, count: int) -> None:
        self.now = 0.0
        self.of = [Rates(requests_per_sec=RATE, points_per_sec=0, clock=lambda: self.now) for _ in range(count)]
        for each in self.of:
            each.tell(count)
        self._tick = 0
        self._on_its_way: deque[tuple[int, Rates, list[Spent]]] = deque()

    def ask(self, number: int) -> bool:
        try:
            self.of[number].take_request(BUSY)
        except TooManyRequests:
            return False
        return True

    def pass_time(self) -> None:
        self._tick += 1
        self.now = self._tick * TICK_SECS
        while self._on_its_way and self._on_its_way[0][0] <= self._tick:
            _, sender, spent = self._on_its_way.popleft()
            for each in self.of:
                if each is not sender:
                    each.hear(spent)
        if self._tick % ROUND == 0:
            for each in self.of:
                self._on_its_way.append((self._tick + DELAY, each, each.tell(len(self.of))))


@pytest.mark.parametrize("count", [1, 4, 16])
@pytest.mark.parametrize("pattern", ["steady", "bursts", "random"])
def test_a_tenant_gets_no_more_than_its_rate_from_all_processes_together(count: int, pattern: str) -> None:
    rng = random.Random(20_261_124)
    processes = Processes(count)
    let_through: list[int] = []
    for tick in range(2_000):
        asks = {"steady": 3, "bursts": 40 if tick % 150 < 30 else 0, "random": rng.choice((0, 0, 1, 8))}[pattern]
        let_through.append(sum(processes.ask(number) for number in range(count) for _ in range(asks)))
        processes.pass_time()
    for secs in (0.1, 1.0, 5.0, 20.0):
        ticks = round(secs / TICK_SECS)
        most = max(sum(let_through[at : at + ticks]) for at in range(0, len(let_through), 10))
        assert most <= RATE * (secs + 4 + 4 * HEARD_SECS)
    if pattern == "steady":
        assert sum(let_through) >= 0.9 * RATE * 20, "and it gets its rate"


@pytest.mark.parametrize(("count", "share"), [(1, 1.0), (4, 1.0), (16, 0.25)])
def test_a_tenant_on_one_connection_gets_its_rate_from_up_to_four_processes(count: int, share: float) -> None:
    processes = Processes(count)
    let_through = 0
    for _ in range(2_000):
        let_through += sum(processes.ask(0) for _ in range(3))
        processes.pass_time()
    assert let_through == pytest.approx(RATE * 20 * share, rel=0.12)


def test_what_others_say_does_not_keep_a_tenant_waiting_for_more_than_a_minute() -> None:
    processes = Processes(2)
    processes.of[0].hear([Spent(BUSY.tenant, 10**12, 0)])
    with pytest.raises(TooManyRequests) as refused:
        processes.of[0].take_request(BUSY)
    assert 1 <= (refused.value.retry_after_secs or 0) <= 61
