"""What a run logs, through the public door: exact values, all or nothing, once."""

import json
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem


def history(api: httpx.Client, run: str, *keys: str) -> list[dict[str, Any]]:
    answer = api.get(f"/experiments/runs/{run}/history", params=[("key", key) for key in keys])
    assert answer.status_code == 200, answer.text
    series: list[dict[str, Any]] = answer.json()["series"]
    return series


def test_log_metrics_keeps_value_step_and_time(api: httpx.Client, run: str) -> None:
    body = {"metrics": {"loss": 0.95, "acc": 1}, "step": 10, "timestamp": 1707723600000}
    answer = api.post(f"/experiments/runs/{run}/log-metrics", json=body)
    assert (answer.status_code, answer.json()) == (200, {"run_id": run, "metrics": 2})
    assert history(api, run) == [
        {"key": "acc", "total": 1, "step": [10], "timestamp": [1707723600000], "value": [1.0]},
        {"key": "loss", "total": 1, "step": [10], "timestamp": [1707723600000], "value": [0.95]},
    ]
    assert api.get(f"/experiments/runs/{run}").json()["metrics"] == {"acc": 1.0, "loss": 0.95}


def test_non_finite_values_come_back_exactly(api: httpx.Client, run: str) -> None:
    for step, value in enumerate(("NaN", "Infinity", "-Infinity", -0.0, 5e-324, 1.7976931348623157e308)):
        body = {"metrics": {"v": value}, "step": step}
        assert api.post(f"/experiments/runs/{run}/log-metrics", json=body).status_code == 200
    (series,) = history(api, run, "v")
    assert series["value"] == ["NaN", "Infinity", "-Infinity", -0.0, 5e-324, 1.7976931348623157e308]
    assert str(series["value"][3]) == "-0.0"


def test_steps_may_be_decimal_and_integers_stay_integers(api: httpx.Client, run: str) -> None:
    for step in (0.5, 2, -3, 2**53, -(2**53), 1e3):
        answer = api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"v": 1}, "step": step})
        assert answer.status_code == 200
    text = api.get(f"/experiments/runs/{run}/history").text
    assert json.loads(text)["series"][0]["step"] == [-(2**53), -3, 0.5, 2, 1000, 2**53]
    assert "1000.0" not in text


def test_latest_is_the_greatest_step_time_value_whatever_the_order_of_arrival(api: httpx.Client, run: str) -> None:
    points = [(5, 100, 1.0), (7, 90, 3.0), (7, 100, 2.0), (7, 100, "NaN"), (6, 500, 9.0)]
    for step, time, value in points:
        entry = {"key": "loss", "value": value, "step": step, "timestamp": time}
        api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": [entry]})
    assert api.get(f"/experiments/runs/{run}").json()["metrics"] == {"loss": 2.0}


def test_a_negative_value_loses_against_nan_which_compares_as_0(api: httpx.Client, run: str) -> None:
    entries = [{"key": "v", "value": value, "step": 1, "timestamp": 1} for value in (-1.0, "NaN")]
    api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries})
    assert api.get(f"/experiments/runs/{run}").json()["metrics"] == {"v": "NaN"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('"text"', "text"),
        ("0.01", "0.01"),
        ("1e-05", "1e-05"),
        ("true", "true"),
        ("7", "7"),
        ('""', ""),
        ("0.10", "0.10"),
    ],
)
def test_params_are_kept_as_they_were_sent(api: httpx.Client, run: str, sent: str, kept: str) -> None:
    answer = api.post(
        f"/experiments/runs/{run}/log-params",
        content=f'{{"params": {{"p": {sent}}}}}',
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()) == (200, {"run_id": run, "params": 1})
    assert api.get(f"/experiments/runs/{run}").json()["params"] == {"p": kept}


def test_a_param_is_written_once_and_a_conflict_keeps_nothing(api: httpx.Client, run: str) -> None:
    api.post(f"/experiments/runs/{run}/log-params", json={"params": {"lr": 0.01}})
    assert api.post(f"/experiments/runs/{run}/log-params", json={"params": {"lr": 0.01}}).status_code == 200
    refused = api.post(f"/experiments/runs/{run}/log-params", json={"params": {"new": 1, "lr": 0.02}})
    assert_problem(refused, 400, "param_conflict")
    body = {
        "metrics": [{"key": "loss", "value": 1}],
        "params": [{"key": "lr", "value": "0.5"}],
        "tags": [{"key": "t", "value": "v"}],
    }
    assert_problem(api.post(f"/experiments/runs/{run}/log-batch", json=body), 400, "param_conflict")
    kept = api.get(f"/experiments/runs/{run}").json()
    assert (kept["params"], kept["metrics"], kept["tags"]) == ({"lr": "0.01"}, {}, {})


