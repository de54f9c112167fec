"""Whether all that a home keeps is what was written: every byte of it is read, and nothing is changed.

A server may run meanwhile. What belongs together is read in one snapshot: a run with its points, a table with what it
refers to. No snapshot is held for longer, so the write-ahead log and PostgreSQL's old rows do not pile up. Where
something seems wrong it is looked at again in a new snapshot, for it may have been removed in the meantime. Memory is
bounded: runs, contents and chunks come some at a time.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.settings import Settings
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.tenants import list_tenants
from gnomon_server.store.object_chunks import UncachedChunks
from gnomon_server.store.object_store import open_objects, place_of
from gnomon_server.store.verify import contents, rows
from gnomon_server.store.verify.points import RunFound, check_run
from gnomon_server.store.verify.verdicts import Finding, Progress, Tally, Verdict

_RUNS_AT_ONCE = 500

Run = tuple[RowId, str]


def attach_chunks(database: Database, settings: Settings) -> None:
    """Read moved chunks where they stand, past the cache of this machine. Raises `StoreRefused`."""
    if settings.chunks:
        database.moved.attach(UncachedChunks(open_objects(place_of(settings, settings.chunks))))


def verify_points(database: Database, *, progress: Progress) -> Iterator[Verdict]:
    """Every segment and chunk of every run, and the summaries and the ledger beside them."""
    points, summaries, ledger = (
        Tally("points", "segments and chunks"), Tally("summaries", "metrics"), Tally("ledger", "runs")
    )  # fmt: skip
    with database.system() as system:
        every = list_tenants(system)
        total = rows.count_rows(system, t.run_base)
    for tenant, name in every:
        for run in _runs(database, tenant):
            found = _check(database, tenant, name, run)
            points.checked += found.segments + found.chunks
            summaries.checked += found.series
            ledger.checked += 1
            points.add(found.damaged)
            summaries.add(found.unsound)
            ledger.add(found.unledgered)
            progress("points of runs", ledger.checked, max(total, ledger.checked))
    yield from (tally.verdict() for tally in (points, summaries, ledger))


def verify_rows(database: Database, *, progress: Progress) -> Iterator[Verdict]:
    """Every reference of every table, and every count that stands beside what it counts."""
    tally = Tally("references", "rows")
    with database.system() as system:
        _unhurried(system)
        every = list(rows.references())
        for number, reference in enumerate(every):
            progress("references", number, len(every))
            tally.checked += rows.count_rows(system, reference.child)
            tally.add(rows.find_dangling(system, reference))
        yield tally.verdict()
        tally = Tally("counts", "kinds of counts")
        for found in rows.find_miscounted(system):
            tally.checked += 1
            tally.add(found)
        yield tally.verdict()
        yield _quotas(system)


def verify_quotas(database: Database) -> Verdict:
    """The counters of quotas alone."""
    with database.system() as system:
        _unhurried(system)
        return _quotas(system)


def verify_contents(database: Database, read: contents.Reader, *, progress: Progress) -> Verdict:
    """The bytes of every content of artifacts."""
    tally = Tally("artifacts", "contents")
    with database.system() as system:
        _, total = contents.count_contents(system)
    done = 0

    def tell(size: int) -> None:
        nonlocal done
        done += size
        progress("bytes of artifacts", done, max(total, done))

    after = (-1, "")
    while True:
        with database.system() as system:
            page = contents.page_of_contents(system, after)
        if not page:
            return tally.verdict()
        for content in page:
            tally.checked += 1
            if says := contents.check_content(content, read, on_bytes=tell):
                with database.system() as system:
                    if contents.is_kept(system, content):
                        tally.add([contents.finding_of(content, says)])
        after = (page[-1].tenant, page[-1].sha256)


def _quotas(system: Connection) -> Verdict:
    tally = Tally("quotas", "tenants")
    tally.checked = rows.count_rows(system, t.tenant_base)
    tally.add(rows.find_usage(system))
    return tally.verdict()


def _runs(database: Database, tenant: TenantId) -> Iterator[Run]:
    after = -1
    run = t.run.c
    while True:
        with database.read(tenant) as connection:
            query = sa.select(run.id, run.uid).where(run.id > after).order_by(run.id).limit(_RUNS_AT_ONCE)
            page = [(RowId(row.id), str(row.uid)) for row in connection.execute(query)]
        if not page:
            return
        yield from page
        after = page[-1][0]


def _check(database: Database, tenant: TenantId, name: str, run: Run) -> RunFound:
    """What is wrong in a run, also at a second look: it, and the objects it had, may have been purged meanwhile."""
    place = f"run {run[1]} of tenant {name}"
    with database.read(tenant) as connection:
        found = check_run(connection, run[0], place)
    if not (found.damaged or found.unsound or found.unledgered):
        return found
    with database.read(tenant) as connection:
        again = check_run(connection, run[0], place)
    return again._replace(
        damaged=_both(found.damaged, again.damaged),
        unsound=_both(found.unsound, again.unsound),
        unledgered=_both(found.unledgered, again.unledgered),
    )


def _both(before: list[Finding], after: list[Finding]) -> list[Finding]:
    places = {each.place for each in before}
    return [each for each in after if each.place in places]


def _unhurried(connection: Connection) -> None:
    """Let statements of this snapshot take as long as they need."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
