"""What is refused, in the words that MLflow's clients and their users look for."""

from typing import Any

import pytest

from tests.compat.wire_client import Wire

LONG = "k" * 251


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("experiments/create", {"name": "n" * 501}, "'name' exceeds the maximum length of 500 characters"),
        (
            "experiments/create",
            {"name": "n", "tags": [{"key": LONG, "value": "v"}]},
            "'key' exceeds the maximum length of 250",
        ),
        (
            "experiments/set-experiment-tag",
            {"experiment_id": "0", "key": "a#b", "value": "v"},
            "Names may only contain",
        ),
        (
            "experiments/set-experiment-tag",
            {"experiment_id": "0", "key": "k", "value": "v" * 20_001},
            "'value' exceeds the maximum length of 20000 characters",
        ),
        (
            "experiments/search",
            {"max_results": 0},
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive",
        ),
        ("experiments/search", {"max_results": 50_001}, "It must be at most 50000"),
        ("registered-models/create", {"name": "a/b"}, "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
        ("registered-models/create", {"name": "a", "tags": [{"key": LONG, "value": "v"}]}, "'key' exceeds the maximum"),
        ("registered-models/set-tag", {"name": "a", "key": "a!", "value": "v"}, "Names may only"),
        (
            "registered-models/alias",
            {"name": "a", "alias": "Latest", "version": "1"},
            "'latest' alias name (case insensitive)",
        ),
        (
            "registered-models/alias",
            {"name": "a", "alias": "v12", "version": "1"},
            "Version alias name 'v12' is reserved.",
        ),
        ("registered-models/alias", {"name": "a", "alias": "no no", "version": "1"}, "Invalid alias name: 'no no'"),
        (
            "registered-models/alias",
            {"name": "a", "alias": "x" * 256, "version": "1"},
            "exceeds the maximum length of 255",
        ),
    ],
)
def test_bounds_and_names(wire: Wire, path: str, body: dict[str, Any], says: str) -> None:
    assert says in wire.refused(path, 400, "INVALID_PARAMETER_VALUE", **body)


def test_a_tag_of_an_experiment_may_be_long(wire: Wire) -> None:
    wire.post("experiments/set-experiment-tag", experiment_id="0", key="k", value="v" * 20_000)
    tags = wire.get("experiments/get", experiment_id="0")["experiment"]["tags"]
    assert tags == [{"key": "k", "value": "v" * 20_000}]


def test_tags_that_are_not_there(wire: Wire) -> None:
    run = wire.new_run()
    message = wire.refused("runs/delete-tag", 404, "RESOURCE_DOES_NOT_EXIST", run_id=run, key="none")
    assert message == f"No tag with name: none in run with id {run}"
    message = wire.refused(
        "experiments/delete-experiment-tag", 404, "RESOURCE_DOES_NOT_EXIST", experiment_id="0", key="none"
    )
    assert message == "No tag with name: none in experiment with id 0"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("/tmp", "To use a local path as a model version"),
        ("file:///tmp", "To use a local path as a model version"),
        ("http://host:9000/models/../../../", "If supplying a source as an http, https,"),
        ("mlflow-artifacts://host:9000/models/..%2f..%2fa", "If supplying a source as an http, https,"),
        ("mlflow-artifacts:/models", "must identify the resource that contains the source"),
        ("runs:/" + "0" * 32 + "/model", "must identify the resource that contains the source"),
    ],
)
def test_sources_of_model_versions(wire: Wire, source: str, says: str) -> None:
    wire.post("registered-models/create", name="sources")
    message = wire.refused("model-versions/create", 400, "INVALID_PARAMETER_VALUE", name="sources", source=source)
    assert message.startswith(f"Invalid model version source: '{source}'.")
    assert says in message


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/2.0/mlflow/artifacts/list", {"run_id": "RUN", "path": "../path"}),
        ("/get-artifact", {"run_id": "RUN", "path": "../path"}),
        ("//model-versions/get-artifact", {"name": "model", "version": "1", "path": "../path"}),
        ("/model-versions/get-artifact", {"name": "model", "version": "1", "path": "../path"}),
        ("/api/2.0/mlflow-artifacts/artifacts", {"path": "../x"}),
        ("/api/2.0/mlflow-artifacts/artifacts", {"path": "/etc"}),
        ("/api/2.0/mlflow-artifacts/artifacts/%2e%2e/x", {}),
    ],
)
def test_unsafe_paths(wire: Wire, path: str, query: dict[str, str]) -> None:
    query = {name: value.replace("RUN", wire.new_run()) for name, value in query.items()}
    answer = wire.http.get(str(wire.http.base_url).rstrip("/") + path, params=query or None)
    assert (answer.status_code, answer.json()) == (
        400,
        {"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid path"},
    )


