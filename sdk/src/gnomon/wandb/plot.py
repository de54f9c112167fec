"""`wandb.plot`: the charts that are a table with an advice how to draw it are kept as their tables."""

from collections.abc import Iterable, Iterator, Sequence
from typing import SupportsIndex, cast

from gnomon.wandb.absent import Absent, absent, say_once
from gnomon.wandb.media import Table

# A curve of a million samples looks the same with this many points, evenly taken.
_MOST_ROWS = 1_000


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


def roc_curve(
    y_true: Sequence[object] | None = None,
    y_probas: Sequence[Sequence[float]] | None = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[object] | None = None,
    *args: object,
    **more: object,
) -> Table:
    """For each class its rates of false and true positives, at each probability that was given."""
    rows: list[list[object]] = []
    for name, is_true, counts in _by_threshold(y_true, y_probas, labels, classes_to_plot):
        wrong = len(is_true) - sum(is_true)
        rows.append([name, 0.0, 0.0])
        rows += _thinned([[name, fp / max(1, wrong), tp / max(1, sum(is_true))] for tp, fp in counts])
    return _kept("roc_curve", Table(columns=["class", "fpr", "tpr"], data=rows))


def pr_curve(
    y_true: Sequence[object] | None = None,
    y_probas: Sequence[Sequence[float]] | None = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[object] | None = None,
    *args: object,
    **more: object,
) -> Table:
    """For each class its precision and recall, at each probability that was given."""
    rows: list[list[object]] = []
    for name, is_true, counts in _by_threshold(y_true, y_probas, labels, classes_to_plot):
        rows += _thinned([[name, tp / (tp + fp), tp / max(1, sum(is_true))] for tp, fp in counts])
    return _kept("pr_curve", Table(columns=["class", "precision", "recall"], data=rows))


def _by_threshold(
    y_true: Sequence[object] | None,
    y_probas: Sequence[Sequence[float]] | None,
    labels: Sequence[str] | None,
    chosen: Sequence[object] | None,
) -> Iterator[tuple[str, list[bool], list[tuple[int, int]]]]:
    """Of each class: which samples are of it, and how many of those at or above each probability are, and are not."""
    truth = [*(y_true if y_true is not None else ())]
    scores = [[float(each) for each in row] for row in (y_probas if y_probas is not None else ())]
    classes = sorted(set(truth), key=lambda each: (not isinstance(each, SupportsIndex), str(each).zfill(20)))
    wanted = None if chosen is None else [*chosen]
    for number in range(len(scores[0]) if scores else 0):
        # Numbers are the columns; of names the sorted ones stand for them.
        is_index = all(isinstance(each, SupportsIndex) for each in classes)
        of = number if is_index or number >= len(classes) else classes[number]
        if wanted is not None and of not in wanted and number not in wanted:
            continue
        is_true = [each == of for each in truth]
        name = str(labels[number]) if labels is not None and number < len(labels) else str(of)
        yield name, is_true, _counts([row[number] for row in scores], is_true)


def _counts(scores: list[float], is_true: list[bool]) -> list[tuple[int, int]]:
    pairs = sorted(zip(scores, is_true, strict=False), reverse=True)
    found, hits = [], 0
    for at, (score, is_hit) in enumerate(pairs, 1):
        hits += is_hit
        if at == len(pairs) or pairs[at][0] != score:  # samples of one probability cross it together
            found.append((hits, at - hits))
    return found


def _thinned(rows: list[list[object]]) -> list[list[object]]:
    if len(rows) <= _MOST_ROWS:
        return rows
    return [rows[at * (len(rows) - 1) // (_MOST_ROWS - 1)] for at in range(_MOST_ROWS)]


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
