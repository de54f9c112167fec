"""The tables of what the server does by itself: signs of life of runs, and what happened to a run besides its data.

`check_in` has a row for each run whose job has promised to say that it lives (`core/liveness.py`); `lost_ms` is set
when the server ended the run because the promise was broken. `run_event` is the run's history of such moments.

`delivery` is the outbox of webhooks: a row is written in the transaction of what it tells, and goes when it is old. Ids
are UUIDv7, so they sort by time without a counter that writers would wait for.
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
    Column("kind", Text, nullable=False),  # lost | back | rule
    Column("message", Text, nullable=False),
    PrimaryKey("tenant", "run", "uid"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

webhook_base = base_table(
    "webhook",
    Column("tenant", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),  # separated by commas
    Column("experiment", Int),  # NULL: of every experiment
    Column("format", Text, nullable=False),  # json | slack | mlflow
    Column("active", Int, nullable=False),
    Column("secret", Text, nullable=False),  # as it is: the server must sign with it
    Column("previous_secret", Text),  # still signed with, until then
    Column("previous_until_ms", Int),
    Column("busy_until_ms", Int, nullable=False),  # a server process is sending to it
    Column("created_by", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    Column("description", Text),
    PrimaryKey("tenant", "uid"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
)

delivery_base = base_table(
    "delivery",
    Column("tenant", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("webhook", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),  # as it is sent and signed
    Column("state", Text, nullable=False),  # waiting | delivered | dead
    Column("attempts", Int, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("next_ms", Int, nullable=False),  # when it is sent (again)
    Column("done_ms", Int),
    Column("status", Int),
    Column("error", Text),
    PrimaryKey("tenant", "uid"),
    ForeignKeyConstraint(["tenant", "webhook"], ["webhook_.tenant", "webhook_.uid"]),
    Index("delivery_webhook", "tenant", "webhook", "uid"),
    Index("delivery_done", "done_ms"),
)
# What the senders ask for, of all tenants: the few that wait.
Index(
    "delivery_due",
    *(delivery_base.c[name] for name in ("next_ms", "tenant", "webhook")),
    sqlite_where=delivery_base.c.state == "waiting",
    postgresql_where=delivery_base.c.state == "waiting",
)

rule_base = base_table(
    "rule",
    Column("tenant", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("active", Int, nullable=False),
    Column("content", Text, nullable=False),  # JSON: what it waits for and what it does
    Column("created_by", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    PrimaryKey("tenant", "uid"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
    Index("rule_experiment", "tenant", "experiment", "uid"),
)

# That a rule has fired for a run: so it does once, until somebody clears it.
firing_base = base_table(
    "firing",
    Column("tenant", Int, nullable=False),
    Column("rule", Text, nullable=False),
    Column("run", Int, nullable=False),
    Column("fired_ms", Int, nullable=False),
    Column("message", Text, nullable=False),
    Column("seen", Int, nullable=False),  # non-finite values that it has told of
    Column("cleared_ms", Int),
    PrimaryKey("tenant", "rule", "run"),
    ForeignKeyConstraint(["tenant", "rule"], ["rule_.tenant", "rule_.uid"]),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
    Index("firing_run", "tenant", "run"),
)

check_in = view_of(check_in_base)
run_event = view_of(run_event_base)
webhook = view_of(webhook_base)
delivery = view_of(delivery_base)
rule = view_of(rule_base)
firing = view_of(firing_base)
