"""The report that an import ends with: for every series, count, sum and hash at both ends, and what was left out.

Invariants:
- The two ends are read independently: the source's sums come from its own bytes, the server's from its answers.
- A sum does not depend on the order of the points, so neither end has to be sorted or held in memory.

The hash of a series is the sum modulo 2^256 of the SHA-256 of each point (its 32 bytes read as a little-endian
integer), written as 64 hex digits. A point is 24 bytes, little-endian: step as double, Unix milliseconds as int64,
value as double; every NaN is the quiet one, and step -0 is 0. A point lost, doubled or changed by one bit changes it.
"""

import hashlib
import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import frexp, isfinite, isnan
from pathlib import Path

from msgspec import Struct

from gnomon.client import Client
from gnomon.client.records import Series
from gnomon.errors import GnomonError

# A page of points that is asked for at once, over all series of the request.
PAGE_POINTS = 100_000
_MODULUS = 1 << 256
_POINT = struct.Struct("<dqd").pack
# A double is a whole multiple of 2^-1074; frexp's mantissa has 53 bits more.
_SCALE_BITS = 1127
_NAN = math.nan
_REASONS = 3


class SeriesSum(Struct, frozen=True):
    """What one end has of a series. `total` sums the finite values exactly and rounds once."""

    points: int
    nonfinite: int
    total: float
    sha256: str


class SeriesDigest:
    """Adds points up, in any order and bounded memory."""

    __slots__ = ("_hash", "_nonfinite", "_points", "_total")

    def __init__(self) -> None:
        self._points = 0
        self._nonfinite = 0
        self._total = 0
        self._hash = 0

    def add(self, step: float, time_ms: int, value: float) -> None:
        self._points += 1
        if isfinite(value):
            mantissa, exponent = frexp(value)
            self._total += int(mantissa * 9007199254740992.0) << (exponent + 1074)
        else:
            self._nonfinite += 1
            if isnan(value):
                value = _NAN
        point = hashlib.sha256(_POINT(step + 0.0, time_ms, value)).digest()
        self._hash += int.from_bytes(point, "little")

    def sum(self) -> SeriesSum:
        try:
            total = self._total / (1 << _SCALE_BITS)
        except OverflowError:
            total = math.inf if self._total > 0 else -math.inf
        return SeriesSum(self._points, self._nonfinite, total, f"{self._hash % _MODULUS:064x}")


class SeriesCheck(Struct, frozen=True):
    """A series at both ends."""

    key: str
    source: SeriesSum
    server: SeriesSum
    equal: bool


class FileCheck(Struct, frozen=True):
    """A file at both ends; `server` is None where it is missing."""

    path: str
    size: int
    sha256: str
    server: str | None
    equal: bool


class TextCheck(Struct, frozen=True):
    """Params or tags at both ends: how many, and the keys that the server has not, or with another value."""

    count: int
    unequal: list[str]


class RunCheck(Struct, frozen=True):
    """One imported run. `sent` counts the points that this import sent; the others were there from an earlier one."""

    source: str
    run_id: str
    name: str
    sent: int
    series: list[SeriesCheck]
    files: list[FileCheck]
    params: TextCheck
    tags: TextCheck
    equal: bool

    @property
    def points(self) -> int:
        return sum(each.source.points for each in self.series)


class Unmapped(Struct, frozen=True, order=True):
    """What the source has and the server cannot keep: of which kind, where, how often, and why."""

    source: str
    kind: str
    name: str
    reason: str
    count: int = 1


class ItemCheck(Struct, frozen=True):
    """What is not a run (an experiment, a model): the parts of it that the server has not, or otherwise."""

    kind: str
    name: str
    unequal: list[str]
    equal: bool


class ImportReport(Struct, frozen=True):
    """The whole of it. `equal`: every series, file, param and tag was found on the server as the source has it."""

    format: str
    source: str
    experiment: str
    runs: list[RunCheck]
    unmapped: list[Unmapped]
    points: int
    files: int
    equal: bool
    items: list[ItemCheck] = []


class Expected(Struct):
    """What the source has of a run, collected while it is read."""

    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    series: dict[str, SeriesDigest] = {}
    files: dict[str, tuple[int, str]] = {}  # path -> size, SHA-256

    def point(self, key: str, step: float, time_ms: int, value: float) -> None:
        digest = self.series.get(key)
        if digest is None:
            digest = self.series[key] = SeriesDigest()
        digest.add(step, time_ms, value)


