"""How often an address may try to get in: with keys that open nothing, or by way of the identity provider.

A bucket for each address, and for the many addresses that one has with IPv6 (a /64) together. It bounds what a guesser
costs: work, the provider's patience, lines of the audit log. It is not what keeps guessers out; 256 random bits do. So
a key that opens is never refused here: behind one address there may be a whole cluster, and one job with an old key.

What is remembered is bounded: of more addresses than that, the one that tried longest ago is forgotten and begins anew.
"""

import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from gnomon_server.model.errors import TooManyRequests

_ADDRESSES = 10_000
_IPV6_SITE_BITS = 64


class Attempts:
    """The attempts of one kind. `processes`: over how many processes on a database an address may spread them."""

    def __init__(
        self,
        per_minute: float,
        *,
        processes: Callable[[], int] = lambda: 1,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._per_minute = per_minute
        self._processes = processes
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # and when it was so

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._left)

    def take(self, address: str) -> None:
        """Count one attempt; raises TooManyRequests when the address must wait. A rate of 0 bounds none."""
        if self._per_minute <= 0:
            return
        full = max(1.0, self._per_minute / self._processes())
        per_sec = full / 60
        who = _who(address)
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(who, (full, now))
            left = min(full, left + (now - since) * per_sec)
            is_refused = left < 1
            self._left[who] = (left if is_refused else left - 1, now)
            if len(self._left) > _ADDRESSES:
                self._left.popitem(last=False)
        if is_refused:
            secs = max(1, math.ceil((1 - left) / per_sec))
            raise TooManyRequests(
                f"too many attempts to get in came from this address; wait {secs} s and try again",
                retry_after_secs=secs,
            )


def _who(address: str) -> str:
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a Unix socket, or what a trusted proxy calls its client
        return address[:64]
    if isinstance(read, ipaddress.IPv6Address):
        if read.ipv4_mapped is not None:
            return str(read.ipv4_mapped)
        return str(ipaddress.ip_network((read, _IPV6_SITE_BITS), strict=False))
    return str(read)
