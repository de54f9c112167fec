"""Reading points and runs: histories, reduced series, the key catalogue, tables, groups; by the description."""

import random
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

Json = dict[str, Any]
NOBODY = "f" * 32


def _log(api: httpx.Client, run: str, key: str, points: list[tuple[float, int, float | str]]) -> None:
    for start in range(0, len(points), 10_000):
        entries = [
            {"key": key, "step": step, "timestamp": time_ms, "value": value}
            for step, time_ms, value in points[start : start + 10_000]
        ]
        answer = api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": entries})
        assert answer.status_code == 200, answer.text


def _history(api: httpx.Client, run: str, **params: str | int) -> Json:
    answer = api.get(f"/experiments/runs/{run}/history", params=params)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


def test_history_is_ordered_by_step_then_arrival_and_pages_by_key(api: httpx.Client, run: str) -> None:
    rng = random.Random(7)
    arrived = [(float(rng.randrange(40)), place, place / 8) for place in range(500)]
    _log(api, run, "a", arrived)
    _log(api, run, "b", arrived[:3])
    expected = sorted(arrived, key=lambda point: point[0])  # stable: arrival decides among equal steps
    page = _history(api, run, key="a")
    assert set(page) == {"run_id", "series", "limit", "offset"}
    (series,) = page["series"]
    assert set(series) == {"key", "total", "step", "timestamp", "value"}
    found = list(zip(series["step"], series["timestamp"], series["value"], strict=True))
    assert found == expected
    assert all(isinstance(step, int) for step in series["step"])
    pages = [_history(api, run, limit=200, offset=offset)["series"] for offset in (0, 200, 400, 600)]
    assert [len(page[0]["value"]) for page in pages] == [200, 200, 100, 0]
    assert [len(page[1]["value"]) for page in pages] == [3, 0, 0, 0]
    assert [[one["total"] for one in page] for page in pages] == [[500, 3]] * 4
    assert [value for page in pages for value in page[0]["value"]] == [value for _, _, value in expected]


def test_history_answers_keys_as_they_were_asked_for(api: httpx.Client, run: str) -> None:
    for key in ("b", "a", "c"):
        _log(api, run, key, [(1, 1, 1)])
    answer = api.get(f"/experiments/runs/{run}/history?key=c&key=nowhere&key=a&key=c").json()
    assert [(one["key"], one["total"]) for one in answer["series"]] == [("c", 1), ("nowhere", 0), ("a", 1)]
    assert answer["series"][1] == {"key": "nowhere", "total": 0, "step": [], "timestamp": [], "value": []}
    assert {one["key"] for one in _history(api, run)["series"]} == {"a", "b", "c"}


def test_history_gives_10000_points_unless_asked_and_100000_at_most(api: httpx.Client, run: str) -> None:
    _log(api, run, "long", [(step, step, step % 97) for step in range(100_001)])
    (series,) = _history(api, run, key="long")["series"]
    assert (len(series["value"]), series["total"]) == (10_000, 100_001)
    (series,) = _history(api, run, key="long", limit=100_000)["series"]
    assert series["step"] == list(range(100_000))
    (series,) = _history(api, run, key="long", limit=100_000, offset=100_000)["series"]
    assert series["step"] == [100_000]
    for params in ({"limit": 100_001}, {"limit": 0}, {"offset": -1}):
        refused = api.get(f"/experiments/runs/{run}/history", params=params)
        assert_problem(refused, 400, "invalid_request", field=next(iter(params)))
    csv = api.get(f"/experiments/runs/{run}/history?key=long&limit=3", headers={"Accept": "text/csv"})
    assert csv.text.count("\n") == 100_002  # the whole of it


def test_series_has_an_entry_for_each_bucket_that_holds_points(api: httpx.Client, run: str) -> None:
    rng = random.Random(11)
    steps = sorted(rng.sample(range(20_000), 9_000))
    values: list[float | str] = [rng.choice(("NaN", "Infinity", rng.gauss(0, 1), rng.gauss(0, 1))) for _ in steps]
    _log(api, run, "v", [(step, step, value) for step, value in zip(steps, values, strict=True)])
    for buckets in (1, 7, 800, 5_000):
        body = {"run_ids": [run], "keys": ["v"], "buckets": buckets}
        answer = api.post("/experiments/runs/series", json=body)
        assert answer.status_code == 200, answer.text
        (series,) = answer.json()["series"]
        assert set(series) == {
            *("run_id", "key", "n", "nonfinite", "x", "first", "last", "min", "max", "mean", "count"),
        }
        columns = [series[name] for name in ("x", "first", "last", "min", "max", "mean", "count")]
        assert len({len(column) for column in columns}) == 1
        assert 0 < len(series["x"]) <= buckets
        assert series["x"] == sorted(series["x"])
        finite = [value for value in values if not isinstance(value, str)]
        assert series["n"] == len(values)
        assert sum(series["count"]) == len(finite)
        assert series["nonfinite"] == len(values) - len(finite)
        filled = [place for place, count in enumerate(series["count"]) if count]
        assert min(series["min"][place] for place in filled) == min(finite)
        assert max(series["max"][place] for place in filled) == max(finite)
        assert series["first"][filled[0]] == finite[0]
        assert series["last"][filled[-1]] == finite[-1]
        total = sum(series["mean"][place] * series["count"][place] for place in filled)
        assert total == pytest.approx(sum(finite), abs=1e-9 * len(finite))
        for place in set(range(len(series["x"]))) - set(filled):
            assert [series[name][place] for name in ("first", "last", "min", "max", "mean")] == [None] * 5


