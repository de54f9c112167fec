"""The questions that MLflow's own pages ask in GraphQL, and the bounds of what may be asked."""

from typing import Any
from uuid import uuid4

import pytest

from tests.compat.wire_client import Json, Wire

RUN = """query Run($input: MlflowGetRunInput!) @component(name: "x") {
  mlflowGetRun(input: $input) {
    apiError { code }
    run {
      info { runId experimentId runName status startTime endTime lifecycleStage }
      data { metrics { key value step timestamp } params { key value } }
      experiment { experimentId name tags { key } }
      modelVersions { name version status description }
      inputs { datasetInputs { dataset { name } } }
    }
  }
}"""


def _asked(wire: Wire, query: str, **variables: Any) -> Json:
    answer = wire.http.post("/graphql", json={"query": query, "variables": variables or None, "operationName": None})
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def _data(wire: Wire, query: str, **variables: Any) -> Json:
    told = _asked(wire, query, **variables)
    assert told["errors"] is None, told
    data: Json = told["data"]
    return data


def test_a_run_is_told_with_what_belongs_to_it(wire: Wire) -> None:
    experiment = wire.post("experiments/create", name="e")["experiment_id"]
    run = wire.new_run(experiment, run_name="r", start_time=5)
    wire.post("runs/log-metric", run_id=run, key="m", value=0.5, timestamp=7, step=9_007_199_254_740_000)
    wire.post("runs/log-metric", run_id=run, key="n", value="NaN", timestamp=7)
    wire.post("registered-models/create", name="published")
    wire.post("model-versions/create", name="published", source="s3://bucket/m", run_id=run)
    told = _data(wire, RUN, input={"runId": run})["mlflowGetRun"]
    assert told == {
        "apiError": None,
        "run": {
            "info": {
                "runId": run,
                "experimentId": experiment,
                "runName": "r",
                "status": "RUNNING",
                "startTime": "5",
                "endTime": "0",
                "lifecycleStage": "active",
            },
            "data": {
                "metrics": [
                    {"key": "m", "value": 0.5, "step": "9007199254740000", "timestamp": "7"},
                    {"key": "n", "value": None, "step": "0", "timestamp": "7"},
                ],
                "params": [],
            },
            "experiment": {"experimentId": experiment, "name": "e", "tags": []},
            "modelVersions": [{"name": "published", "version": "1", "status": "READY", "description": ""}],
            "inputs": {"datasetInputs": []},
        },
    }


@pytest.mark.parametrize("kind", ["query", "mutation"])
def test_runs_are_searched(wire: Wire, kind: str) -> None:
    experiments = [wire.post("experiments/create", name=name)["experiment_id"] for name in "ab"]
    runs = [wire.new_run(each, run_name=f"in {each}") for each in experiments]
    query = f"""{kind} S($data: MlflowSearchRunsInput!) {{ mlflowSearchRuns(input: $data) {{
        nextPageToken runs {{ info {{ runId }} experiment {{ name }} modelVersions {{ name }} }} }} }}"""
    asked = {"experimentIds": experiments, "maxResults": 1, "runViewType": "ALL", "orderBy": ["start_time ASC"]}
    found = []
    token = None
    while token != "":
        page = _data(wire, query, data={**asked, **({"pageToken": token} if token else {})})["mlflowSearchRuns"]
        found += [(run["info"]["runId"], run["experiment"]["name"]) for run in page["runs"]]
        token = page["nextPageToken"]
    assert found == list(zip(runs, "ab", strict=True))


