"""Points in columns: what flows from a request to a segment to a chunk to a chart without an object per point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from gnomon_server.model.errors import invalid_field

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint32]

Number = TypeVar("Number", np.uint32, np.float64, np.int64)

XAxis = Literal["step", "relative", "time"]

# |step| beyond this is not exact as a double.
MAX_STEP = float(2**53)
# 9999-12-31T23:59:59.999Z, the last instant that ISO 8601 with four-digit years can say.
MAX_TIME_MS = 253_402_300_799_999


def checked_time(time_ms: int, *, field: str) -> int:
    """A time that a client sent, Unix milliseconds; raises `InvalidRequest` naming the field."""
    if not 0 <= time_ms <= MAX_TIME_MS:
        raise invalid_field(field, "is not Unix milliseconds between 1970 and 9999")
    return time_ms


def extremes(column: NDArray[Number]) -> tuple[Number, Number]:
    """The least and the greatest entry of a column that has some; NaN, both, where it holds one.

    By their places: of a thousand entries numpy finds those several times faster than it reduces them.
    """
    return column[column.argmin()], column[column.argmax()]


@dataclass(frozen=True, slots=True)
class PointBatch:
    """Points of one run in the order they came, as four columns of equal length.

    `key` holds positions in `names` (not ids): the store knows no key until the batch is committed.
    `time_ms` is Unix milliseconds, `value` any double.
    """

    names: Sequence[str]
    key: Keys
    step: Floats
    time_ms: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one series, ordered by (step, arrival): three columns of equal length."""

    step: Floats
    time_ms: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.value)


EMPTY = Points(np.empty(0), np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True, slots=True)
class Buckets:
    """A series reduced for a chart: one entry per non-empty bucket, from all points, nothing sampled away.

    `x` is where the bucket's first finite-or-not point lies; `first`, `last`, `low`, `high` and `mean` are over the
    finite values of the bucket (NaN where it has none); `count` counts those, `nonfinite` the others.
    """

    x: Floats
    first: Floats
    last: Floats
    low: Floats
    high: Floats
    mean: Floats
    count: Ints
    nonfinite: Ints
