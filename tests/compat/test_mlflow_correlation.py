"""How strongly two filters of traces go together, as MLflow's clients ask for it."""

from typing import Any

import pytest

from gnomon_server.model.trace_counts import TraceCounts
from tests.compat.wire_client import Wire

PATH = "/api/3.0/mlflow/traces/calculate-filter-correlation"


@pytest.fixture
def experiment(wire: Wire) -> str:
    """Ten traces: six of `prod`, all by a tool; four of `dev`, of which one is by a tool."""
    made: str = wire.post("experiments/create", name="correlated")["experiment_id"]
    for number in range(10):
        tags = {"env": "prod" if number < 6 else "dev", "by": "tool" if number < 7 else "model"}
        place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": made}}
        info = {"trace_id": f"tr-{number}", "trace_location": place, "request_time": "2026-01-01T00:00:00Z"}
        sent = {"trace": {"trace_info": {**info, "state": "OK", "tags": tags}}}
        assert wire.http.post("/api/3.0/mlflow/traces", json=sent).status_code == 200
    return made


def _asked(wire: Wire, experiment: str, first: str, second: str, base: str = "") -> dict[str, Any]:
    body = {"experiment_ids": [experiment], "filter_string1": first, "filter_string2": second, "base_filter": base}
    answer = wire.http.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _counts(found: dict[str, Any]) -> tuple[int, int, int, int]:
    return found["total_count"], found["filter1_count"], found["filter2_count"], found["joint_count"]


def test_two_filters_are_counted_alone_and_together(wire: Wire, experiment: str) -> None:
    found = _asked(wire, experiment, "tags.env = 'prod'", "tags.by = 'tool'")
    assert _counts(found) == (10, 6, 7, 6)
    assert found["npmi"] == pytest.approx(0.6982, abs=1e-4)
    assert 0 < found["npmi_smoothed"] < found["npmi"]


def test_what_never_goes_together_is_minus_one(wire: Wire, experiment: str) -> None:
    found = _asked(wire, experiment, "tags.env = 'prod'", "tags.by = 'model'")
    assert (_counts(found), found["npmi"]) == ((10, 6, 3, 0), -1.0)


def test_nothing_is_said_of_a_filter_that_matches_nothing(wire: Wire, experiment: str) -> None:
    found = _asked(wire, experiment, "tags.env = 'staging'", "tags.by = 'tool'")
    assert found == {"total_count": 10, "filter1_count": 0, "filter2_count": 7, "joint_count": 0}


def test_a_third_filter_says_what_is_counted_at_all(wire: Wire, experiment: str) -> None:
    found = _asked(wire, experiment, "tags.by = 'tool'", "tags.by = 'model'", base="tags.env = 'dev'")
    assert _counts(found) == (4, 1, 3, 0)


def test_other_experiments_and_tenants_are_not_counted(wire: Wire, experiment: str) -> None:
    other = wire.post("experiments/create", name="other")["experiment_id"]
    assert _counts(_asked(wire, other, "tags.env = 'prod'", "tags.by = 'tool'")) == (0, 0, 0, 0)
    assert _counts(_asked(wire, "99", "tags.env = 'prod'", "tags.by = 'tool'")) == (0, 0, 0, 0)


def test_filters_of_spans_may_be_met_by_different_spans(wire: Wire) -> None:
    experiment = wire.post("experiments/create", name="of-spans")["experiment_id"]
    spans = [
        {
            "traceId": "ab" * 16,
            "spanId": f"{number:016x}",
            "name": name,
            "startTimeUnixNano": "1",
            "endTimeUnixNano": "2",
        }
        for number, name in enumerate(("plan", "call"), 1)
    ]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    assert wire.http.post("/v1/traces", json=body, headers={"x-mlflow-experiment-id": experiment}).status_code == 200
    found = _asked(wire, experiment, "span.name = 'plan'", "span.name = 'call'")
    assert (_counts(found), found["npmi"]) == ((1, 1, 1, 1), 1.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"filter_string1": "invalid.filter = 'x'"}, "Invalid entity type 'invalid'"),
        ({"filter_string2": ""}, "Missing value for required parameter 'filter_string2'"),
        ({"experiment_ids": []}, "Missing value for required parameter 'experiment_ids'"),
        ({"experiment_ids": "0"}, "Invalid value"),
    ],
)
def test_what_is_refused(wire: Wire, experiment: str, change: dict[str, Any], says: str) -> None:
    body = {"experiment_ids": [experiment], "filter_string1": "name = 'a'", "filter_string2": "name = 'b'", **change}
    answer = wire.http.post(PATH, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    ("counts", "npmi", "smoothed"),
    [
        (TraceCounts(10, 6, 7, 6), 0.6982, 0.5405),
        (TraceCounts(10, 4, 3, 3), 0.7611, 0.6022),
        (TraceCounts(10, 4, 6, 0), -1.0, -0.5549),
        (TraceCounts(10, 10, 10, 10), 1.0, 1.0),
        (TraceCounts(0, 0, 0, 0), None, None),
    ],
)
def test_the_number(counts: TraceCounts, npmi: float | None, smoothed: float | None) -> None:
    """The figures are those of MLflow's own function."""
    assert counts.npmi == (None if npmi is None else pytest.approx(npmi, abs=1e-4))
    assert counts.npmi_smoothed == (None if smoothed is None else pytest.approx(smoothed, abs=1e-4))
