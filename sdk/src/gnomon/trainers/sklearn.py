"""For scikit-learn, which trains in one call: three functions to be called after it.

    model.fit(x, y)
    log_estimator(model)
    log_evaluation(model, x_test, y_test)

A search over parameters (`GridSearchCV` and its kin) is kept by `log_search` as a table, with a run for each candidate
if wanted.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from gnomon.begin import active_run, init
from gnomon.guard import guarded
from gnomon.run import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

# The confusion matrix of more classes is no picture that anybody reads.
_MOST_CLASSES = 100


class Estimator(Protocol):
    """What is needed of a fitted estimator."""

    def get_params(self, deep: bool = True) -> Mapping[str, object]: ...
    def predict(self, X: object) -> "NDArray[np.generic]": ...  # noqa: N803 - scikit-learn's name for it


class Search(Protocol):
    """What is needed of a fitted search."""

    cv_results_: Mapping[str, object]
    best_params_: Mapping[str, object]
    best_score_: float
    best_index_: int


@guarded(None)
def log_estimator(estimator: Estimator, run: Run | None = None) -> None:
    """Keep an estimator's class and parameters, and how it learnt if it tells (`loss_curve_`, `train_score_`)."""
    held = _run(run)
    held.tag({"estimator": type(estimator).__name__})
    held.params({key: value for key, value in estimator.get_params().items() if not hasattr(value, "get_params")})
    for attribute, name in (
        ("loss_curve_", "loss"),
        ("train_score_", "train_score"),
        ("validation_scores_", "validation_score"),
    ):
        curve = getattr(estimator, attribute, None)
        for step, value in enumerate(() if curve is None else curve):
            held.log({name: value}, step=step)
    gains, names = getattr(estimator, "feature_importances_", None), getattr(estimator, "feature_names_in_", None)
    if gains is not None:
        shown = [str(name) for name in names] if names is not None else [f"x{n}" for n in range(len(gains))]
        held.log_table("importance", {"feature": shown, "gain": [float(gain) for gain in gains]})


@guarded(None)
def log_evaluation(
    estimator: Estimator,
    X: object,  # noqa: N803 - scikit-learn's name for it
    y: "ArrayLike",
    *,
    prefix: str = "test",
    run: Run | None = None,
) -> None:
    """Predict, and keep the usual scores under `prefix`; of a classifier its confusion matrix too."""
    from sklearn.base import is_classifier

    held = _run(run)
    if is_classifier(estimator):
        _log_classifier(held, estimator, X, y, prefix)
    else:
        _log_regressor(held, estimator, X, y, prefix)


@guarded(None)
def log_search(search: Search, *, children: bool = False, run: Run | None = None) -> None:
    """Keep a fitted search: all candidates as a table, the best one's parameters and score; with `children`, runs."""
    held = _run(run)
    results = {key: [_plain(each) for each in column] for key, column in _columns(search.cv_results_).items()}
    held.log_table("candidates", results)
    held.params({"best": dict(search.best_params_)})
    held.log({"best_score": search.best_score_, "best_index": search.best_index_}, step=0)
    if children:
        scores = {key: column for key, column in results.items() if key.startswith(("mean_", "std_", "split"))}
        for number, params in enumerate(_columns(search.cv_results_)["params"]):
            child = held.child(f"candidate {number}", params=params if isinstance(params, Mapping) else {})
            child.log({key: column[number] for key, column in scores.items()}, step=0)
            child.finish()


def _log_classifier(held: Run, estimator: Estimator, X: object, y: "ArrayLike", prefix: str) -> None:  # noqa: N803
    from sklearn import metrics

    predicted = estimator.predict(X)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, predicted, average="weighted", zero_division=0
    )
    scores = {
        "accuracy": metrics.accuracy_score(y, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }
    predict_proba = getattr(estimator, "predict_proba", None)
    classes = getattr(estimator, "classes_", None)
    if callable(predict_proba) and classes is not None:
        probabilities = predict_proba(X)
        scores["log_loss"] = metrics.log_loss(y, probabilities, labels=classes)
        if len(classes) == 2:
            scores["roc_auc"] = metrics.roc_auc_score(y, probabilities[:, 1])
    held.log({prefix: scores}, step=0)
    if classes is not None and len(classes) <= _MOST_CLASSES:
        counts = metrics.confusion_matrix(y, predicted, labels=classes)
        table: dict[str, list[object]] = {"actual": [str(each) for each in classes]}
        for name, column in zip(classes, counts.T, strict=True):
            table[f"as {name}"] = [int(count) for count in column]
        held.log_table(f"{prefix}/confusion", table)


def _log_regressor(held: Run, estimator: Estimator, X: object, y: "ArrayLike", prefix: str) -> None:  # noqa: N803
    from sklearn import metrics

    predicted = estimator.predict(X)
    scores = {
        "r2": metrics.r2_score(y, predicted),
        "mae": metrics.mean_absolute_error(y, predicted),
        "mse": metrics.mean_squared_error(y, predicted),
        "rmse": metrics.root_mean_squared_error(y, predicted),
        "max_error": metrics.max_error(y, predicted),
    }
    held.log({prefix: scores}, step=0)


def _columns(results: Mapping[str, object]) -> dict[str, list[object]]:
    return {str(key): [*column] for key, column in results.items() if hasattr(column, "__iter__")}


def _plain(value: object) -> object:
    """A cell of a table: numbers of numpy as Python's, parameters as their text."""
    item = getattr(value, "item", None)
    found = item() if callable(item) else value
    return found if isinstance(found, bool | int | float | str) or found is None else str(found)


def _run(given: Run | None) -> Run:
    return given or active_run() or init()
