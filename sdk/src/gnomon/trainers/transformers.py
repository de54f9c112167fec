"""A callback for the Trainer of Hugging Face transformers.

    trainer = Trainer(..., callbacks=[GnomonCallback(experiment="summaries")])

Metrics are named as elsewhere in that world: `train/loss`, `eval/loss`, `test/…`. The arguments of the training are
params (`args/learning_rate`), and the model's config is (`model/hidden_size`). Only the process of rank 0 logs.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from transformers import TrainerCallback

from gnomon.guard import guarded
from gnomon.run import Run
from gnomon.trainers.held import HeldRun

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

_STAGES = ("eval", "test")


class GnomonCallback(TrainerCallback):
    """Logs to `run`, to the active run, or to one begun with what `gnomon.init` takes.

    `log_checkpoints` keeps each saved checkpoint as artifacts.
    """

    def __init__(self, run: Run | None = None, *, log_checkpoints: bool = False, **init: object) -> None:
        self._held = HeldRun(run, init)
        self._log_checkpoints = log_checkpoints

    @guarded(None)
    def on_train_begin(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **more: object
    ) -> None:
        if not state.is_world_process_zero:
            return
        self._held.run.params({"args": args.to_sanitized_dict()})
        to_dict = getattr(getattr(more.get("model"), "config", None), "to_dict", None)
        if callable(to_dict):
            self._held.run.params({"model": to_dict()})

    @guarded(None)
    def on_log(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        logs: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        if state.is_world_process_zero and logs:
            numbers = {named(key): value for key, value in logs.items() if isinstance(value, int | float)}
            self._held.run.log(numbers, step=state.global_step)

    @guarded(None)
    def on_predict(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        metrics: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        self.on_log(args, state, control, logs=metrics)

    @guarded(None)
    def on_save(
        self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **more: object
    ) -> None:
        if self._log_checkpoints and state.is_world_process_zero:
            name = f"checkpoint-{state.global_step}"
            self._held.run.log_artifacts(f"{args.output_dir}/{name}", f"checkpoints/{name}")

    @property
    def run(self) -> Run:
        """The run that is logged to."""
        return self._held.run

    def finish(self) -> None:
        """End the run now, if it was begun here; else it ends with the process."""
        self._held.finish()


def named(key: str) -> str:
    """`eval_loss` as `eval/loss`, `loss` as `train/loss`."""
    for stage in _STAGES:
        if key.startswith(f"{stage}_"):
            return f"{stage}/{key[len(stage) + 1 :]}"
    return f"train/{key}"
