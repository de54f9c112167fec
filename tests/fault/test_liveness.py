"""A dead job's run ends by itself, one heard of again goes on, and who never promised anything is left alone."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.server_process import ServerProcess

# Long against a busy machine's pauses, short against a test's patience.
TIMEOUT_SECS = 5.0
SCRIPT = """
import sys, time, gnomon
run = gnomon.init("alive", id=sys.argv[1], rank=int(sys.argv[2]))
run.log({"loss": 1.0})
print(run.id, run.flush(60), flush=True)
time.sleep(float(sys.argv[3]))
"""


class Job:
    """A training script that logged one point and then says nothing more."""

    def __init__(self, folder: Path, url: str, *, run: str | None = None, rank: int = 0, secs: float = 600) -> None:
        env = {
            **os.environ,
            "GNOMON_SPOOL": str(folder / f"spool-{uuid.uuid4().hex}"),
            "GNOMON_CAPTURE": "none",
            "GNOMON_URL": url,
        }
        self.run = run or uuid.uuid4().hex
        command = [sys.executable, "-c", SCRIPT, self.run, str(rank), str(secs)]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)

    def started(self) -> "Job":
        assert self.process.stdout is not None
        assert self.process.stdout.readline().split() == [self.run, "True"]
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("watched") / "home"
    running = ServerProcess(home, env={"GNOMON_CHECK_IN_TIMEOUT_SECS": str(TIMEOUT_SECS)}).start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture
def jobs(tmp_path: Path, watched: ServerProcess) -> Iterator[Callable[..., Job]]:
    made: list[Job] = []

    def start(**options: Any) -> Job:
        made.append(Job(tmp_path, watched.base_url, **options))
        return made[-1]

    yield start
    for job in made:
        job.kill()


def run_of(api: httpx.Client, run: str) -> dict[str, Any]:
    answer = api.get(f"/experiments/runs/{run}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def events_of(api: httpx.Client, run: str) -> list[str]:
    return [each["kind"] for each in api.get(f"/experiments/runs/{run}/events").json()["events"]]


def wait_for(api: httpx.Client, run: str, status: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (found := run_of(api, run))["status"] != status:
        assert time.monotonic() < deadline, f"{found['status']} instead of {status}: {events_of(api, run)}"
        time.sleep(0.1)
    return found


def test_a_dead_job_ends_and_a_living_one_does_not(watched: ServerProcess, jobs: Callable[..., Job]) -> None:
    shared = uuid.uuid4().hex
    dead, paused, idle, first, other = jobs(), jobs(), jobs(), jobs(run=shared), jobs(run=shared, rank=1)
    for job in (dead, paused, idle, first, other):
        job.started()
    with watched.client() as api:
        # By hand and never checked in: nobody knows whether it lives, so nobody says that it does not.
        by_hand = api.post("/experiments/runs", json={"experiment_id": run_of(api, dead.run)["experiment_id"]}).json()
        api.post(f"/experiments/runs/{by_hand['id']}/log-metrics", json={"metrics": {"loss": 1}})
        dead.kill()
        first.kill()
        paused.process.send_signal(signal.SIGSTOP)
        ended = wait_for(api, dead.run, "killed")
        assert ended["end_time"] is not None
        assert ended["start_time"] <= ended["end_time"]
        (event,) = api.get(f"/experiments/runs/{dead.run}/events").json()["events"]
        assert event["kind"] == "lost"
        assert "not heard of" in event["message"]
        wait_for(api, paused.run, "killed")
        assert run_of(api, idle.run)["status"] == "running"
        assert run_of(api, shared)["status"] == "running"  # one of its processes lives
        assert run_of(api, by_hand["id"])["status"] == "running"
        assert events_of(api, by_hand["id"]) == []

        paused.process.send_signal(signal.SIGCONT)
        back = wait_for(api, paused.run, "running")
        assert back["end_time"] is None
        assert events_of(api, paused.run)[:2] == ["back", "lost"]

        other.kill()
        wait_for(api, shared, "killed")


@pytest.mark.nightly
def test_what_a_person_says_counts_more_than_silence(watched: ServerProcess, jobs: Callable[..., Job]) -> None:
    with watched.client() as api:
        job = jobs().started()
        job.kill()
        wait_for(api, job.run, "killed")
        # Its points may still come, by a sync: they are taken, and do not make it run.
        late = {"writer": "late", "seq": 0, "tags": {"late": "yes"}}
        assert api.post(f"/experiments/runs/{job.run}/batches", json=late).status_code == 200
        assert run_of(api, job.run)["status"] == "killed"
        assert api.post(f"/experiments/runs/{job.run}/end", json={"status": "failed"}).json()["status"] == "failed"
        assert api.post(f"/experiments/runs/{job.run}/check-in").status_code == 200
        assert run_of(api, job.run)["status"] == "failed"

        # Reopened by hand it has promised nothing, until its job checks in again.
        assert api.patch(f"/experiments/runs/{job.run}", json={"status": "running"}).json()["status"] == "running"
        time.sleep(TIMEOUT_SECS * 1.5)
        assert run_of(api, job.run)["status"] == "running"
        answer = api.post(f"/experiments/runs/{job.run}/check-in").json()
        assert answer == {"run_id": job.run, "next_secs": TIMEOUT_SECS / 5}
        wait_for(api, job.run, "killed")


def test_a_server_that_was_away_blames_nobody(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", env={"GNOMON_CHECK_IN_TIMEOUT_SECS": str(TIMEOUT_SECS)}).start()
    with server.client() as api:
        run = api.post("/experiments", json={"name": "e"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": run}).json()["id"]
        assert api.post(f"/experiments/runs/{run}/check-in", json={}).status_code == 200
    server.kill()
    time.sleep(TIMEOUT_SECS)
    started = time.monotonic()
    server.start()
    with server.client() as api:
        # A whole time-out after it is back, not at once.
        wait_for(api, run, "killed")
        assert time.monotonic() - started >= TIMEOUT_SECS
    assert server.stop() == 0


def test_a_check_in_is_refused_where_logging_is(api: httpx.Client, run: str) -> None:
    assert api.post(f"/experiments/runs/{run}/check-in", json={"status": "fine"}).status_code == 400
    assert api.post(f"/experiments/runs/{uuid.uuid4().hex}/check-in").json()["code"] == "run_not_found"
    assert api.delete(f"/experiments/runs/{run}").status_code == 200
    assert api.post(f"/experiments/runs/{run}/check-in").json()["code"] == "run_archived"
    assert api.post(f"/experiments/runs/{run}/purge").status_code == 200
