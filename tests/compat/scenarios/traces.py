"""Traces: made by decorators and by hand, read back, found, judged, tagged, linked and removed."""

import contextlib
import json

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Feedback, SpanEvent

client = MlflowClient()
found: dict[str, object] = {}
experiment = mlflow.set_experiment("agents")


@mlflow.trace(span_type="TOOL", attributes={"depth": 1, "nested": {"a": [1, 2.5, None, True]}})
def look_up(question: str) -> dict[str, object]:
    with mlflow.start_span("model") as span:
        span.set_inputs({"prompt": question})
        span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
        span.add_event(SpanEvent("token", attributes={"text": "ü"}))
        span.set_outputs("42")
    return {"answer": 42}


@mlflow.trace
def answer(question: str) -> dict[str, object]:
    mlflow.update_current_trace(tags={"fruit": "apple"}, client_request_id="request-1")
    return look_up(question)


@mlflow.trace
def fail() -> None:
    raise ValueError("no")


answer("why?")
first = mlflow.get_last_active_trace_id()
with mlflow.start_run() as run:
    answer("how?")
second = mlflow.get_last_active_trace_id()
with contextlib.suppress(ValueError):
    fail()
third = mlflow.get_last_active_trace_id()
mlflow.flush_trace_async_logging()

trace = client.get_trace(first)
spans = trace.data.spans
names = {span.span_id: span.name for span in spans}
found["state"] = [str(trace.info.state), trace.info.client_request_id, trace.info.tags["fruit"]]
found["previews"] = [json.loads(trace.info.request_preview), json.loads(trace.info.response_preview)]
found["tree"] = [[span.name, span.span_type, names.get(span.parent_id)] for span in spans]
found["nested"] = spans[1].attributes["nested"]
found["event"] = [[event.name, event.attributes] for event in spans[2].events]
found["outputs"] = [spans[2].outputs, spans[0].outputs]
found["tokens"] = trace.info.token_usage

errors = [mlflow.get_trace(third).data.spans[0]]
found["error"] = [str(client.get_trace(third).info.state), errors[0].status.status_code, len(errors[0].events)]


def search(filter_string: str = "", **options: object) -> list[str]:
    traces = mlflow.search_traces(
        locations=[experiment.experiment_id], filter_string=filter_string, return_type="list", **options
    )
    return [{first: "first", second: "second", third: "third"}[one.info.trace_id] for one in traces]


found["searches"] = {
    text: search(text)
    for text in (
        "",
        "trace.status = 'ERROR'",
        "tags.fruit = 'apple'",
        "tags.fruit IS NULL",
        "name = 'answer'",
        "name LIKE 'fa%'",
        f"run_id = '{run.info.run_id}'".replace(run.info.run_id, run.info.run_id),
        "client_request_id = 'request-1'",
        "timestamp > 0 AND execution_time >= 0",
        "span.name = 'model' AND span.status = 'OK'",
        "span.type = 'TOOL'",
        "span.content LIKE '%how?%'",
        "trace.text LIKE '%how?%'",
        "span.attributes.depth LIKE '%1%'",
    )
}
found["searches"] = {key.replace(run.info.run_id, "RUN"): value for key, value in found["searches"].items()}
found["ordered"] = search(order_by=["timestamp ASC"])
found["paged"] = search(max_results=2)
found["by_run"] = [
    one.info.trace_id == second for one in mlflow.search_traces(run_id=run.info.run_id, return_type="list")
]

good = mlflow.log_feedback(trace_id=first, name="good", value=True, rationale="because", metadata={"a": "1"})
mlflow.log_expectation(trace_id=first, name="wanted", value={"x": [1]})
mlflow.update_assessment(first, good.assessment_id, Feedback(name="good", value=0.5))
mlflow.override_feedback(trace_id=first, assessment_id=good.assessment_id, value=3.0)
judged = client.get_trace(first).info.assessments
found["assessments"] = [[one.name, one.value, one.rationale, one.valid] for one in judged]
found["judged"] = {
    text: search(text)
    for text in ("feedback.good >= 3", "feedback.good > 3", "feedback.good IS NOT NULL", "expectation.none IS NOT NULL")
}
for one in judged:
    if one.name == "wanted":
        mlflow.delete_assessment(first, one.assessment_id)
found["left"] = len(client.get_trace(first).info.assessments)

mlflow.set_trace_tag(first, "k", "v")
found["tagged"] = client.get_trace(first).info.tags["k"]
mlflow.delete_trace_tag(first, "k")
found["untagged"] = "k" in client.get_trace(first).info.tags

found["deleted"] = client.delete_traces(experiment.experiment_id, trace_ids=[first])
found["gone"] = search()
print(json.dumps(found))
