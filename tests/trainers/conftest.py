"""Scripts that train for real with a library, against a server; the heavy libraries in an environment of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gnomon.client import Client
from tests.support.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"

Script = Callable[..., Any]


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> Iterator[Client]:
    with Client(server.base_url, tenant=tenant) as client:
        yield client


@pytest.fixture
def train(server: ServerProcess, tenant: str, tmp_path: Path) -> Script:
    """Run a script of `scripts/`; what it printed last, as JSON. In it every complaint of the SDK is an error."""

    def run(name: str, *arguments: str, python: Path = Path(sys.executable), **variables: str) -> Any:
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("GNOMON_", "WANDB_"))},
            "PYTHONPATH": str(ROOT / "sdk" / "src"),
            "GNOMON_URL": server.base_url,
            "GNOMON_TENANT": tenant,
            "GNOMON_SPOOL": str(tmp_path / "spool"),
            "GNOMON_EXIT_TIMEOUT": "60",
            "GNOMON_STRICT": "1",
            "GNOMON_CAPTURE": "none",
            "OMP_NUM_THREADS": "1",
            **variables,
        }
        command = [python, SCRIPTS / f"{name}.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-6000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def heavy() -> Path:
    """The Python that has the heavy libraries."""
    subprocess.run(["make", "--no-print-directory", ".venv-trainers/.installed"], cwd=ROOT, check=True)
    return ROOT / ".venv-trainers" / "bin" / "python"