def test_another_media_type_is_refused_as_mlflow_does(wire: Wire) -> None:
    answer = wire.http.post("/api/2.0/mlflow/runs/create", content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400
    assert "Content-Type must be one of ['application/json']" in answer.json()["message"]
    native = wire.http.post("/api/v1/experiments", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (native.status_code, native.headers["content-type"]) == (415, "application/problem+json")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("metrics.m", "Invalid clause(s) in filter string: 'metrics.m'"),
        ("metrics.m > > 1", "Invalid clause(s) in filter string"),
        ("params.p = 'a' params.q = 'b'", "filter: expected `and`"),
        ("foo.bar = 'x'", "Invalid entity type 'foo'"),
        ("foo = 'x'", "Invalid attribute key 'foo' specified"),
        ("metrics.m > '1'", "Expected numeric value type for metric. Found '1'"),
        ("start_time > 'soon'", "Expected numeric value type for numeric attribute: start_time. Found 'soon'"),
        ("tags.t = 1", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 1"),
        ("params.p = word", "unidentified quote types used for string value word"),
        ("'run name' = 'x'", "Invalid comparison clause. Expected 'Identifier' found ''run name''"),
        ("run_id IN ()", "expected a non-empty list of string values, but got empty list"),
        ("run_id IN (1, 2)", "got different type in list: (1, 2)"),
    ],
)
def test_filters_of_runs(wire: Wire, text: str, says: str) -> None:
    message = wire.refused("runs/search", 400, "INVALID_PARAMETER_VALUE", experiment_ids=["0"], filter=text)
    assert says in message
    assert "at character" in message  # and where it is


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("params.p = 'a' OR params.q = 'b'", "'OR'"),
        ("NOT params.p = 'a'", "'NOT'"),
        ("params.p BETWEEN 'a' AND 'b'", "'params.p', 'BETWEEN', ''a'', ''b''"),
    ],
)
def test_what_is_no_comparison_is_named_and_the_rest_is_not(wire: Wire, text: str, rest: str) -> None:
    message = wire.refused("runs/search", 400, "INVALID_PARAMETER_VALUE", experiment_ids=["0"], filter=text)
    assert message == f"Invalid clause(s) in filter string: {rest}"


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        (
            "registered-models/search",
            {"filter": "evil = 'x'"},
            "Invalid attribute key 'evil' specified. Valid keys are '{'name'}'",
        ),
        ("registered-models/search", {"filter": "name = something"}, "string value something. Use either single"),
        (
            "registered-models/search",
            {"filter": "name LIKE 'a' OR name = 'b'"},
            "Invalid clause(s) in filter string: OR",
        ),
        (
            "registered-models/search",
            {"order_by": "evil"},
            "Invalid order by key 'evil' specified. Valid keys are '{'name', 'timestamp'}'",
        ),
        ("registered-models/search", {"filter": "  "}, "Invalid filter '  '. Could not be parsed."),
        ("registered-models/search", {"max_results": "1001"}, """Invalid value "1001" for parameter 'max_results' s"""),
        ("model-versions/search", {"max_results": "0"}, "It must be a positive integer, but got 0"),
        ("model-versions/search", {"filter": "run_id = 5"}, "attributes support comparison with numeric values."),
        ("model-versions/search", {"filter": "version_number IN (1)"}, "Only ['name', 'run_id'] attributes support"),
        ("model-versions/search", {"page_token": "eyJ4IjoxfQ=="}, "Invalid page token, parsed value={'x': 1}"),
        ("registered-models/search", {"order_by": "name,timestamp"}, "Invalid order_by clause 'name,timestamp'"),
        ("model-versions/search", {"filter": "run_id IN (1)"}, "got different type in list: (1,)"),
        (
            "model-versions/search",
            {"filter": "version_number = 'x'"},
            "Expected numeric value type for numeric attribute",
        ),
        ("experiments/search", {"filter": "a.b = 'x'", "max_results": "5"}, "Invalid entity type 'a'"),
        ("experiments/search", {"order_by": "name FOO", "max_results": "5"}, "Invalid ordering key in order_by clause"),
    ],
)
def test_other_searches(wire: Wire, path: str, query: dict[str, str], says: str) -> None:
    answer = wire.get(path, 400, **query)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    assert says in answer["message"]


