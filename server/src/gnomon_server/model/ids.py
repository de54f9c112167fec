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
# Random bytes are fetched a page at a time: a call for eight gives up the interpreter lock, and on a busy server waits
# longer for it than anything else a request does.
_POOL_BYTES = 4096
_lock = threading.Lock()
_last_ms_and_count = (0, 0)
_pool = b""
_pool_at = 0


def new_uid() -> str:
    """A UUIDv7 as 32 hex digits; ids made by one process sort in the order they were made.

    The 12 bits of `rand_a` count within a millisecond (RFC 9562, 6.2, method 1), the 62 of `rand_b` are random.
    """
    global _last_ms_and_count, _pool, _pool_at
    with _lock:
        if _pool_at >= len(_pool):
            _pool, _pool_at = os.urandom(_POOL_BYTES), 0
        random_bytes = _pool[_pool_at : _pool_at + 8]
        _pool_at += 8
        now_ms = time.time_ns() // 1_000_000
        last_ms, count = _last_ms_and_count
        if now_ms > last_ms:
            last_ms, count = now_ms, 0
        elif count < 0xFFF:
            count += 1
        else:
            last_ms, count = last_ms + 1, 0
        _last_ms_and_count = (last_ms, count)
    rand_b = int.from_bytes(random_bytes, "big") & 0x3FFF_FFFF_FFFF_FFFF
    return f"{(last_ms << 80) | (0x7 << 76) | (count << 64) | (0b10 << 62) | rand_b:032x}"


def is_uid(text: str) -> bool:
    """Whether the text could be an id of ours at all; what could not is simply not found."""
    return _UID.fullmatch(text) is not None


def _forget_pool() -> None:
    """A forked child must not hand out the bytes that its parent will hand out."""
    global _pool, _pool_at
    _pool, _pool_at = b"", 0


os.register_at_fork(after_in_child=_forget_pool)
