"""A logger for PyTorch Lightning, of the package `lightning` or `pytorch_lightning`, whichever is in use.

    trainer = Trainer(logger=GnomonLogger(experiment="fraud"))

Only the process of rank 0 logs. The run is the script's own as `logger.experiment`; it ends with the process, or by
`logger.finish()`, so that what follows `fit` (`test`, another `fit`) is in the same run. A training that fails ends it
as failed.
"""

import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.guard import guarded
from gnomon.run import Run
from gnomon.trainers.held import HeldRun

if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
    from pytorch_lightning.loggers.logger import Logger, rank_zero_experiment
    from pytorch_lightning.utilities import rank_zero_only
else:
    from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
    from lightning.pytorch.utilities import rank_zero_only

if TYPE_CHECKING:
    from typing import Protocol

    class Checkpoints(Protocol):
        """What is needed of `ModelCheckpoint`."""

        best_model_path: str


class GnomonLogger(Logger):
    """Logs to `run`, to the active run, or to one begun with what `gnomon.init` takes.

    `prefix` stands before each metric's name. `log_checkpoints` keeps the best checkpoint as an artifact.
    """

    def __init__(
        self, run: Run | None = None, *, prefix: str = "", log_checkpoints: bool = False, **init: object
    ) -> None:
        super().__init__()
        self._held = HeldRun(run, init)
        self._prefix = prefix
        self._log_checkpoints = log_checkpoints
        self._checkpoint = ""

    @property
    @rank_zero_experiment
    def experiment(self) -> Run:
        """The run, on rank 0."""
        return self._held.run

    @property
    def name(self) -> str | None:
        """The experiment's; Lightning makes folders of it."""
        return self._held.run.experiment if self._held.is_begun else None

    @property
    def version(self) -> str | None:
        """The run's id."""
        return self._held.run.id if self._held.is_begun else None

    @rank_zero_only
    @guarded(None)
    def log_metrics(self, metrics: Mapping[str, object], step: int | None = None) -> None:
        self.experiment.log({f"{self._prefix}{key}": value for key, value in metrics.items()}, step=step)

    @rank_zero_only
    @guarded(None)
    def log_hyperparams(
        self, params: Mapping[str, object] | Namespace | None = None, *args: object, **more: object
    ) -> None:
        given = vars(params) if isinstance(params, Namespace) else dict(params or {})
        self.experiment.params({**given, **more})

    @rank_zero_only
    @guarded(None)
    def after_save_checkpoint(self, checkpoint_callback: "Checkpoints") -> None:
        self._checkpoint = checkpoint_callback.best_model_path

    @rank_zero_only
    @guarded(None)
    def finalize(self, status: str) -> None:
        """Lightning calls it after each of its stages."""
        if self._log_checkpoints and self._checkpoint and Path(self._checkpoint).is_file():
            self.experiment.log_artifact(self._checkpoint, "checkpoints")
            self._checkpoint = ""
        if status == "failed":
            self._held.finish("failed")

    @rank_zero_only
    def finish(self) -> None:
        """End the run now, if it was begun here."""
        self._held.finish()
