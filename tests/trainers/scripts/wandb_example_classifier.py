"""The shape of a first script: argparse, `config=`, epochs, a table of predictions, the best kept in the summary."""

import argparse
import json

import numpy as np

import gnomon.wandb as wandb

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--lr", type=float, default=0.5)
args = parser.parse_args([])
rng = np.random.default_rng(3)
features = rng.normal(size=(60, 2))
labels = (features.sum(axis=1) > 0).astype(int)

with wandb.init(project="examples", name="classifier", config=args, settings=wandb.Settings(silent=True)) as run:
    config = wandb.config
    run.watch(None, log="all", log_freq=10)
    weights = np.zeros(2)
    best = 0.0
    for epoch in range(config.epochs):
        for batch in np.array_split(np.arange(60), 4):
            scores = 1 / (1 + np.exp(-features[batch] @ weights))
            weights -= config.lr * features[batch].T @ (scores - labels[batch]) / len(batch)
            loss = -np.mean(np.log(np.where(labels[batch] == 1, scores, 1 - scores) + 1e-9))
            wandb.log({"train/loss": loss, "train/epoch": epoch})
        accuracy = np.mean((features @ weights > 0) == labels)
        probabilities = 1 / (1 + np.exp(-features @ weights))
        table = wandb.Table(columns=["image", "label", "score"])
        for row in range(3):
            picture = rng.integers(0, 255, (4, 4, 3), dtype=np.uint8)
            table.add_data(wandb.Image(picture), labels[row], probabilities[row])
        wandb.log({"val/accuracy": accuracy, "predictions": table, "weights": wandb.Histogram(weights)})
        if accuracy > best:
            best = float(accuracy)
            wandb.run.summary["best_accuracy"] = best
    both = np.stack([1 - probabilities, probabilities], axis=1)
    wandb.log(
        {"pr": wandb.plot.pr_curve(labels, both), "roc": wandb.plot.roc_curve(labels, both, labels=["no", "yes"])}
    )
    wandb.log({"matrix": wandb.plot.confusion_matrix(y_true=labels, preds=(probabilities > 0.5).astype(int))})
    wandb.alert(title="done", text=f"best {best}", level=wandb.AlertLevel.INFO)
print(json.dumps({"name": "classifier", "logged": {"train/loss": 12, "val/accuracy": 3, "best_accuracy": 1}}))