class LeftOut:
    """Counts what cannot be mapped, one line a cause and name, however often it occurs."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str, str], int] = {}

    def add(self, source: str, *, kind: str, name: str, reason: str, count: int = 1) -> None:
        cause = (source, kind, name, reason)
        self._counts[cause] = self._counts.get(cause, 0) + count

    def lines(self) -> list[Unmapped]:
        return sorted(Unmapped(*cause, count=count) for cause, count in self._counts.items())


def nothing_imported(root: Path, left_out: LeftOut) -> GnomonError:
    """What to say where there were runs and none could be read: a report of nothing would look like success."""
    lines = left_out.lines()
    why = "; ".join(f"{each.source}: {each.kind} {each.name}: {each.reason}" for each in lines[:_REASONS])
    more = f"; and {len(lines) - _REASONS} more" if len(lines) > _REASONS else ""
    return GnomonError(f"nothing at or below {root} can be imported: {why}{more}")


def check_run(
    client: Client, run_id: str, expected: Expected, *, source: str, sent: int, progress: Callable[[int], None]
) -> RunCheck:
    """Read back what the server has of the run and compare. `progress` is told of points as they are read."""
    run = client.runs.get(run_id)
    wanted = {key: digest.sum() for key, digest in expected.series.items()}
    on_server = read_sums(client, run_id, {key: each.points for key, each in wanted.items()}, progress=progress)
    series = [
        SeriesCheck(key, own, on_server[key], equal=_says_the_same(own, on_server[key]))
        for key, own in sorted(wanted.items())
    ]
    files = _check_files(client, run_id, expected.files)
    params, tags = _check_texts(expected.params, run.params), _check_texts(expected.tags, run.tags)
    is_equal = all(each.equal for each in series) and all(each.equal for each in files)
    return RunCheck(
        source=source,
        run_id=run_id,
        name=run.name,
        sent=sent,
        series=series,
        files=files,
        params=params,
        tags=tags,
        equal=is_equal and not params.unequal and not tags.unequal,
    )


def report_of(
    format: str,
    source: str,
    experiment: str,
    runs: Sequence[RunCheck],
    left_out: LeftOut,
    *,
    items: Sequence[ItemCheck] = (),
) -> ImportReport:
    return ImportReport(
        format=format,
        source=source,
        experiment=experiment,
        runs=[*runs],
        unmapped=left_out.lines(),
        points=sum(run.points for run in runs),
        files=sum(len(run.files) for run in runs),
        equal=all(run.equal for run in runs) and all(item.equal for item in items),
        items=[*items],
    )


def read_sums(
    client: Client, run_id: str, sizes: Mapping[str, int], *, progress: Callable[[int], None]
) -> dict[str, SeriesSum]:
    """The sums of these series as the server has them. `sizes`: about how many points each has, to size requests."""
    digests = {key: SeriesDigest() for key in sizes}
    for keys, limit in _requests(sizes):
        offset, again = 0, True
        while again:
            page = client.metrics.history(run_id, keys, limit=limit, offset=offset)
            for series in page.series:
                _add_all(digests[series.key], series)
            offset, limit = offset + limit, max(limit, PAGE_POINTS // len(keys))
            again = any(series.total > offset for series in page.series)
            progress(sum(len(series.step) for series in page.series))
    return {key: digest.sum() for key, digest in digests.items()}


def _requests(sizes: Mapping[str, int]) -> Iterator[tuple[list[str], int]]:
    """Series grouped so that one answer holds about a page: keys, and the limit of points of each."""
    group: list[str] = []
    largest = 1
    for key, size in sorted(sizes.items(), key=lambda item: item[1]):
        grown = max(largest, min(size + 1, PAGE_POINTS))
        # Keys stand in the address of the request, which is bounded.
        if group and (grown * (len(group) + 1) > PAGE_POINTS or sum(map(len, group)) + len(key) > 2_000):
            yield group, largest
            group, grown = [], max(1, min(size + 1, PAGE_POINTS))
        group.append(key)
        largest = grown
    if group:
        yield group, largest


def _add_all(digest: SeriesDigest, series: Series) -> None:
    add = digest.add
    for step, time_ms, value in zip(series.step, series.timestamp, series.value, strict=True):
        add(step, time_ms, value)


def _says_the_same(one: SeriesSum, other: SeriesSum) -> bool:
    return one.points == other.points and one.sha256 == other.sha256


def _check_files(client: Client, run_id: str, files: Mapping[str, tuple[int, str]]) -> list[FileCheck]:
    if not files:
        return []
    on_server = {each.path: each.sha256 for each in client.artifacts.walk(run_id)}
    return [
        FileCheck(path, size, sha256, on_server.get(path), equal=on_server.get(path) == sha256)
        for path, (size, sha256) in sorted(files.items())
    ]


def _check_texts(expected: Mapping[str, str], on_server: Mapping[str, str]) -> TextCheck:
    return TextCheck(len(expected), sorted(key for key, text in expected.items() if on_server.get(key) != text))
