"""Reading points: reduced series against all points, Arrow and CSV streams."""

import io
import math
import random
from typing import Any

import httpx
import pyarrow as pa
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess


def log_points(api: httpx.Client, run: str, key: str, points: list[tuple[float, int, float | str]]) -> None:
    entries = [{"key": key, "step": step, "timestamp": time, "value": value} for step, time, value in points]
    for start in range(0, len(entries), 5000):
        answer = api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries[start : start + 5000]})
        assert answer.status_code == 200, answer.text


def series(api: httpx.Client, **body: Any) -> list[dict[str, Any]]:
    answer = api.post("/experiments/runs/series", json=body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["series"]
    return found


def test_every_bucket_holds_the_exact_extremes_of_all_points(api: httpx.Client, run: str) -> None:
    rng = random.Random(7)
    points = [(step, 1_000 + step, rng.gauss(0, 1)) for step in range(20_000)]
    log_points(api, run, "loss", points)
    (one,) = series(api, run_ids=[run], keys=["loss"], buckets=40)
    assert (one["run_id"], one["key"], one["n"], one["nonfinite"]) == (run, "loss", 20_000, 0)
    assert sum(one["count"]) == 20_000
    assert len(one["x"]) == 40
    at = 0
    for index, count in enumerate(one["count"]):
        values = [value for _, _, value in points[at : at + count]]
        assert (one["first"][index], one["last"][index]) == (values[0], values[-1])
        assert (one["min"][index], one["max"][index]) == (min(values), max(values))
        assert one["mean"][index] == pytest.approx(sum(values) / count, rel=1e-9)
        at += count


def test_non_finite_values_are_counted_and_never_averaged(api: httpx.Client, run: str) -> None:
    log_points(api, run, "loss", [(0, 1, 1.0), (1, 2, "NaN"), (2, 3, "Infinity"), (3, 4, 3.0)])
    (one,) = series(api, run_ids=[run], keys=["loss"], buckets=1)
    assert (one["n"], one["nonfinite"], one["count"]) == (4, 2, [2])
    assert (one["mean"], one["min"], one["max"], one["first"], one["last"]) == ([2.0], [1.0], [3.0], [1.0], [3.0])


def test_runs_share_one_grid_and_a_range_zooms(api: httpx.Client, experiment: str) -> None:
    runs = [api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"] for _ in range(2)]
    log_points(api, runs[0], "v", [(step, step, step) for step in range(100)])
    log_points(api, runs[1], "v", [(step, step, -step) for step in range(50)])
    first, second = series(api, run_ids=runs, keys=["v"], buckets=10)
    assert first["count"] == [10] * 10
    assert second["count"] == [10] * 5
    (zoomed,) = series(api, run_ids=runs[:1], keys=["v"], buckets=5, range=[10, 14])
    assert (zoomed["first"], zoomed["n"]) == ([10.0, 11.0, 12.0, 13.0, 14.0], 100)


def test_x_may_be_time_relative_or_a_metric(api: httpx.Client, run: str) -> None:
    log_points(api, run, "epoch", [(0, 100, 0), (10, 200, 1), (20, 300, 2)])
    log_points(api, run, "loss", [(0, 100, 5.0), (5, 150, 4.0), (10, 200, 3.0), (20, 300, 1.0)])
    (by_time,) = series(api, run_ids=[run], keys=["loss"], x="time", buckets=2)
    assert by_time["first"] == [5.0, 3.0]
    (by_epoch,) = series(api, run_ids=[run], keys=["loss"], x="epoch", buckets=3)
    assert (by_epoch["x"], by_epoch["count"]) == ([0.0, 1.0, 2.0], [2, 1, 1])
    (relative,) = series(api, run_ids=[run], keys=["loss"], x="relative", buckets=2)
    assert sum(relative["count"]) == 4
    (nowhere,) = series(api, run_ids=[run], keys=["loss"], x="unknown")
    assert nowhere["x"] == []


def test_series_of_what_was_not_logged_is_empty(api: httpx.Client, run: str) -> None:
    (one,) = series(api, run_ids=[run], keys=["nothing"])
    assert (one["n"], one["x"], one["count"]) == (0, [], [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"buckets": 0}, "buckets"),
        ({"buckets": 5001}, "buckets"),
        ({"run_ids": []}, "run_ids"),
        ({"keys": []}, "keys"),
        ({"keys": ["a", "a"]}, "keys"),
        ({"range": [2, 1]}, "range"),
        ({"range": [1]}, "range"),
    ],
)
def test_wrong_series_requests_are_named(api: httpx.Client, run: str, body: dict[str, Any], field: str) -> None:
    refused = api.post("/experiments/runs/series", json={"run_ids": [run], "keys": ["a"], **body})
    assert_problem(refused, 400, "invalid_request", field=field)


def test_series_and_history_keep_to_the_tenant(server: ServerProcess, api: httpx.Client, run: str) -> None:
    with server.client("metrics-foreign") as other:
        body = {"run_ids": [run], "keys": ["a"]}
        assert_problem(other.post("/experiments/runs/series", json=body), 403, "tenant_access_denied")
        assert_problem(other.get(f"/experiments/runs/{run}/history"), 403, "tenant_access_denied")
    assert_problem(api.get(f"/experiments/runs/{'f' * 32}/history"), 404, "run_not_found")


def test_arrow_holds_every_point_exactly(api: httpx.Client, run: str) -> None:
    points = [(step / 2, 10 * step, math.sin(step)) for step in range(3000)]
    log_points(api, run, "b", [*points, (2000, 5, "NaN"), (2001, 6, "-Infinity")])
    log_points(api, run, "a", [(1, 1, 1.0)])
    answer = api.get(f"/experiments/runs/{run}/history", headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all().to_pydict()
    assert table["key"] == ["a"] + ["b"] * 3002
    assert table["step"][1:3001] == [step for step, _, _ in points]
    assert table["timestamp"][1:3001] == [time for _, time, _ in points]
    assert table["value"][1:3001] == [value for _, _, value in points]
    assert math.isnan(table["value"][3001])
    assert table["value"][3002] == -math.inf


def test_csv_has_a_header_and_disarms_formulas(api: httpx.Client, run: str) -> None:
    log_points(api, run, "=cmd", [(1, 2, 0.1), (2.5, 3, "NaN")])
    answer = api.get(f"/experiments/runs/{run}/history", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.split() == ["key,step,timestamp,value", "'=cmd,1,2,0.1", "'=cmd,2.5,3,NaN"]


def test_a_stream_of_an_unknown_run_is_an_error_not_a_stream(api: httpx.Client) -> None:
    answer = api.get(f"/experiments/runs/{'f' * 32}/history", headers={"Accept": "text/csv"})
    assert_problem(answer, 404, "run_not_found")
