"""Retention rules: what a dry run names is what goes, and nothing that is protected, young or running ever does."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.support.problems import assert_problem
from tests.support.secured import as_key, gnomon, make_key
from tests.support.server_process import ServerProcess

from gnomon.cli import cli

Make = Callable[..., str]
DAY_MS = 86_400_000


@pytest.fixture
def make(api: httpx.Client, experiment: str) -> Make:
    """A finished run of the experiment: `ago` days ended, with a loss and tags."""

    def made(name: str, *, loss: float = 1.0, ago: float = 0.0, of: str = experiment, **tags: str) -> str:
        body = {"experiment_id": of, "name": name, "tags": {key.replace("_", "."): tag for key, tag in tags.items()}}
        run = str(api.post("/experiments/runs", json=body).json()["id"])
        metrics = [{"key": "loss", "value": loss, "step": 0}, {"key": "loss", "value": loss + 1, "step": 1}]
        api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": metrics}).raise_for_status()
        api.post(f"/experiments/runs/{run}/end", json={"status": "finished"}).raise_for_status()
        return run

    return made


def _add(api: httpx.Client, **rule: Any) -> str:
    answer = api.post("/retention", json=rule)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _names(preview: dict[str, Any]) -> set[str]:
    return {run["name"] for run in preview["runs"]}


def _active(api: httpx.Client, experiment: str) -> set[str]:
    found = api.get("/experiments/runs", params={"experiment_id": experiment}).json()
    assert found["total"] == len(found["runs"]) == api.get(f"/experiments/{experiment}").json()["run_count"]
    return {run["name"] for run in found["runs"]}


def test_what_the_preview_names_is_what_goes(api: httpx.Client, experiment: str, make: Make) -> None:
    for name, loss in (("a", 0.1), ("b", 0.2), ("c", 0.3), ("d", 0.4)):
        make(name, loss=loss)
    make("kept", loss=9.0, gnomon_keep="yes")
    running = api.post("/experiments/runs", json={"experiment_id": experiment, "name": "running"}).json()["id"]
    rule = _add(api, action="archive", after_days=0, experiment_id=experiment, keep_best=2, metric="loss", best="min")
    preview = api.get(f"/retention/{rule}/preview").json()
    assert _names(preview) == {"c", "d"}
    assert (preview["total"], preview["artifact_bytes"]) == (2, 0)
    assert preview["points_bytes"] == sum(run["points_bytes"] for run in preview["runs"]) > 0
    assert _active(api, experiment) == {"a", "b", "c", "d", "kept", "running"}
    assert api.post(f"/retention/{rule}/apply").json() == {"rule_id": rule, "runs": 2, "done": True}
    assert _active(api, experiment) == {"a", "b", "kept", "running"}
    assert api.post(f"/retention/{rule}/apply").json()["runs"] == 0
    listed = api.get("/retention").json()["rules"][0]
    assert (listed["applied_runs"], listed["id"]) == (2, rule)
    assert listed["applied_at"] is not None
    assert api.get(f"/experiments/runs/{running}").json()["status"] == "running"


def test_a_purge_takes_archived_runs_alone_and_says_what_it_frees(
    api: httpx.Client, experiment: str, make: Make
) -> None:
    gone, stays, shared = make("gone"), make("stays"), b"shared by both"
    for run, own in ((gone, b"of gone alone"), (stays, b"of stays")):
        for name, content in (("shared.bin", shared), ("own.bin", own)):
            api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, content)}).raise_for_status()
    api.delete(f"/experiments/runs/{gone}").raise_for_status()
    rule = _add(api, action="purge", after_days=0)
    late = _add(api, action="purge", after_days=30)
    assert api.get(f"/retention/{late}/preview").json()["total"] == 0
    preview = api.get(f"/retention/{rule}/preview").json()
    assert _names(preview) == {"gone"}
    assert preview["artifact_bytes"] == len(b"of gone alone")
    assert preview["runs"][0]["artifact_bytes"] == len(b"of gone alone") + len(shared)
    assert api.post(f"/retention/{rule}/apply").json()["runs"] == 1
    assert api.get(f"/experiments/runs/{gone}").status_code == 404
    assert api.get(f"/experiments/runs/{stays}/artifacts/shared.bin").content == shared
    assert _active(api, experiment) == {"stays"}


def test_an_archived_experiment_is_restored_with_the_runs_that_a_purge_left(
    api: httpx.Client, experiment: str, make: Make
) -> None:
    make("first", team="a")
    make("second", team="b")
    api.delete(f"/experiments/{experiment}").raise_for_status()
    rule = _add(api, action="purge", after_days=0, experiment_id=experiment, filter="tags.team = 'a'")
    assert api.post(f"/retention/{rule}/apply").json()["runs"] == 1
    api.post(f"/experiments/{experiment}/restore").raise_for_status()
    assert _active(api, experiment) == {"second"}


def test_runs_of_registered_versions_are_never_taken(
    server: ServerProcess, tenant: str, api: httpx.Client, experiment: str, make: Make
) -> None:
    registered = make("registered")
    make("plain")
    with httpx.Client(base_url=f"{server.base_url}/api/2.0/mlflow", headers={"X-Tenant-ID": tenant}) as wire:
        wire.post("/registered-models/create", json={"name": "m"}).raise_for_status()
        version = {"name": "m", "source": f"runs:/{registered}/model", "run_id": registered}
        wire.post("/model-versions/create", json=version).raise_for_status()
    rule = _add(api, action="archive", after_days=0)
    assert api.post(f"/retention/{rule}/apply").json()["runs"] == 1
    assert _active(api, experiment) == {"registered"}
    api.delete(f"/experiments/runs/{registered}").raise_for_status()
    purge = _add(api, action="purge", after_days=0)
    assert _names(api.get(f"/retention/{purge}/preview").json()) == {"plain"}


def test_rules_are_bounded_and_refused_with_a_sentence(api: httpx.Client, experiment: str) -> None:
    def refused(**rule: Any) -> None:
        answer = api.post("/retention", json={"action": "archive", "after_days": 1, **rule})
        assert answer.status_code == 400, answer.text

    refused(after_days=-1)
    refused(after_days=40_000)
    refused(action="delete")
    refused(keep_best=3)
    refused(action="purge", keep_best=3, metric="loss")
    refused(filter="metrics.loss <")
    refused(filter="x" * 8193)
    refused(metric="a" * 300)
    assert_problem(
        api.post("/retention", json={"action": "purge", "after_days": 1, "experiment_id": "0" * 32}),
        404,
        "experiment_not_found",
    )
    rule = _add(api, action="purge", after_days=1.5, experiment_id=experiment)
    assert api.get("/retention").json()["rules"][0]["after_days"] == 1.5
    assert api.delete(f"/retention/{rule}").json()["id"] == rule
    assert_problem(api.delete(f"/retention/{rule}"), 404, "rule_not_found")
    for _ in range(100):
        _add(api, action="purge", after_days=1)
    assert_problem(api.post("/retention", json={"action": "purge", "after_days": 1}), 400, "too_many_rules")


def test_an_experiment_that_is_purged_takes_its_rules_along(api: httpx.Client, experiment: str) -> None:
    _add(api, action="purge", after_days=1, experiment_id=experiment)
    api.delete(f"/experiments/{experiment}").raise_for_status()
    api.post(f"/experiments/{experiment}/purge").raise_for_status()
    assert api.get("/retention").json()["rules"] == []


def test_the_command_line_adds_shows_and_applies(
    server: ServerProcess, tenant: str, api: httpx.Client, make: Make
) -> None:
    def gn(*args: str, exits: int = 0) -> str:
        command = ["--url", server.base_url, "--tenant", tenant, "retention", *args]
        result = CliRunner().invoke(cli, command, prog_name="gnomon")
        assert result.exit_code == exits, result.output
        return result.stdout

    make("bad", loss=5.0)
    make("good", loss=1.0)
    rule = gn("add", "archive", "--after", "0d", "--filter", "metrics.loss.min > 2", "-e", "fraud").strip()
    dry = gn("run", "--dry-run")
    assert "1 would be archived" in dry
    assert "bad" in dry
    assert "good" not in dry
    assert json.loads(gn("run", rule[:20], "--dry-run", "--json"))["previews"][0]["total"] == 1
    assert json.loads(gn("run", "--json"))["applied"] == [{"rule_id": rule, "runs": 1, "done": True}]
    assert "metrics.loss.min > 2" in gn("list")
    assert "removed" in gn("remove", rule)
    gn("remove", rule, exits=1)
    gn("add", "archive", "--after", "soon", exits=2)


def _taken(api: httpx.Client) -> dict[str, int]:
    """How many runs the audit log says that the rules of the tenant took."""
    taken = {"retention.archive": 0, "retention.purge": 0}
    for entry in api.get("/audit").json()["entries"]:
        if entry["action"] in taken:
            assert (entry["actor"], entry["tenant"]) == ("retention", "team")
            taken[entry["action"]] += int(entry["detail"]["runs"])
    return taken


def test_the_server_applies_rules_by_itself_and_writes_it_down(tmp_path: Path) -> None:
    home = tmp_path / "home"
    admin = make_key(home, "admin", "team")
    server = ServerProcess(home, env={"GNOMON_RETENTION_MINUTES": "0.01"}).start()
    try:
        with as_key(server, admin.text) as api:
            experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
            for number in range(30):
                body = {"experiment_id": experiment, "name": f"run {number}"}
                run = api.post("/experiments/runs", json=body).json()["id"]
                api.post(f"/experiments/runs/{run}/end", json={"status": "failed"}).raise_for_status()
            _add(api, action="archive", after_days=0)
            _add(api, action="purge", after_days=0)
            deadline = time.monotonic() + 60
            while api.get("/storage/experiments").json()["experiments"][0]["runs"]:
                assert time.monotonic() < deadline, "the rules are never applied"
                time.sleep(0.05)
            while (taken := _taken(api)) != {"retention.archive": 30, "retention.purge": 30}:
                assert time.monotonic() < deadline, taken  # written down when it is done: a moment later
                time.sleep(0.05)
    finally:
        assert server.stop() == 0
    verified = gnomon("audit", "verify", "--home", str(home))
    assert verified.returncode == 0, verified.stdout
