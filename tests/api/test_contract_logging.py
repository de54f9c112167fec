"""What a run logs, sentence by sentence: values, steps and times at their bounds, params as sent, batches whole."""

import json
import math
import time
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem

Json = dict[str, Any]
MAX_TIME_MS = 253_402_300_799_999
AS_JSON = {"Content-Type": "application/json"}


def _state(api: httpx.Client, run: str) -> tuple[Json, Json]:
    return api.get(f"/experiments/runs/{run}").json(), api.get(f"/experiments/runs/{run}/history").json()


def _series(api: httpx.Client, run: str, key: str) -> Json:
    (series,) = api.get(f"/experiments/runs/{run}/history", params={"key": key}).json()["series"]
    found: Json = series
    return found


def test_the_answers_have_exactly_these_fields(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    assert api.post(f"{path}/log-metrics", json={"metrics": {"a": 1, "b": 2}}).json() == {"run_id": run, "metrics": 2}
    assert api.post(f"{path}/log-params", json={"params": {"a": 1}}).json() == {"run_id": run, "params": 1}
    body = {
        "metrics": [{"key": "a", "value": 1, "step": 1}, {"key": "a", "value": 1, "step": 2}],
        "params": [{"key": "b", "value": "2"}],
        "tags": [{"key": "c", "value": "3"}, {"key": "d", "value": ""}, {"key": "c", "value": "4"}],
    }
    answer = api.post(f"{path}/log-batch", json=body)
    assert answer.json() == {"run_id": run, "metrics": 2, "params": 1, "tags": 3}
    assert api.get(path).json()["tags"] == {"c": "4", "d": ""}
    assert api.post(f"{path}/log-batch", json={}).json() == {"run_id": run, "metrics": 0, "params": 0, "tags": 0}
    assert api.post(f"{path}/log-metrics", json={"metrics": {}}).json() == {"run_id": run, "metrics": 0}


def test_step_is_0_and_time_is_now_where_not_given(api: httpx.Client, run: str) -> None:
    before = time.time_ns() // 1_000_000
    api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"a": 1}})
    api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": [{"key": "b", "value": 1, "timestamp": None}]})
    after = time.time_ns() // 1_000_000
    for key in "ab":
        series = _series(api, run, key)
        assert series["step"] == [0]
        assert before <= series["timestamp"][0] <= after


def test_every_double_comes_back_exactly(api: httpx.Client, run: str) -> None:
    values: list[float | str] = [
        *(0.1, 1 / 3, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e22, 123456789.12345678),
        *(2.0**53, 2.0**53 + 2, 2.0**63, 2.0**64, 1e30, "NaN", "Infinity", "-Infinity"),
    ]
    entries = [{"key": "v", "value": value, "step": step} for step, value in enumerate(values)]
    assert api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries}).status_code == 200
    found = _series(api, run, "v")["value"]
    assert found == values
    assert math.copysign(1, found[2]) == -1


@pytest.mark.parametrize("text", ["18446744073709551616", "1e3", "-0", "0.1e-5", "1E+2", "100000000000000000000000"])
def test_any_json_number_is_a_value(api: httpx.Client, run: str, text: str) -> None:
    path = f"/experiments/runs/{run}/log-metrics"
    answer = api.post(path, content=f'{{"metrics": {{"v": {text}}}}}', headers=AS_JSON)
    assert answer.status_code == 200, answer.text
    assert _series(api, run, "v")["value"] == [float(text)]


@pytest.mark.parametrize(
    "text",
    [
        *('"nan"', '"NAN"', '"inf"', '"+Infinity"', '"-inf"', '"1.5"', '""', "null", "true", "[]", "{}", "1e999"),
        *("-1e999", "NaN", "Infinity", "-Infinity", "0x10", "1.", ".5", "+1", "01"),
    ],
)
def test_anything_else_is_no_value(api: httpx.Client, run: str, text: str) -> None:
    path, before = f"/experiments/runs/{run}", _state(api, run)
    for route, body in (
        ("log-metrics", f'{{"metrics": {{"good": 1, "v": {text}}}}}'),
        ("log-batch", f'{{"metrics": [{{"key": "good", "value": 1}}, {{"key": "v", "value": {text}}}]}}'),
    ):
        refused = api.post(f"{path}/{route}", content=body, headers=AS_JSON)
        assert_problem(refused, 400, refused.json()["code"])
        assert refused.json()["code"] in ("invalid_json", "invalid_request")
    assert _state(api, run) == before


def test_steps_keep_their_kind_and_order(api: httpx.Client, run: str) -> None:
    steps = [3, 1.5, -2, 2**53, -(2**53), 0.1, 1e-9, 0]
    entries = [{"key": "v", "value": place, "step": step} for place, step in enumerate(steps)]
    api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries})
    text = api.get(f"/experiments/runs/{run}/history?key=v").text
    assert '"step":[-9007199254740992,-2,0,1e-9,0.1,1.5,3,9007199254740992]' in text
    api.post(f"/experiments/runs/{run}/log-metrics", content='{"metrics":{"w":1},"step":1e2}', headers=AS_JSON)
    assert '"step":[100]' in api.get(f"/experiments/runs/{run}/history?key=w").text


