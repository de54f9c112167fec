"""Calls about experiments, and the views over all runs of one: its keys, a table, groups."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import UNSET

from gnomon.client.records import GroupPage, Kind, Purged, Table
from gnomon.client.transport import Transport, path_of
from gnomon.wire import (
    ExperimentCreate,
    ExperimentListResponse,
    ExperimentPatch,
    ExperimentResponse,
    KeyInfo,
    KeysResponse,
    LifecycleStage,
    StorageResponse,
    TableResponse,
)

PAGE = 1000


class Experiments:
    """`client.experiments`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        artifact_location: str | None = None,
    ) -> ExperimentResponse:
        """A new experiment. A taken name is `AlreadyExists`, also when an archived experiment holds it."""
        message = ExperimentCreate(
            name=name, description=description, artifact_location=artifact_location, tags=dict(tags or {})
        )
        return self._transport.call("POST", "/experiments", ExperimentResponse, message=message)

    def get(self, experiment_id: str) -> ExperimentResponse:
        return self._transport.call("GET", path_of("experiments", experiment_id), ExperimentResponse)

    def list(
        self,
        *,
        search: str | None = None,
        lifecycle_stage: LifecycleStage = "active",
        limit: int = 100,
        offset: int = 0,
    ) -> ExperimentListResponse:
        """One page, newest first; `search` is a part of the name, in any case."""
        query = [("lifecycle_stage", lifecycle_stage), ("limit", str(limit)), ("offset", str(offset))]
        if search is not None:
            query.append(("search", search))
        return self._transport.call("GET", "/experiments", ExperimentListResponse, query=query)

    def iterate(
        self, *, search: str | None = None, lifecycle_stage: LifecycleStage = "active"
    ) -> Iterator[ExperimentResponse]:
        """All of them, page by page."""
        offset = 0
        while True:
            page = self.list(search=search, lifecycle_stage=lifecycle_stage, limit=PAGE, offset=offset)
            yield from page.experiments
            offset += len(page.experiments)
            if not page.experiments or offset >= page.total:
                return

    def find(self, name: str) -> ExperimentResponse | None:
        """The experiment of exactly this name, archived or not; None when there is none."""
        stages: tuple[LifecycleStage, ...] = ("active", "deleted")
        for stage in stages:
            for experiment in self.iterate(search=name, lifecycle_stage=stage):
                if experiment.name == name:
                    return experiment
        return None

    def update(
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
    ) -> ExperimentResponse:
        """Change what is given; tags merge, and a tag set to None is removed."""
        message = ExperimentPatch(
            name=UNSET if name is None else name,
            description=UNSET if description is None else description,
            tags=UNSET if tags is None else dict(tags),
        )
        path = path_of("experiments", experiment_id)
        return self._transport.call("PATCH", path, ExperimentResponse, message=message, repeatable=True)

    def archive(self, experiment_id: str) -> ExperimentResponse:
        """Put it and its runs away; they keep their data and take no more until restored."""
        path = path_of("experiments", experiment_id)
        return self._transport.call("DELETE", path, ExperimentResponse, repeatable=True)

    def restore(self, experiment_id: str) -> ExperimentResponse:
        """Bring it back, with the runs that its archiving took."""
        path = path_of("experiments", experiment_id, "restore")
        return self._transport.call("POST", path, ExperimentResponse, repeatable=True)

    def purge(self, experiment_id: str) -> Purged:
        """Remove an archived experiment for good, with all its runs. There is no way back."""
        return self._transport.call("POST", path_of("experiments", experiment_id, "purge"), Purged)

    def keys(
        self, experiment_id: str, *, kind: Kind | None = None, prefix: str = "", limit: int = 1000, offset: int = 0
    ) -> KeysResponse:
        """The distinct metric, param and tag names of its runs, and how many runs have each."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        if kind is not None:
            query.append(("kind", kind))
        if prefix:
            query.append(("prefix", prefix))
        return self._transport.call("GET", path_of("experiments", experiment_id, "keys"), KeysResponse, query=query)

    def iterate_keys(self, experiment_id: str, *, kind: Kind | None = None, prefix: str = "") -> Iterator[KeyInfo]:
        """All of them, page by page."""
        offset = 0
        while True:
            page = self.keys(experiment_id, kind=kind, prefix=prefix, limit=PAGE, offset=offset)
            yield from page.keys
            offset += len(page.keys)
            if not page.keys or offset >= page.total:
                return

    def storage(self, experiment_id: str) -> StorageResponse:
        """What it takes on the server's disk: points and artifacts, archived runs included."""
        return self._transport.call("GET", path_of("experiments", experiment_id, "storage"), StorageResponse)

    def table(
        self,
        experiment_id: str,
        columns: Sequence[str],
        *,
        filter: str | None = None,
        order_by: str | Sequence[str] = (),
        lifecycle_stage: LifecycleStage = "active",
        limit: int = 100,
        offset: int = 0,
    ) -> Table:
        """A page of its runs as columns such as `metrics.loss.min`, `params.lr`, `tags.team` or `name`."""
        query: list[tuple[str, str]] = [("columns", column) for column in columns]
        query.append(("lifecycle_stage", lifecycle_stage))
        query += page_query(filter=filter, order_by=order_by, limit=limit, offset=offset)
        answer = self._transport.call("GET", path_of("experiments", experiment_id, "table"), TableResponse, query=query)
        return Table(
            total=answer.total,
            limit=answer.limit,
            offset=answer.offset,
            run_ids=answer.run_ids,
            columns={name: _doubles(name, values) for name, values in answer.columns.items()},
        )

    def groups(
        self,
        experiment_id: str,
        by: Sequence[str],
        *,
        columns: Sequence[str] = (),
        filter: str | None = None,
        order_by: str | Sequence[str] = (),
        lifecycle_stage: LifecycleStage = "active",
        limit: int = 100,
        offset: int = 0,
    ) -> GroupPage:
        """Its runs in groups that share the values of `by` (`params.optimiser`, say), with aggregates of `columns`."""
        query: list[tuple[str, str]] = [("by", field) for field in by]
        query += [("columns", column) for column in columns]
        query.append(("lifecycle_stage", lifecycle_stage))
        query += page_query(filter=filter, order_by=order_by, limit=limit, offset=offset)
        return self._transport.call("GET", path_of("experiments", experiment_id, "groups"), GroupPage, query=query)


def page_query(*, filter: str | None, order_by: str | Sequence[str], limit: int, offset: int) -> list[tuple[str, str]]:
    """The query parameters that all searches of runs share."""
    query = [("limit", str(limit)), ("offset", str(offset))]
    if filter:
        query.append(("filter", filter))
    query += [("order_by", text) for text in ([order_by] if isinstance(order_by, str) else order_by)]
    return query


def _doubles(column: str, values: Sequence[str | float | None]) -> "list[str | float | None]":
    """A metric's non-finite values come as names; a param of that text stays text."""
    if not column.startswith("metrics."):
        return [*values]
    return [msgspec.convert(value, float | None, strict=False) for value in values]
