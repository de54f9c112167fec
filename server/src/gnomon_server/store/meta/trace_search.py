"""Finding traces: by themselves, by their tags and metadata, by what stands in a span, by how they were judged.

Clauses on spans all speak of one span: `span.name = 'a' and span.status = 'ERROR'` asks for a span that is both.
"""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.filters.clauses import Clause
from gnomon_server.model.ids import RowId
from gnomon_server.model.trace_counts import TraceCounts
from gnomon_server.model.traces import TraceOrder
from gnomon_server.store.meta import trace_tables as r
from gnomon_server.store.meta.clauses import Attribute, Condition, KeyedValues, compared, conditions

_END = r.trace.c.time_ms + sa.func.coalesce(r.trace.c.duration_ms, 0)
ATTRIBUTES: dict[str, Attribute] = {
    "request_id": r.trace.c.uid,
    "timestamp_ms": r.trace.c.time_ms,
    "execution_time_ms": r.trace.c.duration_ms,
    "end_time_ms": _END,
    "status": r.trace.c.state,
    "client_request_id": r.trace.c.client_request,
    "experiment_id": r.trace.c.experiment,
}
# Where clients say that a trace, or what is said of it, is about a whole conversation.
_SESSION = "mlflow.trace.session"
_SPAN_COLUMNS: dict[str, Attribute] = {"name": r.span.c.name, "type": r.span.c.kind, "status": r.span.c.status}


def search_traces(
    connection: Connection,
    clauses: Sequence[Clause],
    order: Sequence[TraceOrder],
    *,
    experiments: Sequence[RowId],
    limit: int,
    offset: int,
) -> list[RowId]:
    """A page of the traces of some experiments that match, the newest first where nothing else is asked."""
    c = r.trace.c
    where = [c.experiment.in_(experiments), *_matching(connection, clauses, experiments)]
    by: list[sa.ColumnElement[bool] | Attribute] = []
    for item in order:
        value = ATTRIBUTES[item.key] if item.kind == "attribute" else _pair_value(item)
        by += [value.is_(None), value.desc() if item.descending else value.asc()]
    page = sa.select(c.id).where(*where).order_by(*by, c.time_ms.desc(), c.uid).limit(limit).offset(offset)
    return [RowId(row) for row in connection.scalars(page)]


def count_traces(
    connection: Connection,
    first: Sequence[Clause],
    second: Sequence[Clause],
    *,
    base: Sequence[Clause],
    experiments: Sequence[RowId],
) -> TraceCounts:
    """How many traces of some experiments match `base`, and of these the first clauses, the second, and both."""
    one, two = (
        sa.and_(sa.true(), *_matching(connection, [*base, *clauses], experiments)) for clauses in (first, second)
    )
    wanted = [r.trace.c.experiment.in_(experiments), *_matching(connection, base, experiments)]
    counts = (
        sa.func.count(),
        sa.func.count(sa.case((one, 1))),
        sa.func.count(sa.case((two, 1))),
        sa.func.count(sa.case((sa.and_(one, two), 1))),
    )
    total, of_first, of_second, of_both = connection.execute(
        sa.select(*counts).select_from(r.trace).where(*wanted)
    ).one()
    return TraceCounts(total=total, first=of_first, second=of_second, both=of_both)


def _matching(connection: Connection, clauses: Sequence[Clause], experiments: Sequence[RowId]) -> list[Condition]:
    where: list[Condition] = []
    on_spans: list[Condition] = []
    plain: list[Clause] = []
    for clause in clauses:
        if clause.kind == "span":
            on_spans.append(_on_span(connection, clause))
        elif clause.kind in ("feedback", "expectation"):
            where.append(_on_assessment(connection, clause, experiments))
        elif clause.kind == "attribute" and clause.key in ("run_id", "prompt"):
            where.append(_linked(connection, clause))
        else:
            plain.append(clause)
    where += conditions(connection, plain, ATTRIBUTES, {"tag": _pairs("tag"), "metadata": _pairs("metadata")})
    if on_spans:
        where.append(sa.select(r.span.c.uid).where(r.span.c.trace == r.trace.c.id, *on_spans).exists())
    return where


