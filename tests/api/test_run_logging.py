"""`gnomon.init()` against a real server: what a script logs arrives as it was, and the script never notices trouble."""

import decimal
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.cli import cli
from gnomon.spool import find_folders


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spool of the test's own; what goes wrong inside the SDK is raised."""
    monkeypatch.setenv("GNOMON_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("GNOMON_STRICT", "1")
    monkeypatch.setenv("GNOMON_EXIT_TIMEOUT", "60")
    monkeypatch.setenv("GNOMON_CAPTURE", "none")
    return tmp_path / "spool"


@pytest.fixture
def logged(server: ServerProcess, tenant: str, spool: Path) -> Iterator[gnomon.Run]:
    run = gnomon.init("fraud", url=server.base_url, tenant=tenant)
    yield run
    run.finish()


def history(api: httpx.Client, run: str) -> dict[str, list[tuple[float, float]]]:
    series = api.get(f"/experiments/runs/{run}/history").json()["series"]
    return {
        each["key"]: list(zip(each["step"], [float(value) for value in each["value"]], strict=True)) for each in series
    }


def script(spool: Path, body: str, *, url: str, tenant: str, **env: str) -> subprocess.Popen[str]:
    """A training script in a process of its own; it prints the id of its run first."""
    program = f"import gnomon, os, signal, sys, time\nrun = gnomon.init('fraud')\nprint(run.id, flush=True)\n{body}"
    variables = {**os.environ, "GNOMON_SPOOL": str(spool), "GNOMON_URL": url, "GNOMON_TENANT": tenant, **env}
    variables.pop("GNOMON_STRICT", None)
    return subprocess.Popen(
        [sys.executable, "-c", program], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str, int]:
    out, err = process.communicate()
    return out.split()[0], err, process.returncode


def test_a_run_is_made_by_its_first_batch(api: httpx.Client, server: ServerProcess, tenant: str, spool: Path) -> None:
    with gnomon.init(
        "fraud",
        name="first",
        params={"lr": 1e-5, "opt": {"name": "adam", "nesterov": True}, "layers": [1, 2], "seed": None},
        tags={"team": "risk"},
        description="d",
        url=server.base_url,
        tenant=tenant,
    ) as run:
        run.tag(stage="a")
        run.tag({"stage": "b"})
        assert run.config["opt/name"] == "adam"
    kept = api.get(f"/experiments/runs/{run.id}").json()
    assert kept["params"] == {
        "lr": "1e-05",
        "opt/name": "adam",
        "opt/nesterov": "true",
        "layers": "[1, 2]",
        "seed": "null",
    }
    assert (kept["name"], kept["description"], kept["status"]) == ("first", "d", "finished")
    assert kept["tags"] == {"team": "risk", "stage": "b"}
    (experiment,) = api.get("/experiments").json()["experiments"]
    assert (experiment["id"], experiment["name"]) == (kept["experiment_id"], "fraud")
    assert find_folders(spool) == []


def test_metrics_arrive_as_they_were(api: httpx.Client, logged: gnomon.Run) -> None:
    logged.log({"a": 1, "nested": {"b": {"c": 2.5}}})
    logged.log({"a": float("nan"), "inf": float("-inf")})
    logged.log({"a": np.float32(0.5), "np": np.array([3.0]), "dec": decimal.Decimal("0.1"), "flag": True}, step=10)
    logged.log({"a": 5e-324, "big": 2**80}, step=10.5)
    logged.log({"a": 7.0})
    assert logged.flush(60)
    found = history(api, logged.id)
    assert [step for step, _ in found["a"]] == [0, 1, 10, 10.5, 11.5]
    assert math.isnan(found["a"][1][1])
    del found["a"][1]
    assert found["a"] == [(0, 1.0), (10, 0.5), (10.5, 5e-324), (11.5, 7.0)]
    assert found["nested/b/c"] == [(0, 2.5)]
    assert found["inf"] == [(1, float("-inf"))]
    assert (found["np"], found["dec"], found["flag"]) == ([(10, 3.0)], [(10, 0.1)], [(10, 1.0)])
    assert found["big"] == [(10.5, float(2**80))]


class Hostile:
    """Everything about it fails."""

    def __float__(self) -> float:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError

    def item(self) -> float:
        raise RuntimeError


def test_what_is_no_number_is_said_and_the_rest_is_kept(
    api: httpx.Client, logged: gnomon.Run, caplog: pytest.LogCaptureFixture
) -> None:
    bad: dict[str, object] = {"text": "x", "many": np.zeros(3), "hostile": Hostile(), "none": None, "z": 1 + 2j}
    for step in range(3):
        logged.log({**bad, "good": 1.0}, step=step)
    logged.log({"huge": 10**400, "good": 2.0}, step=3)
    logged.log({"good": 3.0}, step=float("nan"))
    logged.log({"bad\nkey\0": 1.0, "": 2.0, "k" * 300: 3.0})
    logged.params({"hostile": Hostile(), "nul": "a\0b", "long": "x" * 9000})
    logged.tag({"t\n": Hostile()})
    assert logged.flush(60)
    found = history(api, logged.id)
    assert [value for _, value in found["good"]] == [1.0, 1.0, 1.0, 2.0, 3.0]
    assert set(found) == {"good", "bad_key_", "unnamed", "k" * 250}
    assert sum("'text' is no number but str" in line for line in caplog.messages) == 1
    kept = api.get(f"/experiments/runs/{logged.id}").json()
    assert kept["params"] == {"hostile": "<Hostile>", "nul": "a\ufffdb", "long": "x" * 6000}
    assert kept["tags"] == {"t_": "<Hostile>", "text": "x"}


def test_a_param_that_is_set_again_stays_and_is_said(
    api: httpx.Client, server: ServerProcess, tenant: str, logged: gnomon.Run, caplog: pytest.LogCaptureFixture
) -> None:
    logged.params(lr=0.1)
    logged.params(lr=0.2, other=1)
    assert logged.flush(60)
    assert any("'lr' is '0.1' already" in line for line in caplog.messages)
    logged.finish()
    with gnomon.init(
        "fraud", resume=logged.id, params={"lr": 0.3, "new": 2}, url=server.base_url, tenant=tenant
    ) as run:
        run.log({"a": 1.0})
    kept = api.get(f"/experiments/runs/{run.id}").json()
    assert kept["params"] == {"lr": "0.1", "other": "1", "new": "2"}
    assert (kept["status"], history(api, run.id)) == ("finished", {"a": [(0.0, 1.0)]})


def test_a_resumed_run_is_running_again(api: httpx.Client, server: ServerProcess, tenant: str, spool: Path) -> None:
    with gnomon.init("fraud", url=server.base_url, tenant=tenant) as first:
        first.log({"a": 1.0})
    again = gnomon.init("fraud", resume=first.id, url=server.base_url, tenant=tenant)
    assert again.flush(60)
    assert api.get(f"/experiments/runs/{first.id}").json()["status"] == "running"
    again.finish("failed")
    kept = api.get(f"/experiments/runs/{first.id}").json()
    assert (again.id, kept["status"]) == (first.id, "failed")


def test_threads_and_a_forked_child_log_to_one_run(api: httpx.Client, logged: gnomon.Run) -> None:
    def work(name: str) -> None:
        for i in range(200):
            logged.log({name: float(i)}, step=i)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    child = os.fork()
    if child == 0:
        work("child")
        os._exit(0)  # as a worker of multiprocessing ends: nothing is flushed, the parent finds it
    for thread in threads:
        thread.join()
    assert os.waitpid(child, 0)[1] == 0
    logged.finish()
    found = history(api, logged.id)
    assert set(found) == {"t0", "t1", "t2", "t3", "child"}
    assert all(values == [(i, float(i)) for i in range(200)] for values in found.values())
    assert len(api.get(f"/experiments/runs/{logged.id}/ledger").json()["writers"]) == 2


def test_files_are_kept_as_they_were_at_the_call(api: httpx.Client, logged: gnomon.Run, tmp_path: Path) -> None:
    file = tmp_path / "out" / "sub" / "model.pt"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"first")
    logged.log_artifact(file, "best")
    file.write_bytes(b"second")
    logged.log_artifacts(tmp_path / "out", "all")
    logged.log_artifact(file, name="renamed.pt")
    assert logged.flush(60)
    base = f"/experiments/runs/{logged.id}/artifacts"
    assert api.get(f"{base}/best/model.pt").content == b"first"
    assert api.get(f"{base}/all/sub/model.pt").content == b"second"
    assert api.get(f"{base}/renamed.pt").content == b"second"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("run.log({'a': 1.0})", "finished", 0),
        ("run.log({'a': 1.0}); raise ValueError", "failed", 1),
        ("run.log({'a': 1.0}); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", "killed", -signal.SIGTERM),
        ("run.log({'a': 1.0}); os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", "killed", -signal.SIGINT),
        ("\nwith run:\n    run.log({'a': 1.0})\n    sys.exit(3)", "failed", 3),
        ("\nwith run:\n    run.log({'a': 1.0})\n    raise SystemExit", "finished", 0),
    ],
)
def test_the_end_of_the_process_ends_the_run(
    api: httpx.Client, server: ServerProcess, tenant: str, spool: Path, body: str, status: str, code: int
) -> None:
    run, err, returned = ended(script(spool, body, url=server.base_url, tenant=tenant))
    assert returned == code, err
    assert api.get(f"/experiments/runs/{run}").json()["status"] == status
    assert history(api, run) == {"a": [(0, 1.0)]}
    assert find_folders(spool) == []


