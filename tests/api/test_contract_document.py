"""The bounds that the OpenAPI document names are those that the server keeps, and every answer has a shape."""

import re
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

from gnomon_server.api.native.batches import MAX_WRITER
from gnomon_server.api.native.logging import MAX_ENTRIES
from gnomon_server.api.native.metrics import MAX_BUCKETS, MAX_KEYS
from gnomon_server.api.problems import STATUS
from gnomon_server.core.experiments import MAX_TAGS
from gnomon_server.core.metrics import MAX_SERIES_KEYS, MAX_SERIES_RUNS
from gnomon_server.core.runs import MAX_EXPERIMENTS_A_SEARCH
from gnomon_server.model import names
from gnomon_server.model.points import MAX_STEP, MAX_TIME_MS

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document(server: ServerProcess) -> Json:
    found: Json = httpx.get(f"{server.base_url}/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def schemas(document: Json) -> Json:
    found: Json = document["components"]["schemas"]
    return found


def _operations(document: Json) -> list[tuple[str, str, Json]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_bounds_of_names_and_values(schemas: Json) -> None:
    experiment = schemas["ExperimentCreate"]["properties"]
    assert experiment["name"]["maxLength"] == names.MAX_EXPERIMENT_NAME == 255
    assert experiment["name"]["minLength"] == 1
    (description, _null), (tags, _null) = experiment["description"]["anyOf"], experiment["tags"]["anyOf"]
    assert description["maxLength"] == names.MAX_DESCRIPTION == 1_000
    assert tags["maxProperties"] == MAX_TAGS
    assert tags["propertyNames"]["maxLength"] == names.MAX_KEY
    assert tags["additionalProperties"]["maxLength"] == names.MAX_TAG_VALUE
    (name, _null) = schemas["RunCreate"]["properties"]["name"]["anyOf"]
    assert name["maxLength"] == names.MAX_RUN_NAME
    assert schemas["SequencedBatch"]["properties"]["writer"]["maxLength"] == MAX_WRITER
    text = schemas["ParamEntry"]["properties"]["value"]["anyOf"]
    assert {"maxLength": names.MAX_PARAM_VALUE}.items() <= next(one for one in text if one["type"] == "string").items()


def test_bounds_of_lists_and_numbers(schemas: Json) -> None:
    ids = schemas["CompareRequest"]["properties"]["run_ids"]
    assert (ids["minItems"], ids["maxItems"], ids["uniqueItems"]) == (2, 10, True)
    series = schemas["SeriesRequest"]["properties"]
    assert (series["buckets"]["minimum"], series["buckets"]["maximum"]) == (1, MAX_BUCKETS)
    assert series["run_ids"]["maxItems"] == MAX_SERIES_RUNS
    assert series["keys"]["maxItems"] == MAX_SERIES_KEYS
    for entries in ("metrics", "params", "tags"):
        assert schemas["BatchLog"]["properties"][entries]["maxItems"] == MAX_ENTRIES == 10_000
    step = schemas["MetricEntry"]["properties"]["step"]
    assert (step["minimum"], step["maximum"]) == (-MAX_STEP, MAX_STEP)
    (time_ms, _null) = schemas["MetricEntry"]["properties"]["timestamp"]["anyOf"]
    assert (time_ms["minimum"], time_ms["maximum"]) == (0, MAX_TIME_MS)


def test_bounds_of_parameters(document: Json) -> None:
    def parameter(path: str, name: str) -> Json:
        listed = document["paths"][path]["get"]["parameters"]
        schema: Json = next(each for each in listed if each["name"] == name)["schema"]
        return schema

    for _, path, operation in _operations(document):
        for each in operation["parameters"]:
            if each["name"] == "limit":
                most = 100_000 if path.endswith("/history") else 1_000
                assert (each["schema"]["minimum"], each["schema"]["maximum"]) == (1, most)
            if each["name"] == "offset":
                assert each["schema"]["minimum"] == 0
    runs, history = "/api/v1/experiments/runs", "/api/v1/experiments/runs/{run_id}/history"
    assert parameter(runs, "experiment_id")["maxItems"] == MAX_EXPERIMENTS_A_SEARCH
    assert parameter(history, "key")["maxItems"] == MAX_KEYS
    assert parameter("/api/v1/experiments", "limit")["default"] == 100
    assert parameter(history, "limit")["default"] == 10_000
    assert parameter("/api/v1/experiments", "lifecycle_stage") == {"enum": ["active", "deleted"], "default": "active"}


def test_request_bodies_forbid_unknown_fields(document: Json, schemas: Json) -> None:
    bodies = set()
    for _, _, operation in _operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            bodies |= set(re.findall(r"#/components/schemas/(\w+)", str(media["schema"])))
    assert len(bodies) > 8
    for name in bodies:
        assert schemas[name]["additionalProperties"] is False, name


def test_every_answer_has_a_shape_and_every_operation_a_name(document: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(set(ids)) == len(ids)
    statuses = {str(status) for status in STATUS.values()} | {"405", "408", "413", "414", "415", "429", "431", "500"}
    for method, path, operation in _operations(document):
        responses = operation["responses"]
        assert "422" not in responses
        assert {"400", "403", "500", "503"} <= set(responses)
        assert "404" in responses or "{" not in path
        for status, response in responses.items():
            if status.startswith(("4", "5")):
                assert status in statuses
                assert list(response["content"]) == ["application/problem+json"], (method, path, status)
            if status in ("429", "503"):
                assert "Retry-After" in response["headers"]


def test_links_lead_from_what_is_made_to_all_that_can_be_done_with_it(document: Json) -> None:
    by_id = {operation["operationId"]: path for _, path, operation in _operations(document)}
    for path, slot in (("/api/v1/experiments", "experiment_id"), ("/api/v1/experiments/runs", "run_id")):
        links = document["paths"][path]["post"]["responses"]["201"]["links"]
        linked = {link["operationId"] for link in links.values()}
        takers = {operation_id for operation_id, taker in by_id.items() if f"{{{slot}}}" in taker}
        assert takers <= linked


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/experiments", {"GET", "POST", "OPTIONS"}),
        ("/experiments/runs", {"GET", "POST", "OPTIONS"}),
        ("/experiments/runs/compare", {"POST", "OPTIONS"}),
        (f"/experiments/{'0' * 32}", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        (f"/experiments/runs/{'0' * 32}", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        (f"/experiments/runs/{'0' * 32}/end", {"POST", "OPTIONS"}),
        (f"/experiments/runs/{'0' * 32}/artifacts/a/b", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_options_and_405_name_every_method_of_a_path(api: httpx.Client, path: str, allow: set[str]) -> None:
    answer = api.options(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["allow"].split(", ")) == allow
    refused = api.put(path, json={})
    assert_problem(refused, 405, "method_not_allowed")
    assert set(refused.headers["allow"].split(", ")) == allow
    assert refused.headers["allow"] in refused.json()["detail"]
