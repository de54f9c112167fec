"""Every endpoint that MLflow's own server has by its protocol: method and path, with a word for each parameter."""

import json
import re

from mlflow.protos.mlflow_artifacts_pb2 import MlflowArtifactsService
from mlflow.protos.model_registry_pb2 import ModelRegistryService
from mlflow.protos.service_pb2 import MlflowService
from mlflow.protos.webhooks_pb2 import WebhookService
from mlflow.server.handlers import get_service_endpoints

services = (MlflowService, ModelRegistryService, MlflowArtifactsService, WebhookService)
found = {
    f"{method} {re.sub('<[^>]*>', 'word', path)}"
    for service in services
    for path, _, methods in get_service_endpoints(service, lambda *_: None)
    for method in methods
}
print(json.dumps({"endpoints": sorted(found)}))