@pytest.mark.parametrize("env", [{}, {"GNOMON_OFFLINE": "1"}, {"GNOMON_URL": "no address"}])
def test_without_a_server_the_script_runs_and_sync_sends(
    api: httpx.Client, server: ServerProcess, tenant: str, spool: Path, env: dict[str, str]
) -> None:
    body = "run.params(lr=0.1)\nfor i in range(1000): run.log({'a': i / 7})"
    process = script(spool, body, url="http://127.0.0.1:9", tenant=tenant, **{"GNOMON_EXIT_TIMEOUT": "0.2", **env})
    run, err, returned = ended(process)
    assert returned == 0
    assert f"gnomon sync {spool / run}" in err
    assert "Traceback" not in err
    arguments = ["--url", server.base_url, "--tenant", tenant, "sync", str(spool / run), "--json"]
    report = CliRunner().invoke(cli, arguments)
    assert report.exit_code == 0, report.output
    (sent,) = json.loads(report.stdout)["sent"]
    assert (sent["run_id"], sent["points"], sent["points_on_server"], sent["status"]) == (run, 1000, 1000, "finished")
    assert [value for _, value in history(api, run)["a"]] == [i / 7 for i in range(1000)]
    assert api.get(f"/experiments/runs/{run}").json()["params"] == {"lr": "0.1"}
    assert find_folders(spool) == []
    nothing = CliRunner().invoke(cli, ["--url", server.base_url, "sync", str(spool)])
    assert (nothing.exit_code, nothing.stdout) == (0, "0 points of 0 spools sent, 0 spools left, 0 unequal\n")


