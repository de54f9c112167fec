"""Who is let in and who makes way, decided on connections that only say how slow they are."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from gnomon_server.api.front import ConnectionLimits
from gnomon_server.api.front.connections import Connections


class Peer:
    """A connection as `Connections` sees it."""

    def __init__(self, peer: str = "10.0.0.1") -> None:
        self.peer = peer
        self.slow = False
        self.aborted = False
        self.swept_secs: list[float] = []
        self.swept = asyncio.Event()

    def sweep(self, passed_secs: float) -> None:
        self.swept_secs.append(passed_secs)
        self.swept.set()

    def is_slow(self) -> bool:
        return self.slow

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


async def _sweep_once(peer: Peer) -> None:
    peer.swept.clear()
    await peer.swept.wait()


def test_the_cap_of_an_address_is_its_own(loop: asyncio.AbstractEventLoop) -> None:
    connections = Connections(ConnectionLimits(per_peer=2))
    first = Peer()
    assert connections.admit(first, loop) is None
    assert connections.admit(Peer(), loop) is None
    refusal = connections.admit(Peer(), loop)
    assert refusal is not None
    assert refusal.status == 429
    assert connections.admit(Peer("10.0.0.2"), loop) is None
    connections.leave(first)
    connections.leave(first)  # a second time changes nothing
    assert connections.admit(Peer(), loop) is None


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "192.0.2.77", ""])
def test_exempt_addresses_share_no_cap(loop: asyncio.AbstractEventLoop, peer: str) -> None:
    limits = ConnectionLimits(per_peer=1)
    connections = Connections(ConnectionLimits(per_peer=1, exempt=(*limits.exempt, "192.0.2.0/24")))
    assert [connections.admit(Peer(peer), loop) for _ in range(3)] == [None, None, None]


@pytest.mark.parametrize("peer", ["128.0.0.1", "::2", "::ffff:10.0.0.1", "193.0.2.77"])
def test_other_addresses_do_not_count_as_exempt(loop: asyncio.AbstractEventLoop, peer: str) -> None:
    connections = Connections(ConnectionLimits(per_peer=1))
    assert connections.admit(Peer(peer), loop) is None
    assert connections.admit(Peer(peer), loop) is not None


def test_the_one_that_waits_longest_makes_way(loop: asyncio.AbstractEventLoop) -> None:
    connections = Connections(ConnectionLimits(connections=3))
    peers = [Peer() for _ in range(3)]
    for peer in peers:
        assert connections.admit(peer, loop) is None
        connections.starts_waiting(peer)
    connections.stops_waiting(peers[0])  # it works on a request
    assert connections.admit(Peer(), loop) is None
    assert [peer.aborted for peer in peers] == [False, True, False]
    assert len(connections) == 3


def test_nobody_at_work_is_evicted(loop: asyncio.AbstractEventLoop) -> None:
    connections = Connections(ConnectionLimits(connections=2))
    peers = [Peer(), Peer()]
    for peer in peers:
        assert connections.admit(peer, loop) is None
    refusal = connections.admit(Peer(), loop)
    assert refusal is not None
    assert refusal.status == 503
    assert not any(peer.aborted for peer in peers)


def test_a_slow_body_makes_way_when_nobody_waits(loop: asyncio.AbstractEventLoop) -> None:
    connections = Connections(ConnectionLimits(connections=3, head_secs=0.2))
    peers = [Peer(), Peer(), Peer()]
    for peer in peers:
        assert connections.admit(peer, loop) is None
    peers[1].slow = peers[2].slow = True
    loop.run_until_complete(_sweep_once(peers[0]))
    recovered, slow = peers[1], peers[2]
    recovered.slow = False
    assert connections.admit(Peer(), loop) is None
    assert slow.aborted
    assert not recovered.aborted


def test_a_stalled_server_does_not_hold_it_against_its_clients(loop: asyncio.AbstractEventLoop) -> None:
    connections = Connections(ConnectionLimits(head_secs=0.2))
    peer = Peer()
    assert connections.admit(peer, loop) is None

    async def stall() -> None:
        await _sweep_once(peer)
        loop.call_soon(time.sleep, 1.0)
        await _sweep_once(peer)

    loop.run_until_complete(stall())
    assert max(peer.swept_secs) <= 0.1 + 1e-6
