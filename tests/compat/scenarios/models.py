"""Models: logged, registered, loaded back by every address they have, and found again."""

import json

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
found: dict[str, object] = {}
features = np.arange(80).reshape(40, 2) / 10
labels = (features[:, 0] > 4).astype(int)
experiment = mlflow.set_experiment("models")
model = LogisticRegression().fit(features, labels)

with mlflow.start_run() as run:
    data = mlflow.data.from_numpy(features, targets=labels, name="train")
    mlflow.log_input(data, context="training")
    info = mlflow.sklearn.log_model(
        model, name="clf", registered_model_name="RM", input_example=features[:2], params={"depth": 3}
    )
    mlflow.log_metric("acc", 0.9, model_id=info.model_id, dataset=data)
with mlflow.start_run():
    mlflow.sklearn.log_model(LogisticRegression(C=0.01).fit(features, labels), name="clf2", registered_model_name="RM")
client.set_registered_model_alias("RM", "prod", 1)


def predicts_the_same(uri: str) -> bool:
    return bool((mlflow.pyfunc.load_model(uri).predict(features) == model.predict(features)).all())


found["loaded"] = {
    name: predicts_the_same(uri)
    for name, uri in {"id": info.model_uri, "version": "models:/RM/1", "alias": "models:/RM@prod"}.items()
}
found["sklearn"] = bool((mlflow.sklearn.load_model("models:/RM/1").coef_ == model.coef_).all())
found["by_run"] = predicts_the_same(f"runs:/{run.info.run_id}/clf")
logged = client.get_logged_model(info.model_id)
found["logged"] = [logged.status.value, logged.params, [(m.key, m.value, m.dataset_name) for m in logged.metrics]]
found["source_run"] = logged.source_run_id == run.info.run_id
read = client.get_run(run.info.run_id)
found["outputs"] = [one.model_id for one in read.outputs.model_outputs] == [info.model_id]
found["inputs"] = [(one.dataset.name, one.tags[0].value) for one in read.inputs.dataset_inputs]
search = mlflow.search_logged_models(
    experiment_ids=[experiment.experiment_id], filter_string="metrics.acc > 0.5", output_format="list"
)
found["searched"] = [one.name for one in search]
found["versions"] = sorted(one.version for one in client.search_model_versions("name = 'RM'"))
found["of_run"] = len(client.search_model_versions(f"run_id = '{run.info.run_id}'"))
found["registered"] = [(one.name, one.aliases) for one in client.search_registered_models()]
client.transition_model_version_stage("RM", "1", "Production")
found["staged"] = predicts_the_same("models:/RM/Production")
found["latest"] = [one.version for one in client.get_latest_versions("RM", ["None"])]
client.copy_model_version("models:/RM/1", "Copy")
found["copied"] = predicts_the_same("models:/Copy/1")
client.update_model_version("RM", "1", description="first")
client.set_model_version_tag("RM", "1", "k", "v")
version = client.get_model_version("RM", "1")
found["version"] = [version.description, version.tags, list(version.aliases), version.status]
client.delete_registered_model_alias("RM", "prod")
client.delete_model_version("RM", "2")
client.delete_registered_model("Copy")
found["left"] = [(one.name, one.version) for one in client.search_model_versions()]
try:
    mlflow.register_model(info.model_uri, "RM")
    found["again"] = client.get_model_version("RM", "3").version
    client.create_registered_model("RM")
except MlflowException as error:
    found["taken"] = error.error_code

mlflow.genai.register_prompt(name="hello", template="Hello {{name}}")
mlflow.genai.register_prompt(name="hello", template="Hi {{name}}")
prompt = mlflow.genai.load_prompt("prompts:/hello/2")
found["prompt"] = [prompt.template, prompt.version]
found["not_models"] = [one.name for one in client.search_registered_models()]

external = mlflow.create_external_model(name="elsewhere", model_type="agent")
found["external"] = [external.status.value, external.source_run_id or ""]
active = mlflow.set_active_model(name="active")
mlflow.log_model_params({"p": "1"}, model_id=active.model_id)
found["active"] = client.get_logged_model(active.model_id).params
client.set_logged_model_tags(active.model_id, {"t": "1"})
client.delete_logged_model_tag(active.model_id, "t")
client.delete_logged_model(active.model_id)
try:
    client.get_logged_model(active.model_id)
except MlflowException as error:
    found["deleted"] = error.error_code

print(json.dumps(found))
