"""The first tables, as SQLite makes them: frozen, like every revision."""

STATEMENTS = (
    """CREATE TABLE blob_ ( tenant INTEGER NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, refs INTEGER NOT
        NULL, unused_ms INTEGER, PRIMARY KEY (tenant, sha256) ) WITHOUT ROWID""",
    "CREATE INDEX blob_unused ON blob_ (tenant, unused_ms) WHERE unused_ms IS NOT NULL",
    """CREATE TABLE experiment_ ( tenant INTEGER NOT NULL, id INTEGER NOT NULL, uid TEXT NOT NULL, number INTEGER
        NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, artifact_location TEXT NOT NULL,
        lifecycle_stage TEXT NOT NULL, run_count INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms
        INTEGER NOT NULL, PRIMARY KEY (tenant, id) ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX experiment_name ON experiment_ (tenant, name)",
    "CREATE UNIQUE INDEX experiment_number ON experiment_ (tenant, number)",
    "CREATE UNIQUE INDEX experiment_uid ON experiment_ (uid, tenant)",
    """CREATE TABLE key_ ( tenant INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, context TEXT NOT NULL,
        PRIMARY KEY (tenant, id) ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX key_name ON key_ (tenant, name, context)",
    """CREATE TABLE key_count_ ( tenant INTEGER NOT NULL, experiment INTEGER NOT NULL, kind TEXT NOT NULL, "key"
        INTEGER NOT NULL, runs INTEGER NOT NULL, PRIMARY KEY (tenant, experiment, kind, "key") ) WITHOUT
        ROWID""",
    """CREATE TABLE registered_model_ ( tenant INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
        description TEXT NOT NULL, last_version INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms
        INTEGER NOT NULL, PRIMARY KEY (tenant, id) ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX registered_model_name ON registered_model_ (tenant, name)",
    """CREATE TABLE tenant_ ( id INTEGER NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY
        (id), UNIQUE (name) )""",
    """CREATE TABLE dataset_ ( tenant INTEGER NOT NULL, id INTEGER NOT NULL, experiment INTEGER NOT NULL, name TEXT
        NOT NULL, digest TEXT NOT NULL, source_type TEXT NOT NULL, source TEXT NOT NULL, schema TEXT NOT
        NULL, profile TEXT NOT NULL, PRIMARY KEY (tenant, id), FOREIGN KEY(tenant, experiment) REFERENCES
        experiment_ (tenant, id) ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX dataset_name ON dataset_ (tenant, experiment, name, digest)",
    """CREATE TABLE experiment_tag_ ( tenant INTEGER NOT NULL, experiment INTEGER NOT NULL, "key" TEXT NOT NULL,
        value TEXT NOT NULL, PRIMARY KEY (tenant, experiment, "key"), FOREIGN KEY(tenant, experiment)
        REFERENCES experiment_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE logged_model_ ( tenant INTEGER NOT NULL, id INTEGER NOT NULL, uid TEXT NOT NULL, experiment
        INTEGER NOT NULL, source_run TEXT NOT NULL, name TEXT NOT NULL, model_type TEXT NOT NULL, status
        TEXT NOT NULL, lifecycle_stage TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT
        NULL, PRIMARY KEY (tenant, id), FOREIGN KEY(tenant, experiment) REFERENCES experiment_ (tenant, id)
        ) WITHOUT ROWID""",
    "CREATE INDEX logged_model_experiment ON logged_model_ (tenant, experiment, lifecycle_stage, created_ms)",
    "CREATE UNIQUE INDEX logged_model_uid ON logged_model_ (uid, tenant)",
    """CREATE TABLE model_alias_ ( tenant INTEGER NOT NULL, registered INTEGER NOT NULL, alias TEXT NOT NULL,
        version INTEGER NOT NULL, PRIMARY KEY (tenant, registered, alias), FOREIGN KEY(tenant, registered)
        REFERENCES registered_model_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE model_version_ ( tenant INTEGER NOT NULL, registered INTEGER NOT NULL, version INTEGER NOT
        NULL, description TEXT NOT NULL, source TEXT NOT NULL, run TEXT NOT NULL, run_link TEXT NOT NULL,
        model TEXT NOT NULL, stage TEXT NOT NULL, created_by TEXT NOT NULL, created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL, PRIMARY KEY (tenant, registered, version), FOREIGN KEY(tenant,
        registered) REFERENCES registered_model_ (tenant, id) ) WITHOUT ROWID""",
    "CREATE INDEX model_version_model ON model_version_ (tenant, model)",
    """CREATE TABLE model_version_tag_ ( tenant INTEGER NOT NULL, registered INTEGER NOT NULL, version INTEGER NOT
        NULL, "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, registered, version, "key"),
        FOREIGN KEY(tenant, registered) REFERENCES registered_model_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE run_ ( tenant INTEGER NOT NULL, id INTEGER NOT NULL, uid TEXT NOT NULL, experiment INTEGER NOT
        NULL, name TEXT NOT NULL, description TEXT NOT NULL, status TEXT NOT NULL, lifecycle_stage TEXT NOT
        NULL, archived_with INTEGER, start_ms INTEGER NOT NULL, end_ms INTEGER, created_by TEXT NOT NULL,
        created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, PRIMARY KEY (tenant, id), FOREIGN
        KEY(tenant, experiment) REFERENCES experiment_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE INDEX run_experiment ON run_ (tenant, experiment, lifecycle_stage, start_ms, id, status, end_ms,
        name)""",
    "CREATE INDEX run_start ON run_ (tenant, lifecycle_stage, start_ms, id, status, end_ms, name)",
    "CREATE UNIQUE INDEX run_uid ON run_ (uid, tenant)",
    """CREATE TABLE saved_view_ ( tenant INTEGER NOT NULL, experiment INTEGER NOT NULL, uid TEXT NOT NULL, name
        TEXT NOT NULL, state TEXT NOT NULL, created_by TEXT NOT NULL, created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL, PRIMARY KEY (tenant, experiment, uid), FOREIGN KEY(tenant, experiment)
        REFERENCES experiment_ (tenant, id) ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX saved_view_name ON saved_view_ (tenant, experiment, name)",
    """CREATE TABLE artifact_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT
        NULL, size INTEGER NOT NULL, version INTEGER NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY
        (tenant, run, path), FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id), FOREIGN KEY(tenant,
        sha256) REFERENCES blob_ (tenant, sha256) ) WITHOUT ROWID""",
    """CREATE TABLE chunk_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, "key" INTEGER NOT NULL, gen INTEGER NOT
        NULL, part INTEGER NOT NULL, n INTEGER NOT NULL, nonfinite INTEGER NOT NULL, lo DOUBLE NOT NULL, hi
        DOUBLE NOT NULL, lo_ms INTEGER NOT NULL, hi_ms INTEGER NOT NULL, first DOUBLE, last DOUBLE, low
        DOUBLE, high DOUBLE, total DOUBLE NOT NULL, codec INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY
        (tenant, run, "key", gen, part), FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id) )""",
    """CREATE TABLE ledger_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, writer TEXT NOT NULL, last_seq INTEGER
        NOT NULL, points INTEGER NOT NULL, duplicates INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms
        INTEGER NOT NULL, PRIMARY KEY (tenant, run, writer), FOREIGN KEY(tenant, run) REFERENCES run_
        (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE logged_model_metric_ ( tenant INTEGER NOT NULL, model INTEGER NOT NULL, "key" TEXT NOT NULL,
        run TEXT NOT NULL, dataset_name TEXT NOT NULL, dataset_digest TEXT NOT NULL, value DOUBLE, step
        DOUBLE NOT NULL, time_ms INTEGER NOT NULL, PRIMARY KEY (tenant, model, "key", run, dataset_name,
        dataset_digest), FOREIGN KEY(tenant, model) REFERENCES logged_model_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE logged_model_param_ ( tenant INTEGER NOT NULL, model INTEGER NOT NULL, "key" TEXT NOT NULL,
        value TEXT NOT NULL, PRIMARY KEY (tenant, model, "key"), FOREIGN KEY(tenant, model) REFERENCES
        logged_model_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE logged_model_tag_ ( tenant INTEGER NOT NULL, model INTEGER NOT NULL, "key" TEXT NOT NULL, value
        TEXT NOT NULL, PRIMARY KEY (tenant, model, "key"), FOREIGN KEY(tenant, model) REFERENCES
        logged_model_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE model_artifact_ ( tenant INTEGER NOT NULL, model INTEGER NOT NULL, path TEXT NOT NULL, sha256
        TEXT NOT NULL, size INTEGER NOT NULL, version INTEGER NOT NULL, created_ms INTEGER NOT NULL, PRIMARY
        KEY (tenant, model, path), FOREIGN KEY(tenant, model) REFERENCES logged_model_ (tenant, id), FOREIGN
        KEY(tenant, sha256) REFERENCES blob_ (tenant, sha256) ) WITHOUT ROWID""",
    """CREATE TABLE param_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, "key" INTEGER NOT NULL, experiment
        INTEGER NOT NULL, value TEXT NOT NULL, number DOUBLE, PRIMARY KEY (tenant, run, "key"), FOREIGN
        KEY(tenant, run) REFERENCES run_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE INDEX param_search ON param_ (tenant, experiment, "key", value, run, number)""",
    """CREATE TABLE run_dataset_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, dataset INTEGER NOT NULL, context
        TEXT NOT NULL, tags TEXT NOT NULL, PRIMARY KEY (tenant, run, dataset), FOREIGN KEY(tenant, run)
        REFERENCES run_ (tenant, id), FOREIGN KEY(tenant, dataset) REFERENCES dataset_ (tenant, id) )
        WITHOUT ROWID""",
    "CREATE INDEX run_dataset_of ON run_dataset_ (tenant, dataset, run)",
    """CREATE TABLE run_model_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, role TEXT NOT NULL, model TEXT NOT
        NULL, step INTEGER NOT NULL, PRIMARY KEY (tenant, run, role, model, step), FOREIGN KEY(tenant, run)
        REFERENCES run_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE segment_ ( id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, run INTEGER
        NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL, FOREIGN KEY(tenant, run) REFERENCES run_ (tenant,
        id) )""",
    "CREATE INDEX segment_run ON segment_ (tenant, run, id)",
    """CREATE TABLE series_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, "key" INTEGER NOT NULL, experiment
        INTEGER NOT NULL, n INTEGER NOT NULL, nonfinite INTEGER NOT NULL, first_step DOUBLE NOT NULL,
        first_value DOUBLE, last_step DOUBLE NOT NULL, last_ms INTEGER NOT NULL, last_value DOUBLE, low
        DOUBLE, low_step DOUBLE, high DOUBLE, high_step DOUBLE, total DOUBLE NOT NULL, late INTEGER NOT
        NULL, PRIMARY KEY (tenant, run, "key"), FOREIGN KEY(tenant, run) REFERENCES run_ (tenant, id) )
        WITHOUT ROWID""",
    """CREATE INDEX series_late ON series_ (tenant, "key", experiment, run) WHERE late = 1""",
    """CREATE INDEX series_search ON series_ (tenant, experiment, "key", last_value, run, low, high, total, n,
        nonfinite, first_value)""",
    """CREATE TABLE tag_ ( tenant INTEGER NOT NULL, run INTEGER NOT NULL, "key" INTEGER NOT NULL, experiment
        INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, run, "key"), FOREIGN KEY(tenant, run)
        REFERENCES run_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE INDEX tag_search ON tag_ (tenant, experiment, "key", value, run)""",
)
