"""The tables of traces as SQLite and PostgreSQL make them: frozen, like every revision."""

SQLITE = (
    """CREATE TABLE trace_ ( tenant INTEGER NOT NULL, id INTEGER NOT NULL, uid TEXT NOT NULL, experiment INTEGER
        NOT NULL, time_ms INTEGER NOT NULL, duration_ms INTEGER, state TEXT NOT NULL, client_request TEXT,
        request_preview TEXT, response_preview TEXT, final INTEGER NOT NULL, PRIMARY KEY (tenant, id), FOREIGN
        KEY(tenant, experiment) REFERENCES experiment_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE INDEX trace_experiment ON trace_ (tenant, experiment, time_ms, id)""",
    """CREATE UNIQUE INDEX trace_uid ON trace_ (uid, tenant)""",
    """CREATE TABLE trace_pair_ ( tenant INTEGER NOT NULL, trace INTEGER NOT NULL, kind TEXT NOT NULL, "key"
        TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, trace, kind, "key"), FOREIGN KEY(tenant, trace)
        REFERENCES trace_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE TABLE trace_run_ ( tenant INTEGER NOT NULL, trace INTEGER NOT NULL, run TEXT NOT NULL, PRIMARY KEY
        (tenant, trace, run), FOREIGN KEY(tenant, trace) REFERENCES trace_ (tenant, id) ) WITHOUT ROWID""",
    """CREATE INDEX trace_run_of ON trace_run_ (tenant, run, trace)""",
    """CREATE TABLE span_ ( tenant INTEGER NOT NULL, trace INTEGER NOT NULL, uid TEXT NOT NULL, parent TEXT,
        name TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER,
        content TEXT NOT NULL, PRIMARY KEY (tenant, trace, uid), FOREIGN KEY(tenant, trace) REFERENCES trace_
        (tenant, id) )""",
    """CREATE TABLE assessment_ ( tenant INTEGER NOT NULL, trace INTEGER NOT NULL, uid TEXT NOT NULL, name TEXT
        NOT NULL, kind TEXT NOT NULL, source_type TEXT NOT NULL, source_id TEXT NOT NULL, payload TEXT NOT NULL,
        value TEXT, number DOUBLE, rationale TEXT, metadata TEXT NOT NULL, span TEXT, overrides TEXT, valid
        INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, PRIMARY KEY (tenant, trace,
        uid), FOREIGN KEY(tenant, trace) REFERENCES trace_ (tenant, id) ) WITHOUT ROWID""",
)

POSTGRESQL = (
    """CREATE TABLE trace_ ( tenant BIGINT NOT NULL, id BIGINT NOT NULL, uid TEXT NOT NULL, experiment BIGINT
        NOT NULL, time_ms BIGINT NOT NULL, duration_ms BIGINT, state TEXT NOT NULL, client_request TEXT,
        request_preview TEXT, response_preview TEXT, final BIGINT NOT NULL, PRIMARY KEY (tenant, id), FOREIGN
        KEY(tenant, experiment) REFERENCES experiment_ (tenant, id) )""",
    """CREATE INDEX trace_experiment ON trace_ (tenant, experiment, time_ms, id)""",
    """CREATE UNIQUE INDEX trace_uid ON trace_ (uid, tenant)""",
    """CREATE TABLE trace_pair_ ( tenant BIGINT NOT NULL, trace BIGINT NOT NULL, kind TEXT NOT NULL, key TEXT
        NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, trace, kind, key), FOREIGN KEY(tenant, trace)
        REFERENCES trace_ (tenant, id) )""",
    """CREATE TABLE trace_run_ ( tenant BIGINT NOT NULL, trace BIGINT NOT NULL, run TEXT NOT NULL, PRIMARY KEY
        (tenant, trace, run), FOREIGN KEY(tenant, trace) REFERENCES trace_ (tenant, id) )""",
    """CREATE INDEX trace_run_of ON trace_run_ (tenant, run, trace)""",
    """CREATE TABLE span_ ( tenant BIGINT NOT NULL, trace BIGINT NOT NULL, uid TEXT NOT NULL, parent TEXT, name
        TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, start_ns BIGINT NOT NULL, end_ns BIGINT, content
        TEXT NOT NULL, PRIMARY KEY (tenant, trace, uid), FOREIGN KEY(tenant, trace) REFERENCES trace_ (tenant,
        id) )""",
    """CREATE TABLE assessment_ ( tenant BIGINT NOT NULL, trace BIGINT NOT NULL, uid TEXT NOT NULL, name TEXT
        NOT NULL, kind TEXT NOT NULL, source_type TEXT NOT NULL, source_id TEXT NOT NULL, payload TEXT NOT NULL,
        value TEXT, number DOUBLE PRECISION, rationale TEXT, metadata TEXT NOT NULL, span TEXT, overrides TEXT,
        valid BIGINT NOT NULL, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, PRIMARY KEY (tenant,
        trace, uid), FOREIGN KEY(tenant, trace) REFERENCES trace_ (tenant, id) )""",
)
