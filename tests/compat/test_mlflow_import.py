"""Moving in and out: what MLflow's client logged to a database, folder or server arrives whole, once, and checked."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gnomon.client import Client
from gnomon.importing.mlflow_database import DatabaseSource
from gnomon.wire import MetricEntry
from tests.compat.conftest import SCENARIOS
from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess

Json = dict[str, Any]
Importing = Callable[..., Json]
RUNS = {"first", "child", "lost", "bad", "killed", "deleted", "open"}


@pytest.fixture(scope="session")
def database(mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Json]:
    folder = tmp_path_factory.mktemp("database")
    return folder / "mlflow.db", filled(mlflow_python, folder, f"sqlite:///{folder / 'mlflow.db'}")


@pytest.fixture(scope="session")
def folder(mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Json]:
    place = tmp_path_factory.mktemp("folder")
    return place / "mlruns", filled(mlflow_python, place, (place / "mlruns").as_uri())


def filled(python: Path, cwd: Path, uri: str) -> Json:
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
    done = subprocess.run(
        [python, SCENARIOS / "source.py", uri], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    made: Json = json.loads(done.stdout.splitlines()[-1])
    return made


@pytest.fixture
def importing(server: ServerProcess, tenant: str) -> Importing:
    """Run `gnomon import mlflow` and give its report."""

    def run(*arguments: object, expected_exit: int = 0, **env: str) -> Json:
        command = [sys.executable, "-m", "gnomon", "--url", server.base_url, "--tenant", tenant]
        done = subprocess.run(
            [*command, "import", "mlflow", "--json", *map(str, arguments)],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected_exit, done.stderr + done.stdout[-4000:]
        report: Json = json.loads(done.stdout) if done.stdout else {"error": done.stderr}
        return report

    return run


def run_named(report: Json, name: str) -> Json:
    (found,) = [run for run in report["runs"] if run["name"] == name]
    return dict(found)


def test_a_database_arrives_whole_and_once(
    importing: Importing, database: tuple[Path, Json], wire: Wire, server: ServerProcess, tenant: str
) -> None:
    path, made = database
    report = importing(f"sqlite:///{path}")
    assert report["equal"]
    assert report["unmapped"] == []
    assert {run["name"] for run in report["runs"]} == RUNS
    first = run_named(report, "first")
    assert first["run_id"] == made["run"]
    assert {one["key"]: one["server"]["points"] for one in first["series"]} == {
        "loss": 50,
        "on_model": 1,
        "train/acc": 3,
    }
    assert [file["path"] for file in first["files"]] == ["notes/hello world.txt", "w.bin"]
    found = wire.get("runs/get", run_id=made["run"])["run"]
    assert (found["info"]["experiment_id"], found["info"]["start_time"]) == (made["experiment"], made["start"])
    assert found["inputs"]["dataset_inputs"][0]["dataset"]["digest"] == "d1"
    assert found["outputs"]["model_outputs"] == [{"model_id": made["models"][0], "step": 0}]
    history = wire.get("metrics/get-history", run_id=made["run"], metric_key="train/acc")["metrics"]
    assert [(one["step"], one["value"]) for one in history] == [(0, "NaN"), (1, 1.7976931348623157e308), (-3, -0.5)]
    model = wire.get(f"logged-models/{made['models'][0]}")["model"]
    assert (model["info"]["status"], model["info"]["model_type"]) == ("LOGGED_MODEL_READY", "tree")
    assert [(one["key"], one["value"], one["step"]) for one in model["data"]["metrics"]] == [("on_model", "NaN", 4)]
    third = wire.get("registered-models/alias", name="RM", alias="prod")["model_version"]
    assert (third["version"], third["source"], third["description"]) == ("3", f"models:/{made['models'][0]}", "third")
    assert wire.get("model-versions/get", 404, name="RM", version="2")["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    with Client(server.base_url, tenant=tenant) as client:
        statuses = {run["name"]: client.runs.get(run["run_id"]) for run in report["runs"]}
        assert {name: run.status for name, run in statuses.items()} == {
            **dict.fromkeys(("first", "child", "lost"), "finished"),
            "bad": "failed",
            "killed": "killed",
            "deleted": "running",
            "open": "running",
        }
        assert {name for name, run in statuses.items() if run.lifecycle_stage == "deleted"} == {"lost", "deleted"}
    again = importing(f"sqlite:///{path}")
    assert again["equal"]
    assert sum(run["sent"] for run in again["runs"]) == 0
    assert again["points"] == report["points"] > 50


def test_a_run_that_went_on_is_brought_up_to_date(
    importing: Importing, database: tuple[Path, Json], tmp_path: Path
) -> None:
    path, made = database
    copy = tmp_path / "mlflow.db"
    copy.write_bytes(path.read_bytes())
    importing(f"sqlite:///{copy}", "--experiment", "one", "--new-ids")
    with closing(sqlite3.connect(copy)) as connection, connection:
        # Before the points that are there: an order of time is nothing to rely on.
        points = [("loss", 0.25, made["start"] - 5, made["run"], step, 0) for step in (-1, 77)]
        connection.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)", points
        )
    again = importing(f"sqlite:///{copy}", "--experiment", "one", "--new-ids")
    assert again["equal"]
    (loss,) = [one for one in run_named(again, "first")["series"] if one["key"] == "loss"]
    assert loss["server"]["points"] == 52


def test_times_that_cannot_be_kept_are_moved_and_reported(
    importing: Importing, database: tuple[Path, Json], tmp_path: Path
) -> None:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(database[0])) as before, closing(sqlite3.connect(path)) as connection:
        before.backup(connection)
        connection.execute("UPDATE runs SET start_time = -5, end_time = -3 WHERE name = 'bad'")
        connection.execute("UPDATE runs SET end_time = start_time - 1 WHERE name = 'killed'")
        connection.commit()
    report = importing(f"sqlite:///{path}", "--new-ids")
    assert {run["name"] for run in report["runs"]} == RUNS
    lost = [(one["kind"], one["name"]) for one in report["unmapped"] if one["kind"] == "time"]
    assert sorted(lost) == [("time", "end"), ("time", "end"), ("time", "start")]


def test_a_folder_arrives_whole(importing: Importing, folder: tuple[Path, Json], wire: Wire) -> None:
    path, made = folder
    report = importing(path)
    assert report["equal"]
    assert {run["name"] for run in report["runs"]} == RUNS
    # The file store counts experiments with 18 digits, which are no numbers here.
    assert {each["kind"] for each in report["unmapped"]} == {"id of experiment"}
    found = wire.get("runs/get", run_id=made["run"])["run"]
    assert {"key": "weird", "value": "line 1\nline 2 ü: [x]"} in found["data"]["tags"]
    assert {"key": "empty", "value": ""} in found["data"]["params"]
    root = wire.get(f"logged-models/{made['models'][0]}")["model"]["info"]["artifact_uri"]
    path_there = root.removeprefix("mlflow-artifacts:/")
    answer = wire.http.get(f"/api/2.0/mlflow-artifacts/artifacts/{path_there}/w.bin")
    assert answer.content == bytes(range(256)) * 40
    assert importing(path)["equal"]


def test_a_server_is_read_through_its_protocol(
    importing: Importing, folder: tuple[Path, Json], server: ServerProcess, tenant: str
) -> None:
    """The server is ours, in another tenant: what its client protocol tells is enough to bring everything over."""
    other = f"{tenant}-from"
    command = [sys.executable, "-m", "gnomon", "--url", server.base_url, "--tenant", other, "import", "mlflow"]
    subprocess.run([*command, "--new-ids", str(folder[0])], check=True, capture_output=True)
    refused = importing(server.base_url, expected_exit=1, MLFLOW_WORKSPACE=other)
    assert "--new-ids imports a second copy" in refused["error"]
    report = importing(server.base_url, "--new-ids", MLFLOW_WORKSPACE=other)
    assert report["equal"]
    assert {run["name"] for run in report["runs"]} == RUNS
    assert [item["kind"] for item in report["items"]].count("registered model") == 1
    assert len(run_named(report, "first")["files"]) == 2


# What came to MLflow's schema after experiments, runs, metrics, params and tags.
LATER_TABLES = (
    *("registered_models", "registered_model_tags", "registered_model_aliases", "model_versions", "model_version_tags"),
    *("logged_models", "logged_model_metrics", "logged_model_params", "logged_model_tags"),
    *("experiment_tags", "datasets", "inputs", "input_tags"),
)


def _without(tables: Sequence[str], database: Path, folder: Path) -> Path:
    """A copy of a database that lacks some tables."""
    path = folder / "mlflow.db"
    with closing(sqlite3.connect(database)) as before, closing(sqlite3.connect(path)) as connection:
        before.backup(connection)
        for table in tables:
            connection.execute(f"DROP TABLE {table}")
        connection.commit()
    return path


@pytest.mark.parametrize("lacking", [LATER_TABLES, *((table,) for table in LATER_TABLES)], ids=lambda names: names[0])
def test_tables_that_an_older_database_lacks_count_as_empty(
    lacking: tuple[str, ...], database: tuple[Path, Json], tmp_path: Path
) -> None:
    path = _without(lacking, database[0], tmp_path)
    source = DatabaseSource(f"sqlite:///{path}")
    runs = [run for experiment in source.experiments() for run in source.runs(experiment.experiment_id)]
    assert {run.run_name for run in runs} == RUNS
    assert sum(1 for run in runs for _ in source.points(run)) > 50
    models = [model for experiment in source.experiments() for model in source.models(experiment.experiment_id)]
    assert bool(models) == ("logged_models" not in lacking)
    assert [one.name for one in source.registered()] == ([] if "registered_models" in lacking else ["RM"])
    assert dict(source.left_out()).get("experiments of other workspaces") is None
    source.close()


def test_a_database_from_before_the_registry_arrives(
    importing: Importing, database: tuple[Path, Json], tmp_path: Path
) -> None:
    path = _without(LATER_TABLES, database[0], tmp_path)
    report = importing(f"sqlite:///{path}", "--new-ids")
    assert report["equal"]
    assert {run["name"] for run in report["runs"]} == RUNS


def test_zeros_of_both_signs_arrive(importing: Importing, folder: tuple[Path, Json], tmp_path: Path) -> None:
    copy = shutil.copytree(folder[0], tmp_path / "mlruns")
    (metrics,) = copy.glob(f"*/{folder[1]['run']}/metrics")
    (metrics / "zero").write_text("1000 0.0 5\n1000 -0.0 5\n1000 0.0 5\n1000 nan 5\n1000 -0.0 5\n1000 nan 5\n")
    report = importing(copy, "--new-ids")
    assert report["equal"]
    (zero,) = [one for one in run_named(report, "first")["series"] if one["key"] == "zero"]
    assert zero["server"]["points"] == 3


def test_links_among_the_files_are_reported(importing: Importing, folder: tuple[Path, Json], tmp_path: Path) -> None:
    copy = shutil.copytree(folder[0], tmp_path / "mlruns")
    (notes,) = copy.glob(f"*/{folder[1]['run']}/artifacts/notes")
    (weights,) = copy.glob("*/models/m-*/artifacts/w.bin")
    (notes / "link.txt").symlink_to("/etc/hostname")
    (notes / "all").symlink_to(tmp_path)
    (weights.parent / "other").symlink_to(weights)
    report = importing(copy, "--new-ids")
    assert report["equal"]
    lost = [(one["kind"], one["name"]) for one in report["unmapped"] if "is a link" in one["reason"]]
    assert sorted(lost) == [("file", "notes/all"), ("file", "notes/link.txt"), ("file of model", "clf: other")]


def test_points_that_another_added_fail_the_check(
    importing: Importing, database: tuple[Path, Json], wire: Wire
) -> None:
    asked = (f"sqlite:///{database[0]}", "--experiment", "one", "--new-ids")
    run = run_named(importing(*asked), "first")["run_id"]
    wire.post("runs/log-metric", run_id=run, key="loss", value=9, timestamp=1, step=1)
    report = importing(*asked, expected_exit=1)
    assert [one["key"] for one in run_named(report, "first")["series"] if not one["equal"]] == ["loss"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("sqlite:///nowhere.db", "there is no database"),
        ("nowhere", "is no folder"),
        ("http://127.0.0.1:9", "does not answer"),
        ("http://127.0.0.1:port/", "a port that is no number"),
        ("postgresql://127.0.0.1:99999/mlflow", "a port that is no number"),
        ("mysql://me@127.0.0.1/mlflow", "mysql:// is nothing that can be read here"),
        ("", "no source is given"),
    ],
)
def test_what_is_no_source_is_said_in_a_sentence(importing: Importing, source: str, words: str) -> None:
    error = importing(source, expected_exit=1)["error"]
    assert words in error
    assert "Traceback" not in error


def test_a_database_of_another_program_is_said_in_a_sentence(importing: Importing, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE experiments (name TEXT)")
        connection.execute("CREATE TABLE runs (name TEXT)")
    error = importing(f"sqlite:///{tmp_path / 'other.db'}", expected_exit=1)["error"]
    assert "has no tables of MLflow" in error
    assert "Traceback" not in error


def test_a_damaged_database_is_said_in_a_sentence(
    importing: Importing, database: tuple[Path, Json], tmp_path: Path
) -> None:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(database[0])) as before, closing(sqlite3.connect(path)) as connection:
        before.backup(connection)
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    error = importing(f"sqlite:///{path}", expected_exit=1)["error"]
    assert "cannot be read further" in error
    assert "Traceback" not in error


def test_a_folder_is_named_by_its_address(importing: Importing, folder: tuple[Path, Json], tmp_path: Path) -> None:
    (tmp_path / "with space").symlink_to(folder[0])
    report = importing((tmp_path / "with space").as_uri(), "--new-ids")
    assert {run["name"] for run in report["runs"]} == RUNS


def test_a_folder_that_was_moved_keeps_its_versions(
    importing: Importing, folder: tuple[Path, Json], wire: Wire, tmp_path: Path
) -> None:
    """Each version of MLflow 2 names where its run lay; others name what is nowhere here, or a version of another."""
    moved = shutil.copytree(folder[0], tmp_path / "moved")
    run = folder[1]["run"]
    for number, source in (
        (1, f"file:///gone/mlruns/1/{run}/artifacts/notes"),
        (3, "/nowhere/at/all"),
        (4, "dbfs-like:/some/where"),
        (5, "models:/later name/1"),
    ):
        write_version(moved / "models" / "RM", number, source, run)
    write_version(moved / "models" / "later name", 1, f"runs:/{run}/w.bin", run)
    report = importing(moved, "--new-ids")
    assert report["equal"]
    here = run_named(report, "first")["run_id"]
    found = wire.get("model-versions/search", filter="name = 'RM'")["model_versions"]
    assert {one["version"]: one["source"] for one in found} == {
        "1": f"runs:/{here}/notes",
        "3": "https://not-imported.invalid/",
        "4": "https://not-imported.invalid/",
        "5": "models:/later name/1",
    }
    lost = [one["name"] for one in report["unmapped"] if one["kind"] == "source of version"]
    assert lost == ["RM 3", "RM 4"]


def write_version(model: Path, number: int, source: str, run: str) -> None:
    place = model / f"version-{number}"
    place.mkdir(parents=True, exist_ok=True)
    (model / "meta.yaml").write_text(f"name: {model.name}\n")
    (place / "meta.yaml").write_text(f"version: {number}\nsource: {source!r}\nrun_id: {run}\n")


def test_what_is_exported_opens_in_mlflow_and_comes_back(
    importing: Importing,
    folder: tuple[Path, Json],
    mlflow_python: Path,
    server: ServerProcess,
    tenant: str,
    tmp_path: Path,
) -> None:
    into = importing(folder[0], "--new-ids")
    first = run_named(into, "first")["run_id"]
    with Client(server.base_url, tenant=tenant) as client:
        client.runs.log_batch(first, metrics=[MetricEntry("half", 1.0, 2.5, 5)], params={"loss": "x", "opt": "y"})
    command = [sys.executable, "-m", "gnomon", "--url", server.base_url, "--tenant", tenant]
    done = subprocess.run(
        [*command, "export", "mlflow", "--to", str(tmp_path / "mlruns"), "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    assert report["equal"]
    assert {run["name"] for run in report["runs"]} == RUNS
    # `opt` is a file where `opt/name` needs a folder, or the other way round; half a step is no step there.
    assert [(each["kind"], each["count"]) for each in report["unmapped"]] == [("param", 1), ("steps", 1)]
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
    uri = (tmp_path / "mlruns").as_uri()
    opened = subprocess.run(
        [mlflow_python, SCENARIOS / "open_folder.py", uri], env=env, capture_output=True, text=True, check=False
    )
    assert opened.returncode == 0, opened.stderr[-3000:]
    seen = json.loads(opened.stdout.splitlines()[-1])
    assert seen["experiments"] == {"Default": "active", "one": "active", "gone": "deleted"}
    assert (seen["version"], seen["text"]) == (3, "hello") or (seen["version"], seen["text"]) == ("3", "hello")
    assert {name: (run["status"], run["stage"]) for name, run in seen["runs"].items()} == {
        "first": ("FINISHED", "active"),
        "child": ("FINISHED", "active"),
        "bad": ("FAILED", "active"),
        "killed": ("KILLED", "active"),
        "deleted": ("RUNNING", "deleted"),
        "open": ("RUNNING", "active"),
    }
    run = seen["runs"]["first"]
    assert run["points"]["train/acc"] == [[-3, "-0.5"], [0, "nan"], [1, "inf"]]
    assert run["points"]["half"] == [[2, "1.0"]]
    assert len(run["points"]["loss"]) == 50
    assert (run["tag"], run["files"]) == ("line 1\nline 2 ü: [x]", ["notes", "w.bin"])
    assert (run["datasets"], run["models"]) == (["d1"], folder[1]["models"])
    assert importing(tmp_path / "mlruns", "--new-ids")["equal"]
    refused = subprocess.run(
        [*command, "export", "mlflow", "--to", str(tmp_path / "mlruns")], check=False, capture_output=True, text=True
    )
    assert "is not empty" in refused.stderr
