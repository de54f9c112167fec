"""Everything that `gnomon.wandb` does not do, and every wrong argument: prints what was said, and that it went on."""

import json
import logging

import gnomon.wandb as wandb

said: list[str] = []


class Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said.append(record.getMessage())


logging.getLogger("gnomon").addHandler(Listener())
wandb.log({"before": 1})
run = wandb.init(project="odd", mode="online", config="config.yaml", sync_tensorboard=True)
assert wandb.init(project="another") is run
for _ in range(2):
    wandb.watch(object(), log="all")
    run.use_artifact("model:latest").download()
    wandb.Api().reports("entity/project")
    wandb.sweep({"method": "grid"})
    wandb.agent("id", function=print)
    wandb.plot.no_such_chart([0, 1], [[0.1, 0.9]])
    run.alert(title="a", text="b")
    for _row in wandb.Api().artifact_types("x"):
        raise AssertionError("there are none")
wandb.config.lr = 0.1
wandb.config.update({"lr": 0.2}, allow_val_change=True)
assert wandb.config.lr == 0.2
run.log({"object": object(), "list": [1, 2], "nothing": None, "": 1, 7: 8})
run.log("no dict")
run.log({"image": wandb.Image("no-such-file.png")})
run.log({"image": wandb.Image([["no", "pixels"]])})
run.log({"video": wandb.Video("no-such-file.mp4")})
run.log({"a": 1}, step="no step")
table = wandb.Table(columns=["a"])
table.add_data(1, 2, 3)
run.log({"table": table})
artifact = wandb.Artifact("x", "y")
artifact.add_file("no-such-file")
artifact.add_reference("s3://bucket/file")
run.log_artifact(artifact)
run.log_artifact("no-such-file")
wandb.save("no-such-*")
run.name = "renamed"
run.no_such_method(1, two=3).further()
run.log({"last": 1})
run.finish()
run.log({"after": 1})
print(json.dumps({"id": run.id, "said": said}))
