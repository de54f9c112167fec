"""The tables, once, for SQLite and PostgreSQL; what differs between the two stands at the end of this file.

Two names for each table. The *base* table `run_` holds every tenant's rows and is what writes name; the *view* `run`
shows one tenant's rows and is what reads name. On SQLite the view is a TEMP VIEW of each connection and an authorizer
refuses a SELECT of the base (`wall.py`). Invariants:

- `tenant` is the first column of every primary, unique and foreign key: no row can refer across tenants.
- Rows refer to each other by small integers; the 32-digit uid stands once, in `experiment_` and `run_`.
- Every key name (metric, param, tag) stands once per tenant, in `key_`. What tells apart the series of one metric, such
  as a rank, is part of the name (ADR 14); `context` is "" in every row.
- A NULL value in `first_value`/`last_value` is NaN (SQLite stores NaN as NULL); infinities are ordinary doubles.
- Times end in `_ms`: Unix milliseconds, UTC. Steps are doubles, |step| <= 2^53.
"""

from sqlalchemy import Column, Double, ForeignKeyConstraint, Index, LargeBinary, Table, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta import (  # noqa: F401  # whose tables are behind the wall too
    access_tables,
    automation_tables,
    model_tables,
    object_tables,
    quota_tables,
    retention_tables,
    trace_tables,
)
from gnomon_server.store.meta.schema import Int as Int
from gnomon_server.store.meta.schema import base_table, view_of
from gnomon_server.store.meta.schema import metadata as metadata

