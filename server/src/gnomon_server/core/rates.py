"""How fast a tenant may send, so that one cannot take the server from the others; over all processes on a database.

A bucket for each tenant and measure: it holds two seconds' worth, fills at the rate, and a request that finds it empty
is refused with the time after which there is room. What asks for more than a bucket holds is let through when it is
full and paid for afterwards, so that a large batch is slow, never impossible.

Every process has the whole bucket and takes from it what the others say they let through. Until it has heard, it paces
itself: n processes let through at most `_LENT` n-th parts of the rate each, and of the two seconds an n-th. So with
what is heard after d seconds, a tenant gets at most rate x (T + 4 + 4 d) in any T seconds; what was too much is paid
for afterwards (docs/adr/0017).
"""

import math
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from gnomon_server.core.roles import Principal
from gnomon_server.model.errors import TooManyRequests
from gnomon_server.model.ids import TenantId
from gnomon_server.model.spending import Spent

_BURST_SECS = 2.0
# How many times its even share a process may let through: all of the rate where there are four, or fewer.
_LENT = 4
# Another process may say what it likes; a tenant does not wait longer than this for it.
_LONGEST_DEBT_SECS = 60.0


class Rates:
    """The rates of every tenant; 0 bounds none. In open mode none is bounded: nobody else is there to be fair to."""

    def __init__(
        self, *, requests_per_sec: float, points_per_sec: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._requests = _Buckets(requests_per_sec, clock)
        self._points = _Buckets(points_per_sec, clock)
        self.processes = 1  # on the database, as far as this one has heard

    def take_request(self, by: Principal) -> None:
        """Count one request; raises TooManyRequests when the tenant must wait."""
        if by.key_id and (wait := self._requests.take(by.tenant, 1)) > 0:
            raise _refusal("requests", by.tenant_name, wait)

    def take_points(self, by: Principal, n: int) -> None:
        """Count points that are about to be kept."""
        if by.key_id and n and (wait := self._points.take(by.tenant, n)) > 0:
            raise _refusal("points", by.tenant_name, wait)

    def tell(self, processes: int) -> list[Spent]:
        """What was let through since the last time, for the others; so many processes there are, this one too."""
        self.processes = processes
        requests, points = self._requests.tell(processes), self._points.tell(processes)
        return [
            Spent(tenant, requests.get(tenant, 0), points.get(tenant, 0)) for tenant in requests.keys() | points.keys()
        ]

    def hear(self, spent: Sequence[Spent]) -> None:
        """What another process let through."""
        for one in spent:
            self._requests.charge(one.tenant, one.requests)
            self._points.charge(one.tenant, one.points)


class _Bucket:
    """What a tenant has left: of the rate as far as it is known here, and of the pace of this process."""

    __slots__ = ("left", "paced", "since", "untold")

    def __init__(self, left: float, paced: float, now: float) -> None:
        self.left = left
        self.paced = paced
        self.since = now
        self.untold = 0


class _Buckets:
    def __init__(self, per_sec: float, clock: Callable[[], float]) -> None:
        self._per_sec = per_sec
        self._clock = clock
        self._lock = threading.Lock()
        self._of: dict[TenantId, _Bucket] = {}
        self._processes = 1

    def take(self, tenant: TenantId, n: int) -> float:
        """Take n and answer 0, or take nothing and answer the seconds until there is room."""
        if self._per_sec <= 0:
            return 0.0
        with self._lock:
            bucket = self._filled(tenant)
            wait = _missing(n, bucket.left, self._full) / self._per_sec
            if self._processes > 1:
                wait = max(wait, _missing(n, bucket.paced, self._paced_full) / self._pace)
            if wait > 0:
                return wait
            bucket.left -= n
            bucket.paced -= n
            bucket.untold += n
            return 0.0

    def charge(self, tenant: TenantId, n: int) -> None:
        """Another process let n through."""
        if self._per_sec > 0 and n > 0:
            with self._lock:
                bucket = self._filled(tenant)
                bucket.left = max(bucket.left - n, -self._per_sec * _LONGEST_DEBT_SECS)

    def tell(self, processes: int) -> dict[TenantId, int]:
        """What is untold, which is told now; from now on there are so many processes."""
        with self._lock:
            self._processes = processes
            told = {tenant: bucket.untold for tenant, bucket in self._of.items() if bucket.untold}
            for tenant in told:
                self._of[tenant].untold = 0
        return told

    @property
    def _full(self) -> float:
        return self._per_sec * _BURST_SECS

    @property
    def _paced_full(self) -> float:
        return self._full / self._processes

    @property
    def _pace(self) -> float:
        return self._per_sec * min(1.0, _LENT / self._processes)

    def _filled(self, tenant: TenantId) -> _Bucket:
        now = self._clock()
        bucket = self._of.get(tenant)
        if bucket is None:
            bucket = self._of[tenant] = _Bucket(self._full, self._paced_full, now)
        passed = now - bucket.since
        bucket.left = min(self._full, bucket.left + passed * self._per_sec)
        bucket.paced = min(self._paced_full, bucket.paced + passed * self._pace)
        bucket.since = now
        return bucket


def _missing(n: float, left: float, full: float) -> float:
    missing = min(n, full) - left
    return missing if missing > 1e-9 else 0.0


def _refusal(what: str, tenant: str, wait: float) -> TooManyRequests:
    secs = max(1, math.ceil(wait))
    return TooManyRequests(
        f"tenant {tenant} sends more {what} a second than it may; wait {secs} s and send this again",
        retry_after_secs=secs,
    )