def test_series_takes_800_buckets_unless_asked(api: httpx.Client, run: str) -> None:
    _log(api, run, "v", [(step, step, step) for step in range(5_000)])

    def count(**more: object) -> int:
        body = {"run_ids": [run], "keys": ["v"], **more}
        answer = api.post("/experiments/runs/series", json=body)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["series"][0]["x"])

    assert count() == 800
    assert count(buckets=5_000) == 5_000
    assert count(range=[100, 199], buckets=1_000) == 100
    assert count(range=[0.5, 0.6]) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"buckets": 0}, "buckets"),
        ({"buckets": 5001}, "buckets"),
        ({"buckets": 1.5}, "buckets"),
        ({"range": [2, 1]}, "range"),
        ({"range": [1]}, "range"),
        ({"range": ["a", 1]}, "range"),
        ({"run_ids": []}, "run_ids"),
        ({"keys": []}, "keys"),
        ({"keys": ["a", "a"]}, "keys"),
        ({"x": 1}, "x"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_wrong_request_for_series_is_named(api: httpx.Client, run: str, change: Json, field: str) -> None:
    refused = api.post("/experiments/runs/series", json={"run_ids": [run], "keys": ["a"], **change})
    assert_problem(refused, 400, "invalid_request", field=field)


def test_series_of_ids_that_are_not_ones_own(server: ServerProcess, api: httpx.Client, run: str) -> None:
    body = {"run_ids": [run, NOBODY], "keys": ["a"]}
    assert_problem(api.post("/experiments/runs/series", json=body), 404, "run_not_found")
    with server.client("reading-foreign") as other:
        refused = other.post("/experiments/runs/series", json={"run_ids": [run], "keys": ["a"]})
        assert_problem(refused, 403, "tenant_access_denied")


def _three_runs(api: httpx.Client, experiment: str) -> list[str]:
    runs = []
    for number, team in enumerate(("ads", "risk", "risk")):
        body = {"experiment_id": experiment, "name": f"r{number}", "tags": {"team": team}}
        run = api.post("/experiments/runs", json=body).json()["id"]
        _log(api, run, "loss", [(step, step, (number + 1) / (step + 1)) for step in range(4)])
        _log(api, run, "odd", [(0, 0, 1.5), (1, 1, "NaN"), (2, 2, "Infinity" if number else "NaN")])
        if number:
            api.post(f"/experiments/runs/{run}/log-params", json={"params": {"lr": 10.0**-number}})
        runs.append(run)
    return runs


def test_a_table_has_every_aggregate(api: httpx.Client, experiment: str) -> None:
    runs = _three_runs(api, experiment)
    aggregates = ("last", "min", "max", "mean", "first", "n")
    columns = [f"metrics.{key}.{aggregate}" for key in ("loss", "odd", "none") for aggregate in aggregates]
    columns += ["metrics.loss", "params.lr", "tags.team", "name", "status", "end_time"]
    path = f"/experiments/{experiment}/table"
    answer = api.get(path, params={"columns": ",".join(columns), "order_by": "name asc"})
    assert answer.status_code == 200, answer.text
    table = answer.json()
    assert set(table) == {"total", "limit", "offset", "run_ids", "columns"}
    assert (table["total"], table["run_ids"]) == (3, runs)
    assert list(table["columns"]) == columns
    cells = table["columns"]
    assert cells["metrics.loss.last"] == cells["metrics.loss"] == [0.25, 0.5, 0.75]
    assert cells["metrics.loss.first"] == cells["metrics.loss.max"] == [1, 2, 3]
    assert cells["metrics.loss.min"] == [0.25, 0.5, 0.75]
    assert cells["metrics.loss.mean"] == pytest.approx([25 / 48, 25 / 24, 25 / 16])
    assert cells["metrics.loss.n"] == [4, 4, 4]
    assert cells["metrics.odd.last"] == ["NaN", "Infinity", "Infinity"]
    assert cells["metrics.odd.min"] == cells["metrics.odd.max"] == cells["metrics.odd.mean"] == [1.5, 1.5, 1.5]
    assert cells["metrics.odd.first"] == [1.5, 1.5, 1.5]
    assert cells["metrics.odd.n"] == [3, 3, 3]
    assert [cells[f"metrics.none.{aggregate}"] for aggregate in aggregates] == [[None] * 3] * 6
    assert cells["params.lr"] == [None, "0.1", "0.01"]
    assert cells["tags.team"] == ["ads", "risk", "risk"]
    assert (cells["name"], cells["end_time"]) == (["r0", "r1", "r2"], [None] * 3)


def test_a_table_is_filtered_ordered_and_paged(api: httpx.Client, experiment: str) -> None:
    runs = _three_runs(api, experiment)
    path = f"/experiments/{experiment}/table"

    def ids(**params: str | int) -> list[str]:
        answer = api.get(path, params=params)
        assert answer.status_code == 200, answer.text
        found: list[str] = answer.json()["run_ids"]
        return found

    assert ids(filter="metrics.loss.max > 1") == [runs[2], runs[1]]
    assert ids(order_by="metrics.loss asc") == runs
    assert ids(order_by="metrics.loss desc", limit=1, offset=1) == [runs[1]]
    assert ids(order_by="params.lr asc") == [runs[2], runs[1], runs[0]]
    assert ids(filter="tags.team = 'risk'", order_by="name desc") == [runs[2], runs[1]]
    api.delete(f"/experiments/runs/{runs[0]}")
    assert ids(lifecycle_stage="deleted") == [runs[0]]
    for params, code, field in (
        ({"columns": "loss"}, "invalid_columns", "columns"),
        ({"columns": "metrics."}, "invalid_columns", "columns"),
        ({"filter": "loss <"}, "invalid_filter", "filter"),
        ({"order_by": "name sideways"}, "invalid_order_by", "order_by"),
    ):
        assert_problem(api.get(path, params=params), 400, code, field=field)


def test_groups_hold_statistics_over_all_their_runs(api: httpx.Client, experiment: str) -> None:
    _three_runs(api, experiment)
    path = f"/experiments/{experiment}/groups"
    answer = api.get(path, params={"by": "tags.team", "columns": "metrics.loss,params.lr"})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert set(page) == {"groups", "total", "limit", "offset"}
    by_team = {group["values"]["tags.team"]: group for group in page["groups"]}
    assert {team: group["n"] for team, group in by_team.items()} == {"ads": 1, "risk": 2}
    loss = by_team["risk"]["aggregates"]["metrics.loss"]
    assert set(loss) == {"mean", "std", "min", "max", "n"}
    assert (loss["mean"], loss["min"], loss["max"], loss["n"]) == (0.625, 0.5, 0.75, 2)
    assert loss["std"] == pytest.approx(0.125 * 2**0.5)
    assert by_team["ads"]["aggregates"]["params.lr"] == {"mean": None, "std": None, "min": None, "max": None, "n": 0}
    for params, field in (({}, "by"), ({"by": ""}, "by"), ({"by": "nothing"}, "by")):
        refused = api.get(path, params=params)
        assert_problem(refused, 400, refused.json()["code"], field=field)


def test_the_key_catalogue_knows_kinds_prefixes_and_numbers_of_runs(api: httpx.Client, experiment: str) -> None:
    runs = _three_runs(api, experiment)

    def keys(**params: str | int | list[str]) -> list[tuple[str, str, int]]:
        answer = api.get(f"/experiments/{experiment}/keys", params=params)
        assert answer.status_code == 200, answer.text
        assert all(set(one) == {"kind", "key", "runs"} for one in answer.json()["keys"])
        return [(one["kind"], one["key"], one["runs"]) for one in answer.json()["keys"]]

    everything = [("metric", "loss", 3), ("metric", "odd", 3), ("param", "lr", 2), ("tag", "team", 3)]
    assert sorted(keys()) == everything
    assert keys(kind="param") == [("param", "lr", 2)]
    assert sorted(keys(kind=["metric", "tag"])) == [everything[0], everything[1], everything[3]]
    assert sorted(keys(prefix="l")) == [("metric", "loss", 3), ("param", "lr", 2)]
    assert keys(prefix="%") == keys(prefix="_") == keys(prefix="L") == []
    assert len(keys(limit=1, offset=3)) == 1
    api.patch(f"/experiments/runs/{runs[0]}", json={"tags": {"team": None}})
    assert keys(kind="tag") == [("tag", "team", 2)]
    api.patch(f"/experiments/runs/{runs[1]}", json={"tags": {"team": None}})
    api.patch(f"/experiments/runs/{runs[2]}", json={"tags": {"team": None, "new": "x"}})
    assert keys(kind="tag") == [("tag", "new", 1)]
    refused = api.get(f"/experiments/{experiment}/keys", params={"prefix": "p" * 251})
    assert_problem(refused, 400, "invalid_request", field="prefix")
