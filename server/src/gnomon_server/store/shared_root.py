"""Several processes below one root of artifacts: which files are another's, and which contents are being kept.

    <root>/processes/<id>     one for each process that has the root open, locked for as long as it lives
    <root>/locks/ab           locked, shared, by who keeps a content whose digest begins with "ab"; alone, by who sweeps

The locks are flock's: the system gives them up when a process dies, however it dies. On network file systems they hold
between hosts where the file system's own locks do (NFS since version 4).
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from gnomon_server.store.directories import make_durable

_NEW = "new-"


class SharedRoot:
    """This process among those that have the root open."""

    def __init__(self, root: Path) -> None:
        self._processes, self._locks = root / "processes", root / "locks"
        for directory in (root, self._processes, self._locks):
            make_durable(directory)
        self._me = uuid4().hex
        made = self._processes / f"{_NEW}{self._me}"
        self._mine = _open(made)
        fcntl.flock(self._mine, fcntl.LOCK_EX)
        made.rename(self._processes / self._me)  # locked before anybody looks at it
        self._others = self._find_living()

    def new_name(self) -> str:
        """A name for a file of this process."""
        return f"{self._me}-{uuid4().hex}"

    def belongs_to_another(self, name: str) -> bool:
        """Whether the file of this name belonged to a process that lived when this one began."""
        return name.partition("-")[0] in self._others

    @contextmanager
    def held(self, sha256: str) -> Iterator[None]:
        """While held, no process sweeps this content."""
        file = _open(self._locks / sha256[:2])
        try:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield
        finally:
            os.close(file)

    def alone(self, shard: str, sha256s: Sequence[str]) -> Iterator[Sequence[str]]:
        """The contents of a shard, once, and while they are looked at none is held; nothing when one is held now."""
        file = _open(self._locks / shard)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return  # an upload is being kept; the next sweep comes in minutes
            yield sha256s
        finally:
            os.close(file)

    def _find_living(self) -> frozenset[str]:
        """The other processes; the marks of dead ones are removed."""
        living: set[str] = set()
        for mark in self._processes.iterdir():
            if mark.name == self._me or mark.name.startswith(_NEW):
                continue
            file = _open(mark)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mark.unlink(missing_ok=True)
            except OSError:
                living.add(mark.name)
            finally:
                os.close(file)
        return frozenset(living)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
