"""Inputs and outputs of runs, logged models and the registry, by hand."""

import pytest

from tests.compat.wire_client import Json, Wire
from tests.support.server_process import ServerProcess

DATASET = {"name": "train", "digest": "d1", "source_type": "code", "source": "{}", "schema": "s", "profile": "p"}
CONTEXT = {"key": "mlflow.data.context", "value": "training"}
READY = "LOGGED_MODEL_READY"


def run_of(wire: Wire, run: str) -> Json:
    found: Json = wire.get("runs/get", run_id=run)["run"]
    return found


def new_model(wire: Wire, **fields: object) -> str:
    made = wire.post("logged-models", **{"experiment_id": "0", "name": "clf", **fields})["model"]
    return str(made["info"]["model_id"])


def model_of(wire: Wire, model: str) -> Json:
    found: Json = wire.get(f"logged-models/{model}")["model"]
    return found


def found_models(wire: Wire, **asked: object) -> list[str]:
    found = wire.post("logged-models/search", **{"experiment_ids": ["0"], **asked})
    return [one["info"]["name"] for one in found.get("models", [])]


def test_a_dataset_is_kept_as_it_was_first_logged(wire: Wire) -> None:
    run, other = wire.new_run(), wire.new_run()
    first = {"dataset": DATASET, "tags": [CONTEXT, {"key": "a", "value": "1"}]}
    again = {"dataset": {**DATASET, "source": "changed"}, "tags": [{"key": "b", "value": "2"}]}
    assert wire.post("runs/log-inputs", run_id=run, datasets=[first]) == {}
    wire.post("runs/log-inputs", run_id=run, datasets=[again])
    wire.post("runs/log-inputs", run_id=other, datasets=[again, {"dataset": {**DATASET, "digest": "d2"}}])
    (found,) = run_of(wire, run)["inputs"]["dataset_inputs"]
    assert found["dataset"] == DATASET
    assert sorted(tag["key"] for tag in found["tags"]) == ["a", "mlflow.data.context"]
    in_other = run_of(wire, other)["inputs"]["dataset_inputs"]
    assert [one["dataset"]["digest"] for one in in_other] == ["d1", "d2"]
    assert in_other[0]["dataset"]["source"] == "{}"
    answer = wire.http.post("/ajax-api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": ["0"]})
    assert answer.json()["dataset_summaries"] == [
        {"experiment_id": "0", "name": "train", "digest": "d1"},
        {"experiment_id": "0", "name": "train", "digest": "d1", "context": "training"},
        {"experiment_id": "0", "name": "train", "digest": "d2"},
    ]


@pytest.mark.parametrize(
    "dataset",
    [
        {**DATASET, "name": ""},
        {**DATASET, "digest": "d" * 37},
        {**DATASET, "name": "n" * 501},
        {**DATASET, "source": ""},
    ],
)
def test_datasets_that_are_not_whole_are_refused(wire: Wire, dataset: dict[str, str]) -> None:
    run = wire.new_run()
    wire.refused("runs/log-inputs", 400, "INVALID_PARAMETER_VALUE", run_id=run, datasets=[{"dataset": dataset}])
    assert run_of(wire, run)["inputs"] == {}


def test_models_are_linked_to_runs(wire: Wire) -> None:
    run, model = wire.new_run(), new_model(wire)
    wire.post("runs/outputs", run_id=run, models=[{"model_id": model, "step": "3"}])
    wire.post("runs/log-inputs", run_id=run, models=[{"model_id": model}])
    found = run_of(wire, run)
    assert found["outputs"] == {"model_outputs": [{"model_id": model, "step": 3}]}
    assert found["inputs"] == {"model_inputs": [{"model_id": model}]}
    wire.refused("runs/outputs", 400, "INVALID_PARAMETER_VALUE", run_id=run)
    wire.post("runs/delete", run_id=run)
    wire.refused("runs/outputs", 400, "INVALID_PARAMETER_VALUE", run_id=run, models=[{"model_id": model}])


