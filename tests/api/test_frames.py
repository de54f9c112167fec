"""GNM1 frames: read back by the letter of docs/formats/gnm1.md, they say what the JSON answer says."""

import json
import math
import random
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.problems import assert_problem

GNM1 = "application/vnd.gnomon.series"
Column = NDArray[np.float64]


@dataclass
class Read:
    """One series of a frame, with every column filled in."""

    n: int
    nonfinite: int
    nonfinite_first: float | None
    dtype: str
    has_gaps: bool
    columns: set[str]
    x: Column
    mean: Column
    low: Column
    high: Column
    count: Column


def read_frame(data: bytes) -> tuple[dict[str, Any], dict[tuple[str, str], Read]]:
    assert data[:4] == b"GNM1"
    size = int.from_bytes(data[4:8], "little")
    header = json.loads(data[8 : 8 + size])
    body = 8 + size + (-(8 + size) % 8)
    assert not any(data[8 + size : body])

    def column(off: int, length: int, dtype: str) -> Column:
        assert off % 8 == 0
        start = body + off
        assert start + length * np.dtype(dtype).itemsize <= len(data)
        return np.frombuffer(data, dtype, length, start).astype(np.float64)

    found = {}
    for metric in header["metrics"]:
        grid = column(metric["grid"]["off"], metric["grid"]["n"], "<f8")
        assert (np.diff(grid) > 0).all()
        for entry in metric["series"]:
            length, dtype = entry["len"], {"f32": "<f4", "f64": "<f8"}[entry["dtype"]]
            assert ("first" in entry) != ("idx" in entry)
            if "idx" in entry:
                x = grid[column(entry["idx"], length, "<u4").astype(int)]
            else:
                x = grid[entry["first"] : entry["first"] + length]
                assert len(x) == length
            mean = column(entry["mean"], length, dtype)
            found[(entry["run"], metric["key"])] = Read(
                n=entry["n"],
                nonfinite=entry["nonfinite"],
                nonfinite_first=entry.get("nonfinite_first"),
                dtype=entry["dtype"],
                has_gaps="idx" in entry,
                columns={name for name in ("min", "max", "count") if name in entry},
                x=x,
                mean=mean,
                low=column(entry["min"], length, dtype) if "min" in entry else mean,
                high=column(entry["max"], length, dtype) if "max" in entry else mean,
                count=column(entry["count"], length, "<u4") if "count" in entry else np.ones(length),
            )
    return header, found


def frame(api: httpx.Client, **body: Any) -> tuple[dict[str, Any], dict[tuple[str, str], Read]]:
    """The frame that answers the request, after comparing it with the JSON answer to the same request."""
    answer = api.post("/experiments/runs/series", json=body, headers={"Accept": f"{GNM1}, application/json;q=0.5"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == GNM1
    assert answer.headers["vary"] == "Accept"
    header, found = read_frame(answer.content)
    plain = api.post("/experiments/runs/series", json=body)
    assert plain.headers["content-type"] == "application/json"
    assert plain.headers["vary"] == "Accept"
    with_points = {(one["run_id"], one["key"]): one for one in plain.json()["series"] if one["x"]}
    assert found.keys() == with_points.keys()
    assert [metric["key"] for metric in header["metrics"]] == body["keys"]
    for pair, one in with_points.items():
        assert_same(found[pair], one)
    return header, found


def assert_same(read: Read, one: dict[str, Any]) -> None:
    assert read.x.tolist() == one["x"]
    assert read.count.tolist() == one["count"]
    assert read.nonfinite == one["nonfinite"]
    assert read.n == sum(one["count"]) + one["nonfinite"]
    for column, name in ((read.mean, "mean"), (read.low, "min"), (read.high, "max")):
        exact = np.array([math.nan if value is None else value for value in one[name]])
        kept = exact if read.dtype == "f64" else exact.astype(np.float32).astype(np.float64)
        np.testing.assert_array_equal(column, kept)


def log(api: httpx.Client, run: str, key: str, values: list[float | str], *, every: int = 1, start: int = 0) -> None:
    entries = [
        {"key": key, "step": start + every * at, "timestamp": 1_000 + 7 * at, "value": value}
        for at, value in enumerate(values)
    ]
    for first in range(0, len(entries), 5000):
        answer = api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries[first : first + 5000]})
        assert answer.status_code == 200, answer.text


