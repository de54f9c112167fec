"""What uses the disk: by experiment, run and metric, and the files of a server added up."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from tests.support.problems import assert_problem
from tests.support.secured import as_key, make_key
from tests.support.server_process import ServerProcess

from gnomon.cli import cli


def test_the_storage_of_an_experiment_is_measured(api: httpx.Client, experiment: str) -> None:
    path = f"/experiments/{experiment}/storage"
    empty = {"runs": 0, "points": 0, "points_bytes": 0, "artifacts": 0, "artifact_bytes": 0}
    assert api.get(path).json() == {"experiment_id": experiment, **empty}
    beside = api.post("/experiments", json={"name": "beside"}).json()["id"]
    for owner in (experiment, experiment, beside):
        run = api.post("/experiments/runs", json={"experiment_id": owner}).json()["id"]
        points = [{"key": key, "value": step / 7, "step": step} for step in range(500) for key in ("a", "b")]
        assert api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": points}).status_code == 200
        for name, content in (("same.bin", b"x" * 1_000), ("own.txt", run.encode())):
            api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, content)}).raise_for_status()
    api.delete(f"/experiments/runs/{run}").raise_for_status()
    found = api.get(path).json()
    bytes_each = found.pop("points_bytes") / 2_000
    assert found == {
        "experiment_id": experiment,
        "runs": 2,
        "points": 2_000,
        "artifacts": 4,
        "artifact_bytes": 1_000 + 2 * 32,
    }
    assert 1 < bytes_each < 40
    assert api.get(f"/experiments/{beside}/storage").json()["runs"] == 1
    assert_problem(api.get(f"/experiments/{'0' * 32}/storage"), 404, "experiment_not_found")


def test_contents_in_an_object_store_are_counted_there(object_server: ServerProcess, tenant: str) -> None:
    with object_server.client(tenant) as api:
        before = api.get("/storage").json()
        experiment = api.post("/experiments", json={"name": "e"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        files = {"file": ("a.bin", tenant.encode() * 10_000)}
        api.post(f"/experiments/runs/{run}/log-artifact", files=files).raise_for_status()
        after = api.get("/storage").json()
        assert api.get(f"/experiments/{experiment}/storage").json()["artifact_bytes"] == 10_000 * len(tenant)
    for name in ("content_bytes", "object_bytes"):
        assert after[name] - before[name] == 10_000 * len(tenant)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose home is this module's alone; it seals at once."""
    env = {"GNOMON_SEAL_POINTS": "1000", "GNOMON_SEAL_IDLE_SECS": "0.1", "GNOMON_ARTIFACT_GRACE_HOURS": "24"}
    running = ServerProcess(tmp_path_factory.mktemp("storage") / "home", env=env).start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture(scope="module")
def kept(own: ServerProcess) -> dict[str, str]:
    """Two experiments of two runs; one metric has nine times the points of the other."""
    ids: dict[str, str] = {}
    with own.client("default") as api:
        for experiment in ("large", "small"):
            ids[experiment] = api.post("/experiments", json={"name": experiment}).json()["id"]
            for run in ("one", "two"):
                uid = api.post("/experiments/runs", json={"experiment_id": ids[experiment], "name": run}).json()["id"]
                ids[f"{experiment}/{run}"] = uid
                steps = 300 if (experiment, run) == ("large", "one") else 30
                points = [{"key": "loss", "value": step / 7, "step": step} for step in range(9 * steps)]
                points += [{"key": "lr", "value": step / 7, "step": step} for step in range(steps)]
                for at in range(0, len(points), 1000):
                    body = {"metrics": points[at : at + 1000]}
                    api.post(f"/experiments/runs/{uid}/log-batch", json=body).raise_for_status()
                files = {"file": ("model.bin", b"m" * 10_000)}
                api.post(f"/experiments/runs/{uid}/log-artifact", files=files).raise_for_status()
        deadline = time.monotonic() + 60
        for experiment in ("large", "small"):
            while api.get(f"/experiments/{ids[experiment]}/storage/metrics").json()["unsealed_points"]:
                assert time.monotonic() < deadline, "the points are never sealed"
                time.sleep(0.05)
    return ids


