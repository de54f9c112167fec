"""The training behind `gnomon demo`: a small network learns scikit-learn's handwritten digits, in plain numpy.

It is what a user's own script looks like: a loop over epochs and batches that logs through the public client. As a
program (`python -m gnomon.demo_train RUN_ID SETUP`) it continues the run RUN_ID in a process of its own, so that the
demo can kill it for real.
"""

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # it ships no types

from gnomon.client import Client
from gnomon.errors import MissingExtra
from gnomon.wire import MetricEntry

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Step = Callable[[dict[str, Floats]], None]
Optimiser = Literal["sgd", "momentum", "nesterov", "adam"]

CLASSES = 10
HIDDEN_UNITS = 48
BATCH_SIZE = 32
VALIDATION_SHARE = 0.25
# The digits are split once, so that runs differ by what they name and not by their data.
SPLIT_SEED = 7


class Setup(Struct, frozen=True):
    """What one run is about: its params."""

    optimiser: Optimiser
    lr: float
    seed: int
    epochs: int
    weight_decay: float = 1e-4


@dataclass(frozen=True)
class Digits:
    """1,797 pictures of 8 x 8 grey values in [0, 1], divided for training and validation."""

    train_x: Floats
    train_y: Ints
    valid_x: Floats
    valid_y: Ints


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training pictures gave; `batch_loss` has one entry per step."""

    number: int
    batch_loss: list[float]
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    gradient_norm: float


def load_digits() -> Digits:
    """The pictures; they come with scikit-learn, so nothing is downloaded."""
    try:
        from sklearn.datasets import load_digits as sklearn_digits
    except ImportError as error:
        raise MissingExtra("scikit-learn", extra="demo", purpose="the demo") from error
    pictures, labels = sklearn_digits(return_X_y=True)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    held_out = int(len(labels) * VALIDATION_SHARE)
    x, y = (pictures / 16.0)[order], labels[order].astype(np.int64)
    return Digits(train_x=x[held_out:], train_y=y[held_out:], valid_x=x[:held_out], valid_y=y[:held_out])


class Network:
    """One hidden layer, softmax at the end; weights are float64 because the digits are few."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        pixels = 64
        self.weights: dict[str, Floats] = {
            "w1": rng.normal(0, np.sqrt(2 / pixels), (pixels, HIDDEN_UNITS)),
            "b1": np.zeros(HIDDEN_UNITS),
            "w2": rng.normal(0, np.sqrt(2 / HIDDEN_UNITS), (HIDDEN_UNITS, CLASSES)),
            "b2": np.zeros(CLASSES),
        }

    def scores(self, x: Floats) -> tuple[Floats, Floats]:
        """What the hidden layer says and the log-probability of each class."""
        hidden = np.maximum(0.0, x @ self.weights["w1"] + self.weights["b1"])
        raw = hidden @ self.weights["w2"] + self.weights["b2"]
        raw = raw - raw.max(axis=1, keepdims=True)
        return hidden, raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))

    def loss_and_accuracy(self, x: Floats, y: Ints) -> tuple[float, float]:
        _, log_p = self.scores(x)
        return float(-log_p[np.arange(len(y)), y].mean()), float((log_p.argmax(axis=1) == y).mean())

    def gradient(self, x: Floats, y: Ints, weight_decay: float) -> tuple[float, dict[str, Floats]]:
        """The loss on this batch and how it changes with each weight."""
        hidden, log_p = self.scores(x)
        rows = np.arange(len(y))
        loss = float(-log_p[rows, y].mean())
        d_raw = np.exp(log_p)
        d_raw[rows, y] -= 1.0
        d_raw /= len(y)
        d_hidden = (d_raw @ self.weights["w2"].T) * (hidden > 0)
        return loss, {
            "w1": x.T @ d_hidden + weight_decay * self.weights["w1"],
            "b1": d_hidden.sum(axis=0),
            "w2": hidden.T @ d_raw + weight_decay * self.weights["w2"],
            "b2": d_raw.sum(axis=0),
        }


