"""What requests cost as a home grows: more runs, more points in all, a longer series; ten times more each time.

The figure is the processor time that the server spends on a request, because what else the machine does hardly touches
it. Runs are added through the writer, series as the chunks that sealing leaves (10^8 points through HTTP would take the
better part of an hour); what is asked goes through HTTP. `--full` goes up to 10^6 runs and 10^8 points.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from urllib.parse import urlencode

from bench import servers
from bench.fill import GnomonHome, gnomon_home
from bench.plot import plot
from bench.project import Project, run_uid
from bench.report import RESULTS, Result
from bench.servers import scratch_home
from bench.timing import timed
from bench.wires import BASE_MS, Caller

SERIES_POINTS = 100_000
_KEYS = tuple(f"train/metric_{number}" for number in range(10))
_REPEATS = 50
_FLAT_AT_MOST = 3.0
_API = "/api/v1/experiments"


@dataclass(frozen=True, slots=True)
class Operation:
    """A request and how its cost may grow: hardly (flat, or as a logarithm), or with the size."""

    name: str
    send: Callable[[], object]
    is_flat: bool = True


@dataclass(frozen=True, slots=True)
class Growth:
    """One way to grow: the sizes, what adds the difference (from, to), and what is then asked."""

    what: str
    sizes: Sequence[int]
    add: Callable[[GnomonHome, int, int], None]
    operations: Callable[[Caller, str, int], list[Operation]]


def run(*, quick: bool = False, full: bool = False) -> list[Result]:
    servers.take_load_core()
    most_runs, most_points, longest = (10**4, 10**6, 10**5) if quick else (10**5, 10**7, 10**6)
    if full:
        most_runs, most_points, longest = 10**6, 10**8, 10**7
    growths = (
        Growth("runs", _sizes(10**3, most_runs), _add_runs, _of_runs),
        Growth("points in all", _sizes(10**5, most_points), _add_points, _of_points),
        Growth("points in one series", _sizes(10**4, longest), _add_long, _of_length),
    )
    results = [result for growth in growths for result in measure(growth)]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "cost.svg").write_text(plot({result.name: _curve(result) for result in results}))
    return results


def measure(growth: Growth) -> list[Result]:
    """Grow a home step by step; the cost of every operation at every size."""
    spent: dict[str, list[float]] = {}
    waited: dict[str, list[float]] = {}
    operations: list[Operation] = []
    with scratch_home() as home:
        for before, size in zip((0, *growth.sizes), growth.sizes, strict=False):
            with gnomon_home(home) as filled:
                growth.add(filled, before, size)
                experiment = filled.experiment
            with servers.gnomon(home) as running:
                operations = growth.operations(Caller(running.address), experiment, size)
                running.rest()
                for operation in operations:
                    found = timed(running, operation.send, repeats=_REPEATS, warm=3)
                    spent.setdefault(operation.name, []).append(found.cpu_ms)
                    waited.setdefault(operation.name, []).append(found.p50_ms)
                    print(f"    {size:,} {growth.what}: {operation.name}: {found.cpu_ms:,.2f} ms", flush=True)
    return [
        Result(
            f"{operation.name}, by {growth.what}",
            "ms of the server's processor",
            {f"{size:,}": [cost] for size, cost in zip(growth.sizes, spent[operation.name], strict=True)},
            notes={
                "growth": _judge(operation, growth.sizes, spent[operation.name]),
                "p50 at the client": " ".join(f"{ms:,.1f}" for ms in waited[operation.name]) + " ms",
            },
        )
        for operation in operations
    ]


def _judge(operation: Operation, sizes: Sequence[int], spent: Sequence[float]) -> str:
    # A clock tick over all repeats is the least that can be told from nothing.
    grown, more = spent[-1] / max(spent[0], 10 / _REPEATS), sizes[-1] / sizes[0]
    most = _FLAT_AT_MOST if operation.is_flat else more
    expected = f"flat or logarithmic: at most {most:g}" if operation.is_flat else "at most linear"
    return f"{grown:.1f} times for {more:,.0f} times the size ({expected}: {'met' if grown <= most else 'MISSED'})"


def _curve(result: Result) -> Mapping[int, float]:
    return {int(size.replace(",", "")): rounds[0] for size, rounds in result.figures.items()}


def _sizes(first: int, last: int) -> list[int]:
    found = [first]
    while found[-1] < last:
        found.append(found[-1] * 10)
    return found


def _add_runs(home: GnomonHome, before: int, size: int) -> None:
    home.add_project(Project(size, params=2, metrics=2), after=before)


def _of_runs(caller: Caller, experiment: str, size: int) -> list[Operation]:
    some = run_uid(size // 2)
    return [
        Operation("a page of 100 runs, newest first", _get(caller, "/runs", experiment_id=experiment)),
        Operation("a run, its params and latest metrics", _get(caller, f"/runs/{some}")),
        Operation("one point, durable", _logging(caller, some, "loss")),
        Operation("the keys of the experiment", _get(caller, f"/{experiment}/keys")),
        Operation(
            "a page of 100 runs sorted by a metric",
            _get(caller, "/runs", experiment_id=experiment, order_by="metrics.loss"),
        ),
        Operation(
            "a page of 100 runs of half of them, filtered by one metric and sorted by another",
            _get(caller, "/runs", experiment_id=experiment, filter="metrics.loss < 0.5", order_by="metrics.accuracy"),
            is_flat=False,
        ),
    ]


def _add_points(home: GnomonHome, before: int, size: int) -> None:
    """Series of 100,000 points, ten a run but for the first, which stands alone."""
    if before == 0:
        home.add_project(Project(1_000, params=1, metrics=1))
        home.add_series(0, 1, _KEYS[:1], points=SERIES_POINTS)
        before = SERIES_POINTS
    first, last = (points // (SERIES_POINTS * len(_KEYS)) for points in (before, size))
    if last > first:
        home.add_series(1 + first, last - first, _KEYS, points=SERIES_POINTS)


def _of_points(caller: Caller, _experiment: str, _size: int) -> list[Operation]:
    some, key = run_uid(0), _KEYS[0]
    return [
        Operation("a chart of one series of 100,000 points", _chart(caller, some, key)),
        Operation(
            "1,000 points from the middle of it",
            _get(caller, f"/runs/{some}/history", key=key, offset=50_000, limit=1_000),
        ),
        Operation("a run, its params and latest metrics", _get(caller, f"/runs/{some}")),
        Operation("one point, durable", _logging(caller, run_uid(999), "loss")),
    ]


def _add_long(home: GnomonHome, before: int, size: int) -> None:
    if before == 0:
        home.add_project(Project(1_000, params=1, metrics=1))
    home.add_series(500, 1, [f"long_{size}"], points=size)


def _of_length(caller: Caller, _experiment: str, size: int) -> list[Operation]:
    some, key = run_uid(500), f"long_{size}"
    half = size // 2
    return [
        Operation("a chart of 1,000 steps of it", _chart(caller, some, key, within=(half, half + 1_000))),
        Operation("100 points from its middle", _get(caller, f"/runs/{some}/history", key=key, offset=half, limit=100)),
        Operation("one more point, durable", _logging(caller, some, key, first=size)),
        Operation("a chart of all of it", _chart(caller, some, key), is_flat=False),
    ]


def _get(caller: Caller, path: str, **query: object) -> Callable[[], object]:
    return partial(caller.raw, "GET", f"{_API}{path}?{urlencode(query)}")


def _chart(caller: Caller, run: str, key: str, *, within: tuple[int, int] | None = None) -> Callable[[], object]:
    body: dict[str, object] = {"run_ids": [run], "keys": [key], "buckets": 1_000}
    if within is not None:
        body["range"] = within
    return partial(caller.call, "POST", f"{_API}/runs/series", body)


def _logging(caller: Caller, run: str, key: str, *, first: int = 1) -> Callable[[], object]:
    steps: Iterator[int] = count(first)

    def send() -> object:
        step = next(steps)
        body = {"metrics": {key: 0.5}, "step": step, "timestamp": BASE_MS + 1_000 * step}
        return caller.call("POST", f"{_API}/runs/{run}/log-metrics", body)

    return send
