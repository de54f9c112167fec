"""What every test may ask for: one real server for the session, and a tenant of its own for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.postgres import Cluster
from tests.support.seaweed import Seaweed
from tests.support.server_process import ServerProcess

_tenants = itertools.count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked `both_backends` runs against a server with files and against one with an object store."""
    if metafunc.definition.get_closest_marker("both_backends") and "server" in metafunc.fixturenames:
        metafunc.parametrize("server", ["files", "objects"], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `embedded` is about the embedded database itself: on PostgreSQL there is nothing to test by it."""
    for item in items:
        for mark in item.iter_markers("embedded"):
            assert len(mark.args) == 1, f"{item.nodeid}: say why it is about the embedded database"
    if config.getoption("--database") == "postgresql":
        about_sqlite = [item for item in items if item.get_closest_marker("embedded")]
        items[:] = [item for item in items if not item.get_closest_marker("embedded")]
        config.hook.pytest_deselected(items=about_sqlite)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="what the servers that tests start keep their data in",
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server; tests take a database each."""
    cluster = Cluster().start()
    try:
        cluster.prepare()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="session", autouse=True)
def _chosen_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """With `--database postgresql` each home has a database of its own there, whichever test starts its server."""
    if request.config.getoption("--database") != "postgresql":
        yield
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    urls: dict[Path, str] = {}

    def database_of(home: Path) -> str:
        if home not in urls:
            urls[home] = cluster.url(cluster.make_database())
        return urls[home]

    ServerProcess.database_of = staticmethod(database_of)
    yield
    ServerProcess.database_of = None


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> ServerProcess:
    """The server of the session."""
    name = "object_server" if getattr(request, "param", "files") == "objects" else "file_server"
    running = request.getfixturevalue(name)
    assert isinstance(running, ServerProcess)
    return running


@pytest.fixture(scope="session")
def file_server(tmp_path_factory: pytest.TempPathFactory, _chosen_database: None) -> Iterator[ServerProcess]:
    # Tests that make webhooks at random must not reach anybody.
    env = {"GNOMON_EGRESS_PUBLIC": "false"}
    running = ServerProcess(tmp_path_factory.mktemp("session") / "home", env=env).start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real object store for the session."""
    running = Seaweed(tmp_path_factory.mktemp("seaweed")).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def object_server(
    tmp_path_factory: pytest.TempPathFactory, seaweed: Seaweed, _chosen_database: None
) -> Iterator[ServerProcess]:
    """A server whose artifacts stand in the object store."""
    running = ServerProcess(tmp_path_factory.mktemp("objects") / "home", env=seaweed.env()).start()
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
