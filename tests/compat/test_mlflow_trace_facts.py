"""What spans alone say of their trace: when it ran, how it ended, what went in, what it took."""

import json
from typing import Any

import pytest

from tests.compat.trace_wire import UID, export, info_of, put, span
from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess


@pytest.fixture(autouse=True)
def default_experiment(wire: Wire) -> None:
    wire.get("experiments/get", experiment_id="0")


def test_spans_alone_make_a_trace(wire: Wire) -> None:
    usage = {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}}
    export(wire, span("b", parent="a", start=2_000_000, attributes=[usage]))
    assert info_of(wire)["state"] == "IN_PROGRESS"
    inputs = {
        "key": "mlflow.spanInputs",
        "value": {"kvlistValue": {"values": [{"key": "q", "value": {"intValue": 1}}]}},
    }
    export(wire, span("a", start=1_000_000, attributes=[inputs], status={"code": 2, "message": "no"}))
    info = info_of(wire)
    assert (info["state"], info["request_time"], info["execution_duration"]) == (
        "ERROR",
        "1970-01-01T00:00:00.001Z",
        "0.006s",
    )
    assert info["request_preview"] == '{"q":1}'
    assert info["tags"]["service.name"] == "agent"
    assert info["trace_metadata"]["mlflow.trace.tokenUsage"] == '{"input_tokens":12,"total_tokens":12}'


def _tokens(count: int, name: str = "gen_ai.usage.input_tokens") -> list[dict[str, Any]]:
    return [{"key": name, "value": {"intValue": count}}]


def test_tokens_are_summed_over_all_exports(wire: Wire) -> None:
    def told() -> str:
        usage: str = info_of(wire)["trace_metadata"]["mlflow.trace.tokenUsage"]
        return usage

    export(wire, span("b", parent="a", attributes=_tokens(12)))
    export(wire, span("c", parent="a", attributes=_tokens(30)))
    assert told() == '{"input_tokens":42,"total_tokens":42}'
    export(wire, span("c", parent="a", attributes=_tokens(5)))  # again, and better known
    assert told() == '{"input_tokens":17,"total_tokens":17}'
    export(wire, span("a"))
    assert told() == '{"input_tokens":17,"total_tokens":17}'
    total = {"key": "mlflow.chat.tokenUsage", "value": {"stringValue": '{"input_tokens": 20, "total_tokens": 21}'}}
    export(wire, span("a", attributes=[total]))  # the root speaks for what is below it
    assert told() == '{"input_tokens":20,"total_tokens":21}'


def test_a_span_between_two_that_tell_their_tokens_may_come_last(wire: Wire) -> None:
    export(wire, span("c", parent="b", attributes=_tokens(1)))
    export(wire, span("a", attributes=_tokens(5)))
    assert info_of(wire)["trace_metadata"]["mlflow.trace.tokenUsage"] == '{"input_tokens":6,"total_tokens":6}'
    export(wire, span("b", parent="a"))
    assert info_of(wire)["trace_metadata"]["mlflow.trace.tokenUsage"] == '{"input_tokens":5,"total_tokens":5}'


def test_spans_sent_again_without_tokens_tell_none(wire: Wire) -> None:
    export(wire, span("a", attributes=_tokens(5)))
    export(wire, span("a"))
    assert "mlflow.trace.tokenUsage" not in info_of(wire).get("trace_metadata", {})


def test_tokens_that_the_client_summed_up_stand(wire: Wire) -> None:
    put(wire, trace_metadata={"mlflow.trace.tokenUsage": '{"total_tokens": 1}'})
    cost = {"key": "mlflow.llm.cost", "value": {"stringValue": '{"total_cost": 0.25, "input_cost": "x"}'}}
    export(wire, span("a", attributes=[*_tokens(12), cost]))
    metadata = info_of(wire)["trace_metadata"]
    assert metadata["mlflow.trace.tokenUsage"] == '{"total_tokens": 1}'
    assert metadata["mlflow.trace.cost"] == '{"total_cost":0.25}'


@pytest.mark.parametrize(
    "value", [{"intValue": -5}, {"boolValue": True}, {"doubleValue": "NaN"}, {"stringValue": "nine"}]
)
def test_tokens_that_are_no_count_are_not_summed(wire: Wire, value: dict[str, Any]) -> None:
    export(wire, span("a", attributes=[{"key": "gen_ai.usage.input_tokens", "value": value}]))
    assert "mlflow.trace.tokenUsage" not in info_of(wire).get("trace_metadata", {})


def test_a_root_sent_again_tells_how_the_trace_ended(wire: Wire) -> None:
    export(wire, span("a"))
    assert info_of(wire)["state"] == "OK"
    export(wire, span("a", status={"code": 2}))
    assert info_of(wire)["state"] == "ERROR"
    put(wire, state="OK")
    export(wire, span("a", status={"code": 2}))
    assert info_of(wire)["state"] == "OK"


