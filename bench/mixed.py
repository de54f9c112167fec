"""Writing and searching at once: 32 writers of 100-point batches while 2 clients search 10,000 runs.

Each side is measured alone and then together, on the same server, which has both cores here: on one core, two loads
that each fill it could never both keep more than half. Ours is written to as the SDK does it. At the end every
acknowledged point is looked for.

MLflow takes up to half a minute for a batch under this load, so its three measurements are cut after a quarter of a
minute each and what is then under way is waited for; that is two of the three minutes that all of it takes.
"""

import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path

from bench import servers
from bench.fill import MlflowHome, gnomon_home
from bench.load import Address, Outcome, Requests, drive, request
from bench.project import Project
from bench.report import Result
from bench.search import SELECTIVE
from bench.servers import Running, scratch_home
from bench.wires import Caller, ColumnsWire, MlflowWire, Wire, endless_batches

WRITERS, SEARCHERS = 32, 2
BATCH = 100
_BATCHES_A_RUN = 400
_TARGET = {"gnomon, alone": 0.5}


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, how to fill and to ask it, and how many batches it can take in a second at the very most."""

    start: Callable[[Path], AbstractContextManager[Running]]
    fill: Callable[[Path, Project], str]
    speak: Callable[[Address], Wire]
    search: Callable[[str], bytes]
    count: Callable[[Running, Sequence[str]], int]
    most_batches_per_sec: int
    longest_secs: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What the writers and the searchers saw, alone and together."""

    writes_alone: Outcome
    searches_alone: Outcome
    writes: Outcome
    searches: Outcome
    lost: int


def run(*, rounds: int = 3, seconds: float = 4.0, quick: bool = False) -> list[Result]:
    servers.take_all_cores()
    project = Project(1_000 if quick else 10_000)
    found = {"gnomon": measure(_GNOMON, project, rounds=rounds, seconds=seconds)}
    found["mlflow"] = measure(_MLFLOW, project, rounds=1, seconds=seconds)
    for each in found["gnomon"]:
        _refuse_losses(each)
    written = {who: [each.writes.rate * BATCH for each in measured] for who, measured in found.items()}
    writes_alone = {who: [each.writes_alone.rate * BATCH for each in measured] for who, measured in found.items()}
    searched = {who: [each.searches.rate for each in measured] for who, measured in found.items()}
    searches_alone = {who: [each.searches_alone.rate for each in measured] for who, measured in found.items()}
    load = f"{WRITERS} writers of {BATCH}-point batches and {SEARCHERS} clients that search {project.runs:,} runs"
    return [
        Result(
            f"{load}: writing",
            "points/s",
            _beside(written, writes_alone),
            at_least=_TARGET,
            notes=_fates(found) | _theirs_alone(writes_alone),
        ),
        Result(
            f"{load}: searching",
            "searches/s",
            _beside(searched, searches_alone),
            at_least=_TARGET,
            notes=_theirs_alone(searches_alone),
        ),
    ]


def measure(contender: Contender, project: Project, *, rounds: int, seconds: float) -> list[Measured]:
    with scratch_home() as home:
        _say(f"filling a home with {project.runs:,} runs")
        experiment = contender.fill(home, project)
        with contender.start(home) as running:
            running.rest()
            return [_round(contender, running, experiment, seconds) for _ in range(rounds)]


def _say(text: str) -> None:
    print(f"   {text}", file=sys.stderr, flush=True)


def _round(contender: Contender, running: Running, experiment: str, seconds: float) -> Measured:
    wire = contender.speak(running.address)
    bodies = wire.batches(BATCH, _BATCHES_A_RUN, keys=10)
    # Twice: alone and together. No connection gets more than double its share of the time.
    a_writer = 2 + int(2 * 2 * contender.most_batches_per_sec * (seconds + 1) / WRITERS / _BATCHES_A_RUN)
    runs = [wire.make_runs(a_writer) for _ in range(WRITERS)]
    writers = [endless_batches(bodies, mine) for mine in runs]
    searchers: list[Requests] = [repeat(contender.search(experiment)) for _ in range(SEARCHERS)]
    run = partial(drive, running.address, seconds=seconds, longest_secs=contender.longest_secs)
    _say("writing alone")
    (writes_alone,) = run([writers])
    _say("searching alone")
    (searches_alone,) = run([searchers])
    _say("writing and searching")
    writes, searches = run([writers, searchers])
    acknowledged = BATCH * (writes_alone.acknowledged + writes.acknowledged)
    found = contender.count(running, [run_id for mine in runs for run_id in mine])
    return Measured(writes_alone, searches_alone, writes, searches, acknowledged - found)