@pytest.mark.parametrize(
    ("name", "query", "says"),
    [
        ("get-history-bulk", "run_id", "GetMetricHistoryBulk request cannot specify more than 100 run_ids."),
        ("get-history-bulk-interval", "run_ids", "Interval request must specify at most 100 run_ids."),
    ],
)
@pytest.mark.parametrize("runs", [101, 1_000])  # of the second, the URL itself is too long
def test_histories_of_many_runs(wire: Wire, name: str, query: str, says: str, runs: int) -> None:
    asked = {query: [f"id_{number}" for number in range(runs)], "metric_key": "m"}
    answer = wire.http.get(f"/ajax-api/2.0/mlflow/metrics/{name}", params=asked)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert says in answer.json()["message"]


def test_a_history_of_a_few_points_is_spread_evenly(wire: Wire) -> None:
    run = wire.new_run()
    wire.post(
        "runs/log-batch", run_id=run, metrics=[{"key": "m", "value": 1, "timestamp": 1, "step": n} for n in range(20)]
    )

    def steps(most: int, **more: int) -> list[int]:
        asked = {"run_ids": run, "metric_key": "m", "max_results": most, **more}
        return [one["step"] for one in wire.get("metrics/get-history-bulk-interval", **asked)["metrics"]]

    assert steps(5) == [0, 4, 8, 12, 19]
    assert steps(6) == [0, 4, 8, 11, 14, 19]
    assert steps(5, start_step=3, end_step=17) == [3, 6, 9, 12, 17]
    assert steps(1) == [19]
    assert steps(20) == list(range(20))


def test_what_is_asked_of_many_runs_and_experiments_says_what_is_missing(wire: Wire) -> None:
    bulk = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
    assert "at least one run_id" in wire.http.get(bulk, params={"metric_key": "k"}).json()["message"]
    assert "must specify a metric_key" in wire.http.get(bulk, params={"run_id": ["1"]}).json()["message"]
    datasets = "/ajax-api/2.0/mlflow/experiments/search-datasets"
    assert "at least one experiment_id" in wire.http.post(datasets, json={}).json()["message"]
    asked = {"experiment_ids": [str(number) for number in range(21)]}
    assert "cannot specify more than 20" in wire.http.post(datasets, json=asked).json()["message"]


@pytest.mark.parametrize(
    ("tag", "dataset", "says"),
    [
        ({"key": "k" * 256}, {}, "'key' exceeds the maximum length of 255 characters"),
        ({"value": "v" * 501}, {}, "'value' exceeds the maximum length of 500 characters"),
        ({}, {"digest": "d" * 37}, "'digest' exceeds the maximum length of 36 characters"),
    ],
)
def test_bounds_of_inputs(wire: Wire, tag: dict[str, str], dataset: dict[str, str], says: str) -> None:
    sent = {
        "tags": [{"key": "k", "value": "v", **tag}],
        "dataset": {"name": "n", "digest": "d", "source_type": "t", "source": "s", **dataset},
    }
    run = wire.new_run()
    message = wire.refused("runs/log-inputs", 400, "INVALID_PARAMETER_VALUE", run_id=run, datasets=[sent])
    assert message == says


