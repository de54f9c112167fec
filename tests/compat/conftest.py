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


@pytest.fixture
def scenario(server: ServerProcess, tenant: str, mlflow_python: Path, tmp_path: Path) -> Scenario:
    """Run a script of `scenarios/` with MLflow's own client against the server; what it printed last, as JSON."""

    def run(name: str, *arguments: str) -> dict[str, Any]:
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("MLFLOW")},
            "MLFLOW_TRACKING_URI": server.base_url,
            "MLFLOW_WORKSPACE": tenant,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
        }
        done = subprocess.run(
            [mlflow_python, SCENARIOS / f"{name}.py", *arguments],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-6000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return run
