"""The chunk codec: every double comes back bit for bit, and damaged bytes are an error of ours, never a crash."""

import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gnomon_server.model.points import Points
from gnomon_server.store.points import codec

PACKERS = (codec.RAW, codec.ZLIB, codec.ZSTD)

any_bits = st.integers(0, 2**64 - 1)
decimals = st.builds(lambda digits, power: digits / 10.0**power, st.integers(-(10**7), 10**7), st.integers(0, 6))
singles = st.floats(width=32)
specials = st.sampled_from([0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7976931348623157e308])


@st.composite
def columns(draw: st.DrawFn) -> Points:
    n = draw(st.integers(1, 60))
    kind = draw(st.sampled_from([decimals, singles, specials, st.floats(), st.one_of(decimals, specials), None]))
    if kind is None:
        value = draw(hnp.arrays(np.uint64, n, elements=any_bits)).view(np.float64)  # payloads of NaN too
    else:
        value = np.array(draw(st.lists(kind, min_size=n, max_size=n)))
    step = np.array(draw(st.lists(st.one_of(decimals, st.integers(0, 2**53).map(float)), min_size=n, max_size=n)))
    time_ms = draw(hnp.arrays(np.int64, n, elements=st.integers(-(2**63), 2**63 - 1)))
    return Points(np.sort(step), time_ms, value)


def assert_same(got: Points, want: Points) -> None:
    for name in ("step", "time_ms", "value"):
        a, b = getattr(got, name), getattr(want, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.view(np.uint64), b.view(np.uint64))


@given(columns(), st.sampled_from(PACKERS))
def test_points_come_back_bit_for_bit(points: Points, packer: codec.Packer) -> None:
    code, data = codec.Encoder(packer).encode(points)
    assert_same(codec.decode(code, len(points), data), points)
    value_alone = codec.EncodedChunk(code, len(points), data).value()
    assert value_alone.tobytes() == points.value.tobytes()


def _series(n: int, value: np.ndarray) -> Points:
    random = np.random.default_rng(1)
    time_ms = 1_790_000_000_000 + np.cumsum(random.integers(80, 140, n))
    return Points(np.arange(n, dtype=np.float64) * 10, time_ms, value)


@pytest.mark.parametrize(
    ("shape", "most_bytes"),
    [
        (lambda x: x.astype(np.float32).astype(np.float64), 4.1),
        (lambda x: np.round(x, 4), 2.4),
        (lambda x: np.floor(x * 400) / 1000, 1.8),
        (lambda x: np.repeat(x[::64], 64), 2.0),
        (lambda x: x, 7.7),  # 52 random bits in every mantissa: nothing can make that smaller
    ],
    ids=["float32", "four_decimals", "accuracy", "learning_rate", "float64_noise"],
)
def test_a_settled_point_takes_few_bytes(shape, most_bytes: float) -> None:
    n = 16_384
    noisy = 2 * np.exp(-np.arange(n) / n * 3) + 0.05 * np.random.default_rng(2).standard_normal(n)
    points = _series(n, shape(noisy))
    code, data = codec.Encoder().encode(points)
    assert_same(codec.decode(code, n, data), points)
    assert len(data) / n < most_bytes


def test_steps_with_decimals_are_exact_and_small() -> None:
    step = np.arange(5_000) / 4
    points = Points(step, np.arange(5_000), np.zeros(5_000))
    code, data = codec.Encoder().encode(points)
    assert_same(codec.decode(code, 5_000, data), points)
    assert len(data) < 150


@given(columns(), st.sampled_from(PACKERS), st.data())
def test_any_changed_byte_is_noticed(points: Points, packer: codec.Packer, data: st.DataObject) -> None:
    code, good = codec.Encoder(packer).encode(points)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(codec.DamagedPoints):
        codec.decode(code, len(points), bytes(bad))


@given(columns(), st.integers(0, 1 << 33), st.integers(0, 1 << 20))
def test_a_wrong_count_or_codec_never_crashes(points: Points, code: int, n: int) -> None:
    good_code, data = codec.Encoder().encode(points)
    for attempt in ((code, len(points)), (good_code, n)):
        try:
            decoded = codec.decode(*attempt, data)
        except codec.DamagedPoints:
            continue
        assert len(decoded) == attempt[1]


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from(PACKERS), st.integers(1, 40))
def test_hostile_bytes_with_a_right_checksum_never_crash(body: bytes, packer: codec.Packer, n: int) -> None:
    lengths = struct.pack("<III", len(body) // 3, len(body) // 3, len(body) - 2 * (len(body) // 3))
    data = lengths + body
    data += struct.pack("<I", zlib.crc32(data))
    chunk = codec.EncodedChunk(1 | packer << 8, n, data)
    for read in (chunk.step, chunk.time_ms, chunk.value):
        with suppress(codec.DamagedPoints):
            assert len(read()) == n


@given(columns(), st.sampled_from(PACKERS), st.data())
def test_a_changed_byte_under_a_right_checksum_never_crashes(
    points: Points, packer: codec.Packer, data: st.DataObject
) -> None:
    code, good = codec.Encoder(packer).encode(points)
    bad = bytearray(good[:-4])
    bad[data.draw(st.integers(0, len(bad) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        decoded = codec.decode(code, len(points), bytes(bad) + struct.pack("<I", zlib.crc32(bad)))
    except codec.DamagedPoints:
        return
    assert len(decoded) == len(points)


def test_a_small_frame_that_unpacks_to_much_is_refused() -> None:
    n = 1_000
    points = Points(np.arange(n, dtype=np.float64), np.arange(n), np.random.default_rng(3).integers(0, 9, n) / 7)
    for packer in (codec.ZLIB, codec.ZSTD):
        code, data = codec.Encoder(packer).encode(points)
        with pytest.raises(codec.DamagedPoints):
            codec.decode(code, n - 1, data)


def test_the_bytes_of_version_1_do_not_change() -> None:
    points = Points(np.array([0.0, 0.5, 1.0]), np.array([1_000, 1_010, 1_025]), np.array([0.25, -0.0, np.inf]))
    steps = bytes.fromhex("0101010000000000000000000500000000000000")
    times = bytes.fromhex("0101e8030000000000000a00000000000000010005")
    values = bytes.fromhex("00" + "0000" * 6 + "01d000f0" + "013f807f")
    body = struct.pack("<III", len(steps), len(times), len(values)) + steps + times + values
    assert codec.Encoder(codec.RAW).encode(points) == (1, body + struct.pack("<I", zlib.crc32(body)))
