"""A file in parts, past the server, and back in ranges: what `MLFLOW_ENABLE_PROXY_MULTIPART_*` switch on."""

import hashlib
import json
import random
from pathlib import Path

import mlflow
import requests

data = random.Random(3).randbytes(13_000_001)
Path("big.bin").write_bytes(data)
asked: list[str] = []
send = requests.Session.send


def noted(self, request, **options):
    asked.append(f"{request.method} {request.url.split('?')[0]}")
    return send(self, request, **options)


requests.Session.send = noted
with mlflow.start_run() as run:
    mlflow.log_artifact("big.bin", "deep/folder")
    mlflow.log_text("small", "small.txt")
Path("back").mkdir()
back = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="deep/folder/big.bin", dst_path="back")
read = Path(back).read_bytes()
print(
    json.dumps(
        {
            "run": run.info.run_id,
            "is_same": read == data,
            "sha256": hashlib.sha256(data).hexdigest(),
            "asked": asked,
            "small": mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/small.txt"),
        }
    )
)
