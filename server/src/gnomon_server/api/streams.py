"""Streams of server-sent events: one reader for each watched experiment, any number of listeners, all of it bounded.

A channel looks at its experiment when something was committed there, at most once every `pace_secs`, and encodes what
it finds once for all of its listeners. Invariants, all on the event loop:

- A listener holds at most `queued_bytes`; one that falls behind is told to reset instead of being waited for.
- An event carries an id only at the end of a look, so a client that resumes from it has missed nothing.
- A listener exists only while its stream is being read, and a channel only while it has listeners.
- `close` ends every stream within its current chunk: a stopping server never waits for one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable

from anyio import CapacityLimiter, to_thread

from gnomon_server.core.access import Principal
from gnomon_server.core.live import Live, News, Place, Touched
from gnomon_server.model.entities import Experiment
from gnomon_server.model.errors import Unavailable

log = logging.getLogger("gnomon.live")

# Four looks a second: a chart moves at once, and a thousand writers cost no more reads than one.
PACE_SECS = 0.25
# Below the minute after which proxies cut silent connections.
HEARTBEAT_SECS = 15.0
# Some seconds of a very busy experiment; what a client is behind by more is not worth sending.
QUEUED_BYTES = 1024 * 1024
# Looks share two threads of their own, so that they never stand in front of requests.
_LOOKING_THREADS = 2
_HEARTBEAT = b": still here\n\n"
_RETRY = b"retry: 2000\n"

# News as the events that say it, without their id.
Encode = Callable[[News], bytes]


class LiveStreams:
    """The streams of one server."""

    def __init__(
        self,
        live: Live,
        encode: Encode,
        *,
        most: int,
        pace_secs: float = PACE_SECS,
        heartbeat_secs: float = HEARTBEAT_SECS,
        queued_bytes: int = QUEUED_BYTES,
    ) -> None:
        self.live = live
        self.encode = encode
        self.pace_secs = pace_secs
        self._most = most
        self._heartbeat_secs = heartbeat_secs
        self.queued_bytes = queued_bytes
        self._channels: dict[Place, _Channel] = {}
        self._limiter: CapacityLimiter | None = None
        self._is_closing = False
        self.count = 0

    def refuse_one_more(self) -> None:
        """Raise when no further stream may be opened."""
        if self._is_closing:
            raise Unavailable("the server is stopping; connect again in a moment", code="stopping")
        if self.count >= self._most:
            raise Unavailable(
                "as many live streams are open as this server serves; close a page, or ask for the lists instead",
                code="too_many_streams",
                retry_after_secs=10,
            )

    async def listen(self, principal: Principal, experiment: Experiment, last_id: str | None) -> AsyncGenerator[bytes]:
        """The chunks of one stream, until the client leaves or the server stops.

        It begins with how things stand; after `last_id`, with what changed since then, or a reset where that is lost.
        """
        place = (principal.tenant, experiment.row)
        if place not in self._channels:
            self._channels[place] = _Channel(self, principal, experiment)
        channel = self._channels[place]
        listener = channel.join()
        self.count += 1
        try:
            yield _RETRY + await channel.opening(last_id)
            while not listener.has_ended:
                yield await listener.next(self._heartbeat_secs)
        finally:
            self.count -= 1
            channel.leave(listener)

    def revision(self) -> str:
        """The id of this moment: who reads now and listens from it on misses nothing."""
        return f"{self.live.epoch}-{self.live.revision}"

    def drop(self, place: Place, channel: "_Channel") -> None:
        """This channel has ended: who listens next gets a new one."""
        if self._channels.get(place) is channel:
            del self._channels[place]

    def close(self) -> None:
        """End all streams, and open no more. Called on the event loop, before the server waits for its requests."""
        self._is_closing = True
        for channel in list(self._channels.values()):
            channel.end()

    async def look(self, principal: Principal, experiment: Experiment, touched: Touched) -> News:
        if self._limiter is None:
            self._limiter = CapacityLimiter(_LOOKING_THREADS)
        return await to_thread.run_sync(self.live.read, principal, experiment, touched, limiter=self._limiter)

    def chunk(self, news: News, revision: int) -> bytes:
        """News as one chunk; its last event carries the id."""
        return b"%s%s" % (self.encode(news), _mark(self.live.epoch, revision))


class _Channel:
    """One watched experiment and those who listen."""

    def __init__(self, streams: LiveStreams, principal: Principal, experiment: Experiment) -> None:
        self._streams = streams
        self._principal = principal
        self._experiment = experiment
        self._listeners: set[_Listener] = set()
        self._stir = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._watch = streams.live.watch(principal, experiment, self._wake)
        self._task = asyncio.create_task(self._run())

    def join(self) -> "_Listener":
        listener = _Listener(self._streams.queued_bytes)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: "_Listener") -> None:
        self._listeners.discard(listener)
        if not self._listeners:
            self._watch.close()
            self._task.cancel()
            self._streams.drop(self._watch.place, self)

    def end(self) -> None:
        """End every stream; no one joins any more."""
        self._streams.drop(self._watch.place, self)
        for listener in self._listeners:
            listener.end()

    async def opening(self, last_id: str | None) -> bytes:
        """The first chunk of a listener that has joined already, so that nothing falls between the two."""
        streams = self._streams
        if last_id is None:
            touched, revision = Touched(has_experiment=True), streams.live.revision
        else:
            touched, revision = streams.live.since(self._watch.place, _revision_of(streams.live.epoch, last_id))
        return streams.chunk(await streams.look(self._principal, self._experiment, touched), revision)

    def _wake(self) -> None:
        """Called in the writer's thread."""
        self._loop.call_soon_threadsafe(self._stir.set)

    async def _run(self) -> None:
        streams = self._streams
        try:
            while True:
                await self._stir.wait()
                self._stir.clear()
                touched, revision = self._watch.take()
                news = await streams.look(self._principal, self._experiment, touched)
                chunk = streams.chunk(news, revision)
                for listener in self._listeners:
                    if not listener.offer(chunk):
                        listener.replace(streams.chunk(News(is_everything=True), revision))
                await asyncio.sleep(streams.pace_secs)
        except Exception:
            # Nobody awaits this task. Clients connect again and resume, or are told why they cannot.
            log.exception("a live stream could not be read")
            self.end()


