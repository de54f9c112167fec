"""The traces of a run: the list, the tree of spans, what a span says; and no tab where there are none."""

import secrets
from typing import Any

import httpx
from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site

START = 1_780_000_000_000_000_000
MS = 1_000_000


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _span(uid: str, parent: str, name: str, start_ms: int, end_ms: int, **more: Any) -> dict[str, Any]:
    times = {"startTimeUnixNano": str(START + start_ms * MS), "endTimeUnixNano": str(START + end_ms * MS)}
    return {"spanId": uid * 16, "name": name, **times, **({"parentSpanId": parent * 16} if parent else {}), **more}


ANSWERING = [
    _span(
        "a",
        "",
        "answer",
        0,
        2_400,
        attributes=[
            _text("mlflow.spanInputs", '{"question": "how deep?"}'),
            _text("mlflow.spanOutputs", '"<b>deep</b>"'),
        ],
        status={"code": 1},
    ),
    _span("b", "a", "search", 20, 640, attributes=[_text("mlflow.spanType", '"RETRIEVER"')]),
    _span("c", "b", "embed", 30, 90),
    _span(
        "d",
        "a",
        "generate",
        700,
        2_300,
        attributes=[_text("model", "small")],
        status={"code": 2, "message": "the model is out of words"},
    ),
]


def _send(site: Site, experiment: dict[str, Any], run: str, name: str, spans: list[dict[str, Any]]) -> None:
    number = str(experiment["number"])
    otel = secrets.token_hex(16)
    with httpx.Client(base_url=site.base_url) as client:
        told = {
            "trace_id": f"tr-{otel}",
            "trace_location": {"mlflow_experiment": {"experiment_id": number}},
            "trace_metadata": {"mlflow.sourceRun": run},
            "tags": {"mlflow.traceName": name},
            "request_time": "2026-06-01T10:00:00Z",
            "execution_duration": "2.4s",
            "state": "OK",
            "assessments": [{"assessment_name": "helpful", "feedback": {"value": True}}],
        }
        client.post("/api/3.0/mlflow/traces", json={"trace": {"trace_info": told}}).raise_for_status()
        whole = [{**span, "traceId": otel} for span in spans]
        body = {"resourceSpans": [{"scopeSpans": [{"spans": whole}]}]}
        client.post("/v1/traces", json=body, headers={"x-mlflow-experiment-id": number}).raise_for_status()


def test_the_spans_of_a_run_are_a_tree(site: Site, site_api: httpx.Client, begin: Begin) -> None:
    experiment = site_api.post("/experiments", json={"name": "an agent"}).raise_for_status().json()
    body = {"experiment_id": experiment["id"], "name": "agent-1"}
    run = site_api.post("/experiments/runs", json=body).raise_for_status().json()["id"]
    site_api.post(f"/experiments/runs/{run}/end", json={}).raise_for_status()
    _send(site, experiment, run, "first", [_span("a", "", "alone", 0, 1)])
    _send(site, experiment, run, "answering", ANSWERING)
    try:
        for theme in ("light", "dark"):
            visit = begin(theme=theme).open(f"/r/{run}")
            visit.page.get_by_role("link", name="Traces").click()
            visit.page.get_by_role("navigation", name="Traces").get_by_role("button", name="answering").click()
            spans = visit.page.get_by_role("treeitem")
            expect(spans).to_have_count(4)
            levels = spans.evaluate_all("(all) => all.map((one) => one.getAttribute('aria-level'))")
            assert levels == ["1", "2", "3", "2"]
            expect(spans).to_contain_text(
                ["answer2.40 s", "searchretriever620 ms", "embed60.0 ms", "generatefailed1.60 s"]
            )
            detail = visit.page.get_by_role("region", name="Span answer")
            expect(detail).to_contain_text('"question": "how deep?"')
            expect(detail).to_contain_text("<b>deep</b>")
            expect(visit.page.get_by_role("list", name="Assessments")).to_have_text("helpful true")
            visit.page.get_by_role("tree", name="Spans").focus()
            visit.page.keyboard.press("ArrowDown")
            visit.page.keyboard.press("ArrowLeft")
            expect(spans).to_have_count(3)
            expect(spans.nth(1)).to_have_attribute("aria-expanded", "false")
            visit.page.keyboard.press("ArrowRight")
            expect(spans).to_have_count(4)
            visit.page.keyboard.press("End")
            expect(visit.page.get_by_role("region", name="Span generate")).to_contain_text("the model is out of words")
            assert visit.accessibility_problems() == []
            visit.picture("run-traces")
            address = visit.page.url
            assert visit.query()["tr"].startswith("tr-")
            visit.page.goto("about:blank")
            visit.page.goto(address)
            expect(visit.page.get_by_role("heading", name="answering")).to_be_visible()
    finally:
        site_api.delete(f"/experiments/{experiment['id']}").raise_for_status()


def test_a_run_without_traces_has_no_tab_for_them(site: Site, begin: Begin) -> None:
    visit = begin().open(f"/r/{next(iter(site.runs.values()))}")
    tabs = visit.page.get_by_role("navigation", name="Views of the run")
    expect(tabs.get_by_role("link", name="Notes")).to_be_visible()
    visit.page.wait_for_load_state("networkidle")
    expect(tabs.get_by_role("link", name="Traces")).to_have_count(0)
