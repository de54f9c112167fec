"""Metrics, params and tags by MLflow's wire, and their histories."""

import json

import pytest

from tests.compat.wire_client import Wire
from tests.support.server_process import ServerProcess


def metrics_of(wire: Wire, run: str) -> dict[str, object]:
    data = wire.get("runs/get", run_id=run)["run"]["data"]
    return {metric["key"]: metric["value"] for metric in data.get("metrics", [])}


def history(wire: Wire, run: str, key: str = "m") -> list[tuple[object, int, int]]:
    found = wire.get("metrics/get-history", run_id=run, metric_key=key).get("metrics", [])
    return [(point["value"], point["timestamp"], point["step"]) for point in found]


def points(*rows: tuple[object, int, int]) -> list[dict[str, object]]:
    return [{"key": "m", "value": value, "timestamp": time, "step": step} for value, time, step in rows]


def test_a_batch_is_seen_by_both_apis(wire: Wire, server: ServerProcess, tenant: str) -> None:
    run = wire.new_run()
    assert (
        wire.post(
            "runs/log-batch",
            run_id=run,
            metrics=[{"key": "loss", "value": 0.5, "timestamp": 10, "step": 3}],
            params=[{"key": "lr", "value": "1e-05"}],
            tags=[{"key": "team", "value": "risk"}],
        )
        == {}
    )
    data = wire.get("runs/get", run_id=run)["run"]["data"]
    assert data["metrics"] == [{"key": "loss", "value": 0.5, "timestamp": 10, "step": 3}]
    assert data["params"] == [{"key": "lr", "value": "1e-05"}]
    with server.client(tenant) as api:
        found = api.get(f"/experiments/runs/{run}").json()
        assert (found["metrics"], found["params"], found["tags"]) == (
            {"loss": 0.5},
            {"lr": "1e-05"},
            {"team": "risk"},
        )
        api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 0.25}, "step": 4, "timestamp": 11})
    assert history(wire, run, "loss") == [(0.5, 10, 3), (0.25, 11, 4)]


def test_numbers_may_come_quoted_and_names_in_camel_case(wire: Wire) -> None:
    run = wire.new_run()
    wire.post("runs/log-metric", runId=run, key="m", value="2.5", timestamp="7", step="-3")
    wire.post("runs/log-batch", run_id=run, metrics=[{"key": "m", "value": 1, "timestamp": 8, "datasetName": "d"}])
    assert history(wire, run) == [(2.5, 7, -3), (1.0, 8, 0)]
    assert wire.raw("runs/log-metric", b'"{\\"run_id\\": \\"%s\\", \\"key\\": \\"q\\"}"' % run.encode(), 400)
    both = wire.post("runs/log-metric", 400, run_id=run, runId=run, key="m", value=1, timestamp=1)
    assert both["message"] == "Request specifies both 'run_id' and 'runId'; provide only one of them."


def test_double_encoded_json_and_nulls_are_read(wire: Wire) -> None:
    run = wire.new_run()
    inner = f'{{"run_id": "{run}", "key": "m", "value": 1, "timestamp": 1, "step": null, "unknown": 4}}'
    assert wire.raw("runs/log-metric", json.dumps(inner).encode()) == {}
    assert history(wire, run) == [(1.0, 1, 0)]


def test_what_is_no_number_is_refused_and_never_kept(wire: Wire) -> None:
    run = wire.new_run()
    for value in (b"NaN", b"Infinity", b'"x"', b"true", b"[]", b"1e999"):
        body = b'{"run_id": "%s", "metrics": [{"key": "m", "value": %s, "timestamp": 1}]}' % (run.encode(), value)
        assert wire.raw("runs/log-batch", body, 400)["error_code"] == "INVALID_PARAMETER_VALUE"
    for field, wrong in (("step", 1.5), ("step", 2**60), ("timestamp", -1), ("timestamp", 2**62), ("step", "x")):
        body = {"key": "m", "value": 1, "timestamp": 1, field: wrong}
        wire.refused("runs/log-metric", 400, "INVALID_PARAMETER_VALUE", run_id=run, **body)
    assert history(wire, run) == []


def test_nan_and_infinity(wire: Wire) -> None:
    run = wire.new_run()
    wire.post("runs/log-batch", run_id=run, metrics=points(("NaN", 1, 0), ("Infinity", 2, 1), ("-Infinity", 3, 2)))
    largest = 1.7976931348623157e308
    assert history(wire, run) == [("NaN", 1, 0), (largest, 2, 1), (-largest, 3, 2)]


