"""Logs three runs, and reads them back with `wandb.Api()` as scripts of evaluation do; prints what was found."""

import json
import os
from pathlib import Path

import gnomon.wandb as wandb

for name, lr, accs in (("small", 0.1, (0.0, 0.25, 0.5, 0.75)), ("large", 1.5, (0.5, 0.9)), ("broken", 9.0, ())):
    config = {"lr": lr, "opt": "adam", "model": {"width": 4, "layers": [1, 2], "bias": True}, "seed": None}
    if name == "broken":
        config["opt"] = "sgd"
    tags = ["baseline"] if name == "small" else []
    run = wandb.init(
        project="reading",
        id=name,
        name=f"the {name} one",
        config=config,
        tags=tags,
        group=None if name == "broken" else "g",
    )
    for epoch, acc in enumerate(accs):
        run.log({"loss": 1 / (1 + epoch), "acc": acc, "epoch": epoch})
    if name == "small":
        run.log({"late": 1.0})
        run.summary["note"] = "a text"
        run.summary["best"] = 0.5
        Path("model.txt").write_text("0.1 0.2")
        run.save("model.txt")
        run.log_artifact("model.txt", name="model", type="model")
    run.finish(1 if name == "broken" else 0)

api = wandb.Api()


def ids(filters: dict[str, object] | None = None, order: str = "+created_at") -> list[str]:
    return [each.id for each in api.runs("someone/reading", filters=filters, order=order)]


found = {
    "all": ids(),
    "backwards": ids(order="-created_at"),
    "by lr": ids({"config.lr": {"$gt": 1, "$lt": 2}}),
    "by opt": ids({"config.opt.value": "adam"}),
    "by acc": ids({"summary_metrics.acc": {"$gte": 0.75}}, "-summary_metrics.acc"),
    "by min": ids({"summary_metrics.loss.min": {"$lte": 0.25}}),
    "by state": ids({"state": "failed"}),
    "by tag": ids({"tags": {"$in": ["baseline", "other"]}}),
    "without tag": ids({"tags": {"$nin": ["baseline"]}}),
    "by name": ids({"display_name": {"$regex": "^the l"}}),
    "by group": ids({"group": "g"}),
    "or": ids({"$or": [{"config.lr": 0.1}, {"config.opt": {"$ne": "adam"}}]}),
    "not": ids({"$and": [{"state": "finished"}, {"config.lr": {"$nin": [1.5, 9]}}]}),
    "missing": ids({"summary_metrics.acc": {"$exists": False}}),
    "recent": ids({"created_at": {"$gt": "2020-01-01T00:00:00Z"}}),
    "long ago": ids({"created_at": {"$lt": "2020-01-01T00:00:00Z"}}),
}
runs = api.runs("reading")
assert (len(runs), runs[-1].id, [each.id for each in runs[:2]]) == (3, "broken", ["small", "large"])
run = api.run("someone/reading/small")
frame = run.history(keys=["loss", "acc"])
both = [{key: row[key] for key in ("_step", "loss", "acc")} for row in run.scan_history(keys=["loss", "acc"])]
assert all(row["_timestamp"] > 1.6e9 and row["_runtime"] >= 0 for row in run.scan_history())
run.file("model.txt").download(root="downloaded")
try:
    run.file("nothing")
except ValueError as error:
    missing = str(error)


def refusal(call) -> str:  # what a person sees
    try:
        call()
    except (ValueError, wandb.errors.CommError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was refused"


refused = {
    "project": refusal(lambda: api.runs("nowhere")),
    "run": refusal(lambda: api.run("reading/nobody")),
    "filter": refusal(lambda: ids({"sweep": "x"})),
    "operator": refusal(lambda: ids({"config.lr": {"$mod": [2, 0]}})),
}
os.environ["GNOMON_URL"] = "http://127.0.0.1:9"
refused["server"] = refusal(lambda: wandb.Api(timeout=1).runs("reading")).partition(":")[0]
print(
    json.dumps(
        {
            "found": found,
            "config": run.config,
            "summary": dict(run.summary),
            "steps": [row["_step"] for row in run.scan_history()],
            "both": both,
            "sampled": [row["_step"] for row in run.history(samples=2, pandas=False)],
            "part": [row["_step"] for row in run.scan_history(min_step=1, max_step=3)],
            "frame": [[name for name in frame.columns if not name.startswith("_")], len(frame)],
            "files": {"model.txt": Path("downloaded/files/model.txt").read_text(), "missing": missing},
            "artifacts": [each.name for each in run.logged_artifacts()],
            "path": "/".join(run.path[1:]),
            "state": run.state,
            "tags": run.tags,
            "group": run.group,
            "refused": refused,
        }
    )
)
