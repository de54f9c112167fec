"""Servers beside each other on one database: they make the same things at once, and each part is killed under load."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from tests.support.server_process import ServerProcess
from tests.support.team import Team, logging, wait_for_answers

SECS = 4.0


def test_two_servers_may_make_the_same_tenant_at_the_same_moment(tmp_path: Path) -> None:
    team = Team(tmp_path, servers=2, is_paired=False)
    try:
        with ThreadPoolExecutor(4) as pool:
            for nth in range(10):
                answers = pool.map(partial(_make_experiment, f"new-{nth}"), team.servers * 2, range(4))
                assert list(answers) == [201] * 4
    finally:
        assert team.close() == [0, 0]


def _make_experiment(tenant: str, server: ServerProcess, nth: int) -> int:
    with server.client(tenant) as client:
        return client.post("/experiments", json={"name": f"e{nth}"}).status_code


@pytest.mark.nightly
@pytest.mark.timeout(1200)
def test_each_part_may_be_killed_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    team = Team(tmp_path, servers=3)
    assert team.standby is not None
    try:
        jobs = team.loggers(6)
        with logging(jobs):
            for server in team.servers:
                time.sleep(SECS)
                server.kill()
                wait_for_answers(jobs)
                server.start()
            time.sleep(SECS)
            team.standby.kill()
            team.standby.start()
            wait_for_answers(jobs)
            time.sleep(SECS)
            team.primary.kill()
            team.standby.promote()
            wait_for_answers(jobs)
            time.sleep(SECS)
        with team.servers[1].client() as client:
            assert [wrong for job in jobs for wrong in job.differences(client)] == []
        # The test has teeth: there was work all the time, and requests were cut off.
        assert min(len(job.answers) for job in jobs) > 20
        assert sum(job.refusals.total() for job in jobs) > 10
    finally:
        assert team.close() == [0, 0, 0]
