"""The first tables, as PostgreSQL makes them: frozen, like every revision."""

STATEMENTS = (
    """CREATE TABLE blob_ ( tenant BIGINT NOT NULL, sha256 TEXT NOT NULL, size BIGINT NOT NULL, refs BIGINT NOT
        NULL, unused_ms BIGINT, PRIMARY KEY (tenant, sha256) )""",
    "CREATE INDEX blob_unused ON blob_ (tenant, unused_ms) WHERE unused_ms IS NOT NULL",
    """CREATE TABLE experiment_ ( tenant BIGINT NOT NULL, id BIGINT NOT NULL, uid TEXT NOT NULL, number BIGINT NOT
        NULL, name TEXT NOT NULL, description TEXT NOT NULL, artifact_location TEXT NOT NULL,
        lifecycle_stage TEXT NOT NULL, run_count BIGINT NOT NULL, created_ms BIGINT NOT NULL, updated_ms
        BIGINT NOT NULL, PRIMARY KEY (tenant, id) )""",
    "CREATE UNIQUE INDEX experiment_name ON experiment_ (tenant, name)",
    "CREATE UNIQUE INDEX experiment_number ON experiment_ (tenant, number)",
    "CREATE UNIQUE INDEX experiment_uid ON experiment_ (uid, tenant)",
    """CREATE TABLE key_ ( tenant BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, context TEXT NOT NULL,
        PRIMARY KEY (tenant, id) )""",
    "CREATE UNIQUE INDEX key_name ON key_ (tenant, name, context)",
    """CREATE TABLE key_count_ ( tenant BIGINT NOT NULL, experiment BIGINT NOT NULL, kind TEXT NOT NULL, key BIGINT
        NOT NULL, runs BIGINT NOT NULL, PRIMARY KEY (tenant, experiment, kind, key) )""",
    """CREATE TABLE registered_model_ ( tenant BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT NOT NULL, description
        TEXT NOT NULL, last_version BIGINT NOT NULL, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL,
        PRIMARY KEY (tenant, id) )""",
    "CREATE UNIQUE INDEX registered_model_name ON registered_model_ (tenant, name)",
    """CREATE TABLE tenant_ ( id BIGSERIAL NOT NULL, name TEXT NOT NULL, created_ms BIGINT NOT NULL, PRIMARY KEY
        (id), UNIQUE (name) )""",
    """CREATE TABLE dataset_ ( tenant BIGINT NOT NULL, id BIGINT NOT NULL, experiment BIGINT NOT NULL, name TEXT
        NOT NULL, digest TEXT NOT NULL, source_type TEXT NOT NULL, source TEXT NOT NULL, schema TEXT NOT
        NULL, profile TEXT NOT NULL, PRIMARY KEY (tenant, id), FOREIGN KEY(tenant, experiment) REFERENCES
        experiment_ (tenant, id) )""",
    "CREATE UNIQUE INDEX dataset_name ON dataset_ (tenant, experiment, name, digest)",
    """CREATE TABLE experiment_tag_ ( tenant BIGINT NOT NULL, experiment BIGINT NOT NULL, key TEXT NOT NULL, value
        TEXT NOT NULL, PRIMARY KEY (tenant, experiment, key), FOREIGN KEY(tenant, experiment) REFERENCES
        experiment_ (tenant, id) )""",
    """CREATE TABLE logged_model_ ( tenant BIGINT NOT NULL, id BIGINT NOT NULL, uid TEXT NOT NULL, experiment
        BIGINT NOT NULL, source_run TEXT NOT NULL, name TEXT NOT NULL, model_type TEXT NOT NULL, status TEXT
        NOT NULL, lifecycle_stage TEXT NOT NULL, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL,
        PRIMARY KEY (tenant, id), FOREIGN KEY(tenant, experiment) REFERENCES experiment_ (tenant, id) )""",
    "CREATE INDEX logged_model_experiment ON logged_model_ (tenant, experiment, lifecycle_stage, created_ms)",
    "CREATE UNIQUE INDEX logged_model_uid ON logged_model_ (uid, tenant)",
    """CREATE TABLE model_alias_ ( tenant BIGINT NOT NULL, registered BIGINT NOT NULL, alias TEXT NOT NULL, version
        BIGINT NOT NULL, PRIMARY KEY (tenant, registered, alias), FOREIGN KEY(tenant, registered) REFERENCES
        registered_model_ (tenant, id) )""",
    """CREATE TABLE model_version_ ( tenant BIGINT NOT NULL, registered BIGINT NOT NULL, version BIGINT NOT NULL,
        description TEXT NOT NULL, source TEXT NOT NULL, run TEXT NOT NULL, run_link TEXT NOT NULL, model
        TEXT NOT NULL, stage TEXT NOT NULL, created_by TEXT NOT NULL, created_ms BIGINT NOT NULL, updated_ms
        BIGINT NOT NULL, PRIMARY KEY (tenant, registered, version), FOREIGN KEY(tenant, registered)
        REFERENCES registered_model_ (tenant, id) )""",
    "CREATE INDEX model_version_model ON model_version_ (tenant, model)",
    """CREATE TABLE model_version_tag_ ( tenant BIGINT NOT NULL, registered BIGINT NOT NULL, version BIGINT NOT
        NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, registered, version, key),
        FOREIGN KEY(tenant, registered) REFERENCES registered_model_ (tenant, id) )""",
    """CREATE TABLE run_ ( tenant BIGINT NOT NULL, id BIGINT NOT NULL, uid TEXT NOT NULL, experiment BIGINT NOT
        NULL, name TEXT NOT NULL, description TEXT NOT NULL, status TEXT NOT NULL, lifecycle_stage TEXT NOT
        NULL, archived_with BIGINT, start_ms BIGINT NOT NULL, end_ms BIGINT, created_by TEXT NOT NULL,
        created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, PRIMARY KEY (tenant, id), FOREIGN
        KEY(tenant, experiment) REFERENCES experiment_ (tenant, id) )""",
    """CREATE INDEX run_experiment ON run_ (tenant, experiment, lifecycle_stage, start_ms, id, status, end_ms,
        name)""",
    "CREATE INDEX run_start ON run_ (tenant, lifecycle_stage, start_ms, id, status, end_ms, name)",
    "CREATE UNIQUE INDEX run_uid ON run_ (uid, tenant)",
    """CREATE TABLE saved_view_ ( tenant BIGINT NOT NULL, experiment BIGINT NOT NULL, uid TEXT NOT NULL, name TEXT
        NOT NULL, state TEXT NOT NULL, created_by TEXT NOT NULL, created_ms BIGINT NOT NULL, updated_ms
        BIGINT NOT NULL, PRIMARY KEY (tenant, experiment, uid), FOREIGN KEY(tenant, experiment) REFERENCES
        experiment_ (tenant, id) )""",
    "CREATE UNIQUE INDEX saved_view_name ON saved_view_ (tenant, experiment, name)",
    """CREATE TABLE artifact_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT
        NULL, size BIGINT NOT NULL, version BIGINT NOT NULL, created_ms BIGINT NOT NULL, PRIMARY KEY
        (tenant, run, path), FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id), FOREIGN KEY(tenant,
        sha256) REFERENCES blob_ (tenant, sha256) )""",
    """CREATE TABLE chunk_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, key BIGINT NOT NULL, gen BIGINT NOT NULL,
        part BIGINT NOT NULL, n BIGINT NOT NULL, nonfinite BIGINT NOT NULL, lo DOUBLE PRECISION NOT NULL, hi
        DOUBLE PRECISION NOT NULL, lo_ms BIGINT NOT NULL, hi_ms BIGINT NOT NULL, first DOUBLE PRECISION,
        last DOUBLE PRECISION, low DOUBLE PRECISION, high DOUBLE PRECISION, total DOUBLE PRECISION NOT NULL,
        codec BIGINT NOT NULL, data BYTEA NOT NULL, PRIMARY KEY (tenant, run, key, gen, part), FOREIGN
        KEY(tenant, run) REFERENCES run_ (tenant, id) )""",
    """CREATE TABLE ledger_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, writer TEXT NOT NULL, last_seq BIGINT
        NOT NULL, points BIGINT NOT NULL, duplicates BIGINT NOT NULL, first_ms BIGINT NOT NULL, last_ms
        BIGINT NOT NULL, PRIMARY KEY (tenant, run, writer), FOREIGN KEY(tenant, run) REFERENCES run_
        (tenant, id) )""",
    """CREATE TABLE logged_model_metric_ ( tenant BIGINT NOT NULL, model BIGINT NOT NULL, key TEXT NOT NULL, run
        TEXT NOT NULL, dataset_name TEXT NOT NULL, dataset_digest TEXT NOT NULL, value DOUBLE PRECISION,
        step DOUBLE PRECISION NOT NULL, time_ms BIGINT NOT NULL, PRIMARY KEY (tenant, model, key, run,
        dataset_name, dataset_digest), FOREIGN KEY(tenant, model) REFERENCES logged_model_ (tenant, id) )""",
    """CREATE TABLE logged_model_param_ ( tenant BIGINT NOT NULL, model BIGINT NOT NULL, key TEXT NOT NULL, value
        TEXT NOT NULL, PRIMARY KEY (tenant, model, key), FOREIGN KEY(tenant, model) REFERENCES logged_model_
        (tenant, id) )""",
    """CREATE TABLE logged_model_tag_ ( tenant BIGINT NOT NULL, model BIGINT NOT NULL, key TEXT NOT NULL, value
        TEXT NOT NULL, PRIMARY KEY (tenant, model, key), FOREIGN KEY(tenant, model) REFERENCES logged_model_
        (tenant, id) )""",
    """CREATE TABLE model_artifact_ ( tenant BIGINT NOT NULL, model BIGINT NOT NULL, path TEXT NOT NULL, sha256
        TEXT NOT NULL, size BIGINT NOT NULL, version BIGINT NOT NULL, created_ms BIGINT NOT NULL, PRIMARY
        KEY (tenant, model, path), FOREIGN KEY(tenant, model) REFERENCES logged_model_ (tenant, id), FOREIGN
        KEY(tenant, sha256) REFERENCES blob_ (tenant, sha256) )""",
    """CREATE TABLE param_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, key BIGINT NOT NULL, experiment BIGINT
        NOT NULL, value TEXT NOT NULL, number DOUBLE PRECISION, PRIMARY KEY (tenant, run, key), FOREIGN
        KEY(tenant, run) REFERENCES run_ (tenant, id) )""",
    "CREATE INDEX param_search ON param_ (tenant, experiment, key, value, run, number)",
    """CREATE TABLE run_dataset_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, dataset BIGINT NOT NULL, context
        TEXT NOT NULL, tags TEXT NOT NULL, PRIMARY KEY (tenant, run, dataset), FOREIGN KEY(tenant, run)
        REFERENCES run_ (tenant, id), FOREIGN KEY(tenant, dataset) REFERENCES dataset_ (tenant, id) )""",
    "CREATE INDEX run_dataset_of ON run_dataset_ (tenant, dataset, run)",
    """CREATE TABLE run_model_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, role TEXT NOT NULL, model TEXT NOT
        NULL, step BIGINT NOT NULL, PRIMARY KEY (tenant, run, role, model, step), FOREIGN KEY(tenant, run)
        REFERENCES run_ (tenant, id) )""",
    """CREATE TABLE segment_ ( id BIGSERIAL NOT NULL, tenant BIGINT NOT NULL, run BIGINT NOT NULL, n BIGINT NOT
        NULL, data BYTEA NOT NULL, PRIMARY KEY (id), FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id) )""",
    "CREATE INDEX segment_run ON segment_ (tenant, run, id)",
    """CREATE TABLE series_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, key BIGINT NOT NULL, experiment BIGINT
        NOT NULL, n BIGINT NOT NULL, nonfinite BIGINT NOT NULL, first_step DOUBLE PRECISION NOT NULL,
        first_value DOUBLE PRECISION, last_step DOUBLE PRECISION NOT NULL, last_ms BIGINT NOT NULL,
        last_value DOUBLE PRECISION, low DOUBLE PRECISION, low_step DOUBLE PRECISION, high DOUBLE PRECISION,
        high_step DOUBLE PRECISION, total DOUBLE PRECISION NOT NULL, late BIGINT NOT NULL, PRIMARY KEY
        (tenant, run, key), FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id) )""",
    "CREATE INDEX series_late ON series_ (tenant, key, experiment, run) WHERE late = 1",
    """CREATE INDEX series_search ON series_ (tenant, experiment, key, last_value, run, low, high, total, n,
        nonfinite, first_value)""",
    """CREATE TABLE tag_ ( tenant BIGINT NOT NULL, run BIGINT NOT NULL, key BIGINT NOT NULL, experiment BIGINT NOT
        NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, run, key), FOREIGN KEY(tenant, run) REFERENCES run_
        (tenant, id) )""",
    "CREATE INDEX tag_search ON tag_ (tenant, experiment, key, value, run)",
)
