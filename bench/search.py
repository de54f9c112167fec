"""Finding runs: filter, order, exact total and a page of 100, over 100,000 runs of 20 params and 20 metrics.

MLflow is asked the same of the first 10,000 of these runs, with ours beside it at that size; it has no total to give.
The pages are compared with each other and with what the values say, so nobody is fast by answering something else.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import numpy as np

from bench import servers
from bench.fill import MlflowHome, gnomon_home
from bench.project import Project, run_uid
from bench.report import Result
from bench.servers import Running, scratch_home
from bench.timing import Timed, timed
from bench.wires import Caller

PAGE = 100
_REPEATS = 15
_TARGET_MS = 60.0


@dataclass(frozen=True, slots=True)
class Search:
    filter: str
    order: str

    def to_gnomon(self, experiment: str) -> tuple[str, str]:
        """Method and path of the request."""
        asked = {"experiment_id": experiment, "limit": PAGE, "order_by": self.order}
        return "GET", f"/api/v1/experiments/runs?{urlencode(asked | ({'filter': self.filter} if self.filter else {}))}"

    def to_mlflow(self, experiment: str) -> tuple[str, str, bytes]:
        """Method, path and body of the request."""
        body = {"experiment_ids": [experiment], "filter": self.filter, "order_by": [self.order], "max_results": PAGE}
        return "POST", "/api/2.0/mlflow/runs/search", json.dumps(body).encode()

    def of_gnomon(self, caller: Caller, experiment: str) -> tuple[int, list[str]]:
        """The total and the ids of the page."""
        found = json.loads(caller.raw(*self.to_gnomon(experiment)))
        return found["total"], [one["id"] for one in found["runs"]]

    def of_mlflow(self, caller: Caller, experiment: str) -> list[str]:
        found = json.loads(caller.raw(*self.to_mlflow(experiment)))
        return [one["info"]["run_id"] for one in found["runs"]]


SELECTIVE = Search("metrics.loss < 0.3 and params.optimizer = 'adam'", "metrics.accuracy DESC")
SEARCHES: Mapping[str, Search] = {
    "metric and param filter, sorted by another metric": SELECTIVE,
    "no filter, sorted by a metric": Search("", "metrics.accuracy DESC"),
    "param like a pattern, newest first": Search("params.param_3 LIKE 'value-1%'", "attributes.start_time DESC"),
}


def run(*, rounds: int = 3, quick: bool = False) -> list[Result]:
    servers.take_load_core()
    large, small = Project(5_000 if quick else 100_000), Project(1_000 if quick else 10_000)
    return [*_beside_mlflow(small, rounds), *_at_size(large, rounds)]


def _at_size(project: Project, rounds: int) -> list[Result]:
    with ExitStack() as stack:
        home = stack.enter_context(scratch_home())
        with gnomon_home(home) as filled:
            filled.add_project(project)
            experiment = filled.experiment
        running = stack.enter_context(servers.gnomon(home))
        caller = Caller(running.address)
        _check(SELECTIVE.of_gnomon(caller, experiment), project)
        found = {
            name: _rounds(running, partial(search.of_gnomon, caller, experiment), rounds)
            for name, search in SEARCHES.items()
        }
    return [
        Result(
            f"{_size(project)}: {name}",
            "ms, p50 at the client",
            {"gnomon": [each.p50_ms for each in measured]},
            at_most=_TARGET_MS,
            notes={"processor of the server": f"{min(each.cpu_ms for each in measured):,.1f} ms"},
        )
        for name, measured in found.items()
    ]


def _beside_mlflow(project: Project, rounds: int) -> list[Result]:
    with ExitStack() as stack:
        homes = [stack.enter_context(scratch_home()) for _ in range(2)]
        with gnomon_home(homes[0]) as filled:
            filled.add_project(project)
            experiment = filled.experiment
        peer = MlflowHome(homes[1])
        peer.add_project(project)
        ours, theirs = stack.enter_context(servers.gnomon(homes[0])), stack.enter_context(servers.mlflow(homes[1]))
        theirs.rest()
        our_caller, their_caller = Caller(ours.address), Caller(theirs.address)
        results = []
        for name, search in SEARCHES.items():
            _check_same(name, search.of_gnomon(our_caller, experiment)[1], search.of_mlflow(their_caller, "1"))
            results.append(
                _compare(
                    f"{_size(project)}: {name}",
                    (ours, partial(search.of_gnomon, our_caller, experiment)),
                    (theirs, partial(search.of_mlflow, their_caller, "1")),
                    rounds,
                )
            )
        return results


def _compare(
    name: str, ours: tuple[Running, Callable[[], object]], theirs: tuple[Running, Callable[[], object]], rounds: int
) -> Result:
    found: dict[str, list[Timed]] = {"gnomon": [], "mlflow": []}
    for _ in range(rounds):
        found["gnomon"].append(timed(*ours, repeats=_REPEATS))
        found["mlflow"].append(timed(*theirs, repeats=3))
    cpu = {who: min(each.cpu_ms for each in measured) for who, measured in found.items()}
    return Result(
        name,
        "ms, p50 at the client",
        {who: [each.p50_ms for each in measured] for who, measured in found.items()},
        notes={"processor of the server": f"{cpu['gnomon']:,.1f} ms, MLflow's {cpu['mlflow']:,.0f} ms"},
        is_cost=True,
    )


def _rounds(running: Running, call: Callable[[], object], rounds: int) -> list[Timed]:
    return [timed(running, call, repeats=_REPEATS) for _ in range(rounds)]


def _size(project: Project) -> str:
    return f"{project.runs:,} runs x {project.params} params x {project.metrics} metrics"


def _check(found: tuple[int, list[str]], project: Project) -> None:
    """The total and the page of `SELECTIVE`, counted here from the values themselves."""
    loss, accuracy, is_adam = [], [], []
    for block in project.blocks():
        values = block.values[: len(block)]
        loss.append(values[:, 0])
        accuracy.append(values[:, 1])
        is_adam.append([params[0] == "adam" for params in block.params])
    matching = np.flatnonzero((np.concatenate(loss) < 0.3) & np.concatenate(is_adam))
    order = matching[np.argsort(-np.concatenate(accuracy)[matching], kind="stable")]
    if found != (len(order), [run_uid(int(number)) for number in order[:PAGE]]):
        raise RuntimeError("the search answered other runs than the values say")


def _check_same(name: str, ours: list[str], theirs: list[str]) -> None:
    if ours != theirs:
        raise RuntimeError(f"{name}: the two servers answered different pages")
