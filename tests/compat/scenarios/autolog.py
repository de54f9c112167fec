"""scikit-learn's autologging: what a training script logs without a line about logging."""

import json

import mlflow
import numpy as np
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

found: dict[str, object] = {}
features = np.arange(80).reshape(40, 2) / 10
labels = (np.arange(40) % 2).astype(int)
mlflow.sklearn.autolog()

with mlflow.start_run() as run:
    model = LogisticRegression(C=0.5).fit(features, labels)
    model.score(features, labels)
read = MlflowClient().get_run(run.info.run_id)
found["C"] = read.data.params["C"]
found["metrics"] = sorted(read.data.metrics)
found["inputs"] = [one.tags[0].value for one in read.inputs.dataset_inputs]
(output,) = read.outputs.model_outputs
loaded = mlflow.sklearn.load_model(f"models:/{output.model_id}")
found["same"] = bool((loaded.predict(features) == model.predict(features)).all())
found["model_metrics"] = sorted({one.key for one in MlflowClient().get_logged_model(output.model_id).metrics})

with mlflow.start_run() as search:
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(features, labels)
children = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{search.info.run_id}'")
found["children"] = sorted(children["params.C"])
found["best"] = "best_C" in MlflowClient().get_run(search.info.run_id).data.params
print(json.dumps(found))
