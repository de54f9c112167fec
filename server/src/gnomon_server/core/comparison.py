"""Comparing runs: which way a metric is better, who is best, where params differ. Pure functions over runs."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from gnomon_server.model.entities import Run

Direction = Literal["min", "max"]

# Words in a metric's name that say it is a cost. Whatever else is taken for a gain.
_COSTS = frozenset(
    (
        "loss losses err error errors rmse rmsle mse msle mae mape smape medae mad wmape perplexity ppl latency cost"
        " costs time duration elapsed secs seconds ms wer cer mer ter nll logloss entropy divergence kl kld fid kid"
        " lpips regret distance deviance ece mce brier eer fpr fnr fdr bpc bpb bpd penalty violation violations"
        " overhead residual chamfer hausdorff"
    ).split()
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class ComparedMetric(Struct, frozen=True):
    direction: Direction
    best_run: str | None
    best_value: float | None
    values: Mapping[str, float | None]
    winners: frozenset[str]


class RunComparison(Struct, frozen=True):
    metrics: Mapping[str, ComparedMetric]
    param_differences: Mapping[str, Mapping[str, str | None]]
    best_run: str | None


def direction_of(metric: str) -> Direction:
    """`min` where the name says a cost (`val/loss`, `errorRate`, `rmse`), else `max`."""
    words = [word.lower() for word in _WORD.findall(metric)]
    is_cost = any(word in _COSTS or word.endswith(("loss", "error")) for word in words)
    return "min" if is_cost else "max"


def compare(runs: Sequence[Run], metrics: Sequence[str] | None, directions: Mapping[str, Direction]) -> RunComparison:
    """Compare runs over the named metrics, or over every metric that any of them has.

    NaN never wins. Of runs that share the best value the first named is `best_run` of the metric, and each of them has
    won it; the overall best won most metrics, and a draw is None.
    """
    names = sorted({name for run in runs for name in run.metrics}) if metrics is None else list(dict.fromkeys(metrics))
    compared = {name: _compare_metric(runs, name, directions.get(name) or direction_of(name)) for name in names}
    wins = Counter(winner for metric in compared.values() for winner in metric.winners)
    ranked = wins.most_common(2)
    is_draw = len(ranked) == 2 and ranked[0][1] == ranked[1][1]
    params = sorted({name for run in runs for name in run.params})
    differences: dict[str, dict[str, str | None]] = {
        name: {run.uid: run.params.get(name) for run in runs} for name in params
    }
    return RunComparison(
        metrics=compared,
        param_differences={name: values for name, values in differences.items() if len(set(values.values())) > 1},
        best_run=None if is_draw or not ranked else ranked[0][0],
    )


def _compare_metric(runs: Sequence[Run], name: str, direction: Direction) -> ComparedMetric:
    values: dict[str, float | None] = {run.uid: run.metrics.get(name) for run in runs}
    numbers = [value for value in values.values() if value is not None and not math.isnan(value)]
    if not numbers:
        return ComparedMetric(direction, None, None, values, frozenset())
    best = min(numbers) if direction == "min" else max(numbers)
    winners = [uid for uid, value in values.items() if value == best]
    return ComparedMetric(direction, winners[0], best, values, frozenset(winners))
