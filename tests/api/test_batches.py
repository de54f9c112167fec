"""Batches with an identity: exactly once, whatever the sender does."""

from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from tests.support.problems import assert_problem


def batch(seq: int, n: int = 3, **extra: Any) -> dict[str, Any]:
    points = {
        "keys": ["loss", "acc"],
        "key": [i % 2 for i in range(n)],
        "step": [seq * n + i for i in range(n)],
        "timestamp": [1000 + i for i in range(n)],
        "value": [float(i) for i in range(n)],
    }
    return {"writer": "w1", "seq": seq, "points": points, **extra}


def send(api: httpx.Client, run: str, body: dict[str, Any]) -> httpx.Response:
    return api.post(f"/experiments/runs/{run}/batches", json=body)


def totals(api: httpx.Client, run: str) -> dict[str, int]:
    found = api.get(f"/experiments/runs/{run}/history").json()["series"]
    return {series["key"]: series["total"] for series in found}


def test_a_batch_sent_again_is_kept_once(api: httpx.Client, run: str) -> None:
    first = send(api, run, batch(0, params={"lr": "0.1"}, tags={"team": "risk"}))
    assert first.status_code == 200
    assert first.json() == {
        "run_id": run,
        "writer": "w1",
        "seq": 0,
        "duplicate": False,
        "metrics": 3,
        "params": 1,
        "tags": 1,
    }
    for _ in range(3):
        again = send(api, run, batch(0, params={"lr": "0.1"}, tags={"team": "risk"}))
        assert again.json() == {**first.json(), "duplicate": True}
    assert totals(api, run) == {"acc": 1, "loss": 2}
    (writer,) = api.get(f"/experiments/runs/{run}/ledger").json()["writers"]
    assert (writer["last_seq"], writer["points"], writer["duplicates_dropped"]) == (0, 3, 3)


def test_equal_points_of_two_batches_are_two_points(api: httpx.Client, run: str) -> None:
    for seq in range(2):
        send(api, run, {**batch(0), "seq": seq})
    assert totals(api, run) == {"acc": 2, "loss": 4}


def test_a_gap_is_refused_with_the_expected_sequence(api: httpx.Client, run: str) -> None:
    send(api, run, batch(0))
    refused = send(api, run, batch(2))
    assert_problem(refused, 409, "sequence_gap")
    assert refused.json()["expected_seq"] == 1
    assert send(api, run, batch(1)).status_code == 200
    assert send(api, run, batch(2)).status_code == 200
    assert send(api, run, {**batch(0), "writer": "w2"}).json()["duplicate"] is False


def test_a_conflicting_param_refuses_the_whole_batch_and_its_place(api: httpx.Client, run: str) -> None:
    send(api, run, batch(0, params={"lr": "0.1"}))
    assert_problem(send(api, run, batch(1, params={"lr": "0.2"})), 400, "param_conflict")
    assert totals(api, run) == {"acc": 1, "loss": 2}
    assert send(api, run, batch(1)).json()["duplicate"] is False


def test_msgpack_takes_raw_columns_exactly(api: httpx.Client, run: str) -> None:
    value = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324])
    body = {
        "writer": "w",
        "seq": 0,
        "points": {
            "keys": ["v"],
            "key": np.zeros(5, "<u4").tobytes(),
            "step": np.array([0, 0.5, 1, 2, 3], "<f8").tobytes(),
            "timestamp": np.arange(5, dtype="<i8").tobytes(),
            "value": value.astype("<f8").tobytes(),
        },
    }
    answer = api.post(
        f"/experiments/runs/{run}/batches",
        content=msgspec.msgpack.encode(body),
        headers={"Content-Type": "application/msgpack"},
    )
    assert answer.status_code == 200, answer.text
    (series,) = api.get(f"/experiments/runs/{run}/history").json()["series"]
    assert series["value"] == ["NaN", "Infinity", "-Infinity", -0.0, 5e-324]
    assert series["step"] == [0, 0.5, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": [0, 1, 2]}, "points.key"),
        ({"key": [0]}, "points.key"),
        ({"key": [-1, 0, 0]}, "points.key"),
        ({"step": [1, 2]}, "points.step"),
        ({"step": [1, 2, 2**53 + 2]}, "points.step"),
        ({"timestamp": [1, 2, -3]}, "points.timestamp"),
        ({"timestamp": [1, 2, 2**70]}, "points.timestamp"),
        ({"value": [1, 2, "x"]}, "points.value"),
        ({"keys": ["", "b"]}, "points.keys[0]"),
    ],
)
def test_wrong_columns_are_named(api: httpx.Client, run: str, change: dict[str, Any], field: str) -> None:
    body = batch(0)
    body["points"] |= change
    assert_problem(send(api, run, body), 400, "invalid_request", field=field)
    assert totals(api, run) == {}


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x81", b"\x93" * 1000])
def test_broken_msgpack_is_refused(api: httpx.Client, run: str, body: bytes) -> None:
    answer = api.post(f"/experiments/runs/{run}/batches", content=body, headers={"Content-Type": "application/msgpack"})
    assert answer.status_code == 400
