"""A curve in words: what is said of curves whose shape is known."""

import math

import pytest

from gnomon.agents.summary import summarise
from gnomon.client.records import ReducedSeries

POINTS = 400
NAN = math.nan


def curve(values: list[float], *, width: int = 4) -> ReducedSeries:
    """The values reduced to buckets of `width` points, as the server does it."""
    buckets = [values[at : at + width] for at in range(0, len(values), width)]
    finite = [[value for value in bucket if math.isfinite(value)] for bucket in buckets]
    return ReducedSeries(
        run_id="r",
        key="loss",
        n=len(values),
        nonfinite=sum(not math.isfinite(value) for value in values),
        x=[float(width * index) for index in range(len(buckets))],
        first=[bucket[0] for bucket in finite if True],
        last=[bucket[-1] for bucket in finite if True],
        min=[min(bucket) for bucket in finite],
        max=[max(bucket) for bucket in finite],
        mean=[math.fsum(bucket) / len(bucket) for bucket in finite],
        count=[len(bucket) for bucket in buckets],
    )


def noisy(step: int) -> float:
    return 0.01 * math.sin(17 * step)


@pytest.mark.parametrize(
    ("shape", "trend"),
    [
        (lambda step: 1 - step / POINTS, "falling"),
        (lambda step: step / POINTS, "rising"),
        (lambda step: 1 / (1 + step), "flat"),
        (lambda step: 0.5, "flat"),
        (lambda step: min(step, POINTS / 2) / POINTS + noisy(step), "flat"),
        (lambda step: abs(step - POINTS / 2) / POINTS + noisy(step), "rising"),
    ],
)
def test_the_trend_is_that_of_the_last_third(shape, trend: str) -> None:  # type: ignore[no-untyped-def]
    assert summarise(curve([shape(step) for step in range(POINTS)])).trend == trend


def test_extremes_are_exact_and_said_where() -> None:
    values = [1 - step / POINTS + noisy(step) for step in range(POINTS)]
    values[200], values[100] = -3.0, 9.0
    said = summarise(curve(values))
    assert (said.min, said.min_x, said.max, said.max_x) == (-3.0, 200.0, 9.0, 100.0)
    assert (said.first, said.last, said.points) == (values[0], values[-1], POINTS)
    assert said.mean == pytest.approx(sum(values) / POINTS)


def test_spikes_are_found_and_noise_is_none() -> None:
    calm = [1 - step / POINTS + noisy(step) for step in range(POINTS)]
    assert summarise(curve(calm)).spike_count == 0
    loud = list(calm)
    for step, value in ((80, 5.0), (160, 4.0), (240, -6.0)):
        loud[step] = value
    said = summarise(curve(loud))
    assert [spike.value for spike in said.spikes[:3]] == [-6.0, 5.0, 4.0]
    assert {spike.x for spike in said.spikes[:3]} == {80.0, 160.0, 240.0}


def test_a_curve_that_stopped_improving_says_since_when() -> None:
    said = summarise(curve([max(1 - step / 100, 0.2) for step in range(POINTS)]))
    assert said.lowest_since_x is not None
    assert 70 <= said.lowest_since_x <= 84


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_few_points_make_no_trend(values: list[float]) -> None:
    said = summarise(curve(values))
    assert (said.trend, said.points, said.spikes) == ("unknown", len(values), [])
