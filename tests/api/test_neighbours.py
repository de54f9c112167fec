"""TEN-07: a tenant that sends ten times what it may is told to wait; its neighbour notices nothing of it.

How much slower the neighbour becomes is a measurement and stands in bench/; here nobody is refused who should not be.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.support.secured import as_key, make_key
from tests.support.server_process import ServerProcess

POINTS_PER_SEC = 20_000
REQUESTS_PER_SEC = 50
NOISY_THREADS = 8
BATCH = 2_000


@dataclass(slots=True)
class Sent:
    """What a tenant was answered, and how many of its points were taken."""

    statuses: Counter[int] = field(default_factory=Counter)
    taken: int = 0
    faults: list[str] = field(default_factory=list)

    def note(self, answer: httpx.Response, points: int) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            self.taken += points
        elif int(answer.headers.get("retry-after", 0)) < 1:
            self.faults.append(f"{answer.status_code} without a time to wait: {answer.text}")


@pytest.fixture
def tenants(tmp_path: Path) -> Iterator[tuple[ServerProcess, str, str]]:
    """A server with bounds, and the keys of a noisy and of a quiet tenant."""
    home = tmp_path / "home"
    noisy, quiet = make_key(home, "editor", "noisy"), make_key(home, "editor", "quiet")
    env = {
        "GNOMON_TENANT_REQUESTS_PER_SEC": str(REQUESTS_PER_SEC),
        "GNOMON_TENANT_POINTS_PER_SEC": str(POINTS_PER_SEC),
    }
    server = ServerProcess(home, "--quiet", env=env).start()
    yield server, noisy.text, quiet.text
    assert server.stop() == 0


def new_run(api: httpx.Client, name: str) -> str:
    experiment = api.post("/experiments", json={"name": name})
    assert experiment.status_code == 201, experiment.text
    run = api.post("/experiments/runs", json={"experiment_id": experiment.json()["id"]})
    assert run.status_code == 201, run.text
    return str(run.json()["id"])


def flood(server: ServerProcess, key: str, run: str, number: int, stop: threading.Event, sent: Sent) -> None:
    """Large batches one after the other, without waiting when told to."""
    step = 0
    with as_key(server, key) as api:
        while not stop.is_set():
            metrics = [{"key": f"m{number}", "value": 0.5, "step": step + at, "timestamp": 1} for at in range(BATCH)]
            answer = api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": metrics})
            sent.note(answer, BATCH)
            if answer.status_code == 200:
                step += BATCH


def test_a_noisy_neighbour_is_held_back_and_a_quiet_one_is_not(tenants: tuple[ServerProcess, str, str]) -> None:
    server, noisy_key, quiet_key = tenants
    with as_key(server, noisy_key) as noisy, as_key(server, quiet_key) as quiet:
        noisy_run, quiet_run = new_run(noisy, "noisy"), new_run(quiet, "quiet")
        sent, stop = [Sent() for _ in range(NOISY_THREADS)], threading.Event()
        threads = [
            threading.Thread(target=flood, args=(server, noisy_key, noisy_run, number, stop, one))
            for number, one in enumerate(sent)
        ]
        for thread in threads:
            thread.start()
        # A tenth of what it may: it goes on until the other has been told to wait many times.
        calm, step = Sent(), 0
        try:
            while step < 40 or sum(one.statuses[429] for one in sent) < 50:
                body = {"metrics": {"loss": 0.5}, "step": step}
                calm.note(quiet.post(f"/experiments/runs/{quiet_run}/log-metrics", json=body), 1)
                step += 1
                stop.wait(1 / (REQUESTS_PER_SEC / 10))
        finally:
            stop.set()
            for thread in threads:
                thread.join()

        assert calm.statuses == {200: step}
        history = quiet.get(f"/experiments/runs/{quiet_run}/history").json()
        assert history["series"][0]["step"] == list(range(step))

        statuses = sum((one.statuses for one in sent), Counter())
        assert set(statuses) == {200, 429}
        assert [fault for one in sent for fault in one.faults] == []
        while (answer := noisy.get(f"/experiments/runs/{noisy_run}/history", params={"limit": 1})).status_code == 429:
            stop_for = int(answer.headers["retry-after"])
            threading.Event().wait(stop_for)
        kept = {one["key"]: one["total"] for one in answer.json()["series"]}
        assert kept == {f"m{number}": one.taken for number, one in enumerate(sent) if one.taken}
