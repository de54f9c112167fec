"""Comparing runs: which way a metric goes, who is best, draws, NaN, and where params differ."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon_server.core.comparison import compare, direction_of
from gnomon_server.model.entities import Run
from gnomon_server.model.ids import ExperimentUid, RowId, RunUid

NAN, INF = math.nan, math.inf


def run(uid: str, metrics: Mapping[str, float] | None = None, params: Mapping[str, str] | None = None) -> Run:
    return Run(
        row=RowId(1),
        uid=RunUid(uid),
        experiment=RowId(1),
        experiment_uid=ExperimentUid("e"),
        artifact_location="",
        name=uid,
        description="",
        status="running",
        lifecycle_stage="active",
        archived_with=None,
        start_ms=0,
        end_ms=None,
        created_by="me",
        params=params or {},
        metrics=metrics or {},
    )


@pytest.mark.parametrize(
    "metric",
    "loss val_loss val/loss train.loss valLoss logloss cross_entropy_loss LOSS error errorRate top1_error rmse RMSE mae"
    " mse mape perplexity ppl latency latency_p99 inference_ms duration secs wer cer nll kl_divergence fid regret"
    " brier_score".split(),
)
def test_a_cost_is_best_when_small(metric: str) -> None:
    assert direction_of(metric) == "min"


@pytest.mark.parametrize(
    "metric",
    "acc accuracy val_accuracy f1 f1_score auc roc_auc precision recall reward score bleu rouge_l iou map mAP r2"
    " glossary flossiness throughput tokens_per_sec samples".split(),
)
def test_anything_else_is_best_when_large(metric: str) -> None:
    assert direction_of(metric) == "max"


def test_the_request_overrides_what_the_name_says() -> None:
    runs = [run("a", {"loss": 1, "acc": 1}), run("b", {"loss": 2, "acc": 2})]
    found = compare(runs, None, {"loss": "max", "acc": "min"})
    assert (found.metrics["loss"].best_run, found.metrics["acc"].best_run) == ("b", "a")


def test_nan_never_wins_and_a_missing_value_neither() -> None:
    runs = [run("a", {"acc": NAN}), run("b", {"acc": -INF}), run("c")]
    for direction in ("min", "max"):
        metric = compare(runs, None, {"acc": direction}).metrics["acc"]  # type: ignore[dict-item]
        assert (metric.best_run, metric.best_value) == ("b", -INF)
    alone = compare([run("a", {"acc": NAN}), run("c")], None, {}).metrics["acc"]
    assert (alone.best_run, alone.best_value, alone.winners) == (None, None, frozenset())
    assert math.isnan(alone.values["a"] or 0.0)
    assert alone.values["c"] is None


def test_best_run_wins_most_metrics_and_a_draw_is_none() -> None:
    a, b = {"acc": 2.0, "f1": 2.0, "auc": 0.0}, {"acc": 1.0, "f1": 1.0, "auc": 1.0}
    assert compare([run("a", a), run("b", b)], None, {}).best_run == "a"
    assert compare([run("a", a), run("b", b)], ["acc", "auc"], {}).best_run is None
    assert compare([run("a", a), run("b", b)], ["auc"], {}).best_run == "b"
    assert compare([run("a"), run("b")], None, {}).best_run is None
    equal = compare([run("a", {"acc": 1}), run("b", {"acc": 1})], None, {})
    assert equal.best_run is None
    assert equal.metrics["acc"].best_run == "a"
    assert equal.metrics["acc"].winners == {"a", "b"}


def test_params_differ_where_values_do_or_one_is_missing() -> None:
    runs = [run("a", params={"lr": "0.1", "same": "x", "only": "1"}), run("b", params={"lr": "0.10", "same": "x"})]
    assert compare(runs, None, {}).param_differences == {
        "lr": {"a": "0.1", "b": "0.10"},
        "only": {"a": "1", "b": None},
    }


NAMES = st.sampled_from(["acc", "loss", "f1"])
VALUES = st.one_of(st.floats(), st.integers(-3, 3).map(float))


@given(st.lists(st.dictionaries(NAMES, VALUES), min_size=2, max_size=10))
def test_the_winner_is_never_beaten(logged: list[dict[str, float]]) -> None:
    runs = [run(str(place), metrics) for place, metrics in enumerate(logged)]
    found = compare(runs, None, {})
    wins = dict.fromkeys((one.uid for one in runs), 0)
    for name, metric in found.metrics.items():
        numbers = [value for one in runs if (value := one.metrics.get(name)) is not None and not math.isnan(value)]
        best = (min if direction_of(name) == "min" else max)(numbers, default=None)
        assert metric.best_value == best
        assert metric.winners == {one.uid for one in runs if best is not None and one.metrics.get(name) == best}
        assert set(metric.values) == set(wins)
        for uid in metric.winners:
            wins[uid] += 1
    most = max(wins.values())
    leaders = [uid for uid, count in wins.items() if count == most]
    assert found.best_run == (leaders[0] if most and len(leaders) == 1 else None)