@pytest.fixture
def runs(api: httpx.Client, experiment: str) -> list[str]:
    return [api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"] for _ in range(4)]


@pytest.mark.parametrize("x", ["step", "time", "relative", "epoch"])
@pytest.mark.parametrize("buckets", [1, 37, 900])
def test_a_frame_says_what_json_says(api: httpx.Client, runs: list[str], x: str, buckets: int) -> None:
    rng = random.Random(11)
    for number, run in enumerate(runs):
        log(api, run, "loss", [rng.gauss(2, 1) for _ in range(2000 // (number + 1))])
        log(api, run, "acc", [rng.random() for _ in range(300)], every=number + 1, start=13 * number)
        log(api, run, "epoch", [at // 100 for at in range(1000)])
    log(api, runs[0], "only", ["NaN", 1.0, "Infinity", "-Infinity", "NaN", 2.0])
    for x_range in (None, [100, 220.5], [-50, -1]):
        header, _ = frame(
            api, run_ids=runs, keys=["acc", "missing", "loss", "only"], x=x, buckets=buckets, range=x_range
        )
        assert (header["v"], header["x"], header["buckets"], header["range"]) == (1, x, buckets, x_range)


def test_runs_of_one_rhythm_share_a_grid_and_others_say_their_places(api: httpx.Client, runs: list[str]) -> None:
    log(api, runs[0], "loss", list(range(100)))
    log(api, runs[1], "loss", list(range(40)))
    header, found = frame(api, run_ids=runs[:2], keys=["loss"], buckets=100)
    assert header["metrics"][0]["grid"]["n"] == 100
    assert [found[(run, "loss")].has_gaps for run in runs[:2]] == [False, False]
    log(api, runs[2], "loss", list(range(30)), every=3)
    header, found = frame(api, run_ids=runs[:3], keys=["loss"], buckets=100)
    assert header["metrics"][0]["grid"]["n"] == 100
    assert [found[(run, "loss")].has_gaps for run in runs[:3]] == [False, False, True]
    log(api, runs[3], "loss", list(range(10)), start=60)
    _, found = frame(api, run_ids=[runs[0], runs[3]], keys=["loss"], buckets=100)
    assert found[(runs[3], "loss")].x[0] == 60
    assert not found[(runs[3], "loss")].has_gaps


def test_what_is_trivial_is_left_out(api: httpx.Client, run: str) -> None:
    log(api, run, "short", [0.5, 0.25, 4.0])
    log(api, run, "still", [3.0] * 50)
    log(api, run, "full", [float(at % 7) for at in range(50)])
    log(api, run, "broken", [1.0, "NaN", 2.0])
    _, found = frame(api, run_ids=[run], keys=["short"], buckets=10)
    assert found[(run, "short")].columns == set()
    _, found = frame(api, run_ids=[run], keys=["still", "full"], buckets=10)
    assert found[(run, "still")].columns == {"count"}
    assert found[(run, "full")].columns == {"min", "max", "count"}
    _, found = frame(api, run_ids=[run], keys=["broken"], buckets=3)
    assert found[(run, "broken")].columns == {"count"}
    assert found[(run, "broken")].count.tolist() == [1, 0, 1]
    assert math.isnan(found[(run, "broken")].mean[1])


def test_non_finite_values_are_told_by_number_and_place(api: httpx.Client, run: str) -> None:
    log(api, run, "loss", [1.0] * 40 + ["NaN"] * 60)
    _, found = frame(api, run_ids=[run], keys=["loss"], buckets=50)
    read = found[(run, "loss")]
    assert (read.n, read.nonfinite, read.nonfinite_first) == (100, 60, 40)
    _, found = frame(api, run_ids=[run], keys=["loss"], buckets=50, range=[0, 30])
    assert (found[(run, "loss")].n, found[(run, "loss")].nonfinite_first) == (31, None)
    log(api, run, "lost", ["NaN"] * 5)
    _, found = frame(api, run_ids=[run], keys=["lost"], buckets=5)
    assert (found[(run, "lost")].n, found[(run, "lost")].nonfinite, found[(run, "lost")].nonfinite_first) == (5, 5, 0)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0.1, 0.2, -3.5], "f32"),
        ([0.0, 0.0], "f32"),
        ([2.0**24, 1.0], "f32"),
        ([2.0**24 + 1, 1.0], "f64"),
        ([-(2.0**24) - 1, 1.0], "f64"),
        ([1e300, 1.0], "f64"),
        ([2.0**-126, 1.0], "f32"),
        ([2.0**-127, 1.0], "f64"),
        ([-1e-40, 1.0], "f64"),
        ([1000.0, 1000.0], "f32"),
        ([1024.0, 1024.0 - 2.0**-4], "f32"),
        ([1024.0, 1024.0 - 2.0**-5], "f64"),
        (["NaN", 0.5], "f32"),
        (["NaN", "NaN"], "f32"),
    ],
)
def test_a_series_is_f64_where_f32_would_show(
    api: httpx.Client, run: str, values: list[float | str], dtype: str
) -> None:
    log(api, run, "v", values)
    _, found = frame(api, run_ids=[run], keys=["v"], buckets=len(values))
    assert found[(run, "v")].dtype == dtype


def test_a_long_name_and_a_wide_page_keep_columns_in_place(api: httpx.Client, runs: list[str]) -> None:
    keys = [f"m/{'é' * length}" for length in range(1, 9)]
    for run in runs:
        for number, key in enumerate(keys):
            log(api, run, key, [0.5 * number] * (number + 1))
    header, found = frame(api, run_ids=runs, keys=keys, buckets=5)
    assert len(found) == len(runs) * len(keys)
    assert len(header["metrics"]) == len(keys)


def test_errors_stay_problems(api: httpx.Client, run: str) -> None:
    refused = api.post("/experiments/runs/series", json={"run_ids": [run], "keys": []}, headers={"Accept": GNM1})
    assert_problem(refused, 400, "invalid_request", field="keys")
    refused = api.post(
        "/experiments/runs/series", json={"run_ids": ["f" * 32], "keys": ["a"]}, headers={"Accept": GNM1}
    )
    assert_problem(refused, 404, "run_not_found")
