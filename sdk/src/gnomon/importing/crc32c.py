"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), and its masked form, which TensorFlow's and LevelDB's files carry."""

_POLYNOMIAL = 0x82F63B78  # reflected
_MASK_DELTA = 0xA282EAD8


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        entries.append(crc)
    return tuple(entries)


_TABLE = _table()


def crc32c(data: bytes | memoryview, start: int = 0) -> int:
    """The checksum; `start` is that of what stands before `data`."""
    table = _TABLE
    crc = start ^ 0xFFFF_FFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFF_FFFF


def masked(crc: int) -> int:
    """The checksum as it is stored: rotated right by 15 bits, plus a constant, so that CRCs of CRCs are no trouble."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFF_FFFF
