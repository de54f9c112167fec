"""A callback for LightGBM: `lightgbm.train`, `lightgbm.cv`, and the scikit-learn classes.

    lightgbm.train(params, data, valid_sets=[held_out], callbacks=[GnomonCallback(experiment="fraud")])

Each metric of each evaluation set is a series (`valid_0/l2`) over the rounds; of a cross-validation there are the mean
and `…/std`. The parameters of the training are params.
"""

from typing import TYPE_CHECKING

from gnomon.guard import guarded
from gnomon.run import Run
from gnomon.trainers.held import HeldRun

if TYPE_CHECKING:
    from lightgbm.callback import CallbackEnv


class GnomonCallback:
    """Logs to `run`, to the active run, or to one begun with what `gnomon.init` takes."""

    # LightGBM asks for these: after each round, behind its own early stopping.
    order = 25
    before_iteration = False

    def __init__(self, run: Run | None = None, **init: object) -> None:
        self._held = HeldRun(run, init)
        self._has_params = False

    @guarded(None)
    def __call__(self, env: "CallbackEnv") -> None:
        held = self._held.run
        if not self._has_params:
            self._has_params = True
            held.params(env.params)
        values: dict[str, float] = {}
        for result in env.evaluation_result_list or ():
            data, metric, value, _, *std = result
            values[f"{data}/{metric}"] = value
            if std and std[0] is not None:
                values[f"{data}/{metric}/std"] = std[0]
        held.log(values, step=env.iteration)

    @property
    def run(self) -> Run:
        """The run that is logged to."""
        return self._held.run

    def finish(self) -> None:
        """End the run now, if it was begun here; else it ends with the process."""
        self._held.finish()
