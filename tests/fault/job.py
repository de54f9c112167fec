"""A training script that is killed: it logs as fast as it can and says in shared memory which calls have returned.

`python job.py KIND COUNTERS`: single, threads (4), forked (a child beside its parent). Counter n is the number of calls
that have returned in logger n; call i of logger n logs the point (`m<n>`, step i, value i).
"""

import mmap
import os
import struct
import sys
import threading
from pathlib import Path

import gnomon

LOGGERS = {"single": 1, "threads": 4, "forked": 2}


def log_for_ever(run: gnomon.Run, logger: int, counters: mmap.mmap) -> None:
    i = 0
    while True:
        run.log({f"m{logger}": float(i)}, step=i)
        i += 1
        struct.pack_into("<Q", counters, 8 * logger, i)


def main() -> None:
    kind, path = sys.argv[1], Path(sys.argv[2])
    with path.open("r+b") as file:
        counters = mmap.mmap(file.fileno(), 64)
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
