"""The tables of what tenants keep and may keep (`model/quotas.py` says what counts).

A tenant's use is the sum over its rows of `usage`. Writers that may stand beside each other each add to a row of their
own, so that nobody waits for another's commit; where a tenant has a limit, all add to row 0, and wait (`usage.py`).
"""

from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta.schema import Int, base_table, metadata, view_of

usage_base = base_table(
    "usage",
    Column("tenant", Int, nullable=False),
    Column("shard", Int, nullable=False),
    Column("experiments", Int, nullable=False),
    Column("runs", Int, nullable=False),
    Column("series", Int, nullable=False),
    Column("points", Int, nullable=False),
    Column("artifact_bytes", Int, nullable=False),
    PrimaryKey("tenant", "shard"),
)

# The server's own: no tenant sets its limits. NULL is no limit. A row stays when all are gone, for its version: the
# greatest is what every process asks for twice a second.
quota = Table(
    "quota_",
    metadata,
    Column("tenant", Int, ForeignKey("tenant_.id"), primary_key=True, autoincrement=False),
    Column("experiments", Int),
    Column("runs", Int),
    Column("series", Int),
    Column("points", Int),
    Column("artifact_bytes", Int),
    Column("version", Int, nullable=False),
)

usage = view_of(usage_base)
