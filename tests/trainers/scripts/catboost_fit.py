"""A tiny fit with CatBoost: prints the id of its run."""

import json

import numpy as np
from catboost import CatBoostClassifier

from gnomon.trainers.catboost import GnomonCallback, log_model

rng = np.random.default_rng(0)
x = rng.normal(size=(300, 4))
y = (x[:, 0] + x[:, 1] ** 2 > 0.5).astype(int)
callback = GnomonCallback(experiment="catboost", name="fit")
model = CatBoostClassifier(iterations=8, depth=3, verbose=False, allow_writing_files=False, thread_count=1)
model.fit(x[:200], y[:200], eval_set=(x[200:], y[200:]), callbacks=[callback])
log_model(model, callback.run)
callback.finish()
print(json.dumps({"run": callback.run.id, "results": model.get_evals_result(), "best": model.get_best_iteration()}))
