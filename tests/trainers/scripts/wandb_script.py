"""A script as people write it for wandb; `wandb_script.py MODULE MODE` runs it with `wandb` or `gnomon.wandb`."""

import argparse
import importlib
import json
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("agg")
import matplotlib.pyplot as plt

wandb = importlib.import_module(sys.argv[1])
mode = sys.argv[2]

args = argparse.Namespace(lr=0.1, batch_size=32)
run = wandb.init(
    project="fraud",
    name="as for wandb",
    config=args,
    tags=["baseline"],
    notes="some notes",
    group="g",
    job_type="train",
    mode=mode,
)
assert wandb.run is run
wandb.config.update({"model": {"width": 4, "layers": [1, 2]}}, allow_val_change=True)
wandb.config.seed = 7
assert wandb.config.lr == 0.1
assert wandb.config["batch_size"] == 32
assert wandb.config.model["width"] == 4
assert "seed" in wandb.config.keys()  # noqa: SIM118 - as people write it
wandb.define_metric("epoch")
wandb.define_metric("val/*", step_metric="epoch")

rng = np.random.default_rng(0)
for epoch in range(3):
    for batch in range(4):
        wandb.log({"train": {"loss": 1 / (1 + epoch * 4 + batch)}, "lr": np.float32(0.5)}, commit=batch < 3)
    wandb.log({"val/acc": epoch / 10, "epoch": epoch})
run.log({"at": 1}, step=40)
run.log({"also": 2}, step=40)
run.log({"late": 3}, step=5)
image = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
table = wandb.Table(columns=["name", "score"])
table.add_data("cat", 0.5)
table.add_data("dog", 0.25)
figure, axes = plt.subplots()
axes.plot([1, 2, 3])
run.log(
    {
        "sample": wandb.Image(image, caption="a sample"),
        "samples": [wandb.Image(image), wandb.Image(255 - image, caption="two")],
        "weights": wandb.Histogram(rng.normal(size=100)),
        "counted": wandb.Histogram(np_histogram=np.histogram([1, 2, 3, 4], bins=2)),
        "predictions": table,
        "figure": figure,
        "words": "some text",
        "page": wandb.Html("<p>hello</p>"),
        "confusion": wandb.plot.confusion_matrix(probs=None, y_true=[0, 1, 1], preds=[0, 1, 0], class_names=["a", "b"]),
    }
)
run.summary["best"] = 0.25
wandb.summary["note"] = "text of the summary"
Path("model.txt").write_text("0.1 0.2")
artifact = wandb.Artifact("model", type="model", metadata={"epochs": 3})
artifact.add_file("model.txt")
with artifact.new_file("more.txt") as file:
    file.write("more")
run.log_artifact(artifact, aliases=["latest", "best"])
wandb.save("model.txt")
wandb.alert(title="done", text="the training is done")
name, run_id, url, step = run.name, run.id, run.url, run.step
wandb.finish()
print(json.dumps({"id": run_id, "name": name, "url": url, "step": step}))
