"""Run in the environment of these tools: lint the chart with Helm, render it, hold it to the schemas of Kubernetes.

Prints what each case renders to, as JSON: {case: [objects]}, and {"refused": {case: sentence}}.
"""

import json
import sys
from pathlib import Path

import helm_python as helm
import kubernetes_validate
import yaml

_ERROR = 2  # Helm's severities: 1 information, 2 warning, 3 error
_SHARED = {"database": {"existingSecret": "postgres"}}
CASES = {
    "default": {},
    "setup": {"setup": True},
    "postgresql": {
        **_SHARED,
        "replicas": 3,
        "persistence": {"accessMode": "ReadWriteMany", "storageClass": "nfs"},
        "settings": {"TENANT_POINTS_PER_SEC": 500000, "LOG_REQUESTS": False},
    },
    "objects": {
        **_SHARED,
        "replicas": 2,
        "artifacts": {"url": "s3://b/p", "endpoint": "https://s3", "region": "eu", "existingSecret": "aws"},
    },
    "ingress": {
        "ingress": {"enabled": True, "host": "track.example.com", "className": "nginx", "tlsSecret": "tls"},
        "allowedHosts": ["track.internal"],
        "metrics": {"serviceMonitor": True},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "only", "operator": "Exists"}],
        "persistence": {"existingClaim": "mine"},
        "podAnnotations": {"a": "b"},
        "imagePullSecrets": [{"name": "registry"}],
    },
}
REFUSED = {
    "two servers on one SQLite": {"replicas": 2},
    "two servers, one volume": {**_SHARED, "replicas": 2},
    "an unknown value": {"replica": 2},
    "a size without a unit": {"persistence": {"size": "20"}},
}


def main(chart: Path) -> None:
    found = helm.lint(str(chart))
    if found["errors"] or any(message["severity"] >= _ERROR for message in found["messages"]):
        sys.exit(f"helm lint: {found}")
    rendered: dict[str, list[object]] = {}
    refused: dict[str, str] = {}
    with helm.Chart.load(str(chart)) as loaded:
        for case, values in CASES.items():
            texts = loaded.render(values, name="demo", namespace="prod")
            objects = [
                each
                for name, text in texts.items()
                if not name.endswith(".txt")
                for each in yaml.safe_load_all(text)
                if each
            ]
            for each in objects:
                if each["kind"] != "ServiceMonitor":  # of an operator, not of Kubernetes
                    kubernetes_validate.validate(each, "1.33", strict=True)
            rendered[case] = [*objects, {"notes": texts["gnomon/templates/NOTES.txt"]}]
        for case, values in REFUSED.items():
            try:
                loaded.render(values, name="demo", namespace="prod")
            except helm.HelmError as error:
                refused[case] = str(error)
    json.dump({"rendered": rendered, "refused": refused}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
