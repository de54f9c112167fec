"""A training script that is killed: it logs as fast as it can and says in shared memory which calls have returned.

`python job.py KIND COUNTERS`: single, threads (4), forked (a child beside its parent), ranks (4 processes that begin
one run by its id). Counter n is the number of calls that have returned in logger n; call i of logger n logs the point
(`m<n>`, step i, value i), which a rank above 0 keeps as `m<n>{rank=<n>}`.
"""

import mmap
import os
import sys
import threading
import uuid
from pathlib import Path

import gnomon

LOGGERS = {"single": 1, "threads": 4, "forked": 2, "ranks": 4}


def log_for_ever(run: gnomon.Run, logger: int, counters: "memoryview[int]") -> None:
    i = 0
    while True:
        run.log({f"m{logger}": float(i)}, step=i)
        i += 1
        # One store: `struct.pack_into` would write zeros first, and a kill between the two would lose the number.
        counters[logger] = i


def log_as_a_rank(counters: "memoryview[int]") -> None:
    """As torchrun starts a job: each process begins the run by itself."""
    run_id, rank = uuid.uuid4().hex, 0
    children = []
    for number in range(1, LOGGERS["ranks"]):
        child = os.fork()
        if child == 0:
            rank = number
            break
        children.append(child)
    run = gnomon.init("killed", id=run_id, rank=rank)
    if rank == 0:
        run.params(kind="ranks")
        print(run.id, *children, sep="\n", flush=True)
    log_for_ever(run, rank, counters)


def main() -> None:
    kind, path = sys.argv[1], Path(sys.argv[2])
    with path.open("r+b") as file:
        counters = memoryview(mmap.mmap(file.fileno(), 64)).cast("Q")
    if kind == "ranks":
        log_as_a_rank(counters)
    run = gnomon.init("killed")
    run.params(kind=kind)
    print(run.id, flush=True)
    if kind == "threads":
        for logger in range(1, LOGGERS[kind]):
            threading.Thread(target=log_for_ever, args=(run, logger, counters)).start()
    if kind == "forked" and (child := os.fork()) == 0:
        log_for_ever(run, 1, counters)
    elif kind == "forked":
        print(child, flush=True)
    log_for_ever(run, 0, counters)


if __name__ == "__main__":
    main()
