"""docs/guides/limits.md says what the code holds to: each of these numbers stands there as it does in the code."""

from pathlib import Path

import pytest

from gnomon_server.api import streams
from gnomon_server.api.front.limits import KIB, MIB, ConnectionLimits, FrontLimits
from gnomon_server.api.native import batches, logging, metrics
from gnomon_server.core import experiments, ingest, runs, views
from gnomon_server.core import metrics as core_metrics
from gnomon_server.model import names, points
from gnomon_server.model.filters import order, parser, patterns, source
from gnomon_server.settings import Settings
from gnomon_server.store import reserve

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "limits.md"
FRONT, CONNECTIONS, SETTINGS = FrontLimits(), ConnectionLimits(), Settings()

# The beginning of a row, and what must stand in it.
ROWS = [
    ("URL, path and query", f"{FRONT.url_bytes // KIB} KiB"),
    ("Headers, all together", f"{FRONT.head_bytes // KIB} KiB"),
    ("Headers, number", f"{FRONT.head_fields}"),
    ("Body of a JSON route", f"{FRONT.json_bytes // MIB} MiB"),
    ("Body of `log-metrics`", f"{FRONT.ingest_bytes // MIB} MiB"),
    ("An artifact", f"{SETTINGS.max_artifact_bytes >> 40} TiB"),
    ("Compressed body, output", f"{FRONT.unpacked_ratio} to 1"),
    ("Compressed body, output", f"{FRONT.unpacked_free_bytes // KIB} KiB"),
    ("Requests a second of one tenant", f"{SETTINGS.tenant_requests_per_sec:.0f} ("),
    ("Points a second of one tenant", f"{SETTINGS.tenant_points_per_sec:,.0f} ("),
    ("The head of a request", f"{CONNECTIONS.head_secs:.0f} s"),
    ("The head of a request", f"{SETTINGS.header_timeout_secs:.0f} s"),
    ("A body that comes slower", f"than {CONNECTIONS.body_bytes_per_sec // KIB} KiB/s"),
    ("A body that comes slower", f"{SETTINGS.body_grace_secs:.0f} s in all"),
    ("A client that does not read", f"{CONNECTIONS.write_stall_secs:.0f} s"),
    ("An idle connection", f"{CONNECTIONS.idle_secs} s"),
    ("Open connections |", f"{CONNECTIONS.connections:,}"),
    ("Open connections of one address", f"{CONNECTIONS.per_peer}"),
    ("Bodies in memory, of one tenant", f"{FRONT.tenant_body_bytes // MIB} MiB"),
    ("Bodies in memory, of the server", f"{FRONT.process_body_bytes // MIB} MiB"),
    ("Space on the disk", f"{reserve._MOST_BYTES // MIB} MiB, or 1/{reserve._SHARE}"),
    ("Experiment name", f"1-{names.MAX_EXPERIMENT_NAME}"),
    ("Run name", f"1-{names.MAX_RUN_NAME}"),
    ("Description", f"0-{names.MAX_DESCRIPTION:,}"),
    ("Key of a metric", f"1-{names.MAX_KEY}"),
    ("Value of a param", f"0-{names.MAX_PARAM_VALUE:,}"),
    ("Value of a tag", f"0-{names.MAX_TAG_VALUE:,}"),
    ("Name of a saved view", f"1-{names.MAX_EXPERIMENT_NAME}"),
    ("State of a saved view", f"0-{views.MAX_STATE:,}"),
    ("Name of a writer", f"1-{batches.MAX_WRITER}"),
    ("Artifact path", f"1-{names.MAX_PATH_SEGMENTS} segments of 1-{names.MAX_SEGMENT_BYTES} bytes"),
    ("Entries of a `log-batch`", f"{logging.MAX_ENTRIES:,}"),
    ("Points of a sequenced batch", f"{batches.MAX_POINTS:,}"),
    ("Metrics of a run", f"{ingest.MAX_KEYS_PER_RUN:,}"),
    ("Step", f"2^{int(points.MAX_STEP).bit_length() - 1}"),
    ("Timestamp of a point", f"{points.MAX_TIME_MS}"),
    ("Experiments of one search", f"{runs.MAX_EXPERIMENTS_A_SEARCH}"),
    ("Runs of a request for series", f"{core_metrics.MAX_SERIES_RUNS:,}; {core_metrics.MAX_SERIES_KEYS}"),
    ("Keys of one history", f"{metrics.MAX_KEYS:,}"),
    ("Saved views of an experiment", f"{views.MAX_VIEWS}"),
    ("Pages that watch", f"{SETTINGS.live_streams}"),
    ("Changes that a live page", f"{streams.QUEUED_BYTES // MIB} MiB"),
    ("`buckets` of a series", f"1-{metrics.MAX_BUCKETS:,}"),
    ("`buckets` of a series", f"at most {core_metrics.MAX_ANSWER_BUCKETS:,}"),
    ("Filter", f"{source.MAX_BYTES // KIB} KiB, {parser.MAX_COMPARISONS} comparisons, {parser.MAX_DEPTH} levels"),
    ("Filter", f"{parser.MAX_LIST:,} items in a list; a regular expression {patterns.MAX_PATTERN_BYTES} bytes"),
    ("Order", f"{order.MAX_ORDER_ITEMS} items"),
    ("Columns of a table", f"{order.MAX_COLUMNS}"),
    ("Tags in one request", f"{experiments.MAX_TAGS:,}"),
]


@pytest.mark.parametrize(("row", "number"), ROWS, ids=[f"{row}: {number}" for row, number in ROWS])
def test_the_page_says_what_the_code_does(row: str, number: str) -> None:
    (line,) = (line for line in PAGE.read_text().splitlines() if line.startswith(f"| {row}"))
    assert number in line
