"""The table of retention rules (`model/retention.py` says what one means)."""

from sqlalchemy import Column, ForeignKeyConstraint, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta.schema import Int, base_table, view_of

retention_rule_base = base_table(
    "retention_rule",
    Column("tenant", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("action", Text, nullable=False),  # archive | purge
    Column("experiment", Int),  # NULL: every experiment of the tenant
    Column("filter", Text, nullable=False),
    Column("after_ms", Int, nullable=False),
    Column("keep_best", Int, nullable=False),  # 0: none is kept for its metric
    Column("metric", Text, nullable=False),
    Column("best", Text, nullable=False),  # min | max
    Column("created_by", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("applied_ms", Int),  # when it was applied last, and how many runs it has taken in all
    Column("applied_runs", Int, nullable=False),
    PrimaryKey("tenant", "uid"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
)

retention_rule = view_of(retention_rule_base)
