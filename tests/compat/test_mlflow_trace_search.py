"""Finding traces as MLflow's server does where that is not what one would guess."""

from typing import Any

from tests.compat.wire_client import Wire

SESSION = "mlflow.trace.session"


def _start(wire: Wire, uid: str, experiment: str, time: str, *, session: str = "") -> None:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    info = {
        "trace_id": uid,
        "trace_location": place,
        "request_time": time,
        "state": "OK",
        "trace_metadata": {SESSION: session} if session else {},
    }
    answer = wire.http.post("/api/3.0/mlflow/traces", json={"trace": {"trace_info": info}})
    assert answer.status_code == 200, answer.text


def _judge(wire: Wire, trace: str, value: Any, **metadata: str) -> None:
    said = {
        "assessment_name": "score",
        "trace_id": trace,
        "source": {"source_type": "HUMAN", "source_id": "ada"},
        "feedback": {"value": value},
        "metadata": metadata,
    }
    answer = wire.http.post(f"/api/3.0/mlflow/traces/{trace}/assessments", json={"assessment": said})
    assert answer.status_code == 200, answer.text


def _found(wire: Wire, experiments: list[str], **asked: Any) -> list[str]:
    places = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": one}} for one in experiments]
    answer = wire.http.post("/api/3.0/mlflow/traces/search", json={"locations": places, "max_results": 9, **asked})
    assert answer.status_code == 200, answer.text
    return [one["trace_id"] for one in answer.json().get("traces", [])]


def test_true_and_false_are_no_numbers(wire: Wire) -> None:
    for uid, value in (("tr-two", 2), ("tr-half", 3.5), ("tr-yes", True), ("tr-word", "high")):
        _start(wire, uid, "0", "2026-01-01T00:00:00Z")
        _judge(wire, uid, value)
    assert set(_found(wire, ["0"], filter="feedback.score > 0")) == {"tr-two", "tr-half"}
    assert _found(wire, ["0"], filter="feedback.score <= 2") == ["tr-two"]
    assert _found(wire, ["0"], filter="feedback.score = 'true'") == ["tr-yes"]


def test_what_is_said_of_a_session_is_said_of_its_traces(wire: Wire) -> None:
    other = wire.post("experiments/create", name="other")["experiment_id"]
    for uid, session, experiment in (
        ("tr-a1", "a", "0"),
        ("tr-a2", "a", "0"),
        ("tr-b1", "b", "0"),
        ("tr-b2", "b", "0"),
        ("tr-alone", "", "0"),
        ("tr-b3", "b", other),
    ):
        _start(wire, uid, experiment, "2026-01-01T00:00:00Z", session=session)
    _judge(wire, "tr-a1", "good", **{SESSION: "a"})
    _judge(wire, "tr-b1", "bad")
    _judge(wire, "tr-b3", "good", **{SESSION: "b"})
    assert _found(wire, ["0"], filter="feedback.score = 'good'") == ["tr-a1", "tr-a2"]
    assert _found(wire, ["0"], filter="feedback.score = 'bad'") == ["tr-b1"]
    assert _found(wire, ["0"], filter="feedback.score IS NOT NULL") == ["tr-a1", "tr-a2", "tr-b1"]
    assert _found(wire, ["0"], filter="feedback.score IS NULL") == ["tr-alone", "tr-b2"]
    assert _found(wire, ["0", other], filter="feedback.score = 'good' AND metadata.`mlflow.trace.session` = 'b'") == [
        "tr-b1",
        "tr-b2",
        "tr-b3",
    ]


def test_ordered_by_experiment(wire: Wire) -> None:
    first, second = (wire.post("experiments/create", name=name)["experiment_id"] for name in ("first", "second"))
    for uid, experiment, time in (("tr-b", second, "01"), ("tr-a", first, "02"), ("tr-c", first, "03")):
        _start(wire, uid, experiment, f"2026-01-01T00:00:{time}Z")
    assert _found(wire, [second, first], order_by=["experiment_id"]) == ["tr-c", "tr-a", "tr-b"]
    assert _found(wire, [second, first], order_by=["experiment_id DESC"]) == ["tr-b", "tr-c", "tr-a"]


def test_what_is_not_there_is_named_as_mlflow_names_it(wire: Wire) -> None:
    missing: list[tuple[str, str, dict[str, Any], str]] = [
        ("GET", "get", {"params": {"trace_id": "nope"}}, "Trace with ID nope is not found."),
        ("DELETE", "nope/tags", {"json": {"key": "k"}}, "No trace tag with key 'k' for trace with ID 'nope'"),
        ("GET", "nope", {}, "Trace with ID 'nope' not found."),
    ]
    for method, path, sent, says in missing:
        answer = wire.http.request(method, f"/api/3.0/mlflow/traces/{path}", **sent)
        assert (answer.status_code, answer.json()["message"]) == (404, says)
