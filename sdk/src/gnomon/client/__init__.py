"""`Client`: typed calls of every endpoint of `/api/v1`, for scripts, notebooks and the command line.

The calls stand in rooms, named for what they are about:

- `client.experiments`: create, get, list, update, archive, restore; keys, table and groups of an experiment's runs
- `client.runs`: create, get, list, update, archive, restore, end, compare; log_metrics, log_params, log_batch
- `client.metrics`: history (every point) and series (reduced for a chart)
- `client.artifacts`: log, list, walk, read, download
- `client.uploads`: what `artifacts.log` does with a large file, step by step: begin, get, put_part, complete, remove
- `client.views`: list, create, replace, delete
- `client.traces`: list and get, with the tree of spans
- `client.access`: me, keys, create_key, rotate_key, revoke_key, audit
- `client.rules`: list, create, replace, delete, test, firings, clear
- `client.webhooks`: list, create, get, update, delete, rotate_secret, test, deliveries, redeliver
- `client.storage`: what uses the disk: installation, experiments, runs, metrics, run, run_metrics
- `client.quotas`: list, get, set: what a tenant keeps and may keep
- `client.retention`: rules, add, remove, preview, apply
- `client.live`: watch, the events of an experiment as they come

Two readers give frames of pandas, polars or Arrow: `client.experiment("fraud").runs("metrics.loss < 0.3").pandas()` and
`client.run(run_id).history(["loss"]).polars()`.

A client may be shared between threads. Each call answers when the server has answered: what a `log_…` call has
returned is on the server's disk.
"""

from types import TracebackType
from typing import Self

from gnomon.client.access import Access
from gnomon.client.artifacts import Artifacts
from gnomon.client.experiments import Experiments
from gnomon.client.frames import ExperimentReader, RunReader, find_experiment
from gnomon.client.live import Live
from gnomon.client.metrics import Metrics
from gnomon.client.quotas import Quotas
from gnomon.client.retention import Retention
from gnomon.client.rules import Rules
from gnomon.client.runs import Runs
from gnomon.client.storage import Storage
from gnomon.client.traces import Traces
from gnomon.client.transport import Transport
from gnomon.client.uploads import Uploads
from gnomon.client.views import Views
from gnomon.client.webhooks import Webhooks
from gnomon.settings import Settings, load_settings


class Client:
    """A Gnomon server. What is not given comes from the environment, the config file, then the defaults."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        tenant: str | None = None,
        timeout_secs: float | None = None,
        transport: Transport | None = None,
    ) -> None:
        if transport is None:
            transport = Transport(load_settings(url=url, api_key=api_key, tenant=tenant, timeout_secs=timeout_secs))
        self._transport = transport
        self.experiments = Experiments(transport)
        self.runs = Runs(transport)
        self.metrics = Metrics(transport)
        self.artifacts = Artifacts(transport)
        self.uploads = Uploads(transport)
        self.views = Views(transport)
        self.traces = Traces(transport)
        self.live = Live(transport)
        self.access = Access(transport)
        self.storage = Storage(transport)
        self.quotas = Quotas(transport)
        self.retention = Retention(transport)
        self.webhooks = Webhooks(transport)
        self.rules = Rules(transport)

    def experiment(self, name_or_id: str) -> ExperimentReader:
        """An experiment to read frames from, by its name or its id."""
        return ExperimentReader(find_experiment(self.experiments, name_or_id), self.experiments, self.runs)

    def run(self, run_id: str) -> RunReader:
        """A run to read frames from."""
        return RunReader(self.runs.get(run_id), self.metrics, self.runs)

    @property
    def settings(self) -> Settings:
        return self._transport.settings

    def close(self) -> None:
        """Close the pooled connections; the client may still be used and then opens new ones."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.settings.url!r})"


__all__ = ["Client"]
