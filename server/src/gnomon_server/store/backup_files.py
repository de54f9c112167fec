"""The files of a backup: copied and hashed in one pass, and on the disk before they have their names."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from gnomon_server.store.directories import make_durable, sync_directory

_PIECE_BYTES = 1 << 20


class BackupError(Exception):
    """A backup cannot be taken, is damaged, or cannot be put back: a sentence that says which and what to do."""


class Content(NamedTuple):
    tenant: int
    sha256: str
    size: int

    def below(self, root: Path) -> Path:
        return root / str(self.tenant) / self.sha256[:2] / self.sha256


def bring(content: Content, source: Path, target: Path) -> None:
    """Have a content below the target, whole and on the disk."""
    path = content.below(source)
    try:
        bring_pieces(content, _pieces(path), f"the content {path}", target)
    except FileNotFoundError:
        raise BackupError(f"the content {path} is missing; the home lost it before") from None


def bring_pieces(content: Content, pieces: Iterable[bytes], named: str, target: Path) -> None:
    """Have a content below the target, of bytes that are not asked for when it is there already."""
    path = content.below(target)
    if path.exists() and path.stat().st_size == content.size:
        return
    make_durable(path.parent)
    partial = path.with_name(f"partial-{uuid4().hex}")
    try:
        found = _write_pieces(pieces, partial)
        if found != content.sha256:
            raise BackupError(f"{named} is damaged: its hash is {found}")
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_directory(path.parent)


def copy_file(source: Path, target: Path) -> str:
    """Copy and sync; the SHA-256 of what was copied, in hex."""
    return _write_pieces(_pieces(source), target)


def _write_pieces(pieces: Iterable[bytes], target: Path) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        for piece in pieces:
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def hash_file(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(path):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def write_file(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def sync_file(path: Path) -> None:
    """Bring a file to the disk that something else wrote."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
