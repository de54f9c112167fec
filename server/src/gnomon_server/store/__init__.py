"""How things are kept: metadata and points in SQL, artifacts as files, one writer in front of both."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from gnomon_server.model.batches import RunBatch
from gnomon_server.store.blobs import BlobStore
from gnomon_server.store.meta.engine import Database
from gnomon_server.store.writer import Writer

__all__ = ["Connection", "Stores", "database_path"]

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything the rooms above need of the store."""

    database: Database
    writer: Writer[RunBatch]
    blobs: BlobStore


def database_path(url: str) -> Path:
    """The file behind `sqlite:///path`; the only kind of database this version opens."""
    if not url.startswith(_SQLITE) or url == _SQLITE:
        raise ValueError(f"GNOMON_DATABASE is {url!r}; give sqlite:///path/to/file.db")
    return Path(url.removeprefix(_SQLITE))
