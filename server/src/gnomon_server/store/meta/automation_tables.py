"""The tables of what the server does by itself: signs of life of runs, and what happened to a run besides its data.

`check_in` has a row for each run whose job has promised to say that it lives (`core/liveness.py`); `lost_ms` is set
when the server ended the run because the promise was broken. `run_event` is the run's history of such moments.
"""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta.schema import Int, base_table, view_of

check_in_base = base_table(
    "check_in",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("seen_ms", Int, nullable=False),  # by this server's clock
    Column("lost_ms", Int),
    PrimaryKey("tenant", "run"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)
# What the liveness thread asks for: promises that may be broken, of all tenants.
Index(
    "check_in_due",
    check_in_base.c.seen_ms,
    sqlite_where=check_in_base.c.lost_ms.is_(None),
    postgresql_where=check_in_base.c.lost_ms.is_(None),
)

run_event_base = base_table(
    "run_event",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("uid", Text, nullable=False),  # time-ordered
    Column("at_ms", Int, nullable=False),
    Column("kind", Text, nullable=False),  # lost | back
    Column("message", Text, nullable=False),
    PrimaryKey("tenant", "run", "uid"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

check_in = view_of(check_in_base)
run_event = view_of(run_event_base)
