"""What a database holds of runs, read with the server's own code, in the shape in which clients remember it."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.fault.run_log import LogRequest, exact

from gnomon_server.store.meta import artifacts, runs
from gnomon_server.store.meta.engine import Database
from gnomon_server.store.points import read


@dataclass(frozen=True, slots=True)
class Promise:
    """What a run must hold after some requests. Points as (key, step, time, value), each with how often it is there."""

    points: frozenset[tuple[str, int, int, str]] = frozenset()
    count: int = 0
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def plus(self, request: LogRequest) -> "Promise":
        new = [(key, *exact(point)) for key, points in request.points.items() for point in points]
        return Promise(
            self.points.union(new),
            self.count + len(new),
            {**self.params, **request.params},
            {**self.tags, **request.tags},
            self.files,
        )

    def with_file(self, path: str, sha256: str) -> "Promise":
        return Promise(self.points, self.count, self.params, self.tags, {**self.files, path: sha256})


def read_promises(path: Path, run_ids: list[str]) -> dict[str, Promise]:
    """All that the database holds of some runs of the tenant `default`."""
    database = Database(path)
    try:
        with database.system() as connection:
            tenant = connection.exec_driver_sql("SELECT id FROM tenant_ WHERE name = 'default'").scalar_one()
        with database.read(tenant) as connection:
            found: dict[str, Promise] = {}
            for uid, row in runs.find_rows(connection, run_ids).items():
                run = runs.find_run(connection, uid)
                assert run is not None
                stored = [
                    (name, *exact(point))
                    for name, key in runs.read_series_names(connection, row)
                    for points in read.iter_series(connection, row, key)
                    for point in zip(points.step.tolist(), points.time_ms.tolist(), points.value.tolist(), strict=True)
                ]
                _, entries = artifacts.list_directory(connection, artifacts.RUNS, row, "", limit=1000, offset=0)
                files = {entry.path: entry.artifact.sha256 for entry in entries if entry.artifact is not None}
                found[uid] = Promise(frozenset(stored), len(stored), dict(run.params), dict(run.tags), files)
            return found
    finally:
        database.close()
