"""Trainers that log to MLflow, unmodified: what they say of a training is what the run has here. Nightly."""

from pathlib import Path
from typing import Any

import pytest

from gnomon.client import Client
from tests.support.server_process import ServerProcess
from tests.trainers.conftest import Script

pytestmark = pytest.mark.nightly


@pytest.fixture
def mlflow_script(train: Script, heavy: Path, server: ServerProcess, tenant: str) -> Script:
    """Run a script whose MLflow is pointed at the server, and nothing else of it changed."""

    def run(name: str) -> Any:
        return train(
            name,
            python=heavy,
            MLFLOW_TRACKING_URI=server.base_url,
            MLFLOW_WORKSPACE=tenant,
            MLFLOW_DISABLE_TELEMETRY="true",
            MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
            GIT_PYTHON_REFRESH="quiet",
        )

    return run


def series(client: Client, run_id: str, key: str) -> tuple[list[float], list[float]]:
    (found,) = client.metrics.history(run_id, [key]).series
    return found.step, found.value


def test_lightning(mlflow_script: Script, client: Client) -> None:
    said = mlflow_script("mlflow_lightning")
    run = client.runs.get(said["logged"])
    assert (run.name, run.status, run.params) == ("fit", "finished", {"width": "4", "lr": "0.1"})
    assert run.tags["team"] == "risk"
    steps, values = series(client, run.id, "train/loss")
    assert steps == [*range(12)]
    assert values[-1] < values[0]
    assert len(series(client, run.id, "val/loss")[0]) == 3
    assert any(each.path.endswith(".ckpt") for each in client.artifacts.walk(run.id))
    autologged = client.runs.get(said["autologged"])
    assert autologged.status == "finished"
    assert autologged.params["optimizer_name"] == "SGD"
    assert "train/loss" in autologged.metrics
    assert said["same"]


def test_transformers(mlflow_script: Script, client: Client) -> None:
    said = mlflow_script("mlflow_transformers")
    run = client.runs.get(said["run"])
    assert (run.name, run.status) == ("tiny", "finished")
    assert (run.params["num_train_epochs"], run.params["hidden_size"]) == ("2", "16")
    losses = {entry["step"]: entry["loss"] for entry in said["history"] if "loss" in entry}
    steps, values = series(client, run.id, "loss")
    assert dict(zip(steps, values, strict=True)) == losses
    evaluated = [entry["eval_loss"] for entry in said["history"] if "eval_loss" in entry]
    assert series(client, run.id, "eval_loss")[1] == evaluated


def test_keras(mlflow_script: Script, client: Client) -> None:
    said = mlflow_script("mlflow_keras")
    run = client.runs.get(said["run"])
    assert (run.name, run.status, run.params["optimizer_name"]) == ("tiny", "finished", "adam")
    assert series(client, run.id, "loss")[1] == said["history"]["loss"]
    assert series(client, run.id, "validation_loss")[1] == said["history"]["val_loss"]
    assert said["same"]


def test_optuna(mlflow_script: Script, client: Client) -> None:
    said = mlflow_script("mlflow_optuna")
    experiment = client.experiments.find("sweep")
    assert experiment is not None
    runs = client.runs.list([experiment.id]).runs
    assert sorted(run.metrics["loss"] for run in runs) == sorted(said["values"])
    assert {run.tags["direction"] for run in runs} == {"MINIMIZE"}
    assert all(run.status == "finished" and "x" in run.params for run in runs)
