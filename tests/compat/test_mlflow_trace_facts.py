"""What spans alone say of their trace: when it ran, how it ended, what went in, what it took."""

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


@pytest.mark.parametrize("value", [{"intValue": -5}, {"boolValue": True}, {"doubleValue": "NaN"}, {"stringValue": "9"}])
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
