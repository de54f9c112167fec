"""The SQL of traces: their rows, tags, metadata and runs, and removing them."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.traces import PairKind, Trace
from gnomon_server.store.meta import assessments
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import trace_tables as r
from gnomon_server.store.meta.upsert import upsert

_IN_LIST = 1_000
_NAMES = ("id", "uid", "experiment", "time_ms", "duration_ms", "state", "client_request", "request_preview")
_COLUMNS = [
    *(r.trace.c[name] for name in (*_NAMES, "response_preview", "final")),
    t.experiment.c.number,
    t.experiment.c.artifact_location,
]
_SOURCE = r.trace.join(t.experiment, t.experiment.c.id == r.trace.c.experiment)


def find_rows(connection: Connection, uids: Sequence[str]) -> dict[str, RowId]:
    """The rows of the traces that have these ids."""
    found: dict[str, RowId] = {}
    for start in range(0, len(uids), _IN_LIST):
        query = sa.select(r.trace.c.uid, r.trace.c.id).where(r.trace.c.uid.in_(uids[start : start + _IN_LIST]))
        found.update((uid, RowId(row)) for uid, row in connection.execute(query))
    return found


def find_trace(connection: Connection, uid: str) -> Trace | None:
    """A trace with all that is known of it, but its spans."""
    found = read_traces(connection, list(find_rows(connection, [uid]).values()))
    return found[0] if found else None


def read_traces(connection: Connection, rows: Sequence[RowId]) -> list[Trace]:
    """The traces of these rows, in this order."""
    by_row: dict[RowId, Trace] = {}
    for start in range(0, len(rows), _IN_LIST):
        part = rows[start : start + _IN_LIST]
        pairs = _pairs(connection, part)
        judged = assessments.read_assessments(connection, part)
        for row in connection.execute(sa.select(*_COLUMNS).select_from(_SOURCE).where(r.trace.c.id.in_(part))):
            by_row[RowId(row.id)] = Trace(
                row=RowId(row.id),
                uid=row.uid,
                experiment=RowId(row.experiment),
                experiment_number=row.number,
                artifact_location=row.artifact_location,
                time_ms=row.time_ms,
                duration_ms=row.duration_ms,
                state=row.state,
                client_request=row.client_request,
                request_preview=row.request_preview,
                response_preview=row.response_preview,
                is_final=bool(row.final),
                tags=pairs.get((row.id, "tag"), {}),
                metadata=pairs.get((row.id, "metadata"), {}),
                assessments=judged.get(row.id, []),
            )
    return [by_row[row] for row in rows if row in by_row]


def insert_trace(connection: Connection, tenant: TenantId, **values: str | int | None) -> RowId:
    row = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(r.trace.c.id) + 1, 1))) or 1
    connection.execute(sa.insert(r.trace_base).values(tenant=tenant, id=row, **values))
    return RowId(row)


def update_trace(connection: Connection, tenant: TenantId, row: RowId, **values: str | int | None) -> None:
    base = r.trace_base
    if values:
        connection.execute(sa.update(base).where(base.c.tenant == tenant, base.c.id == row).values(**values))


def set_pairs(connection: Connection, tenant: TenantId, row: RowId, kind: PairKind, pairs: Mapping[str, str]) -> None:
    """Set tags, metadata or prompts; the others stay."""
    if not pairs:
        return
    insert = upsert(connection, r.trace_pair_base)
    statement = insert.on_conflict_do_update(
        index_elements=["tenant", "trace", "kind", "key"], set_={"value": insert.excluded.value}
    )
    rows = [{"tenant": tenant, "trace": row, "kind": kind, "key": key, "value": pairs[key]} for key in pairs]
    connection.execute(statement, rows)


def read_pairs(connection: Connection, row: RowId, kind: PairKind) -> dict[str, str]:
    """The pairs of one kind of a trace."""
    c = r.trace_pair.c
    query = sa.select(c.key, c.value).where(c.trace == row, c.kind == kind).order_by(c.key)
    return {row.key: row.value for row in connection.execute(query)}


def delete_pairs(connection: Connection, tenant: TenantId, row: RowId, kind: PairKind, keys: Sequence[str]) -> None:
    base = r.trace_pair_base.c
    for start in range(0, len(keys), _IN_LIST):
        part = keys[start : start + _IN_LIST]
        where = (base.tenant == tenant, base.trace == row, base.kind == kind, base.key.in_(part))
        connection.execute(sa.delete(r.trace_pair_base).where(*where))


def link_run(connection: Connection, tenant: TenantId, rows: Iterable[RowId], run: str) -> None:
    """Say that traces belong to a run; saying it again changes nothing."""
    linked = [{"tenant": tenant, "trace": row, "run": run} for row in rows]
    if linked:
        connection.execute(upsert(connection, r.trace_run_base).on_conflict_do_nothing(), linked)


def rows_of_run(connection: Connection, run: str, *, limit: int, offset: int) -> tuple[int, list[RowId]]:
    """A page of the traces of a run, the newest first, and how many there are."""
    source = r.trace_run.join(r.trace, r.trace.c.id == r.trace_run.c.trace)
    where = r.trace_run.c.run == run
    total = connection.scalar(sa.select(sa.func.count()).select_from(r.trace_run).where(where)) or 0
    page = sa.select(r.trace.c.id).select_from(source).where(where)
    page = page.order_by(r.trace.c.time_ms.desc(), r.trace.c.id.desc()).limit(limit).offset(offset)
    return total, [RowId(row) for row in connection.scalars(page)]


def rows_to_delete(
    connection: Connection, experiment: RowId, *, uids: Sequence[str] | None, until_ms: int | None, limit: int | None
) -> list[RowId]:
    """The traces of an experiment that have these ids or are not younger than this, the oldest first."""
    c = r.trace.c
    query = sa.select(c.id).where(c.experiment == experiment).order_by(c.time_ms, c.uid)
    if uids is not None:
        query = query.where(c.uid.in_(uids))
    if until_ms is not None:
        query = query.where(c.time_ms <= until_ms)
    return [RowId(row) for row in connection.scalars(query.limit(limit))]


def delete_traces(connection: Connection, tenant: TenantId, rows: Sequence[RowId]) -> None:
    """Remove traces with everything of them."""
    for start in range(0, len(rows), _IN_LIST):
        part = rows[start : start + _IN_LIST]
        for base in (r.assessment_base, r.span_base, r.trace_run_base, r.trace_pair_base):
            connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.trace.in_(part)))
        base = r.trace_base
        connection.execute(sa.delete(base).where(base.c.tenant == tenant, base.c.id.in_(part)))


def _pairs(connection: Connection, rows: Sequence[RowId]) -> dict[tuple[int, PairKind], dict[str, str]]:
    c = r.trace_pair.c
    found: dict[tuple[int, PairKind], dict[str, str]] = {}
    query = (
        sa.select(c.trace, c.kind, c.key, c.value)
        .where(c.trace.in_(rows), c.kind.in_(("tag", "metadata")))
        .order_by(c.key)
    )
    for trace, kind, key, value in connection.execute(query):
        found.setdefault((trace, kind), {})[key] = value
    return found
