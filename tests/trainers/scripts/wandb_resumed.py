"""Goes on with a run by an id of its own: `wandb_resumed.py KEY` logs one point under the key."""

import json
import sys

import gnomon.wandb as wandb

with wandb.init(project="resumed", id="my-run-1", resume="allow") as run:
    step = run.step
    run.log({sys.argv[1]: 1.0})
print(json.dumps({"id": run.id, "step": step}))
