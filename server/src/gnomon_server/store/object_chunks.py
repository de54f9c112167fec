"""Chunks of points in an object store, and a bounded copy on this machine's disk of those that were read last.

    <prefix>/chunks/<tenant id>/<uuid>                 chunks, one after the other
    <cache>/<sha256 of object and place>               CRC-32 (4 bytes, little-endian), then the bytes of one chunk

Objects are written once. A file of the cache whose check does not hold is fetched anew; the cache may be removed at any
time, also under a running server. It is not synced: what a power cut spoils, the check finds.
"""

import hashlib
import logging
import os
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from uuid import uuid4

import obstore

from gnomon_server.model.errors import Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store.directories import make_durable
from gnomon_server.store.moved_chunks import Piece
from gnomon_server.store.object_store import ATTACHMENT, Ownership, RemoteStore, failing_as_unavailable

log = logging.getLogger("gnomon.objects")

_CHUNKS = "chunks"
# Whoever writes an object names it in a row within a minute, so one that is older and has no row is nobody's.
STRAY_MS = 24 * 3_600_000
_CRC_BYTES = 4
# When the cache is full so much of it goes, oldest use first: the folder is listed once for many reads.
_KEPT_SHARE = 0.8


class ObjectChunks:
    """The chunks below one URL. Its methods may be called from any thread, by many processes."""

    def __init__(self, store: RemoteStore, cache: Path, owned: Ownership, *, cache_bytes: int) -> None:
        self._store = store
        self._owned = owned
        self._cache = cache
        self._cache_bytes = cache_bytes
        self._lock = Lock()
        make_durable(cache)
        self._used = 0
        self._evict()  # counts what is there

    def put(self, tenant: TenantId, data: bytes) -> str:
        """Write an object; it is durable when this returns. Its key."""
        key = f"{_CHUNKS}/{int(tenant)}/{uuid4().hex}"
        with failing_as_unavailable():
            obstore.put(self._store, key, data, attributes=ATTACHMENT)
        return key

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        """From the cache where it has them; the rest of an object by one question."""
        found = {piece: data for piece in pieces if (data := self._cached(piece)) is not None}
        missing: dict[str, list[Piece]] = defaultdict(list)
        for piece in pieces:
            if piece not in found:
                missing[piece.object].append(piece)
        for key, wanted in missing.items():
            for piece, fetched in zip(wanted, _ranges(self._store, key, wanted), strict=True):
                found[piece] = fetched
                self._keep(piece, found[piece])
        return [found[piece] for piece in pieces]

    def old(self, now_ms: int) -> Iterator[tuple[TenantId, list[str]]]:
        """Objects that are old enough to be swept when no row names them, some of one tenant at a time."""
        with failing_as_unavailable():
            for page in obstore.list(self._store, prefix=_CHUNKS, chunk_size=1000):
                found: dict[TenantId, list[str]] = defaultdict(list)
                for each in page:
                    parts = each["path"].split("/")
                    is_ours = len(parts) == 3 and parts[0] == _CHUNKS and parts[1].isdecimal()
                    if is_ours and each["last_modified"].timestamp() * 1000 < now_ms - STRAY_MS:
                        found[TenantId(int(parts[1]))].append(each["path"])
                yield from found.items()

    def remove(self, keys: Sequence[str]) -> None:
        if keys:
            self._owned.check()
            with failing_as_unavailable():
                obstore.delete(self._store, list(keys))

    def _cached(self, piece: Piece) -> bytes | None:
        path = self._path(piece)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        data = raw[_CRC_BYTES:]
        if len(data) != piece.length or zlib.crc32(data) != int.from_bytes(raw[:_CRC_BYTES], "little"):
            return None
        with suppress(FileNotFoundError):  # evicted meanwhile
            os.utime(path)
        return data

    def _keep(self, piece: Piece, data: bytes) -> None:
        """A cache that cannot be written is no reason to fail a read."""
        size = len(data) + _CRC_BYTES
        if size > self._cache_bytes:
            return
        partial = self._cache / f"partial-{uuid4().hex}"
        with suppress(OSError):
            partial.write_bytes(zlib.crc32(data).to_bytes(_CRC_BYTES, "little") + data)
            partial.rename(self._path(piece))
            with self._lock:
                self._used += size
                if self._used > self._cache_bytes:
                    self._evict()

    def _evict(self) -> None:
        entries = []
        for entry in self._cache.iterdir():
            with suppress(FileNotFoundError):
                stat = entry.stat()
                entries.append((stat.st_mtime, stat.st_size, entry))
        self._used = sum(size for _, size, _ in entries)
        for _, size, entry in sorted(entries):
            if self._used <= self._cache_bytes * _KEPT_SHARE:
                break
            entry.unlink(missing_ok=True)
            self._used -= size

    def _path(self, piece: Piece) -> Path:
        return self._cache / hashlib.sha256(f"{piece.object} {piece.at}".encode()).hexdigest()


class UncachedChunks:
    """The chunks below one URL as the store itself has them: for whoever asks whether they are sound there."""

    def __init__(self, store: RemoteStore) -> None:
        self._store = store

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        """The bytes of each piece, by one question an object. Raises `Unavailable`."""
        of_object: dict[str, list[Piece]] = defaultdict(list)
        for piece in pieces:
            of_object[piece.object].append(piece)
        found: dict[Piece, bytes] = {}
        for key, wanted in of_object.items():
            found.update(zip(wanted, _ranges(self._store, key, wanted), strict=True))
        return [found[piece] for piece in pieces]


def _ranges(store: RemoteStore, key: str, wanted: Sequence[Piece]) -> list[bytes]:
    starts, lengths = [piece.at for piece in wanted], [piece.length for piece in wanted]
    try:
        with failing_as_unavailable():
            return [bytes(each) for each in obstore.get_ranges(store, key, starts=starts, lengths=lengths)]
    except FileNotFoundError as error:
        log.error("points are lost: the object %s is not in the store any more", key)
        raise Unavailable(
            "the object of these points is not in the store; bring it back from a backup of the store",
            code="storage_unavailable",
            retry_after_secs=60,
        ) from error
