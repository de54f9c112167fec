"""Messages that say what uses the disk: the installation, experiments, runs, metrics.

`points` are those kept and `points_bytes` what their columns take. `artifacts` are the files of runs and logged models;
a content that several files of one line share counts once in its `artifact_bytes`.
"""

from msgspec import Struct

from gnomon.bounds import Count, Uid
from gnomon.wire.messages import LifecycleStage


class StorageResponse(Struct, frozen=True):
    """What an experiment takes on the disk, archived runs included."""

    experiment_id: str
    runs: Count
    points: Count
    points_bytes: Count
    artifacts: Count
    artifact_bytes: Count


class ExperimentStorage(Struct, frozen=True):
    """One experiment among others."""

    experiment_id: Uid
    name: str
    lifecycle_stage: LifecycleStage
    runs: Count
    points: Count
    points_bytes: Count
    artifacts: Count
    artifact_bytes: Count


class ExperimentStorageList(Struct, frozen=True):
    """The largest first."""

    experiments: list[ExperimentStorage]
    total: Count
    limit: Count
    offset: Count


class RunStorage(Struct, frozen=True):
    """One run. A content that it shares with other runs counts at each of them."""

    run_id: Uid
    name: str
    lifecycle_stage: LifecycleStage
    points: Count
    points_bytes: Count
    artifacts: Count
    artifact_bytes: Count


class RunStorageList(Struct, frozen=True):
    """The largest first."""

    runs: list[RunStorage]
    total: Count
    limit: Count
    offset: Count


class MetricStorage(Struct, frozen=True):
    """The sealed points of one metric, in how many runs."""

    key: str
    runs: Count
    points: Count
    points_bytes: Count


class MetricStorageList(Struct, frozen=True):
    """The largest first. Points that are not sealed yet lie together, whatever their metric: they stand apart."""

    metrics: list[MetricStorage]
    unsealed_points: Count
    unsealed_bytes: Count
    total: Count
    limit: Count
    offset: Count


class InstallationStorage(Struct, frozen=True):
    """The files of an installation, all tenants together.

    `database_bytes` is `points_bytes` + `free_bytes` + `other_bytes`: points, space that the next writes use, and rows
    and indexes; its pages that are still in the write-ahead log are counted too. `moved_bytes` are points that stand in
    the object store in place of the database. `content_bytes` are the contents of artifacts, of which `object_bytes`
    stand in an object store, the rest on the disk, and `unused_bytes`, of both, wait to be removed; `upload_bytes` came
    with uploads that are not complete, or wait to be unlinked.
    """

    database_bytes: Count
    points_bytes: Count
    free_bytes: Count
    other_bytes: Count
    moved_bytes: Count
    wal_bytes: Count
    reserve_bytes: Count
    content_bytes: Count
    object_bytes: Count
    unused_bytes: Count
    upload_bytes: Count
    disk_bytes: Count
    disk_free_bytes: Count
