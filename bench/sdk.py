"""What `run.log()` costs a training loop, whatever the server does; and what `import gnomon` and `init` cost.

Each case runs in a process of its own, because a sender thread and its backlog are part of what is measured. The cases:
a server that takes everything, an address where nobody answers, and a server that takes connections and says nothing.

The slowest call on a machine with other work is one that waited for a processor. How long a thread has waited so the
kernel counts (`schedstat`), and a further series of calls is judged without it: what then still takes over 5 ms is ours
or the disk's.

Beside them, in one table, what the same call costs with the peers' libraries (`sdk_peers.py`). They log fewer times,
because some take milliseconds a call; a peer with a server has MLflow's own on this machine.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

from bench.report import Result
from bench.servers import mlflow, peer

CALLS = 50_000
JUDGED_CALLS = 20_000
METRICS = 10
SLOW_SECS = 0.005
STARTS = 5
CASES = ("alive", "dead", "hanging", "offline")
# As many calls as take some seconds, of each peer.
PEER_CALLS = {
    "tensorboardX": 20_000,
    "wandb offline": 5_000,
    "trackio": 5_000,
    "mlflow sync": 200,
    "mlflow async": 2_000,
}


def run(rounds: int = 3) -> list[Result]:
    """p50 and p99 of a call of ten metrics, and the time at the start and end of a job."""
    names = [f"log of {METRICS} metrics, server {case}" for case in CASES]
    p50 = {name: Result(f"{name}: p50", "us", {"gnomon": []}, at_most=10) for name in names}
    p99 = {name: Result(f"{name}: p99", "us", {"gnomon": []}, at_most=100) for name in names}
    slowest = {name: Result(f"{name}: slowest", "us", {"gnomon": []}) for name in names}
    own = {
        name: Result(f"{name}: calls of over 5 ms, waits for a processor aside", "", {"gnomon": []}) for name in names
    }
    exits = {
        name: Result(f"end of a job, server {case}", "s", {"gnomon": []}, at_most=5.5)
        for name, case in zip(names, CASES, strict=True)
    }
    imports = Result("import gnomon", "ms", {"gnomon": []}, at_most=60)
    starts = Result("processor time of `import gnomon` by that of `pass`", "", {"gnomon": []})
    inits = Result("first gnomon.init()", "ms", {"gnomon": []})
    for _ in range(rounds):
        imports.figures["gnomon"].append(_import_ms())
        starts.figures["gnomon"].append(_start_secs("import gnomon") / _start_secs("pass"))
        for name, case in zip(names, CASES, strict=True):
            found = _measured(case)
            p50[name].figures["gnomon"].append(found["p50"])
            p99[name].figures["gnomon"].append(found["p99"])
            slowest[name].figures["gnomon"].append(found["slowest"])
            own[name].figures["gnomon"].append(found["own"])
            exits[name].figures["gnomon"].append(found["exit"])
            inits.figures["gnomon"].append(found["init"])
    each = [result for name in names for result in (p50[name], p99[name], slowest[name], own[name], exits[name])]
    return [imports, starts, inits, *each, *_beside_peers(names[0], p50, p99, exits, rounds)]


def _beside_peers(
    ours: str, p50: dict[str, Result], p99: dict[str, Result], exits: dict[str, Result], rounds: int
) -> list[Result]:
    """Ours with a living server, and the same script with each peer."""
    tables = {"p50": (p50, "us"), "p99": (p99, "us"), "exit": (exits, "s")}
    found: dict[str, Result] = {}
    for figure, (of, unit) in tables.items():
        name = f"log of {METRICS} metrics beside peers: {figure}"
        found[figure] = Result(name, unit, {"gnomon": of[ours].figures["gnomon"]}, is_cost=True)
    with tempfile.TemporaryDirectory() as folder, mlflow(Path(folder) / "mlflow", is_pinned=False) as server:
        url = f"http://{server.address[0]}:{server.address[1]}"
        for each in range(rounds):
            for name, calls in PEER_CALLS.items():
                place = f"{folder}/{name.replace(' ', '-')}-{each}"
                Path(place).mkdir()
                script = str(Path(__file__).with_name("sdk_peers.py"))
                command = [peer("python"), script, name, str(calls), place, url]
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
                figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
                for figure, result in found.items():
                    result.figures.setdefault(name, []).append(figures[figure])
    return [*found.values()]


def job(case: str) -> None:
    """The measured process: prints its figures as JSON."""
    started = time.perf_counter()
    import gnomon

    run = gnomon.init("bench", offline=case == "offline")
    init_ms = (time.perf_counter() - started) * 1e3
    metrics = {f"train/metric{i}": i / 7 for i in range(METRICS)}
    took: list[float] = []
    clock = time.perf_counter
    for i in range(CALLS):
        metrics["train/metric0"] = i / 3
        before = clock()
        run.log(metrics)
        took.append(clock() - before)
        if i % 100 == 0:
            time.sleep(0.001)  # a loop that trains lets other threads run
    own = sum(secs > SLOW_SECS for secs in _without_waits(lambda: run.log(metrics)))
    before = clock()
    run.finish()
    exit_secs = clock() - before
    took.sort()
    figures = {"p50": took[CALLS // 2] * 1e6, "p99": took[int(CALLS * 0.99)] * 1e6, "slowest": took[-1] * 1e6}
    print(json.dumps({**figures, "own": own, "exit": exit_secs, "init": init_ms}))


def _without_waits(call: Callable[[], None]) -> Iterator[float]:
    """How long each of many calls took, less what the thread stood ready and had no processor."""
    stat = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
    for i in range(JUDGED_CALLS):
        waited = _waited_ns(stat)
        before = time.perf_counter()
        call()
        took = time.perf_counter() - before
        yield took - (_waited_ns(stat) - waited) / 1e9
        if i % 100 == 0:
            time.sleep(0.001)


def _waited_ns(stat: Path) -> int:
    return int(stat.read_text().split()[1])


def _measured(case: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, _server(case, Path(folder)) as url:
        env = {**os.environ, "GNOMON_SPOOL": f"{folder}/spool", "GNOMON_URL": url}
        command = [sys.executable, "-c", f"from bench.sdk import job; job({case!r})"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@contextmanager
def _server(case: str, folder: Path) -> Iterator[str]:
    if case == "hanging":
        with create_server(("127.0.0.1", 0)) as silent:
            yield f"http://127.0.0.1:{silent.getsockname()[1]}"
        return
    if case != "alive":
        yield "http://127.0.0.1:9"
        return
    port_file = folder / "port"
    command = [sys.executable, "-m", "gnomon_server", "--port", "0", "--home", f"{folder}/home"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--port-file", str(port_file)], stdout=log, stderr=log)
    try:
        while not port_file.exists():
            if process.poll() is not None:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port_file.read_text()}"
    finally:
        process.terminate()
        process.wait()


def _import_ms() -> float:
    """What `import gnomon` adds to an interpreter that has started."""
    program = "import time; t = time.perf_counter(); import gnomon; print((time.perf_counter() - t) * 1e3)"
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


def _start_secs(program: str) -> float:
    """The processor time of an interpreter that runs this and ends: the least of some, as others make it only more."""
    found = []
    for _ in range(STARTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)
