"""The load generator: closed-loop HTTP/1.1 connections over raw sockets, requests built by the caller as bytes.

One process on one event loop; a request costs it a few microseconds, so that the server is what is measured. Each
connection sends its next request when the answer to its last has come.
"""

import asyncio
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import cast

import uvloop

Address = tuple[str, int]
Requests = Iterator[bytes]
_KEPT_REFUSALS = 3
_LONGEST_SECS = 30.0


@dataclass(slots=True)
class Outcome:
    """What one group of connections saw between the warm-up and the end.

    `sent`, `acknowledged`, `refused` and `broken` count from the first request to the last answer.
    """

    seconds: float = 0.0
    sent: int = 0
    acknowledged: int = 0
    answered: int = 0
    refused: int = 0
    broken: int = 0
    latencies: list[float] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.answered / self.seconds

    def percentile_ms(self, share: float) -> float:
        if not self.latencies:
            return float("nan")
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


class _Connection(asyncio.Protocol):
    """One keep-alive connection; understands answers with a length and chunked ones."""

    def __init__(self, requests: Requests, outcome: Outcome) -> None:
        self._requests = requests
        self._outcome = outcome
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = bytearray()
        self._sent_at = 0.0
        self.is_measured = False
        self.is_ending = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports inherit from none of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._outcome.sent += 1
        self._sent_at = perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        length = _answer_length(self._buffer)
        if length is None or len(self._buffer) < length:
            return
        self._count()
        del self._buffer[:length]
        if self.is_ending:
            self._end()
        else:
            self._send()

    def _count(self) -> None:
        if self._buffer[9:10] == b"2":
            self._outcome.acknowledged += 1
            if self.is_measured:
                self._outcome.answered += 1
                self._outcome.latencies.append(perf_counter() - self._sent_at)
        else:
            self._outcome.refused += 1
            if len(self._outcome.refusals) < _KEPT_REFUSALS:
                self._outcome.refusals.append(self._buffer[:600].decode("latin-1"))

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.ended.done():
            self._outcome.broken += 1
            self.ended.set_result(None)

    def _end(self) -> None:
        assert self._transport is not None
        if not self.ended.done():
            self.ended.set_result(None)
        self._transport.close()


def _answer_length(buffer: bytearray) -> int | None:
    """Where the first answer in the buffer ends; None when its head, or its chunked body, is not whole yet."""
    head_end = buffer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = bytes(buffer[:head_end]).lower()
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        line_end = head.find(b"\r\n", at + 2)
        return head_end + 4 + int(head[at + 17 : line_end if line_end > 0 else None])
    if b"\r\ntransfer-encoding: chunked" in head:
        end = buffer.find(b"\r\n0\r\n\r\n", head_end)
        return None if end < 0 else end + 7
    return head_end + 4


def drive(
    address: Address,
    groups: Sequence[Sequence[Requests]],
    *,
    seconds: float,
    warmup_secs: float = 0.5,
    longest_secs: float = _LONGEST_SECS,
) -> list[Outcome]:
    """Run groups of connections at once, each until the time is over; one outcome a group.

    A slow server is given longer, at most `longest_secs`, until every connection could have had two answers: cut in
    the middle of its first ones it would be shown as slower, or faster, than it is. What is under way at the end is
    waited for.
    """
    return uvloop.run(_drive(address, groups, seconds, warmup_secs, longest_secs))


async def _drive(
    address: Address,
    groups: Sequence[Sequence[Requests]],
    seconds: float,
    warmup_secs: float,
    longest_secs: float,
) -> list[Outcome]:
    loop = asyncio.get_running_loop()
    outcomes = [Outcome() for _ in groups]
    connections: list[_Connection] = []
    for outcome, group in zip(outcomes, groups, strict=True):
        for requests in group:
            _, protocol = await loop.create_connection(partial(_Connection, requests, outcome), *address)
            connections.append(protocol)
    await asyncio.sleep(warmup_secs)
    gc.collect()
    gc.disable()
    started = perf_counter()
    for connection in connections:
        connection.is_measured = True
    await asyncio.sleep(seconds)
    while perf_counter() - started < longest_secs and any(  # noqa: ASYNC110  # an event an answer would cost too much
        outcome.answered + outcome.refused < 2 * len(group) for outcome, group in zip(outcomes, groups, strict=True)
    ):
        await asyncio.sleep(0.05)
    elapsed = perf_counter() - started
    for connection in connections:
        connection.is_measured = False
        connection.is_ending = True
    gc.enable()
    await asyncio.gather(*(connection.ended for connection in connections))
    for outcome in outcomes:
        outcome.seconds = elapsed
    return outcomes


def request(
    method: str, path: str, body: bytes = b"", *, media: str = "application/json", accept: str = "application/json"
) -> bytes:
    """One request as bytes, host and all."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n"
    if body:
        head += f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
