"""Jobs that log with the peers' own libraries: `python sdk_peers.py NAME CALLS FOLDER URL`, by the peers' interpreter.

Each logs ten metrics a call as its documentation says, offline where it can be: what is measured is the time that the
call takes from the training loop, and what the end of the job takes. Prints its figures as JSON.

With `kill:FILE` in place of CALLS it logs until it is killed, and counts in FILE the calls that have returned.
"""

import json
import mmap
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

METRICS = 10
Log = Callable[[dict[str, float], int], object]
Started = tuple[Log, Callable[[], object]]


def tensorboardx(folder: str, _url: str) -> Started:
    writer = import_module("tensorboardX").SummaryWriter(folder)

    def log(metrics: dict[str, float], step: int) -> None:
        for name, value in metrics.items():
            writer.add_scalar(name, value, step)

    return log, writer.close


def wandb_offline(folder: str, _url: str) -> Started:
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": folder}
    run = import_module("wandb").init(project="bench")
    return lambda metrics, step: run.log(metrics, step=step), run.finish


def trackio(folder: str, _url: str) -> Started:
    os.environ["TRACKIO_DIR"] = folder
    library = import_module("trackio")
    library.init(project="bench")
    return lambda metrics, step: library.log(metrics, step=step), library.finish


def mlflow(url: str, *, synchronous: bool) -> Started:
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    library = import_module("mlflow")
    library.set_tracking_uri(url)
    library.set_experiment("bench")
    run = library.start_run()
    Path("run").write_text(run.info.run_id)

    def end() -> None:
        library.flush_async_logging()
        library.end_run()

    return lambda metrics, step: library.log_metrics(metrics, step=step, synchronous=synchronous), end


def gnomon(folder: str, url: str) -> Started:
    os.environ |= {"GNOMON_SPOOL": f"{folder}/spool", "GNOMON_URL": url}
    run = import_module("gnomon").init("bench", capture=False)
    return run.log, run.finish


PEERS: dict[str, Callable[[str, str], Started]] = {
    "gnomon": gnomon,
    "tensorboardX": tensorboardx,
    "wandb offline": wandb_offline,
    "trackio": trackio,
    "mlflow sync": lambda _folder, url: mlflow(url, synchronous=True),
    "mlflow async": lambda _folder, url: mlflow(url, synchronous=False),
}


def until_killed(log: Log, counter: Path) -> None:
    with counter.open("r+b") as file:
        returned = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")
    step = 0
    while True:
        log({"m": float(step)}, step)
        step += 1
        returned[0] = step
        time.sleep(0.001)


def main() -> None:
    name, how, folder, url = sys.argv[1:5]
    log, end = PEERS[name](folder, url)
    if how.startswith("kill:"):
        until_killed(log, Path(how.removeprefix("kill:")))
    calls = int(how)
    metrics = {f"train/metric{i}": i / 7 for i in range(METRICS)}
    took: list[float] = []
    clock = time.perf_counter
    for i in range(calls):
        metrics["train/metric0"] = i / 3
        before = clock()
        log(dict(metrics), i)
        took.append(clock() - before)
        if i % 100 == 0:
            time.sleep(0.001)
    before = clock()
    end()
    figures: dict[str, Any] = {"exit": clock() - before}
    took.sort()
    figures |= {"p50": took[calls // 2] * 1e6, "p99": took[int(calls * 0.99)] * 1e6, "slowest": took[-1] * 1e6}
    print("\n" + json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
