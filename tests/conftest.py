"""What every test may ask for: one real server for the session, and a tenant of its own for each test."""

import itertools
from collections.abc import Iterator

import httpx
import pytest

from tests.support.server_process import ServerProcess

_tenants = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("session") / "home").start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture
def tenant() -> str:
    return f"t{next(_tenants)}"


@pytest.fixture
def api(server: ServerProcess, tenant: str) -> Iterator[httpx.Client]:
    """A client of /api/v1 in a tenant that no other test uses."""
    with server.client(tenant) as client:
        yield client


@pytest.fixture
def experiment(api: httpx.Client) -> str:
    """The id of a new experiment."""
    answer = api.post("/experiments", json={"name": "fraud"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
def run(api: httpx.Client, experiment: str) -> str:
    """The id of a new run."""
    answer = api.post("/experiments/runs", json={"experiment_id": experiment})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
