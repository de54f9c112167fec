"""A curve in a terminal: braille characters, two dots wide and four high.

Nothing is sampled away: each column of dots spans the least and the greatest value of all points that fall on it, so
a spike of one point among a million is seen. Values that are no number break the line and stand as crosses on a row of
their own.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# The bit of each dot in U+2800, by row and column within the character.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800
CROSS = "✕"
NAN = "NaN"
# The power of ten that is still a double, to the digits that a label shows.
LARGEST_POWER = 308.2547


@dataclass(frozen=True)
class Bucket:
    """Some neighbouring points: where they are, how they begin and end, and their extremes."""

    x: float
    first: float
    last: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """What to draw: buckets in order of x, and where values are no number."""

    buckets: Sequence[Bucket]
    nonfinite_x: Sequence[float] = ()


def draw(
    curve: Curve, *, width: int, height: int, log_y: bool = False, x_label: Callable[[float], str] = "{:.4g}".format
) -> list[str]:
    """The lines of the plot, `width` characters wide; `height` counts the rows of the curve itself."""
    buckets = [_logarithmic(bucket) for bucket in curve.buckets if bucket.low > 0] if log_y else [*curve.buckets]
    xs = [bucket.x for bucket in buckets] + [*curve.nonfinite_x]
    if not xs:
        return ["no point above zero to draw on a logarithmic axis" if curve.buckets else "no points yet"]
    low, high = _span([b.low for b in buckets], [b.high for b in buckets])
    labels = _labels(low, high, height, log_y)
    margin = max(len(label) for label in [*labels, NAN])
    plot = _Dots(columns=max(1, width - margin - 2), rows=height, x=(min(xs), max(xs)), y=(low, high))
    plot.trace(buckets, broken_at=sorted(curve.nonfinite_x))
    lines = [f"{label:>{margin}} ┤{row}" for label, row in zip(labels, plot.lines(), strict=True)]
    if curve.nonfinite_x:
        lines.append(f"{NAN:>{margin}} ┤{plot.crosses(curve.nonfinite_x)}")
    lines.append(f"{'':>{margin}} └{'─' * plot.columns}")
    left, right = x_label(min(xs)), x_label(max(xs))
    lines.append(f"{'':>{margin}}  {left}{right:>{max(1, plot.columns - len(left))}}")
    return lines


class _Dots:
    """The grid of dots, and where a value falls on it."""

    def __init__(self, *, columns: int, rows: int, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.columns = columns
        self._rows = rows
        self._x = x
        self._y = y
        self._bits = [[0] * columns for _ in range(rows)]

    def trace(self, buckets: Sequence[Bucket], *, broken_at: Sequence[float]) -> None:
        gaps = iter([*broken_at, math.inf])
        gap = next(gaps)
        previous: Bucket | None = None
        for bucket in buckets:
            column = self._column(bucket.x)
            self._vertical(column, bucket.low, bucket.high)
            broken = False
            while gap < bucket.x:
                broken = broken or previous is None or gap >= previous.x
                gap = next(gaps)
            if previous is not None and not broken:
                self._join(previous, bucket)
            previous = bucket

    def lines(self) -> list[str]:
        return ["".join(chr(_BRAILLE + bits) for bits in row) for row in self._bits]

    def crosses(self, xs: Sequence[float]) -> str:
        marked = {self._column(x) // 2 for x in xs}
        return "".join(CROSS if column in marked else " " for column in range(self.columns))

    def _join(self, left: Bucket, right: Bucket) -> None:
        """A straight line from the last value of one to the first of the next, through the columns between."""
        start, end = self._column(left.x), self._column(right.x)
        if end <= start + 1:
            # Neighbouring columns: half of the way up each.
            middle = left.last / 2 + right.first / 2
            self._vertical(start, *sorted((left.last, middle)))
            self._vertical(end, *sorted((middle, right.first)))
            return
        # Weighted, not "so much per column": the rise between two doubles may be no double.
        heights = [left.last * (1 - share) + right.first * share for share in _shares(end - start)]
        for column, ends in enumerate(pairwise(heights), start=start):
            self._vertical(column, *sorted(ends))

    def _vertical(self, column: int, low: float, high: float) -> None:
        for row in range(self._row(high), self._row(low) + 1):
            self._bits[row // 4][column // 2] |= _DOTS[row % 4][column % 2]

    def _column(self, x: float) -> int:
        return _place(x, self._x, 2 * self.columns)

    def _row(self, y: float) -> int:
        return 4 * self._rows - 1 - _place(y, self._y, 4 * self._rows)


def _place(value: float, span: tuple[float, float], cells: int) -> int:
    low, high = span
    if high <= low:
        return 0
    span_is_double = math.isfinite(high - low)
    share = (value - low) / (high - low) if span_is_double else (value / 2 - low / 2) / (high / 2 - low / 2)
    return min(cells - 1, max(0, int(share * cells)))


def _shares(steps: int) -> list[float]:
    return [step / steps for step in range(steps + 1)]


def _span(lows: Sequence[float], highs: Sequence[float]) -> tuple[float, float]:
    if not lows:
        return 0.0, 1.0
    low, high = min(lows), max(highs)
    if low < high:
        return low, high
    pad = abs(low) * 0.05 or 1.0
    return low - pad, high + pad


def _labels(low: float, high: float, height: int, log_y: bool) -> list[str]:
    """A label at the top, the bottom and every fourth row between; empty elsewhere."""
    labels = []
    for row in range(height):
        share = 1 - row / max(1, height - 1)
        value = low * (1 - share) + high * share
        labelled = row in (0, height - 1) or (row % 4 == 0 and height - 1 - row >= 3)
        labels.append(_short(10 ** min(value, LARGEST_POWER) if log_y else value) if labelled else "")
    return labels


def _logarithmic(bucket: Bucket) -> Bucket:
    return Bucket(
        x=bucket.x,
        first=math.log10(bucket.first),
        last=math.log10(bucket.last),
        low=math.log10(bucket.low),
        high=math.log10(bucket.high),
    )


def _short(value: float) -> str:
    return f"{value:.4g}"
