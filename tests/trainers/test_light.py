"""The libraries that are small enough for every run of the tests: what they say of a training is what the run has."""

import json

import pytest

from gnomon.client import Client
from gnomon.client.records import Run
from tests.trainers.conftest import Script


def curve(client: Client, run_id: str, key: str) -> list[float]:
    """The values of a metric at the steps 0, 1, 2…"""
    (series,) = client.metrics.history(run_id, [key]).series
    assert series.step == [*range(len(series.step))]
    return series.value


def table(client: Client, run_id: str, path: str) -> dict[str, list[object]]:
    view = json.loads(client.artifacts.read(run_id, path))
    names = [column["name"] for column in view["columns"]]
    return {name: [row[n] for row in view["rows"]] for n, name in enumerate(names)}


def test_xgboost_train_cv_and_estimator(train: Script, client: Client) -> None:
    said = train("xgboost_train")
    run = client.runs.get(said["train"])
    assert (run.name, run.status, run.params["max_depth"], run.params["eta"]) == (
        "train",
        "finished",
        "3",
        "0.300000012",
    )
    for data, metrics in said["results"].items():
        for metric, values in metrics.items():
            assert curve(client, run.id, f"{data}/{metric}") == values
    assert run.metrics["best_score"] == min(said["results"]["valid"]["error"])
    importance = table(client, run.id, f"media/tables/importance/{run.metrics['best_iteration']:.0f}.json")
    assert set(importance["feature"][:2]) == {"f0", "f1"}
    assert curve(client, said["cv"], "test/logloss") == said["table"]["test-logloss-mean"]
    assert curve(client, said["cv"], "test/logloss/std") == said["table"]["test-logloss-std"]
    assert len(curve(client, said["estimator"], "validation_0/logloss")) == 5


def test_lightgbm_train_cv_and_estimator(train: Script, client: Client) -> None:
    said = train("lightgbm_train")
    run = client.runs.get(said["train"])
    assert (run.name, run.status, run.params["num_leaves"]) == ("train", "finished", "7")
    for metric, values in said["results"]["valid_0"].items():
        assert curve(client, run.id, f"valid_0/{metric}") == values
    assert curve(client, said["cv"], "valid/auc") == said["table"]["valid auc-mean"]
    assert curve(client, said["cv"], "valid/auc/std") == said["table"]["valid auc-stdv"]
    assert len(curve(client, said["estimator"], "valid_0/l2")) == 5


def test_an_optuna_study_is_a_run_and_each_trial_one_below_it(train: Script, client: Client) -> None:
    said = train("optuna_study")
    study = client.runs.get(said["run"])
    assert (study.status, study.tags["optuna.study"]) == ("finished", "tiny")
    assert study.metrics["best"] == pytest.approx(said["best"])
    children = {run.name: run for run in client.runs.iterate([study.experiment_id]) if "gnomon.parent" in run.tags}
    assert len(children) == len(said["trials"]) == 6
    statuses = {"COMPLETE": "finished", "PRUNED": "killed", "FAIL": "failed"}
    for number, trial in enumerate(said["trials"]):
        child = children[f"trial {number}"]
        assert child.tags["gnomon.parent"] == study.id
        assert child.status == statuses[trial["state"]]
        assert float(child.params["x"]) == trial["params"]["x"]
        assert child.metrics.get("value") == trial["value"]
        assert len(client.metrics.history(child.id, ["intermediate"]).series[0].step) == 3
    several = client.runs.get(said["several"])
    assert (several.metrics["gain"], "cost" in several.metrics) == (2.0, True)


def test_sklearn_estimators_scores_and_a_search(train: Script, client: Client) -> None:
    said = train("sklearn_fit")
    classifier = client.runs.get(said["classifier"])
    assert (classifier.params["C"], classifier.tags["estimator"]) == ("0.5", "LogisticRegression")
    assert classifier.metrics["test/accuracy"] == said["accuracy"]
    confusion = table(client, classifier.id, "media/tables/test/confusion/0.json")
    assert confusion["actual"] == ["0", "1"]
    assert sum(int(str(count)) for name in ("as 0", "as 1") for count in confusion[name]) == 50
    regressor = client.runs.get(said["regressor"])
    assert regressor.metrics["train/r2"] == said["r2"]
    assert curve(client, regressor.id, "train_score") == said["losses"]
    search = client.runs.get(said["search"])
    assert (search.metrics["best_score"], search.params["best/C"]) == (said["best"], "10.0")
    candidates = [run for run in client.runs.iterate([search.experiment_id]) if is_below(run, search)]
    assert sorted(run.params["C"] for run in candidates) == ["0.1", "1.0", "10.0"]
    assert max(run.metrics["mean_test_score"] for run in candidates) == said["best"]


def is_below(run: Run, parent: Run) -> bool:
    return run.tags.get("gnomon.parent") == parent.id