def test_a_logged_model_from_pending_to_deleted(wire: Wire) -> None:
    run = wire.new_run()
    made = wire.post(
        "logged-models",
        experiment_id="0",
        name="clf",
        model_type="classifier",
        source_run_id=run,
        params=[{"key": "depth", "value": "3"}],
        tags=[{"key": "k", "value": "v"}],
    )["model"]
    info = made["info"]
    model = info["model_id"]
    assert model.startswith("m-")
    assert info["artifact_uri"].endswith(f"/models/{model}/artifacts")
    assert (info["status"], info["source_run_id"]) == ("LOGGED_MODEL_PENDING", run)
    assert made["data"] == {"params": [{"key": "depth", "value": "3"}]}
    assert wire.send("PATCH", f"logged-models/{model}", {"status": READY})["model"]["info"]["status"] == READY
    assert wire.send("PATCH", f"logged-models/{model}", {"status": 3})["model"]["info"]["status"] == (
        "LOGGED_MODEL_UPLOAD_FAILED"
    )
    wire.send("PATCH", f"logged-models/{model}", {"status": "DONE"}, 400)
    wire.send("PATCH", f"logged-models/{model}/tags", {"tags": [{"key": "k", "value": "2"}]})
    wire.post(f"logged-models/{model}/params", params=[{"key": "more", "value": "1"}])
    wire.refused(
        f"logged-models/{model}/params", 400, "INVALID_PARAMETER_VALUE", params=[{"key": "more", "value": "2"}]
    )
    assert model_of(wire, model)["info"]["tags"] == [{"key": "k", "value": "2"}]
    assert wire.send("DELETE", f"logged-models/{model}/tags/k", {}) == {}
    wire.send("DELETE", f"logged-models/{model}/tags/k", {}, 404)
    assert wire.send("DELETE", f"logged-models/{model}", {}) == {}
    refused = wire.get(f"logged-models/{model}", 404)
    assert refused["message"] == f"Logged model with ID '{model}' not found."
    assert found_models(wire) == []


def test_a_model_without_a_name_gets_one_and_odd_names_are_refused(wire: Wire) -> None:
    assert model_of(wire, new_model(wire, name=""))["info"]["name"]
    for name in ("a/b", "a:b", "a.b", "a%b"):
        wire.refused("logged-models", 400, "INVALID_PARAMETER_VALUE", experiment_id="0", name=name)
    wire.refused("logged-models", 404, "RESOURCE_DOES_NOT_EXIST", experiment_id="77", name="a")


def test_metrics_with_a_model_are_kept_with_both(wire: Wire) -> None:
    run, model = wire.new_run(), new_model(wire)
    point = {"key": "acc", "timestamp": 5, "step": 1, "model_id": model, "dataset_name": "d", "dataset_digest": "1"}
    wire.post("runs/log-metric", run_id=run, value=0.5, **point)
    wire.post("runs/log-batch", run_id=run, metrics=[{**point, "value": 0.75, "step": 2}])
    wire.post("runs/log-batch", run_id=run, metrics=[{**point, "value": 0.1, "step": 0}])
    expected = {
        "key": "acc",
        "value": 0.75,
        "timestamp": 5,
        "step": 2,
        "run_id": run,
        "model_id": model,
        "dataset_name": "d",
        "dataset_digest": "1",
    }
    assert model_of(wire, model)["data"]["metrics"] == [expected]
    assert run_of(wire, run)["data"]["metrics"][0]["value"] == 0.75
    wire.refused(
        "runs/log-metric",
        404,
        "RESOURCE_DOES_NOT_EXIST",
        run_id=run,
        value=1,
        **{**point, "model_id": "m-" + "5eed" * 8},
    )


def test_models_are_found(wire: Wire) -> None:
    run = wire.new_run()
    for place, name in enumerate(("a", "b", "c")):
        model = new_model(wire, name=name, params=[{"key": "p", "value": name}], tags=[{"key": "t", "value": "x"}])
        point = {"key": "acc", "value": place / 10, "timestamp": 1, "model_id": model}
        wire.post("runs/log-metric", run_id=run, **point, **({"dataset_name": "d"} if place else {}))
    assert found_models(wire) == ["c", "b", "a"]
    assert found_models(wire, filter="name = 'a'") == ["a"]
    assert found_models(wire, filter="metrics.acc >= 0.1 and params.p != 'b'") == ["c"]
    assert found_models(wire, filter="tags.t = 'x' and status = 'LOGGED_MODEL_PENDING'") == ["c", "b", "a"]
    assert found_models(wire, filter="metrics.acc < 9", datasets=[{"dataset_name": "d"}]) == ["c", "b"]
    by_metric = [{"field_name": "metrics.acc", "ascending": True}]
    assert found_models(wire, order_by=by_metric) == ["a", "b", "c"]
    assert found_models(wire, order_by=[{"field_name": "name", "ascending": False}]) == ["c", "b", "a"]
    assert found_models(wire, experiment_ids=["7"]) == []
    page = wire.post("logged-models/search", experiment_ids=["0"], max_results=2)
    rest = found_models(wire, max_results=2, page_token=page["next_page_token"])
    assert rest == ["a"]
    for wrong in ({"filter": "nothing = '1'"}, {"order_by": [{"field_name": "x"}]}, {"max_results": 0}):
        wire.refused("logged-models/search", 400, "INVALID_PARAMETER_VALUE", experiment_ids=["0"], **wrong)