@pytest.mark.parametrize("step", [2**53 + 1, -(2**53) - 1, 1e300, 2**70, "1", None, True, [], "NaN"])
def test_a_step_out_of_bounds_is_refused(api: httpx.Client, run: str, step: object) -> None:
    path, before = f"/experiments/runs/{run}", _state(api, run)
    refused = api.post(f"{path}/log-metrics", json={"metrics": {"v": 1}, "step": step})
    assert_problem(refused, 400, "invalid_request", field="step")
    entries = [{"key": "v", "value": 1}, {"key": "v", "value": 1, "step": step}]
    refused = api.post(f"{path}/log-batch", json={"metrics": entries})
    assert_problem(refused, 400, "invalid_request", field="metrics[1].step")
    assert _state(api, run) == before


def test_times_are_unix_milliseconds_until_9999(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    for place, time_ms in enumerate((0, 1_707_723_600_000, MAX_TIME_MS)):
        answer = api.post(f"{path}/log-metrics", json={"metrics": {"v": 1}, "timestamp": time_ms, "step": place})
        assert answer.status_code == 200
    assert _series(api, run, "v")["timestamp"] == [0, 1_707_723_600_000, MAX_TIME_MS]
    for wrong in (-1, MAX_TIME_MS + 1, 2**63, 2**80, 1.5, "2024-02-12T07:40:00Z", True):
        for metrics in ({"v": 1}, {}):
            refused = api.post(f"{path}/log-metrics", json={"metrics": metrics, "timestamp": wrong})
            assert_problem(refused, 400, "invalid_request", field="timestamp")
        entries = [{"key": "v", "value": 1, "timestamp": wrong}]
        refused = api.post(f"{path}/log-batch", json={"metrics": entries})
        assert_problem(refused, 400, "invalid_request", field="metrics[0].timestamp")
    assert _series(api, run, "v")["total"] == 3


def test_keys_at_their_bounds(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    good = ["k" * 250, "val/loss", "a.b", "größe 🧪", "with blank", "0", "a" + "\u0301" * 2, "metrics.loss"]
    assert api.post(f"{path}/log-metrics", json={"metrics": dict.fromkeys(good, 1)}).status_code == 200
    assert len(api.get(path).json()["metrics"]) == len(good)
    for key in ("", " ", "k" * 251, "a\nb", "a\x00", "a\x7f", "\u202ea", "a\u2028"):
        for body, route in (
            ({"metrics": {key: 1}}, "log-metrics"),
            ({"params": {key: 1}}, "log-params"),
            ({"tags": [{"key": key, "value": "x"}]}, "log-batch"),
            ({"params": [{"key": key, "value": "x"}]}, "log-batch"),
            ({"metrics": [{"key": key, "value": 1}]}, "log-batch"),
        ):
            refused = api.post(f"{path}/{route}", json=body)
            assert_problem(refused, 400, "invalid_request", field=next(iter(body)))
    assert api.get(path).json()["params"] == {}


def test_two_spellings_of_a_key_are_one_key(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    for step, key in enumerate(("caf\u00e9", "cafe\u0301")):
        assert api.post(f"{path}/log-metrics", json={"metrics": {key: step}, "step": step}).status_code == 200
    assert api.get(path).json()["metrics"] == {"caf\u00e9": 1}
    assert _series(api, run, "caf\u00e9")["total"] == 2


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("true", "true"),
        ("false", "false"),
        ("0.01", "0.01"),
        ("1e-05", "1e-05"),
        ("1E-5", "1E-5"),
        ("0.10", "0.10"),
        ("-0", "-0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"True"', "True"),
        ('" padded "', " padded "),
        ('"é\\n\\t\\"x\\u00e9"', 'é\n\t"xé'),
        ('""', ""),
    ],
)
def test_a_param_is_the_text_that_was_sent(api: httpx.Client, run: str, sent: str, kept: str) -> None:
    path = f"/experiments/runs/{run}"
    assert api.post(f"{path}/log-params", content=f'{{"params": {{"p": {sent}}}}}', headers=AS_JSON).status_code == 200
    body = f'{{"params": [{{"key": "q", "value": {sent}}}]}}'
    assert api.post(f"{path}/log-batch", content=body, headers=AS_JSON).status_code == 200
    assert api.get(path).json()["params"] == {"p": kept, "q": kept}
    again = api.post(f"{path}/log-params", json={"params": {"p": kept, "q": kept}})
    assert again.json() == {"run_id": run, "params": 2}


def test_a_conflict_keeps_nothing_of_the_request(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    api.post(f"{path}/log-params", json={"params": {"lr": 0.1}})
    before = _state(api, run)
    for value in (0.2, "0.10", "0.1 ", "", True):
        refused = api.post(f"{path}/log-params", json={"params": {"new": 1, "lr": value}})
        assert_problem(refused, 400, "param_conflict", field="params.lr")
        body = {
            "metrics": [{"key": "m", "value": 1}],
            "params": [{"key": "new", "value": 1}, {"key": "lr", "value": value}],
            "tags": [{"key": "t", "value": "x"}],
        }
        assert_problem(api.post(f"{path}/log-batch", json=body), 400, "param_conflict", field="params.lr")
    twice = {"params": [{"key": "two", "value": 1}, {"key": "two", "value": 2}]}
    assert_problem(api.post(f"{path}/log-batch", json=twice), 400, "param_conflict", field="params.two")
    assert _state(api, run) == before


@pytest.mark.parametrize(
    "text", ['{"a": [1]}', '{"a": {"b": 1}}', '["a"]', "null", '"a"', '{"a": nan}', '{"a": "x\\u0000y"}']
)
def test_params_are_scalars(api: httpx.Client, run: str, text: str) -> None:
    refused = api.post(f"/experiments/runs/{run}/log-params", content=f'{{"params": {text}}}', headers=AS_JSON)
    assert_problem(refused, 400, refused.json()["code"])
    assert api.get(f"/experiments/runs/{run}").json()["params"] == {}


def test_values_at_their_bounds(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    longest = {"params": [{"key": "p", "value": "é" * 6000}], "tags": [{"key": "t", "value": "🧪" * 8000}]}
    assert api.post(f"{path}/log-batch", json=longest).status_code == 200
    for body, field in (
        ({"params": [{"key": "p2", "value": "v" * 6001}]}, "params[0].value"),
        ({"tags": [{"key": "t2", "value": "v" * 8001}]}, "tags[0].value"),
        ({"tags": [{"key": "t2", "value": None}]}, "tags[0].value"),
        ({"tags": [{"key": "t2", "value": 1}]}, "tags[0].value"),
        ({"metrics": [{"key": "m"}]}, "metrics[0].value"),
        ({"metrics": [{"value": 1}]}, "metrics[0].key"),
        ({"params": [{"key": "p2"}]}, "params[0].value"),
        ({"metrics": [{"key": "m", "value": 1, "epoch": 2}]}, "metrics[0].epoch"),
        ({"metrics": None}, "metrics"),
    ):
        assert_problem(api.post(f"{path}/log-batch", json=body), 400, "invalid_request", field=field)
    assert set(api.get(path).json()["params"]) == {"p"}


def test_a_request_holds_10000_entries_of_any_kind(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    metrics = [{"key": "m", "value": step, "step": step} for step in range(9_998)]
    body = {"metrics": metrics, "params": [{"key": "p", "value": 1}], "tags": [{"key": "t", "value": "x"}]}
    assert api.post(f"{path}/log-batch", json=body).json()["metrics"] == 9_998
    too_many = {**body, "metrics": [*metrics, {"key": "m", "value": 0, "step": -1}]}
    assert_problem(api.post(f"{path}/log-batch", json=too_many), 400, "invalid_request")
    assert _series(api, run, "m")["total"] == 9_998
    params = {f"p{number}": number for number in range(10_001)}
    assert_problem(api.post(f"{path}/log-params", json={"params": params}), 400, "invalid_request", field="params")
    metrics_map = {f"m{number}": number for number in range(10_001)}
    refused = api.post(f"{path}/log-metrics", json={"metrics": metrics_map})
    assert_problem(refused, 400, "invalid_request", field="metrics")


def test_a_run_holds_10000_metrics(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    names = {f"m{number}": number for number in range(10_000)}
    assert api.post(f"{path}/log-metrics", json={"metrics": names}).json()["metrics"] == 10_000
    refused = api.post(f"{path}/log-metrics", json={"metrics": {"one more": 1, "m0": 2}, "step": 1})
    assert_problem(refused, 400, "too_many_keys")
    again = api.post(f"{path}/log-metrics", json={"metrics": {"m0": 3}, "step": 2})
    assert again.status_code == 200
    found = api.get(path).json()["metrics"]
    assert (len(found), found["m0"]) == (10_000, 3)


def test_the_last_of_equal_names_in_json_counts(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    answer = api.post(f"{path}/log-metrics", content='{"metrics": {"a": 1, "a": 2}}', headers=AS_JSON)
    assert answer.json() == {"run_id": run, "metrics": 1}
    assert api.get(path).json()["metrics"] == {"a": 2}


def test_what_was_answered_is_read_at_once(api: httpx.Client, run: str) -> None:
    path = f"/experiments/runs/{run}"
    for step in range(20):
        api.post(
            f"{path}/log-batch",
            content=json.dumps({"metrics": [{"key": "a", "value": step, "step": step}]}).encode(),
            headers=AS_JSON,
        )
        assert api.get(path).json()["metrics"] == {"a": step}
        assert _series(api, run, "a")["total"] == step + 1
