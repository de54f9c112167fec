"""An experiment as it changes: a stream of server-sent events (docs/formats/sse.md)."""

from typing import Literal

import msgspec
from anyio import to_thread
from litestar.response import Stream
from msgspec import Struct

from gnomon import wire
from gnomon_server.api.route import Call, route
from gnomon_server.api.times import iso_time
from gnomon_server.core.live import News, RunPoints
from gnomon_server.model.entities import Experiment, LifecycleStage, RunStatus
from gnomon_server.model.errors import AccessDenied, ExperimentNotFound, InvalidRequest, Unavailable
from gnomon_server.store.meta.live import RunLine, SeriesLine

TAG = "live"
EVENTS = "text/event-stream"

_encode = msgspec.json.Encoder().encode


class ExperimentEvent(Struct, frozen=True):
    """`experiment`: what stands above the list of its runs. `run_count` counts active ones, `running` those of them."""

    id: str
    name: str
    lifecycle_stage: LifecycleStage
    run_count: int
    running: int


class RunEvent(Struct, frozen=True):
    """`run`: a run is new, or its row, params or tags changed."""

    id: str
    name: str
    status: RunStatus
    lifecycle_stage: LifecycleStage
    start_time: str
    end_time: str | None
    duration_ms: int | None


class MetricChange(Struct, frozen=True):
    """A metric that took points: how many it has, and the one of the greatest step."""

    key: str
    n: int
    step: int | float
    value: wire.Number


class MetricsEvent(Struct, frozen=True):
    """`metrics`: a run took points. `partial`: other metrics of it did too, which are not listed."""

    run_id: str
    partial: bool
    metrics: list[MetricChange]


class ResetEvent(Struct, frozen=True):
    """`reset`: more changed than is told; whoever shows the experiment reads it again."""

    reason: Literal["behind"] = "behind"


@route(
    "GET",
    "/experiments/{experiment_id:str}/live",
    needs="runs.read",
    tag=TAG,
    media={EVENTS: "events until the client leaves: experiment, run, metrics, reset; see docs/formats/sse.md"},
    raises=[InvalidRequest, AccessDenied, ExperimentNotFound, Unavailable],
)
async def watch_experiment(call: Call[None, None]) -> Stream:
    """Watch an experiment: its runs and their latest values as they are committed, at most four times a second.

    `Last-Event-ID` resumes where an earlier stream ended; where that is too long ago, an event `reset` says so.
    """
    services = call.services
    services.streams.refuse_one_more()
    experiment = await to_thread.run_sync(services.experiments.get, call.principal, call.path("experiment_id"))
    last_id = call.request.headers.get("last-event-id")
    # Proxies that gather an answer before they pass it on would hold the events back.
    headers = {"X-Accel-Buffering": "no"}
    return Stream(services.streams.listen(call.principal, experiment, last_id), media_type=EVENTS, headers=headers)


def encode_news(news: News) -> bytes:
    """News as events, each a name and one line of JSON, without an id."""
    parts: list[bytes] = []
    if news.is_everything:
        parts.append(_event(b"reset", ResetEvent()))
    if news.experiment is not None:
        parts.append(_event(b"experiment", _experiment_event(news.experiment, news.running)))
    parts.extend(_event(b"run", _run_event(run)) for run in news.runs)
    parts.extend(_event(b"metrics", _metrics_event(points)) for points in news.points)
    return b"".join(parts)


def _event(name: bytes, data: Struct) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name, _encode(data))


def _experiment_event(experiment: Experiment, running: int) -> ExperimentEvent:
    return ExperimentEvent(
        id=experiment.uid,
        name=experiment.name,
        lifecycle_stage=experiment.lifecycle_stage,
        run_count=experiment.run_count,
        running=running,
    )


def _run_event(run: RunLine) -> RunEvent:
    return RunEvent(
        id=run.uid,
        name=run.name,
        status=run.status,
        lifecycle_stage=run.lifecycle_stage,
        start_time=iso_time(run.start_ms),
        end_time=None if run.end_ms is None else iso_time(run.end_ms),
        duration_ms=None if run.end_ms is None else max(run.end_ms - run.start_ms, 0),
    )


def _metrics_event(points: RunPoints) -> MetricsEvent:
    return MetricsEvent(
        run_id=points.run, partial=points.is_partial, metrics=[_metric_change(line) for line in points.series]
    )


def _metric_change(line: SeriesLine) -> MetricChange:
    value = float("nan") if line.value is None else line.value
    step = int(line.step) if line.step.is_integer() else line.step
    return MetricChange(key=line.key, n=line.n, step=step, value=wire.to_wire(value))


ROUTES = [watch_experiment]