def test_files_of_models(wire: Wire) -> None:
    model = new_model(wire)
    root = model_of(wire, model)["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    for path in ("MLmodel", "d/f.bin"):
        assert wire.http.put(f"/api/2.0/mlflow-artifacts/artifacts/{root}/{path}", content=b"12").status_code == 200
    assert wire.http.get(f"/api/2.0/mlflow-artifacts/artifacts/{root}/d/f.bin").content == b"12"
    found = wire.get(f"logged-models/{model}/artifacts/directories", artifact_directory_path="d")
    assert found["files"] == [{"path": "d/f.bin", "is_dir": False, "file_size": 2}]
    answer = wire.http.get(
        f"/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files", params={"artifact_file_path": "MLmodel"}
    )
    assert answer.content == b"12"


def test_the_registry_from_name_to_alias(wire: Wire) -> None:
    run = wire.new_run()
    model = new_model(wire, source_run_id=run)
    root = model_of(wire, model)["info"]["artifact_uri"]
    made = wire.post("registered-models/create", name="RM", tags=[{"key": "a", "value": "1"}], description="d")
    assert made["registered_model"]["tags"] == [{"key": "a", "value": "1"}]
    message = wire.refused("registered-models/create", 400, "RESOURCE_ALREADY_EXISTS", name="RM")
    assert message == "Registered Model (name=RM) already exists."
    version = wire.post("model-versions/create", name="RM", source=f"models:/{model}", model_id=model)["model_version"]
    assert (version["version"], version["status"], version["current_stage"]) == ("1", "READY", "None")
    assert (version["run_id"], version["model_id"]) == (run, model)
    assert wire.get("model-versions/get-download-uri", name="RM", version="1") == {"artifact_uri": root}
    wire.post("model-versions/create", name="RM", source=f"runs:/{run}/m", run_id=run)
    told = wire.get("model-versions/get-download-uri", name="RM", version=2)
    assert told == {"artifact_uri": f"runs:/{run}/m"}  # a client follows it by itself
    assert wire.post("registered-models/alias", name="RM", alias="prod", version="1") == {}
    assert wire.get("registered-models/alias", name="RM", alias="prod")["model_version"]["aliases"] == ["prod"]
    assert wire.get("registered-models/alias", name="RM", alias="latest")["model_version"]["version"] == "2"
    wire.post("model-versions/transition-stage", name="RM", version="1", stage="production")
    latest = wire.post("registered-models/get-latest-versions", name="RM")["model_versions"]
    assert [(one["version"], one["current_stage"]) for one in latest] == [("1", "Production"), ("2", "None")]
    moved = {"name": "RM", "version": "2", "stage": "Production", "archive_existing_versions": True}
    wire.post("model-versions/transition-stage", **moved)
    assert wire.get("model-versions/get", name="RM", version="1")["model_version"]["current_stage"] == "Archived"
    assert wire.send("DELETE", "model-versions/delete", {"name": "RM", "version": "2"}) == {}
    again = wire.post("model-versions/create", name="RM", source=f"models:/{model}")["model_version"]
    assert again["version"] == "3"
    wire.send("DELETE", "registered-models/alias", {"name": "RM", "alias": "prod"})
    assert wire.get("registered-models/alias", 400, name="RM", alias="prod")["error_code"] == "INVALID_PARAMETER_VALUE"
    assert wire.post("registered-models/rename", name="RM", new_name="RN")["registered_model"]["name"] == "RN"
    wire.send("PATCH", "registered-models/update", {"name": "RN", "description": "new"})
    assert wire.get("registered-models/get", name="RN")["registered_model"]["description"] == "new"
    assert wire.send("DELETE", "registered-models/delete", {"name": "RN"}) == {}
    message = wire.get("registered-models/get", 404, name="RN")["message"]
    assert message == "Registered Model with name=RN not found"
    assert wire.get("model-versions/search") == {}


def test_tags_and_search_of_the_registry(wire: Wire) -> None:
    for name in ("Alpha", "beta"):
        wire.post("registered-models/create", name=name)
        wire.post("model-versions/create", name=name, source="s3://bucket/path", description=name)
    wire.post("registered-models/set-tag", name="beta", key="a b", value="1")
    wire.post("model-versions/set-tag", name="beta", version="1", key="k", value="v")
    found = wire.get("registered-models/search", filter="tags.`a b` = '1'")["registered_models"]
    assert [one["name"] for one in found] == ["beta"]
    found = wire.get("registered-models/search", filter="name ILIKE 'a%'", order_by=["name DESC"])["registered_models"]
    assert [one["name"] for one in found] == ["Alpha"]
    found = wire.get("model-versions/search", filter="tags.k = 'v'")["model_versions"]
    assert [(one["name"], one["tags"]) for one in found] == [("beta", [{"key": "k", "value": "v"}])]
    page = wire.get("model-versions/search", max_results=1)
    rest = wire.get("model-versions/search", max_results=1, page_token=page["next_page_token"])
    assert [page["model_versions"][0]["name"], rest["model_versions"][0]["name"]] == ["beta", "Alpha"]
    wire.send("DELETE", "registered-models/delete-tag", {"name": "beta", "key": "a b"})
    wire.send("DELETE", "model-versions/delete-tag", {"name": "beta", "version": "1", "key": "k"})
    assert wire.get("registered-models/search", filter="tags.`a b` = '1'") == {}


def test_prompts_are_found_by_those_who_ask_for_them(wire: Wire) -> None:
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    wire.post("registered-models/create", name="hello", tags=tags)
    wire.post("model-versions/create", name="hello", source="dummy-source", tags=tags)
    assert wire.get("registered-models/search") == {}
    assert wire.get("registered-models/search", filter="tag.`mlflow.prompt.is_prompt` = 'false'") == {}
    found = wire.get("registered-models/search", filter="tag.`mlflow.prompt.is_prompt` = 'true'")
    assert [one["name"] for one in found["registered_models"]] == ["hello"]


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "models:/m-" + "5eed" * 8,
        "runs:/" + "5eed" * 8 + "/m",
        "mlflow-artifacts:/" + "5eed" * 8 + "/" + "5eed" * 8 + "/artifacts/m",
        "mlflow-artifacts://host/x",
        "s3://bucket/../other",
        "",
    ],
)
def test_a_version_never_leads_to_files_that_are_not_its_own(wire: Wire, source: str) -> None:
    wire.post("registered-models/create", name="RM")
    answer = wire.http.post("/api/2.0/mlflow/model-versions/create", json={"name": "RM", "source": source})
    assert answer.status_code in (400, 404), answer.text
    assert wire.get("model-versions/search") == {}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("path/to/model", "To use a local path as a model version source"),
        ("./model", "To use a local path as a model version source"),
        ("mlflow-artifacts://host:9000/models", "If supplying a source as an http, https, local file path, ftp, "),
        ("s3://bucket/models/../../x", "If supplying a source as an http, https, local file path, ftp, "),
        ("s3://bucket/%2e%2e/x", "If supplying a source as an http, https, local file path, ftp, "),
        ("runs:/some-run/model", "The run_id request parameter must identify the resource that contains the source"),
        ("mlflow-artifacts:/models", "The run_id request parameter must identify the resource that contains the"),
    ],
)
def test_why_a_source_is_refused_is_said(wire: Wire, source: str, says: str) -> None:
    wire.post("registered-models/create", name="RM")
    message = wire.refused("model-versions/create", 400, "INVALID_PARAMETER_VALUE", name="RM", source=source)
    assert message.startswith(f"Invalid model version source: '{source}'. {says}")