tenant_base = Table(
    "tenant_",
    metadata,
    Column("id", Int, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_ms", Int, nullable=False),
)

experiment_base = base_table(
    "experiment",
    Column("tenant", Int, nullable=False),
    Column("id", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("number", Int, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("artifact_location", Text, nullable=False),
    Column("lifecycle_stage", Text, nullable=False),  # active | deleted
    Column("run_count", Int, nullable=False),  # active runs, or those that archiving this experiment took
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    PrimaryKey("tenant", "id"),
    Index("experiment_uid", "uid", "tenant", unique=True),
    Index("experiment_name", "tenant", "name", unique=True),
    Index("experiment_number", "tenant", "number", unique=True),
)

experiment_tag_base = base_table(
    "experiment_tag",
    Column("tenant", Int, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKey("tenant", "experiment", "key"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
)

run_base = base_table(
    "run",
    Column("tenant", Int, nullable=False),
    Column("id", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("status", Text, nullable=False),  # running | scheduled | finished | failed | killed
    Column("lifecycle_stage", Text, nullable=False),  # active | deleted
    Column("archived_with", Int),  # the experiment whose archiving took this run; NULL: archived by itself, or active
    Column("start_ms", Int, nullable=False),
    Column("end_ms", Int),
    Column("created_by", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    PrimaryKey("tenant", "id"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
    Index("run_uid", "uid", "tenant", unique=True),
    # status, end and name cover the common filters and the search box: a walk of either index reads no row.
    Index("run_experiment", "tenant", "experiment", "lifecycle_stage", "start_ms", "id", "status", "end_ms", "name"),
    Index("run_start", "tenant", "lifecycle_stage", "start_ms", "id", "status", "end_ms", "name"),
)

key_base = base_table(
    "key",
    Column("tenant", Int, nullable=False),
    Column("id", Int, nullable=False),
    Column("name", Text, nullable=False),
    Column("context", Text, nullable=False),
    PrimaryKey("tenant", "id"),
    Index("key_name", "tenant", "name", "context", unique=True),
)

# How many runs of an experiment have a key, whatever their lifecycle: the catalogue is a row a key, never a scan.
key_count_base = base_table(
    "key_count",
    Column("tenant", Int, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("kind", Text, nullable=False),  # metric | param | tag
    Column("key", Int, nullable=False),
    Column("runs", Int, nullable=False),
    PrimaryKey("tenant", "experiment", "kind", "key"),
)

param_base = base_table(
    "param",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("key", Int, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("value", Text, nullable=False),
    Column("number", Double),  # the value read as a finite number, where it is one: params.lr < 0.01
    PrimaryKey("tenant", "run", "key"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

tag_base = base_table(
    "tag",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("key", Int, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKey("tenant", "run", "key"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

# One row per metric of a run, kept current in the transaction that takes the points. first: the least (step, arrival);
# last: the greatest (step, time, value) with NaN as 0. low/high/total are over finite values; NULL where there is none.
# `late` is set when points came that were not beyond `last`: such a series may hold repeated points until it is sealed;
# 1: its n, nonfinite and total may count them, 2: they were counted as a reader does (`points/recount.py`).
series_base = base_table(
    "series",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("key", Int, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("n", Int, nullable=False),
    Column("nonfinite", Int, nullable=False),
    Column("first_step", Double, nullable=False),
    Column("first_value", Double),
    Column("last_step", Double, nullable=False),
    Column("last_ms", Int, nullable=False),
    Column("last_value", Double),
    Column("low", Double),
    Column("low_step", Double),
    Column("high", Double),
    Column("high_step", Double),
    Column("total", Double, nullable=False),  # sum of the finite values
    Column("late", Int, nullable=False),
    PrimaryKey("tenant", "run", "key"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

# Exactly once: the last batch taken from each writer of a run, moved in the transaction that keeps the batch.
ledger_base = base_table(
    "ledger",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("writer", Text, nullable=False),
    Column("last_seq", Int, nullable=False),
    Column("points", Int, nullable=False),
    Column("duplicates", Int, nullable=False),  # batches that came again and were dropped
    Column("first_ms", Int, nullable=False),
    Column("last_ms", Int, nullable=False),
    PrimaryKey("tenant", "run", "writer"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

# How many points a writer logged and did not keep, because its disk was full. Few runs have any.
thinned_base = base_table(
    "thinned",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("writer", Text, nullable=False),
    Column("points", Int, nullable=False),
    PrimaryKey("tenant", "run", "writer"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

# The write-ahead tail: the points of one committed request for one run, raw columns (docs/formats/points.md).
# AUTOINCREMENT, because without it SQLite gives out the ids of sealed (deleted) segments again and generations collide.
segment_base = Table(
    "segment_",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=True),
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("n", Int, nullable=False),
    Column("data", LargeBinary, nullable=False),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
    Index("segment_run", "tenant", "run", "id"),
    sqlite_autoincrement=True,
)

# Sealed points of one series, immutable: ordered by (step, arrival). `gen` is the id of the last segment sealed into
# it, so generations ascend with arrival; `part` counts the chunks of one generation. `data` is last: SQLite reads the
# statistics without touching its overflow pages.
chunk_base = Table(
    "chunk_",
    metadata,
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("key", Int, nullable=False),
    Column("gen", Int, nullable=False),
    Column("part", Int, nullable=False),
    Column("n", Int, nullable=False),
    Column("nonfinite", Int, nullable=False),
    Column("lo", Double, nullable=False),  # steps: least and greatest
    Column("hi", Double, nullable=False),
    Column("lo_ms", Int, nullable=False),  # times: least and greatest
    Column("hi_ms", Int, nullable=False),
    Column("first", Double),  # values; NULL is NaN
    Column("last", Double),
    Column("low", Double),  # of the finite values; NULL where there is none
    Column("high", Double),
    Column("total", Double, nullable=False),
    Column("codec", Int, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKey("tenant", "run", "key", "gen", "part"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

# A stored content, once per tenant. The row is made in the transaction that first refers to it.
blob_base = base_table(
    "blob",
    Column("tenant", Int, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Int, nullable=False),
    Column("refs", Int, nullable=False),
    Column("unused_ms", Int),  # since when no artifact refers to it; upkeep removes it after a grace
    PrimaryKey("tenant", "sha256"),
)

artifact_base = base_table(
    "artifact",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Int, nullable=False),
    Column("version", Int, nullable=False),
    Column("created_ms", Int, nullable=False),
    PrimaryKey("tenant", "run", "path"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
    ForeignKeyConstraint(["tenant", "sha256"], ["blob_.tenant", "blob_.sha256"]),
)

# The few series whose counts must be put right before somebody reads them.
Index(
    "series_late",
    *(series_base.c[name] for name in ("tenant", "key", "experiment", "run")),
    sqlite_where=series_base.c.late == 1,
    postgresql_where=series_base.c.late == 1,
)
# A page of an experiment under a name. `state` is the query string of the page.
saved_view_base = base_table(
    "saved_view",
    Column("tenant", Int, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("uid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    PrimaryKey("tenant", "experiment", "uid"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
    Index("saved_view_name", "tenant", "experiment", "name", unique=True),
)

# What the sweep asks for: contents that nothing refers to, a handful among all there are.
Index(
    "blob_unused",
    blob_base.c.tenant,
    blob_base.c.unused_ms,
    sqlite_where=blob_base.c.unused_ms.is_not(None),
    postgresql_where=blob_base.c.unused_ms.is_not(None),
)
# Covering indexes of run search: an equality or a range on one key of one experiment is one walk of one index.
# They hold all that a comparison may ask for: 100,000 min or param.number read from the rows take 25 times as long.
Index("param_search", *(param_base.c[name] for name in ("tenant", "experiment", "key", "value", "run", "number")))
Index("tag_search", *(tag_base.c[name] for name in ("tenant", "experiment", "key", "value", "run")))
_SERIES = ("tenant", "experiment", "key", "last_value", "run", "low", "high", "total", "n", "nonfinite", "first_value")
Index("series_search", *(series_base.c[name] for name in _SERIES))

# They hold no tenant's data and stand outside the wall; no other table may.
SERVERS_OWN = frozenset(
    table.name for table in (tenant_base, object_tables.installation, quota_tables.quota, *access_tables.TABLES)
)
WALLED: tuple[Table, ...] = tuple(table for table in metadata.sorted_tables if table.name not in SERVERS_OWN)

experiment = view_of(experiment_base)
experiment_tag = view_of(experiment_tag_base)
run = view_of(run_base)
key = view_of(key_base)
key_count = view_of(key_count_base)
param = view_of(param_base)
tag = view_of(tag_base)
series = view_of(series_base)
ledger = view_of(ledger_base)
thinned = view_of(thinned_base)
segment = view_of(segment_base)
chunk = view_of(chunk_base)
blob = view_of(blob_base)
artifact = view_of(artifact_base)
saved_view = view_of(saved_view_base)
