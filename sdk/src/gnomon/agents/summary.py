"""A curve in words: what a person would say who looked at it, from its reduced series. Pure.

Formulas. *Trend*: the least-squares slope of the bucket means over the last third of the curve, times the width of
that third, as a share of the whole range of means; within 2 % it is `flat`. *Spike*: a bucket whose maximum or minimum
lies more than eight times the median absolute step between neighbouring means away from the mean before it, and more
than a tenth of the range; a step of which nothing is left is no spike of a noisy curve. *Plateau*: since which x the
best mean was not improved by 1 % of the range.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median

from msgspec import Struct

from gnomon.client.records import ReducedSeries

_FLAT = 0.02
_SPIKE_STEPS, _SPIKE_RANGE = 8.0, 0.1
_IMPROVED = 0.01
MAX_SPIKES = 5


class Spike(Struct, frozen=True):
    """A value far from its neighbours, and the x of its bucket."""

    x: float
    value: float


class CurveSummary(Struct, frozen=True):
    """A metric of a run in a few numbers. `x` is the step; `trend` is of the last third.

    `not_finite_from`: the step of the first NaN or infinity. `spike_count` counts all, `spikes` holds the largest.
    """

    key: str
    points: int
    not_finite: int
    not_finite_from: float | None
    first: float | None
    last: float | None
    last_x: float | None
    min: float | None
    min_x: float | None
    max: float | None
    max_x: float | None
    mean: float | None
    trend: str
    change_in_last_third: float | None
    lowest_since_x: float | None
    spike_count: int
    spikes: list[Spike]


def summarise(series: ReducedSeries, *, not_finite_from: float | None = None) -> CurveSummary:
    """The summary of a reduced series; a bucket without a finite value counts for nothing but its points."""
    low = [(value, x) for value, x in zip(series.min, series.x, strict=True) if _is_finite(value)]
    high = [(value, x) for value, x in zip(series.max, series.x, strict=True) if _is_finite(value)]
    means = [(x, value) for x, value in zip(series.x, series.mean, strict=True) if value is not None]
    weights = [n for n, value in zip(series.count, series.mean, strict=True) if value is not None]
    trend, change = _trend(means)
    spikes = _spikes(series)
    least = min(((value, x) for value, x in low if value is not None), default=(None, None))
    most = max(((value, x) for value, x in high if value is not None), default=(None, None))
    return CurveSummary(
        key=series.key,
        points=series.n,
        not_finite=series.nonfinite,
        not_finite_from=not_finite_from,
        first=series.first[0] if series.first else None,
        last=series.last[-1] if series.last else None,
        last_x=series.x[-1] if series.x else None,
        min=least[0],
        min_x=least[1],
        max=most[0],
        max_x=most[1],
        mean=sum(y * n for (_, y), n in zip(means, weights, strict=True)) / sum(weights) if weights else None,
        trend=trend,
        change_in_last_third=change,
        lowest_since_x=_lowest_since(means),
        spike_count=len(spikes),
        spikes=spikes[:MAX_SPIKES],
    )


def _trend(means: Sequence[tuple[float, float]]) -> tuple[str, float | None]:
    if len(means) < 3:
        return "unknown", None
    whole = _range([y for _, y in means])
    last = means[-max(3, len(means) // 3) :]
    middle_x, middle_y = fmean(x for x, _ in last), fmean(y for _, y in last)
    spread = sum((x - middle_x) ** 2 for x, _ in last)
    if spread == 0 or whole == 0:
        return "flat", 0.0
    slope = sum((x - middle_x) * (y - middle_y) for x, y in last) / spread
    change = slope * (last[-1][0] - last[0][0])
    if abs(change) <= _FLAT * whole:
        return "flat", change
    return ("rising" if change > 0 else "falling"), change


def _spikes(series: ReducedSeries) -> list[Spike]:
    means = [value for value in series.mean if value is not None]
    if len(means) < 8:
        return []
    step = median(abs(after - before) for before, after in pairwise(means))
    threshold = max(_SPIKE_STEPS * step, _SPIKE_RANGE * _range(means))
    found: list[tuple[float, Spike]] = []
    before: float | None = None
    for x, low, high, mean in zip(series.x, series.min, series.max, series.mean, strict=True):
        if mean is None or low is None or high is None:
            continue
        if before is not None:
            far = high if abs(high - before) >= abs(low - before) else low
            if abs(far - before) > threshold:
                found.append((abs(far - before), Spike(x, far)))
        before = mean
    return [spike for _, spike in sorted(found, key=lambda one: -one[0])]


def _lowest_since(means: Sequence[tuple[float, float]]) -> float | None:
    """The x since which the lowest mean was not undercut by 1 % of the range."""
    if not means:
        return None
    margin = _IMPROVED * _range([y for _, y in means])
    best_x, best = means[0]
    for x, y in means[1:]:
        if y < best - margin:
            best_x, best = x, y
    return best_x


def _range(values: Sequence[float]) -> float:
    return max(values) - min(values) if values else 0.0


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
