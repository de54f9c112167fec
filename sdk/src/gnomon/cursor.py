"""How far a spool is confirmed: `cursor` in the writer's folder.

Invariant: replaced as a whole and on the disk before the call returns, so that whoever takes over after a kill or a
power loss continues with the very batch that was in flight.
"""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from gnomon.record import Artifact, EndStatus, SpoolDamaged

_NAME = "cursor"


class Position(NamedTuple):
    """The entry before which everything is done. Offset 0 is before the first record of the segment."""

    segment: int
    offset: int
    entry: int = 0


class Cursor(Struct):
    """`until` is the end of the batch `seq` while it is in flight: that number means these entries for ever."""

    at: Position = Position(1, 0)
    seq: int = 0
    until: Position | None = None
    points: int = 0
    rejected: int = 0
    last_ms: int = 0
    status: EndStatus | None = None
    console: int = 0  # how much of the console output had been printed when it was sent last
    files: list[Artifact] = []  # behind the position and not confirmed yet: they are sent beside the points


def load_cursor(folder: Path) -> Cursor:
    """The cursor of a folder; a new one where none is. Raises `SpoolDamaged`: guessing could lose or double points."""
    try:
        return msgspec.json.decode((folder / _NAME).read_bytes(), type=Cursor)
    except FileNotFoundError:
        return Cursor()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SpoolDamaged(
            f"the cursor of a spool cannot be read ({error}); nothing of it is sent: {folder / _NAME}"
        ) from error


def save_cursor(folder: Path, cursor: Cursor) -> None:
    temporary = folder / f"{_NAME}.new"
    fd = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        os.write(fd, msgspec.json.encode(cursor))
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.replace(folder / _NAME)
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def remove_cursor(folder: Path) -> None:
    (folder / _NAME).unlink(missing_ok=True)
    (folder / f"{_NAME}.new").unlink(missing_ok=True)
