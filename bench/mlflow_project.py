"""One project in both servers: 10,000 runs and histories of 100,000 points, for the reads of `mlflow_wire.py`.

Ours is filled through MLflow's wire. MLflow's own server takes a hundred times longer for that, so its rows are written
into its SQLite database as its store writes them (read from what it leaves after the same requests); then both are
asked the same questions and must give the same answers, or nothing is measured.
"""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.load import Address
from bench.wires import BASE_MS, Caller

RUNS = 10_000
USER = "ada"
HISTORY_POINTS = 100_000
_METRICS = ("loss", "val/loss", "accuracy", "val/accuracy", "epoch_secs")
_PARAMS = ("lr", "batch_size", "optimizer", "depth", "seed")
_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "team", "stage")
_FILLERS = 8
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A run as it will stand in both."""

    name: str
    start_ms: int
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Project:
    """Where the data is: the experiment of the runs, and the run with the long history of `loss`."""

    experiment: str
    history_run: str


def planned_runs(count: int = RUNS) -> list[Planned]:
    dice = random.Random(7)
    runs = []
    for at in range(count):
        metrics = {key: dice.random() * 10 for key in _METRICS}
        optimizer = dice.choice(("adam", "sgd", "lion"))
        params = dict(
            zip(
                _PARAMS,
                (f"1e-{dice.randint(1, 5)}", str(2 ** dice.randint(3, 8)), optimizer, "12", str(at)),
                strict=True,
            )
        )
        tags = dict(zip(_TAGS, (USER, "train.py", "LOCAL", f"team-{at % 9}", "sweep"), strict=True))
        runs.append(Planned(f"run-{at}", BASE_MS + at * 1_000, metrics, params, tags))
    return runs


def history_values() -> list[float]:
    dice = random.Random(11)
    return [dice.random() + 100 / (at + 1) for at in range(HISTORY_POINTS)]


def fill_ours(address: Address) -> tuple[Project, list[str]]:
    """The project through MLflow's wire; with the ids of its runs in the order they were planned."""
    caller = Caller(address)
    made = caller.call("POST", "/api/2.0/mlflow/experiments/create", {"name": "search"})
    experiment = str(made["experiment_id"])
    history = _create_run(caller, "0", "long", BASE_MS, {})
    values = history_values()
    for first in range(0, HISTORY_POINTS, _BATCH):
        points = [
            {"key": "loss", "value": values[at], "timestamp": BASE_MS + at, "step": at}
            for at in range(first, first + _BATCH)
        ]
        caller.call("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": history, "metrics": points})
    runs = planned_runs()
    shares = [runs[at : at + len(runs) // _FILLERS] for at in range(0, len(runs), len(runs) // _FILLERS)]
    with ThreadPoolExecutor(len(shares)) as pool:
        ids = [
            one for share in pool.map(lambda share: _fill_share(address, experiment, share), shares) for one in share
        ]
    return Project(experiment, history), ids


def _fill_share(address: Address, experiment: str, share: Sequence[Planned]) -> list[str]:
    caller = Caller(address)
    ids = []
    for run in share:
        made = _create_run(caller, experiment, run.name, run.start_ms, run.tags)
        metrics = [
            {"key": key, "value": value, "timestamp": run.start_ms, "step": 1} for key, value in run.metrics.items()
        ]
        params = [{"key": key, "value": value} for key, value in run.params.items()]
        body = {"run_id": made, "metrics": metrics, "params": params}
        caller.call("POST", "/api/2.0/mlflow/runs/log-batch", body)
        ids.append(made)
    return ids


def _create_run(caller: Caller, experiment: str, name: str, start_ms: int, tags: dict[str, str]) -> str:
    body = {
        "experiment_id": experiment,
        "user_id": USER,
        "run_name": name,
        "start_time": start_ms,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    run = caller.call("POST", "/api/2.0/mlflow/runs/create", body)["run"]
    assert isinstance(run, dict)
    return str(run["info"]["run_id"])


def fill_mlflow(database: Path, project: Project, ids: Sequence[str]) -> None:
    """The same rows in the database of an MLflow server that has been started once and stopped."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
            " last_update_time) VALUES (?, ?, ?, 'active', ?, ?)",
            [(int(project.experiment), "search", "mlflow-artifacts:/search", BASE_MS, BASE_MS)],
        )
        for ids_of, runs, experiment in (
            (ids, planned_runs(), project.experiment),
            ([project.history_run], [Planned("long", BASE_MS, {}, {}, {})], "0"),
        ):
            _fill_runs(connection, list(zip(ids_of, runs, strict=True)), int(experiment))
        connection.executemany(_POINT, _history_rows(project.history_run))
        last = history_values()[-1]
        connection.execute(
            _LATEST, ("loss", last, BASE_MS + HISTORY_POINTS - 1, project.history_run, HISTORY_POINTS - 1)
        )


_POINT = "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
_LATEST = "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"


def _fill_runs(connection: sqlite3.Connection, runs: Sequence[tuple[str, Planned]], experiment: int) -> None:
    connection.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
        " source_version, lifecycle_stage, artifact_uri, experiment_id)"
        " VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, '', 'active', ?, ?)",
        [(uid, run.name, USER, run.start_ms, f"mlflow-artifacts:/{experiment}/{uid}", experiment) for uid, run in runs],
    )
    points = [(key, value, run.start_ms, uid, 1) for uid, run in runs for key, value in run.metrics.items()]
    connection.executemany(_POINT, points)
    connection.executemany(_LATEST, points)
    pairs = [(key, value, uid) for uid, run in runs for key, value in run.params.items()]
    connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", pairs)
    tags = [(key, value, uid) for uid, run in runs for key, value in {**run.tags, "mlflow.runName": run.name}.items()]
    connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)


def _history_rows(run: str) -> Iterator[tuple[str, float, int, str, int]]:
    for at, value in enumerate(history_values()):
        yield "loss", value, BASE_MS + at, run, at