def test_log_batch_counts_what_it_kept(api: httpx.Client, run: str) -> None:
    body = {
        "metrics": [{"key": "loss", "value": 0.34, "step": 1}, {"key": "loss", "value": 0.2, "step": 2}],
        "params": [{"key": "lr", "value": "0.01"}],
        "tags": [{"key": "type", "value": "baseline"}],
    }
    answer = api.post(f"/experiments/runs/{run}/log-batch", json=body)
    assert (answer.status_code, answer.json()) == (200, {"run_id": run, "metrics": 2, "params": 1, "tags": 1})
    assert api.post(f"/experiments/runs/{run}/log-batch", json={}).json() == {
        "run_id": run,
        "metrics": 0,
        "params": 0,
        "tags": 0,
    }


def test_a_batch_sent_twice_is_stored_once(api: httpx.Client, run: str) -> None:
    entries = [{"key": "loss", "value": n / 7, "step": n, "timestamp": 1000 + n} for n in range(100)]
    for _ in range(3):
        assert api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries}).status_code == 200
    (series,) = history(api, run, "loss")
    assert series["total"] == 100
    assert series["step"] == list(range(100))


def test_a_batch_takes_10000_entries_and_no_more(api: httpx.Client, run: str) -> None:
    entries = [{"key": "loss", "value": 1.5, "step": n} for n in range(10_001)]
    refused = api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries})
    assert_problem(refused, 400, "invalid_request")
    assert history(api, run) == []
    answer = api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries[:-1]})
    assert answer.json()["metrics"] == 10_000
    assert history(api, run, "loss")[0]["total"] == 10_000


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"key": "", "value": 1}, "metrics[1].key"),
        ({"key": "k" * 251, "value": 1}, "metrics[1].key"),
        ({"key": "a\x00", "value": 1}, "metrics[1].key"),
        ({"value": 1}, "metrics[1].key"),
        ({"key": "a"}, "metrics[1].value"),
        ({"key": "a", "value": "0.5"}, "metrics[1].value"),
        ({"key": "a", "value": None}, "metrics[1].value"),
        ({"key": "a", "value": True}, "metrics[1].value"),
        ({"key": "a", "value": 1, "step": "1"}, "metrics[1].step"),
        ({"key": "a", "value": 1, "step": True}, "metrics[1].step"),
        ({"key": "a", "value": 1, "step": 2**53 + 1}, "metrics[1].step"),
        ({"key": "a", "value": 1, "step": 10**400}, "metrics[1].step"),
        ({"key": "a", "value": 1, "timestamp": -1}, "metrics[1].timestamp"),
        ({"key": "a", "value": 1, "timestamp": 1.5}, "metrics[1].timestamp"),
        ({"key": "a", "value": 1, "timestamp": 253402300800000}, "metrics[1].timestamp"),
        ({"key": "a", "value": 1, "extra": 1}, "metrics[1].extra"),
    ],
)
def test_one_wrong_entry_refuses_the_batch_and_is_named(
    api: httpx.Client, run: str, entry: dict[str, object], field: str
) -> None:
    refused = api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": [{"key": "ok", "value": 1}, entry]})
    assert_problem(refused, 400, "invalid_request", field=field)
    assert history(api, run) == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"metrics": NaN}', '{"metrics": {"a": NaN}}', "[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(api: httpx.Client, run: str, body: str) -> None:
    for path in ("log-metrics", "log-params", "log-batch"):
        answer = api.post(f"/experiments/runs/{run}/{path}", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text
        assert answer.json()["code"] in ("invalid_json", "invalid_request")


def test_values_and_tags_have_bounds(api: httpx.Client, run: str) -> None:
    assert api.post(f"/experiments/runs/{run}/log-params", json={"params": {"p": "v" * 6000}}).status_code == 200
    refused = api.post(f"/experiments/runs/{run}/log-params", json={"params": {"q": "v" * 6001}})
    assert_problem(refused, 400, "invalid_request", field="params.q")
    for size, status in ((8000, 200), (8001, 400)):
        body = {"tags": [{"key": f"t{size}", "value": "v" * size}]}
        assert api.post(f"/experiments/runs/{run}/log-batch", json=body).status_code == status
    refused = api.post(f"/experiments/runs/{run}/log-params", json={"params": {"nested": {"a": 1}}})
    assert_problem(refused, 400, "invalid_request", field="params.nested")


def test_history_pages_and_orders_by_step_then_arrival(api: httpx.Client, run: str) -> None:
    for step, value in ((3, 1.0), (1, 2.0), (2, 3.0), (1, 4.0)):
        api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"v": value}, "step": step})
    (series,) = history(api, run, "v")
    assert (series["step"], series["value"]) == ([1, 1, 2, 3], [2.0, 4.0, 3.0, 1.0])
    page = api.get(f"/experiments/runs/{run}/history", params={"key": "v", "limit": 2, "offset": 1}).json()
    assert (page["series"][0]["total"], page["series"][0]["value"]) == (4, [4.0, 3.0])
    assert history(api, run, "unknown") == [{"key": "unknown", "total": 0, "step": [], "timestamp": [], "value": []}]
    assert_problem(api.get(f"/experiments/runs/{run}/history", params={"limit": 100_001}), 400, "invalid_request")
