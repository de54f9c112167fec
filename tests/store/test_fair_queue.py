"""TEN-07 at the writer: a tenant that floods the queue delays the others by one short group, and no more.

Time is counted in what the writer has to do before an answer (jobs and bytes of others), never in seconds: that is the
ratio between being alone and having a neighbour, on any machine.
"""

import random
import threading
from collections import Counter

import pytest

from gnomon_server.model.errors import TooManyRequests, Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store.fair_queue import Bounds, FairQueue
from gnomon_server.store.writer import _SHARED_GROUP, MAX_QUEUED_JOBS

A, B, C, SERVER = TenantId(1), TenantId(2), TenantId(3), TenantId(0)
ALONE, SHARED = Bounds(jobs=512, size=32 << 20), Bounds(jobs=64, size=512 << 10)


def fair(most: int = 2_000) -> FairQueue[tuple[TenantId, int]]:
    return FairQueue(most=most, alone=ALONE, shared=SHARED, clock=lambda: 0.0)


def test_alone_a_tenant_has_the_whole_group_in_its_order() -> None:
    waiting = fair()
    for number in range(1_000):
        waiting.put(A, (A, number))
    first, is_open = waiting.take()
    assert first == [(A, number) for number in range(ALONE.jobs)]
    assert is_open
    assert waiting.take()[0] == [(A, number) for number in range(ALONE.jobs, 1_000)]
    assert len(waiting) == 0


def test_who_sends_little_is_in_the_next_group_however_much_another_has_waiting() -> None:
    waiting = fair()
    for number in range(900):
        waiting.put(A, (A, number), size=16_000)
    waiting.take()
    for number in range(20):
        waiting.put(B, (B, number), size=200)
        group, _ = waiting.take()
        assert (B, number) in group
        # What it waits for beside itself is one short group, not what the other has queued.
        assert len(group) <= SHARED.jobs
        assert sum(16_000 for tenant, _ in group if tenant == A) <= SHARED.size + 16_000


def test_two_that_flood_have_the_same_part_by_weight() -> None:
    waiting = fair(most=10_000)
    for number in range(3_000):
        waiting.put(A, (A, number), size=30_000)
        waiting.put(B, (B, number), size=9_000)
    taken: Counter[TenantId] = Counter()
    for _ in range(30):
        for tenant, _ in waiting.take()[0]:
            taken[tenant] += 31_000 if tenant == A else 10_000
    assert 0.9 <= taken[A] / taken[B] <= 1.1


def test_a_large_job_of_another_does_not_come_before_a_small_one_twice() -> None:
    waiting = fair()
    for number in range(50):
        waiting.put(A, (A, number), size=30 << 20)
    waiting.put(B, (B, 0), size=100)
    assert waiting.take()[0] == [(A, 0)]  # both begin level, and A came first
    for number in range(1, 4):
        waiting.put(B, (B, number), size=100)
        group, _ = waiting.take()
        assert (B, number) in group
        assert sum(tenant == A for tenant, _ in group) <= 1


def test_order_within_a_tenant_is_kept_and_nothing_is_lost_or_doubled() -> None:
    rng = random.Random(7)
    waiting = fair(most=10_000)
    sent: dict[TenantId, list[int]] = {A: [], B: [], C: [], SERVER: []}
    got: dict[TenantId, list[int]] = {A: [], B: [], C: [], SERVER: []}
    for number in range(4_000):
        tenant = rng.choice([A, A, A, B, C, SERVER])
        waiting.put(tenant, (tenant, number), size=rng.choice([0, 100, 50_000]))
        sent[tenant].append(number)
        if rng.random() < 0.05:
            for whose, which in waiting.take()[0]:
                got[whose].append(which)
    waiting.close()
    is_open = True
    while is_open:
        group, is_open = waiting.take()
        for whose, which in group:
            got[whose].append(which)
    assert got == sent
    assert len(waiting) == 0


def test_a_full_share_is_told_to_wait_and_there_is_room_for_the_others() -> None:
    waiting = fair(most=100)
    for number in range(50):
        waiting.put(A, (A, number))
    with pytest.raises(Unavailable):  # alone, it is the server that is full
        waiting.put(A, (A, 50))
    for number in range(25):
        waiting.put(B, (B, number))
    with pytest.raises(TooManyRequests) as refused:
        waiting.put(A, (A, 50))
    assert refused.value.retry_after_secs >= 1
    with pytest.raises(TooManyRequests):
        waiting.put(B, (B, 25))
    waiting.put(C, (C, 0))
    for number in range(24):  # what the server does for itself may take the last place
        waiting.put(SERVER, (SERVER, number))
    with pytest.raises(Unavailable):
        waiting.put(SERVER, (SERVER, 99))
    while len(waiting):
        waiting.take()
    waiting.put(A, (A, 51))


def test_long_after_the_neighbour_left_groups_are_long_again() -> None:
    now = [0.0]
    waiting: FairQueue[int] = FairQueue(most=10_000, alone=ALONE, shared=SHARED, clock=lambda: now[0])
    waiting.put(B, 1)
    waiting.take()
    for number in range(2_000):
        waiting.put(A, number)
    assert len(waiting.take()[0]) == SHARED.jobs
    now[0] = 60.0
    assert len(waiting.take()[0]) == ALONE.jobs


def test_many_threads_put_while_one_takes() -> None:
    waiting = fair(most=100_000)

    def send(tenant: TenantId) -> None:
        for number in range(2_000):
            waiting.put(tenant, (tenant, number), size=10)

    threads = [threading.Thread(target=send, args=(TenantId(number),)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    got: Counter[TenantId] = Counter()
    while sum(got.values()) < 8_000:
        got.update(tenant for tenant, _ in waiting.take()[0])
    for thread in threads:
        thread.join()
    assert set(got.values()) == {2_000}


def test_the_writers_own_bounds_leave_a_light_tenant_a_small_wait() -> None:
    # A group of the others at 16 bytes a point: 32,768 points, and at most 64 requests.
    assert _SHARED_GROUP.size <= 1 << 20
    assert _SHARED_GROUP.jobs * 8 <= MAX_QUEUED_JOBS
