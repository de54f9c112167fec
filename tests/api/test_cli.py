"""The command line against a real server: what a person sees, what a script gets, and how errors end."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.cli import cli
from gnomon.wire import MetricEntry

Gnomon = Callable[..., Result]
Json = dict[str, "Json"] | list["Json"] | str | float | None


@pytest.fixture
def gn(server: ServerProcess, tenant: str) -> Gnomon:
    """`gn("runs", "list")`: the command line in a tenant of its own; fails unless it exits as expected."""

    def invoke(*args: str, exits: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["--url", server.base_url, "--tenant", tenant, *args], prog_name="gnomon")
        assert result.exit_code == exits, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> gnomon.Client:
    return gnomon.Client(server.base_url, tenant=tenant)


def table(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def decoded(result: Result) -> dict[str, object]:
    return msgspec.json.decode(result.stdout, type=dict[str, object])


def test_a_script_logs_a_run_and_reads_it_back(gn: Gnomon) -> None:
    experiment = gn("experiments", "create", "nightly", "--tag", "a=b=c").stdout.strip()
    run = gn("runs", "create", "nightly", "--name", "build 17", "--tag", "host=x").stdout.strip()
    assert len(experiment) == len(run) == 32
    gn("runs", "log", run, "-m", "loss=0.25", "-m", "acc=NaN", "-p", "lr=0.01", "-t", "k=v", "--step", "3")
    gn("runs", "log", "build 17", "-m", "loss=0.125", "--step", "4")
    assert decoded(gn("runs", "end", "build 17", "--json"))["status"] == "finished"
    shown = decoded(gn("runs", "show", run, "--json"))
    assert shown["metrics"] == {"loss": 0.125, "acc": "NaN"}
    assert shown["params"] == {"lr": "0.01"}
    assert shown["tags"] == {"host": "x", "k": "v"}
    found = decoded(gn("runs", "list", "-e", "nightly", "--filter", "metrics.loss < 0.3", "--json"))
    assert found["total"] == 1
    rows = table(gn("runs", "list", "-c", "metrics.loss", "-c", "params.lr", "-c", "metrics.none"))
    assert rows[0] == ["id", "name", "status", "started", "duration", "metrics.loss", "params.lr", "metrics.none"]
    assert rows[1][0] == run
    assert rows[1][-3:] == ["0.125", "0.01", "-"]
    assert table(gn("experiments", "keys", "nightly", "--kind", "metric")) == [
        ["kind", "key", "runs"],
        ["metric", "acc", "1"],
        ["metric", "loss", "1"],
    ]


def test_experiments_are_listed_changed_archived_and_restored(gn: Gnomon) -> None:
    gn("experiments", "create", "one", "--description", "the first")
    gn("experiments", "create", "two")
    assert [row[1] for row in table(gn("experiments", "list"))] == ["name", "two", "one"]
    gn("experiments", "update", "one", "--name", "uno", "--tag", "lang=it")
    assert "tags.lang" in gn("experiments", "show", "uno").stdout
    assert decoded(gn("experiments", "update", "uno", "--remove-tag", "lang", "--json"))["tags"] == {}
    gn("experiments", "archive", "uno")
    assert [row[1] for row in table(gn("experiments", "list"))] == ["name", "two"]
    assert [row[1] for row in table(gn("experiments", "list", "--archived"))] == ["name", "uno"]
    gn("experiments", "restore", "uno")
    assert decoded(gn("experiments", "list", "--search", "UN", "--json"))["total"] == 1


def test_runs_are_changed_archived_and_restored(gn: Gnomon) -> None:
    gn("experiments", "create", "e")
    gn("runs", "create", "e", "--name", "r")
    gn("runs", "update", "r", "--name", "s", "--tag", "a=1", "--description", "text")
    gn("runs", "end", "s", "--status", "failed")
    assert decoded(gn("runs", "update", "s", "--reopen", "--remove-tag", "a", "--json"))["status"] == "running"
    gn("runs", "archive", "s")
    assert decoded(gn("runs", "list", "--json"))["total"] == 0
    assert decoded(gn("runs", "list", "--archived", "--json"))["total"] == 1
    assert decoded(gn("runs", "restore", "s", "--json"))["lifecycle_stage"] == "active"


def test_a_run_is_named_by_the_beginning_of_its_id_when_that_is_enough(gn: Gnomon, client: gnomon.Client) -> None:
    experiment = client.experiments.create("e")
    first, second = client.runs.create(experiment.id, name="a"), client.runs.create(experiment.id, name="b")
    together = first.id[: next(n for n in range(32) if first.id[n] != second.id[n])]
    assert decoded(gn("runs", "show", second.id[: len(together) + 1], "--json"))["id"] == second.id
    said = gn("runs", "show", together[:8], exits=1).stderr
    assert f"several runs fit '{together[:8]}'" in said
    assert first.id in said
    assert second.id in said
    assert decoded(gn("experiments", "show", experiment.id[:20], "--json"))["id"] == experiment.id
    assert "no run is called 'zzz'" in gn("runs", "show", "zzz", exits=1).stderr
    assert "no experiment is called 'ffff'" in gn("experiments", "show", "ffff", exits=1).stderr


def test_two_runs_of_one_name_are_told_apart_by_id(gn: Gnomon, client: gnomon.Client) -> None:
    experiment = client.experiments.create("e")
    twins = [client.runs.create(experiment.id, name="it's a twin") for _ in range(2)]
    said = gn("runs", "show", "it's a twin", exits=1).stderr
    assert all(twin.id in said for twin in twins)


def test_compare_marks_the_best_and_shows_what_differs(gn: Gnomon, client: gnomon.Client) -> None:
    experiment = client.experiments.create("e")
    for name, loss in (("a", 0.3), ("b", 0.2)):
        run = client.runs.create(experiment.id, name=name)
        client.runs.log_batch(run.id, metrics=[MetricEntry("loss", loss)], params={"lr": loss, "same": 1})
    rows = table(gn("runs", "compare", "a", "b"))
    assert ["metrics.loss", "(min)", "0.3", "0.2", "*"] in rows
    assert ["params.lr", "0.3", "0.2"] in rows
    assert ["best", "b"] in rows
    assert not any(row[0] == "params.same" for row in rows)
    assert "2 to 10 runs" in gn("runs", "compare", "a", exits=2).stderr


def test_groups_are_aggregated(gn: Gnomon, client: gnomon.Client) -> None:
    experiment = client.experiments.create("e")
    for optimiser, loss in (("adam", 0.25), ("adam", 0.75), ("sgd", 2.0)):
        run = client.runs.create(experiment.id)
        client.runs.log_batch(run.id, metrics=[MetricEntry("loss", loss)], params={"opt": optimiser})
    out = gn("experiments", "groups", "e", "--by", "params.opt", "--column", "metrics.loss.min").stdout
    heading = out.splitlines()[0]
    assert heading.startswith("params.opt")
    assert "metrics.loss.min mean" in heading
    adam = next(line for line in out.splitlines() if line.startswith("adam"))
    assert "0.5" in adam.split()


def test_a_plot_shows_the_curve_and_where_it_is_no_number(gn: Gnomon, client: gnomon.Client) -> None:
    run = client.runs.create(client.experiments.create("e").id, name="curve")
    values = [1 / (step + 1) for step in range(400)]
    values[200], values[201], values[300] = float("nan"), float("inf"), 50.0
    client.runs.log_batch(run.id, metrics=[MetricEntry("loss", value, step) for step, value in enumerate(values)])
    out = gn("metrics", "plot", "curve", "loss", "--width", "80", "--height", "10").stdout.splitlines()
    assert out[0] == "curve · loss"
    assert out[1].lstrip().startswith("50 ┤")
    assert out[11].lstrip().startswith("NaN ┤")
    assert out[11].count("✕") in (1, 2)
    assert out[-1] == "400 points, 398 finite; min 0.0025, max 50, last finite 0.0025; ✕ 2 NaN or infinite"
    assert all(len(line) <= 80 for line in out[1:-1])
    for axis in ("relative", "time"):
        assert "400 points" in gn("metrics", "plot", "curve", "loss", "--x", axis, "--log").stdout
    assert decoded(gn("metrics", "plot", "curve", "loss", "--json"))["n"] == 400
    assert "has no metric 'none'; it has loss" in gn("metrics", "plot", "curve", "none", exits=1).stderr


def test_history_lists_every_point(gn: Gnomon, client: gnomon.Client) -> None:
    run = client.runs.create(client.experiments.create("e").id, name="r")
    client.runs.log_batch(run.id, metrics=[MetricEntry("loss", 0.5, step / 2, timestamp=step) for step in range(5)])
    result = gn("metrics", "history", "r", "loss", "--limit", "2", "--offset", "1")
    assert table(result)[1:] == [["0.5", "1", "0.5"], ["1", "2", "0.5"]]
    assert "2 of 5 points shown" in result.stderr
    assert len(decoded(gn("metrics", "history", "r", "loss", "--json"))["series"]) == 1  # type: ignore[arg-type]  # JSON


def test_artifacts_go_up_and_come_down(gn: Gnomon, client: gnomon.Client, tmp_path: Path) -> None:
    client.runs.create(client.experiments.create("e").id, name="r")
    (tmp_path / "model.npz").write_bytes(b"weights")
    (tmp_path / "notes.txt").write_bytes(b"text")
    assert (
        "models/model.npz"
        in gn("artifacts", "log", "r", str(tmp_path / "model.npz"), "--artifact-path", "models").stdout
    )
    gn("artifacts", "log", "r", str(tmp_path / "notes.txt"))
    assert [row[0] for row in table(gn("artifacts", "list", "r"))] == ["path", "models/model.npz", "notes.txt"]
    gn("artifacts", "get", "r", "--to", str(tmp_path / "all"))
    assert (tmp_path / "all" / "models" / "model.npz").read_bytes() == b"weights"
    gn("artifacts", "get", "r", "notes.txt", "--to", str(tmp_path / "one"))
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["notes.txt"]
    gn("artifacts", "get", "r", "none.txt", "--to", str(tmp_path / "none"), exits=1)
    assert not [path for path in (tmp_path / "none").rglob("*") if path.is_file()]


def test_a_name_cannot_drive_the_terminal(gn: Gnomon, client: gnomon.Client) -> None:
    run = client.runs.create(client.experiments.create("e").id, name="r", description="\x1b[2Jgone")
    client.runs.log_batch(run.id, params={"note": "\x1b]0;title\x07x\r\ny"})
    out = gn("runs", "show", "r").stdout
    assert not set(out) & {"\x1b", "\x07", "\r"}
    assert "description  gone" in out
    assert "x y" in out
    assert decoded(gn("runs", "show", "r", "--json"))["description"] == "\x1b[2Jgone"


def test_errors_are_one_sentence_on_stderr_and_exit_with_1(gn: Gnomon) -> None:
    gn("experiments", "create", "e")
    taken = gn("experiments", "create", "e", exits=1)
    assert taken.stdout == ""
    assert taken.stderr.count("\n") == 1
    assert taken.stderr.startswith("Error: ")
    wrong = gn("runs", "list", "--filter", "metrics.loss <", exits=1)
    assert wrong.stderr.startswith("Error: ")
    assert "--column wants" in gn("runs", "list", "-c", "loss", exits=2).stderr
    assert "No such command" in gn("runz", exits=2).stderr
    assert "say what to change" in gn("experiments", "update", "e", exits=2).stderr
    assert "say what to log" in gn("runs", "log", "x", exits=2).stderr
    assert "is no number" in gn("runs", "log", "x", "-m", "a=b", exits=2).stderr


def test_a_server_that_is_not_there_is_said_so() -> None:
    result = CliRunner().invoke(cli, ["--url", "http://127.0.0.1:9", "runs", "list"])
    assert result.exit_code == 1
    assert "start one with `gnomon server`" in result.stderr


def test_settings_that_cannot_be_used_are_said_plainly() -> None:
    result = CliRunner().invoke(cli, ["--url", "nonsense", "runs", "list"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is no server address" in result.stderr


def test_a_list_longer_than_a_page_says_so(gn: Gnomon, client: gnomon.Client) -> None:
    experiment = client.experiments.create("e")
    for _ in range(3):
        client.runs.create(experiment.id)
    result = gn("runs", "list", "--limit", "2")
    assert len(table(result)) == 3
    assert "2 of 3 shown" in result.stderr


def test_the_program_itself_runs_and_ends_well(server: ServerProcess, tenant: str) -> None:
    environment = {**os.environ, "GNOMON_URL": server.base_url, "GNOMON_TENANT": tenant}
    command = [sys.executable, "-m", "gnomon"]
    made = subprocess.run([*command, "experiments", "create", "e"], env=environment, capture_output=True, text=True)
    assert (made.returncode, len(made.stdout.strip()), made.stderr) == (0, 32, "")
    missing = subprocess.run([*command, "runs", "show", "nothing"], env=environment, capture_output=True, text=True)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "Error: no run is called 'nothing'; see `gnomon runs list`\n"
