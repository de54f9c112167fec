"""`gnomon demo` as a newcomer runs it: a program of its own against a real server."""

import io
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image
from tests.api.test_client_docs import DOCS, run_page
from tests.support.server_process import ServerProcess

from gnomon.client import Client
from gnomon.client.records import Run
from gnomon.demo import EPOCHS, KILLED_AFTER_EPOCHS, Summary
from gnomon.demo_train import CLASSES, HIDDEN_UNITS


def demo(server: ServerProcess, *options: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "GNOMON_URL": server.base_url}
    return subprocess.run(
        [sys.executable, "-m", "gnomon", "demo", *options], env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A new one, as a newcomer has it: the default tenant is empty."""
    running = ServerProcess(tmp_path_factory.mktemp("newcomer") / "home").start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture(scope="module")
def summary(server: ServerProcess) -> Summary:
    done = demo(server, "--if-empty", "--json")
    assert done.returncode == 0, done.stderr
    assert "[26/26] adam-lr0.0003-s2 killed" in done.stderr
    return msgspec.json.decode(done.stdout, type=Summary)


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[Client]:
    with Client(server.base_url) as client:
        yield client


@pytest.fixture(scope="module")
def runs(client: Client, summary: Summary) -> dict[str, Run]:
    return {run.name: run for run in client.runs.iterate([summary.experiment_id])}


def test_two_dozen_runs_finish_one_diverges_and_one_is_killed(summary: Summary, runs: dict[str, Run]) -> None:
    assert summary.runs == {"finished": 24, "failed": 1, "killed": 1}
    assert len(runs) == 26
    assert {run.status for run in runs.values()} == {"finished", "failed", "killed"}
    assert {run.params["optimiser"] for run in runs.values()} == {"sgd", "momentum", "nesterov", "adam"}
    assert all(run.end_time is not None for run in runs.values())


def test_the_networks_really_learned(client: Client, summary: Summary, runs: dict[str, Run]) -> None:
    accuracies = {run.name: run.metrics["val/accuracy"] for run in runs.values() if run.status == "finished"}
    assert summary.best is not None
    assert summary.best.accuracy == max(accuracies.values()) > 0.95
    assert min(accuracies.values()) > 0.8, "every setting learns, some slowly"
    (loss,) = client.metrics.history(summary.best.run_id, ["train/loss"]).series
    assert (loss.total, loss.value[-1] < 0.1 < loss.value[0]) == (EPOCHS, True)


def test_what_the_server_keeps_is_what_was_logged(client: Client, summary: Summary, runs: dict[str, Run]) -> None:
    points = 0
    for run in runs.values():
        points += sum(series.total for series in client.metrics.history(run.id, limit=1).series)
    assert points == summary.points > 60_000
    best = runs["adam-lr0.01-s0"]
    (batches,) = client.metrics.history(best.id, ["batch/loss"]).series
    assert batches.step == list(range(len(batches.step)))
    assert len(batches.step) > 2_000


def test_the_diverging_run_has_real_nan(client: Client, runs: dict[str, Run]) -> None:
    run = runs["sgd-lr30-s0"]
    assert run.status == "failed"
    (loss,) = client.metrics.history(run.id, ["batch/loss"]).series
    first = next(place for place, value in enumerate(loss.value) if not math.isfinite(value))
    assert first > 10, "it was finite, and grew"
    assert max(value for value in loss.value[:first]) > 1e6
    assert all(math.isnan(value) for value in loss.value[first + 1 :])


def test_the_killed_run_stopped_part_way(client: Client, runs: dict[str, Run]) -> None:
    run = runs["adam-lr0.0003-s2"]
    (epochs,) = client.metrics.history(run.id, ["epoch"]).series
    assert KILLED_AFTER_EPOCHS <= epochs.value[-1] < int(run.params["epochs"]) - 1
    assert epochs.value == [float(number) for number in range(len(epochs.value))], "what was answered is there"


def test_each_finished_run_has_its_picture_and_its_model(
    client: Client, summary: Summary, runs: dict[str, Run]
) -> None:
    assert summary.artifacts == 48
    for run in runs.values():
        paths = {artifact.path for artifact in client.artifacts.walk(run.id)}
        assert paths == ({"plots/confusion_matrix.png", "models/model.npz"} if run.status == "finished" else set())
    run = runs["momentum-lr0.03-s1"]
    with Image.open(io.BytesIO(client.artifacts.read(run.id, "plots/confusion_matrix.png"))) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
    with np.load(io.BytesIO(client.artifacts.read(run.id, "models/model.npz")), allow_pickle=False) as model:
        assert {name: model[name].shape for name in model.files} == {
            "w1": (64, HIDDEN_UNITS),
            "b1": (HIDDEN_UNITS,),
            "w2": (HIDDEN_UNITS, CLASSES),
            "b2": (CLASSES,),
        }


def test_it_is_loaded_once(server: ServerProcess, client: Client, summary: Summary, runs: dict[str, Run]) -> None:
    again = demo(server, "--if-empty", "--json")
    assert again.returncode == 0
    assert msgspec.json.decode(again.stdout) == {
        "experiment": "digits",
        "experiment_id": summary.experiment_id,
        "loaded": False,
    }
    refused = demo(server)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "exists already; give another name with --experiment" in refused.stderr
    assert client.runs.list([summary.experiment_id]).total == len(runs)


def test_the_tutorial_works_as_it_is_written(server: ServerProcess, summary: Summary, tmp_path: Path) -> None:
    out = run_page(DOCS / "tutorial.md", url=server.base_url, directory=tmp_path)
    assert summary.experiment in out
    assert out.count('"loss"') >= 1
    assert "it learned" in out
    assert "best            by python" in out or "best  by python" in out
    assert "sgd-lr30-s0 · batch/loss" in out
