"""What uses the disk. Units are bytes, and files or points by number."""

from msgspec import Struct

from gnomon_server.model.entities import LifecycleStage


class StorageUse(Struct, frozen=True):
    """What something takes on the disk. A content that several of its artifacts share counts once."""

    runs: int
    points: int
    points_bytes: int
    artifacts: int
    artifact_bytes: int


class NamedUse(Struct, frozen=True):
    """What one experiment or run takes; `use.runs` of a run is 1."""

    uid: str
    name: str
    lifecycle_stage: LifecycleStage
    use: StorageUse


class MetricUse(Struct, frozen=True):
    """What the sealed points of one metric take, in how many runs."""

    key: str
    runs: int
    points: int
    points_bytes: int


class UnsealedUse(Struct, frozen=True):
    """Points that lie together until they are sealed."""

    points: int
    points_bytes: int


class InstallationUse(Struct, frozen=True):
    """The files of a home and what is in them; see `gnomon.wire.InstallationStorage`."""

    database_bytes: int
    points_bytes: int
    free_bytes: int
    moved_bytes: int
    wal_bytes: int
    reserve_bytes: int
    content_bytes: int
    object_bytes: int
    unused_bytes: int
    upload_bytes: int
    disk_bytes: int
    disk_free_bytes: int

    @property
    def other_bytes(self) -> int:
        """Rows, indexes and the rests of pages."""
        return self.database_bytes - self.points_bytes - self.free_bytes
