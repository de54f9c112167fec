"""The reduction against a naive reading of its definition, point by point."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon_server.model.points import EMPTY, Buckets, Points
from gnomon_server.store.points import chunks, codec, downsample

values = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf, 0.0]))
places = st.one_of(st.integers(-20, 20).map(float), st.floats(-20, 20))


@st.composite
def series(draw: st.DrawFn) -> Points:
    rows = draw(st.lists(st.tuples(places, st.integers(0, 40), values), max_size=80))
    rows.sort(key=lambda row: row[0])
    step, time_ms, value = zip(*rows, strict=True) if rows else ((), (), ())
    return Points(np.array(step, float), np.array(time_ms, np.int64), np.array(value, float))


@st.composite
def grids(draw: st.DrawFn) -> downsample.Grid:
    lo, hi = sorted((draw(places), draw(places)))
    return downsample.Grid(lo, hi, draw(st.integers(1, 40)))


def naive(x: np.ndarray, points: Points, grid: downsample.Grid) -> dict[int, list[tuple[float, float]]]:
    """bucket -> (x, value) in order, by the definition."""
    buckets: dict[int, list[tuple[float, float]]] = {}
    for place, value in zip(x.tolist(), points.value.tolist(), strict=True):
        if not grid.lo <= place <= grid.hi:
            continue
        bucket = 0
        if grid.hi > grid.lo:
            bucket = min(math.floor((place - grid.lo) / (grid.hi - grid.lo) * grid.buckets), grid.buckets - 1)
        buckets.setdefault(bucket, []).append((place, value))
    return dict(sorted(buckets.items()))


def assert_is(got: Buckets, want: dict[int, list[tuple[float, float]]]) -> None:
    finite = [[value for _, value in rows if math.isfinite(value)] for rows in want.values()]
    nan = [math.nan]
    np.testing.assert_array_equal(got.x, [min(place for place, _ in rows) for rows in want.values()])
    np.testing.assert_array_equal(got.first, [(each or nan)[0] for each in finite])
    np.testing.assert_array_equal(got.last, [(each or nan)[-1] for each in finite])
    np.testing.assert_array_equal(got.low, [min(each or nan) for each in finite])
    np.testing.assert_array_equal(got.high, [max(each or nan) for each in finite])
    np.testing.assert_array_equal(got.count, [len(each) for each in finite])
    np.testing.assert_array_equal(
        got.nonfinite, [len(rows) - len(each) for rows, each in zip(want.values(), finite, strict=True)]
    )
    means = [math.fsum(each) / len(each) if each else math.nan for each in finite]
    np.testing.assert_allclose(got.mean, means, rtol=1e-9, atol=1e-6)


@settings(max_examples=300)
@given(series(), grids(), st.sampled_from(["step", "time", "any"]), st.randoms())
def test_reducing_follows_the_definition(points: Points, grid: downsample.Grid, kind: str, random) -> None:
    x = {"step": points.step, "time": points.time_ms.astype(float)}.get(kind)
    if x is None:
        x = np.array([random.choice([math.nan, math.inf, random.uniform(-25, 25)]) for _ in range(len(points))])
    assert_is(downsample.reduce(x, points, grid.lo, grid.hi, grid.buckets), naive(x, points, grid))


@settings(max_examples=200)
@given(series(), grids(), st.sampled_from([downsample.STEP, downsample.TIME, downsample.relative_to(7)]), st.data())
def test_cutting_a_series_into_chunks_changes_nothing(
    points: Points, grid: downsample.Grid, axis: downsample.Axis, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(points)), max_size=5)))
    parts = []
    for start, end in zip([0, *cuts], [*cuts, len(points)], strict=True):
        piece = Points(points.step[start:end], points.time_ms[start:end], points.value[start:end])
        for chunk in chunks.build(1, 1, 1, piece, codec.Encoder()):
            part = downsample.from_statistics(chunk.stats, axis, grid)
            if part is None:
                encoded = codec.EncodedChunk(chunk.codec, chunk.stats.n, chunk.data)
                part = downsample.from_chunk(encoded, axis, grid)
            parts.append(part)
    assert_is(downsample.finish(downsample.merge(parts)), naive(axis.of(points), points, grid))


def test_a_chunk_in_one_bucket_needs_no_decoding() -> None:
    points = Points(np.arange(10.0), np.arange(10), np.arange(10.0))
    (chunk,) = chunks.build(1, 1, 1, points, codec.Encoder())
    grid = downsample.Grid(0, 100, 10)
    assert downsample.from_statistics(chunk.stats, downsample.STEP, grid) is not None
    assert downsample.from_statistics(chunk.stats, downsample.STEP, downsample.Grid(0, 100, 20)) is None


def test_buckets_are_half_open_and_the_last_is_closed() -> None:
    x = np.array([0.0, 0.999, 1.0, 1.999, 2.0])
    points = Points(x, np.arange(5), np.arange(5.0))
    assert downsample.reduce(x, points, 0.0, 2.0, 2).count.tolist() == [2, 3]


def test_runs_of_different_length_share_their_buckets() -> None:
    def firsts(n: int) -> list[float]:
        points = Points(np.arange(float(n)), np.arange(n), np.arange(float(n)))
        return downsample.reduce(points.step, points, 0.0, 99.0, 10).x.tolist()

    assert firsts(100)[:5] == firsts(50)


@pytest.mark.parametrize("value", [1e308, -1e308])
def test_a_mean_stays_between_low_and_high(value: float) -> None:
    points = Points(np.arange(4.0), np.arange(4), np.full(4, value))
    reduced = downsample.reduce(points.step, points, 0.0, 3.0, 1)
    assert reduced.mean.tolist() == [value]


def test_a_range_wider_than_a_double_can_say() -> None:
    x = np.array([-1.7e308, 0.0, 1.7e308])
    points = Points(x, np.arange(3), np.arange(3.0))
    assert downsample.reduce(x, points, -1.7e308, 1.7e308, 2).count.tolist() == [1, 2]


def test_no_points_make_no_buckets() -> None:
    assert len(downsample.reduce(EMPTY.step, EMPTY, 0.0, 1.0, 10).x) == 0
