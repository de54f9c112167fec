"""The writer's queue, fair between tenants: who floods it waits for himself.

Start-time fair queueing: the tenant whose turn comes first in virtual time is served next, and a turn costs what its
job weighs. A tenant that sends little is served almost at once however much another has waiting; within a tenant the
order is that of arrival. Threads put, one thread takes: what waits is sorted by that thread alone, so a put costs one
short lock and no wake-up but that of the inbox.

The room is shared too: a tenant may have as many jobs waiting as there are places left, so one alone fills half of the
queue, two a third each, and there is always room for another one's first. The server's own work (tenant 0) may fill it.
"""

import heapq
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from gnomon_server.model.errors import TooManyRequests, Unavailable
from gnomon_server.model.ids import TenantId

J = TypeVar("J")

_SERVER = TenantId(0)
# What the smallest job weighs beside its bytes: its statements and its part of the group.
_JOB_BYTES = 1_000
# For so long after a tenant was last seen, groups are kept short for its sake.
_NEIGHBOUR_SECS = 5.0
_FULL = "the server has more writes waiting than it can keep up with; send this again shortly"
_SHARE = "this tenant has more writes waiting than its share of the server; wait for them, then send this again"


class Bounds(NamedTuple):
    """How much one group may take: jobs, and bytes of points."""

    jobs: int
    size: int


class _Waiting(NamedTuple, Generic[J]):
    tenant: TenantId
    size: int
    job: J


def _tenant_of(waiting: _Waiting[J]) -> TenantId:
    return waiting.tenant


class FairQueue(Generic[J]):
    """Jobs of tenants. `alone` bounds a group while one tenant writes, `shared` while several do."""

    def __init__(self, *, most: int, alone: Bounds, shared: Bounds, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._alone = alone
        self._shared = shared
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[TenantId] = Counter()
        self._total = 0
        self._inbox: queue.SimpleQueue[_Waiting[J] | None] = queue.SimpleQueue()
        # Below here: of the taking thread alone.
        self._lanes: dict[TenantId, deque[_Waiting[J]]] = {}
        self._turns: list[tuple[int, int, TenantId]] = []  # a heap: start of its turn, tie-breaker, tenant
        self._turn = 0
        self._virtual = 0
        self._finished: dict[TenantId, int] = {}
        self._seen: dict[TenantId, float] = {}
        self._is_closed = False

    def __len__(self) -> int:
        return self._total

    def put(self, tenant: TenantId, job: J, *, size: int = 0) -> None:
        """Queue a job; raises `Unavailable` when there is no room, `TooManyRequests` when others need what is left."""
        with self._lock:
            left = self._most - self._total
            if left <= 0:
                raise Unavailable(_FULL)
            mine = self._counts[tenant]
            if mine >= left and tenant != _SERVER:
                raise Unavailable(_FULL) if mine == self._total else TooManyRequests(_SHARE, retry_after_secs=1)
            self._counts[tenant] = mine + 1
            self._total += 1
        self._inbox.put(_Waiting(tenant, size, job))

    def close(self) -> None:
        """Nothing more comes: what waits is still taken."""
        self._inbox.put(None)

    def take(self) -> tuple[list[J], bool]:
        """The next group, waiting for its first job; and whether more may come."""
        if not self._turns and not self._is_closed:
            self._sort_in(self._inbox.get())
        while True:
            try:
                self._sort_in(self._inbox.get_nowait())
            except queue.Empty:
                break
        taken: list[_Waiting[J]] = []
        size = 0
        bounds = self._shared if self._has_neighbours() else self._alone
        while self._turns and len(taken) < bounds.jobs and size < bounds.size:
            taken.append(self._next())
            size += taken[-1].size
        with self._lock:
            self._total -= len(taken)
            for one in taken:
                self._counts[one.tenant] -= 1
                if not self._counts[one.tenant]:
                    del self._counts[one.tenant]
        # Side by side the jobs of a tenant share their statements; between tenants no order was promised.
        taken.sort(key=_tenant_of)
        return [one.job for one in taken], not self._is_closed or bool(self._turns)

    def _sort_in(self, waiting: _Waiting[J] | None) -> None:
        if waiting is None:
            self._is_closed = True
            return
        tenant = waiting.tenant
        lane = self._lanes.get(tenant)
        if lane is None:
            lane = self._lanes[tenant] = deque()
            self._push_turn(max(self._virtual, self._finished.pop(tenant, 0)), tenant)
            if tenant != _SERVER:
                self._seen[tenant] = self._clock()
        lane.append(waiting)

    def _next(self) -> _Waiting[J]:
        start, _, tenant = heapq.heappop(self._turns)
        self._virtual = start
        lane = self._lanes[tenant]
        waiting = lane.popleft()
        end = start + waiting.size + _JOB_BYTES
        if lane:
            self._push_turn(end, tenant)
        else:
            del self._lanes[tenant]
            self._finished[tenant] = end
            if not self._turns:  # nobody waits: nobody has anything to catch up with
                self._finished.clear()
                self._virtual = 0
        return waiting

    def _push_turn(self, start: int, tenant: TenantId) -> None:
        self._turn += 1
        heapq.heappush(self._turns, (start, self._turn, tenant))

    def _has_neighbours(self) -> bool:
        """Whether a second tenant waits, or has been here lately and may come again at any moment."""
        if len(self._seen) < 2:
            return False
        before = self._clock() - _NEIGHBOUR_SECS
        self._seen = {tenant: at for tenant, at in self._seen.items() if at >= before or tenant in self._lanes}
        return len(self._seen) > 1
