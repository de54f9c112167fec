"""The SQL of spans: a span sent again replaces what was kept of it."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.model.traces import SentSpan, Span
from gnomon_server.store.meta import trace_tables as r
from gnomon_server.store.meta.upsert import upsert

_NAMES = ("uid", "parent", "name", "kind", "status", "start_ns", "end_ns", "content")
_IN_LIST = 1_000


def put_spans(connection: Connection, tenant: TenantId, trace: RowId, spans: Sequence[Span]) -> None:
    """Keep the spans of a trace."""
    insert = upsert(connection, r.span_base)
    statement = insert.on_conflict_do_update(
        index_elements=["tenant", "trace", "uid"], set_={name: insert.excluded[name] for name in _NAMES[1:]}
    )
    rows = [
        {"tenant": tenant, "trace": trace, **{name: getattr(span, name) for name in _NAMES}}
        for span in {span.uid: span for span in spans}.values()
    ]
    connection.execute(statement, rows)


def count_spans(connection: Connection, trace: RowId) -> int:
    query = sa.select(sa.func.count()).select_from(r.span).where(r.span.c.trace == trace)
    return connection.scalar(query) or 0


def read_spans(connection: Connection, traces: Sequence[RowId]) -> dict[RowId, list[Span]]:
    """The spans of some traces in the order in which they began, a parent before what began with it."""
    found: dict[RowId, list[Span]] = {trace: [] for trace in traces}
    c = r.span.c
    for start in range(0, len(traces), _IN_LIST):
        part = traces[start : start + _IN_LIST]
        query = sa.select(c.trace, *(c[name] for name in _NAMES)).where(c.trace.in_(part))
        for row in connection.execute(query.order_by(c.trace, c.start_ns, c.parent.is_not(None), c.uid)):
            found[RowId(row.trace)].append(Span(*row[1:]))
    return found


def read_parents(connection: Connection, trace: RowId) -> dict[str, str | None]:
    """The parent of each span of a trace."""
    c = r.span.c
    return {row.uid: row.parent for row in connection.execute(sa.select(c.uid, c.parent).where(c.trace == trace))}


def read_spent(connection: Connection, trace: RowId, marks: Sequence[str]) -> list[SentSpan]:
    """All spans of a trace; with the attributes of those alone whose content has one of these marks."""
    c = r.span.c
    marked = sa.or_(*(c.content.contains(mark, autoescape=True) for mark in marks))
    content = sa.case((marked, c.content), else_=None)
    query = sa.select(c.uid, c.parent, content.label("content")).where(c.trace == trace).order_by(c.uid)
    return [
        SentSpan(
            trace="",
            span=Span(row.uid, row.parent, name="", kind="", status="UNSET", start_ns=0, end_ns=None, content=""),
            attributes={} if row.content is None else msgspec.json.decode(row.content, type=_Told).attributes,
        )
        for row in connection.execute(query)
    ]


class _Told(msgspec.Struct):
    attributes: dict[str, object] = {}
