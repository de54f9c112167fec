"""Batches that meet in one commit group: what one does is seen by the next, and a refused one leaves nothing."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pysqlite3.dbapi2 as sqlite
import pytest

from gnomon_server.app import Server, open_server
from gnomon_server.core.access import Principal
from gnomon_server.model.batches import BatchKept, Identity, RunBatch
from gnomon_server.model.entities import Run
from gnomon_server.model.errors import GnomonError, InvalidRequest, ParamConflict, RunArchived, RunNotFound, SequenceGap
from gnomon_server.model.points import PointBatch
from gnomon_server.settings import Settings
from gnomon_server.store import Connection


class House:
    """A server without HTTP, one run in it, and a way to make requests meet in one group."""

    def __init__(self, server: Server) -> None:
        self.services = server.services
        self.principal: Principal = self.services.access.principal("house")
        self.experiment = self.services.experiments.create(
            self.principal, name="e", description="", artifact_location=None, tags={}
        ).uid
        self.run = self.new_run()

    def new_run(self) -> str:
        made = self.services.runs.create(
            self.principal, experiment_uid=self.experiment, name=None, description="", tags={}
        )
        return made.uid

    def together(self, batches: Sequence[RunBatch]) -> list[BatchKept | GnomonError]:
        """Store the batches in one group; one answer each."""
        held, free = threading.Event(), threading.Event()

        def hold(_tx: Connection) -> None:
            held.set()
            free.wait()

        holder = threading.Thread(target=self.services.stores.writer.call, args=(self.principal.tenant, hold))
        holder.start()
        held.wait()
        tickets = [self.services.ingest.append(self.principal.tenant, batch) for batch in batches]
        free.set()
        holder.join()
        answers: list[BatchKept | GnomonError] = []
        for ticket in tickets:
            try:
                kept = ticket.wait()
                assert isinstance(kept, BatchKept)
                answers.append(kept)
            except GnomonError as error:
                answers.append(error)
        return answers

    def read(self, run: str | None = None) -> Run:
        return self.services.runs.get(self.principal, run or self.run)

    def total(self, key: str, run: str | None = None) -> int:
        (page,) = self.services.metrics.history(self.principal, run or self.run, [key], limit=1, offset=0)
        return page.total


def points(names: Sequence[str], *, step: float = 0, value: float = 1) -> PointBatch:
    n = len(names)
    return PointBatch(
        names=list(names),
        key=np.arange(n, dtype=np.uint32),
        step=np.full(n, step),
        time_ms=np.full(n, 7, np.int64),
        value=np.full(n, value),
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    server = open_server(Settings(home=str(tmp_path / "home")))
    yield House(server)
    server.close()


def test_the_same_batch_twice_in_one_group_counts_once(house: House) -> None:
    plain = RunBatch(house.run, points(["a"]), params={"p": "1"}, tags={"t": "x"})
    assert house.together([plain, plain]) == [BatchKept(), BatchKept()]
    assert house.total("a") == 1
    sent = RunBatch(house.run, points(["b"]), identity=Identity("w", 0))
    answers = house.together([sent, sent, sent])
    assert answers == [BatchKept(), BatchKept(is_duplicate=True), BatchKept(is_duplicate=True)]
    assert house.total("b") == 1
    _, (ledger,) = house.services.runs.ledger(house.principal, house.run)
    assert (ledger.last_seq, ledger.points, ledger.duplicates) == (0, 1, 2)


def test_batches_of_one_writer_stand_in_line_within_a_group(house: House) -> None:
    batches = [RunBatch(house.run, points(["a"], step=seq), identity=Identity("w", seq)) for seq in (0, 1, 3, 2, 3)]
    answers = house.together(batches)
    assert [isinstance(answer, SequenceGap) for answer in answers] == [False, False, True, False, False]
    assert isinstance(answers[2], SequenceGap)
    assert answers[2].expected_seq == 2
    assert house.total("a") == 4


def test_a_conflict_within_a_group_refuses_the_later_batch_alone(house: House) -> None:
    answers = house.together(
        [
            RunBatch(house.run, params={"lr": "1"}),
            RunBatch(house.run, points(["lost"]), params={"lr": "2", "new": "x"}, tags={"t": "lost"}),
            RunBatch(house.run, points(["kept"]), params={"lr": "1"}),
        ]
    )
    assert answers[0] == answers[2] == BatchKept()
    assert isinstance(answers[1], ParamConflict)
    found = house.read()
    assert (dict(found.params), dict(found.metrics), dict(found.tags)) == ({"lr": "1"}, {"kept": 1.0}, {})


def test_an_archived_an_unknown_and_a_good_run_in_one_group(house: House) -> None:
    gone = house.new_run()
    house.services.ingest.append(house.principal.tenant, RunBatch(gone, points(["a"]))).wait()
    house.services.runs.archive(house.principal, gone)
    answers = house.together(
        [
            RunBatch(house.run, points(["a"])),
            RunBatch(gone, points(["a"], step=1), params={"p": "1"}),
            RunBatch("0" * 32, points(["a"])),
            RunBatch(house.run, points(["a"], step=1)),
        ]
    )
    assert answers[0] == answers[3] == BatchKept()
    assert isinstance(answers[1], RunArchived)
    assert isinstance(answers[2], RunNotFound)
    assert (house.total("a"), house.total("a", gone)) == (2, 1)
    assert dict(house.read(gone).params) == {}


def test_a_run_archived_between_two_batches_takes_the_first(house: House) -> None:
    """The order of the queue is the order of the world, within one group too."""
    held, free = threading.Event(), threading.Event()

    def hold(_tx: Connection) -> None:
        held.set()
        free.wait()

    writer, ingest, tenant = house.services.stores.writer, house.services.ingest, house.principal.tenant
    threads = [threading.Thread(target=writer.call, args=(tenant, hold))]
    threads[0].start()
    held.wait()
    before = ingest.append(tenant, RunBatch(house.run, points(["a"])))
    threads.append(threading.Thread(target=house.services.runs.archive, args=(house.principal, house.run)))
    threads[1].start()
    while writer.queued < 2:
        pass
    after = ingest.append(tenant, RunBatch(house.run, points(["a"], step=1)))
    free.set()
    for thread in threads:
        thread.join()
    assert before.wait() == BatchKept()
    with pytest.raises(RunArchived):
        after.wait()
    assert house.total("a") == 1


def test_a_repeat_is_known_for_one_when_its_run_takes_no_more(house: House) -> None:
    """Its answer was lost, the run was archived since: the sender must not set aside what is kept."""
    sent = RunBatch(house.run, points(["a"]), identity=Identity("w", 0))
    assert house.together([sent]) == [BatchKept()]
    house.services.runs.archive(house.principal, house.run)
    assert house.together([sent]) == [BatchKept(is_duplicate=True)]
    (refused,) = house.together([RunBatch(house.run, points(["a"], step=1), identity=Identity("w", 1))])
    assert isinstance(refused, RunArchived)


def test_the_bound_on_metrics_holds_across_a_group(house: House) -> None:
    half = [[f"{half}{number}" for number in range(6_000)] for half in "ab"]
    answers = house.together(
        [
            RunBatch(house.run, points(half[0])),
            RunBatch(house.run, points(half[1])),
            RunBatch(house.run, points(half[0], step=1)),
            RunBatch(house.run, points(half[1][:4_000])),
            RunBatch(house.run, points(["one more"])),
        ]
    )
    assert [isinstance(answer, InvalidRequest) for answer in answers] == [False, True, False, False, True]
    assert len(house.read().metrics) == 10_000
    (refused,) = house.together([RunBatch(house.run, points(["a0", "one more"], step=2))])
    assert isinstance(refused, InvalidRequest)
    assert refused.code == "too_many_keys"
    assert house.together([RunBatch(house.run, points(["a0"], step=2))]) == [BatchKept()]
    assert house.total("a0") == 3


def test_tenants_share_a_group_and_nothing_else(house: House) -> None:
    other = house.services.access.principal("other")
    mine = RunBatch(house.run, points(["a"]))
    held, free = threading.Event(), threading.Event()

    def hold(_tx: Connection) -> None:
        held.set()
        free.wait()

    holder = threading.Thread(target=house.services.stores.writer.call, args=(other.tenant, hold))
    holder.start()
    held.wait()
    tickets = [
        house.services.ingest.append(tenant, mine) for tenant in (house.principal.tenant, other.tenant) for _ in "12"
    ]
    free.set()
    holder.join()
    assert [tickets[place].wait() for place in (0, 1)] == [BatchKept(), BatchKept()]
    for place in (2, 3):
        with pytest.raises(GnomonError) as refused:
            tickets[place].wait()
        assert refused.value.code == "tenant_access_denied"
    assert house.total("a") == 1


def test_what_runs_for_every_batch_is_prepared_once_however_much_else_was_run(house: House) -> None:
    """Of the driver's cache of statements, which is never left by those that came first."""
    tenant, writer = house.principal.tenant, house.services.stores.writer
    for _ in range(700):
        writer.call(tenant, lambda _tx: None)
    prepared: list[int] = []

    def note(action: int, *_of: object) -> int:
        prepared.append(action)
        return sqlite.SQLITE_OK

    def watch(tx: Connection) -> None:
        connection = tx.connection.dbapi_connection
        assert isinstance(connection, sqlite.Connection)
        connection.set_authorizer(note)

    writer.call(tenant, watch)
    for seq in range(2):
        prepared.clear()
        house.together([RunBatch(house.run, points(["a"], step=seq), identity=Identity("w", seq))])
    assert set(prepared) <= {sqlite.SQLITE_TRANSACTION}  # of the driver's own COMMIT
