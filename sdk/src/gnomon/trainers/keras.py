"""A callback for Keras 3, on any of its backends.

    model.fit(x, y, validation_data=..., callbacks=[GnomonCallback(experiment="digits")])

The metrics of an epoch stand at the epoch's number; with `every_batches`, those of so many batches stand as `batch/…`
at the number of the batch. The optimiser's settings and the shape of the fit are params.
"""

from collections.abc import Mapping

import keras

from gnomon.guard import guarded
from gnomon.run import Run
from gnomon.trainers.held import HeldRun


class GnomonCallback(keras.callbacks.Callback):
    """Logs to `run`, to the active run, or to one begun with what `gnomon.init` takes.

    A run that was begun here ends with the process, or by `finish()`.
    """

    def __init__(self, run: Run | None = None, *, every_batches: int = 0, **init: object) -> None:
        super().__init__()
        self._held = HeldRun(run, init)
        self._every_batches = every_batches
        self._batches = 0
        self._is_fitting = False

    @guarded(None)
    def on_train_begin(self, logs: Mapping[str, object] | None = None) -> None:
        self._is_fitting = True
        held = self._held.run
        held.params({"fit": {key: value for key, value in self.params.items() if key in ("epochs", "steps")}})
        held.params({"parameters": self.model.count_params()})
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None:
            held.params({"optimizer": optimizer.get_config()})

    @guarded(None)
    def on_train_batch_end(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        self._batches += 1
        if self._every_batches and self._batches % self._every_batches == 0:
            self._held.run.log({"batch": dict(logs or {})}, step=self._batches)

    @guarded(None)
    def on_epoch_end(self, epoch: int, logs: Mapping[str, object] | None = None) -> None:
        values = dict(logs or {})
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        if rate is not None:
            values.setdefault("learning_rate", float(rate))
        self._held.run.log(values, step=epoch)

    @guarded(None)
    def on_train_end(self, logs: Mapping[str, object] | None = None) -> None:
        self._is_fitting = False

    @guarded(None)
    def on_test_end(self, logs: Mapping[str, object] | None = None) -> None:
        if not self._is_fitting:  # within a fit the epoch's metrics say the same, as `val_…`
            self._held.run.log({"test": dict(logs or {})})

    @property
    def run(self) -> Run:
        """The run that is logged to."""
        return self._held.run

    def finish(self) -> None:
        """End the run now, if it was begun here."""
        self._held.finish()
