"""A tiny training with XGBoost: prints the ids of its runs."""

import json

import numpy as np
import xgboost

import gnomon
from gnomon.trainers.xgboost import GnomonCallback

rng = np.random.default_rng(0)
x = rng.normal(size=(300, 4))
y = (x[:, 0] + x[:, 1] ** 2 > 0.5).astype(int)
train, valid = xgboost.DMatrix(x[:200], y[:200]), xgboost.DMatrix(x[200:], y[200:])
params = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "eval_metric": ["logloss", "error"]}

callback = GnomonCallback(experiment="xgboost", name="train")
results: dict[str, dict[str, list[float]]] = {}
xgboost.train(
    params,
    train,
    num_boost_round=12,
    evals=[(train, "train"), (valid, "valid")],
    evals_result=results,
    early_stopping_rounds=5,
    verbose_eval=False,
    callbacks=[callback],
)
first = callback.run.id
callback.finish()

with gnomon.init("xgboost", name="estimator") as run:
    model = xgboost.XGBClassifier(n_estimators=5, callbacks=[GnomonCallback()])
    model.fit(x[:200], y[:200], eval_set=[(x[200:], y[200:])], verbose=False)

with gnomon.init("xgboost", name="cv") as cv:
    table = xgboost.cv(
        params, train, num_boost_round=4, nfold=3, callbacks=[GnomonCallback(cv)], as_pandas=False, seed=1
    )
print(json.dumps({"train": first, "results": results, "estimator": run.id, "cv": cv.id, "table": table}))
