"""A callback for CatBoost.

    model.fit(x, y, eval_set=(a, b), callbacks=[GnomonCallback(experiment="fraud")])
    log_model(model)

Each metric of each data set is a series (`learn/Logloss`, `validation/Logloss`) over the rounds. CatBoost tells a
callback nothing of the model, so `log_model`, called after the fit, keeps its parameters and its best score.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gnomon.begin import active_run, init
from gnomon.guard import guarded
from gnomon.run import Run
from gnomon.trainers.held import HeldRun


class Round(Protocol):
    """What CatBoost tells of a round: its number, and for each data set each metric so far."""

    iteration: int
    metrics: Mapping[str, Mapping[str, Sequence[float]]]


class Model(Protocol):
    """What is needed of a fitted model."""

    def get_all_params(self) -> Mapping[str, object]: ...
    def get_best_iteration(self) -> int | None: ...
    def get_best_score(self) -> Mapping[str, Mapping[str, float]]: ...
    def get_feature_importance(self) -> Sequence[float]: ...

    feature_names_: Sequence[str]


class GnomonCallback:
    """Logs to `run`, to the active run, or to one begun with what `gnomon.init` takes."""

    def __init__(self, run: Run | None = None, **init: object) -> None:
        self._held = HeldRun(run, init)

    @property
    def run(self) -> Run:
        return self._held.run

    def after_iteration(self, info: Round) -> bool:
        """True: the training goes on."""
        self._log_round(info)
        return True

    def finish(self) -> None:
        """End the run now, if it was begun here; else it ends with the process."""
        self._held.finish()

    @guarded(None)
    def _log_round(self, info: Round) -> None:
        values = {
            f"{data}/{metric}": scores[-1]
            for data, metrics in info.metrics.items()
            for metric, scores in metrics.items()
        }
        # CatBoost counts rounds from 1, every other library from 0.
        self._held.run.log(values, step=info.iteration - 1)


@guarded(None)
def log_model(model: Model, run: Run | None = None) -> None:
    """Keep a fitted model's parameters, best score and feature importance."""
    held = run or active_run() or init()
    held.params(model.get_all_params())
    best = model.get_best_iteration()
    if best is not None:
        held.log({"best": model.get_best_score(), "best_iteration": best}, step=best)
    gains = [float(gain) for gain in model.get_feature_importance()]
    ranked = sorted(zip(model.feature_names_, gains, strict=True), key=lambda item: -item[1])
    held.log_table("importance", {"feature": [name for name, _ in ranked], "gain": [gain for _, gain in ranked]})
