"""A team's installation on one machine: what more server processes bring, and what each loss costs.

PostgreSQL answers for a commit when its synchronous standby has it on the disk too. Everything shares this machine's
cores with the load, so the figures of several processes are those of one machine, not of several.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.server_process import ServerProcess
from tests.support.team import Logger, Team, logging, outage_secs, wait_for_answers

from bench.load import Address, Outcome, drive
from bench.report import Result
from bench.servers import gnomon, scratch_home, take_all_cores
from bench.wires import ColumnsWire, endless_batches

CONNECTIONS = 12
BATCH, KEYS = 1_000, 10
_BATCHES_A_RUN = 100
_PROCESSES = (1, 2, 3)
JOBS = 6


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is killed: the longest wait of any job for an answer, and what was answered meanwhile."""

    name: str
    outage_secs: float
    answered: int


def run(*, rounds: int = 2, seconds: float = 4.0) -> list[Result]:
    take_all_cores()
    return [_throughput(rounds, seconds), *_losses(rounds, seconds)]


def _throughput(rounds: int, seconds: float) -> Result:
    """Durable points a second of the same connections, spread over one, two and three processes."""
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        with scratch_home() as home, gnomon(home, is_pinned=False) as running:
            figures.setdefault("SQLite, 1 process", []).append(_rate([running.address], seconds))
        for count in _PROCESSES:
            with tempfile.TemporaryDirectory() as folder:
                team = Team(Path(folder), servers=count)
                try:
                    rate = _rate([_address(server) for server in team.servers], seconds)
                finally:
                    team.close()
            figures.setdefault(f"PostgreSQL, {count} process{'es' if count > 1 else ''}", []).append(rate)
    return Result(f"{BATCH}-point batches of {KEYS} metrics, {CONNECTIONS} connections", "points/s", figures)


def _losses(rounds: int, seconds: float) -> list[Result]:
    """Three servers under load, each part killed in turn; an error when anything answered for is lost."""
    outages: dict[str, list[float]] = {}
    answered: dict[str, list[int]] = {}
    for _ in range(rounds):
        for loss in lose_each_part(seconds):
            outages.setdefault(loss.name, []).append(loss.outage_secs)
            answered.setdefault(loss.name, []).append(loss.answered)
    return [
        Result(
            f"longest wait of {JOBS} jobs for an answer: {name}",
            "s",
            {"gnomon": found},
            notes={"batches answered meanwhile": answered[name]},
        )
        for name, found in outages.items()
    ]


def lose_each_part(seconds: float) -> list[Loss]:
    """Kill a server, the standby, the primary, with a load going on; compare all at the end."""
    with tempfile.TemporaryDirectory() as folder:
        team = Team(Path(folder), servers=3)
        try:
            jobs = team.loggers(JOBS)
            found = _killed(team, jobs, seconds)
            with team.servers[0].client() as client:
                wrong = [each for job in jobs for each in job.differences(client)]
            if wrong:
                raise RuntimeError(f"not what was answered for: {wrong}")
            return found
        finally:
            team.close()


def _killed(team: Team, jobs: list[Logger], seconds: float) -> list[Loss]:
    found: list[Loss] = []

    def watch(name: str, happen: Callable[[], object]) -> None:
        wait_for_answers(jobs)
        begin = time.monotonic()
        happen()
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
        wait_for_answers(jobs)
        end = time.monotonic()
        answered = sum(begin < at < end for job in jobs for at in job.answers)
        found.append(Loss(name, outage_secs(jobs, begin, end), answered))

    standby = team.standby
    assert standby is not None

    def lose_standby() -> None:
        standby.kill()
        standby.start()

    def lose_primary() -> None:
        team.primary.kill()
        standby.promote()

    with logging(jobs):
        watch("nothing is lost", lambda: None)
        watch("kill -9 of one server of three", team.servers[0].kill)
        watch("it is started again", team.servers[0].start)
        watch("kill -9 of the standby, started again at once", lose_standby)
        watch("kill -9 of the primary, the standby promoted at once", lose_primary)
    return found


def _rate(addresses: list[Address], seconds: float) -> float:
    """Points a second over all of the servers, the connections shared among them."""
    outcomes: list[Outcome] = []
    loads = [
        threading.Thread(target=_load, args=(address, CONNECTIONS // len(addresses), seconds, outcomes))
        for address in addresses
    ]
    for load in loads:
        load.start()
    for load in loads:
        load.join()
    if len(outcomes) < len(addresses) or any(outcome.refused or outcome.broken for outcome in outcomes):
        raise RuntimeError(f"requests were refused: {[outcome.refusals for outcome in outcomes]}")
    return sum(outcome.rate for outcome in outcomes) * BATCH


def _load(address: Address, connections: int, seconds: float, outcomes: list[Outcome]) -> None:
    wire = ColumnsWire(address)
    bodies = wire.batches(BATCH, _BATCHES_A_RUN, keys=KEYS)
    # More runs than a connection can fill in the time.
    groups = [endless_batches(bodies, wire.make_runs(2 + int(seconds * 10))) for _ in range(connections)]
    outcomes += drive(address, [groups], seconds=seconds)


def _address(server: ServerProcess) -> Address:
    host, port = server.base_url.removeprefix("http://").split(":")
    return host, int(port)