def test_a_batch_that_changes_params_says_which(wire: Wire) -> None:
    run = wire.new_run()
    for key in ("p", "q", "r"):
        wire.post("runs/log-parameter", run_id=run, key=key, value="1")
    sent = {"p": "2", "q": "1", "r": "3", "new": "4"}
    changed = {"run_id": run, "params": [{"key": key, "value": value} for key, value in sent.items()]}
    message = wire.refused("runs/log-batch", 400, "INVALID_PARAMETER_VALUE", **changed)
    assert message == (
        "Changing param values is not allowed. Params were already logged="
        "'[{'key': 'p', 'old_value': '1', 'new_value': '2'}, {'key': 'r', 'old_value': '1', 'new_value': '3'}]' "
        f"for run ID='{run}'."
    )


def test_a_time_before_1970_names_its_metric(wire: Wire) -> None:
    sent = {"run_id": wire.new_run(), "key": "m", "value": 1, "timestamp": -5}
    message = wire.refused("runs/log-metric", 400, "INVALID_PARAMETER_VALUE", **sent)
    assert "metric 'm' (value=1.0). Timestamp must be a nonnegative long" in message


def test_versions_of_a_model_that_is_not_there(wire: Wire) -> None:
    missing = "Model Version (name=none, version=1) not found"
    named = {"name": "none", "version": "1"}
    for path, more in (("set-tag", {"key": "k", "value": "v"}), ("transition-stage", {"stage": "Staging"})):
        assert wire.refused(f"model-versions/{path}", 404, "RESOURCE_DOES_NOT_EXIST", **named, **more) == missing
    assert wire.get("model-versions/get", 404, name="none", version="-1")["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("runs:/abc/model", "Artifact location cannot be a runs:/ URI. Given: 'runs:/abc/model'"),
        ("s3://bucket/place#part", "'artifact_location' URL can't include fragments or params."),
        ("s3://bucket/" + "a" * 2_048, "Invalid artifact path length."),
    ],
)
def test_locations_that_mlflow_refuses(wire: Wire, location: str, says: str) -> None:
    sent = {"name": "elsewhere", "artifact_location": location}
    assert wire.refused("experiments/create", 400, "INVALID_PARAMETER_VALUE", **sent).startswith(says)


def test_aliases_are_told_with_a_version_and_not_with_the_latest_of_a_model(wire: Wire) -> None:
    wire.post("registered-models/create", name="m")
    source = {"source": "s3://bucket/model", "run_id": "elsewhere"}
    made = wire.post("model-versions/create", name="m", **source)["model_version"]
    assert made["user_id"] == ""  # nobody signed in
    wire.post("registered-models/alias", name="m", alias="best", version="1")
    assert wire.get("model-versions/get", name="m", version="1")["model_version"]["aliases"] == ["best"]
    found = wire.get("registered-models/get", name="m")["registered_model"]
    assert found["aliases"] == [{"alias": "best", "version": "1"}]
    assert [one.get("aliases") for one in found["latest_versions"]] == [None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name IN ('a')", "Invalid comparator 'IN' not one of"),
        ("tag.a IN ('a')", "Invalid comparator 'IN' not one of"),
        ("status IS NULL", "Invalid comparator 'IS NULL' not one of"),
        ("span.name > 'a'", "span.name comparator '>' not one of"),
        ("span.content = 'a'", "span.content comparator '=' not one of '{'ILIKE', 'LIKE'}'"),
        ("trace.text = 'a'", "span.content comparator '=' not one of '{'ILIKE', 'LIKE'}'"),
        ("span.name = 5", "Expected a quoted string value for span (e.g. 'my-value'). Got value 5"),
        ("span.type = TOOL", "string value TOOL. Use either single or double quotes."),
        (
            "feedback.score > 'high'",
            "Expected a numeric value for feedback when using comparator '>'. Got value 'high'",
        ),
        ("feedback.score = 3", "Expected a quoted string value for feedback (e.g. 'my-value'). Got value 3"),
        ("prompt LIKE 'a/1'", "Invalid comparator 'LIKE' for prompts filter. Only '=' is supported"),
        ("prompt = 'a'", "Invalid prompts filter value 'a'. Expected format: prompt = \"name/version\""),
    ],
)
def test_filters_of_traces(wire: Wire, text: str, says: str) -> None:
    places = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}]
    sent = {"locations": places, "filter": text, "max_results": 5}
    answer = wire.http.post("/api/3.0/mlflow/traces/search", json=sent)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert says in answer.json()["message"]
