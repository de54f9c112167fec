"""Where the bytes of chunks are read that were moved out of the database (`points/moving.py`).

Each database has one `MovedChunks` from the start, and every connection of it knows it (`moved_chunks_of`), so that
whoever reads points need not care where they stand. A source is attached when the settings name one.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sqlalchemy.engine import Connection

from gnomon_server.model.errors import Unavailable

OPTION = "gnomon_moved_chunks"


class Piece(NamedTuple):
    """Some bytes of an object."""

    object: str
    at: int
    length: int


class Source(Protocol):
    """What has the objects."""

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        """The bytes of each piece. Raises `Unavailable`."""


class MovedChunks:
    """The source of moved chunks, if there is one."""

    def __init__(self) -> None:
        self._source: Source | None = None

    def attach(self, source: Source) -> None:
        self._source = source

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        if self._source is None:
            raise Unavailable(
                "these points stand in an object store; start the server with the GNOMON_CHUNKS it had",
                code="storage_unavailable",
                retry_after_secs=60,
            )
        return self._source.fetch(pieces)


def moved_chunks_of(connection: Connection) -> MovedChunks:
    """What the database of a connection was given."""
    found = connection.get_execution_options()[OPTION]
    assert isinstance(found, MovedChunks)
    return found
