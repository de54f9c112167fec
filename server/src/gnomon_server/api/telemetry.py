"""What Prometheus reads: requests, points, commits, the writer's queue, errors. One registry per server.

The processes of one port count in files of a folder that all of them see, each in its own, named by its number: so each
can answer for all of them. Who takes the place of one that died counts on where that had come to, for a sum that falls
looks to Prometheus like a restart of everything.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gnomon_server.model.quotas import QuotaName

# Without the charset, which the framework adds to every text.
CONTENT_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
# From a fast local fsync to a disk in trouble.
_COMMIT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Telemetry:
    """The server's own numbers. `several`: the folder that the processes of a port share, and this one's number."""

    def __init__(self, several: tuple[Path, int] | None = None) -> None:
        self.registry = CollectorRegistry()
        self._page_registry = self.registry
        if several is None:
            ProcessCollector(registry=self.registry)  # memory, processor time and open files of this process
        else:
            self._page_registry = _count_in(*several)
        self.requests = Counter(
            "gnomon_requests", "Requests answered, by method and status", ["method", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "gnomon_request_seconds", "Time to answer a request", ["method"], registry=self.registry
        )
        # Looking a label up takes longer than counting; the parser knows few methods and we few statuses.
        self._counted: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.errors = Counter("gnomon_errors", "Requests that met a defect of the server", registry=self.registry)
        self._points = Gauge(
            "gnomon_points", "Points kept since start", registry=self.registry, multiprocess_mode="sum"
        )
        self._queued = Gauge(
            "gnomon_writer_queue", "Writes that wait for a commit", registry=self.registry, multiprocess_mode="sum"
        )
        started = Gauge(
            "gnomon_start_time_seconds",
            "When this process began to serve; of several the last",
            registry=self.registry,
            multiprocess_mode="max",
        )
        started.set_to_current_time()
        self._disk_free = Gauge(
            "gnomon_disk_free_bytes",
            "Free bytes where the home's files are",
            registry=self.registry,
            multiprocess_mode="min",
        )
        self._is_disk_full = Gauge(
            "gnomon_disk_full",
            "1 while logging is refused for want of space",
            registry=self.registry,
            multiprocess_mode="max",
        )
        self.commits = Histogram(
            "gnomon_commit_seconds",
            "Time of a group commit, from the first statement to the disk",
            buckets=_COMMIT_BUCKETS,
            registry=self.registry,
        )
        self._quota_refusals = Gauge(
            "gnomon_quota_refusals",
            "Writes refused by a quota since start, by what was limited",
            ["quota"],
            registry=self.registry,
            multiprocess_mode="sum",
        )
        self.commit_jobs = Counter(
            "gnomon_commit_jobs", "Writes committed or refused in groups", registry=self.registry
        )
        self._stock = threading.Lock()
        self._points_seen = 0
        self._refusals_seen: dict[QuotaName, int] = {}

    def on_request(self, method: str, status: int, secs: float) -> None:
        counted = self._counted.get((method, status))
        if counted is None:
            counted = self.requests.labels(method, str(status)), self.request_seconds.labels(method)
            self._counted[(method, status)] = counted
        counted[0].inc()
        counted[1].observe(secs)
        if status == 500:
            self.errors.inc()

    def on_commit(self, jobs: int, secs: float) -> None:
        self.commits.observe(secs)
        self.commit_jobs.inc(jobs)

    def take_stock(
        self, *, queued: int, points: int, refused: Mapping[QuotaName, int], disk: os.statvfs_result, is_disk_full: bool
    ) -> None:
        """What others count in this process, as it is now."""
        self._queued.set(queued)
        self._disk_free.set(disk.f_frsize * disk.f_bavail)
        self._is_disk_full.set(is_disk_full)
        with self._stock:
            self._points.inc(points - self._points_seen)
            self._points_seen = points
            for name, count in refused.items():
                self._quota_refusals.labels(name).inc(count - self._refusals_seen.get(name, 0))
                self._refusals_seen[name] = count

    def page(self) -> bytes:
        return generate_latest(self._page_registry)


def _count_in(folder: Path, number: int) -> CollectorRegistry:
    """Let this process count in its files of the folder; the registry that reads those of all."""
    os.environ[_FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]  # it has no types
    (folder / f"{number}.pid").write_text(str(os.getpid()))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]  # it has no types
    registry.register(_Processes(folder))
    return registry


class _Processes(Collector):
    """Memory, processor time and open files of each process of the port, by its number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for file in sorted(self._folder.glob("*.pid")):
            read = partial(int, file.read_text())
            for family in ProcessCollector(pid=read, registry=None).collect():
                known = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    known.add_sample(sample.name, {**sample.labels, "worker": file.stem}, sample.value)
        yield from families.values()
