"""MLflow's wire, ours beside MLflow's own server: the same requests, byte for byte, in turns.

Writes on fresh servers (`log-batch` of 1,000 metrics, `log-metric` at 32 connections), reads on one project that both
hold (`mlflow_project.py`): `runs/search` over 10,000 runs, and a history of 100,000 points, whole and in the pages
that MLflow's client asks for. Before a read is measured both answers are compared: they must tell the same.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import cycle

from bench import servers
from bench.ingest import Contender, Load, batch_load, measure, point_load
from bench.load import Address, Outcome, drive, request
from bench.mlflow_project import Project, fill_mlflow, fill_ours
from bench.report import Result
from bench.servers import Running, scratch_home
from bench.wires import Caller, MlflowWire

_CONTENDERS: Mapping[str, Contender] = {
    "gnomon": Contender(servers.gnomon, MlflowWire, 3_000),
    "mlflow": Contender(servers.mlflow, MlflowWire, 40),
}
_BATCH_TARGET = {"mlflow": 50.0}
_POINT_TARGET = {"mlflow": 40.0}
_READ_TARGET = {"mlflow": 20.0}
_CLIENT_PAGE = 25_000  # what MLflow's client asks for when it reads a history
_SEARCH = "/api/2.0/mlflow/runs/search"

# A question: method, path, body.
Question = tuple[str, str, dict[str, object] | None]


def run(*, rounds: int = 3, seconds: float = 3.0) -> Iterator[Result]:
    servers.take_load_core()
    writes: list[tuple[str, str, int, dict[str, float], Load]] = [
        (
            f"log-batch of 1,000 metrics ({keys} key{'s' if keys > 1 else ''}), {connections} connection{plural}",
            "points/s, acknowledged",
            1_000,
            _BATCH_TARGET,
            partial(batch_load, connections=connections, size=1_000, keys=keys),
        )
        for keys, connections, plural in ((10, 1, ""), (10, 8, "s"), (1_000, 1, ""))
    ]
    writes.append(
        ("log-metric, 32 connections", "points/s, acknowledged", 1, _POINT_TARGET, partial(point_load, connections=32))
    )
    for each in writes:
        yield _write(*each, rounds=rounds, seconds=seconds)
    yield from _reads(rounds=rounds, seconds=seconds)


def _write(
    name: str, unit: str, size: int, targets: dict[str, float], load: Load, *, rounds: int, seconds: float
) -> Result:
    figures: dict[str, list[float]] = {who: [] for who in _CONTENDERS}
    notes: dict[str, str] = {}
    for _ in range(rounds):
        for who, contender in _CONTENDERS.items():
            measured = measure(contender, load, seconds=seconds)
            figures[who].append(measured.outcome.rate * size)
            notes[who] = _latency(measured.outcome) + f"; {measured.cpu_secs_per_request * 1e3:.3g} ms of CPU each"
    return Result(name, unit, figures, at_least=targets, notes=notes)


def _reads(*, rounds: int, seconds: float) -> Iterator[Result]:
    with scratch_home() as ours_home, scratch_home() as their_home, ExitStack() as stack:
        ours = stack.enter_context(servers.gnomon(ours_home))
        project, ids = fill_ours(ours.address)
        with servers.mlflow(their_home):
            pass  # makes its database
        fill_mlflow(their_home / "mlflow.db", project, ids)
        theirs = stack.enter_context(servers.mlflow(their_home))
        both = {"gnomon": ours, "mlflow": theirs}
        for name, question in _questions(project).items():
            yield _read(name, question, both, rounds=rounds, seconds=seconds)


def _questions(project: Project) -> Mapping[str, Question]:
    def search(**asked: object) -> Question:
        return "POST", _SEARCH, {"experiment_ids": [project.experiment], **asked}

    history = f"/api/2.0/mlflow/metrics/get-history?run_id={project.history_run}&metric_key=loss"
    return {
        "runs/search over 10,000: the newest 1,000": search(max_results=1_000),
        "runs/search over 10,000: the newest 100": search(max_results=100),
        "runs/search over 10,000: best 100 by a metric": search(max_results=100, order_by=["metrics.`val/loss` ASC"]),
        "runs/search over 10,000: metric, param and tag, ordered, 100": search(
            filter="metrics.loss < 5 and params.optimizer = 'adam' and tags.team = 'team-3'",
            order_by=["metrics.`val/accuracy` DESC"],
            max_results=100,
        ),
        "history of 100,000 points, whole": ("GET", history, None),
        "history of 100,000 points, the first page of MLflow's client": (
            "GET",
            f"{history}&max_results={_CLIENT_PAGE}",
            None,
        ),
    }


def _read(name: str, question: Question, both: Mapping[str, Running], *, rounds: int, seconds: float) -> Result:
    told = {who: _told(server.address, question) for who, server in both.items()}
    if told["gnomon"] != told["mlflow"]:
        raise RuntimeError(f"{name}: the two servers tell different things; the measurement would mean nothing")
    figures: dict[str, list[float]] = {who: [] for who in both}
    notes: dict[str, str] = {}
    for _ in range(rounds):
        for who, server in both.items():
            before = server.cpu_secs()
            (outcome,) = drive(server.address, [[_asked(question)]], seconds=seconds, warmup_secs=0.2)
            cpu_ms = (server.cpu_secs() - before) / outcome.sent * 1e3
            if outcome.broken or outcome.refused or not outcome.answered:
                raise RuntimeError(f"{name}: {who} answered {outcome.answered}, refused {outcome.refusals}")
            figures[who].append(outcome.rate)
            notes[who] = f"{_latency(outcome)}; {cpu_ms:.3g} ms of CPU each"
    return Result(name, "answers/s, 1 connection", figures, at_least=_READ_TARGET, notes=notes)


def _asked(question: Question) -> Iterator[bytes]:
    method, path, body = question
    return cycle([request(method, path, b"" if body is None else json.dumps(body).encode())])


def _told(address: Address, question: Question) -> object:
    """What an answer tells: all of it but where artifacts lie and in which order keys of a run come."""
    answer = Caller(address).call(*question)
    answer.pop("next_page_token", None)
    for run in answer.get("runs", []):  # type: ignore[attr-defined]
        run["info"].pop("artifact_uri")
        for pairs in run["data"].values():
            pairs.sort(key=lambda pair: pair["key"])
            for pair in pairs:
                pair.pop("run_id", None)
    return answer


def _latency(outcome: Outcome) -> str:
    return f"p50 {outcome.percentile_ms(0.5):.2f} ms, p99 {outcome.percentile_ms(0.99):.2f} ms"
