"""How fast a tenant may send, so that one cannot take the server from the others. Counted in this process.

A bucket for each tenant and measure: it holds two seconds' worth, fills at the rate, and a request that finds it empty
is refused with the time after which there is room. What asks for more than a bucket holds is let through when it is
full and paid for afterwards, so that a large batch is slow, never impossible.
"""

import math
import threading
from collections.abc import Callable
from time import monotonic

from gnomon_server.core.roles import Principal
from gnomon_server.model.errors import TooManyRequests

_BURST_SECS = 2.0


class Rates:
    """The rates of every tenant; 0 bounds none. In open mode none is bounded: nobody else is there to be fair to."""

    def __init__(
        self, *, requests_per_sec: float, points_per_sec: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._requests = _Buckets(requests_per_sec, clock)
        self._points = _Buckets(points_per_sec, clock)

    def take_request(self, by: Principal) -> None:
        """Count one request; raises TooManyRequests when the tenant must wait."""
        if by.key_id and (wait := self._requests.take(by.tenant_name, 1)) > 0:
            raise _refusal("requests", by.tenant_name, wait)

    def take_points(self, by: Principal, n: int) -> None:
        """Count points that are about to be kept."""
        if by.key_id and n and (wait := self._points.take(by.tenant_name, n)) > 0:
            raise _refusal("points", by.tenant_name, wait)


class _Buckets:
    def __init__(self, per_sec: float, clock: Callable[[], float]) -> None:
        self._per_sec = per_sec
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}  # what is left, and when that was

    def take(self, name: str, n: float) -> float:
        """Take n and answer 0, or take nothing and answer the seconds until there is room."""
        if self._per_sec <= 0:
            return 0.0
        full = self._per_sec * _BURST_SECS
        with self._lock:
            now = self._clock()
            left, since = self._levels.get(name, (full, now))
            left = min(full, left + (now - since) * self._per_sec)
            missing = min(n, full) - left
            if missing > 1e-9:
                self._levels[name] = (left, now)
                return missing / self._per_sec
            self._levels[name] = (left - n, now)
            return 0.0


def _refusal(what: str, tenant: str, wait: float) -> TooManyRequests:
    secs = max(1, math.ceil(wait))
    return TooManyRequests(
        f"tenant {tenant} sends more {what} a second than it may; wait {secs} s and send this again",
        retry_after_secs=secs,
    )
