"""A quarter of an hour of everything that a team does at once: what the server uses stands still once it is warm.

Runs come, log, are read as charts, searched, compared and removed for good; files go up and down, and
connections come and go. Memory is that of the process itself, without pages of files.
"""

import itertools
import random
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.support.process_use import anonymous_mb, open_files, threads
from tests.support.server_process import ServerProcess

SECS = 15 * 60
WARM_SECS = 5 * 60
# What the middle of the last third of the time after warming up may be above that of the first.
MOST_GROWTH_MB = 16.0
MOST_NEW_FILES = 30


@pytest.mark.nightly
@pytest.mark.timeout(SECS + 600)
def test_what_a_server_uses_stands_still(tmp_path: Path) -> None:
    growth_mb, new_files, new_threads = soak(tmp_path, secs=SECS, warm_secs=WARM_SECS)
    assert growth_mb < MOST_GROWTH_MB
    assert new_files < MOST_NEW_FILES
    assert new_threads <= 2


def soak(folder: Path, *, secs: float, warm_secs: float) -> tuple[float, float, float]:
    """What memory (MiB), open files and threads are above what they were when the server was warm."""
    env = {"GNOMON_SEAL_POINTS": "5000", "GNOMON_SEAL_IDLE_SECS": "2", "GNOMON_ARTIFACT_GRACE_HOURS": "0"}
    server = ServerProcess(folder / "home", "--quiet", env=env).start()
    assert server.process is not None
    pid = server.process.pid
    ends = threading.Event()
    errors: list[BaseException] = []
    people = [threading.Thread(target=_guarded, args=(_work, server, nth, ends, errors)) for nth in range(4)]
    used: list[tuple[float, float, float]] = []
    try:
        for person in people:
            person.start()
        began = time.monotonic()
        while (passed := time.monotonic() - began) < secs and not errors:
            time.sleep(1)
            if passed > warm_secs:
                used.append((anonymous_mb(pid), open_files(pid), threads(pid)))
    finally:
        ends.set()
        for person in people:
            person.join()
        assert server.stop() == 0
    assert errors == []
    third = len(used) // 3
    first, last = used[:third], used[-third:]
    print(f"{len(used)} looks; first {first[0]}, last {last[-1]}")
    grown = [statistics.median(late) - statistics.median(early) for early, late in zip(zip(*first), zip(*last))]  # noqa: B905
    return grown[0], grown[1], grown[2]


Work = Callable[[ServerProcess, int, threading.Event], None]


def _guarded(
    work: Work, server: ServerProcess, number: int, ends: threading.Event, errors: list[BaseException]
) -> None:
    try:
        work(server, number, ends)
    except BaseException as error:
        errors.append(error)


def _work(server: ServerProcess, number: int, ends: threading.Event) -> None:
    """One person's runs, one after the other; the last five are kept."""
    rng = random.Random(number)
    kept: list[str] = []
    with server.client() as client:
        experiment = _json(client.post("/experiments", json={"name": f"soak {number}"}))["id"]
    for nth in itertools.count():
        with server.client() as client:  # a new connection for each run, as jobs have
            run = str(_json(client.post("/experiments/runs", json={"experiment_id": experiment}))["id"])
            for batch in range(20):
                if ends.wait(0.05):
                    return
                points = [{"key": f"m{at % 10}", "step": batch * 50 + at, "value": rng.random()} for at in range(500)]
                logged = {"metrics": points, "params": [{"key": f"p{batch}", "value": str(rng.random())}]}
                _json(client.post(f"/experiments/runs/{run}/log-batch", json=logged))
                _json(client.get(f"/experiments/runs/{run}/history", params={"limit": 1_000}))
                query = {"experiment_id": experiment, "filter": f"metrics.m{batch % 10}.max > {rng.random()}"}
                _json(client.get("/experiments/runs", params=query))
            name, data = f"f{nth}", rng.randbytes(200_000)
            _json(client.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, data)}))
            assert client.get(f"/experiments/runs/{run}/artifacts/{name}").content == data
            kept.append(run)
            if len(kept) > 1:
                _json(client.post("/experiments/runs/compare", json={"run_ids": kept[-2:]}))
            if len(kept) > 5:
                old = kept.pop(0)
                assert client.delete(f"/experiments/runs/{old}").is_success
                assert client.post(f"/experiments/runs/{old}/purge").is_success


def _json(answer: httpx.Response) -> dict[str, object]:
    assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text}"
    found: dict[str, object] = answer.json()
    return found
