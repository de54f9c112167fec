"""The tables of traces, their spans and their assessments; `tables.py` says what holds for all tables."""

from sqlalchemy import Column, Double, ForeignKeyConstraint, Index, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta.schema import Int, base_table, view_of

trace_base = base_table(
    "trace",
    Column("tenant", Int, nullable=False),
    Column("id", Int, nullable=False),
    Column("uid", Text, nullable=False),  # as the client made it
    Column("experiment", Int, nullable=False),
    Column("time_ms", Int, nullable=False),
    Column("duration_ms", Int),
    Column("state", Text, nullable=False),  # OK | ERROR | IN_PROGRESS | STATE_UNSPECIFIED
    Column("client_request", Text),
    Column("request_preview", Text),
    Column("response_preview", Text),
    Column("final", Int, nullable=False),  # 1: the client has said how it ended
    PrimaryKey("tenant", "id"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
    Index("trace_uid", "uid", "tenant", unique=True),
    Index("trace_experiment", "tenant", "experiment", "time_ms", "id"),
)

# Tags, metadata (written when the trace is) and prompts (`name/version`, without a value) of a trace; and what its
# spans took in tokens and money, by their ids, so that a sum over them need not read what they hold.
trace_pair_base = base_table(
    "trace_pair",
    Column("tenant", Int, nullable=False),
    Column("trace", Int, nullable=False),
    Column("kind", Text, nullable=False),  # tag | metadata | prompt | spent
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKey("tenant", "trace", "kind", "key"),
    ForeignKeyConstraint(["tenant", "trace"], ["trace_.tenant", "trace_.id"]),
)

# The runs that a trace belongs to, by their ids: the one that was active when it was made, and those linked later.
trace_run_base = base_table(
    "trace_run",
    Column("tenant", Int, nullable=False),
    Column("trace", Int, nullable=False),
    Column("run", Text, nullable=False),
    PrimaryKey("tenant", "trace", "run"),
    ForeignKeyConstraint(["tenant", "trace"], ["trace_.tenant", "trace_.id"]),
    Index("trace_run_of", "tenant", "run", "trace"),
)

# `content` is last: the tree is read without its overflow pages.
span_base = base_table(
    "span",
    Column("tenant", Int, nullable=False),
    Column("trace", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("parent", Text),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),  # OK | ERROR | UNSET
    Column("start_ns", Int, nullable=False),
    Column("end_ns", Int),
    Column("content", Text, nullable=False),
    PrimaryKey("tenant", "trace", "uid"),
    ForeignKeyConstraint(["tenant", "trace"], ["trace_.tenant", "trace_.id"]),
    rowid=True,
)

assessment_base = base_table(
    "assessment",
    Column("tenant", Int, nullable=False),
    Column("trace", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # feedback | expectation | issue
    Column("source_type", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column("value", Text),  # the value in the payload: text as it is, everything else as JSON
    Column("number", Double),  # the value where it is a number, or 1 and 0 for true and false
    Column("rationale", Text),
    Column("metadata", Text, nullable=False),  # a JSON object
    Column("span", Text),
    Column("overrides", Text),
    Column("valid", Int, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    PrimaryKey("tenant", "trace", "uid"),
    ForeignKeyConstraint(["tenant", "trace"], ["trace_.tenant", "trace_.id"]),
)

trace = view_of(trace_base)
trace_pair = view_of(trace_pair_base)
trace_run = view_of(trace_run_base)
span = view_of(span_base)
assessment = view_of(assessment_base)
