"""Fill a tracking store with everything that an import brings over. Arguments: the store's URI.

Runs with MLflow 2 and 3; prints what was made.
"""

import json
import sys
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset

uri = sys.argv[1]
is_three = int(mlflow.__version__.split(".")[0]) >= 3
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri(uri)
client = MlflowClient()
one = mlflow.set_experiment("one").experiment_id
client.set_experiment_tag(one, "team", "risk")
gone = mlflow.set_experiment("gone").experiment_id
with mlflow.start_run(run_name="lost"):
    mlflow.log_metric("a", 1.0)
client.delete_experiment(gone)
mlflow.set_experiment("one")
Path("weights").mkdir(exist_ok=True)
Path("weights/w.bin").write_bytes(bytes(range(256)) * 40)
models: list[str] = []
with mlflow.start_run(run_name="first", description="a note\nwith: two lines") as first:
    run = first.info.run_id
    mlflow.log_params({"lr": "0.1", "opt/name": "adam", "empty": ""})
    for step in range(50):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    for step, value in ((0, float("nan")), (1, float("inf")), (-3, -0.5)):
        mlflow.log_metric("train/acc", value, step=step)
    mlflow.set_tag("weird", "line 1\nline 2 ü: [x]")
    mlflow.log_text("hello", "notes/hello world.txt")
    mlflow.log_artifact("weights/w.bin")
    data = MetaDataset(CodeDatasetSource({"a": "b"}), name="train-set", digest="d1")
    mlflow.log_input(data, context="training")
    if is_three:
        made = client.create_logged_model(
            one, name="clf", source_run_id=run, model_type="tree", tags={"k": "v"}, params={"depth": "3"}
        )
        client.log_model_artifacts(made.model_id, "weights")
        client.finalize_logged_model(made.model_id, "READY")
        models = [made.model_id]
        mlflow.log_outputs(models=[mlflow.entities.LoggedModelOutput(made.model_id, 0)])
        mlflow.log_metric("on_model", float("nan"), step=4, model_id=made.model_id)
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metric("v", 3)
client.create_registered_model("RM", tags={"t": "1"}, description="of trees")
source = f"models:/{models[0]}" if models else f"{first.info.artifact_uri}/weights"
for _ in range(3):
    client.create_model_version("RM", source=source, run_id=run, **({"model_id": models[0]} if models else {}))
client.delete_model_version("RM", "2")
client.set_registered_model_alias("RM", "prod", "3")
client.set_model_version_tag("RM", "3", "vt", "2")
client.update_model_version("RM", "3", description="third")
for name, status in (("bad", "FAILED"), ("killed", "KILLED")):
    bad = client.create_run(one, run_name=name)
    client.log_metric(bad.info.run_id, "v", 1)
    client.set_terminated(bad.info.run_id, status)
deleted = client.create_run(one, run_name="deleted")
client.log_metric(deleted.info.run_id, "v", 1)
client.delete_run(deleted.info.run_id)
still_open = client.create_run(one, run_name="open")
client.log_metric(still_open.info.run_id, "v", 2)
print(json.dumps({"run": run, "models": models, "experiment": one, "start": first.info.start_time}))
