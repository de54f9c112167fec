"""Makes a small offline run with the real wandb: `wandb_run.py FOLDER`. Nothing of the machine is in it."""

import math
import sys
from pathlib import Path

import numpy as np
import wandb

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
settings = wandb.Settings(
    x_disable_meta=True,
    x_disable_stats=True,
    x_disable_machine_info=True,
    host="trainer",
    console="off",
    save_code=False,
    silent=True,
)
run = wandb.init(
    project="fraud",
    name="first",
    id="abc12345",
    dir=folder,
    mode="offline",
    config={"lr": 0.1, "optimiser": {"name": "adam", "betas": [0.9, 0.999]}},
    tags=["baseline"],
    notes="made for a test",
    group="sweep 1",
    job_type="train",
    settings=settings,
)
run.define_metric("val/*", step_metric="epoch")
run.define_metric("loss", summary="min")
for i in range(40):
    values = {"loss": 1 / (i + 1), "nested": {"a": i, "b": math.nan if i % 10 == 0 else i / 2}, "flag": i % 2 == 1}
    if i % 10 == 0:
        values |= {"epoch": i // 10, "val/acc": i / 100}
    run.log(values)
run.log({"x": 1, "loss": math.inf}, step=50, commit=False)
run.log({"y": -math.inf}, step=50)
pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
run.log(
    {
        "note": "some text",
        "one": wandb.Image(pixels, caption="a caption"),
        "two": [wandb.Image(pixels), wandb.Image(255 - pixels, caption="second")],
        "weights": wandb.Histogram(np.linspace(-1, 1, 100), num_bins=8),
        "predictions": wandb.Table(columns=["name", "score"], data=[["cat", 0.5], ["dog", math.nan]]),
        "page": wandb.Html("<p>hello</p>", inject=False),
    }
)
run.log({"large": 2**60, "too large": 2**63 + 1, "nothing": None, "list": [1, 2]})
run.summary["best"] = 0.25
run.config.update({"late": True})
weights = folder / "weights.txt"
weights.write_text("0.1 0.2")
artifact = wandb.Artifact("model", "model")
artifact.add_file(str(weights))
run.log_artifact(artifact)
run.finish(exit_code=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
print("{}")
