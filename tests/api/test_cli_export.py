"""`gnomon export`: a whole experiment comes out, complete or not at all, and its check notices every change."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.cli import cli
from gnomon.client import Client
from gnomon.export import Manifest, export_experiment
from gnomon.wire import ExperimentResponse, MetricEntry

POINTS = 12_000


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> Iterator[Client]:
    with Client(server.base_url, tenant=tenant) as client:
        yield client


@pytest.fixture
def fraud(client: Client) -> ExperimentResponse:
    """Three runs: one with everything, one without anything, one archived."""
    experiment = client.experiments.create("fraud", tags={"a": "b"})
    full = client.runs.create(experiment.id, name="full", tags={"team": "risk", "note": "line\nbreak"})
    client.runs.log_params(full.id, {"lr": 0.1, "opt": "adam"})
    for start in range(0, POINTS, 6_000):
        client.runs.log_batch(
            full.id,
            metrics=[
                MetricEntry("loss", math.nan if n == 7 else n / 7, n, timestamp=n) for n in range(start, start + 6_000)
            ],
        )
    client.runs.log_metrics(full.id, {"acc": math.inf}, step=0.5, timestamp=1)
    client.artifacts.log(full.id, b"weights" * 100_000, name="model.npz", artifact_path="models")
    client.artifacts.log(full.id, b"", name="empty.txt")
    client.runs.end(full.id)
    client.runs.create(experiment.id, name="empty")
    old = client.runs.create(experiment.id, name="old")
    client.runs.log_metrics(old.id, {"loss": 1.0})
    client.runs.archive(old.id)
    return experiment


def gn(server: ServerProcess, tenant: str, *args: str) -> Result:
    return CliRunner().invoke(cli, ["--url", server.base_url, "--tenant", tenant, *args])


def test_everything_is_there_and_counted(
    server: ServerProcess, tenant: str, client: Client, fraud: ExperimentResponse, tmp_path: Path
) -> None:
    to = tmp_path / "out"
    result = gn(server, tenant, "export", "fraud", "--to", str(to), "--json")
    assert result.exit_code == 0, result.output
    manifest = msgspec.json.decode(result.stdout, type=Manifest)
    assert msgspec.json.decode((to / "manifest.json").read_bytes(), type=Manifest) == manifest
    counts = msgspec.to_builtins(manifest.counts)
    assert counts == {"runs": 3, "params": 2, "tags": 2, "points": POINTS + 2, "artifacts": 2}
    for file in manifest.files:
        data = (to / file.path).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)
    on_disk = {path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file()}
    assert on_disk == {file.path for file in manifest.files} | {"manifest.json"}

    runs = pq.read_table(to / "runs.parquet").to_pylist()
    assert {(run["name"], run["status"], run["lifecycle_stage"]) for run in runs} == {
        ("full", "finished", "active"),
        ("empty", "running", "active"),
        ("old", "running", "deleted"),
    }
    full = next(run for run in runs if run["name"] == "full")
    assert full["end_time"] >= full["start_time"]
    assert pq.read_table(to / "params.parquet").to_pylist() == [
        {"run_id": full["id"], "key": "lr", "value": "0.1"},
        {"run_id": full["id"], "key": "opt", "value": "adam"},
    ]
    assert {(tag["key"], tag["value"]) for tag in pq.read_table(to / "tags.parquet").to_pylist()} == {
        ("team", "risk"),
        ("note", "line\nbreak"),
    }
    points = pq.read_table(to / "metrics" / f"{full['id']}.parquet").to_pylist()
    loss = [point for point in points if point["key"] == "loss"]
    assert [point["step"] for point in loss] == list(range(POINTS))
    assert [n for n, point in enumerate(loss) if math.isnan(point["value"])] == [7]
    assert all(point["value"] == n / 7 for n, point in enumerate(loss) if n != 7)
    assert [(point["step"], point["value"]) for point in points if point["key"] == "acc"] == [(0.5, math.inf)]
    assert (to / "artifacts" / full["id"] / "models" / "model.npz").read_bytes() == b"weights" * 100_000
    assert msgspec.json.decode((to / "experiment.json").read_bytes(), type=ExperimentResponse).id == fraud.id

    said = gn(server, tenant, "export", "--verify", str(to))
    assert (said.exit_code, "whole and unchanged" in said.stdout) == (0, True)


def test_verify_notices_every_change(client: Client, fraud: ExperimentResponse, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export_experiment(client, fraud, to)

    def verify() -> str:
        result = CliRunner().invoke(cli, ["export", "--verify", str(to)])
        assert result.exit_code == 1, result.output
        return result.stderr

    runs = to / "runs.parquet"
    good = runs.read_bytes()
    runs.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert "damaged: runs.parquet" in verify()
    runs.unlink()
    assert "runs.parquet is missing" in verify()
    runs.write_bytes(good)
    (to / "extra.txt").write_text("x")
    assert "holds a file that is not of it: extra.txt" in verify()
    (to / "extra.txt").unlink()
    (to / "link").symlink_to("/etc/passwd")
    assert "holds no links" in verify()
    (to / "link").unlink()
    assert CliRunner().invoke(cli, ["export", "--verify", str(to)]).exit_code == 0
    (to / "manifest.json").write_text("{}")
    assert "manifest is damaged" in verify()
    (to / "manifest.json").unlink()
    assert "there is no manifest.json" in verify()


def test_an_export_that_breaks_leaves_nothing(client: Client, fraud: ExperimentResponse, tmp_path: Path) -> None:
    def stumble(run: object, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_experiment(client, fraud, tmp_path / "out", progress=stumble)
    assert list(tmp_path.iterdir()) == []


def test_an_export_overwrites_nothing(client: Client, fraud: ExperimentResponse, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(gnomon.GnomonError, match="exists already and is not empty"):
        export_experiment(client, fraud, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("args", [["export"], ["export", "e"], ["export", "e", "--verify", "x"]])
def test_what_is_missing_is_a_usage_error(args: list[str]) -> None:
    assert CliRunner().invoke(cli, args).exit_code == 2
