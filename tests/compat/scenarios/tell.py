"""Say all that a store tells of runs and registered models, in a form that can be compared. Arguments: its URI.

Runs with MLflow 2 and 3. Infinities are told as databases keep them, and points as a set: equal ones count once.
"""

import hashlib
import json
import math
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

LARGEST = sys.float_info.max
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_registry_uri(sys.argv[1])
client = MlflowClient()


def number(value: float) -> str:
    return "nan" if math.isnan(value) else repr(max(-LARGEST, min(LARGEST, value)))


def files_of(run_id: str, path: str | None = None) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in client.list_artifacts(run_id, path):
        if each.is_dir:
            found |= files_of(run_id, each.path)
        else:
            with tempfile.TemporaryDirectory() as place:
                there = Path(client.download_artifacts(run_id, each.path, place))
                found[each.path] = hashlib.sha256(there.read_bytes()).hexdigest()
    return found


def points_of(run_id: str, key: str) -> list[tuple[int, int, str]]:
    return sorted({(each.step, each.timestamp, number(each.value)) for each in client.get_metric_history(run_id, key)})


def told_of(run: mlflow.entities.Run) -> dict[str, object]:
    info, data = run.info, run.data
    return {
        "info": [info.run_name, info.status, info.lifecycle_stage, info.start_time, info.end_time],
        "params": data.params,
        # A store that is logged to without a user says nothing, or that it is unknown.
        "tags": {key: value for key, value in data.tags.items() if key != "mlflow.user"},
        "points": {key: points_of(info.run_id, key) for key in data.metrics},
        "latest": {key: number(value) for key, value in data.metrics.items()},
        "files": files_of(info.run_id),
        "datasets": sorted(
            [*vars(each.dataset).values(), sorted((tag.key, tag.value) for tag in each.tags)]
            for each in run.inputs.dataset_inputs
        ),
    }


experiments = client.search_experiments(view_type=ViewType.ALL)
models = client.search_registered_models()
versions = [version for each in models for version in client.search_model_versions(f"name = '{each.name}'")]
print(
    json.dumps(
        {
            "experiments": {each.name: [each.lifecycle_stage, each.tags] for each in experiments},
            "runs": {
                run.info.run_id: told_of(run)
                for each in experiments
                if each.lifecycle_stage == "active"
                for run in client.search_runs([each.experiment_id], run_view_type=ViewType.ALL)
            },
            "models": {
                each.name: [each.description or "", each.tags, {key: str(value) for key, value in each.aliases.items()}]
                for each in models
            },
            "versions": sorted(
                [each.name, int(each.version), each.run_id, each.current_stage, each.description or "", each.tags]
                for each in versions
            ),
        }
    )
)
