"""A callback for XGBoost: `xgboost.train`, `xgboost.cv`, and the scikit-learn classes.

    xgboost.train(params, data, evals=[(held_out, "valid")], callbacks=[GnomonCallback(experiment="fraud")])

Each metric of each evaluation set is a series (`valid/logloss`) over the rounds; of a cross-validation there are the
mean and `…/std`. The booster's settings are params. At the end come the best round and score, and how much each
feature gains, as a table.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import xgboost

from gnomon.guard import guarded
from gnomon.run import Run
from gnomon.trainers.held import HeldRun

_BEST = ("best_iteration", "best_score")
Scores = Sequence[float] | Sequence[tuple[float, float]]


class GnomonCallback(xgboost.callback.TrainingCallback):
    """Logs to `run`, to the active run, or to one begun with what `gnomon.init` takes."""

    def __init__(self, run: Run | None = None, *, importance: bool = True, **init: object) -> None:
        super().__init__()
        self._held = HeldRun(run, init)
        self._importance = importance

    def before_training(self, model: "xgboost.Booster") -> "xgboost.Booster":
        self._log_settings(model)
        return model

    def after_iteration(
        self, model: "xgboost.Booster", epoch: int, evals_log: Mapping[str, Mapping[str, Scores]]
    ) -> bool:
        """False: the training goes on."""
        self._log_round(epoch, evals_log)
        return False

    def after_training(self, model: "xgboost.Booster") -> "xgboost.Booster":
        self._log_end(model)
        return model

    @property
    def run(self) -> Run:
        """The run that is logged to."""
        return self._held.run

    def finish(self) -> None:
        """End the run now, if it was begun here; else it ends with the process."""
        self._held.finish()

    @guarded(None)
    def _log_settings(self, model: object) -> None:
        held = self._held.run
        save_config = getattr(model, "save_config", None)
        if callable(save_config):  # a fold of a cross-validation has none
            held.params(_settings(json.loads(save_config())))

    @guarded(None)
    def _log_round(self, epoch: int, evals_log: Mapping[str, Mapping[str, Scores]]) -> None:
        values: dict[str, float] = {}
        for data, metrics in evals_log.items():
            for metric, scores in metrics.items():
                last = scores[-1]
                if isinstance(last, tuple):
                    values[f"{data}/{metric}"], values[f"{data}/{metric}/std"] = last
                else:
                    values[f"{data}/{metric}"] = last
        self._held.run.log(values, step=epoch)

    @guarded(None)
    def _log_end(self, model: object) -> None:
        held = self._held.run
        if not isinstance(model, xgboost.Booster):  # a fold of a cross-validation tells neither
            return
        best: dict[str, object] = {
            key: float(text) for key, text in model.attributes().items() if key in _BEST and text is not None
        }
        if best:
            held.log(best, step=model.best_iteration)
        gains = model.get_score(importance_type="gain") if self._importance else {}
        ranked = sorted(((_sum(gain), name) for name, gain in gains.items()), reverse=True)
        if ranked:
            held.log_table(
                "importance", {"feature": [name for _, name in ranked], "gain": [gain for gain, _ in ranked]}
            )


def _sum(gain: float | list[float]) -> float:
    """A linear booster has a gain for each class."""
    return sum(gain) if isinstance(gain, list) else gain


def _settings(config: object) -> dict[str, object]:
    """The parameters in the booster's own config, by their names; where a name occurs twice, with its place before it.

    They are the mappings named `…_param`, wherever they stand.
    """
    found: dict[str, dict[str, object]] = {}
    _collect(config, found, depth=0)
    places = Counter(name for params in found.values() for name in params)
    return {
        name if places[name] == 1 else f"{place}/{name}": value
        for place, params in found.items()
        for name, value in params.items()
    }


def _collect(config: object, found: dict[str, dict[str, object]], *, depth: int) -> None:
    if not isinstance(config, Mapping) or depth > 8:
        return
    for key, value in config.items():
        if isinstance(value, Mapping) and key.endswith("_param"):
            found[key] = dict(value)
        else:
            _collect(value, found, depth=depth + 1)