def test_a_version_may_come_from_a_run_of_another_server(wire: Wire) -> None:
    wire.post("registered-models/create", name="RM")
    source = "runs:/a-run-elsewhere/model"
    made = wire.post("model-versions/create", name="RM", source=source, run_id="a-run-elsewhere")["model_version"]
    assert (made["source"], made["run_id"]) == (source, "a-run-elsewhere")
    assert wire.get("model-versions/get-download-uri", name="RM", version="1") == {"artifact_uri": source}
    answer = wire.http.get("/model-versions/get-artifact", params={"name": "RM", "version": "1", "path": "MLmodel"})
    assert answer.status_code == 400, answer.text  # its files are not here


def test_a_copied_version_names_what_it_was_copied_from_and_outlives_it(wire: Wire) -> None:
    run = wire.new_run()
    root = wire.get("runs/get", run_id=run)["run"]["info"]["artifact_uri"]
    path = f"{root.removeprefix('mlflow-artifacts:/')}/m/MLmodel"
    assert wire.http.put(f"/api/2.0/mlflow-artifacts/artifacts/{path}", content=b"flavors").status_code == 200
    for name in ("RM", "Copy"):
        wire.post("registered-models/create", name=name)
    wire.post("model-versions/create", name="RM", source=f"runs:/{run}/m", run_id=run)
    wire.post("registered-models/alias", name="RM", alias="prod", version="1")
    for source in ("models:/RM/1", "models:/RM@prod", "models:/RM/latest"):
        made = wire.post("model-versions/create", name="Copy", source=source)["model_version"]
        assert (made["source"], made["run_id"]) == ("models:/RM/1", run)
    made = wire.post("model-versions/create", name="Copy", source="models:/Copy/3")["model_version"]
    assert made["source"] == "models:/Copy/3"
    found = wire.get("model-versions/search", filter="source_path = 'models:/RM/1'")["model_versions"]
    assert [one["version"] for one in found] == ["3", "2", "1"]
    wire.send("DELETE", "registered-models/delete", {"name": "RM"})
    for version in ("1", "4"):
        told = wire.get("model-versions/get-download-uri", name="Copy", version=version)
        assert told == {"artifact_uri": f"runs:/{run}/m"}
        asked = {"name": "Copy", "version": version, "path": "MLmodel"}
        assert wire.http.get("/model-versions/get-artifact", params=asked).content == b"flavors"


