"""MLflow's protocol in a tenant that no other test uses, by hand or through MLflow's own client."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
SCENARIOS = Path(__file__).parent / "scenarios"

Scenario = Callable[..., dict[str, Any]]


@pytest.fixture
def wire(server: ServerProcess, tenant: str) -> Iterator[Wire]:
    wire = Wire(server.base_url, tenant)
    yield wire
    wire.http.close()


@pytest.fixture(scope="session")
def mlflow_python() -> Path:
    """The Python that has MLflow, in an environment of its own: it pins other versions of what we use."""
    python = ROOT / ".venv-mlflow" / "bin" / "python"
    subprocess.run(["make", "--no-print-directory", ".venv-mlflow/.installed"], cwd=ROOT, check=True)
    return python


@pytest.fixture(scope="session")
def mlflow2_python() -> Path:
    """The same of the last MLflow 2."""
    subprocess.run(["make", "--no-print-directory", ".venv-mlflow2/.installed"], cwd=ROOT, check=True)
    return ROOT / ".venv-mlflow2" / "bin" / "python"


@pytest.fixture
def scenario(server: ServerProcess, tenant: str, mlflow_python: Path, tmp_path: Path) -> Scenario:
    """Run a script of `scenarios/` with MLflow's own client against the server; what it printed last, as JSON."""
    return scenario_runner(mlflow_python, server.base_url, tmp_path, MLFLOW_WORKSPACE=tenant)


@pytest.fixture
def scenario2(own_server: ServerProcess, mlflow2_python: Path, tmp_path: Path) -> Scenario:
    """The same with the last MLflow 2, which knows of no workspaces: the server is of this test alone."""
    return scenario_runner(mlflow2_python, own_server.base_url, tmp_path)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "home").start()
    yield server
    server.stop()


def client_env(url: str, **more: str) -> dict[str, str]:
    """The environment of a program that logs to this server."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("MLFLOW")},
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
        **more,
    }


def scenario_runner(python: Path, url: str, cwd: Path, **more: str) -> Scenario:
    def run(name: str, *arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [python, SCENARIOS / f"{name}.py", *arguments],
            cwd=cwd,
            env=client_env(url, **more),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-6000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return run
