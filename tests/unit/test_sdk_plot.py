"""The terminal plot: extremes survive, NaN is marked, nothing leaves its box."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.cli.plot import CROSS, Bucket, Curve, draw

BLANK = "\u2800"


def point(x: float, y: float) -> Bucket:
    return Bucket(x=x, first=y, last=y, low=y, high=y)


def body(lines: list[str]) -> list[str]:
    """The rows of the curve, without labels and axis."""
    return [line.partition("┤")[2] for line in lines if "┤" in line]


def dots(row: str) -> int:
    return sum((ord(character) - 0x2800).bit_count() for character in row if "\u2800" <= character <= "\u28ff")


def test_a_straight_line_goes_from_corner_to_corner() -> None:
    rows = body(draw(Curve([point(0, 0), point(10, 10)]), width=40, height=6))
    assert rows[-1][0] != BLANK
    assert rows[0][-1] != BLANK
    assert rows[0][0] == rows[-1][-1] == BLANK
    assert all(dots(row) for row in rows), "the line is whole"


def test_a_spike_within_one_bucket_reaches_the_top() -> None:
    flat = [point(x, 1.0) for x in range(1000)]
    flat[500] = Bucket(x=500, first=1.0, last=1.0, low=1.0, high=100.0)
    lines = draw(Curve(flat), width=60, height=8)
    assert "100 ┤" in lines[0]
    assert dots(body(lines)[0]) >= 1


def test_values_that_are_no_number_break_the_line_and_are_marked_below_their_place() -> None:
    left = [point(x, 5.0) for x in range(40)]
    right = [point(x, 5.0) for x in range(60, 100)]
    lines = draw(Curve([*left, *right], [50.0]), width=58, height=4)
    curve_rows, marks = body(lines)[:-1], body(lines)[-1]
    middle = marks.index(CROSS)
    assert marks.count(CROSS) == 1
    assert all(row[middle] == BLANK for row in curve_rows)
    assert any(row[2] != BLANK for row in curve_rows)
    assert lines[4].strip().startswith("NaN")


def test_a_line_without_holes_is_not_broken_between_sparse_points() -> None:
    rows = body(draw(Curve([point(0, 1.0), point(100, 1.0)]), width=40, height=4))
    assert any(BLANK not in row for row in rows)


def test_all_points_the_same_still_draw() -> None:
    lines = draw(Curve([point(3, 7.0)]), width=30, height=5)
    assert sum(dots(row) for row in body(lines)) == 1


def test_only_nan_still_says_where() -> None:
    lines = draw(Curve([], [1.0, 2.0]), width=30, height=3)
    assert "".join(lines).count(CROSS) == 2


def test_no_points_are_said_to_be_none() -> None:
    assert draw(Curve([]), width=30, height=3) == ["no points yet"]


def test_a_logarithmic_axis_gives_each_decade_the_same_height() -> None:
    decades = [point(x, 10.0**x) for x in range(5)]
    lines = draw(Curve(decades), width=46, height=9, log_y=True)
    assert lines[0].split(" ┤")[0].strip() == "1e+04"
    assert lines[8].split(" ┤")[0].strip() == "1"
    assert lines[4].split(" ┤")[0].strip() == "100"


def test_a_logarithmic_axis_without_anything_above_zero_says_so() -> None:
    assert "above zero" in draw(Curve([point(0, -1.0)]), width=30, height=3, log_y=True)[0]


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    rows=st.lists(st.tuples(finite, finite, finite, finite, finite), min_size=1, max_size=40),
    holes=st.lists(finite, max_size=5),
    width=st.integers(20, 200),
    height=st.integers(2, 40),
    log_y=st.booleans(),
)
def test_whatever_the_doubles_are_the_plot_keeps_its_size(
    rows: list[tuple[float, float, float, float, float]],
    holes: list[float],
    width: int,
    height: int,
    log_y: bool,
) -> None:
    buckets = []
    for x, *values in rows:
        low, first, last, high = sorted(values)
        buckets.append(Bucket(x=x, first=first, last=last, low=low, high=high))
    lines = draw(Curve(sorted(buckets, key=lambda bucket: bucket.x), holes), width=width, height=height, log_y=log_y)
    if len(lines) == 1:
        assert log_y
        return
    assert len(body(lines)) == height + bool(holes)
    assert len({len(line) for line in lines if "┤" in line}) == 1
    assert math.isfinite(len(lines[-1]))


@pytest.mark.parametrize("x", [1e308, -1e308])
def test_a_span_wider_than_a_double_is_drawn(x: float) -> None:
    rows = body(draw(Curve([point(-1e308, -1e308), point(1e308, 1e308), point(x, 0.0)]), width=40, height=4))
    assert sum(dots(row) for row in rows) > 0
