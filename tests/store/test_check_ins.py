"""Of all who find a run silent exactly one ends it, and a check-in that came between wins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.store import Connection
from gnomon_server.store.meta import check_ins, experiments, runs
from gnomon_server.store.meta.engine import Database
from gnomon_server.store.meta.migrate import migrate
from gnomon_server.store.meta.tenants import ensure_tenant

TENANT = TenantId(1)


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Connection]:
    migrate(tmp_path / "gnomon.db")
    database = Database(tmp_path / "gnomon.db")
    writing = database.open_writer()
    with writing.connection.begin(), writing.as_tenant(TENANT) as connection:
        if ensure_tenant(connection, "t", now_ms=0) != TENANT:
            raise AssertionError
        experiments.insert_experiment(
            connection, TENANT, uid="e" * 32, name="e", description="", artifact_location="", now_ms=0
        )
        yield connection
    writing.close()
    database.close()


def new_run(tx: Connection) -> RowId:
    experiment = experiments.find_experiment(tx, "e" * 32)
    assert experiment is not None
    return runs.insert_run(
        tx,
        TENANT,
        uid="a" * 32,
        experiment=experiment.row,
        name="r",
        description="",
        start_ms=0,
        created_by="",
        now_ms=0,
    )


def test_one_claims_a_silent_run(tx: Connection) -> None:
    run = new_run(tx)
    check_ins.keep_sign(tx, TENANT, run, seen_ms=1_000)
    absent = check_ins.Absent(TENANT, run, 1_000)
    assert [check_ins.claim_lost(tx, absent, now_ms=9_000) for _ in range(3)] == [True, False, False]
    assert [check_ins.end_running(tx, TENANT, run, end_ms=1_000, now_ms=9_000) for _ in range(2)] == [True, False]


def test_a_check_in_between_wins(tx: Connection) -> None:
    run = new_run(tx)
    check_ins.keep_sign(tx, TENANT, run, seen_ms=1_000)
    absent = check_ins.Absent(TENANT, run, 1_000)
    check_ins.keep_sign(tx, TENANT, run, seen_ms=8_000)
    assert not check_ins.claim_lost(tx, absent, now_ms=9_000)


def test_a_run_that_somebody_ended_does_not_come_back(tx: Connection) -> None:
    run = new_run(tx)
    check_ins.keep_sign(tx, TENANT, run, seen_ms=1_000)
    assert check_ins.claim_lost(tx, check_ins.Absent(TENANT, run, 1_000), now_ms=9_000)
    runs.update_run(tx, TENANT, run, status="failed")
    assert not check_ins.find_back(tx, TENANT, run, now_ms=9_500)
    promise = check_ins.find_promise(tx, run)
    assert promise is not None
    assert (promise.status, promise.lost_ms) == ("failed", None)
