"""`define_metric` with a summary and a goal: prints the summary that the script sees."""

import json

import gnomon.wandb as wandb

run = wandb.init(project="defined")
run.define_metric("loss", summary="min,mean")
run.define_metric("val/*", summary="best", goal="maximize")
run.define_metric("val/err", step_metric="epoch", summary="best", goal="minimize")
run.define_metric("hidden", summary="none")
for epoch, loss in enumerate([1.0, 0.25, 0.5, 0.75]):
    run.log({"loss": loss, "val/acc": [0.1, 0.5, 0.3, 0.2][epoch], "val/err": loss, "plain": epoch + 1, "hidden": 1})
assert run.summary["loss"]["min"] == 0.25
print(json.dumps({key: run.summary.get(key) for key in ("loss", "val/acc", "val/err", "plain", "hidden")}))
run.finish()
