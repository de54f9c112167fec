"""What is left of a training job that was killed: of the calls that had returned, how many are kept.

The same script with each library: one metric a call, a millisecond of training between calls, `kill -9` at a moment
that a seed decides. Then each gets the means that its documentation names to send or read what is there.
"""

import json
import mmap
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from bench.report import Result
from bench.servers import gnomon, mlflow, mlflow_database, peer

KEY = "m"
# Time for what a library left running in another process to write what it has.
SETTLE_SECS = 3.0
LIBRARIES = ("gnomon", "mlflow async", "wandb offline", "trackio")


def run(rounds: int = 5) -> list[Result]:
    """Percent of the returned calls that are kept, summed over the kills."""
    found = Result(f"kept of the returned calls, {rounds} kills", "%", {})
    with (
        tempfile.TemporaryDirectory() as folder,
        gnomon(Path(folder) / "home", is_pinned=False) as ours,
        mlflow(Path(folder) / "mlflow", is_pinned=False) as theirs,
    ):
        urls = {
            "gnomon": f"http://127.0.0.1:{ours.address[1]}",
            "mlflow async": f"http://127.0.0.1:{theirs.address[1]}",
        }
        notes: dict[str, object] = {}
        for name in LIBRARIES:
            returned = kept = 0
            for seed in range(rounds):
                place = Path(folder) / f"{name.replace(' ', '-')}-{seed}"
                place.mkdir()
                url = urls.get(name, "")
                calls = _killed(name, place, url, random.Random(seed))
                time.sleep(SETTLE_SECS)
                count = min(calls, _COUNTS[name](place, url))
                returned, kept = returned + calls, kept + count
            found.figures[name] = [100.0 * kept / returned]
            notes[name] = f"{kept:,} of {returned:,} calls"
    found.notes = notes
    return [found]


def _killed(name: str, place: Path, url: str, rng: random.Random) -> int:
    """Start the job, kill it, and say how many calls had returned."""
    counter = place / "counter"
    counter.write_bytes(bytes(8))
    with counter.open("r+b") as file:
        shared = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")
    interpreter = sys.executable if name == "gnomon" else peer("python")
    script = str(Path(__file__).with_name("sdk_peers.py"))
    sources = os.pathsep.join(str(Path(__file__).parents[1] / each) for each in ("sdk/src", "server/src"))
    env = {**os.environ, "PYTHONPATH": sources} if name == "gnomon" else None
    log = (place / "log").open("wb")
    command = [interpreter, script, name, f"kill:{counter}", str(place), url]
    job = subprocess.Popen(command, cwd=place, env=env, stdout=log, stderr=log)
    while not shared[0]:
        if job.poll() is not None:
            raise RuntimeError((place / "log").read_text())
        time.sleep(0.01)
    time.sleep(rng.uniform(0.3, 1.5))
    job.send_signal(signal.SIGKILL)
    job.wait()
    log.close()
    return shared[0]


def _count_ours(place: Path, url: str) -> int:
    command = [sys.executable, "-m", "gnomon", "--url", url, "sync", str(place / "spool"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sum(int(each["points_on_server"]) for each in json.loads(done.stdout)["sent"])


def _count_mlflow(place: Path, url: str) -> int:
    run = (place / "run").read_text()
    with urllib.request.urlopen(f"{url}/api/2.0/mlflow/runs/get?run_id={run}"):
        pass  # it answers, so it is not behind with what it was sent
    database = mlflow_database(place.parent / "mlflow").removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        query = "SELECT count(*) FROM metrics WHERE run_uuid = ? AND key = ?"
        return int(connection.execute(query, (run, KEY)).fetchone()[0])


def _count_trackio(place: Path, _url: str) -> int:
    with sqlite3.connect(place / "bench.db") as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'metrics'").fetchone():
            return 0  # it was killed before the first of it was written
        return int(connection.execute("SELECT count(*) FROM metrics").fetchone()[0])


def _count_wandb(place: Path, _url: str) -> int:
    from gnomon.importing.wandb_log import WandbLog
    from gnomon.importing.wandb_records import History, decode_record

    (file,) = place.glob("wandb/offline-run-*/run-*.wandb")
    return sum(isinstance(decode_record(record), History) for record in WandbLog(file))


_COUNTS: dict[str, Callable[[Path, str], int]] = {
    "gnomon": _count_ours,
    "mlflow async": _count_mlflow,
    "wandb offline": _count_wandb,
    "trackio": _count_trackio,
}