def test_the_other_questions_are_answered(wire: Wire) -> None:
    run = wire.new_run()
    for step in range(4):
        wire.post("runs/log-metric", run_id=run, key="m", value=step, timestamp=step, step=step)
    dataset = {"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "x"}}
    wire.post("runs/log-inputs", run_id=run, datasets=[dataset])
    wire.http.post(
        f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a.txt",
        content=b"abc",
        headers={"Content-Type": "text/plain"},
    ).raise_for_status()
    wire.post("registered-models/create", name="m")
    wire.post("model-versions/create", name="m", source="s3://bucket/m")
    told = _data(
        wire,
        f"""{{
        mlflowGetExperiment(input: {{experimentId: "0"}}) {{ experiment {{ name workspace }} }}
        mlflowListArtifacts(input: {{runId: "{run}"}}) {{ files {{ path isDir fileSize }} }}
        mlflowGetMetricHistoryBulkInterval(input: {{runIds: ["{run}"], metricKey: "m", maxResults: 2}}) {{
            metrics {{ runId step value }} }}
        mlflowSearchModelVersions(input: {{filter: "name='m'", maxResults: 5}}) {{ modelVersions {{ version }} }}
        test(inputString: "echo") {{ output }}
        }}""",
    )
    assert told["mlflowGetExperiment"]["experiment"]["name"] == "Default"
    assert told["mlflowListArtifacts"]["files"] == [{"path": "a.txt", "isDir": False, "fileSize": "3"}]
    points = told["mlflowGetMetricHistoryBulkInterval"]["metrics"]
    assert [(point["step"], point["value"]) for point in points] == [("0", 0.0), ("3", 3.0)]
    assert told["mlflowSearchModelVersions"]["modelVersions"] == [{"version": "1"}]
    assert told["test"] == {"output": "echo"}
    query = 'mutation { mlflowSearchDatasets(input: {experimentIds: ["0"]}) { datasetSummaries { name digest } } }'
    assert _data(wire, query)["mlflowSearchDatasets"]["datasetSummaries"] == [{"name": "d", "digest": "1"}]


def test_what_is_not_there_stands_in_errors(wire: Wire) -> None:
    nobodys = uuid4().hex
    told = _asked(wire, RUN, input={"runId": nobodys})
    assert told == {"data": {"mlflowGetRun": None}, "errors": [f"Run with id={nobodys} not found"]}
    told = _asked(wire, "{ mlflowGetRun(input: {}) { run { info { runId } } } }")
    assert "Missing value for required parameter 'run_id'" in told["errors"][0]
    assert "Cannot query field 'nothing'" in _asked(wire, "{ nothing }")["errors"][0]


_ROUND = 'fragment F on Query { ...F } query { ...F test(inputString: "a") { output } }'


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ " + " ".join(f'a{n}: test(inputString: "a") {{ output }}' for n in range(11)) + " }", "10 root fields"),
        ('{ test(inputString: "a") { ' + " ".join(f"a{n}: output" for n in range(11)) + " } }", "10 aliases"),
        ("{ a " * 11 + "}" * 11, "maximum depth of 10"),
        ("{ test { " + "output " * 1_001 + "} }", "total selections of 1000"),
        (_ROUND, "Cannot spread fragment 'F' within itself"),
    ],
    ids=["questions", "aliases", "depth", "fields", "a fragment of itself"],
)
def test_a_document_has_bounds(wire: Wire, query: str, words: str) -> None:
    told = _asked(wire, query)
    assert told["data"] is None
    assert words in told["errors"][0]


@pytest.mark.parametrize("query", ["{ a", "{" + "a: b " * 10_000 + "}", "{" * 3_900, ""])
def test_what_is_no_document_is_refused(wire: Wire, query: str) -> None:
    answer = wire.http.post("/graphql", json={"query": query})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_an_answer_has_a_bound(wire: Wire) -> None:
    run = wire.new_run()
    metrics = [{"key": "m", "value": 1, "timestamp": 1, "step": step} for step in range(1_000)]
    for part in range(3):
        moved = [{**metric, "step": metric["step"] + 1_000 * part} for metric in metrics]
        wire.post("runs/log-batch", run_id=run, metrics=moved)
    fields = " ".join(
        f'a{n}: mlflowGetMetricHistoryBulkInterval(input: {{runIds: ["{run}"], metricKey: "m", maxResults: 2500}}) '
        "{ metrics { step } }"
        for n in range(9)
    )
    assert "more than 20000 rows" in _asked(wire, "{" + fields + "}")["errors"][0]