def test_sync_leaves_a_living_job_alone_and_says_so(server: ServerProcess, logged: gnomon.Run, spool: Path) -> None:
    report = CliRunner().invoke(cli, ["--url", server.base_url, "sync", str(spool)])
    assert report.exit_code == 1
    assert "its job is alive" in report.output
    logged.log({"a": 1.0})
    assert logged.flush(60)


def test_a_disk_that_refuses_does_not_reach_the_script(
    server: ServerProcess,
    tenant: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setenv("GNOMON_SPOOL", str(blocked / "spool"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(blocked))
    run = gnomon.init("fraud", params={"lr": 1})
    run.log({"a": 1.0})
    run.log_artifact(tmp_path / "absent")
    assert run.spool is None
    run.finish()
    assert any("nothing can be kept of this run" in line for line in caplog.messages)


def test_a_spool_that_fills_thins_each_metric_evenly_and_the_ledger_counts_it(
    api: httpx.Client, server: ServerProcess, tenant: str, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOMON_SPOOL_LIMIT", "30000")
    run = gnomon.init("fraud", tenant=tenant, offline=True)
    for i in range(4000):
        run.log({"a": float(i), "b": float(-i)}, step=i)
        if i % 100 == 0:
            run.log({"rare": float(i)}, step=i)
    run.params(lr=0.1)
    run.finish()
    report = CliRunner().invoke(cli, ["--url", server.base_url, "--tenant", tenant, "sync", str(spool), "--json"])
    assert report.exit_code == 0, report.output
    found = history(api, run.id)
    assert found["a"] == [(step, -value) for step, value in found["b"]]
    steps = [int(step) for step, _ in found["a"]]
    gaps = [second - first for first, second in itertools.pairwise(steps)]
    assert steps[0] == 0
    assert gaps[0] == 1
    assert len(set(gaps)) >= 3
    assert all(second >= first / 4 for first, second in itertools.pairwise(gaps))  # it thins more and more
    assert steps[-1] > 4000 - 5 * max(gaps)
    assert len(found["rare"]) >= 2
    kept = sum(len(points) for points in found.values())
    (writer,) = api.get(f"/experiments/runs/{run.id}/ledger").json()["writers"]
    assert (writer["points"], writer["points_thinned"]) == (kept, 8040 - kept)
    assert api.get(f"/experiments/runs/{run.id}").json()["params"] == {"lr": "0.1"}


def test_a_full_spool_drops_points_counts_them_and_keeps_the_rest(
    api: httpx.Client, server: ServerProcess, tenant: str, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOMON_SPOOL_LIMIT", "0")
    with gnomon.init("fraud", url=server.base_url, tenant=tenant) as run:
        for _ in range(40):
            run.log({"a": 1.0})
        run.params(lr=0.1)
    kept = api.get(f"/experiments/runs/{run.id}").json()
    (writer,) = api.get(f"/experiments/runs/{run.id}/ledger").json()["writers"]
    assert (writer["points"], writer["points_thinned"]) == (0, 40)
    assert 0 < int(kept["tags"]["gnomon.points_dropped"]) <= 40
    assert (kept["params"], kept["status"]) == ({"lr": "0.1"}, "finished")


def test_nothing_is_kept_after_the_end(logged: gnomon.Run, caplog: pytest.LogCaptureFixture) -> None:
    logged.finish()
    logged.log({"a": 1.0})
    logged.finish("failed")
    assert any("of a run after its end" in line for line in caplog.messages)


def test_importing_gnomon_loads_next_to_nothing() -> None:
    program = (
        "import sys, gnomon; print([m for m in ('urllib3', 'msgspec', 'click', 'ssl', 'json') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_children_and_ranks_say_where_they_belong(
    api: httpx.Client, server: ServerProcess, tenant: str, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = gnomon.init("fraud", url=server.base_url, tenant=tenant)
    with parent.child("fold 1", params={"fold": 1}) as fold:
        assert gnomon.active_run() is fold
        fold.log({"auc": 0.5})
    assert gnomon.active_run() is parent
    monkeypatch.setenv("RANK", "3")
    other = gnomon.init("fraud", id=parent.id, url=server.base_url, tenant=tenant)
    other.log({"loss": 2.0, "n" * 250: 1.0}, step=1)
    parent.log({"loss": 1.0}, step=1)
    other.finish("failed")
    parent.finish()
    assert gnomon.active_run() is None
    kept = api.get(f"/experiments/runs/{fold.id}").json()
    assert (kept["name"], kept["tags"]["gnomon.parent"], kept["params"]) == ("fold 1", parent.id, {"fold": "1"})
    found = history(api, parent.id)
    assert (found["loss"], found["loss{rank=3}"]) == ([(1, 1.0)], [(1, 2.0)])
    assert ("n" * 242 + "{rank=3}") in found
    assert api.get(f"/experiments/runs/{parent.id}").json()["status"] == "finished"


def test_a_run_is_resumed_by_its_name_from_the_spool_and_from_the_server(
    api: httpx.Client, server: ServerProcess, tenant: str, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNOMON_EXIT_TIMEOUT", "0")
    unsent = gnomon.init("fraud", name="nightly", url="http://127.0.0.1:9", tenant=tenant)
    unsent.finish()
    again = gnomon.init("fraud", resume="nightly", url="http://127.0.0.1:9", tenant=tenant)
    assert (again.id, again.name) == (unsent.id, None)
    again.finish()
    monkeypatch.setenv("GNOMON_EXIT_TIMEOUT", "60")
    with gnomon.init("fraud", resume="weekly", url=server.base_url, tenant=tenant) as first:
        first.log({"a": 1.0})
    assert api.get(f"/experiments/runs/{first.id}").json()["name"] == "weekly"
    with gnomon.init("fraud", resume="weekly", url=server.base_url, tenant=tenant) as second:
        second.log({"a": 2.0}, step=1)
    assert second.id == first.id
    with gnomon.init("other", resume="weekly", url=server.base_url, tenant=tenant) as elsewhere:
        assert elsewhere.id != first.id


def test_a_run_that_another_clock_began_later_ends_all_the_same(
    api: httpx.Client, server: ServerProcess, tenant: str, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = gnomon.init("fraud", url=server.base_url, tenant=tenant, offline=True)
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 3_600_000_000_000)
    with gnomon.init("fraud", id=slow.id, rank=1, url=server.base_url, tenant=tenant) as ahead:
        ahead.log({"a": 1.0})
    slow.log({"a": 1.0})
    slow.finish("failed")
    report = CliRunner().invoke(cli, ["--url", server.base_url, "--tenant", tenant, "sync", str(spool), "--json"])
    assert report.exit_code == 0, report.output
    kept = api.get(f"/experiments/runs/{slow.id}").json()
    assert (kept["status"], kept["duration_ms"]) == ("failed", 0)
    assert set(history(api, slow.id)) == {"a", "a{rank=1}"}
