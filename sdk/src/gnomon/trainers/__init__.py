"""Loggers and callbacks for the libraries that train: one module a library, loaded by nobody who does not import it.

| Module | Gives | For |
|---|---|---|
| `gnomon.trainers.lightning` | `GnomonLogger` | `Trainer(logger=...)` of PyTorch Lightning, both packages |
| `gnomon.trainers.transformers` | `GnomonCallback` | `Trainer(callbacks=[...])` of transformers |
| `gnomon.trainers.keras` | `GnomonCallback` | `model.fit(callbacks=[...])` of Keras 3 |
| `gnomon.trainers.xgboost` | `GnomonCallback` | `xgboost.train` and its scikit-learn classes |
| `gnomon.trainers.lightgbm` | `GnomonCallback` | `lightgbm.train`, `cv`, and its scikit-learn classes |
| `gnomon.trainers.catboost` | `GnomonCallback` | `fit(callbacks=[...])` of CatBoost |
| `gnomon.trainers.sklearn` | `log_estimator`, `log_evaluation`, `log_search` | scikit-learn |
| `gnomon.trainers.optuna` | `GnomonCallback` | `study.optimize(callbacks=[...])` of Optuna |

Each logs to the run it is given, else to the run that is active, else to one that it begins. None raises into the
training or waits for the network, as no call of a run does.
"""
