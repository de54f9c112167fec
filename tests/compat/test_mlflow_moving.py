"""Moving what a real MLflow kept, at both ends told by MLflow's own client; and an import that is killed."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import SCENARIOS, client_env
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.nightly
Json = dict[str, Any]
START = 1_700_000_000_000
RUNS = 150


def told(python: Path, script: str, uri: str, cwd: Path) -> Json:
    env = client_env(uri, MLFLOW_ALLOW_FILE_STORE="true")
    done = subprocess.run([python, SCENARIOS / script, uri], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    found: Json = json.loads(done.stdout.splitlines()[-1])
    return found


def command(server: ServerProcess, *arguments: object, tenant: str = "default") -> list[str]:
    return [
        sys.executable,
        "-m",
        "gnomon",
        "--url",
        server.base_url,
        "--tenant",
        tenant,
        *map(str, arguments),
        "--json",
    ]


def moved(server: ServerProcess, *arguments: object, tenant: str = "default") -> Json:
    """What `gnomon import` or `gnomon export` reports."""
    done = subprocess.run(command(server, *arguments, tenant=tenant), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout[-4000:]
    report: Json = json.loads(done.stdout)
    assert report["equal"]
    return report


def kept(report: Json) -> Json:
    """Sums, hashes, files, params and tags of each run, by its name."""
    return {
        run["name"]: [
            [(one["key"], one["server"]) for one in run["series"]],
            [(one["path"], one["sha256"]) for one in run["files"]],
            run["params"],
            run["tags"],
        ]
        for run in report["runs"]
    }


@pytest.mark.parametrize("kind", ["database", "folder"])
@pytest.mark.parametrize("version", ["2", "3"])
def test_there_and_back(
    version: str, kind: str, mlflow_python: Path, mlflow2_python: Path, own_server: ServerProcess, tmp_path: Path
) -> None:
    python = mlflow_python if version == "3" else mlflow2_python
    source = f"sqlite:///{tmp_path / 'mlflow.db'}" if kind == "database" else (tmp_path / "mlruns").as_uri()
    told(python, "source.py", source, tmp_path)
    before = told(python, "tell.py", source, tmp_path)
    report = moved(own_server, "import", "mlflow", source)
    here = told(python, "tell.py", own_server.base_url, tmp_path)
    assert here == before
    moved(own_server, "export", "mlflow", "--to", tmp_path / "copy")
    assert told(python, "tell.py", (tmp_path / "copy").as_uri(), tmp_path) == here
    again = moved(own_server, "import", "mlflow", tmp_path / "copy", "--new-ids", tenant="again")
    assert kept(again) == kept(report)
    assert [one["name"] for one in again["items"]] == [one["name"] for one in report["items"]]


def test_an_import_that_is_killed_loses_and_doubles_nothing(own_server: ServerProcess, tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    make_database(path)
    asked = command(own_server, "import", "mlflow", f"sqlite:///{path}")
    moments = random.Random(9)
    for _ in range(6):
        running = subprocess.Popen(asked, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.5, 2.5))
        running.kill()
        running.wait()
    report = moved(own_server, "import", "mlflow", f"sqlite:///{path}")
    assert len(report["runs"]) == RUNS
    assert {one["server"]["points"] for run in report["runs"] for one in run["series"]} == {40}
    assert sum(run["sent"] for run in moved(own_server, "import", "mlflow", f"sqlite:///{path}")["runs"]) == 0


def make_database(path: Path) -> None:
    """The tables that every MLflow since 1.1 has, with runs in them."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE experiments (experiment_id INTEGER, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
            CREATE TABLE runs (run_uuid TEXT, name TEXT, user_id TEXT, status TEXT, start_time INTEGER,
                end_time INTEGER, lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
            CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, run_uuid TEXT, step INTEGER, is_nan INTEGER);
            CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
            CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
            INSERT INTO experiments VALUES (3, 'old', 'mlflow-artifacts:/3', 'active');
            """
        )
        for number in range(RUNS):
            uid, stage = f"{number + 1:032x}", "deleted" if number % 7 == 0 else "active"
            values = (uid, f"run {number}", "me", "FINISHED", START, START + 9, stage, "", 3)
            connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            connection.execute("INSERT INTO params VALUES ('lr', ?, ?)", (str(number), uid))
            connection.execute("INSERT INTO tags VALUES ('team', 'risk', ?)", (uid,))
            points = [(key, step / 3, START + step, uid, step, 0) for key in ("loss", "acc") for step in range(40)]
            connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", points)
        connection.commit()
