"""Segments: raw columns out and in, and bytes that are no segment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gnomon_server.model.points import PointBatch
from gnomon_server.store.points import grids, segments
from gnomon_server.store.points.codec import DamagedPoints
from gnomon_server.store.points.grids import Grid

any_bits = st.integers(0, 2**64 - 1)


@given(st.integers(0, 50).flatmap(lambda n: hnp.arrays(np.uint64, (4, n), elements=any_bits)), st.booleans())
def test_a_segment_comes_back_bit_for_bit(columns: np.ndarray, identified: bool) -> None:
    key, step, time_ms, value = (
        (columns[0] >> np.uint64(32)).astype(np.uint32),
        columns[1].view(np.float64),
        columns[2].view(np.int64),
        columns[3].view(np.float64),
    )
    segment = segments.decode(segments.encode(key, step, time_ms, value, identified=identified))
    assert segment.identified is identified
    for got, want in zip(segment[:4], (key, step, time_ms, value), strict=True):
        assert got.dtype == want.dtype
        assert got.tobytes() == want.tobytes()


@given(st.integers(1, 9), st.integers(1, 6), st.data(), st.booleans())
def test_a_grid_comes_back_bit_for_bit_and_as_the_same_points(
    rows: int, width: int, data: st.DataObject, identified: bool
) -> None:
    def column(n: int) -> np.ndarray:
        return data.draw(hnp.arrays(np.uint64, n, elements=any_bits))

    key = data.draw(hnp.arrays(np.uint32, width))
    value = column(rows * width).view(np.float64).reshape(rows, width)
    grid = Grid(key, column(rows).view(np.float64), column(rows).view(np.int64), value)
    stored = segments.encode_grid(grid, identified=identified)
    found = segments.decode_grid(stored)
    assert found is not None
    assert found.identified is identified
    for got, want in zip(found.grid, grid, strict=True):
        assert (got.dtype, got.shape, got.tobytes()) == (want.dtype, want.shape, want.tobytes())
    segment = segments.decode(stored)
    assert segment.key.tolist() == key.tolist() * rows
    assert segment.step.tobytes() == grid.step.repeat(width).tobytes()
    assert segment.time_ms.tobytes() == grid.time_ms.repeat(width).tobytes()
    assert segment.value.tobytes() == value.tobytes()


def _points(key: list[int], step: list[float], time_ms: list[int]) -> PointBatch:
    columns = (np.array(key, np.uint32), np.array(step), np.array(time_ms, np.int64))
    return PointBatch(["a", "b", "c"], *columns, np.arange(len(key)) + 0.5)


@pytest.mark.parametrize(
    ("key", "step", "time_ms", "ids"),
    [
        pytest.param([0, 1, 0, 1, 1], [0, 0, 1, 1, 1], [5, 5, 6, 6, 6], [7, 8], id="a point too many"),
        pytest.param([0, 1, 1, 0], [0, 0, 1, 1], [5, 5, 6, 6], [7, 8], id="metrics in another order"),
        pytest.param([0, 1, 0, 1], [0, 0, 1, 2], [5, 5, 6, 6], [7, 8], id="two steps in a row"),
        pytest.param([0, 1, 0, 1], [0.0, -0.0, 1, 1], [5, 5, 6, 6], [7, 8], id="zeroes of two signs"),
        pytest.param([0, 1, 0, 1], [0, 0, 1, 1], [5, 5, 6, 7], [7, 8], id="two times in a row"),
        pytest.param([0, 1, 0, 1], [0, 0, 1, 1], [5, 5, 6, 6], [7, 7], id="one name twice"),
        pytest.param([0, 1, 2, 0], [0, 0, 0, 0], [5, 5, 5, 5], [7, 8, 9], id="the first again at the end"),
    ],
)
def test_what_only_looks_like_a_grid_is_none(
    key: list[int], step: list[float], time_ms: list[int], ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grids, "_FEW_POINTS", 1)
    assert grids.as_grid(_points(key, step, time_ms), ids) is None


@pytest.mark.parametrize(
    ("key", "rows", "names"),
    [([0, 1, 0, 1], 2, [7, 8]), ([1, 0, 2], 1, [8, 7, 9]), ([2, 2, 2], 3, [9])],
    ids=["two by two", "a row", "a column"],
)
def test_a_grid_is_known_by_its_rows(
    key: list[int], rows: int, names: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grids, "_FEW_POINTS", 1)
    width = len(key) // rows
    points = _points(key, [float(at // width) for at in range(len(key))], [at // width for at in range(len(key))])
    grid = grids.as_grid(points, [7, 8, 9])
    assert grid is not None
    assert grid.key.tolist() == names
    assert grid.value.tolist() == points.value.reshape(rows, width).tolist()
    assert (grid.step.tolist(), grid.time_ms.tolist()) == ([float(at) for at in range(rows)], list(range(rows)))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_segment_are_refused(data: bytes) -> None:
    try:
        segment = segments.decode(data)
    except DamagedPoints:
        return
    assert len(data) == 8 + 28 * len(segment.value) or data[0] == 2


def test_a_grid_of_the_wrong_size_is_refused() -> None:
    grid = Grid(np.array([1, 2], np.uint32), np.arange(3.0), np.arange(3), np.zeros((3, 2)))
    stored = segments.encode_grid(grid, identified=False)
    width, n = slice(8, 12), slice(4, 8)
    for at, number in ((width, 0), (width, 3), (width, 4), (width, 7), (n, 5), (n, 8), (slice(12, 16), 1)):
        damaged = bytearray(stored)
        damaged[at] = number.to_bytes(4, "little")
        with pytest.raises(DamagedPoints):
            segments.decode(bytes(damaged))
    for damaged in (stored[:-1], stored + b"\0", stored[:12], stored[:3]):
        with pytest.raises(DamagedPoints):
            segments.decode(bytes(damaged))


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"\2" + data[1:]])
def test_a_segment_of_the_wrong_length_or_version_is_refused(change) -> None:
    data = segments.encode(np.array([1], np.uint32), np.array([0.0]), np.array([1]), np.array([0.5]), identified=True)
    with pytest.raises(DamagedPoints):
        segments.decode(change(data))
