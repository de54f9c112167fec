"""`wandb.Api()`: reading runs back, as scripts of evaluation do, from a Gnomon server.

A path is `entity/project/run`, or less of it; the entity is not looked at, and the run is the id that `init` was given
or the run's own. Unlike what trains, what reads has to wait for the server, and says when it has no answer:
`CommError` when it cannot be reached, `ValueError` (wandb's) when there is no such project or run.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

from gnomon.client import Client
from gnomon.client.records import Run as Found
from gnomon.errors import NotFound
from gnomon.resume import is_run_id
from gnomon.wandb.absent import Absent, absent
from gnomon.wandb.errors import asking
from gnomon.wandb.filters import as_filter, as_order
from gnomon.wandb.read import ReadRun
from gnomon.wandb.used import UsedArtifact, find_artifact
from gnomon.wire import ExperimentResponse

_PAGE = 200


class Api:
    """What a server has. The key and address are those that the environment or the config file names."""

    def __init__(self, overrides: Mapping[str, object] | None = None, **more: object) -> None:
        given = dict(overrides or {})
        self._entity, self._project = str(given.get("entity", "")), str(given.get("project", ""))
        timeout = more.get("timeout")
        with asking():
            self._client = Client(timeout_secs=float(timeout) if isinstance(timeout, int | float) else None)

    @property
    def default_entity(self) -> str:
        return self._entity

    def runs(
        self,
        path: str | None = None,
        filters: Mapping[str, object] | None = None,
        order: str = "+created_at",
        per_page: int = _PAGE,
        **more: object,
    ) -> "ReadRuns":
        """The runs of `entity/project` that match, fetched as they are looked at."""
        return ReadRuns(self._client, self._experiment(self._project_of(path)), as_filter(filters), as_order(order))

    def run(self, path: str) -> ReadRun:
        """One run: `entity/project/run`, `project/run`, or the run's own id."""
        *places, name = path.strip("/").split("/")
        if name == "runs" or not name:
            raise ValueError(f"{path!r} is no run; give entity/project/run")
        project = places[-2] if len(places) > 1 and places[-1] == "runs" else places[-1] if places else self._project
        with asking():
            found = self._find(name, project)
            if found is None:
                raise ValueError(f"there is no run {path!r}")
            return ReadRun(self._client, found, self._client.experiments.get(found.experiment_id).name)

    def projects(self, entity: str | None = None, per_page: int = _PAGE) -> list["Project"]:
        """The experiments of the tenant."""
        with asking():
            return [Project(each, entity or self._entity) for each in self._client.experiments.iterate()]

    def project(self, name: str, entity: str | None = None) -> "Project":
        return Project(self._experiment(name), entity or self._entity)

    def artifact(self, name: str, type: str | None = None) -> UsedArtifact:
        """The files that a run logged last under `project/name:alias`."""
        with asking():
            found = find_artifact(self._client.settings, self._project, name)
        if found is None:
            raise ValueError(f"no run has logged the artifact {name!r}")
        return found

    def flush(self) -> None:
        """Nothing is remembered between calls but what a run was read with; read it again for news."""

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("_"):
            raise AttributeError(name)
        return absent(f"wandb.Api.{name}")

    def _project_of(self, path: str | None) -> str:
        return (path or "").strip("/").split("/")[-1] or self._project

    def _experiment(self, name: str) -> ExperimentResponse:
        with asking():
            found = self._client.experiments.find(name)
        if found is None:
            raise ValueError(f"there is no project {name!r}")
        return found

    def _find(self, name: str, project: str) -> Found | None:
        if is_run_id(name):
            try:
                return self._client.runs.get(name)
            except NotFound:
                return None
        found = self._client.experiments.find(project) if project else None
        if found is None:
            return None
        query = as_filter({"name": name})
        page = self._client.runs.list([found.id], filter=query, order_by="start_time desc", limit=1)
        return page.runs[0] if page.runs else None


class Project:
    """A project, which is an experiment."""

    def __init__(self, info: ExperimentResponse, entity: str) -> None:
        self.id = info.id
        self.name = info.name
        self.entity = entity
        self.created_at = info.created_at

    def __repr__(self) -> str:
        return f"Project({self.name!r})"


class ReadRuns(Sequence[ReadRun]):
    """The runs that were asked for; a page of them is fetched when it is looked at."""

    def __init__(self, client: Client, experiment: ExperimentResponse, query: str | None, order: str) -> None:
        self._client = client
        self._experiment = experiment
        self._query = query
        self._order = order
        self._pages: dict[int, list[ReadRun]] = {}
        self._page(0)

    @cached_property
    def _total(self) -> int:
        with asking():
            return self._client.runs.list([self._experiment.id], filter=self._query, limit=1).total

    def __len__(self) -> int:
        return self._total

    @overload
    def __getitem__(self, index: int) -> ReadRun: ...
    @overload
    def __getitem__(self, index: slice) -> list[ReadRun]: ...
    def __getitem__(self, index: int | slice) -> ReadRun | list[ReadRun]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        page = self._page(at // _PAGE) if at >= 0 else []
        if at % _PAGE >= len(page):
            raise IndexError(f"there are {len(self)} runs")
        return page[at % _PAGE]

    def __iter__(self) -> Iterator[ReadRun]:
        at = 0
        while page := self._page(at):
            yield from page
            at += 1
            if len(page) < _PAGE:
                return

    def __repr__(self) -> str:
        return f"Runs({self._experiment.name!r}, {len(self)} runs)"

    def _page(self, number: int) -> list[ReadRun]:
        if number not in self._pages:
            with asking():
                found = self._client.runs.list(
                    [self._experiment.id],
                    filter=self._query,
                    order_by=self._order,
                    limit=_PAGE,
                    offset=number * _PAGE,
                )
            self._pages[number] = [ReadRun(self._client, each, self._experiment.name) for each in found]
        return self._pages[number]
