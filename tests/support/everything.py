"""Data of every kind in a running server, and all that it answers of them: for comparing two servers."""

from typing import Any

import httpx

Answers = dict[str, Any]


def fill(api: httpx.Client, name: str) -> None:
    """An experiment with what a database can hold that is not plain."""
    experiment = api.post("/experiments", json={"name": name, "tags": {"λ": "ü"}}).json()["id"]
    for number in range(3):
        body = {"experiment_id": experiment, "name": f"{name} {number}", "tags": {"team": "a\tb"}}
        run = api.post("/experiments/runs", json=body).json()["id"]
        values: list[object] = [0.1, "NaN", "Infinity", -0.0, 5e-324, 3]
        points = [{"key": "loss", "value": value, "step": step} for step, value in enumerate(values * 30)]
        log = {"metrics": points, "params": [{"key": "lr", "value": "1e-3"}]}
        api.post(f"/experiments/runs/{run}/log-batch", json=log).raise_for_status()
        batch = {"writer": "w", "seq": 0, "params": {"depth": "3"}}
        api.post(f"/experiments/runs/{run}/batches", json=batch).raise_for_status()
        files = {"file": ("model.bin", b"\0\xff" * 500)}
        api.post(f"/experiments/runs/{run}/log-artifact", files=files).raise_for_status()
    api.delete(f"/experiments/runs/{run}").raise_for_status()
    api.post("/retention", json={"action": "purge", "after_days": 400, "experiment_id": experiment}).raise_for_status()
    api.post(f"/experiments/{experiment}/views", json={"name": "mine", "state": "a=b"}).raise_for_status()


def answers(api: httpx.Client) -> Answers:
    """All that there is to read."""
    found: Answers = {path: api.get(path).json() for path in ("/experiments", "/retention", "/storage/experiments")}
    for stage in ("active", "deleted"):
        found[stage] = api.get("/experiments/runs", params={"lifecycle_stage": stage}).json()
        for run in found[stage]["runs"]:
            path = f"/experiments/runs/{run['id']}"
            for part in ("/history", "/artifacts", "/ledger"):
                found[path + part] = api.get(path + part).json()
            found[f"{path} model"] = api.get(f"{path}/artifacts/model.bin").content
    return found
