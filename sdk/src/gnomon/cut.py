"""Cutting batches from a spool: records in, columns out.

Invariant: the same position and the same end always give the same batch, whatever was appended since.
"""

import sys
import time
from array import array
from collections.abc import Iterator, Set
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from gnomon.cursor import Position
from gnomon.record import Action, Params, Points, Record, SpoolDamaged, Tags, Thinned, decode_record
from gnomon.spool import read_frames, read_header, segment_path
from gnomon.wire import PointColumns

MAX_ENTRIES = 20_000
# Params and tags of 8,000 characters would otherwise pass the server's bound on a body.
MAX_BYTES = 4 * 1024 * 1024
# The server takes no more of them in one batch.
MAX_TEXTS = 5_000
# After so many records the interpreter is left to others for a moment: a thread that logs would else wait for it until
# its switch interval (5 ms) is over, each time. Some hundred microseconds of work, then the shortest sleep there is.
RECORDS_AT_ONCE = 64
BREATH_SECS = 50e-6


class Unreadable(Struct, frozen=True):
    """A whole frame that holds no record of this version."""

    payload: bytes
    reason: str


class Placed(NamedTuple):
    """A record and the place of its frame."""

    record: Record | Unreadable
    start: Position
    end: Position


class Cut:
    """Entries for one batch, or one action, and where the spool goes on after it."""

    def __init__(self, without: Set[str] = frozenset()) -> None:
        self.left_out: list[dict[str, object]] = []
        self._without = without
        self.end: Position | None = None
        self.action: Action | Unreadable | None = None
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.thinned = 0
        self.last_ms = 0
        self.read_to: dict[int, int] = {}  # segment -> where reading it has come to
        self._keys: dict[str, int] = {}
        self._key = array("I")
        self._step = array("d")
        self._time = array("q")
        self._value = array("d")

    @property
    def points(self) -> int:
        return len(self._value)

    @property
    def entries(self) -> int:
        return self.points + len(self.params) + len(self.tags)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell the server."""
        return not self.entries and not self.thinned

    def columns(self) -> PointColumns | None:
        if not self._value:
            return None
        key, step, time, value = (_little(each) for each in (self._key, self._step, self._time, self._value))
        return PointColumns(keys=list(self._keys), key=key, step=step, timestamp=time, value=value)

    def described(self) -> list[dict[str, object]]:
        """The entries one by one, for a person."""
        names = list(self._keys)
        rows = [
            _described(names[key], step, time, value)
            for key, step, time, value in zip(self._key, self._step, self._time, self._value, strict=True)
        ]
        rows += [{"kind": "param", "key": key, "value": value} for key, value in self.params.items()]
        rows += [{"kind": "tag", "key": key, "value": value} for key, value in self.tags.items()]
        return rows

    def add(self, record: Points | Params | Tags, first: int, last: int) -> int:
        """Take the entries from `first` up to `last`; how many fitted."""
        taken = 0
        self.last_ms = max(self.last_ms, record.time_ms)
        if isinstance(record, Points):
            keys = self._keys
            before = len(self._value)
            for name, value in islice(record.values.items(), first, last):
                taken += 1
                if name in self._without:
                    self.left_out.append(_described(name, record.step, record.time_ms, value))
                    continue
                self._key.append(keys.setdefault(name, len(keys)))
                self._value.append(value)
            kept = len(self._value) - before
            self._step.extend([record.step] * kept)
            self._time.extend([record.time_ms] * kept)
            return taken
        texts = self.params if isinstance(record, Params) else self.tags
        for key, text in islice(record.values.items(), first, last):
            is_another = key in texts and texts[key] != text
            if is_another or len(self.params) + len(self.tags) >= MAX_TEXTS:
                break
            texts[key] = text
            taken += 1
        return taken


def read_placed(folder: Path, at: Position) -> Iterator[Placed]:
    """The records from a position on, over segments; those before the position in the first record too."""
    segment, offset = at.segment, at.offset
    while True:
        path = segment_path(folder, segment)
        # Asked before reading: once the next has its name, this one does not grow.
        has_next = segment_path(folder, segment + 1).exists()
        try:
            begin = offset or read_header(path)[1]
            for payload, end in read_frames(path, begin):
                yield Placed(_record(payload), Position(segment, begin), Position(segment, end))
                begin = end
        except FileNotFoundError:
            return
        except SpoolDamaged:
            if not has_next:
                return
        if not has_next:
            return
        segment, offset = segment + 1, 0


def cut(
    folder: Path,
    at: Position,
    *,
    until: Position | None = None,
    limit: int = MAX_ENTRIES,
    without: Set[str] = frozenset(),
) -> Cut | None:
    """The next batch or action from a position; None when there is nothing. With `until`, exactly that far.

    `without`: metrics that the server is known to refuse; their points are passed over into `left_out`.
    """
    made = Cut(without)
    size = 0
    for nth, (record, start, end) in enumerate(read_placed(folder, at), 1):
        if nth % RECORDS_AT_ONCE == 0:
            time.sleep(BREATH_SECS)
        if until is not None and start >= until:
            break
        if isinstance(record, Thinned):
            made.thinned += record.points
            made.end = end
            made.read_to[end.segment] = end.offset
            continue
        if not isinstance(record, Points | Params | Tags):
            if made.end is None:
                made.action, made.end = record, end
                made.read_to[end.segment] = end.offset
            break
        first = at.entry if (start.segment, start.offset) == (at.segment, at.offset) else 0
        ends_inside = until is not None and (until.segment, until.offset) == (start.segment, start.offset)
        room = limit - made.entries if until is None else sys.maxsize
        last = until.entry if until is not None and ends_inside else min(len(record.values), first + room)
        done = first + made.add(record, first, last)
        made.end = end if done >= len(record.values) else Position(start.segment, start.offset, done)
        made.read_to[end.segment] = end.offset
        size += end.offset - start.offset
        if made.end != end or (until is None and (made.entries >= limit or size >= MAX_BYTES)):
            break
    return made if made.end is not None else None


def _record(payload: bytes) -> Record | Unreadable:
    try:
        return decode_record(payload)
    except SpoolDamaged as error:
        return Unreadable(payload, str(error))


def _described(key: str, step: float, time_ms: int, value: float) -> dict[str, object]:
    return {"kind": "metric", "key": key, "step": step, "timestamp": time_ms, "value": repr(value)}


def _little(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
