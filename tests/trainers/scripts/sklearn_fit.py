"""Tiny fits with scikit-learn: prints the ids of their runs and what scikit-learn says of them."""

import json

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

import gnomon
from gnomon.trainers.sklearn import log_estimator, log_evaluation, log_search

rng = np.random.default_rng(0)
x = rng.normal(size=(200, 3))
y = (x[:, 0] > 0).astype(int)

with gnomon.init("sklearn", name="classifier") as classified:
    model = LogisticRegression(C=0.5).fit(x[:150], y[:150])
    log_estimator(model)
    log_evaluation(model, x[150:], y[150:])

with gnomon.init("sklearn", name="regressor") as regressed:
    boosting = GradientBoostingRegressor(n_estimators=7, random_state=0).fit(x, x[:, 0])
    log_estimator(boosting)
    log_evaluation(boosting, x, x[:, 0], prefix="train")

with gnomon.init("sklearn", name="search") as searched:
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0, 10.0]}, cv=3).fit(x, y)
    log_search(search, children=True)
print(
    json.dumps(
        {
            "classifier": classified.id,
            "accuracy": float(model.score(x[150:], y[150:])),
            "regressor": regressed.id,
            "r2": float(boosting.score(x, x[:, 0])),
            "losses": [float(each) for each in boosting.train_score_],
            "search": searched.id,
            "best": float(search.best_score_),
        }
    )
)
