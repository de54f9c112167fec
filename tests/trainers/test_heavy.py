"""The heavy libraries, nightly: what they say of a training is what the run has."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gnomon.cli import cli
from gnomon.client import Client
from tests.support.server_process import ServerProcess
from tests.trainers.conftest import Script

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("package", ["lightning", "pytorch_lightning"])
def test_lightning(train: Script, heavy: Path, client: Client, package: str) -> None:
    said = train("lightning_fit", package, python=heavy)
    run = client.runs.get(said["run"])
    assert (run.name, run.status, run.params) == ("fit", "finished", {"width": "4", "lr": "0.1"})
    (loss,) = client.metrics.history(run.id, ["train/loss"]).series
    assert loss.step == [*range(12)]
    assert loss.value[-1] < loss.value[0]
    assert len(client.metrics.history(run.id, ["val/loss"]).series[0].step) == 3
    assert "test/loss" in run.metrics
    (checkpoint,) = client.artifacts.walk(run.id)
    assert checkpoint.path.startswith("checkpoints/")
    assert client.runs.get(said["failing"]).status == "failed"


def test_transformers(train: Script, heavy: Path, client: Client) -> None:
    said = train("transformers_train", python=heavy)
    run = client.runs.get(said["run"])
    assert (run.status, run.params["args/num_train_epochs"], run.params["model/hidden_size"]) == ("finished", "2", "16")
    losses = {entry["step"]: entry["loss"] for entry in said["history"] if "loss" in entry}
    (series,) = client.metrics.history(run.id, ["train/loss"]).series
    assert dict(zip(series.step, series.value, strict=True)) == losses
    (evaluated,) = client.metrics.history(run.id, ["eval/loss"]).series
    assert evaluated.value == [entry["eval_loss"] for entry in said["history"] if "eval_loss" in entry]
    assert "test/loss" in run.metrics
    folders = {Path(each.path).parent.name for each in client.artifacts.walk(run.id)}
    assert {"checkpoint-4", "checkpoint-8"} <= folders


def test_keras(train: Script, heavy: Path, client: Client) -> None:
    said = train("keras_fit", python=heavy)
    run = client.runs.get(said["run"])
    assert (run.status, run.params["optimizer/name"], run.params["fit/epochs"]) == ("finished", "adam", "3")
    for key, values in said["history"].items():
        (series,) = client.metrics.history(run.id, [key]).series
        assert (series.step, series.value) == ([0, 1, 2], values)
    assert run.metrics["test/loss"] == said["test"][0]
    assert client.metrics.history(run.id, ["batch/loss"]).series[0].step == [*range(2, 19, 2)]


def test_catboost(train: Script, heavy: Path, client: Client) -> None:
    said = train("catboost_fit", python=heavy)
    run = client.runs.get(said["run"])
    assert (run.status, run.params["depth"], run.metrics["best_iteration"]) == ("finished", "3", said["best"])
    for data, metrics in said["results"].items():
        for metric, values in metrics.items():
            (series,) = client.metrics.history(run.id, [f"{data}/{metric}"]).series
            assert (series.step, series.value) == ([*range(8)], values)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_data_loader_log_every_row_of_every_epoch(
    train: Script, heavy: Path, client: Client, server: ServerProcess, tenant: str, tmp_path: Path, method: str
) -> None:
    said = train("torch_dataloader", method, python=heavy)
    sent = CliRunner().invoke(
        cli, ["--url", server.base_url, "--tenant", tenant, "sync", str(tmp_path / "spool"), "--json"]
    )
    assert sent.exit_code == 0, sent.output
    found = {each.key: each for each in client.metrics.history(said["run"]).series}
    assert found["sum"].step == [*range(40)]
    rows: dict[int, list[float]] = {}
    for name, series in found.items():
        if name.startswith("loaded/"):
            rows.setdefault(int(name.partition("{")[0].removeprefix("loaded/")), []).extend(series.value)
    assert rows == {index: [float(index)] * 2 for index in range(said["rows"])}
    assert client.runs.get(said["run"]).status == "finished"


def test_a_watched_model_of_pytorch(train: Script, heavy: Path, client: Client) -> None:
    said = train("wandb_watch", python=heavy)
    run = client.runs.get(said["id"])
    files = [each.path for each in client.artifacts.walk(run.id)]
    found = sorted(path.removeprefix("media/histograms/") for path in files if path.startswith("media/"))
    watched = [f"{name}/{step}.json" for name in ("0.weight", "1.bias", "1.weight") for step in (1, 3)]
    assert found == sorted(
        [
            *(f"gradients/{each}" for each in watched),
            *(f"parameters/{each}" for each in watched),
            *(f"gradients/graph_1weight/{step}.json" for step in range(4)),
        ]
    )
    kept = json.loads(client.artifacts.read(run.id, "media/histograms/gradients/1.weight/3.json"))
    gradient = [value for row in said["gradients"][3] for value in row]
    assert (sum(kept["counts"]), kept["min"], kept["max"]) == (8, min(gradient), max(gradient))
