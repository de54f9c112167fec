"""Two stages that hand files on: `wandb_stages.py make TEXT` logs an artifact, `wandb_stages.py use NAME` reads it."""

import json
import sys
from pathlib import Path

import gnomon.wandb as wandb

said = {}
with wandb.init(project="stages") as run:
    if sys.argv[1] == "make":
        artifact = wandb.Artifact("model", type="model", metadata={"of": sys.argv[2]})
        Path("weights.txt").write_text(sys.argv[2])
        artifact.add_file("weights.txt", name="deep/weights.txt")
        with artifact.new_file("notes.txt") as file:
            file.write(f"about {sys.argv[2]}")
        run.log_artifact(artifact, aliases=["latest", sys.argv[2]])
    else:
        used = run.use_artifact(sys.argv[2])
        folder = Path(used.download(f"got-{run.id}"))
        files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
        said = {"files": files, "metadata": used.metadata}
print(json.dumps(said))