@pytest.mark.embedded("its database is files of the home; on PostgreSQL the server is asked")
def test_the_parts_add_up_to_the_files(own: ServerProcess, kept: dict[str, str]) -> None:
    with own.client("default") as api:
        found = api.get("/storage").json()
        experiments = api.get("/storage/experiments").json()["experiments"]
    files = {path.name: path.stat().st_size for path in own.home.iterdir() if path.is_file()}
    contents = [path for path in (own.home / "artifacts").rglob("*") if path.is_file()]
    assert own.stop() == 0  # which moves the log into the database
    assert found["database_bytes"] == (own.home / "gnomon.db").stat().st_size
    own.start()
    assert found["points_bytes"] + found["free_bytes"] + found["other_bytes"] == found["database_bytes"]
    assert found["wal_bytes"] == files["gnomon.db-wal"]
    assert found["reserve_bytes"] == files["gnomon.db-reserve"]
    assert found["content_bytes"] == sum(path.stat().st_size for path in contents) == 10_000
    assert found["unused_bytes"] == found["upload_bytes"] == found["moved_bytes"] == found["object_bytes"] == 0
    assert found["points_bytes"] == sum(each["points_bytes"] for each in experiments) > 0
    assert 0 < found["disk_free_bytes"] < found["disk_bytes"]


def test_experiments_runs_and_metrics_come_by_size_and_page(own: ServerProcess, kept: dict[str, str]) -> None:
    with own.client("default") as api:
        experiments = api.get("/storage/experiments").json()["experiments"]
        large = f"/experiments/{kept['large']}/storage"
        whole = api.get(large).json()
        runs = api.get(f"{large}/runs").json()
        metrics = api.get(f"{large}/metrics").json()
        second = api.get(f"{large}/runs", params={"limit": 1, "offset": 1}).json()
        run = f"/experiments/runs/{kept['large/one']}/storage"
        one, of_one = api.get(run).json(), api.get(f"{run}/metrics").json()
        assert api.get(f"{large}/runs", params={"limit": 1001}).status_code == 400
    assert [each["name"] for each in experiments] == ["large", "small"]
    assert experiments[0]["experiment_id"] == whole["experiment_id"]
    assert {key: experiments[0][key] for key in whole} == whole
    assert [each["name"] for each in runs["runs"]] == ["one", "two"]
    assert runs["runs"][0] == one
    assert second == {"runs": runs["runs"][1:], "total": 2, "limit": 1, "offset": 1}
    assert sum(each["points_bytes"] for each in runs["runs"]) == whole["points_bytes"]
    assert whole["artifact_bytes"] == 10_000  # shared by both runs
    assert [each["artifact_bytes"] for each in runs["runs"]] == [10_000, 10_000]
    assert [(each["key"], each["runs"], each["points"]) for each in metrics["metrics"]] == [
        ("loss", 2, 2970),
        ("lr", 2, 330),
    ]
    assert sum(each["points_bytes"] for each in metrics["metrics"]) == whole["points_bytes"]
    assert [(each["key"], each["points"]) for each in of_one["metrics"]] == [("loss", 2700), ("lr", 300)]
    assert sum(each["points_bytes"] for each in of_one["metrics"]) == one["points_bytes"]


def test_the_command_shows_the_same(own: ServerProcess, kept: dict[str, str]) -> None:
    def gn(*args: str) -> str:
        result = CliRunner().invoke(cli, ["--url", own.base_url, "storage", *args], prog_name="gnomon")
        assert result.exit_code == 0, result.output
        return result.stdout

    everything = gn()
    assert "write-ahead log" in everything
    assert everything.index("large") < everything.index("small")
    found = json.loads(gn("--json"))
    assert found["installation"]["content_bytes"] == 10_000
    assert [each["name"] for each in found["experiments"]] == ["large", "small"]
    assert "2,970" in gn("--experiment", "large")
    assert json.loads(gn("-r", kept["small/one"], "--json"))["run"]["points"] == 300


def test_the_files_of_all_tenants_are_the_platforms_to_see(tmp_path: Path) -> None:
    home = tmp_path / "home"
    platform, admin = make_key(home, "platform"), make_key(home, "admin", "team")
    server = ServerProcess(home).start()
    try:
        with as_key(server, platform.text) as api:
            assert api.get("/storage").json()["database_bytes"] > 0
            assert api.get("/storage/experiments").status_code == 403
            api.patch("/quotas/team", json={"runs": 1_000, "artifact_bytes": 2_000_000}).raise_for_status()
        with as_key(server, admin.text) as api:
            assert_problem(api.get("/storage"), 403, "role_required")
            experiment = api.post("/experiments", json={"name": "e"}).json()["id"]
            api.post("/experiments/runs", json={"experiment_id": experiment}).raise_for_status()
        said = {}
        for key in (platform, admin):
            command = ["--url", server.base_url, "--api-key", key.text, "storage"]
            result = CliRunner().invoke(cli, command, prog_name="gnomon")
            assert result.exit_code == 0, result.output
            said[key] = result
            line = next(line for line in result.stdout.splitlines() if line.startswith("team"))
            assert ("1 of 1,000" in line, "0 B of" in line) == (True, True)
        assert "write-ahead log" in said[platform].stdout
        assert "reads no tenant" in said[platform].stderr
        assert "write-ahead log" not in said[admin].stdout
        assert "platform key" in said[admin].stderr
    finally:
        assert server.stop() == 0
