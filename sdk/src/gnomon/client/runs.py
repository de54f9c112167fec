"""Calls about runs: their life, what is logged to them, and comparing them.

Invariant: a point leaves here with its time. The server keeps a point of the same key, step, time and value once, so
whatever is logged may be sent again when an answer was lost; a time given by the server would make it another point.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite

import msgspec
from msgspec import UNSET

from gnomon.client.experiments import PAGE, page_query
from gnomon.client.records import Ledger, Purged, Run, RunComparison, RunEvents, RunPage
from gnomon.client.transport import Transport, path_of
from gnomon.wire import (
    BatchLog,
    BatchLogged,
    CheckedIn,
    CompareRequest,
    Direction,
    EndStatus,
    LifecycleStage,
    MetricEntry,
    MetricsLog,
    MetricsLogged,
    ParamEntry,
    ParamsLog,
    ParamsLogged,
    RunCreate,
    RunEnd,
    RunPatch,
    RunStatus,
    Scalar,
    SequencedBatch,
    SequencedBatchLogged,
    TagEntry,
    to_wire,
)


class Runs:
    """`client.runs`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Run:
        """A new run, `running`; without a name the server makes a readable one."""
        message = RunCreate(experiment_id=experiment_id, name=name, description=description, tags=dict(tags or {}))
        return self._transport.call("POST", "/experiments/runs", Run, message=message)

    def get(self, run_id: str) -> Run:
        return self._transport.call("GET", _path(run_id), Run)

    def list(
        self,
        experiment_ids: Sequence[str] = (),
        *,
        status: RunStatus | None = None,
        lifecycle_stage: LifecycleStage | None = None,
        search: str | None = None,
        filter: str | None = None,
        order_by: str | Sequence[str] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> RunPage:
        """One page of the runs of these experiments (none given: all of the tenant's).

        `search` is a part of the name; `filter` a query like `metrics.loss < 0.3 and params.opt = 'adam'`;
        `order_by` like `metrics.loss asc`, or several of them.
        """
        query = [("experiment_id", experiment_id) for experiment_id in experiment_ids]
        given = {"status": status, "lifecycle_stage": lifecycle_stage, "search": search}
        query += [(name, value) for name, value in given.items() if value is not None]
        query += page_query(filter=filter, order_by=order_by, limit=limit, offset=offset)
        return self._transport.call("GET", "/experiments/runs", RunPage, query=query)

    def iterate(
        self,
        experiment_ids: Sequence[str] = (),
        *,
        status: RunStatus | None = None,
        lifecycle_stage: LifecycleStage | None = None,
        search: str | None = None,
        filter: str | None = None,
        order_by: str | Sequence[str] = (),
        page: int = PAGE,
    ) -> Iterator[Run]:
        """All that match, page by page."""
        offset = 0
        while True:
            answer = self.list(
                experiment_ids,
                status=status,
                lifecycle_stage=lifecycle_stage,
                search=search,
                filter=filter,
                order_by=order_by,
                limit=page,
                offset=offset,
            )
            yield from answer.runs
            offset += len(answer.runs)
            if not answer.runs or offset >= answer.total:
                return

    def update(
        self,
        run_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        status: RunStatus | None = None,
    ) -> Run:
        """Change what is given; a tag set to None is removed, status `running` reopens an ended run."""
        message = RunPatch(
            name=UNSET if name is None else name,
            description=UNSET if description is None else description,
            tags=UNSET if tags is None else dict(tags),
            status=UNSET if status is None else status,
        )
        return self._transport.call("PATCH", _path(run_id), Run, message=message, repeatable=True)

    def archive(self, run_id: str) -> Run:
        """Put it away; it keeps its data and takes no more until restored."""
        return self._transport.call("DELETE", _path(run_id), Run, repeatable=True)

    def restore(self, run_id: str) -> Run:
        return self._transport.call("POST", _path(run_id, "restore"), Run, repeatable=True)

    def purge(self, run_id: str) -> Purged:
        """Remove an archived run for good, with all its points and files. There is no way back."""
        return self._transport.call("POST", _path(run_id, "purge"), Purged)

    def end(self, run_id: str, status: EndStatus = "finished", *, end_time: str | int | None = None) -> Run:
        """Say how it ended; the same end again is fine."""
        message = RunEnd(status=status, end_time=end_time)
        return self._transport.call("POST", _path(run_id, "end"), Run, message=message, repeatable=True)

    def ledger(self, run_id: str) -> Ledger:
        """What arrived from each writer that numbers its batches: how far, how many points, repeats dropped."""
        return self._transport.call("GET", _path(run_id, "ledger"), Ledger)

    def check_in(self, run_id: str) -> CheckedIn:
        """Say that the job of the run lives, and promise to say it again within `next_secs` of the answer."""
        return self._transport.call("POST", _path(run_id, "check-in"), CheckedIn, repeatable=True)

    def events(self, run_id: str, *, limit: int = PAGE, offset: int = 0) -> RunEvents:
        """What happened to the run besides what it logged, newest first: that it was lost, and that it came back."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        return self._transport.call("GET", _path(run_id, "events"), RunEvents, query=query)

    def log_metrics(
        self,
        run_id: str,
        metrics: Mapping[str, float],
        *,
        step: float = 0,
        timestamp: int | None = None,
    ) -> MetricsLogged:
        """One point of each metric, all at one step; `timestamp` is Unix milliseconds, absent means now."""
        message = MetricsLog(
            metrics={key: to_wire(float(value)) for key, value in metrics.items()},
            step=step,
            timestamp=_now_ms() if timestamp is None else timestamp,
        )
        path = _path(run_id, "log-metrics")
        return self._transport.call("POST", path, MetricsLogged, message=message, repeatable=True)

    def log_params(self, run_id: str, params: Mapping[str, Scalar]) -> ParamsLogged:
        """Params are written once: the same value again is fine, another one is `ParamConflict`."""
        message = ParamsLog(params={key: _text(value) for key, value in params.items()})
        path = _path(run_id, "log-params")
        return self._transport.call("POST", path, ParamsLogged, message=message, repeatable=True)

    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Iterable[MetricEntry] = (),
        params: Mapping[str, Scalar] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> BatchLogged:
        """Many points, params and tags at once, all or nothing; up to 10,000 entries.

        A point is `MetricEntry(key, value, step, timestamp)` of `gnomon.wire`.
        """
        now_ms = _now_ms()
        message = BatchLog(
            metrics=[_stamped(point, now_ms) for point in metrics],
            params=[ParamEntry(key, _text(value)) for key, value in (params or {}).items()],
            tags=[TagEntry(key, value) for key, value in (tags or {}).items()],
        )
        path = _path(run_id, "log-batch")
        return self._transport.call("POST", path, BatchLogged, message=message, repeatable=True)

    def log_sequenced(self, run_id: str, batch: SequencedBatch) -> SequencedBatchLogged:
        """A batch that carries its writer and sequence number: kept once, however often it is sent.

        It may begin the run (`create`). A gap in the sequence is an `ApiError` whose `expected_seq` says what lacks.
        """
        body = msgspec.msgpack.encode(batch)
        return self._transport.upload(
            _path(run_id, "batches"),
            SequencedBatchLogged,
            query=(),
            body=lambda: [body],
            length=len(body),
            content_type="application/msgpack",
        )

    def compare(
        self,
        run_ids: Sequence[str],
        *,
        metrics: Sequence[str] | None = None,
        directions: Mapping[str, Direction] | None = None,
    ) -> RunComparison:
        """2 to 10 runs side by side: the best of each metric, and the params that differ."""
        message = CompareRequest(
            run_ids=[*run_ids], metrics=None if metrics is None else [*metrics], directions=dict(directions or {})
        )
        return self._transport.call(
            "POST", "/experiments/runs/compare", RunComparison, message=message, repeatable=True
        )


def _path(run_id: str, *rest: str) -> str:
    return path_of("experiments", "runs", run_id, *rest)


def _text(value: Scalar) -> Scalar:
    """Params are kept as they are sent, so a float is sent as Python writes it: `1e-05`, not `0.00001`."""
    if not isinstance(value, float):
        return value
    return float.__repr__(value) if isfinite(value) else to_wire(value)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _stamped(point: MetricEntry, now_ms: int) -> MetricEntry:
    """The point as it goes out: with a time, and a value that JSON can say."""
    return MetricEntry(
        key=point.key,
        value=point.value if isinstance(point.value, str) else to_wire(point.value),
        step=point.step,
        timestamp=now_ms if point.timestamp is None else point.timestamp,
    )
