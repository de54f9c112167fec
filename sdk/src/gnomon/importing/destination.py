"""One run on the server, as an import writes it: exactly once, however often the import is broken off and begun again.

Invariants:
- The id of the run is made from what the source says of itself, so a second import finds the run of the first.
- Each file of the source is a writer. Its points are sent in their order, in batches that the server's ledger counts;
  beginning again, the points that the ledger has are passed over, and a file that has grown sends what is new.
- Params are written once, tags and files set the same thing again: repeating them changes nothing.
- Every point, param, tag and file that is given here is also counted in `expected`, whether it has to be sent or not.
"""

import hashlib
import sys
from array import array
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from gnomon.client import Client
from gnomon.client.artifacts import PIECE_BYTES
from gnomon.importing.report import Expected
from gnomon.wire import EndStatus, MetricEntry, PointColumns, RunBegin, SequencedBatch

BATCH_POINTS = 20_000
# What the server takes in one run.
MAX_SERIES = 10_000
# Params, and as many tags, of one batch: the server bounds its bytes, and values may have 8,000 characters.
BATCH_TEXTS = 250
# The most points that one batch without an identity may hold.
PLAIN_POINTS = 10_000
# The writer that begins the run; the files of the source stand beside it under names of their own.
BEGIN = "import"


class Destination:
    """The run of one source. Begun on the server by the first call of `begin`."""

    def __init__(self, client: Client, run_id: str, *, progress: Callable[[int], None]) -> None:
        self.run_id = run_id
        self.expected = Expected()
        self.sent = 0
        self._client = client
        self._progress = progress
        self._ledger: dict[str, tuple[int, int]] = {}
        self._files: dict[str, str | None] = {}

    def begin(self, begin: RunBegin) -> None:
        """Make the run unless it is there, and learn how far an earlier import came."""
        self._client.runs.log_sequenced(self.run_id, SequencedBatch(BEGIN, 0, create=begin))
        for writer in self._client.runs.ledger(self.run_id).writers:
            self._ledger[writer.writer] = (writer.last_seq, writer.points)
        self._files = {each.path: each.sha256 for each in self._client.artifacts.walk(self.run_id)}

    def points(self, source: str) -> "PointWriter":
        """Where the points of one file of the source go; `source` names the file for ever."""
        writer = hashlib.sha256(source.encode()).hexdigest()[:32]
        last_seq, points = self._ledger.get(writer, (-1, 0))
        return PointWriter(self, writer, last_seq + 1, points)

    def points_again(self, source: str) -> "PointWriter | PlainWriter":
        """The same, for a source whose points are not only added at its end; `source` names it as it is now.

        Where an earlier import read it in another state, all of its points are sent without an identity: equal ones
        count once.
        """
        writer = self.points(source)
        others = self._ledger.keys() - {BEGIN, writer.name}
        return PlainWriter(self) if others else writer

    def texts(self, *, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Set params and tags. A param that the run has with another value stays; the report names it."""
        self.expected.params |= params
        self.expected.tags |= tags
        known = self._client.runs.get(self.run_id)
        new_params = [(key, value) for key, value in params.items() if key not in known.params]
        new_tags = [(key, value) for key, value in tags.items() if known.tags.get(key) != value]
        # Together: each request that writes is a disk sync on the server, and most runs have few of either.
        for start in range(0, max(len(new_params), len(new_tags)), BATCH_TEXTS):
            part = slice(start, start + BATCH_TEXTS)
            self._client.runs.log_batch(self.run_id, params=dict(new_params[part]), tags=dict(new_tags[part]))

    def file(self, path: str, source: Path | bytes) -> None:
        """Keep a file as `path` of the run's artifacts; one that is there with the same bytes is not sent again."""
        size, sha256 = _weigh(source)
        self.expected.files[path] = (size, sha256)
        if self._files.get(path) == sha256:
            return
        directory, _, name = path.rpartition("/")
        self._client.artifacts.log(self.run_id, source, artifact_path=directory or None, name=name)
        self._files[path] = sha256

    def end(self, status: EndStatus, time_ms: int) -> None:
        """Say how it ended; an earlier import may have said so of a source that has grown since."""
        run = self._client.runs.get(self.run_id)
        if run.status == status and run.end_time is not None and _unix_ms(run.end_time) == time_ms:
            return
        if run.status != "running":
            self._client.runs.update(self.run_id, status="running")
        self._client.runs.end(self.run_id, status, end_time=time_ms)

    def send_plain(self, entries: list[MetricEntry]) -> None:
        """Send points of a `PlainWriter`."""
        self._client.runs.log_batch(self.run_id, metrics=entries)
        self.sent += len(entries)
        self._progress(len(entries))

    def send(self, batch: SequencedBatch, points: int) -> None:
        """Send a batch of a `PointWriter`."""
        self._client.runs.log_sequenced(self.run_id, batch)
        self.sent += points
        self._progress(points)


class PointWriter:
    """The points of one file of the source, in its order. The first `known` are on the server and passed over."""

    def __init__(self, destination: Destination, writer: str, next_seq: int, known: int) -> None:
        self._destination = destination
        self._writer = self.name = writer
        self._next_seq = next_seq
        self._known = known
        self._clear()

    def add(self, key: str, step: float, time_ms: int, value: float) -> bool:
        """False: the run has as many series as the server takes, and this would be one more."""
        expected = self._destination.expected
        if key not in expected.series and len(expected.series) >= MAX_SERIES:
            return False
        expected.point(key, step, time_ms, value)
        if self._known:
            self._known -= 1
            return True
        self._key.append(self._keys.setdefault(key, len(self._keys)))
        self._step.append(step)
        self._time.append(time_ms)
        self._value.append(value)
        if len(self._value) >= BATCH_POINTS:
            self.flush()
        return True

    def flush(self) -> None:
        """Send what is waiting; the end of the file is a call of this."""
        if not self._value:
            return
        columns = PointColumns(
            keys=list(self._keys),
            key=_little(self._key),
            step=_little(self._step),
            timestamp=_little(self._time),
            value=_little(self._value),
        )
        batch = SequencedBatch(self._writer, self._next_seq, points=columns)
        self._destination.send(batch, len(self._value))
        self._next_seq += 1
        self._clear()

    def _clear(self) -> None:
        self._keys: dict[str, int] = {}
        self._key = array("I")
        self._step = array("d")
        self._time = array("q")
        self._value = array("d")


class PlainWriter:
    """Points without an identity, where it does not matter how often an equal one is sent."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._waiting: list[MetricEntry] = []

    def add(self, key: str, step: float, time_ms: int, value: float) -> None:
        self._destination.expected.point(key, step, time_ms, value)
        self._waiting.append(MetricEntry(key=key, value=value, step=step, timestamp=time_ms))
        if len(self._waiting) >= PLAIN_POINTS:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting."""
        if self._waiting:
            self._destination.send_plain(self._waiting)
            self._waiting = []


def run_id_for(*identity: str, start_ms: int) -> str:
    """The id of the run made from a source: a UUIDv7 of its start, with bits of a hash of its identity as the random.

    The experiment, the tenant and what the source says of itself are the identity, so that the same source makes one
    run wherever it is imported from.
    """
    digest = int.from_bytes(hashlib.sha256("\0".join(identity).encode()).digest()[:10], "big")
    rand_a, rand_b = digest >> 62 & 0xFFF, digest & 0x3FFF_FFFF_FFFF_FFFF
    stamp = start_ms & 0xFFFF_FFFF_FFFF
    return f"{stamp << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b:032x}"


def _unix_ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def _weigh(source: Path | bytes) -> tuple[int, str]:
    """Size and SHA-256."""
    if isinstance(source, bytes):
        return len(source), hashlib.sha256(source).hexdigest()
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _little(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
