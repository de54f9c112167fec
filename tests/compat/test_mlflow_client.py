"""MLflow's own client against this server: what its users do, and what they read back."""

from tests.compat.conftest import Scenario

LARGEST = "1.7976931348623157e+308"


def test_core(scenario: Scenario) -> None:
    found = scenario("core")
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
    found = scenario("artifacts")
    assert found == {
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
