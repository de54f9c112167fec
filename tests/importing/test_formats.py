"""The readers of others' formats, against their published examples and every kind of damage."""

import math
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnomon.importing import protobuf as pb
from gnomon.importing.crc32c import crc32c, masked
from gnomon.importing.events import EventReader, Media
from gnomon.importing.tensors import decode_tensor
from gnomon.importing.tfrecord import RecordFile
from gnomon.importing.wandb_log import NotWandb, WandbLog
from gnomon.importing.wandb_records import History, decode_record
from gnomon.importing.wandb_values import Beside, Point, nest, sort_values, strict


@pytest.mark.parametrize(
    ("data", "crc"),
    [  # RFC 3720, appendix B.4
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_crc32c_is_that_of_the_rfc(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc
    assert crc32c(data[7:], crc32c(data[:7])) == crc


def test_the_mask_is_a_rotation_and_a_constant() -> None:
    assert masked(0) == 0xA282EAD8
    assert masked(1) == 0xA282EAD8 + (1 << 17)


def test_protobuf_reads_the_examples_of_its_guide() -> None:
    assert list(pb.fields(bytes.fromhex("089601"))) == [(1, 150)]
    assert list(pb.fields(bytes.fromhex("120774657374696e67"))) == [(2, b"testing")]
    assert list(pb.varints(bytes.fromhex("038e029ea705"))) == [3, 270, 86942]
    assert [pb.zigzag(each) for each in (0, 1, 2, 3, 0xFFFFFFFE, 0xFFFFFFFF)] == [0, -1, 1, -2, 2**31 - 1, -(2**31)]
    assert pb.signed(2**64 - 2) == -2
    assert pb.double(struct.pack("<d", -0.1)) == -0.1


@pytest.mark.parametrize("hexes", ["08", "0880", "08" + "ff" * 11, "1205ab", "09ab", "0dab", "0b", "12ffffffffff01"])
def test_protobuf_refuses_what_reaches_beyond_its_end(hexes: str) -> None:
    with pytest.raises(pb.Malformed):
        list(pb.fields(bytes.fromhex(hexes)))


def frame(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked(crc32c(head))) + data + struct.pack("<I", masked(crc32c(data)))


def test_a_record_file_cut_anywhere_gives_whole_records_and_counts_the_rest(tmp_path: Path) -> None:
    records = [b"first", b"", b"third" * 9]
    whole = b"".join(map(frame, records))
    ends = [sum(len(frame(each)) for each in records[: n + 1]) for n in range(3)]
    for size in range(len(whole) + 1):
        (tmp_path / "f").write_bytes(whole[:size])
        file = RecordFile(tmp_path / "f")
        complete = sum(end <= size for end in ends)
        assert list(file) == records[:complete]
        assert file.unread == size - ([0, *ends][complete])
        assert bool(file.fault) == bool(file.unread)


def test_a_record_file_with_any_bit_flipped_never_gives_a_wrong_record(tmp_path: Path) -> None:
    records = [b"first", b"second", b"third"]
    whole = b"".join(map(frame, records))
    for bit in range(0, len(whole) * 8, 3):
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        (tmp_path / "f").write_bytes(spoilt)
        file = RecordFile(tmp_path / "f")
        found = list(file)
        assert found == records[: len(found)]
        assert len(found) < 3
        assert file.fault


def wandb_file(*records: bytes) -> bytes:
    """As wandb writes it: no fragment crosses a block of 32 KiB."""
    out = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        rest, is_first = record, True
        while is_first or rest:
            room = 32768 - len(out) % 32768
            if room < 7:
                out += bytes(room)
                continue
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = (1 if not rest else 2) if is_first else (4 if not rest else 3)
            out += struct.pack("<IHB", zlib.crc32(piece, zlib.crc32(bytes([kind]))), len(piece), kind) + piece
            is_first = False
    return bytes(out)


def test_a_wandb_log_of_any_record_sizes_is_read_whole(tmp_path: Path) -> None:
    records = [bytes([n % 256]) * size for n, size in enumerate((0, 1, 32745, 7, 70_000, 3, 32754, 32761, 100_000))]
    (tmp_path / "run-a.wandb").write_bytes(wandb_file(*records))
    log = WandbLog(tmp_path / "run-a.wandb")
    assert list(log) == records
    assert (log.unread, log.fault) == (0, "")


def test_a_wandb_log_cut_anywhere_gives_whole_records_alone(tmp_path: Path) -> None:
    records = [b"a" * 10, b"b" * 40_000, b"c" * 5]
    whole = wandb_file(*records)
    for size in [*range(7, 60), *range(32_700, 32_800), *range(len(whole) - 40, len(whole) + 1)]:
        (tmp_path / "f").write_bytes(whole[:size])
        log = WandbLog(tmp_path / "f")
        found = list(log)
        assert found == records[: len(found)]
        assert bool(log.unread) == bool(log.fault)


def test_a_wandb_log_goes_on_with_the_block_behind_a_broken_one(tmp_path: Path) -> None:
    spoilt = bytearray(wandb_file(b"a" * 100, b"b" * 40_000, b"c" * 40_000, b"d" * 10))
    spoilt[50] ^= 1
    (tmp_path / "f").write_bytes(spoilt)
    log = WandbLog(tmp_path / "f")
    assert list(log) == [b"c" * 40_000, b"d" * 10]
    assert log.unread > 0


def test_what_is_no_wandb_log_is_refused(tmp_path: Path) -> None:
    for data in (b"", b":W&B", b"something else", b":W&B\xe1\xbe\x01"):
        (tmp_path / "f").write_bytes(data)
        with pytest.raises(NotWandb):
            list(WandbLog(tmp_path / "f"))


def delimited(number: int, data: bytes) -> bytes:
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


@pytest.mark.parametrize(
    ("kind", "field", "expected"),
    [
        (1, delimited(5, struct.pack("<f", 0.5)), 0.5),
        (2, delimited(6, struct.pack("<d", 0.1)), 0.1),
        (1, delimited(4, struct.pack("<f", -2)), -2),
        (3, b"\x38\x07", 7),
        (9, b"\x50" + b"\xff" * 9 + b"\x01", -1),
        (10, b"\x58\x01", 1),
        (19, b"\x68\x80\x70", 0.5),  # the bits 0x3800 of a half
        (14, delimited(4, b"\x40\x3f"), 0.75),  # the upper half of a float
        (23, b"\x8a\x01\x0a" + b"\xff" * 9 + b"\x01", float(2**64 - 1)),
    ],
)
def test_a_scalar_of_any_type_is_its_number(kind: int, field: bytes, expected: float) -> None:
    tensor = decode_tensor(bytes([0x08, kind]) + delimited(2, b"") + field)
    assert tensor.numbers == [expected]


def test_a_tensor_whose_elements_repeat_is_filled_up_and_a_huge_one_refused() -> None:
    shape = delimited(2, delimited(2, b"\x08\x04"))
    assert decode_tensor(b"\x08\x01" + shape + delimited(5, struct.pack("<ff", 1, 2))).numbers == [1, 2, 2, 2]
    huge = delimited(2, delimited(2, b"\x08\xff\xff\xff\xff\x0f"))
    with pytest.raises(pb.Malformed):
        decode_tensor(b"\x08\x01" + huge + delimited(5, struct.pack("<f", 1)))


def test_values_of_wandb_are_sorted_into_numbers_and_the_rest() -> None:
    values = nest([(("a", "b"), 1), (("a", "c"), True), (("_step",), 3), (("big",), 2**53 + 1), (("s",), "x")])
    assert list(sort_values(values)) == [
        Point("a/b", 1.0),
        Point("a/c", 1.0),
        Point("big", 2.0**53, is_rounded=True),
        Beside("s", "", "x"),
    ]
    deep: dict[str, object] = {}
    for _ in range(900):
        deep = {"d": deep or 1}
    (found,) = sort_values(deep)  # type: ignore[arg-type]  # built a level at a time
    assert isinstance(found, Beside)
    assert list(sort_values({"huge": 10**400})) == [Point("huge", math.inf, is_rounded=True)]
    assert strict({"a": [math.nan, -math.inf, 1.5]}) == {"a": ["NaN", "-Infinity", 1.5]}


DATA = Path(__file__).parent / "data"


def spoilt(records: list[bytes], *, rounds: int) -> Iterator[bytes]:
    """Records with bytes changed, cut out, doubled, or made into the numbers that break arithmetic."""
    rng = random.Random(7)
    odd = [struct.pack("<d", value) for value in (math.nan, math.inf, -math.inf, 1e308, -0.0)] + [b"\xff" * 9 + b"\x01"]
    for _ in range(rounds):
        record = bytearray(rng.choice(records))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(record) + 1)
            kind = rng.randrange(4)
            if kind == 0 and at < len(record):
                record[at] = rng.randrange(256)
            elif kind == 1:
                del record[at : at + rng.randint(1, 9)]
            elif kind == 2:
                record[at:at] = record[at : at + 9]
            else:
                record[at : at + 8] = rng.choice(odd)
        yield bytes(record)


def test_a_spoilt_event_is_read_or_refused_and_nothing_else() -> None:
    records = [*RecordFile(next(DATA.glob("tensorboard/tensors/*tfevents*")))]
    refused = 0
    for record in spoilt(records, rounds=6_000):
        try:
            event = EventReader().read(record)
        except pb.Malformed:
            refused += 1
        else:
            assert all(isinstance(item.data, bytes) for item in event.items if isinstance(item, Media))
    assert 1_000 < refused < 6_000


def test_a_spoilt_wandb_record_is_read_or_refused_and_nothing_else() -> None:
    records = [*WandbLog(next(DATA.glob("wandb/*/*.wandb")))]
    refused = 0
    for record in spoilt(records, rounds=6_000):
        try:
            said = decode_record(record)
        except pb.Malformed:
            refused += 1
            continue
        if isinstance(said, History):
            assert list(sort_values(nest(said.items))) is not None
    assert 1_000 < refused < 6_000
