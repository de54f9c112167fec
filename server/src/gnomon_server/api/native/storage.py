"""The routes of what uses the disk. Each counts when it is asked: the more runs, the longer it takes."""

from msgspec import Struct

from gnomon import wire
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.route import Call, route
from gnomon_server.model.errors import AccessDenied, ExperimentNotFound, InvalidRequest, RunNotFound
from gnomon_server.model.storage import MetricUse, NamedUse, UnsealedUse

TAG = "storage"
OF_EXPERIMENT = (InvalidRequest, AccessDenied, ExperimentNotFound)
OF_RUN = (InvalidRequest, AccessDenied, RunNotFound)


class StorageQuery(Struct, frozen=True):
    limit: Limit = 100
    offset: Offset = 0


@route("GET", "/storage", needs="server.read", tag=TAG, gives=wire.InstallationStorage, raises=[AccessDenied])
def measure_installation(call: Call[None, None]) -> wire.InstallationStorage:
    """Measure the files of the server and what it keeps in an object store, of all tenants together."""
    found = call.services.storage.installation()
    return wire.InstallationStorage(
        database_bytes=found.database_bytes,
        points_bytes=found.points_bytes,
        free_bytes=found.free_bytes,
        other_bytes=found.other_bytes,
        moved_bytes=found.moved_bytes,
        wal_bytes=found.wal_bytes,
        reserve_bytes=found.reserve_bytes,
        content_bytes=found.content_bytes,
        object_bytes=found.object_bytes,
        unused_bytes=found.unused_bytes,
        upload_bytes=found.upload_bytes,
        disk_bytes=found.disk_bytes,
        disk_free_bytes=found.disk_free_bytes,
    )


@route(
    "GET",
    "/storage/experiments",
    needs="experiments.read",
    tag=TAG,
    query=StorageQuery,
    gives=wire.ExperimentStorageList,
    raises=[InvalidRequest, AccessDenied],
)
def list_experiment_storage(call: Call[None, StorageQuery]) -> wire.ExperimentStorageList:
    """List what the experiments of the tenant take on the disk, archived ones too, the largest first."""
    asked = call.query
    total, found = call.services.storage.experiments(call.principal, limit=asked.limit, offset=asked.offset)
    experiments = [
        wire.ExperimentStorage(
            experiment_id=each.uid,
            name=each.name,
            lifecycle_stage=each.lifecycle_stage,
            runs=each.use.runs,
            points=each.use.points,
            points_bytes=each.use.points_bytes,
            artifacts=each.use.artifacts,
            artifact_bytes=each.use.artifact_bytes,
        )
        for each in found
    ]
    return wire.ExperimentStorageList(experiments, total=total, limit=asked.limit, offset=asked.offset)


@route(
    "GET",
    "/experiments/{experiment_id:str}/storage",
    needs="experiments.read",
    tag=TAG,
    gives=wire.StorageResponse,
    raises=OF_EXPERIMENT,
)
def measure_storage(call: Call[None, None]) -> wire.StorageResponse:
    """Measure what an experiment takes on the disk.

    It is counted when asked, over every run; the more runs, the longer it takes.
    """
    found = call.services.storage.experiment(call.principal, call.path("experiment_id"))
    return wire.StorageResponse(
        experiment_id=call.path("experiment_id"),
        runs=found.runs,
        points=found.points,
        points_bytes=found.points_bytes,
        artifacts=found.artifacts,
        artifact_bytes=found.artifact_bytes,
    )


@route(
    "GET",
    "/experiments/{experiment_id:str}/storage/runs",
    needs="runs.read",
    tag=TAG,
    query=StorageQuery,
    gives=wire.RunStorageList,
    raises=OF_EXPERIMENT,
)
def list_run_storage(call: Call[None, StorageQuery]) -> wire.RunStorageList:
    """List what the runs of an experiment take on the disk, archived ones too, the largest first."""
    asked, uid = call.query, call.path("experiment_id")
    total, found = call.services.storage.runs(call.principal, uid, limit=asked.limit, offset=asked.offset)
    return wire.RunStorageList(
        [run_storage(each) for each in found], total=total, limit=asked.limit, offset=asked.offset
    )


@route(
    "GET",
    "/experiments/{experiment_id:str}/storage/metrics",
    needs="runs.read",
    tag=TAG,
    query=StorageQuery,
    gives=wire.MetricStorageList,
    raises=OF_EXPERIMENT,
)
def list_metric_storage(call: Call[None, StorageQuery]) -> wire.MetricStorageList:
    """List what the metrics of an experiment take on the disk, over all of its runs, the largest first."""
    asked, uid = call.query, call.path("experiment_id")
    return _metrics(call.services.storage.metrics(call.principal, uid, limit=asked.limit, offset=asked.offset), asked)


@route(
    "GET",
    "/experiments/runs/{run_id:str}/storage",
    needs="runs.get",
    tag=TAG,
    gives=wire.RunStorage,
    raises=OF_RUN,
)
def measure_run_storage(call: Call[None, None]) -> wire.RunStorage:
    """Measure what a run takes on the disk."""
    return run_storage(call.services.storage.run(call.principal, call.path("run_id")))


@route(
    "GET",
    "/experiments/runs/{run_id:str}/storage/metrics",
    needs="runs.get",
    tag=TAG,
    query=StorageQuery,
    gives=wire.MetricStorageList,
    raises=OF_RUN,
)
def list_run_metric_storage(call: Call[None, StorageQuery]) -> wire.MetricStorageList:
    """List what the metrics of a run take on the disk, the largest first."""
    asked, uid = call.query, call.path("run_id")
    found = call.services.storage.metrics_of_run(call.principal, uid, limit=asked.limit, offset=asked.offset)
    return _metrics(found, asked)


def run_storage(found: NamedUse) -> wire.RunStorage:
    """What a run takes, as messages say it."""
    return wire.RunStorage(
        run_id=found.uid,
        name=found.name,
        lifecycle_stage=found.lifecycle_stage,
        points=found.use.points,
        points_bytes=found.use.points_bytes,
        artifacts=found.use.artifacts,
        artifact_bytes=found.use.artifact_bytes,
    )


def _metrics(found: tuple[int, list[MetricUse], UnsealedUse], asked: StorageQuery) -> wire.MetricStorageList:
    total, metrics, unsealed = found
    return wire.MetricStorageList(
        metrics=[
            wire.MetricStorage(key=each.key, runs=each.runs, points=each.points, points_bytes=each.points_bytes)
            for each in metrics
        ],
        unsealed_points=unsealed.points,
        unsealed_bytes=unsealed.points_bytes,
        total=total,
        limit=asked.limit,
        offset=asked.offset,
    )


ROUTES = [
    measure_installation,
    list_experiment_storage,
    measure_storage,
    list_run_storage,
    list_metric_storage,
    measure_run_storage,
    list_run_metric_storage,
]
