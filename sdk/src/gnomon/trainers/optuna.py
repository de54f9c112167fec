"""A callback for Optuna: the study is a run, and each trial a run of its own below it.

    study.optimize(objective, n_trials=50, callbacks=[GnomonCallback(experiment="search")])

The study's run has the value of each trial and the best so far, at the number of the trial. A trial's run has its
parameters, its reported values at their steps, its final values and its attributes; it ends as finished, as failed, or
as killed when it was pruned.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gnomon.guard import guarded
from gnomon.record import EndStatus
from gnomon.run import Run
from gnomon.trainers.held import HeldRun

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_STATUS: Mapping[str, EndStatus] = {"COMPLETE": "finished", "FAIL": "failed", "PRUNED": "killed"}


class GnomonCallback:
    """Logs to `run`, to the active run, or to one begun with what `gnomon.init` takes.

    `metric_names` names the values of a study with several; `children=False` makes no run of a trial.
    """

    def __init__(
        self,
        run: Run | None = None,
        *,
        metric_names: Sequence[str] = (),
        children: bool = True,
        **init: object,
    ) -> None:
        self._held = HeldRun(run, init)
        self._metric_names = metric_names
        self._children = children
        self._has_begun = False

    @guarded(None)
    def __call__(self, study: "Study", trial: "FrozenTrial") -> None:
        held = self._held.run
        values = self._values(trial)
        if not self._has_begun:
            self._has_begun = True
            held.tag({"optuna.study": study.study_name})
            held.params({"directions": [direction.name.lower() for direction in study.directions]})
        best = study.best_value if len(study.directions) == 1 and _has_completed(study) else None
        held.log(values | ({} if best is None else {"best": best}), step=trial.number)
        if self._children:
            self._log_trial(held, trial, values)

    @property
    def run(self) -> Run:
        """The run of the study."""
        return self._held.run

    def finish(self) -> None:
        """End the study's run now, if it was begun here; else it ends with the process."""
        self._held.finish()

    def _log_trial(self, study_run: Run, trial: "FrozenTrial", values: Mapping[str, float]) -> None:
        child = study_run.child(
            f"trial {trial.number}", params=trial.params, tags={"optuna.state": trial.state.name.lower()}
        )
        for step, value in sorted(trial.intermediate_values.items()):
            child.log({"intermediate": value}, step=step)
        child.log(values, step=max(trial.intermediate_values, default=0))
        if trial.user_attrs:
            child.tag({"optuna": trial.user_attrs})
        if trial.duration is not None:
            child.log({"seconds": trial.duration.total_seconds()}, step=0)
        child.finish(_STATUS.get(trial.state.name, "failed"))

    def _values(self, trial: "FrozenTrial") -> dict[str, float]:
        found = trial.values or []
        names = [*self._metric_names] or (["value"] if len(found) == 1 else [f"value_{n}" for n in range(len(found))])
        return dict(zip(names, found, strict=False))


def _has_completed(study: "Study") -> bool:
    return any(trial.state.name == "COMPLETE" for trial in study.get_trials(deepcopy=False))
