"""The shape of a pipeline: a run makes a data set, the next uses it and logs a model, with `reinit` and job types."""

import json
import os
from pathlib import Path

import gnomon.wandb as wandb

os.environ["WANDB_PROJECT"] = "examples"
os.environ["WANDB_SILENT"] = "true"
wandb.login(key="not looked at", relogin=True)

with wandb.init(job_type="data", name="stages data", reinit=True) as run:
    data = wandb.Artifact("numbers", type="dataset", description="some numbers", metadata={"rows": 3})
    Path("numbers.csv").write_text("1\n2\n3\n")
    data.add_file("numbers.csv")
    run.log_artifact(data).wait()
    run.gnomon.flush(60)

run = wandb.init(job_type="train", name="stages train", reinit="finish_previous", resume="allow")
used = run.use_artifact("numbers:latest", type="dataset")
rows = [int(line) for line in Path(used.download(), "numbers.csv").read_text().split()]
run.config.update({"rows": used.metadata["rows"]})
for step, row in enumerate(rows):
    run.log({"row": row}, step=step, commit=False)
    run.log({"square": row * row}, step=step)
model = wandb.Artifact(f"model-{run.id}", type="model")
with model.new_file("weights.txt", mode="w") as file:
    file.write("0.5")
run.log_artifact(model, aliases=["latest", "best"])
run.log_model("numbers.csv", name="also")
run.mark_preempting()
run.finish(exit_code=0, quiet=True)
assert wandb.run is None
print(json.dumps({"name": "stages train", "logged": {"row": 3, "square": 3}}))
