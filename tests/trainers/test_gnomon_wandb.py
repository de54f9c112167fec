"""`import gnomon.wandb as wandb`: a script written for wandb runs with its import changed; what is lost is said."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn import metrics

import gnomon.wandb as wandb
from gnomon.cli import cli
from gnomon.client import Client
from tests.support.server_process import ServerProcess
from tests.trainers.conftest import Script

FILES = {
    "artifacts/model/artifact.json",
    "artifacts/model/model.txt",
    "artifacts/model/more.txt",
    "files/model.txt",
    "html/page/40.html",
    "media/figures/figure/40.png",
    "media/histograms/counted/40.json",
    "media/histograms/weights/40.json",
    "media/images/sample/40.json",
    "media/images/sample/40.png",
    "media/images/samples/40.png",
    "media/images/samples/40_1.json",
    "media/images/samples/40_1.png",
    "media/tables/confusion/40.json",
    "media/tables/predictions/40.json",
    "media/text/words/40.txt",
}


def series(client: Client, run_id: str) -> dict[str, tuple[list[float], list[float]]]:
    return {each.key: (each.step, each.value) for each in client.metrics.history(run_id).series}


def assert_kept(client: Client, run_id: str) -> None:
    run = client.runs.get(run_id)
    assert (run.name, run.status, run.description) == ("as for wandb", "finished", "some notes")
    assert client.experiments.get(run.experiment_id).name == "fraud"
    assert run.params == {
        "lr": "0.1",
        "batch_size": "32",
        "model/width": "4",
        "model/layers": "[1, 2]",
        "seed": "7",
    }
    found = series(client, run_id)
    assert found["train/loss"] == ([*range(12)], [1 / (1 + n) for n in range(12)])
    assert found["val/acc"] == ([3, 7, 11], [0.0, 0.1, 0.2])
    assert (found["at"][0], found["also"][0], "late" in found) == ([40], [40], False)
    assert found["best"][1] == [0.25]
    assert {each.path for each in client.artifacts.walk(run_id)} == FILES
    table = json.loads(client.artifacts.read(run_id, "media/tables/predictions/40.json"))
    assert table["rows"] == [["cat", 0.5], ["dog", 0.25]]
    confusion = json.loads(client.artifacts.read(run_id, "media/tables/confusion/40.json"))
    assert confusion["rows"] == [["a", "a", 1], ["a", "b", 0], ["b", "a", 1], ["b", "b", 1]]
    assert run.tags["baseline"] == "true"
    assert run.tags["wandb.group"] == "g"
    assert run.tags["wandb.step_metric.val/*"] == "epoch"
    assert run.tags["wandb.artifact.model"] == "model, latest, best"
    assert run.tags["wandb.summary.note"] == "text of the summary"


def test_a_script_for_wandb_runs_with_its_import_changed(train: Script, client: Client, server: ServerProcess) -> None:
    said = train("wandb_script", "gnomon.wandb", "online")
    assert_kept(client, said["id"])
    assert said["url"].startswith(f"{server.base_url}/r/{said['id']}?tenant=")
    assert said["name"] == "as for wandb"


def test_offline_it_sends_nothing_until_sync(
    train: Script, client: Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    said = train("wandb_script", "gnomon.wandb", "offline")
    assert said["url"] is None
    assert client.experiments.find("fraud") is None
    args = ["--url", server.base_url, "--tenant", tenant, "sync", str(tmp_path / "spool"), "--json"]
    assert CliRunner().invoke(cli, args).exit_code == 0
    assert_kept(client, said["id"])


def test_disabled_it_keeps_nothing(train: Script, client: Client, tmp_path: Path) -> None:
    said = train("wandb_script", "gnomon.wandb", "disabled")
    assert (client.experiments.find("fraud"), said["url"]) == (None, None)
    assert not (tmp_path / "spool").exists()


def test_what_is_not_supported_is_said_once_and_never_raises(train: Script, client: Client) -> None:
    said = train("wandb_unsupported", GNOMON_STRICT="0")
    run = client.runs.get(said["id"])
    assert (run.status, run.metrics["last"], run.params["lr"]) == ("finished", 1, "0.1")
    assert run.tags["wandb.config.lr"] == "0.2"
    assert len(said["said"]) == len(set(said["said"]))
    for what in (
        "run that is begun",
        "watch of object",
        "artifact 'model:latest'",
        "wandb.Api.reports",
        "wandb.sweep",
        "wandb.agent",
        "wandb.plot.no_such_chart",
        "messages for alerts",
        "option sync_tensorboard",
        "config read from a file",
        "run.no_such_method",
        "renaming of a run",
        "place for object under 'object'",
    ):
        assert sum(f"gnomon.wandb has no {what};" in sentence for sentence in said["said"]) == 1, (what, said["said"])


def test_an_artifact_of_one_script_is_used_by_the_next(train: Script) -> None:
    train("wandb_stages", "make", "first")
    train("wandb_stages", "make", "second")
    used = train("wandb_stages", "use", "model")
    assert used == {"files": {"deep/weights.txt": "second", "notes.txt": "about second"}, "metadata": {"of": "second"}}
    assert train("wandb_stages", "use", "model:first")["metadata"] == {"of": "first"}
    assert train("wandb_stages", "use", "stages/model:latest")["metadata"] == {"of": "second"}


def test_what_was_logged_is_read_back_with_the_api(train: Script, client: Client) -> None:
    said = train("wandb_read")
    assert said["found"] == {
        "all": ["small", "large", "broken"],
        "backwards": ["broken", "large", "small"],
        "by lr": ["large"],
        "by opt": ["small", "large"],
        "by acc": ["large", "small"],
        "by min": ["small"],
        "by state": ["broken"],
        "by tag": ["small"],
        "without tag": ["large", "broken"],
        "by name": ["large"],
        "by group": ["small", "large"],
        "or": ["small", "broken"],
        "not": ["small"],
        "missing": ["broken"],
        "recent": ["small", "large", "broken"],
        "long ago": [],
    }
    assert said["config"] == {
        "lr": 0.1,
        "opt": "adam",
        "model": {"width": 4, "layers": [1, 2], "bias": True},
        "seed": None,
    }
    assert said["summary"] == {"acc": 0.75, "loss": 0.25, "epoch": 3, "late": 1.0, "note": "a text", "best": 0.5}
    assert said["steps"] == [0, 1, 2, 3, 4]
    assert said["both"] == [{"_step": n, "loss": 1 / (1 + n), "acc": n / 4} for n in range(4)]
    assert (said["sampled"], said["part"], said["frame"]) == ([0, 4], [1, 2], [["loss", "acc"], 4])
    assert said["files"] == {"model.txt": "0.1 0.2", "missing": "the run has no file 'nothing'"}
    assert said["artifacts"] == ["model"]
    assert (said["path"], said["state"], said["tags"], said["group"]) == (
        "reading/small",
        "finished",
        ["baseline"],
        "g",
    )
    assert said["refused"] == {
        "project": "ValueError: there is no project 'nowhere'",
        "run": "ValueError: there is no run 'reading/nobody'",
        "filter": "ValueError: 'sweep' is nothing of a run that gnomon.wandb can find runs by",
        "operator": "ValueError: the filter 'config.lr' with $mod [2, 0] is not understood by gnomon.wandb",
        "server": "CommError",
    }


def test_summaries_follow_what_define_metric_said(train: Script) -> None:
    said = train("wandb_defined")
    assert said == {
        "loss": {"min": 0.25, "mean": 0.625},
        "val/acc": {"best": 0.5},
        "val/err": {"best": 0.25},
        "plain": 4,
        "hidden": None,
    }


def test_curves_of_a_classifier_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 300)
    # Two digits, so that many samples share a probability.
    scores = np.round(rng.dirichlet(np.ones(3), 300) + np.eye(3)[truth] * 0.2, 2)
    roc = wandb.plot.roc_curve(truth, scores, labels=["a", "b", "c"])
    precise = wandb.plot.pr_curve(truth, scores)
    for number, name in enumerate("abc"):
        false, true, _ = metrics.roc_curve(truth == number, scores[:, number], drop_intermediate=False)
        ours = [row[1:] for row in roc.data if row[0] == name]
        assert np.allclose(ours, np.stack([false, true], axis=1))
        precision, recall, _ = metrics.precision_recall_curve(truth == number, scores[:, number])
        ours = [row[1:] for row in precise.data if row[0] == str(number)]
        assert np.allclose(ours, np.stack([precision, recall], axis=1)[:-1][::-1])
    words = wandb.plot.roc_curve(["cat", "dog"], [[0.9, 0.1], [0.2, 0.8]], classes_to_plot=["dog"])
    assert words.data == [["dog", 0.0, 0.0], ["dog", 0.0, 1.0], ["dog", 1.0, 1.0]]


@pytest.mark.parametrize("example", ["classifier", "stages", "reinforcement"])
def test_example_scripts_run_with_only_their_import_changed(train: Script, client: Client, example: str) -> None:
    said = train(f"wandb_example_{example}")
    found = series(client, client.runs.list(search=said["name"]).runs[0].id)
    assert {key: len(found[key][0]) for key in said["logged"]} == said["logged"]


def test_a_resumed_run_is_the_same_run_under_the_same_id(train: Script, client: Client) -> None:
    first, second = (train("wandb_resumed", "step-a"), train("wandb_resumed", "step-b"))
    assert (first["id"], second["id"]) == ("my-run-1", "my-run-1")
    (run,) = client.runs.list()
    assert (run.name, run.status, run.tags["wandb.id"]) == ("my-run-1", "finished", "my-run-1")
    assert set(run.metrics) == {"step-a", "step-b"}
    assert (first["step"], second["step"]) == (0, 1)
    assert {key: steps for key, (steps, _) in series(client, run.id).items()} == {"step-a": [0], "step-b": [1]}


@pytest.mark.nightly
def test_the_same_script_with_wandb_itself_imports_as_the_same_series(
    train: Script, heavy: Path, client: Client, server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    own = train("wandb_script", "gnomon.wandb", "online")
    train("wandb_script", "wandb", "offline", python=heavy)
    args = ["--url", server.base_url, "--tenant", tenant, "import", "wandb", str(tmp_path / "wandb"), "--json"]
    found = json.loads(CliRunner().invoke(cli, args).stdout)
    assert found["equal"] is True
    theirs = series(client, found["runs"][0]["run_id"])
    ours = series(client, own["id"])
    for key in theirs:
        assert key.startswith("system/") or theirs[key] == ours[key], key
    assert set(ours) - set(theirs) == {"event/alert: done"}
    run, imported = client.runs.get(own["id"]), client.runs.get(found["runs"][0]["run_id"])
    assert imported.params == run.params
