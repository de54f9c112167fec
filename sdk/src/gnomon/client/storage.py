"""What uses the server's disk: its files, and what experiments, runs and metrics have in them."""

from gnomon.client.transport import Transport, path_of
from gnomon.wire import ExperimentStorageList, InstallationStorage, MetricStorageList, RunStorage, RunStorageList


class Storage:
    """`client.storage`. Everything is counted when it is asked. Lists have what takes most first."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def installation(self) -> InstallationStorage:
        """The files of the server, those of all tenants together; with keys, for a platform key."""
        return self._transport.call("GET", path_of("storage"), InstallationStorage)

    def experiments(self, *, limit: int = 100, offset: int = 0) -> ExperimentStorageList:
        """The experiments of the tenant, archived ones too."""
        query = _page(limit, offset)
        return self._transport.call("GET", path_of("storage", "experiments"), ExperimentStorageList, query=query)

    def runs(self, experiment_id: str, *, limit: int = 100, offset: int = 0) -> RunStorageList:
        """The runs of an experiment, archived ones too."""
        path = path_of("experiments", experiment_id, "storage", "runs")
        return self._transport.call("GET", path, RunStorageList, query=_page(limit, offset))

    def metrics(self, experiment_id: str, *, limit: int = 100, offset: int = 0) -> MetricStorageList:
        """The metrics of an experiment, each over all of its runs."""
        path = path_of("experiments", experiment_id, "storage", "metrics")
        return self._transport.call("GET", path, MetricStorageList, query=_page(limit, offset))

    def run(self, run_id: str) -> RunStorage:
        """One run."""
        return self._transport.call("GET", path_of("experiments", "runs", run_id, "storage"), RunStorage)

    def run_metrics(self, run_id: str, *, limit: int = 100, offset: int = 0) -> MetricStorageList:
        """The metrics of one run."""
        path = path_of("experiments", "runs", run_id, "storage", "metrics")
        return self._transport.call("GET", path, MetricStorageList, query=_page(limit, offset))


def _page(limit: int, offset: int) -> list[tuple[str, str]]:
    return [("limit", str(limit)), ("offset", str(offset))]