@pytest.mark.parametrize(
    ("sent", "latest"),
    [
        ([(1.0, 10, 5), (2.0, 11, 4)], 1.0),
        ([(1.0, 10, 5), (2.0, 11, 5)], 2.0),
        ([(1.0, 10, 5), (0.5, 10, 5)], 1.0),
        ([(-1.0, 10, 5), ("NaN", 10, 5)], "NaN"),
        ([(1.0, 10, 5), ("NaN", 10, 5)], 1.0),
    ],
)
def test_the_latest_is_the_greatest_by_step_time_value(
    wire: Wire, sent: list[tuple[object, int, int]], latest: object
) -> None:
    run = wire.new_run()
    for point in sent:
        wire.post("runs/log-batch", run_id=run, metrics=points(point))
    assert metrics_of(wire, run) == {"m": latest}


def test_equal_points_count_once(wire: Wire) -> None:
    run = wire.new_run()
    for _ in range(2):
        wire.post("runs/log-batch", run_id=run, metrics=points((1.0, 1, 1), (1.0, 2, 1)))
    assert history(wire, run) == [(1.0, 1, 1), (1.0, 2, 1)]


def test_history_goes_by_time_and_pages(wire: Wire) -> None:
    run = wire.new_run()
    wire.post("runs/log-batch", run_id=run, metrics=points((1.0, 9, 1), (2.0, 5, 2), (3.0, 5, 0), (0.5, 9, 1)))
    assert history(wire, run) == [(3.0, 5, 0), (2.0, 5, 2), (0.5, 9, 1), (1.0, 9, 1)]
    page = wire.get("metrics/get-history", run_id=run, metric_key="m", max_results=3)
    assert [one["value"] for one in page["metrics"]] == [3.0, 2.0, 0.5]
    token = page["next_page_token"]
    last = wire.get("metrics/get-history", run_id=run, metric_key="m", max_results=3, page_token=token)
    assert [one["value"] for one in last["metrics"]] == [1.0]
    assert "next_page_token" not in last
    assert wire.get("metrics/get-history", run_id=run, metric_key="none") == {}
    assert wire.get("metrics/get-history", run_id="5eed" * 8, metric_key="m") == {}
    refused = wire.get("metrics/get-history", 400, run_id=run, metric_key="m", max_results=0)
    assert refused["message"].startswith("Invalid value 0 for parameter 'max_results'")


