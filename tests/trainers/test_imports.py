"""The importers with files that the writers make today, nightly; TensorBoard's own reader says what is in them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gnomon.cli import cli
from gnomon.client import Client
from tests.support.server_process import ServerProcess
from tests.trainers.conftest import Script

pytestmark = pytest.mark.nightly


def imported(server: ServerProcess, tenant: str, source: str, folder: Path) -> Any:
    args = ["--url", server.base_url, "--tenant", tenant, "import", source, str(folder), "--json"]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_scalar_that_tensorboard_reads_is_there(
    train: Script, heavy: Path, client: Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    read = train("tensorboard_logs", "logs", python=heavy)
    found = imported(server, tenant, "tensorboard", tmp_path / "logs")
    runs = {run["name"]: run["run_id"] for run in found["runs"]}
    assert set(runs) == set(read)
    points = 0
    for name, series in read.items():
        history = {each.key: each for each in client.metrics.history(runs[name]).series}
        assert set(history) == set(series), name
        for tag, expected in series.items():
            each = history[tag]
            ours = [[*point] for point in zip(each.step, each.timestamp, map(repr, each.value), strict=True)]
            assert ours == expected, (name, tag)
            points += len(expected)
    assert points == found["points"]
    torch = {each.path for each in client.artifacts.walk(runs["torch"])}
    assert torch == {
        "audio/tone/8.wav",
        "media/histograms/weights/4.json",
        "media/images/picture/5.png",
        "media/images/pictures/6.png",
        "media/text/text/text_summary/7.txt",
    }
    kinds = {each["kind"] for each in found["unmapped"]}
    assert kinds == {"graph", "mesh", "profile"}
    tuned = client.runs.get(runs["torch/tuned"])
    assert (tuned.params, tuned.metrics) == ({"lr": "0.1", "layers": "2"}, {"accuracy": 0.5})


def test_a_run_that_wandb_writes_today_is_imported_with_its_artifact(
    train: Script, heavy: Path, client: Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    train("wandb_run", "runs", "3", python=heavy, WANDB_DATA_DIR=str(tmp_path / "data"))
    found = imported(server, tenant, "wandb", tmp_path / "runs")
    run = client.runs.get(found["runs"][0]["run_id"])
    assert (run.status, run.metrics["best"], len(found["runs"][0]["series"])) == ("failed", 0.25, 12)
    assert client.artifacts.read(run.id, "artifacts/model/weights.txt") == b"0.1 0.2"
    assert "artifact" not in {each["kind"] for each in found["unmapped"]}
