"""Experiments, runs, logging and search by MLflow's fluent and client APIs."""

import json
import time

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

client = MlflowClient()
found: dict[str, object] = {}


def refused(call: object) -> str:
    try:
        call()  # type: ignore[operator]
    except MlflowException as error:
        return f"{error.error_code}: {error.message.splitlines()[0].removeprefix(f'{error.error_code}: ')}"
    return "nothing"


mlflow.set_experiment("training")
with mlflow.start_run(run_name="parent", tags={"team": "risk"}, description="a note") as parent:
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"nan": float("nan"), "inf": float("inf"), "acc": 0.5}, step=1)
    mlflow.log_param("lr", 1e-5)
    mlflow.log_params({f"p{i}": i for i in range(100)})
    mlflow.set_tags({"a": "1", "b": 2})
    mlflow.log_metric("async", 1.0, synchronous=False).wait()
    with mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_metric("loss", 9.0)
    found["conflict"] = refused(lambda: mlflow.log_param("lr", 2))
run_id = parent.info.run_id
run = client.get_run(run_id)
found["status"] = run.info.status
found["name"] = [run.info.run_name, run.data.tags["mlflow.runName"]]
found["note"] = run.data.tags["mlflow.note.content"]
found["metrics"] = {key: str(value) for key, value in run.data.metrics.items()}
found["params"] = len(run.data.params)
found["lr"] = run.data.params["lr"]
found["history"] = [(one.step, one.value) for one in client.get_metric_history(run_id, "loss")]
found["user"] = run.info.user_id == run.data.tags["mlflow.user"]
found["parent"] = client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run_id

with mlflow.start_run(run_id=run_id):
    found["resumed"] = client.get_run(run_id).info.status
    mlflow.log_metric("loss", 0.01, step=99)
found["resumed_latest"] = client.get_run(run_id).data.metrics["loss"]

now = int(time.time() * 1000)
client.log_batch(
    run_id,
    metrics=[Metric("many", float(i), now, i) for i in range(1000)],
    params=[Param("batch", "x" * 7000)],
    tags=[RunTag("long", "y" * 9000)],
)
run = client.get_run(run_id)
found["cut"] = [len(run.data.params["batch"]), len(run.data.tags["long"])]
found["paged_history"] = len(client.get_metric_history(run_id, "many"))
client.update_run(run_id, status="FAILED", name="renamed")
found["updated"] = [client.get_run(run_id).info.status, client.get_run(run_id).info.run_name]
client.set_terminated(run_id, "KILLED", end_time=now)
found["terminated"] = [client.get_run(run_id).info.status, client.get_run(run_id).info.end_time == now]

frame = mlflow.search_runs(
    experiment_names=["training"],
    filter_string="metrics.loss > 0.001 and params.lr = '1e-05' and tags.team = 'risk'",
    order_by=["metrics.loss DESC"],
)
found["frame"] = [len(frame), frame["params.p7"][0], frame["tags.mlflow.runName"][0]]
found["all"] = len(mlflow.search_runs(search_all_experiments=True))
for number in range(5):
    client.create_run("0", run_name=f"r{number}")
page = client.search_runs(["0"], max_results=2, order_by=["attributes.start_time ASC"])
found["pages"] = [len(page), len(client.search_runs(["0"], max_results=2, page_token=page.token))]

client.delete_tag(run_id, "a")
found["no_tag"] = refused(lambda: client.delete_tag(run_id, "a"))
client.delete_run(run_id)
found["deleted"] = [client.get_run(run_id).info.lifecycle_stage, refused(lambda: client.log_metric(run_id, "a", 1))]
found["deleted_search"] = len(client.search_runs([run.info.experiment_id], run_view_type=ViewType.DELETED_ONLY))
client.restore_run(run_id)

experiment = client.get_experiment_by_name("training")
client.set_experiment_tag(experiment.experiment_id, "k", "v")
client.rename_experiment(experiment.experiment_id, "renamed")
found["experiment"] = [client.get_experiment(experiment.experiment_id).name, client.get_experiment("0").name]
found["experiments"] = [one.name for one in client.search_experiments(filter_string="tags.k = 'v'")]
found["taken"] = refused(lambda: client.create_experiment("renamed"))
client.delete_experiment(experiment.experiment_id)
found["set_deleted"] = refused(lambda: mlflow.set_experiment("renamed"))
client.restore_experiment(experiment.experiment_id)
found["unknown"] = refused(lambda: client.get_run("5eed" * 8))
print(json.dumps(found))
