"""The tools of `gnomon mcp`: each a question to the server, with an answer that fits into a conversation.

Every list has a bound, and says how many there are in all. They read; `write` adds the one that sets tags.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

import gnomon
from gnomon.agents.summary import summarise
from gnomon.client import Client
from gnomon.client.records import ReducedSeries
from gnomon.errors import GnomonError
from gnomon.wire import ExperimentResponse

MAX_ROWS, MAX_KEYS, MAX_METRICS = 50, 100, 10
_BUCKETS = 500
_PAGE, _MAX_PAGES = 100_000, 20
_INSTRUCTIONS = (
    "Read the experiments of a Gnomon server. Begin with list_experiments, then describe_experiment for the names of"
    " its metrics and params, then search_runs with a filter such as metrics.loss.min < 0.3 and params.opt = 'adam'."
    " summarise_metrics tells the shape of curves; compare_runs sets runs side by side."
)
Answer = dict[str, Any]  # what JSON can say: the protocol's own type of a structured answer
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def build_server(client: Client, *, write: bool = False) -> MCPServer[None]:
    """The server of the tools over one client."""
    server: MCPServer[None] = MCPServer("gnomon", instructions=_INSTRUCTIONS, version=gnomon.__version__)
    tools = Tools(client)
    for read in (
        tools.list_experiments,
        tools.describe_experiment,
        tools.search_runs,
        tools.get_run,
        tools.compare_runs,
        tools.summarise_metrics,
        tools.list_artifacts,
    ):
        server.tool(annotations=_READS)(_in_a_sentence(read))
    if write:
        server.tool(annotations=_WRITES)(_in_a_sentence(tools.tag_run))
    return server


class Tools:
    """The questions, over one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list_experiments(self, search: str = "", limit: int = 20) -> Answer:
        """List experiments, newest first; `search` is a part of the name. At most 50 at once."""
        page = self._client.experiments.list(search=search or None, limit=_within(limit))
        return {
            "total": page.total,
            "experiments": [
                {"id": one.id, "name": one.name, "runs": one.run_count, "description": one.description[:200]}
                for one in page.experiments
            ],
        }

    def describe_experiment(self, experiment: str) -> Answer:
        """The metrics, params and tags of an experiment (name or id), and how many of its runs have each."""
        found = self._experiment(experiment)
        kinds: Answer = {}
        for kind in ("metric", "param", "tag"):
            page = self._client.experiments.keys(found.id, kind=kind, limit=MAX_KEYS)
            kinds[f"{kind}s"] = {
                "total": page.total,
                "runs_that_have": {key.key: key.runs for key in page.keys},
            }
        return {"id": found.id, "name": found.name, "runs": found.run_count, **kinds}

    def search_runs(
        self,
        experiment: str,
        filter: str = "",
        order_by: str = "start_time desc",
        columns: list[str] | None = None,
        limit: int = 20,
    ) -> Answer:
        """Runs of an experiment as a table.

        `filter`: metrics.loss.min < 0.3 and params.opt = 'adam' and status = 'finished'. `order_by`: metrics.loss.min
        asc. `columns`: name, status, start_time, duration, metrics.<key>.<last|min|max|mean|first|n>, params.<key>,
        tags.<key>. At most 50 runs at once; `total` counts all that fit.
        """
        found = self._experiment(experiment)
        wanted = (columns or ["name", "status", "start_time"])[:20]
        table = self._client.experiments.table(
            found.id, wanted, filter=filter or None, order_by=[order_by] if order_by else (), limit=_within(limit)
        )
        rows = [
            {"run_id": run, **{name: _plain(values[row]) for name, values in table.columns.items()}}
            for row, run in enumerate(table.run_ids)
        ]
        return {"total": table.total, "runs": rows}

    def get_run(self, run_id: str) -> Answer:
        """A run: status, times, params, tags, and the latest value of each metric (100 of each at most)."""
        run = self._client.runs.get(run_id)
        return {
            "id": run.id,
            "experiment_id": run.experiment_id,
            "name": run.name,
            "status": run.status,
            "start_time": run.start_time,
            "end_time": run.end_time,
            "created_by": run.created_by,
            "params": _some(run.params),
            "tags": _some({key: value[:500] for key, value in run.tags.items()}),
            "metrics": _some({key: _plain(value) for key, value in run.metrics.items()}),
        }

    def compare_runs(self, run_ids: list[str], metrics: list[str] | None = None) -> Answer:
        """Two to ten runs side by side: the best of each metric, and the params in which they differ."""
        compared = self._client.runs.compare(run_ids, metrics=metrics)
        by_metric = compared.comparison.metric_comparison
        return {
            "runs": {run.run_id: run.name for run in compared.runs},
            "best_run": compared.comparison.best_run,
            "metrics": _some({key: _plain(msgspec.to_builtins(one)) for key, one in by_metric.items()}),
            "params_that_differ": _some(compared.comparison.param_differences),
        }

    def summarise_metrics(self, run_id: str, keys: list[str]) -> Answer:
        """What curves look like: extremes and where, the trend of the last third, spikes, where NaN began.

        At most ten metrics at once. Exact for extremes, first, last and counts; spikes and trend are judged on 500
        parts of the curve.
        """
        wanted = keys[:MAX_METRICS]
        found = self._client.metrics.series([run_id], wanted, buckets=_BUCKETS)
        summaries = [
            _plain(msgspec.to_builtins(summarise(one, not_finite_from=self._onset(one)))) for one in found if one.n
        ]
        known = {one.key for one in found if one.n}
        return {"metrics": summaries, "without_points": [key for key in wanted if key not in known]}

    def list_artifacts(self, run_id: str, path: str = "") -> Answer:
        """The files and folders of a run below `path`, 50 at most."""
        found = self._client.artifacts.list(run_id, path)
        entries = [msgspec.to_builtins(entry) for entry in found.artifacts]
        return {"total": len(entries), "artifacts": entries[:MAX_ROWS]}

    def tag_run(self, run_id: str, tags: dict[str, str]) -> Answer:
        """Set tags of a run, such as a verdict about it; at most 20 at once."""
        if not 1 <= len(tags) <= 20:
            raise GnomonError("give 1 to 20 tags")
        run = self._client.runs.update(run_id, tags=tags)
        return {"id": run.id, "tags": _some(run.tags)}

    def _experiment(self, reference: str) -> ExperimentResponse:
        found = self._client.experiments.find(reference)
        return self._client.experiments.get(reference) if found is None else found

    def _onset(self, series: ReducedSeries) -> float | None:
        """The step of the first value that is not finite; None when there is none among the first two million."""
        if not series.nonfinite:
            return None
        for page in range(_MAX_PAGES):
            history = self._client.metrics.history(series.run_id, [series.key], limit=_PAGE, offset=page * _PAGE)
            for points in history.series:
                for step, value in zip(points.step, points.value, strict=True):
                    if value - value != 0:  # NaN and the infinities alone
                        return float(step)
        return None


def _in_a_sentence(tool: Callable[..., Answer]) -> Callable[..., Answer]:
    """The tool, whose errors are what the server said: an agent reads them and asks again."""

    @functools.wraps(tool)
    def asked(*args: object, **named: object) -> Answer:
        try:
            return tool(*args, **named)
        except GnomonError as error:
            raise ToolError(str(error)) from None

    return asked


def _within(limit: int) -> int:
    return min(max(limit, 1), MAX_ROWS)


def _some(entries: Mapping[str, object]) -> Answer:
    """The first hundred entries, and how many there are when that is not all."""
    if len(entries) <= MAX_KEYS:
        return dict(entries)
    return {**dict(list(entries.items())[:MAX_KEYS]), "…": f"{len(entries)} in all"}


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinities: they are said by name."""
    if isinstance(value, float) and value - value != 0:
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value
