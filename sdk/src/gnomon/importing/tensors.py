"""TensorFlow's tensors as they stand in summaries: small, of numbers or of byte strings.

The message is that of tensorflow/core/framework/tensor.proto: the elements stand in `tensor_content` as one block of
little-endian bytes, or in a field of their own type, where a last element that repeats may be left out.
"""

import math
import struct

from msgspec import Struct

from gnomon.importing import protobuf as pb

# Number of the type -> how one element is packed.
_PACKED = {1: "f", 2: "d", 3: "i", 4: "B", 5: "h", 6: "b", 9: "q", 10: "?", 17: "H", 19: "e", 22: "I", 23: "Q"}
_BFLOAT16 = 14
_HALF = 19
_STRING = 7
# A scalar, a histogram or the names of some pictures are far smaller.
MAX_ELEMENTS = 1 << 20


class Tensor(Struct, frozen=True):
    """`numbers` or `texts`, as the type is; both are empty for a type that no summary has."""

    shape: list[int]
    numbers: list[float]
    texts: list[bytes]


def decode_tensor(message: bytes) -> Tensor:
    """Raises `Malformed`."""
    kind, shape, content = 0, [], b""
    listed: list[float] = []
    texts: list[bytes] = []
    for number, raw in pb.fields(message):
        if number == 1:
            kind = pb.varint(raw)
        elif number == 2:
            shape = _shape(pb.message(raw))
        elif number == 4:
            content = pb.message(raw)
        elif number == 8:
            texts.append(pb.message(raw))
        elif number in (5, 6):
            listed.extend(_floats(raw, "f" if number == 5 else "d"))
        elif number in (7, 10, 11, 13, 16, 17):
            listed.extend(_integers(raw, kind, number))
    count = math.prod(shape)
    if kind == _STRING:
        return Tensor(shape, [], texts)
    if count > MAX_ELEMENTS:
        raise pb.Malformed(f"a tensor of {count} elements is no summary")
    numbers = _unpack(content, kind) if content else listed
    if numbers and len(numbers) < count:
        numbers += [numbers[-1]] * (count - len(numbers))
    return Tensor(shape, numbers, [])


def _shape(message: bytes) -> list[int]:
    sizes = []
    for number, raw in pb.fields(message):
        if number == 2:
            sizes.append(next((pb.varint(size) for n, size in pb.fields(pb.message(raw)) if n == 1), 0))
    return sizes


def _floats(raw: pb.Raw, letter: str) -> tuple[float, ...]:
    data = pb.message(raw)
    size = struct.calcsize(letter)
    if len(data) % size:
        raise pb.Malformed(f"numbers of {size} bytes do not fill {len(data)} bytes")
    return struct.unpack(f"<{len(data) // size}{letter}", data)


def _integers(raw: pb.Raw, kind: int, field: int) -> list[float]:
    whole = [*pb.varints(raw)]
    if field == 13:  # 16-bit floats, as the integers of their bits
        return [_of_half_bits(bits & 0xFFFF, kind) for bits in whole]
    return [float(value if field in (16, 17) else pb.signed(value)) for value in whole]


def _unpack(content: bytes, kind: int) -> list[float]:
    letter = "H" if kind == _BFLOAT16 else _PACKED.get(kind)
    if letter is None:
        return []
    size = struct.calcsize(letter)
    if len(content) % size:
        raise pb.Malformed(f"elements of {size} bytes do not fill {len(content)} bytes")
    found = struct.unpack(f"<{len(content) // size}{letter}", content)
    return [_of_half_bits(bits, kind) for bits in found] if kind == _BFLOAT16 else [float(each) for each in found]


def _of_half_bits(bits: int, kind: int) -> float:
    data = struct.pack("<I", bits << 16) if kind == _BFLOAT16 else struct.pack("<H", bits)
    value: float = struct.unpack("<f" if kind == _BFLOAT16 else "<e", data)[0]
    return value
