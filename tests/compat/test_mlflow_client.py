"""MLflow's own client against this server: what its users do, and what they read back."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compat.conftest import Scenario, client_env
from tests.support.server_process import ServerProcess

LARGEST = "1.7976931348623157e+308"


def test_core(scenario: Scenario) -> None:
    judge_core(scenario("core"))


@pytest.mark.nightly
def test_core_with_mlflow_2(scenario2: Scenario) -> None:
    judge_core(scenario2("core"))


def judge_core(found: dict[str, Any]) -> None:
    conflict = found.pop("conflict")
    assert conflict.startswith("INVALID_PARAMETER_VALUE: Changing param values is not allowed. Param with key='lr'")
    deleted = found.pop("deleted")
    assert deleted[0] == "deleted"
    assert deleted[1].endswith("must be in the 'active' state. Current state is deleted.")
    assert found == {
        "status": "FINISHED",
        "name": ["parent", "parent"],
        "note": "a note",
        "metrics": {"acc": "0.5", "async": "1.0", "inf": LARGEST, "loss": "0.2", "nan": "nan"},
        "params": 101,
        "lr": "1e-05",
        "history": [[step, 1 / (step + 1)] for step in range(5)],
        "user": True,
        "parent": True,
        "resumed": "RUNNING",
        "resumed_latest": 0.01,
        "cut": [6000, 8000],
        "paged_history": 1000,
        "updated": ["FAILED", "renamed"],
        "terminated": ["KILLED", True],
        "frame": [1, "7", "renamed"],
        "all": 2,
        "pages": [2, 2],
        "no_tag": found["no_tag"],
        "deleted_search": 1,
        "experiment": ["renamed", "Default"],
        "experiments": ["renamed"],
        "taken": "RESOURCE_ALREADY_EXISTS: Experiment(name=renamed) already exists.",
        "set_deleted": found["set_deleted"],
        "unknown": f"RESOURCE_DOES_NOT_EXIST: Run with id={'5eed' * 8} not found",
    }
    assert found["no_tag"].startswith("RESOURCE_DOES_NOT_EXIST: ")
    assert "Cannot set a deleted experiment 'renamed'" in found["set_deleted"]


def test_artifacts(scenario: Scenario) -> None:
    assert scenario("artifacts") == ARTIFACTS


@pytest.mark.nightly
def test_artifacts_with_mlflow_2(scenario2: Scenario) -> None:
    """All but the images with a key: that client puts `%` into their names, which no path may hold here."""
    root = [name for name in ARTIFACTS["root"] if name != "images"]
    assert scenario2("artifacts") == {**ARTIFACTS, "root": root, "images": 0}


ARTIFACTS: dict[str, Any] = {
    "root": ["d.json", "figure.png", "files", "image.png", "images", "notes", "table.json", "tree"],
    "tree": [["tree/a.txt", False, 1], ["tree/deep", True, None], ["tree/empty.bin", False, 0]],
    "deep": [["tree/deep/ü b.txt", False, 1]],
    "text": "hello",
    "dict": {"a": [1, 2]},
    "table": [1, 2, 3],
    "images": 2,
    "big": True,
    "umlaut": "B",
    "empty": 0,
    "none": [],
}


def test_models(scenario: Scenario) -> None:
    found = scenario("models")
    assert found == {
        "loaded": {"id": True, "version": True, "alias": True},
        "sklearn": True,
        "by_run": True,
        "logged": ["READY", {"depth": "3"}, [["acc", 0.9, "train"]]],
        "source_run": True,
        "outputs": True,
        "inputs": [["train", "training"]],
        "searched": ["clf"],
        "versions": ["1", "2"],
        "of_run": 1,
        "registered": [["RM", {"prod": "1"}]],
        "staged": True,
        "latest": ["2"],
        "copied": True,
        "version": ["first", {"k": "v"}, ["prod"], "READY"],
        "left": [["RM", "1"]],
        "again": "3",
        "taken": "RESOURCE_ALREADY_EXISTS",
        "external": ["READY", ""],
        "active": {"p": "1"},
        "deleted": "RESOURCE_DOES_NOT_EXIST",
        "prompt": ["Hi {{name}}", 2],
        "not_models": ["RM"],
    }


def test_autologging(scenario: Scenario) -> None:
    found = scenario("autolog")
    assert "training_accuracy_score" in found["metrics"]
    assert any(metric.startswith("LogisticRegression_score") for metric in found["metrics"])
    assert "training_accuracy_score" in found["model_metrics"]
    assert found["C"] == "0.5"
    assert found["inputs"] == ["train"]
    assert found["same"]
    assert found["children"] == ["0.1", "1.0"]
    assert found["best"]


@pytest.mark.nightly
def test_boosting(scenario: Scenario) -> None:
    judge_boosting(scenario("boosting"), set())


@pytest.mark.nightly
def test_boosting_with_mlflow_2(scenario2: Scenario) -> None:
    """There a model is a folder of its run."""
    judge_boosting(scenario2("boosting"), {"model"})


def judge_boosting(found: dict[str, Any], of_run: set[str]) -> None:
    for name, seen in found.items():
        assert (seen["same"], seen["pyfunc"], seen["params"], seen["versions"]) == (True, True, True, ["1"]), name
        assert of_run <= set(seen["files"])
        assert seen["datasets"] == (1 if name == "sklearn" else 2)
    assert found["xgboost"]["points"] == {"train-logloss": 5}
    assert found["lightgbm"]["points"] == {"train-binary_logloss": 5}
    assert "training_accuracy_score" in found["sklearn"]["metrics"]


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["2", "3"])
def test_the_command_line(
    version: str, mlflow_python: Path, mlflow2_python: Path, own_server: ServerProcess, tmp_path: Path
) -> None:
    mlflow = str((mlflow_python if version == "3" else mlflow2_python).parent / "mlflow")

    def run(*arguments: str) -> str:
        env = client_env(own_server.base_url)
        done = subprocess.run([mlflow, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    assert "Created experiment 'by hand' with id 1" in run("experiments", "create", "-n", "by hand")
    assert "by hand" in run("experiments", "search")
    with httpx.Client(base_url=own_server.base_url) as http:
        made = http.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "1", "run_name": "r"}).json()
    uid = made["run"]["info"]["run_id"]
    assert uid in run("runs", "list", "--experiment-id", "1")
    (tmp_path / "a.txt").write_text("hello")
    run("artifacts", "log-artifact", "--local-file", "a.txt", "--run-id", uid)
    assert "a.txt" in run("artifacts", "list", "--run-id", uid)
    got = run("artifacts", "download", "--run-id", uid, "--artifact-path", "a.txt", "--dst-path", str(tmp_path / "got"))
    assert (tmp_path / "got" / "a.txt").read_text() == "hello", got
    assert uid in run("experiments", "csv", "-x", "1")
    run("runs", "delete", "--run-id", uid)
    run("experiments", "delete", "-x", "1")
    assert "by hand" not in run("experiments", "search")
