"""The shape of a training by reward: own step metrics, media, texts, nested config, an exception that is handled."""

import json
from pathlib import Path

import numpy as np

import gnomon.wandb as wandb

wandb.init(
    project="examples",
    name="reinforcement",
    config={"env": {"name": "grid", "size": [4, 4]}, "gamma": 0.99},
    monitor_gym=False,
    save_code=False,
    settings=wandb.Settings(start_method="thread", console="off", _disable_stats=True),
)
wandb.define_metric("episode", hidden=True)
wandb.define_metric("reward/*", step_metric="episode", summary="max")
rng = np.random.default_rng(5)
Path("clip.mp4").write_bytes(b"no film")
Path("tone.wav").write_bytes(b"no tone")
for episode in range(4):
    rewards = rng.normal(size=10)
    wandb.log({"episode": episode, "reward": {"total": rewards.sum(), "steps": rewards}}, commit=episode % 2 == 0)
    wandb.log({"states": [wandb.Image(rng.random((5, 5)), caption=f"state {n}") for n in range(2)]})
    if episode == 3:
        wandb.log(
            {
                "clip": wandb.Video("clip.mp4", fps=4, format="mp4"),
                "tone": wandb.Audio("tone.wav", caption="a tone"),
                "cloud": wandb.Object3D(rng.random((10, 3))),
                "page": wandb.Html("<b>done</b>", inject=False),
                "series": wandb.plot.line_series(xs=[0, 1], ys=[[1, 2], [3, 4]], keys=["a", "b"], title="t", xname="x"),
                "line": wandb.plot.line(wandb.Table(data=[[1, 2]], columns=["x", "y"]), "x", "y", title="t"),
                "chosen": "left",
            }
        )
try:
    wandb.log({"more": 1 / 0})
except ZeroDivisionError:
    wandb.log({"more": float("nan")})
assert wandb.run.summary["reward/total"]["max"] > -100
wandb.finish()
print(json.dumps({"name": "reinforcement", "logged": {"reward/total": 4, "episode": 4, "more": 1}}))