def make_step(optimiser: Optimiser, lr: float, weights: dict[str, Floats]) -> Step:
    """How the optimiser moves the weights, in place, given a gradient."""
    velocity = {name: np.zeros_like(weight) for name, weight in weights.items()}
    square = {name: np.zeros_like(weight) for name, weight in weights.items()}
    count = 0

    def sgd(gradient: dict[str, Floats]) -> None:
        for name, weight in weights.items():
            weight -= lr * gradient[name]

    def momentum(gradient: dict[str, Floats]) -> None:
        for name, weight in weights.items():
            velocity[name] = 0.9 * velocity[name] - lr * gradient[name]
            weight += velocity[name]

    def nesterov(gradient: dict[str, Floats]) -> None:
        for name, weight in weights.items():
            velocity[name] = 0.9 * velocity[name] - lr * gradient[name]
            weight += 0.9 * velocity[name] - lr * gradient[name]

    def adam(gradient: dict[str, Floats]) -> None:
        nonlocal count
        count += 1
        for name, weight in weights.items():
            velocity[name] = 0.9 * velocity[name] + 0.1 * gradient[name]
            square[name] = 0.999 * square[name] + 0.001 * gradient[name] ** 2
            mean, spread = velocity[name] / (1 - 0.9**count), square[name] / (1 - 0.999**count)
            weight -= lr * mean / (np.sqrt(spread) + 1e-8)

    return {"sgd": sgd, "momentum": momentum, "nesterov": nesterov, "adam": adam}[optimiser]


def train(network: Network, setup: Setup, digits: Digits) -> Iterator[Epoch]:
    """Epoch after epoch, to the last or to the third in a row whose loss is no number."""
    rng = np.random.default_rng(setup.seed)
    step = make_step(setup.optimiser, setup.lr, network.weights)
    blas = ThreadpoolController()
    hopeless = 0
    for number in range(setup.epochs):
        # Divergence is one of the things shown: numpy need not warn of it as well. The matrices are so small that a
        # second thread only waits for the first.
        with np.errstate(over="ignore", invalid="ignore"), blas.limit(limits=1):
            epoch = _learn(number, network, step, setup, digits, rng)
        yield epoch
        hopeless = 0 if np.isfinite(epoch.train_loss) else hopeless + 1
        if hopeless == 3:
            return


def _learn(number: int, network: Network, step: Step, setup: Setup, digits: Digits, rng: np.random.Generator) -> Epoch:
    losses: list[float] = []
    norm = 0.0
    order = rng.permutation(len(digits.train_y))
    for start in range(0, len(order), BATCH_SIZE):
        batch = order[start : start + BATCH_SIZE]
        loss, gradient = network.gradient(digits.train_x[batch], digits.train_y[batch], setup.weight_decay)
        step(gradient)
        losses.append(loss)
        norm = float(np.sqrt(sum(float((part**2).sum()) for part in gradient.values())))
    train_loss, train_accuracy = network.loss_and_accuracy(digits.train_x, digits.train_y)
    valid_loss, valid_accuracy = network.loss_and_accuracy(digits.valid_x, digits.valid_y)
    return Epoch(number, losses, train_loss, train_accuracy, valid_loss, valid_accuracy, norm)


def log_epoch(client: Client, run_id: str, epoch: Epoch) -> int:
    """One request for all that the epoch gave: its steps, and its summary at its last step. Says how many points."""
    first = epoch.number * len(epoch.batch_loss)
    last = first + len(epoch.batch_loss) - 1
    points = [MetricEntry("batch/loss", loss, step=first + index) for index, loss in enumerate(epoch.batch_loss)]
    for key, value in (
        ("train/loss", epoch.train_loss),
        ("train/accuracy", epoch.train_accuracy),
        ("val/loss", epoch.valid_loss),
        ("val/accuracy", epoch.valid_accuracy),
        ("gradient_norm", epoch.gradient_norm),
        ("epoch", float(epoch.number)),
    ):
        points.append(MetricEntry(key, value, step=last))
    return client.runs.log_batch(run_id, metrics=points).metrics


def confusion_picture(network: Network, digits: Digits, title: str) -> bytes:
    """A PNG that shows which digits are taken for which."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", extra="demo", purpose="the demo") from error
    _, log_p = network.scores(digits.valid_x)
    matrix = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(matrix, (digits.valid_y, log_p.argmax(axis=1)), 1)
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(matrix, cmap="Blues")
    axes.set(title=title, xlabel="predicted", ylabel="true", xticks=range(CLASSES), yticks=range(CLASSES))
    for row, column in np.argwhere(matrix):
        colour = "white" if matrix[row, column] > matrix.max() / 2 else "black"
        axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour, fontsize=8)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def model_file(network: Network) -> bytes:
    """The weights as .npz without pickle: whoever loads it runs no code of ours."""
    out = io.BytesIO()
    w = network.weights
    np.savez_compressed(out, w1=w["w1"], b1=w["b1"], w2=w["w2"], b2=w["b2"])
    return out.getvalue()


def continue_run(run_id: str, setup: Setup) -> None:
    """Train and log, with the server that the environment names."""
    digits = load_digits()
    with Client() as client:
        for epoch in train(Network(setup.seed), setup, digits):
            log_epoch(client, run_id, epoch)


if __name__ == "__main__":
    continue_run(sys.argv[1], msgspec.json.decode(sys.argv[2], type=Setup))
