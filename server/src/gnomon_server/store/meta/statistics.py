"""What SQLite's planner is told about the tables, once, when a database is made.

Without statistics it takes "rows of one tenant" for ten, and may read a whole table where an index is at hand. Real
statistics would let plans change with the data and differ from those we looked at. So the same picture is written into
every database: one tenant, 100,000 runs in 100 experiments, 20 metrics and 20 params each. Only proportions matter.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

# Per index: the rows, then how many of them share its first column, its first two, … A table without rowid is its
# own primary key and goes by its own name.
_PICTURE = {
    "experiment_": {
        "experiment_": "100 100 1",
        "experiment_uid": "100 1 1",
        "experiment_name": "100 100 1",
        "experiment_number": "100 100 1",
    },
    "experiment_tag_": {"experiment_tag_": "500 500 5 1"},
    "run_": {
        "run_": "100000 100000 1",
        "run_uid": "100000 1 1",
        "run_experiment": "100000 100000 1000 900 1 1 1 1 1",
        "run_start": "100000 100000 90000 1 1 1 1 1",
    },
    "key_": {"key_": "1000 1000 1", "key_name": "1000 1000 1 1"},
    "key_count_": {"key_count_": "4500 4500 45 20 1"},
    "param_": {"param_": "2000000 2000000 20 1", "param_search": "2000000 2000000 20000 1000 50 1 1"},
    "tag_": {"tag_": "500000 500000 5 1", "tag_search": "500000 500000 5000 1000 50 1"},
    "series_": {
        "series_": "2000000 2000000 20 1",
        "series_late": "100 100 10 5 1",
        "series_search": "2000000 2000000 20000 1000 2 1 1 1 1 1 1 1",
    },
    "ledger_": {"ledger_": "200000 200000 2 1"},
    "thinned_": {"thinned_": "1000 1000 1 1"},
    "check_in_": {"check_in_": "1000 1000 1", "check_in_due": "1000 2"},
    "run_event_": {"run_event_": "10000 10000 5 1"},
    "webhook_": {"webhook_": "10 10 1"},
    "rule_": {"rule_": "50 50 1", "rule_experiment": "50 50 5 1"},
    "firing_": {"firing_": "1000 1000 20 1", "firing_run": "1000 1000 1"},
    "delivery_": {
        "delivery_": "10000 10000 1",
        "delivery_webhook": "10000 10000 1000 1",
        "delivery_done": "10000 2",
        "delivery_due": "100 1 1 1",
    },
    "segment_": {"segment_run": "10000 10000 100 1"},
    "chunk_": {"sqlite_autoindex_chunk__1": "4000000 4000000 40 2 1 1"},
    "blob_": {"blob_": "100000 100000 1", "blob_unused": "100 100 1"},
    "artifact_": {"artifact_": "500000 500000 5 1"},
    "saved_view_": {"saved_view_": "500 500 5 1", "saved_view_name": "500 500 5 1"},
    "dataset_": {"dataset_": "1000 1000 1", "dataset_name": "1000 1000 10 2 1"},
    "run_dataset_": {"run_dataset_": "100000 100000 1 1", "run_dataset_of": "100000 100000 100 1"},
    "logged_model_": {
        "logged_model_": "100000 100000 1",
        "logged_model_uid": "100000 1 1",
        "logged_model_experiment": "100000 100000 1000 900 1",
    },
    "logged_model_param_": {"logged_model_param_": "1000000 1000000 10 1"},
    "logged_model_tag_": {"logged_model_tag_": "200000 200000 2 1"},
    "logged_model_metric_": {"logged_model_metric_": "500000 500000 5 1 1 1 1"},
    "run_model_": {"run_model_": "100000 100000 1 1 1 1"},
    "model_artifact_": {"model_artifact_": "700000 700000 7 1"},
    "registered_model_": {"registered_model_": "100 100 1", "registered_model_name": "100 100 1"},
    "model_version_": {"model_version_": "1000 1000 10 1", "model_version_model": "1000 1000 1"},
    "model_version_tag_": {"model_version_tag_": "2000 2000 20 2 1"},
    "model_alias_": {"model_alias_": "200 200 2 1"},
    "trace_": {
        "trace_": "100000 100000 1",
        "trace_uid": "100000 1 1",
        "trace_experiment": "100000 100000 1000 1 1",
    },
    "trace_pair_": {"trace_pair_": "1000000 1000000 10 5 1"},
    "trace_run_": {"trace_run_": "100000 100000 1 1", "trace_run_of": "100000 100000 10 1"},
    "span_": {"sqlite_autoindex_span__1": "1000000 1000000 10 1"},
    "usage_": {"usage_": "100 10 1"},
    "retention_rule_": {"retention_rule_": "20 20 1"},
    "blob_object_": {"blob_object_": "100000 100000 1", "blob_object_key": "100000 100000 1"},
    "upload_": {"upload_": "100 100 1"},
    "chunk_object_": {"chunk_object_": "4000000 4000000 40 2 1 1", "chunk_object_key": "4000000 4000000 200"},
    "assessment_": {"assessment_": "100000 100000 2 1"},
}


def write_statistics(connection: Connection) -> None:
    """Give a SQLite database the picture; connections opened from then on plan by it."""
    connection.execute(sa.text("ANALYZE"))  # makes sqlite_stat1, which no other statement may
    connection.execute(sa.text("DELETE FROM sqlite_stat1"))
    rows = [
        {"table": table, "index": index, "stat": stat}
        for table, indexes in _PICTURE.items()
        for index, stat in indexes.items()
    ]
    connection.execute(sa.text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)"), rows)
