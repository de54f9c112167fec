"""A tiny training with LightGBM: prints the ids of its runs."""

import json

import lightgbm
import numpy as np

import gnomon
from gnomon.trainers.lightgbm import GnomonCallback

rng = np.random.default_rng(0)
x = rng.normal(size=(300, 4))
y = (x[:, 0] + x[:, 1] ** 2 > 0.5).astype(int)
params = {"objective": "binary", "metric": ["binary_logloss", "auc"], "num_leaves": 7, "verbose": -1, "num_threads": 1}
train = lightgbm.Dataset(x[:200], y[:200])
valid = lightgbm.Dataset(x[200:], y[200:], reference=train)

callback = GnomonCallback(experiment="lightgbm", name="train")
results: dict[str, dict[str, list[float]]] = {}
lightgbm.train(
    params, train, num_boost_round=10, valid_sets=[valid], callbacks=[callback, lightgbm.record_evaluation(results)]
)
first = callback.run.id
callback.finish()

with gnomon.init("lightgbm", name="cv") as cv:
    table = lightgbm.cv(params, lightgbm.Dataset(x, y), num_boost_round=4, nfold=3, callbacks=[GnomonCallback()])
with gnomon.init("lightgbm", name="estimator") as run:
    model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, num_threads=1)
    model.fit(x[:200], x[:200, 0], eval_set=[(x[200:], x[200:, 0])], callbacks=[GnomonCallback()])
print(json.dumps({"train": first, "results": results, "cv": cv.id, "table": table, "estimator": run.id}))
