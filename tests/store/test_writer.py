"""Group commit with real SQLite: order, jobs that fail alone, what is told when, bounds, closing, disks that fail."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.errors import GnomonError, InvalidRequest, Unavailable
from gnomon_server.model.ids import TenantId
from gnomon_server.store import writer as module
from gnomon_server.store.meta import tenants
from gnomon_server.store.meta.engine import Database, WriteConnection
from gnomon_server.store.meta.migrate import migrate
from gnomon_server.store.tickets import Ticket
from gnomon_server.store.writer import MAX_QUEUED_JOBS, Writer

NOBODY = TenantId(0)


class Rig:
    """A writer whose batches are names of tenants to insert; a hook may do something else with a name."""

    def __init__(self, path: Path) -> None:
        migrate(path)
        self.path = path
        self.database = Database(path)
        self.groups: list[list[str]] = []
        self.undone = 0
        self.fatal: list[Exception] = []
        self.commits: list[int] = []
        self.on_batch: Callable[[Connection, str], object | GnomonError | None] = lambda _tx, _name: None
        self.writer: Writer[str] = Writer(
            self.database,
            commit_batches=self._commit,
            on_undo=self._undo,
            on_fatal=self.fatal.append,
            on_commit=lambda jobs, _secs: self.commits.append(jobs),
            on_changes=lambda _changes: None,
        )

    def _commit(self, writing: WriteConnection, group: Sequence[tuple[TenantId, str]]) -> list[object | GnomonError]:
        self.groups.append([name for _, name in group])
        answers: list[object | GnomonError] = []
        for tenant, name in group:
            with writing.as_tenant(tenant) as tx:
                special = self.on_batch(tx, name)
                answers.append(insert(tx, name) if special is None else special)
        return answers

    def _undo(self) -> None:
        self.undone += 1

    def batch(self, name: str, *, size: int = 1) -> Ticket[object]:
        return self.writer.submit_batch(NOBODY, name, size=size)

    def hold(self) -> Callable[[], None]:
        """Keep the writer inside a job until the answer is called, so that what comes next gathers into one group."""
        held, free = threading.Event(), threading.Event()

        def work(_tx: Connection) -> None:
            held.set()
            free.wait()

        thread = threading.Thread(target=self.writer.call, args=(NOBODY, work))
        thread.start()
        held.wait()

        def release() -> None:
            free.set()
            thread.join()

        return release

    def names(self) -> list[str]:
        """What is on the disk, read by another connection."""
        connection = sqlite.connect(str(self.path))
        try:
            return [row[0] for row in connection.execute("SELECT name FROM tenant_ ORDER BY id")]
        finally:
            connection.close()


def insert(tx: Connection, name: str) -> TenantId:
    return tenants.ensure_tenant(tx, name, now_ms=1)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "gnomon.db")
    made.writer.start()
    yield made
    made.writer.close()
    made.database.close()


def test_what_waits_becomes_one_group_in_the_order_it_came(rig: Rig) -> None:
    release = rig.hold()
    tickets = [rig.batch(f"t{number}") for number in range(100)]
    assert rig.writer.queued == 100
    release()
    assert [ticket.wait() for ticket in tickets] == list(range(1, 101))
    assert rig.groups == [[f"t{number}" for number in range(100)]]
    assert rig.commits == [1, 100]
    assert rig.names() == [f"t{number}" for number in range(100)]


def test_batches_and_works_keep_their_order_in_a_group(rig: Rig) -> None:
    release = rig.hold()
    seen: list[list[str]] = []

    def look(tx: Connection) -> None:
        seen.append([str(name) for name in tx.scalars(sa.text("SELECT name FROM tenant_ ORDER BY id"))])

    tickets = [rig.batch("a"), rig.batch("b")]
    looker = threading.Thread(target=rig.writer.call, args=(NOBODY, look))
    looker.start()
    while rig.writer.queued < 3:
        pass
    tickets.append(rig.batch("c"))
    release()
    looker.join()
    for ticket in tickets:
        ticket.wait()
    assert seen == [["a", "b"]]
    assert rig.groups == [["a", "b"], ["c"]]
    assert rig.commits == [1, 4]


def test_nothing_is_answered_before_it_is_on_the_disk(rig: Rig) -> None:
    for number in range(20):
        rig.batch(f"t{number}").wait()
        assert rig.names()[-1] == f"t{number}"
        rig.writer.call(NOBODY, lambda tx, number=number: insert(tx, f"w{number}"))  # type: ignore[misc]
        assert rig.names()[-1] == f"w{number}"


def test_a_refused_batch_is_refused_alone(rig: Rig) -> None:
    rig.on_batch = lambda _tx, name: InvalidRequest("no") if name == "bad" else None
    release = rig.hold()
    good, bad, last = rig.batch("good"), rig.batch("bad"), rig.batch("last")
    release()
    assert (good.wait(), last.wait()) == (1, 2)
    with pytest.raises(InvalidRequest):
        bad.wait()
    assert rig.names() == ["good", "last"]
    assert rig.undone == 0


@pytest.mark.parametrize("defect", ["exception", "constraint", "statement"])
def test_a_batch_that_meets_a_defect_fails_alone_and_the_process_lives(rig: Rig, defect: str) -> None:
    def spoil(tx: Connection, name: str) -> None:
        if name == "bad":
            insert(tx, "half done")
            if defect == "exception":
                raise ZeroDivisionError
            if defect == "constraint":
                insert(tx, "half done")
            tx.execute(sa.text("SELECT * FROM nothing"))

    rig.on_batch = spoil
    release = rig.hold()
    before, bad, after = rig.batch("before"), rig.batch("bad"), rig.batch("after")
    release()
    assert (before.wait(), after.wait()) == (1, 2)
    with pytest.raises((ZeroDivisionError, sa.exc.DBAPIError)):
        bad.wait()
    assert rig.names() == ["before", "after"]
    assert rig.undone >= 2  # the group, and the bad one alone
    assert rig.fatal == []
    assert rig.batch("later").wait() == 3


@pytest.mark.parametrize("statement", ["SELECT * FROM nothing", "INSERT INTO tenant_ (id, name) VALUES (9, NULL)"])
def test_a_work_that_fails_fails_alone_and_leaves_nothing(rig: Rig, statement: str) -> None:
    def work(tx: Connection) -> None:
        insert(tx, "half done")
        tx.execute(sa.text(statement))

    release = rig.hold()
    first = rig.batch("first")
    errors: list[Exception] = []
    thread = threading.Thread(target=lambda: errors.append(_error_of(lambda: rig.writer.call(NOBODY, work))))
    thread.start()
    while rig.writer.queued < 2:
        pass
    last = rig.batch("last")
    release()
    thread.join()
    assert (first.wait(), last.wait()) == (1, 2)
    assert isinstance(errors[0], sa.exc.DBAPIError)
    assert rig.names() == ["first", "last"]
    assert rig.undone == 1
    assert rig.fatal == []


def _error_of(run: Callable[[], object]) -> Exception:
    try:
        run()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_the_answer_is_that_of_the_attempt_which_was_committed(rig: Rig) -> None:
    """A group that is undone and tried one by one has run some jobs twice."""
    attempts: list[int] = []

    def work(tx: Connection) -> int:
        attempts.append(len(attempts))
        insert(tx, f"attempt {len(attempts)}")
        return attempts[-1]

    def spoil(_tx: Connection, name: str) -> None:
        if name == "bad":
            raise ZeroDivisionError

    rig.on_batch = spoil
    release = rig.hold()
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(rig.writer.call(NOBODY, work)))
    thread.start()
    while rig.writer.queued < 1:
        pass
    bad = rig.batch("bad")
    release()
    thread.join()
    with pytest.raises(ZeroDivisionError):
        bad.wait()
    assert answers == [1]
    assert rig.names() == ["attempt 2"]


def test_a_full_queue_is_refused_at_once_and_recovers(rig: Rig) -> None:
    release = rig.hold()
    tickets = [rig.batch(f"t{number}") for number in range(MAX_QUEUED_JOBS)]
    with pytest.raises(Unavailable) as refused:
        rig.batch("one more")
    assert refused.value.retry_after_secs >= 1
    with pytest.raises(Unavailable):
        rig.writer.call(NOBODY, lambda tx: insert(tx, "one more"))
    release()
    assert [ticket.wait() for ticket in tickets] == list(range(1, MAX_QUEUED_JOBS + 1))
    assert rig.batch("one more").wait() == MAX_QUEUED_JOBS + 1
    assert max(rig.commits) <= module._MAX_GROUP_JOBS


def test_a_group_is_closed_at_its_bytes(rig: Rig) -> None:
    release = rig.hold()
    half = module._MAX_GROUP_BYTES // 2
    tickets = [rig.batch(f"t{number}", size=half) for number in range(5)]
    release()
    for ticket in tickets:
        ticket.wait()
    assert [len(group) for group in rig.groups] == [2, 2, 1]


def test_closing_commits_what_waits_and_takes_no_more(rig: Rig) -> None:
    release = rig.hold()
    tickets = [rig.batch(f"t{number}") for number in range(50)]
    closing = threading.Thread(target=rig.writer.close)
    closing.start()
    while not rig.writer._is_closed:
        pass
    with pytest.raises(Unavailable) as refused:
        rig.batch("too late")
    assert refused.value.code == "stopping"
    release()
    closing.join()
    assert [ticket.wait() for ticket in tickets] == list(range(1, 51))
    assert len(rig.names()) == 50
    wal = rig.path.with_name(f"{rig.path.name}-wal")
    assert not wal.exists() or wal.stat().st_size == 0  # moved into the database


class Waker:
    def __init__(self) -> None:
        self.calls: list[int] = []
        self.told = threading.Event()

    def wake(self, tickets: Sequence[Ticket[object]]) -> None:
        self.calls.append(len(tickets))
        self.told.set()


def test_a_waker_is_told_once_a_group(rig: Rig) -> None:
    release = rig.hold()
    waker = Waker()
    tickets = [rig.writer.submit_batch(NOBODY, f"t{number}", size=1, waker=waker) for number in range(30)]
    release()
    waker.told.wait()
    assert waker.calls == [30]
    assert [ticket.result() for ticket in tickets] == list(range(1, 31))


@pytest.mark.parametrize(
    ("code", "fatal", "told"),
    [
        ("SQLITE_IOERR_WRITE", True, "stopping"),
        ("SQLITE_IOERR_FSYNC", True, "stopping"),
        ("SQLITE_CORRUPT", True, "stopping"),
        ("SQLITE_NOTADB", True, "stopping"),
        ("SQLITE_READONLY", True, "stopping"),
        ("SQLITE_CANTOPEN", True, "stopping"),
        ("SQLITE_FULL", False, "storage_full"),
    ],
)
def test_a_disk_in_doubt_ends_the_process_and_a_full_one_does_not(rig: Rig, code: str, fatal: bool, told: str) -> None:
    number = getattr(sqlite, code, None) or {"SQLITE_IOERR_WRITE": 778, "SQLITE_IOERR_FSYNC": 1034}[code]

    def fail(_tx: Connection, name: str) -> None:
        if name == "bad":
            error = sqlite.OperationalError("disk trouble")
            error.sqlite_errorcode = number
            raise sa.exc.OperationalError("COMMIT", {}, error)

    rig.on_batch = fail
    release = rig.hold()
    good, bad = rig.batch("good"), rig.batch("bad")
    release()
    for ticket in (good, bad):
        with pytest.raises(Unavailable) as refused:
            ticket.wait()
        assert refused.value.code == told
    assert rig.names() == []
    assert bool(rig.fatal) == fatal
    if fatal:
        with pytest.raises(Unavailable):
            rig.batch("later")
    else:
        assert rig.batch("later").wait() == 1