def _pairs(kind: str) -> KeyedValues:
    c = r.trace_pair.c
    return KeyedValues(
        lambda key: sa.select(c.trace).where(c.trace == r.trace.c.id, c.kind == kind, c.key == key), c.value
    )


def _pair_value(item: TraceOrder) -> sa.ColumnElement[str]:
    c = r.trace_pair.c
    one = sa.select(c.value).where(c.trace == r.trace.c.id, c.kind == item.kind, c.key == item.key)
    return one.correlate(r.trace).scalar_subquery()


def _linked(connection: Connection, clause: Clause) -> Condition:
    """Whether the trace belongs to a run, or used a version of a prompt."""
    if clause.key == "run_id":
        run = r.trace_run.c
        linked, value = sa.select(run.trace).where(run.trace == r.trace.c.id), run.run
    else:
        pair = r.trace_pair.c
        linked = sa.select(pair.trace).where(pair.trace == r.trace.c.id, pair.kind == "prompt")
        value = pair.key
    if clause.op == "is null":
        return sa.not_(linked.exists())
    if clause.op == "is not null":
        return linked.exists()
    return linked.where(compared(connection, clause, value)).exists()


def _on_span(connection: Connection, clause: Clause) -> Condition:
    if clause.key in _SPAN_COLUMNS:
        return compared(connection, clause, _SPAN_COLUMNS[clause.key])
    content = r.span.c.content
    if clause.key == "content":
        in_text = compared(connection, clause, content)
        if clause.op in ("like", "ilike"):  # the name is text of the span too, and kept beside it
            return sa.or_(in_text, compared(connection, clause, r.span.c.name))
        return in_text
    # An attribute: its name and value as they stand in the JSON.
    name = json.dumps(clause.key.removeprefix("attributes."), ensure_ascii=False) + ":"
    values = [str(value) for value in clause.values]
    if clause.op in ("like", "ilike"):
        inside = Clause("span", "content", clause.op, (f"%{name}%{values[0].lstrip('%')}%",))
        return compared(connection, inside, content)
    if clause.op == "rlike":
        escaped = "".join(f"\\{letter}" if not letter.isalnum() else letter for letter in name)
        pattern = values[0]
        begins = '"?' if pattern.startswith("^") else "[^,]*"
        return compared(
            connection, Clause("span", "content", "rlike", (escaped + begins + pattern.strip("^$"),)), content
        )
    is_any = sa.or_(
        *(sa.func.replace(content, name + json.dumps(value, ensure_ascii=False), "") != content for value in values)
    )
    return sa.not_(is_any) if clause.op in ("!=", "not in") else is_any


def _on_assessment(connection: Connection, clause: Clause, experiments: Sequence[RowId]) -> Condition:
    """Whether the trace was judged so, or the session that it is part of was, at any of its traces."""
    c = r.assessment.c
    judged: list[Condition] = [c.kind == clause.kind, c.name == clause.key, c.valid == 1]
    if clause.op not in ("is null", "is not null") and isinstance(clause.values[0], float):
        # True and false have a number for charts, and are none here.
        judged += [c.value.not_in(("true", "false")), compared(connection, clause, c.number)]
    elif clause.op not in ("is null", "is not null"):
        judged.append(compared(connection, clause, c.value))
    itself = sa.select(c.uid).where(c.trace == r.trace.c.id, *judged).exists()
    part, its = r.trace_pair.alias("session_of_judged"), r.trace.alias("judged_trace")
    sessions = (
        sa.select(part.c.value)
        .select_from(r.assessment.join(part, part.c.trace == c.trace).join(its, its.c.id == c.trace))
        .where(part.c.kind == "metadata", part.c.key == _SESSION, its.c.experiment.in_(experiments))
        .where(c.metadata.contains(f'"{_SESSION}":', autoescape=True), *judged)
    )
    own = r.trace_pair.alias("own_session").c
    within = sa.select(own.trace).where(
        own.trace == r.trace.c.id, own.kind == "metadata", own.key == _SESSION, own.value.in_(sessions)
    )
    is_judged = sa.or_(itself, within.exists())
    return sa.not_(is_judged) if clause.op == "is null" else is_judged
