"""What MLflow's filters and orders are not: refused here as there, though the native API would read it."""

from typing import Any

import pytest

from tests.compat.wire_client import Wire

INVALID = "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("filter", "says"),
    [
        ("params.a = 'x' OR params.b = 'y'", "Invalid clause(s) in filter string"),
        ("NOT params.a = 'x'", "Invalid clause(s) in filter string"),
        ("metrics.a > 1 and (metrics.b > 1)", "Invalid clause(s) in filter string"),
        ("params.a BETWEEN 'a' AND 'b'", "Invalid clause(s) in filter string"),
        ("attribute.status = true", "Invalid clause(s) in filter string"),
        ("run_id IN 'a'", "Invalid clause(s) in filter string"),
        ("params.a > '1'", "Invalid comparator '>' not one of"),
        ("params.a == '1'", "Invalid comparator '==' not one of"),
        ("tags.a RLIKE 'x'", "Invalid comparator 'RLIKE' not one of"),
        ("metrics.a <> 1", "Invalid comparator '<>' not one of"),
        ("params.a = 1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1"),
        ("params.a IN ('x')", "Expected a quoted string value for parameter"),
        ("dataset.name = 1", "Expected a quoted string value for dataset attributes"),
        ("metrics.a = NaN", "Expected numeric value type for metric. Found NaN"),
        ("metrics.a IN (1)", "Expected numeric value type for metric"),
        ("status IN ('FAILED')", "Only ['run_id'] attributes support comparison with a list of quoted string values."),
        ("run_id IN (1)", "While parsing a list in the query, expected string value"),
        ("run_id IN ('a',,'b')", "got ill-formed list"),
        ("end_time IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'attribute'"),
        ("metrics.a IS NOT NULL", "IS NULL / IS NOT NULL is only supported for tags and params"),
        ("TAGS.a = 'x'", "Invalid entity type 'TAGS'"),
        ("RUN_NAME = 'x'", "Invalid attribute key 'RUN_NAME' specified"),
        ("duration > 1", "Invalid attribute key 'duration' specified"),
        ("lifecycle_stage = 'active'", "Invalid attribute key 'lifecycle_stage' specified"),
        ("dataset.source = 'x'", "Invalid dataset key 'source' specified"),
        ("1 = 1", "Expected 'Identifier' found '1'"),
    ],
)
def test_filters_of_runs(wire: Wire, filter: str, says: str) -> None:
    assert says in wire.refused("runs/search", 400, INVALID, experiment_ids=["0"], filter=filter)


@pytest.mark.parametrize(
    "filter",
    [
        "metrics.`a b` = 1.5",
        'metrics."a b" > -1e3',
        "tags.a.b.c = 'x' and tags.`a b` IS NULL",
        "params.a ILIKE '%(x)%' and params.b = 'it''s'",
        "run_id IN ('a)', 'b') and run_id NOT IN ('c')",
        'attributes.`run name` = "it\'s"',
        "datasets.name IN ('a', 'b') AND dataset.context LIKE 'tr%'",
        "start_time >= 5 and params.a = 'x' and",
    ],
)
def test_filters_that_are_mlflows(wire: Wire, filter: str) -> None:
    assert wire.post("runs/search", experiment_ids=["0"], filter=filter) == {}


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("metrics.a, metrics.b", "Could not be parsed"),
        ("", "Could not be parsed"),
        ("metrics.a up", "Invalid ordering key in order_by clause"),
        ("lifecycle_stage", "Invalid attribute key 'lifecycle_stage' specified"),
        ("`run name`", "Invalid attribute key 'run name' specified"),
        ("datasets.name", "Invalid identifier type 'dataset'"),
        ("METRICS.a", "Invalid entity type 'METRICS'"),
    ],
)
def test_orders_of_runs(wire: Wire, order: str, says: str) -> None:
    assert says in wire.refused("runs/search", 400, INVALID, experiment_ids=["0"], order_by=[order])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"filter": "name IN ('a')"}, "Only ['experiment_id'] attributes support comparison with a list"),
        ({"filter": "experiment_id LIKE '1%'"}, "Invalid comparator for experiment_id: LIKE"),
        ({"filter": "tags.a NOT LIKE 'x'"}, "Invalid comparator for tag: NOT LIKE"),
        ({"filter": "name IS NULL"}, "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'"),
        ({"filter": "attributes.name = 'x'"}, "Invalid entity type 'attributes'. Valid entity types are"),
        ({"filter": "name = 1"}, "Expected a quoted string value for attributes. Got value 1"),
        ({"order_by": ["tags.a"]}, "Invalid order_by entity: tag"),
        ({"order_by": ["lifecycle_stage"]}, "Invalid attribute key 'lifecycle_stage' specified"),
    ],
)
def test_searches_of_experiments(wire: Wire, asked: dict[str, Any], says: str) -> None:
    assert says in wire.refused("experiments/search", 400, INVALID, max_results=5, **asked)


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("registered-models/search", {"filter": "name <> 'x'"}, "Invalid comparator for attribute: <>"),
        ("registered-models/search", {"filter": "creation_timestamp > 0"}, "Invalid attribute key"),
        ("registered-models/search", {"order_by": ["creation_timestamp"]}, "Invalid order by key 'creation_timestamp'"),
        ("model-versions/search", {"filter": "source_path IN ('a')"}, "Only ['name', 'run_id'] attributes support"),
        ("model-versions/search", {"filter": "tags.a > 'x'"}, "Invalid comparator for tag: >"),
        ("model-versions/search", {"filter": "name='a' OR name='b'"}, "Invalid clause(s) in filter string"),
        ("model-versions/search", {"order_by": ["source_path"]}, "Invalid attribute key 'source_path'"),
    ],
)
def test_searches_of_the_registry(wire: Wire, path: str, query: dict[str, Any], says: str) -> None:
    assert says in wire.get(path, 400, **query)["message"]
