"""Autologging of scikit-learn, XGBoost and LightGBM, and their models loaded back. For MLflow 2 and 3."""

import json
from collections.abc import Callable

import lightgbm
import mlflow
import numpy as np
import xgboost
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
is_three = int(mlflow.__version__.split(".")[0]) >= 3
dice = np.random.default_rng(7)
features = dice.random((120, 4))
labels = (features[:, 0] + features[:, 1] > 1).astype(int)
mlflow.set_experiment("boosting")


def booster() -> xgboost.Booster:
    data = xgboost.DMatrix(features, labels)
    params = {"objective": "binary:logistic", "eval_metric": "logloss", "max_depth": 3}
    return xgboost.train(params, data, num_boost_round=5, evals=[(data, "train")], verbose_eval=False)


def forest() -> lightgbm.Booster:
    data = lightgbm.Dataset(features, labels)
    params = {"objective": "binary", "metric": "binary_logloss", "verbose": -1, "min_data_in_leaf": 5}
    return lightgbm.train(params, data, num_boost_round=5, valid_sets=[data], valid_names=["train"])


def predictions(name: str, model: object) -> np.ndarray:
    if name == "xgboost":
        return np.asarray(model.predict(xgboost.DMatrix(features)))
    return np.asarray(model.predict(features))


makers: dict[str, Callable[[], object]] = {
    "sklearn": lambda: LogisticRegression(C=0.5).fit(features, labels),
    "xgboost": booster,
    "lightgbm": forest,
}
found: dict[str, object] = {}
for name, make in makers.items():
    flavor = getattr(mlflow, name)
    flavor.autolog(registered_model_name=name)
    with mlflow.start_run() as run:
        model = make()
    flavor.autolog(disable=True)
    read = client.get_run(run.info.run_id)
    back = flavor.load_model(f"models:/{name}/1")
    uri = f"runs:/{run.info.run_id}/model"
    general = mlflow.pyfunc.load_model(uri).predict(features)
    found[name] = {
        "same": bool((predictions(name, back) == predictions(name, model)).all()),
        "pyfunc": bool(np.allclose(general, predictions(name, model))),
        "params": len(read.data.params) > 3,
        "metrics": sorted(read.data.metrics),
        "points": {key: len(client.get_metric_history(run.info.run_id, key)) for key in read.data.metrics},
        "datasets": len(read.inputs.dataset_inputs),
        "files": sorted(file.path for file in client.list_artifacts(run.info.run_id)),
        "versions": [each.version for each in client.search_model_versions(f"name = '{name}'")],
    }
print(json.dumps(found))
