"""Every command of MLflow's own CLI that asks a tracking server, with what it prints and what it leaves."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compat.conftest import client_env
from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess

Mlflow = Callable[..., str]
pytestmark = pytest.mark.nightly


@pytest.fixture
def mlflow(server: ServerProcess, tenant: str, mlflow_python: Path, tmp_path: Path) -> Mlflow:
    """Run `mlflow` in the tenant of the test; what it printed."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [mlflow_python.parent / "mlflow", *arguments],
            cwd=tmp_path,
            env=client_env(server.base_url, MLFLOW_WORKSPACE=tenant),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run


def test_experiments(mlflow: Mlflow, wire: Wire) -> None:
    assert "Created experiment 'first' with id 1" in mlflow("experiments", "create", "-n", "first")
    found = json.loads(mlflow("experiments", "get", "-x", "1", "--output", "json"))
    assert (found["experiment_id"], found["name"], found["lifecycle_stage"]) == ("1", "first", "active")
    assert "first" in mlflow("experiments", "get", "-n", "first")
    mlflow("experiments", "rename", "-x", "1", "--new-name", "renamed")
    assert "renamed" in mlflow("experiments", "search")
    mlflow("experiments", "delete", "-x", "1")
    assert "renamed" not in mlflow("experiments", "search")
    assert "renamed" in mlflow("experiments", "search", "--view", "deleted_only")
    mlflow("experiments", "restore", "-x", "1")
    assert "renamed" in mlflow("experiments", "search", "--view", "all")
    run = wire.new_run("1", run_name="r")
    wire.post("runs/log-parameter", run_id=run, key="lr", value="0.1")
    wire.post("runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=1)
    head, row = mlflow("experiments", "csv", "-x", "1").strip().splitlines()
    told = dict(zip(head.split(","), row.split(","), strict=True))
    assert (told["run_id"], told["params.lr"], told["metrics.loss"]) == (run, "0.1", "0.5")


def test_runs(mlflow: Mlflow, wire: Wire) -> None:
    made = mlflow("runs", "create", "--experiment-id", "0", "--run-name", "made", "--tags", "a=b", "--status", "FAILED")
    run = json.loads(made[made.index("{") :])["run_id"]
    told = json.loads(mlflow("runs", "describe", "--run-id", run))
    assert (told["info"]["status"], told["info"]["run_name"], told["data"]["tags"]["a"]) == ("FAILED", "made", "b")
    assert run in mlflow("runs", "list", "--experiment-id", "0")
    mlflow("runs", "delete", "--run-id", run)
    assert run not in mlflow("runs", "list", "--experiment-id", "0")
    assert run in mlflow("runs", "list", "--experiment-id", "0", "--view", "deleted_only")
    mlflow("runs", "restore", "--run-id", run)
    assert run in mlflow("runs", "list", "--experiment-id", "0")


def test_artifacts(mlflow: Mlflow, wire: Wire, tmp_path: Path) -> None:
    run = wire.new_run()
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "a.txt").write_text("hello")
    mlflow("artifacts", "log-artifacts", "--local-dir", "tree", "--run-id", run, "--artifact-path", "kept")
    mlflow("artifacts", "log-artifact", "--local-file", "tree/deep/a.txt", "--run-id", run)
    assert [one["path"] for one in json.loads(mlflow("artifacts", "list", "--run-id", run))] == ["a.txt", "kept"]
    listed = json.loads(mlflow("artifacts", "list", "--run-id", run, "--artifact-path", "kept/deep"))
    assert [(one["path"], one["file_size"]) for one in listed] == [("kept/deep/a.txt", 5)]
    mlflow("artifacts", "download", "--artifact-uri", f"runs:/{run}/kept", "--dst-path", str(tmp_path / "got"))
    assert (tmp_path / "got" / "kept" / "deep" / "a.txt").read_text() == "hello"


def test_traces(mlflow: Mlflow, wire: Wire) -> None:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    for uid in ("tr-" + "a" * 32, "tr-" + "b" * 32):
        info = {"trace_id": uid, "trace_location": place, "request_time": "2026-01-01T00:00:00Z", "state": "OK"}
        assert wire.http.post("/api/3.0/mlflow/traces", json={"trace": {"trace_info": info}}).status_code == 200
    trace, other = "tr-" + "a" * 32, "tr-" + "b" * 32
    mlflow("traces", "set-tag", "--trace-id", trace, "--key", "k", "--value", "v")
    searched = json.loads(
        mlflow("traces", "search", "--experiment-id", "0", "--filter-string", "tag.k = 'v'", "--output", "json")
    )
    assert [one["info"]["trace_id"] for one in searched["traces"]] == [trace]
    mlflow("traces", "delete-tag", "--trace-id", trace, "--key", "k")
    said = ["--trace-id", trace, "--source-type", "HUMAN", "--source-id", "ada"]
    logged = mlflow("traces", "log-feedback", "--name", "good", "--value", "true", "--rationale", "because", *said)
    mlflow("traces", "log-expectation", "--name", "answer", "--value", '"42"', *said)
    assessment = next(word.strip("'\".,()") for word in logged.split() if word.strip("'\".,()").startswith("a-"))
    told = json.loads(mlflow("traces", "get-assessment", "--trace-id", trace, "--assessment-id", assessment))
    assert (told["assessment_name"], told["feedback"]["value"], told["rationale"]) == ("good", True, "because")
    changed = ["--trace-id", trace, "--assessment-id", assessment, "--value", "false"]
    mlflow("traces", "update-assessment", *changed)
    told = json.loads(mlflow("traces", "get-assessment", "--trace-id", trace, "--assessment-id", assessment))
    assert told["feedback"]["value"] is False
    mlflow("traces", "delete-assessment", "--trace-id", trace, "--assessment-id", assessment)
    run = wire.new_run()
    mlflow("runs", "link-traces", "--run-id", run, "-t", trace)
    assert trace in mlflow("traces", "search", "--experiment-id", "0", "--run-id", run)
    mlflow("traces", "delete", "--experiment-id", "0", "--trace-ids", trace)
    left = mlflow("traces", "search", "--experiment-id", "0")
    assert trace not in left
    assert other in left