class _Listener:
    """What waits for one client."""

    def __init__(self, queued_bytes: int) -> None:
        self._queued_bytes = queued_bytes
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ready = asyncio.Event()
        self._is_ending = False

    @property
    def has_ended(self) -> bool:
        return self._is_ending and not self._chunks

    def offer(self, chunk: bytes) -> bool:
        """Queue a chunk; False when this client is too far behind."""
        if self._chunks and self._size + len(chunk) > self._queued_bytes:
            return False
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._ready.set()
        return True

    def replace(self, chunk: bytes) -> None:
        """Drop what waits for this instead."""
        self._chunks.clear()
        self._size = 0
        self.offer(chunk)

    def end(self) -> None:
        self._is_ending = True
        self._ready.set()

    async def next(self, heartbeat_secs: float) -> bytes:
        """All that waits; after a silence, or at the end, something that says nothing."""
        try:
            async with asyncio.timeout(heartbeat_secs):
                await self._ready.wait()
        except TimeoutError:
            return _HEARTBEAT
        if not self._chunks:
            return _HEARTBEAT
        chunks = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if not self._is_ending:
            self._ready.clear()
        return chunks


def _mark(epoch: str, revision: int) -> bytes:
    """An event of no data moves a client's last id and is not shown to its page."""
    return b"id: %s-%d\n\n" % (epoch.encode(), revision)


def _revision_of(epoch: str, last_id: str) -> int | None:
    """The revision that an id names; None for an id of another process, or none of ours."""
    given_epoch, _, revision = last_id.partition("-")
    if given_epoch != epoch or not revision.isascii() or not revision.isdigit() or len(revision) > 15:
        return None
    return int(revision)
