"""What changes in an experiment, while it changes: its stream of server-sent events (docs/formats/sse.md).

A stream that breaks ends with `ConnectionFailed`; `last_id` of the last event takes it up where it ended.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from gnomon.client.transport import Transport, path_of
from gnomon.errors import GnomonError

EVENTS = "text/event-stream"
EventKind = Literal["experiment", "run", "metrics", "reset"]
# A line of an event is bounded by the server far below this; what is longer is not one of ours.
_MAX_LINE = 16 * 1024 * 1024


class LiveEvent(Struct, frozen=True):
    """One event: `data` has the fields of its kind; `last_id` is where a later stream may begin."""

    kind: EventKind
    data: dict[str, object]
    last_id: str | None


class Live:
    """`client.live`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def watch(self, experiment_id: str, *, last_id: str | None = None) -> Iterator[LiveEvent]:
        """The events of an experiment as they come, until the server ends the stream or the caller leaves the loop."""
        headers = {"Accept": EVENTS} | ({} if last_id is None else {"Last-Event-ID": last_id})
        with self._transport.stream(path_of("experiments", experiment_id, "live"), headers=headers) as response:
            yield from read_events(response.stream(1, decode_content=False))


def read_events(pieces: Iterable[bytes]) -> Iterator[LiveEvent]:
    """The events of a stream; comments keep it alive and say nothing."""
    kind, data, last_id = "", b"", None
    for line in _lines(pieces):
        name, _, value = line.partition(b": ")
        if name == b"event":
            kind = value.decode()
        elif name == b"data":
            data = value
        elif name == b"id":
            last_id = value.decode()
        elif not line and kind:
            yield msgspec.convert({"kind": kind, "data": _fields(data), "last_id": last_id}, LiveEvent)
            kind, data = "", b""


def _fields(data: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(data, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise GnomonError(f"an event is not what a Gnomon server says ({error})") from error


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += piece
        *whole, rest = rest.split(b"\n")
        yield from whole
        if len(rest) > _MAX_LINE:
            raise GnomonError("an event is longer than a Gnomon server makes one")