def test_intervals_keep_both_ends(wire: Wire) -> None:
    runs = [wire.new_run(), wire.new_run()]
    for run in runs:
        wire.post("runs/log-batch", run_id=run, metrics=points(*((float(i), i, i) for i in range(100))))
    found = wire.get("metrics/get-history-bulk-interval", run_ids=runs, metric_key="m", max_results=5)["metrics"]
    assert [one["run_id"] for one in found] == [runs[0]] * 5 + [runs[1]] * 5
    assert [one["step"] for one in found[:5]][::4] == [0, 99]
    within = {"run_ids": runs[:1], "metric_key": "m", "start_step": 10, "end_step": 12}
    found = wire.get("metrics/get-history-bulk-interval", **within)["metrics"]
    assert [one["step"] for one in found] == [10, 11, 12]
    for wrong in ({"start_step": 1}, {"max_results": 0}, {"max_results": 2_501}, {"start_step": 5, "end_step": 1}):
        asked = {"run_ids": runs, "metric_key": "m", **wrong}
        assert wire.get("metrics/get-history-bulk-interval", 400, **asked)["error_code"] == "INVALID_PARAMETER_VALUE"
    answer = wire.http.get("/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"run_id": runs, "metric_key": "m"})
    assert len(answer.json()["metrics"]) == 200
    assert wire.get("metrics/get-history-bulk", 404, run_id=runs[0], metric_key="m")["error_code"]


def test_params_are_written_once(wire: Wire) -> None:
    run = wire.new_run()
    for _ in range(2):
        assert wire.post("runs/log-parameter", run_id=run, key="p", value="1") == {}
    expected = (
        f"Changing param values is not allowed. Param with key='p' was already logged with value='1' for run "
        f"ID='{run}'. Attempted logging new value '2'."
    )
    assert (
        wire.refused("runs/log-parameter", 400, "INVALID_PARAMETER_VALUE", run_id=run, key="p", value="2") == expected
    )
    body = {"params": [{"key": "p", "value": "2"}], "tags": [{"key": "t", "value": "1"}]}
    wire.refused("runs/log-batch", 400, "INVALID_PARAMETER_VALUE", run_id=run, **body)
    assert "params" in (data := wire.get("runs/get", run_id=run)["run"]["data"])
    assert [tag["key"] for tag in data["tags"]] == ["mlflow.runName"]
    twice = [{"key": "q", "value": "1"}, {"key": "q", "value": "1"}]
    message = wire.refused("runs/log-batch", 400, "INVALID_PARAMETER_VALUE", run_id=run, params=twice)
    assert message.startswith("Duplicate parameter keys have been submitted: ['q'].")
    wire.refused("runs/log-parameter", 400, "INVALID_PARAMETER_VALUE", run_id=run, key="n", value=3)
    wire.post("runs/log-parameter", run_id=run, key="empty")


def test_long_values_are_cut_and_long_keys_refused(wire: Wire) -> None:
    run = wire.new_run()
    wire.post("runs/log-parameter", run_id=run, key="p", value="x" * 7_000)
    wire.post("runs/set-tag", run_id=run, key="t", value="y" * 9_000)
    data = wire.get("runs/get", run_id=run)["run"]["data"]
    assert [len(param["value"]) for param in data["params"]] == [6_000]
    assert [len(tag["value"]) for tag in data["tags"] if tag["key"] == "t"] == [8_000]
    for path, body in (
        ("runs/log-metric", {"key": "k" * 251, "value": 1, "timestamp": 1}),
        ("runs/log-parameter", {"key": "k" * 251, "value": "1"}),
        ("runs/set-tag", {"key": "k" * 251, "value": "1"}),
    ):
        message = wire.refused(path, 400, "INVALID_PARAMETER_VALUE", run_id=run, **body)
        assert message.endswith("exceeds the maximum length of 250 characters")


@pytest.mark.parametrize("key", ["a//b", "/a", "../a", ".", "a/../b", "a!", "a\nb", "a/"])
def test_keys_that_would_be_odd_paths(wire: Wire, key: str) -> None:
    run = wire.new_run()
    metrics = [{"key": "ok", "value": 1, "timestamp": 1}, {"key": key, "value": 1, "timestamp": 1}]
    message = wire.refused("runs/log-batch", 400, "INVALID_PARAMETER_VALUE", run_id=run, metrics=metrics)
    assert "for parameter 'metrics[1].name' supplied" in message
    assert metrics_of(wire, run) == {}


@pytest.mark.parametrize("key", ["val/loss", "läge:1", "a b-c.d_e"])
def test_keys_that_are_fine(wire: Wire, key: str) -> None:
    run = wire.new_run()
    wire.post("runs/log-metric", run_id=run, key=key, value=1, timestamp=1)
    assert metrics_of(wire, run) == {key: 1.0}


@pytest.mark.parametrize(
    ("field", "count", "at_most"), [("metrics", 1_001, 1_000), ("params", 101, 100), ("tags", 101, 100)]
)
def test_batches_are_bounded(wire: Wire, field: str, count: int, at_most: int) -> None:
    run = wire.new_run()
    entries = [{"key": f"k{i}", "value": "1", "timestamp": 1} for i in range(count)]
    message = wire.refused("runs/log-batch", 400, "INVALID_PARAMETER_VALUE", run_id=run, **{field: entries})
    assert message.startswith(f"A batch logging request can contain at most {at_most} {field}. Got {count} {field}.")
    assert wire.post("runs/log-batch", run_id=run) == {}


def test_what_is_missing_is_named(wire: Wire) -> None:
    run = wire.new_run()
    missing = "Missing value for required parameter '{}'."
    for body, field in (
        ({"key": "m", "timestamp": 1}, "value"),
        ({"key": "m", "value": 1}, "timestamp"),
        ({"value": 1, "timestamp": 1}, "key"),
    ):
        message = wire.refused("runs/log-metric", 400, "INVALID_PARAMETER_VALUE", run_id=run, **body)
        assert message.startswith(missing.format(field))
        message = wire.refused("runs/log-batch", 400, "INVALID_PARAMETER_VALUE", run_id=run, metrics=[body])
        assert message.startswith(missing.format(f"metrics[0].{field}"))
    message = wire.refused("runs/log-metric", 400, "INVALID_PARAMETER_VALUE", key="m", value=1, timestamp=1)
    assert message.startswith(missing.format("run_id"))
