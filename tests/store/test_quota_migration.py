"""A database from before quotas: the migration counts what each tenant keeps, on both engines."""

from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3.dbapi2 as sqlite
import pytest
from tests.support.postgres import OWNER, Cluster
from tests.support.server_process import ServerProcess

from gnomon_server.store.meta import migrate_postgres

# What a database of the revision before has.
_BACK = (
    "DROP VIEW IF EXISTS webhook",  # of PostgreSQL; those of SQLite are of a connection
    "ALTER TABLE webhook_ DROP COLUMN description",
    "DROP TABLE usage_",
    "DROP TABLE quota_",
    "UPDATE alembic_version SET version_num = '0011'",
)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_is_there_is_counted_once(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> None:
    home, env = tmp_path / "home", {}
    cluster, database = None, ""
    if engine == "postgresql":
        cluster = request.getfixturevalue("postgres")
        assert isinstance(cluster, Cluster)
        database = cluster.make_database()
        env = {"GNOMON_DATABASE": cluster.url(database)}
    else:
        env = {"GNOMON_DATABASE": f"sqlite:///{home}/gnomon.db"}
    server = ServerProcess(home, env=env).start()
    try:
        _fill(server, "one", runs=2)
        _fill(server, "two", runs=1)
        before = {tenant: _use(server, tenant) for tenant in ("one", "two", "nobody")}
    finally:
        assert server.stop() == 0
    assert before["one"] == {"experiments": 1, "runs": 2, "series": 2, "points": 60, "artifact_bytes": 7}
    assert set(before["nobody"].values()) == {0}
    if cluster is None:
        with closing(sqlite.connect(str(home / "gnomon.db"), isolation_level=None)) as connection:
            for statement in _BACK:
                connection.execute(statement)
    else:
        with psycopg.connect(cluster.url(database, OWNER), autocommit=True) as connection:
            connection.execute("DROP VIEW usage")
            for statement in _BACK:
                connection.execute(statement)
        assert migrate_postgres.migrate(cluster.url(database, OWNER))[0] == "0011"
    server = ServerProcess(home, env=env).start()
    try:
        assert {tenant: _use(server, tenant) for tenant in before} == before
        _fill(server, "two", runs=1, experiment="more")
        assert _use(server, "two")["points"] == 60
    finally:
        assert server.stop() == 0


def _fill(server: ServerProcess, tenant: str, *, runs: int, experiment: str = "fraud") -> None:
    with server.client(tenant) as api:
        of = api.post("/experiments", json={"name": experiment}).json()["id"]
        for _ in range(runs):
            run = api.post("/experiments/runs", json={"experiment_id": of}).json()["id"]
            body = {"metrics": [{"key": "loss", "value": 1.0, "step": step} for step in range(30)]}
            api.post(f"/experiments/runs/{run}/log-batch", json=body).raise_for_status()
            api.post(f"/experiments/runs/{run}/log-artifact", files={"file": ("a", b"content")}).raise_for_status()


def _use(server: ServerProcess, tenant: str) -> dict[str, Any]:
    with server.client(tenant) as api:
        return {each["quota"]: each["used"] for each in api.get("/quotas").json()["tenants"][0]["quotas"]}
