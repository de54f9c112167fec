"""The tables of datasets, logged models and the model registry; `tables.py` says what holds for all tables.

- A dataset stands once per experiment, name and digest; a run refers to it as an input, in a context (`training`).
- A logged model belongs to an experiment. It names the run that made it by its id, because it outlives the run.
- A version of a registered model names its source, and the run and the logged model it came from, by their ids.
"""

from sqlalchemy import Column, Double, ForeignKeyConstraint, Index, Text
from sqlalchemy import PrimaryKeyConstraint as PrimaryKey

from gnomon_server.store.meta.schema import Int, base_table, view_of

dataset_base = base_table(
    "dataset",
    Column("tenant", Int, nullable=False),
    Column("id", Int, nullable=False),
    Column("experiment", Int, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("source_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("profile", Text, nullable=False),
    PrimaryKey("tenant", "id"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
    Index("dataset_name", "tenant", "experiment", "name", "digest", unique=True),
)

run_dataset_base = base_table(
    "run_dataset",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("dataset", Int, nullable=False),
    Column("context", Text, nullable=False),  # training, eval, … or ""
    Column("tags", Text, nullable=False),  # a JSON object: the other tags of this input
    PrimaryKey("tenant", "run", "dataset"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
    ForeignKeyConstraint(["tenant", "dataset"], ["dataset_.tenant", "dataset_.id"]),
    Index("run_dataset_of", "tenant", "dataset", "run"),
)

logged_model_base = base_table(
    "logged_model",
    Column("tenant", Int, nullable=False),
    Column("id", Int, nullable=False),
    Column("uid", Text, nullable=False),  # m- and 32 hex digits
    Column("experiment", Int, nullable=False),
    Column("source_run", Text, nullable=False),  # the id of the run that made it, or ""
    Column("name", Text, nullable=False),
    Column("model_type", Text, nullable=False),
    Column("status", Text, nullable=False),  # pending | ready | failed
    Column("lifecycle_stage", Text, nullable=False),  # active | deleted
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    PrimaryKey("tenant", "id"),
    ForeignKeyConstraint(["tenant", "experiment"], ["experiment_.tenant", "experiment_.id"]),
    Index("logged_model_uid", "uid", "tenant", unique=True),
    Index("logged_model_experiment", "tenant", "experiment", "lifecycle_stage", "created_ms"),
)

logged_model_param_base = base_table(
    "logged_model_param",
    Column("tenant", Int, nullable=False),
    Column("model", Int, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKey("tenant", "model", "key"),
    ForeignKeyConstraint(["tenant", "model"], ["logged_model_.tenant", "logged_model_.id"]),
)

logged_model_tag_base = base_table(
    "logged_model_tag",
    Column("tenant", Int, nullable=False),
    Column("model", Int, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKey("tenant", "model", "key"),
    ForeignKeyConstraint(["tenant", "model"], ["logged_model_.tenant", "logged_model_.id"]),
)

# Where each metric of a model stands, by the run that measured it and the dataset it was measured on.
logged_model_metric_base = base_table(
    "logged_model_metric",
    Column("tenant", Int, nullable=False),
    Column("model", Int, nullable=False),
    Column("key", Text, nullable=False),
    Column("run", Text, nullable=False),  # the id of the run
    Column("dataset_name", Text, nullable=False),
    Column("dataset_digest", Text, nullable=False),
    Column("value", Double),  # NULL is NaN
    Column("step", Double, nullable=False),
    Column("time_ms", Int, nullable=False),
    PrimaryKey("tenant", "model", "key", "run", "dataset_name", "dataset_digest"),
    ForeignKeyConstraint(["tenant", "model"], ["logged_model_.tenant", "logged_model_.id"]),
)

# Logged models that a run took in or gave out; `step` is that of an output.
run_model_base = base_table(
    "run_model",
    Column("tenant", Int, nullable=False),
    Column("run", Int, nullable=False),
    Column("role", Text, nullable=False),  # input | output
    Column("model", Text, nullable=False),  # the id of the logged model
    Column("step", Int, nullable=False),
    PrimaryKey("tenant", "run", "role", "model", "step"),
    ForeignKeyConstraint(["tenant", "run"], ["run_.tenant", "run_.id"]),
)

# The files of logged models, as `artifact_` is of runs.
model_artifact_base = base_table(
    "model_artifact",
    Column("tenant", Int, nullable=False),
    Column("model", Int, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Int, nullable=False),
    Column("version", Int, nullable=False),
    Column("created_ms", Int, nullable=False),
    PrimaryKey("tenant", "model", "path"),
    ForeignKeyConstraint(["tenant", "model"], ["logged_model_.tenant", "logged_model_.id"]),
    ForeignKeyConstraint(["tenant", "sha256"], ["blob_.tenant", "blob_.sha256"]),
)

registered_model_base = base_table(
    "registered_model",
    Column("tenant", Int, nullable=False),
    Column("id", Int, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("last_version", Int, nullable=False),  # the greatest number given out; none is given out twice
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    PrimaryKey("tenant", "id"),
    Index("registered_model_name", "tenant", "name", unique=True),
)

model_version_base = base_table(
    "model_version",
    Column("tenant", Int, nullable=False),
    Column("registered", Int, nullable=False),
    Column("version", Int, nullable=False),
    Column("description", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("run", Text, nullable=False),  # the id of the run it came from, or ""
    Column("run_link", Text, nullable=False),
    Column("model", Text, nullable=False),  # the id of the logged model it came from, or ""
    Column("stage", Text, nullable=False),  # None | Staging | Production | Archived
    Column("created_by", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("updated_ms", Int, nullable=False),
    Column("files", Text),  # where the files are when the source is another version, which may be gone by then
    PrimaryKey("tenant", "registered", "version"),
    ForeignKeyConstraint(["tenant", "registered"], ["registered_model_.tenant", "registered_model_.id"]),
    Index("model_version_model", "tenant", "model"),
)

# Tags of a registered model (version 0) and of its versions.
model_version_tag_base = base_table(
    "model_version_tag",
    Column("tenant", Int, nullable=False),
    Column("registered", Int, nullable=False),
    Column("version", Int, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKey("tenant", "registered", "version", "key"),
    ForeignKeyConstraint(["tenant", "registered"], ["registered_model_.tenant", "registered_model_.id"]),
)

model_alias_base = base_table(
    "model_alias",
    Column("tenant", Int, nullable=False),
    Column("registered", Int, nullable=False),
    Column("alias", Text, nullable=False),
    Column("version", Int, nullable=False),
    PrimaryKey("tenant", "registered", "alias"),
    ForeignKeyConstraint(["tenant", "registered"], ["registered_model_.tenant", "registered_model_.id"]),
)

dataset = view_of(dataset_base)
run_dataset = view_of(run_dataset_base)
logged_model = view_of(logged_model_base)
logged_model_param = view_of(logged_model_param_base)
logged_model_tag = view_of(logged_model_tag_base)
logged_model_metric = view_of(logged_model_metric_base)
run_model = view_of(run_model_base)
model_artifact = view_of(model_artifact_base)
registered_model = view_of(registered_model_base)
model_version = view_of(model_version_base)
model_version_tag = view_of(model_version_tag_base)
model_alias = view_of(model_alias_base)
