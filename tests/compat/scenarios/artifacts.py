"""Files of runs by MLflow's own ways to log and read them."""

import json
from pathlib import Path

import matplotlib as mpl
import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient

mpl.use("agg")
import matplotlib.pyplot as plt  # after the backend is chosen

client = MlflowClient()
found: dict[str, object] = {}

folder = Path("folder")
(folder / "deep").mkdir(parents=True)
(folder / "a.txt").write_text("A")
(folder / "deep" / "ü b.txt").write_text("B")
(folder / "empty.bin").write_bytes(b"")
big = bytes(range(256)) * 40_000
Path("big.bin").write_bytes(big)

with mlflow.start_run() as run:
    mlflow.log_artifact("big.bin", "files")
    mlflow.log_artifacts("folder", "tree")
    mlflow.log_text("hello", "notes/t.txt")
    mlflow.log_dict({"a": [1, 2]}, "d.json")
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    mlflow.log_figure(figure, "figure.png")
    mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "image.png")
    mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), key="step image", step=3)
    mlflow.log_table(pd.DataFrame({"x": [1, 2]}), "table.json")
    mlflow.log_table(pd.DataFrame({"x": [3]}), "table.json")
run_id = run.info.run_id


def listed(path: str | None = None) -> list[tuple[str, bool, int | None]]:
    return [(one.path, one.is_dir, one.file_size) for one in client.list_artifacts(run_id, path)]


found["root"] = sorted(path for path, *_ in listed())
found["tree"] = listed("tree")
found["deep"] = listed("tree/deep")
found["text"] = mlflow.artifacts.load_text(f"runs:/{run_id}/notes/t.txt")
found["dict"] = mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/d.json")
found["table"] = mlflow.load_table("table.json", run_ids=[run_id])["x"].tolist()
found["images"] = len(listed("images"))
local = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="", dst_path="down"))
found["big"] = (local / "files" / "big.bin").read_bytes() == big
found["umlaut"] = (local / "tree" / "deep" / "ü b.txt").read_text()
found["empty"] = (local / "tree" / "empty.bin").stat().st_size
found["none"] = listed("none")
print(json.dumps(found))
