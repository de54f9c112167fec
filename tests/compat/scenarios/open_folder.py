"""Open an `mlruns` folder with MLflow's own file store and say what it sees. Arguments: the folder's URI."""

import json
import sys

import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_registry_uri(sys.argv[1])
client = MlflowClient()
seen: dict[str, object] = {}
for experiment in client.search_experiments(view_type=3):
    if experiment.lifecycle_stage != "active":
        continue
    for run in client.search_runs([experiment.experiment_id], run_view_type=3):
        uid = run.info.run_id
        seen[run.info.run_name] = {
            "id": uid,
            "status": run.info.status,
            "stage": run.info.lifecycle_stage,
            "params": run.data.params,
            "tag": run.data.tags.get("weird"),
            "points": {
                key: sorted((point.step, repr(point.value)) for point in client.get_metric_history(uid, key))
                for key in run.data.metrics
            },
            "files": [file.path for file in client.list_artifacts(uid)],
            "datasets": [each.dataset.digest for each in run.inputs.dataset_inputs],
            "models": [each.model_id for each in run.outputs.model_outputs],
        }
experiments = {each.name: each.lifecycle_stage for each in client.search_experiments(view_type=3)}
version = client.get_model_version_by_alias("RM", "prod")
text = mlflow.artifacts.load_text(f"runs:/{seen['first']['id']}/notes/hello world.txt")
print(json.dumps({"runs": seen, "experiments": experiments, "version": version.version, "text": text}))