def test_a_source_that_names_no_version_is_refused(wire: Wire) -> None:
    wire.post("registered-models/create", name="RM")
    for source in ("models:/RM/latest", "models:/RM@nothing"):
        wire.refused("model-versions/create", 400, "INVALID_PARAMETER_VALUE", name="RM", source=source)
    for source in ("models:/RM/9", "models:/Other/1", "models:/Other@x"):
        wire.refused("model-versions/create", 404, "RESOURCE_DOES_NOT_EXIST", name="RM", source=source)


def test_models_live_in_their_tenant(wire: Wire, server: ServerProcess, tenant: str) -> None:
    model = new_model(wire)
    wire.post("registered-models/create", name="RM")
    other = Wire(server.base_url, f"{tenant}-other")
    other.get(f"logged-models/{model}", 403)
    other.get("registered-models/get", 404, name="RM")
    other.http.close()


def test_a_purged_experiment_takes_its_models_and_datasets_along(
    wire: Wire, server: ServerProcess, tenant: str
) -> None:
    experiment = wire.post("experiments/create", name="gone")["experiment_id"]
    run = wire.new_run(experiment)
    model = new_model(wire, experiment_id=experiment, params=[{"key": "a", "value": "1"}])
    root = model_of(wire, model)["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    wire.http.put(f"/api/2.0/mlflow-artifacts/artifacts/{root}/f", content=b"1")
    wire.post("runs/log-inputs", run_id=run, datasets=[{"dataset": DATASET}], models=[{"model_id": model}])
    wire.post("runs/log-metric", run_id=run, key="m", value=1, timestamp=1, model_id=model)
    wire.post("experiments/delete", experiment_id=experiment)
    with server.client(tenant) as api:
        (uid,) = (
            one["id"] for one in api.get("/experiments", params={"lifecycle_stage": "deleted"}).json()["experiments"]
        )
        assert api.post(f"/experiments/{uid}/purge").status_code == 200
    wire.get(f"logged-models/{model}", 404)
    wire.get("runs/get", 404, run_id=run)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/3.0/mlflow/traces/metrics"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("GET", "/ajax-api/3.0/jobs/1"),
    ],
)
def test_what_is_left_out_says_so(wire: Wire, method: str, path: str) -> None:
    answer = wire.http.request(method, path)
    assert answer.status_code == 501, answer.text
    assert answer.json()["error_code"] == "NOT_IMPLEMENTED"
    assert path in answer.json()["message"]


def test_a_model_from_elsewhere_keeps_its_id_and_time(wire: Wire) -> None:
    uid = "m-" + "0123456789abcdef" * 2
    assert new_model(wire, model_id=uid, creation_timestamp_ms=1_600_000_000_000) == uid
    assert model_of(wire, uid)["info"]["creation_timestamp_ms"] == 1_600_000_000_000
    asked = {"experiment_id": "0", "name": "clf"}
    wire.refused("logged-models", 400, "RESOURCE_ALREADY_EXISTS", model_id=uid, **asked)
    wire.send("DELETE", f"logged-models/{uid}", {})
    wire.refused("logged-models", 400, "RESOURCE_ALREADY_EXISTS", model_id=uid, **asked)
    wire.refused("logged-models", 400, "INVALID_PARAMETER_VALUE", model_id="m-1", **asked)
