"""Optuna with the MLflowCallback of its integrations: prints what the study found."""

import json
import os
import warnings

import optuna
from optuna_integration.mlflow import MLflowCallback

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
callback = MLflowCallback(tracking_uri=os.environ["MLFLOW_TRACKING_URI"], metric_name="loss")
study = optuna.create_study(study_name="sweep", sampler=optuna.samplers.RandomSampler(seed=0))
study.optimize(lambda trial: (trial.suggest_float("x", -1, 1) - 0.5) ** 2, n_trials=5, callbacks=[callback])
print(json.dumps({"best": study.best_value, "values": [trial.value for trial in study.trials]}))
