"""Segments: raw columns out and in, and bytes that are no segment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gnomon_server.store.points import segments
from gnomon_server.store.points.codec import DamagedPoints

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


@given(st.binary(max_size=200))
def test_bytes_that_are_no_segment_are_refused(data: bytes) -> None:
    try:
        segment = segments.decode(data)
    except DamagedPoints:
        return
    assert len(data) == 8 + 28 * len(segment.value)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"\2" + data[1:]])
def test_a_segment_of_the_wrong_length_or_version_is_refused(change) -> None:
    data = segments.encode(np.array([1], np.uint32), np.array([0.0]), np.array([1]), np.array([0.5]), identified=True)
    with pytest.raises(DamagedPoints):
        segments.decode(change(data))
