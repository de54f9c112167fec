"""`kill -9` of the server at random moments under four writers: nothing answered is lost, nothing is there twice."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.fault.run_log import Loggers, RunLog, database_faults, new_run_logs
from tests.support.server_process import ServerProcess

WRITERS = 4
SEED = 20_240_611
# Tails are sealed all the time, so that kills meet sealing as often as appending.
OFTEN_SEALED = {"GNOMON_SEAL_POINTS": "1500", "GNOMON_SEAL_SEGMENTS": "60", "GNOMON_SEAL_IDLE_SECS": "0.5"}


def interrupt_a_start(home: Path, rng: random.Random) -> None:
    """Start the server on a home that was killed, and kill it again while it starts or just after."""
    command = [sys.executable, "-m", "gnomon_server", "--port", "0", "--home", str(home), "--quiet"]
    process = subprocess.Popen(command, env={**os.environ, **OFTEN_SEALED}, stderr=subprocess.DEVNULL)
    time.sleep(rng.uniform(0.0, 1.2))
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "kills",
    [pytest.param(30, id="30"), pytest.param(300, id="300", marks=[pytest.mark.nightly, pytest.mark.timeout(3600)])],
)
def test_a_killed_server_has_all_that_it_answered_for_and_nothing_twice(tmp_path: Path, kills: int) -> None:
    rng = random.Random(SEED)
    server = ServerProcess(tmp_path / "home", "--quiet", env=OFTEN_SEALED).start()
    logs: list[RunLog] = []
    retried = 0
    for kill in range(kills):
        with server.client() as client:
            current = new_run_logs(client, rng, WRITERS)
        loggers = Loggers(server.base_url, current)
        time.sleep(rng.uniform(0.02, 0.7))
        server.kill()
        loggers.join()
        if kill % 6 == 5:
            interrupt_a_start(server.home, rng)
        server.start()
        with server.client() as client:
            for log in current:
                retried += log.unanswered is not None
                log.retry(client)
            assert [wrong for log in current for wrong in log.differences(client)] == []
        logs += current

    with server.client() as client:
        assert [wrong for log in logs for wrong in log.differences(client)] == []
    assert server.stop() == 0
    assert database_faults(server.home / "gnomon.db") == []
    # The test has teeth: there was work, and kills did cut requests off.
    assert sum(log.answered for log in logs) > 20 * kills
    assert retried > kills
