"""What happens to a training process: its disk is full or slow, its clock is set, it forks. It goes on."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.cli import cli
from gnomon.places import SHARED_MEMORY
from gnomon.spool import find_folders

CALLS = 200
JOB = f"""
import gnomon, os, sys
run = gnomon.init("fraud", id=sys.argv[1], offline=True)
tell = print if os.environ["GNOMON_CAPTURE"] == "console" else (lambda *_, **__: None)  # to a disk that takes writes
tell("begun", flush=True)
for i in range({CALLS}):
    run.log({{"a": float(i)}}, step=i)
tell("done", flush=True)
run.finish()
"""


def injected_job(run: str, rule: str, **env: str) -> str:
    """A training job whose writes fare as strace's rule says; what it had to say."""
    quiet = {"GNOMON_CAPTURE": "none", "PYTHONDONTWRITEBYTECODE": "1", **env}
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", f"inject=write:{rule}"]
    job = subprocess.run(
        [*command, sys.executable, "-c", JOB, run], env={**os.environ, **quiet}, capture_output=True, text=True
    )
    assert job.returncode == 0, job.stderr
    assert "Traceback" not in job.stderr
    return job.stderr


def sync(server: ServerProcess, tenant: str, folder: Path) -> None:
    arguments = ["--url", server.base_url, "--tenant", tenant, "sync", str(folder), "--json"]
    report = CliRunner().invoke(cli, arguments)
    assert report.exit_code == 0, report.output


def history(api: httpx.Client, run: str, key: str = "a") -> list[tuple[int, float]]:
    (series,) = api.get(f"/experiments/runs/{run}/history", params={"key": key}).json()["series"]
    return list(zip(series["step"], series["value"], strict=True))


