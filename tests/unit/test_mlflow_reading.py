"""Protobuf's JSON, read leniently but never into something that was not sent."""

import math

import pytest

from gnomon_server.api.mlflow import wire
from gnomon_server.api.mlflow.paging import offset_of, token_at
from gnomon_server.api.mlflow.reading import read_body, read_query, word_of
from gnomon_server.model.errors import InvalidRequest

WORDS = {"ONE": 1, "TWO": 2}


@pytest.mark.parametrize(
    "body",
    [
        b'{"run_id": "r", "key": "k", "value": 1.5, "timestamp": 7, "step": 2}',
        b'{"runId": "r", "key": "k", "value": "1.5", "timestamp": "7", "step": "2"}',
        b'{"run_id": "r", "key": "k", "value": 1.5, "timestamp": 7.0, "step": 2, "model_id": null, "other": [1]}',
        b'"{\\"run_id\\": \\"r\\", \\"key\\": \\"k\\", \\"value\\": 1.5, \\"timestamp\\": 7, \\"step\\": 2}"',
    ],
)
def test_one_message_in_many_spellings(body: bytes) -> None:
    assert read_body(body, wire.LogMetric) == wire.LogMetric(run_id="r", key="k", value=1.5, timestamp=7, step=2)


@pytest.mark.parametrize(
    ("text", "value"), [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), ("inf", math.inf)]
)
def test_quoted_values_that_are_not_finite(text: str, value: float) -> None:
    body = f'{{"run_id": "r", "key": "k", "value": "{text}", "timestamp": 1}}'.encode()
    assert str(read_body(body, wire.LogMetric).value) == str(value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"{",
        b"\xff",
        b'"not json"',
        b"[" * 100_000,
        b'{"run_id": "r", "key": "k", "value": NaN, "timestamp": 1}',
        b'{"run_id": "r", "key": "k", "value": true, "timestamp": 1}',
        b'{"run_id": "r", "key": "k", "value": 1, "timestamp": 1.5}',
        b'{"run_id": "r", "key": "k", "value": 1, "timestamp": "x"}',
        b'{"run_id": 4, "key": "k", "value": 1, "timestamp": 1}',
        b'{"run_id": "", "key": "k", "value": 1, "timestamp": 1}',
        b'{"run_id": "r", "runId": "r", "key": "k", "value": 1, "timestamp": 1}',
    ],
)
def test_what_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_body(body, wire.LogMetric)


def test_the_wrong_field_is_named_with_its_value() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_body(b'{"run_id": "r", "metrics": [{"key": "k", "value": {"a": 1}}]}', wire.LogBatch)
    assert refused.value.detail.startswith("Invalid value {\"a\":1} for parameter 'metrics[0].value' supplied: ")


def test_queries_gather_lists() -> None:
    asked = read_query(
        [("runIds", "a"), ("run_ids", "b"), ("metric_key", "m"), ("max_results", "5")], wire.HistoryInterval
    )
    assert (asked.run_ids, asked.max_results) == (["a", "b"], 5)


def test_enums_by_name_and_number() -> None:
    assert [word_of(value, WORDS, field="f") for value in ("TWO", 2, "2")] == ["TWO"] * 3
    for wrong in ("two", 3, "", "3", -1):
        with pytest.raises(InvalidRequest):
            word_of(wrong, WORDS, field="f")


def test_tokens_come_back_as_they_went() -> None:
    assert offset_of(token_at(7, total=8)) == 7
    assert token_at(8, total=8) == ""
    assert offset_of("") == 0
    for wrong in ("!", "e30=", "eyJvZmZzZXQiOiAtMX0=", "YWJj"):
        with pytest.raises(InvalidRequest):
            offset_of(wrong)