def test_a_span_that_ends_before_it_begins_took_no_time(wire: Wire, server: ServerProcess, tenant: str) -> None:
    export(wire, {**span("a", start=9_000_000), "endTimeUnixNano": "2000000"})
    assert (info_of(wire)["request_time"], info_of(wire)["execution_duration"]) == ("1970-01-01T00:00:00.009Z", "0s")
    with server.client(tenant) as native:
        assert [span["duration_ns"] for span in native.get(f"/traces/{UID}").json()["spans"]] == [0]


def test_a_parent_of_zeros_is_none(wire: Wire) -> None:
    export(wire, span("a", parent="0"))
    assert info_of(wire)["state"] == "OK"


@pytest.mark.parametrize(
    ("names", "total"),
    [
        (("gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens"), "cache_read_input_tokens"),
        (("gen_ai.usage.prompt_tokens", "gen_ai.usage.cache_creation.input_tokens"), "cache_creation_input_tokens"),
        (("llm.token_count.prompt", "llm.token_count.prompt_details.cache_write"), "cache_creation_input_tokens"),
        (("usage.prompt_tokens", "usage.completion_tokens"), "output_tokens"),
    ],
)
def test_tokens_by_the_names_of_many_libraries(wire: Wire, names: tuple[str, str], total: str) -> None:
    """As text, too."""
    first, second = names
    attributes = [{"key": first, "value": {"intValue": 5}}, {"key": second, "value": {"stringValue": "3"}}]
    export(wire, span("a", attributes=attributes))
    whole = 8 if total == "output_tokens" else 5
    usage = json.loads(info_of(wire)["trace_metadata"]["mlflow.trace.tokenUsage"])
    assert usage == {"input_tokens": 5, "total_tokens": whole, total: 3}


@pytest.mark.parametrize(
    ("request_name", "response_name"),
    [
        ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
        ("traceloop.entity.input", "traceloop.entity.output"),
        ("gen_ai.prompt.0.content", "gen_ai.completion.0.content"),
        ("gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"),
        ("ai.prompt", "ai.response.text"),
        ("agent.messages", "output"),
        ("lk.user_input", "lk.response.text"),
        ("lmnr.span.input", "lmnr.span.output"),
        ("langfuse.observation.input", "langfuse.observation.output"),
    ],
)
def test_previews_by_the_names_of_many_libraries(wire: Wire, request_name: str, response_name: str) -> None:
    told = {"input.value": "", "output.value": "{}", request_name: "why?", response_name: '{"a": 1}'}
    export(wire, span("a", attributes=[{"key": key, "value": {"stringValue": told[key]}} for key in told]))
    assert (info_of(wire)["request_preview"], info_of(wire)["response_preview"]) == ("why?", '{"a": 1}')


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (("gen_ai.content.prompt", "gen_ai.prompt"), ("gen_ai.content.completion", "gen_ai.completion")),
        (("gen_ai.user.message", "content"), ("gen_ai.choice", "content")),
    ],
)
def test_previews_of_events(wire: Wire, asked: tuple[str, str], answered: tuple[str, str]) -> None:
    events = [
        {"name": name, "timeUnixNano": "5", "attributes": [{"key": key, "value": {"stringValue": text}}]}
        for (name, key), text in ((("other", "content"), "no"), (asked, "why?"), (answered, "so"))
    ]
    export(wire, span("a", events=events))
    assert (info_of(wire)["request_preview"], info_of(wire)["response_preview"]) == ("why?", "so")


CHAT = '{"messages": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "well"}]}'


@pytest.mark.parametrize(
    ("name", "value", "field", "shown"),
    [
        ("mlflow.spanInputs", CHAT, "request_preview", "why?"),
        ("input.value", '[{"role": "user", "content": [{"type": "text", "text": "ü"}]}]', "request_preview", "ü"),
        (
            "gen_ai.input.messages",
            '[{"role": "user", "parts": [{"type": "text", "content": "how?"}]}, {"role": "tool", "parts": []}]',
            "request_preview",
            "how?",
        ),
        (
            "mlflow.spanOutputs",
            '{"choices": [{"message": {"role": "assistant", "content": "so"}}]}',
            "response_preview",
            "so",
        ),
        ("output.value", '{"output": [{"role": "assistant", "content": ["a", "b"]}]}', "response_preview", "a"),
        ("mlflow.spanOutputs", '{"choices": []}', "response_preview", '{"choices": []}'),
        ("mlflow.spanOutputs", "[broken", "response_preview", "[broken"),
        ("mlflow.spanInputs", '{"messages": [{"role": "user", "content": ""}]}', "request_preview", None),
        ("mlflow.spanInputs", "x" * 1_200, "request_preview", "x" * 997 + "..."),
    ],
)
def test_previews_are_the_words_of_a_chat(wire: Wire, name: str, value: str, field: str, shown: str | None) -> None:
    export(wire, span("a", attributes=[{"key": name, "value": {"stringValue": value}}]))
    assert info_of(wire)[field] == (value if shown is None else shown)
