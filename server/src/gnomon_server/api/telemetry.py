"""What Prometheus reads: requests, points, commits, the writer's queue, errors. One registry per server."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# Without the charset, which the framework adds to every text.
CONTENT_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
# From a fast local fsync to a disk in trouble.
_COMMIT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Telemetry:
    """The server's own numbers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, processor time and open files of this process
        self.requests = Counter(
            "gnomon_requests", "Requests answered, by method and status", ["method", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "gnomon_request_seconds", "Time to answer a request", ["method"], registry=self.registry
        )
        # Looking a label up takes longer than counting; the parser knows few methods and we few statuses.
        self._counted: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.errors = Counter("gnomon_errors", "Requests that met a defect of the server", registry=self.registry)
        self.points = Gauge("gnomon_points", "Points kept since start", registry=self.registry)
        self.queued = Gauge("gnomon_writer_queue", "Writes that wait for a commit", registry=self.registry)
        started = Gauge("gnomon_start_time_seconds", "When this process began to serve", registry=self.registry)
        started.set_to_current_time()
        self.disk_free = Gauge(
            "gnomon_disk_free_bytes", "Free bytes where the home's files are", registry=self.registry
        )
        self.is_disk_full = Gauge(
            "gnomon_disk_full", "1 while logging is refused for want of space", registry=self.registry
        )
        self.commits = Histogram(
            "gnomon_commit_seconds",
            "Time of a group commit, from the first statement to the disk",
            buckets=_COMMIT_BUCKETS,
            registry=self.registry,
        )
        self.quota_refusals = Gauge(
            "gnomon_quota_refusals",
            "Writes refused by a quota since start, by what was limited",
            ["quota"],
            registry=self.registry,
        )
        self.commit_jobs = Counter(
            "gnomon_commit_jobs", "Writes committed or refused in groups", registry=self.registry
        )

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

    def page(self) -> bytes:
        return generate_latest(self.registry)