def _refuse_losses(each: Measured) -> None:
    outcomes = (each.writes_alone, each.searches_alone, each.writes, each.searches)
    if any(outcome.refused or outcome.broken for outcome in outcomes) or each.lost:
        refusals = [refusal for outcome in outcomes for refusal in outcome.refusals]
        raise RuntimeError(f"{each.lost} acknowledged points are lost; refusals: {refusals}")


def _beside(together: Mapping[str, list[float]], alone: Mapping[str, list[float]]) -> dict[str, list[float]]:
    return {"gnomon": together["gnomon"], "gnomon, alone": alone["gnomon"], "mlflow": together["mlflow"]}


def _theirs_alone(alone: Mapping[str, list[float]]) -> dict[str, str]:
    return {"alone": f"MLflow alone {alone['mlflow'][0]:,.1f}"}


def _fates(found: Mapping[str, Sequence[Measured]]) -> dict[str, str]:
    notes = {}
    for who, measured in found.items():
        refused = sum(each.writes.refused + each.searches.refused for each in measured)
        broken = sum(each.writes.broken + each.searches.broken for each in measured)
        lost = sum(each.lost for each in measured)
        p99 = max(each.writes.percentile_ms(0.99) for each in measured)
        search_p99 = max(each.searches.percentile_ms(0.99) for each in measured)
        notes[who] = (
            f"{refused} refused, {broken} connections broken, {lost} acknowledged points lost;"
            f" p99 of a batch {p99:,.0f} ms, of a search {search_p99:,.0f} ms"
        )
    return {"check": "; ".join(f"{who}: {said}" for who, said in notes.items())}


def _fill_gnomon(home: Path, project: Project) -> str:
    with gnomon_home(home) as filled:
        filled.add_project(project)
        return filled.experiment


def _fill_mlflow(home: Path, project: Project) -> str:
    made = MlflowHome(home)
    made.add_project(project)
    return made.experiment


def _count_gnomon(running: Running, runs: Sequence[str]) -> int:
    """How many points the runs have, asked of the server."""
    caller = Caller(running.address)
    return sum(_totals(caller, run_id) for run_id in runs)


def _totals(caller: Caller, run_id: str) -> int:
    series = caller.call("GET", f"/api/v1/experiments/runs/{run_id}/history?limit=1")["series"]
    assert isinstance(series, list)
    return sum(int(each["total"]) for each in series)


def _count_mlflow(running: Running, runs: Sequence[str]) -> int:
    """The same, from its table: its API would have to send every point."""
    with closing(sqlite3.connect(running.home / "mlflow.db", timeout=60)) as database:
        query = "select count(*) from metrics where run_uuid = ?"
        return sum(int(database.execute(query, (run_id,)).fetchone()[0]) for run_id in runs)


_GNOMON = Contender(
    start=partial(servers.gnomon, is_pinned=False),
    fill=_fill_gnomon,
    speak=ColumnsWire,
    search=lambda experiment: request(*SELECTIVE.to_gnomon(experiment)),
    count=_count_gnomon,
    most_batches_per_sec=5_000,
    longest_secs=30,
)
_MLFLOW = Contender(
    start=partial(servers.mlflow, is_pinned=False),
    fill=_fill_mlflow,
    speak=MlflowWire,
    search=lambda experiment: request(*SELECTIVE.to_mlflow(experiment)),
    count=_count_mlflow,
    most_batches_per_sec=60,
    longest_secs=15,
)
