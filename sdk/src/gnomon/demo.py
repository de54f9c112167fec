"""`gnomon demo`: some two dozen real training runs, logged through the public client, so that a new server has
something to look at.

A grid of optimisers, learning rates and seeds learns scikit-learn's digits; one run more has a learning rate that
drives its loss to a real NaN and ends `failed`; another is a process that is really killed part-way and ends `killed`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

import msgspec
from msgspec import Struct

from gnomon.client import Client
from gnomon.client.records import Run
from gnomon.demo_train import (
    BATCH_SIZE,
    HIDDEN_UNITS,
    Digits,
    Network,
    Optimiser,
    Setup,
    confusion_picture,
    load_digits,
    log_epoch,
    model_file,
    train,
)
from gnomon.errors import GnomonError
from gnomon.wire import EndStatus

EXPERIMENT = "digits"
EPOCHS = 60
SEEDS = (0, 1)
LEARNING_RATES: Mapping[Optimiser, tuple[float, ...]] = {
    "sgd": (0.01, 0.1, 0.5),
    "momentum": (0.003, 0.03, 0.1),
    "nesterov": (0.003, 0.03, 0.1),
    "adam": (0.0001, 0.001, 0.01),
}
# Each step turns the weights round and doubles them (1 - 30 * 0.1 = -2): in four epochs they are no numbers any more.
DIVERGING = Setup(optimiser="sgd", lr=30.0, seed=0, epochs=EPOCHS, weight_decay=0.1)
# Long enough that it cannot be done before it is killed.
DOOMED = Setup(optimiser="adam", lr=0.0003, seed=2, epochs=100 * EPOCHS)
KILLED_AFTER_EPOCHS = 24


class BestRun(Struct, frozen=True):
    run_id: str
    name: str
    accuracy: float


class Summary(Struct, frozen=True):
    """What the demo did."""

    experiment_id: str
    experiment: str
    runs: dict[str, int]
    points: int
    artifacts: int
    seconds: float
    best: BestRun | None


class Tally:
    """What has been logged so far."""

    def __init__(self) -> None:
        self.runs: dict[str, int] = {}
        self.points = 0
        self.artifacts = 0
        self.best: BestRun | None = None

    def ended(self, run: Run) -> None:
        self.runs[run.status] = self.runs.get(run.status, 0) + 1
        accuracy = run.metrics.get("val/accuracy", 0.0)
        if run.status == "finished" and (self.best is None or accuracy > self.best.accuracy):
            self.best = BestRun(run_id=run.id, name=run.name, accuracy=accuracy)


Progress = Callable[[Run, int, int], None]


def quietly(run: Run, done: int, total: int) -> None:
    """Nobody is watching."""


def grid() -> list[Setup]:
    """The runs that go well."""
    return [
        Setup(optimiser=optimiser, lr=lr, seed=seed, epochs=EPOCHS)
        for optimiser, rates in LEARNING_RATES.items()
        for lr in rates
        for seed in SEEDS
    ]


def load_demo(client: Client, *, name: str = EXPERIMENT, progress: Progress = quietly) -> Summary:
    """Train all runs into a new experiment; `progress` hears of each run that has ended."""
    began = time.monotonic()
    digits = load_digits()
    experiment = client.experiments.create(
        name,
        description="Handwritten digits, learned by a small network: optimisers, learning rates and seeds compared.",
        tags={"dataset": "digits", "made_by": "gnomon demo"},
    )
    tally = Tally()
    setups = grid()
    total = len(setups) + 2
    for setup in [*setups, DIVERGING]:
        run = _train_here(client, experiment.id, setup, digits, tally)
        progress(run, sum(tally.runs.values()), total)
    run = _train_and_kill(client, experiment.id, DOOMED, tally)
    progress(run, total, total)
    return Summary(
        experiment_id=experiment.id,
        experiment=experiment.name,
        runs=tally.runs,
        points=tally.points,
        artifacts=tally.artifacts,
        seconds=round(time.monotonic() - began, 1),
        best=tally.best,
    )


def _train_here(client: Client, experiment_id: str, setup: Setup, digits: Digits, tally: Tally) -> Run:
    with _running(client, experiment_id, setup) as run:
        network = Network(setup.seed)
        status: EndStatus = "finished"
        for epoch in train(network, setup, digits):
            tally.points += log_epoch(client, run.id, epoch)
            status = "finished" if isfinite(epoch.train_loss) else "failed"
        if status == "finished":
            picture = confusion_picture(network, digits, run.name)
            client.artifacts.log(run.id, picture, artifact_path="plots", name="confusion_matrix.png")
            client.artifacts.log(run.id, model_file(network), artifact_path="models", name="model.npz")
            tally.artifacts += 2
    ended = client.runs.end(run.id, status)
    tally.ended(ended)
    return ended


def _train_and_kill(client: Client, experiment_id: str, setup: Setup, tally: Tally) -> Run:
    """A process of its own, SIGKILLed when it has logged some epochs: nothing of it gets to say goodbye."""
    settings = client.settings
    # The child asks the same server as the same caller, whatever the environment says.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GNOMON_")}
    environment["GNOMON_URL"] = settings.url
    environment |= {"GNOMON_API_KEY": settings.api_key} if settings.api_key else {}
    environment |= {"GNOMON_TENANT": settings.tenant} if settings.tenant else {}
    with _running(client, experiment_id, setup) as run:
        command = [sys.executable, "-m", "gnomon.demo_train", run.id, msgspec.json.encode(setup).decode()]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as child:  # noqa: S603 - our own program
            try:
                while client.runs.get(run.id).metrics.get("epoch", -1.0) < KILLED_AFTER_EPOCHS:
                    if child.poll() is not None:
                        said = child.stderr.read().decode(errors="replace") if child.stderr else ""
                        raise GnomonError(f"the process that was to be killed ended by itself: {said[-500:]}")
                    time.sleep(0.05)
            finally:
                child.kill()
    ended = client.runs.end(run.id, "killed")
    tally.ended(ended)
    tally.points += sum(series.total for series in client.metrics.history(run.id, limit=1).series)
    return ended


@contextmanager
def _running(client: Client, experiment_id: str, setup: Setup) -> Iterator[Run]:
    """A new run with its params; when the block is interrupted the run ends as what it is: killed."""
    run = client.runs.create(
        experiment_id,
        name=f"{setup.optimiser}-lr{setup.lr:g}-s{setup.seed}",
        tags={"optimiser": setup.optimiser, "framework": "numpy"},
    )
    try:
        client.runs.log_params(
            run.id, {**msgspec.to_builtins(setup), "batch_size": BATCH_SIZE, "hidden_units": HIDDEN_UNITS}
        )
        yield run
    except BaseException:
        client.runs.end(run.id, "killed")
        raise