def ledger(api: httpx.Client, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/experiments/runs/{run}/ledger").json()["writers"]
    return found


def test_a_disk_that_is_full_for_a_while_costs_points_that_are_counted(
    api: httpx.Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    run = uuid.uuid4().hex
    # The sentence that says so goes to stderr, whose writes fail too.
    injected_job(run, "error=ENOSPC:when=30..89", GNOMON_SPOOL=str(tmp_path))
    sync(server, tenant, tmp_path)
    kept = history(api, run)
    assert [value for _, value in kept] == [float(step) for step, _ in kept]
    assert (kept[0][0], kept[-1][0]) == (0, CALLS - 1)
    (writer,) = ledger(api, run)
    assert writer["points"] + writer["points_thinned"] == CALLS
    assert 20 <= writer["points_thinned"] <= 60
    about = api.get(f"/experiments/runs/{run}").json()
    assert (about["status"], about["tags"]["gnomon.points_dropped"]) == ("finished", str(writer["points_thinned"]))


def test_a_disk_that_stays_full_ends_nothing(
    api: httpx.Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    run = uuid.uuid4().hex
    injected_job(run, "error=EIO:when=30+", GNOMON_SPOOL=str(tmp_path))
    sync(server, tenant, tmp_path)
    kept = history(api, run)
    assert 20 <= len(kept) < 30
    assert kept == [(i, float(i)) for i in range(len(kept))]
    assert api.get(f"/experiments/runs/{run}").json()["status"] == "killed"  # its end could not be written


def test_a_slow_disk_is_left_for_memory_and_nothing_is_lost(
    api: httpx.Client, server: ServerProcess, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GNOMON_SPOOL", raising=False)
    run = uuid.uuid4().hex
    said = injected_job(run, "delay_enter=60000:when=10..40", XDG_STATE_HOME=str(tmp_path), GNOMON_CAPTURE="console")
    assert "so the spool goes on in" in said
    (left,) = find_folders(tmp_path)
    memory = SHARED_MEMORY / f"gnomon-spool-{os.getuid()}" / run
    assert len(find_folders(memory)) == 1
    sync(server, tenant, left)
    assert len(history(api, run)) < CALLS
    assert api.get(f"/experiments/runs/{run}").json()["status"] == "running"  # the other one says how it ended
    sync(server, tenant, memory)
    assert history(api, run) == [(i, float(i)) for i in range(CALLS)]
    assert api.get(f"/experiments/runs/{run}").json()["status"] == "finished"
    assert api.get(f"/experiments/runs/{run}/artifacts/console.log").text.startswith("begun\n")
    assert api.get(f"/experiments/runs/{run}/artifacts/console.log").text.endswith("done\n")
    assert not memory.exists()
    assert sum(writer["points"] for writer in ledger(api, run)) == CALLS


@pytest.fixture
def run(server: ServerProcess, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> gnomon.Run:
    monkeypatch.setenv("GNOMON_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("GNOMON_STRICT", "1")
    monkeypatch.setenv("GNOMON_CAPTURE", "none")
    monkeypatch.setenv("GNOMON_EXIT_TIMEOUT", "60")
    monkeypatch.setenv("GNOMON_URL", server.base_url)
    monkeypatch.setenv("GNOMON_TENANT", tenant)
    return gnomon.init("fraud")


def test_a_clock_that_is_set_does_not_disorder_a_run(
    api: httpx.Client, run: gnomon.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, began_ms = time.time_ns, time.time_ns() // 1_000_000
    for hours in (0, -24, 5, -3, 24 * 365 * 30):
        monkeypatch.setattr(time, "time_ns", lambda hours=hours: real() + hours * 3_600_000_000_000)
        run.log({"a": 1.0})
    run.finish()
    (series,) = api.get(f"/experiments/runs/{run.id}/history").json()["series"]
    assert series["step"] == [0, 1, 2, 3, 4]
    assert series["timestamp"] == sorted(series["timestamp"])
    assert began_ms - 1 <= series["timestamp"][0] <= series["timestamp"][-1] <= real() // 1_000_000 + 1


def work(worker: int) -> int:
    """What a worker of a DataLoader does with the run it inherits."""
    found = gnomon.active_run()
    assert found is not None
    for i in range(50):
        found.log({f"worker{worker}": float(i)}, step=i)
    return worker


def test_forked_workers_log_to_the_run_of_their_parent(api: httpx.Client, run: gnomon.Run) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(work, range(8)) == [*range(8)]
    run.log({"parent": 1.0})
    run.finish()
    for worker in range(8):
        assert history(api, run.id, f"worker{worker}") == [(i, float(i)) for i in range(50)]


def spawned(run_id: str, rank: int) -> None:
    with gnomon.init("fraud", id=run_id, rank=rank) as joined:
        for i in range(20):
            joined.log({"loss": float(i)}, step=i)


def test_spawned_processes_join_by_id_and_keep_their_rank(api: httpx.Client, run: gnomon.Run) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=spawned, args=(run.id, rank)) for rank in (1, 2)]
    for each in others:
        each.start()
    for each in others:
        each.join()
        assert each.exitcode == 0
    run.log({"loss": 1.0}, step=0)
    run.finish()
    for rank in (1, 2):
        assert history(api, run.id, f"loss{{rank={rank}}}") == [(i, float(i)) for i in range(20)]
    assert api.get(f"/experiments/runs/{run.id}").json()["status"] == "finished"


def test_a_grandchild_logs_too(api: httpx.Client, run: gnomon.Run) -> None:
    if (child := os.fork()) == 0:
        run.log({"child": 1.0}, step=0)
        if (grandchild := os.fork()) == 0:
            run.log({"grandchild": 1.0}, step=0)
            os._exit(0)
        os.waitpid(grandchild, 0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    run.finish()
    assert (history(api, run.id, "child"), history(api, run.id, "grandchild")) == ([(0, 1.0)], [(0, 1.0)])


NOTEBOOK = """
import io, json, sys, code
class Cell(io.StringIO):
    "What a notebook puts in place of stdout: no file, no terminal."
    def isatty(self): return False
shell = code.InteractiveInterpreter({"__name__": "__main__"})
sys.stdout = Cell()
for cell in (
    "import gnomon; run = gnomon.init('fraud')",
    "run.log({'a': 1.0}); print('shown')",
    "1 / 0",
    "run.log({'a': 2.0})",
):
    shell.runsource(cell, symbol="exec")
shell.runsource("run.finish()", symbol="exec")
print(json.dumps(shell.locals["run"].id), file=sys.__stdout__)
"""


def test_a_notebook_goes_on_after_a_cell_that_failed(
    api: httpx.Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    env = {"GNOMON_SPOOL": str(tmp_path), "GNOMON_URL": server.base_url, "GNOMON_TENANT": tenant}
    kernel = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        env={**os.environ, **env, "GNOMON_CAPTURE": "console", "GNOMON_EXIT_TIMEOUT": "60"},
        capture_output=True,
        text=True,
        check=True,
    )
    run = json.loads(kernel.stdout)
    assert history(api, run) == [(0, 1.0), (1, 2.0)]
    assert api.get(f"/experiments/runs/{run}").json()["status"] == "finished"
    console = api.get(f"/experiments/runs/{run}/artifacts/console.log").text
    assert console.startswith("shown\n")
    assert "ZeroDivisionError" in console


READ_ONLY = """
import logging, sys
import gnomon
run = gnomon.init("fraud", params={"lr": 0.1})
for step in range(100):
    run.log({"loss": 1.0}, step=step)
run.log_text("notes.txt", "text")
run.finish()
print("the training is done")
"""


def test_a_spool_on_a_disk_that_is_read_only_costs_a_warning_and_no_training(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    mount = f"mount -t tmpfs -o ro none {spool} && exec {sys.executable} -c '{READ_ONLY}'"
    env = {key: value for key, value in os.environ.items() if key != "GNOMON_STRICT"}
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mount],
        env=env | {"GNOMON_SPOOL": str(spool), "GNOMON_URL": "http://127.0.0.1:9", "GNOMON_CAPTURE": "none"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "the training is done\n"), done.stderr
    assert "Traceback" not in done.stderr
    assert "Read-only file system" in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("gnomon: ")]
    assert 0 < len(said) == len(set(said)) < 6
