"""Ids: 32 lower-case hex digits of a UUIDv7 (RFC 9562, 5.7).

Time-ordered, so new rows land together in an index; 74 random bits, so nobody guesses one; valid as an MLflow run
id, so no mapping table exists. `RowId` is the store's own integer: it never leaves the server.
"""

import os
import re
import threading
import time
from typing import NewType

ExperimentUid = NewType("ExperimentUid", str)
RunUid = NewType("RunUid", str)
TenantId = NewType("TenantId", int)
RowId = NewType("RowId", int)
KeyId = NewType("KeyId", int)

_UID = re.compile(r"[0-9a-f]{32}")
_lock = threading.Lock()
_last_ms_and_count = (0, 0)


def new_uid() -> str:
    """A UUIDv7 as 32 hex digits; ids made by one process sort in the order they were made.

    The 12 bits of `rand_a` count within a millisecond (RFC 9562, 6.2, method 1), the 62 of `rand_b` are random.
    """
    global _last_ms_and_count
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        last_ms, count = _last_ms_and_count
        if now_ms > last_ms:
            last_ms, count = now_ms, 0
        elif count < 0xFFF:
            count += 1
        else:
            last_ms, count = last_ms + 1, 0
        _last_ms_and_count = (last_ms, count)
    rand_b = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return f"{(last_ms << 80) | (0x7 << 76) | (count << 64) | (0b10 << 62) | rand_b:032x}"


def is_uid(text: str) -> bool:
    """Whether the text could be an id of ours at all; what could not is simply not found."""
    return _UID.fullmatch(text) is not None
