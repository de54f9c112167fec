"""`wandb.plot`: the charts that are a table with an advice how to draw it are kept as their tables."""

from collections.abc import Iterable, Sequence
from typing import SupportsIndex, cast

from gnomon.wandb.absent import Absent, absent, say_once
from gnomon.wandb.media import Table


def line(table: Table, x: str, y: str, *args: object, **more: object) -> Table:
    return _kept("line", table)


def scatter(table: Table, x: str, y: str, *args: object, **more: object) -> Table:
    return _kept("scatter", table)


def bar(table: Table, label: str, value: str, *args: object, **more: object) -> Table:
    return _kept("bar", table)


def histogram(table: Table, value: str, *args: object, **more: object) -> Table:
    return _kept("histogram", table)


def line_series(
    xs: Sequence[object],
    ys: Sequence[Sequence[object]],
    keys: Sequence[str] | None = None,
    *args: object,
    **more: object,
) -> Table:
    """`xs` is one row of places for all series, or one for each."""
    names = [*keys] if keys else [f"line_{n}" for n in range(len(ys))]
    is_shared = not xs or not isinstance(xs[0], Iterable)
    rows = []
    for number, (name, values) in enumerate(zip(names, ys, strict=False)):
        places = xs if is_shared else cast("Sequence[object]", xs[number])
        rows += [[name, place, value] for place, value in zip(places, values, strict=False)]
    return _kept("line_series", Table(columns=["key", "x", "y"], data=rows))


def confusion_matrix(
    probs: Sequence[Sequence[float]] | None = None,
    y_true: Sequence[object] | None = None,
    preds: Sequence[object] | None = None,
    class_names: Sequence[str] | None = None,
    *args: object,
    **more: object,
) -> Table:
    """How often each class was taken for each: classes are numbers, or their names."""
    truth = [*(y_true if y_true is not None else ())]
    guesses: list[object] = [*(preds if preds is not None else map(_likeliest, probs or ()))]
    names = [*class_names] if class_names is not None else sorted({str(each) for each in [*truth, *guesses]})
    counts: dict[tuple[str, str], int] = {}
    for actual, predicted in zip(truth, guesses, strict=False):
        pair = _named(actual, class_names), _named(predicted, class_names)
        counts[pair] = counts.get(pair, 0) + 1
    rows = [[actual, predicted, counts.get((actual, predicted), 0)] for actual in names for predicted in names]
    return _kept("confusion_matrix", Table(columns=["Actual", "Predicted", "nPredictions"], data=rows))


def _named(value: object, class_names: Sequence[str] | None) -> str:
    if class_names is not None and isinstance(value, SupportsIndex):
        return class_names[value.__index__()]
    return str(value)


def _likeliest(row: Sequence[float]) -> int:
    return max(range(len(row)), key=row.__getitem__)


def _kept(kind: str, table: Table) -> Table:
    say_once(f"chart wandb.plot.{kind}", "its table is kept")
    return table


def __getattr__(name: str) -> Absent:
    if name.startswith("__"):
        raise AttributeError(name)
    return absent(f"wandb.plot.{name}")
