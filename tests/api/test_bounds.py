"""Bounds of requests on experiments, each at the limit and one past it: taken, then refused with the field's name."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem

from gnomon_server.api.native.batches import MAX_POINTS, MAX_WRITER
from gnomon_server.api.native.metrics import MAX_KEYS
from gnomon_server.core.experiments import MAX_TAGS
from gnomon_server.core.metrics import MAX_SERIES_KEYS, MAX_SERIES_RUNS
from gnomon_server.core.runs import MAX_EXPERIMENTS_A_SEARCH
from gnomon_server.core.views import MAX_STATE, MAX_VIEWS
from gnomon_server.model.filters.order import MAX_COLUMNS, MAX_ORDER_ITEMS
from gnomon_server.model.filters.parser import MAX_COMPARISONS, MAX_DEPTH, MAX_LIST
from gnomon_server.model.filters.patterns import MAX_PATTERN_BYTES

Ask = Callable[[httpx.Client, str, str, int], httpx.Response]


def _get(path: str, query: Callable[[int], Any], *, name: str) -> Ask:
    def ask(api: httpx.Client, experiment: str, run: str, count: int) -> httpx.Response:
        where = path.replace("EXPERIMENT", experiment).replace("RUN", run)
        value = query(count)
        return api.get(where, params={name: [experiment] * count if value is None else value})

    return ask


def _filter(query: Callable[[int], str]) -> Ask:
    return _get("/experiments/runs", query, name="filter")


def _batch(body: Callable[[int], dict[str, Any]]) -> Ask:
    def ask(api: httpx.Client, experiment: str, run: str, count: int) -> httpx.Response:
        return api.post(f"/experiments/runs/{run}/batches", json={"writer": "w", "seq": 0, **body(count)})

    return ask


def _points(count: int) -> dict[str, Any]:
    columns = {"key": [0] * count, "step": list(range(count)), "timestamp": [0] * count, "value": [0.5] * count}
    return {"points": {"keys": ["m"], **columns}}


def _save_view(api: httpx.Client, experiment: str, run: str, count: int) -> httpx.Response:
    return api.post(f"/experiments/{experiment}/views", json={"name": "v", "state": "s" * count})


def _set_tags(api: httpx.Client, experiment: str, run: str, count: int) -> httpx.Response:
    return api.patch(f"/experiments/{experiment}", json={"tags": {f"t{at}": "" for at in range(count)}})


def _series(runs: bool) -> Ask:
    def ask(api: httpx.Client, experiment: str, run: str, count: int) -> httpx.Response:
        runs_asked = [run, *(f"{at:032x}" for at in range(count - 1))] if runs else [run]
        keys = ["m"] if runs else [f"m{at}" for at in range(count)]
        return api.post("/experiments/runs/series", json={"run_ids": runs_asked, "keys": keys, "buckets": 1})

    return ask


@pytest.mark.parametrize(
    ("most", "ask", "code"),
    [
        pytest.param(MAX_POINTS, _batch(_points), "invalid_request", id="points of a sequenced batch"),
        pytest.param(MAX_WRITER, _batch(lambda n: {"writer": "w" * n}), "invalid_request", id="name of a writer"),
        pytest.param(MAX_STATE, _save_view, "invalid_request", id="state of a view"),
        pytest.param(MAX_TAGS, _set_tags, "invalid_request", id="tags of a request"),
        pytest.param(MAX_SERIES_KEYS, _series(runs=False), "invalid_request", id="keys of series"),
        pytest.param(
            MAX_EXPERIMENTS_A_SEARCH,
            _get("/experiments/runs", lambda _: None, name="experiment_id"),
            "invalid_request",
            id="experiments of a search",
        ),
        pytest.param(
            MAX_KEYS,
            _get("/experiments/runs/RUN/history", lambda n: ["m"] * n, name="key"),
            "invalid_request",
            id="keys of a history",
        ),
        pytest.param(
            MAX_COLUMNS,
            _get(
                "/experiments/EXPERIMENT/table", lambda n: ",".join(f"params.p{at}" for at in range(n)), name="columns"
            ),
            "invalid_columns",
            id="columns of a table",
        ),
        pytest.param(
            MAX_ORDER_ITEMS,
            _get("/experiments/runs", lambda n: ",".join(f"params.p{at}" for at in range(n)), name="order_by"),
            "invalid_order_by",
            id="items of an order",
        ),
        pytest.param(
            MAX_COMPARISONS,
            _filter(lambda n: " and ".join(["metrics.a > 1"] * n)),
            "invalid_filter",
            id="comparisons of a filter",
        ),
        pytest.param(
            MAX_DEPTH,
            _filter(lambda n: "(" * n + "metrics.a > 1" + ")" * n),
            "invalid_filter",
            id="levels of a filter",
        ),
        pytest.param(
            MAX_LIST,
            _filter(lambda n: f"metrics.a in ({','.join(['1'] * n)})"),
            "invalid_filter",
            id="items of a list",
        ),
        pytest.param(
            MAX_PATTERN_BYTES,
            _filter(lambda n: f"params.a =~ '{'x' * n}'"),
            "invalid_filter",
            id="bytes of a pattern",
        ),
    ],
)
def test_at_the_limit_and_one_past_it(
    api: httpx.Client, experiment: str, run: str, most: int, ask: Ask, code: str
) -> None:
    refused = ask(api, experiment, run, most + 1)
    assert_problem(refused, 400, code)
    taken = ask(api, experiment, run, most)
    assert taken.is_success, taken.text


def test_the_runs_of_a_request_for_series(api: httpx.Client, experiment: str, run: str) -> None:
    """Unknown runs are looked up only within the bound."""
    assert_problem(_series(runs=True)(api, experiment, run, MAX_SERIES_RUNS + 1), 400, "invalid_request")
    assert_problem(_series(runs=True)(api, experiment, run, MAX_SERIES_RUNS), 404, "run_not_found")


def test_the_views_of_an_experiment(api: httpx.Client, experiment: str) -> None:
    for number in range(MAX_VIEWS):
        made = api.post(f"/experiments/{experiment}/views", json={"name": f"v{number}", "state": ""})
        assert made.status_code == 201, made.text
    body = {"name": "one more", "state": ""}
    assert_problem(api.post(f"/experiments/{experiment}/views", json=body), 400, "too_many_views")
    views = api.get(f"/experiments/{experiment}/views").json()["views"]
    assert len(views) == MAX_VIEWS
    assert api.delete(f"/experiments/{experiment}/views/{views[0]['id']}").is_success
    assert api.post(f"/experiments/{experiment}/views", json=body).status_code == 201
