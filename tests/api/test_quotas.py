"""Quotas: each at its limit and one past it, on both wires; who may see and set them; and that no use is lost."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from tests.support.limited_tenants import House, Tenant, refused, refused_by_mlflow
from tests.support.secured import as_key, code_of, gnomon

QUOTAS = ("experiments", "runs", "series", "points", "artifact_bytes")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, _chosen_database: None) -> Iterator[House]:
    running = House(tmp_path_factory.mktemp("quotas") / "home")
    yield running
    running.close()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant()


def test_experiments_up_to_the_limit_and_not_one_more(tenant: Tenant) -> None:
    tenant.set(experiments=2)
    first, _ = tenant.experiment("a"), tenant.experiment("b")
    refused(tenant.api.post("/experiments", json={"name": "c"}), "experiments")
    refused_by_mlflow(tenant.ask_mlflow("experiments/create", name="c"))
    # A run that makes its experiment is refused whole.
    begun = {"writer": "w", "seq": 0, "create": {"experiment": "c"}}
    answer = tenant.api.post(f"/experiments/runs/{_uuid7()}/batches", json=begun)
    refused(answer, "experiments")
    assert tenant.use() | {"runs": 0} == dict.fromkeys(QUOTAS, 0) | {"experiments": 2}
    assert tenant.api.delete(f"/experiments/{first}").status_code == 200
    refused(tenant.api.post("/experiments", json={"name": "c"}), "experiments")
    assert tenant.api.post(f"/experiments/{first}/purge").status_code == 200
    assert tenant.api.post("/experiments", json={"name": "c"}).status_code == 201
    assert tenant.use()["experiments"] == 2


def test_runs_up_to_the_limit_and_not_one_more(tenant: Tenant) -> None:
    experiment = tenant.experiment()
    number = str(tenant.api.get(f"/experiments/{experiment}").json()["number"])
    tenant.set(runs=2)
    first = tenant.run(experiment)
    assert tenant.ask_mlflow("runs/create", experiment_id=number, start_time=1).status_code == 200
    detail = refused(tenant.api.post("/experiments/runs", json={"experiment_id": experiment}), "runs")
    assert f"tenant {tenant.name} keeps 2 of the 2 runs" in detail
    refused_by_mlflow(tenant.ask_mlflow("runs/create", experiment_id=number, start_time=1))
    begun = {"writer": "w", "seq": 0, "create": {"experiment_id": experiment}}
    refused(tenant.api.post(f"/experiments/runs/{_uuid7()}/batches", json=begun), "runs")
    assert tenant.use()["runs"] == 2
    assert tenant.api.delete(f"/experiments/runs/{first}").status_code == 200
    assert tenant.use()["runs"] == 2, "what is archived is kept"
    assert tenant.api.post(f"/experiments/runs/{first}/purge").status_code == 200
    assert tenant.use()["runs"] == 1
    tenant.run(experiment)


def test_points_up_to_the_limit_and_not_one_more(tenant: Tenant) -> None:
    run = tenant.run(tenant.experiment())
    tenant.set(points=100)
    assert tenant.log(run, ["loss"], range(99)).status_code == 200
    refused(tenant.log(run, ["loss"], range(99, 101)), "points")
    assert tenant.use()["points"] == 99, "a batch is kept whole or not at all"
    assert tenant.log(run, ["loss"], range(99, 100)).status_code == 200
    detail = refused(tenant.log(run, ["loss"], range(100, 101)), "points")
    assert "100 of the 100 points" in detail
    refused_by_mlflow(tenant.ask_mlflow("runs/log-metric", run_id=run, key="loss", value=1, timestamp=1, step=999))
    one = [{"key": "loss", "value": 1, "timestamp": 1, "step": 999}]
    refused_by_mlflow(tenant.ask_mlflow("runs/log-batch", run_id=run, metrics=one))
    # What has no points is taken: a job may say its params, and how it ended.
    assert (
        tenant.api.post(
            f"/experiments/runs/{run}/log-batch", json={"params": [{"key": "lr", "value": "1"}]}
        ).status_code
        == 200
    )
    assert tenant.api.patch(f"/experiments/runs/{run}", json={"status": "finished"}).status_code == 200
    tenant.set(points=101)
    assert tenant.log(run, ["loss"], range(100, 101)).status_code == 200
    tenant.set(points=None)
    assert tenant.log(run, ["loss"], range(101, 300)).status_code == 200
    assert tenant.use()["points"] == 300


def test_a_repeat_of_a_batch_costs_nothing_and_is_no_refusal(tenant: Tenant) -> None:
    run = tenant.run(tenant.experiment())
    tenant.set(points=3)
    points = {"keys": ["m"], "key": [0] * 3, "step": [0, 1, 2], "timestamp": [1, 2, 3], "value": [1.0, 2.0, 3.0]}
    batch = {"writer": "w", "seq": 0, "points": points}
    first, again = (tenant.api.post(f"/experiments/runs/{run}/batches", json=batch) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert tenant.use()["points"] == 3
    # One that is refused leaves its number free.
    more = {"writer": "w", "seq": 1, "points": points}
    refused(tenant.api.post(f"/experiments/runs/{run}/batches", json=more), "points")
    tenant.set(points=6)
    answer = tenant.api.post(f"/experiments/runs/{run}/batches", json=more)
    assert answer.status_code == 200
    assert not answer.json()["duplicate"]


def test_points_that_came_twice_count_once_when_they_are_found_out(tenant: Tenant) -> None:
    experiment = tenant.experiment()
    run = tenant.run(experiment)
    one = [{"key": "m", "value": 1, "timestamp": step + 1, "step": step} for step in range(10)]
    for _ in range(2):
        assert tenant.ask_mlflow("runs/log-batch", run_id=run, metrics=one).status_code == 200
    found = tenant.api.get("/experiments/runs", params={"filter": "metrics.m.n = 10"}).json()
    assert found["total"] == 1
    assert tenant.use()["points"] == 10


def test_series_up_to_the_limit_and_not_one_more(tenant: Tenant) -> None:
    experiment = tenant.experiment()
    run, other = tenant.run(experiment), tenant.run(experiment)
    tenant.set(series=4)
    assert tenant.log(run, ["a", "b"], range(2)).status_code == 200
    assert tenant.log(other, ["a"], range(2)).status_code == 200
    refused(tenant.log(run, ["a", "c", "d"], range(2, 4)), "series")
    assert tenant.use() | {"points": 0} == {
        "experiments": 1, "runs": 2, "series": 3, "points": 0, "artifact_bytes": 0,
    }  # fmt: skip
    assert tenant.log(other, ["b"], range(2)).status_code == 200
    refused(tenant.log(run, ["c"], range(2)), "series")
    refused_by_mlflow(tenant.ask_mlflow("runs/log-metric", run_id=run, key="e", value=1, timestamp=1, step=1))
    assert tenant.log(run, ["a", "b"], range(10, 20)).status_code == 200, "series that are there go on"
    tenant.api.delete(f"/experiments/runs/{run}")
    tenant.api.post(f"/experiments/runs/{run}/purge")
    assert (tenant.use()["series"], tenant.use()["points"]) == (2, 4)


def test_artifact_bytes_up_to_the_limit_and_not_one_more(tenant: Tenant) -> None:
    experiment = tenant.experiment()
    run = tenant.run(experiment)
    tenant.set(artifact_bytes=100)
    assert tenant.upload(run, "a.bin", b"a" * 60).status_code == 200
    refused(tenant.upload(run, "b.bin", b"b" * 41), "artifact_bytes")
    assert tenant.upload(run, "copy.bin", b"a" * 60).status_code == 200, "the same content takes no more room"
    assert tenant.upload(run, "b.bin", b"b" * 40).status_code == 200
    assert tenant.use()["artifact_bytes"] == 100
    refused(tenant.upload(run, "c.bin", b"c"), "artifact_bytes")
    assert tenant.upload(run, "b.bin", b"c" * 40).status_code == 200, "what it replaces gives its room back"
    whole = hashlib.sha256(b"d" * 200).hexdigest()
    begun = {"path": "d.bin", "size": 200, "sha256": whole}
    parts = tenant.api.post(f"/experiments/runs/{run}/uploads", json=begun)
    refused(parts, "artifact_bytes")
    refused_by_mlflow(tenant.send("PUT", experiment, run, "e.bin", b"e" * 10))
    assert tenant.use()["artifact_bytes"] == 100


def test_what_is_deleted_gives_room_but_not_without_end(tenant: Tenant) -> None:
    experiment = tenant.experiment()
    run = tenant.run(experiment)
    tenant.set(artifact_bytes=100)
    taken = 0
    for number in range(10):
        answer = tenant.upload(run, "a.bin", bytes([number]) * 100)
        if answer.status_code != 200:
            detail = refused(answer, "artifact_bytes")
            assert "on the disk still" in detail
            break
        taken += 1
        gone = tenant.send("DELETE", experiment, run, "a.bin")
        assert gone.status_code == 200, gone.text
        assert tenant.use()["artifact_bytes"] == 0
    assert taken == 2, "as much as the quota, and as much again that waits to be swept"


def test_a_limit_below_the_use_keeps_what_is_there(tenant: Tenant) -> None:
    experiment = tenant.experiment()
    run = tenant.run(experiment)
    assert tenant.log(run, ["m"], range(10)).status_code == 200
    found = tenant.set(points=5, runs=0, experiments=0)
    assert {each["quota"]: (each["used"], each["limit"]) for each in found["quotas"]}["points"] == (10, 5)
    refused(tenant.log(run, ["m"], range(10, 11)), "points")
    refused(tenant.api.post("/experiments/runs", json={"experiment_id": experiment}), "runs")
    assert tenant.api.get(f"/experiments/runs/{run}/history").json()["series"][0]["total"] == 10


def test_a_tenant_counts_for_itself_alone(house: House) -> None:
    one, other = house.tenant(), house.tenant()
    run, foreign = one.run(one.experiment()), other.run(other.experiment())
    one.set(points=10, artifact_bytes=10)
    assert other.log(foreign, ["m"], range(500)).status_code == 200
    assert other.upload(foreign, "a", b"x" * 500).status_code == 200
    assert one.use()["points"] == 0
    assert one.log(run, ["m"], range(10)).status_code == 200
    assert one.upload(run, "a", b"x" * 10).status_code == 200
    assert code_of(one.log(foreign, ["m"], range(1))) == (403, "tenant_access_denied")
    assert other.use()["points"] == 500


def test_who_may_see_and_set_quotas(house: House, tenant: Tenant) -> None:
    other = house.tenant()
    for role in ("viewer", "editor", "admin", "ingest"):
        key = tenant.api.post("/keys", json={"role": role}).json()["secret"]
        with as_key(house.server, key) as api:
            own, all_of_them = api.get(f"/quotas/{tenant.name}"), api.get("/quotas")
            if role == "ingest":
                assert code_of(own)[0] == 403
            else:
                assert own.status_code == 200
                assert [each["tenant"] for each in all_of_them.json()["tenants"]] == [tenant.name]
                assert code_of(api.get(f"/quotas/{other.name}")) == (404, "tenant_not_found")
                assert code_of(api.get("/quotas/nobody")) == (404, "tenant_not_found"), "names tell nothing"
            for name in (tenant.name, other.name):
                assert code_of(api.patch(f"/quotas/{name}", json={"points": None})) == (403, "role_required")
    with as_key(house.server, house.platform.text) as platform:
        listed = platform.get("/quotas", params={"limit": 1000}).json()
        assert {tenant.name, other.name} <= {each["tenant"] for each in listed["tenants"]}
        assert listed["total"] == len(listed["tenants"])
        assert platform.get("/quotas", params={"limit": 1, "offset": 1}).json()["tenants"] == listed["tenants"][1:2]
        assert code_of(platform.get("/quotas/nobody")) == (404, "tenant_not_found")
        assert code_of(platform.patch("/quotas/nobody", json={"points": 1})) == (404, "tenant_not_found")
        for wrong in ({}, {"points": -1}, {"points": 2**53 + 1}, {"points": "1"}, {"spans": 1}, {"points": 1.5}):
            assert code_of(platform.patch(f"/quotas/{tenant.name}", json=wrong))[0] == 400, wrong


def test_a_change_of_a_quota_stands_in_the_audit_log(tenant: Tenant) -> None:
    tenant.set(points=5)
    tenant.set(points=None, runs=7)
    entries = [entry for entry in tenant.api.get("/audit").json()["entries"] if entry["action"] == "quota.set"]
    assert [entry["detail"] for entry in entries] == [
        {"points": "5 -> none", "runs": "none -> 7"},
        {"points": "none -> 5"},
    ]
    assert {(entry["tenant"], entry["target"]) for entry in entries} == {(tenant.name, tenant.name)}


def test_writers_side_by_side_never_pass_a_limit_and_waste_none(tenant: Tenant) -> None:
    """Batches of one point, so that the last of the room can be taken by whoever comes first."""
    experiment = tenant.experiment()
    runs = [tenant.run(experiment) for _ in range(8)]
    tenant.set(points=150, series=6)
    answers: list[int] = []

    def log(run: str) -> None:
        with as_key(tenant.house.server, tenant.key.text) as api:
            for step in range(40):
                batch = {"metrics": [{"key": "m", "value": 1.0, "step": step}]}
                answers.append(api.post(f"/experiments/runs/{run}/log-batch", json=batch).status_code)

    _at_once([partial(log, run) for run in runs])
    assert set(answers) == {200, 403}
    assert answers.count(200) == 150
    use = tenant.use()
    assert (use["points"], use["series"]) == (150, 6)
    stored = [tenant.api.get(f"/experiments/runs/{run}/history").json()["series"] for run in runs]
    assert sum(series[0]["total"] for series in stored if series) == 150
    assert sum(map(len, stored)) == 6


def test_metrics_count_what_quotas_refused(tenant: Tenant) -> None:
    tenant.set(experiments=0)
    refused(tenant.api.post("/experiments", json={"name": "c"}), "experiments")
    page = httpx.get(f"{tenant.house.server.base_url}/metrics").text
    line = next(line for line in page.splitlines() if line.startswith('gnomon_quota_refusals{quota="experiments"}'))
    assert float(line.rpartition(" ")[2]) >= 1
    assert tenant.name not in page, "no tenant's name is public"


def test_the_operator_sets_quotas_that_a_running_server_keeps(house: House, tenant: Tenant) -> None:
    home = ("--home", str(house.home))
    done = gnomon("quotas", "set", tenant.name, "--experiments", "0", "--artifact-bytes", "2Gi", *home, "--json")
    assert done.returncode == 0, done.stderr
    limits = {each["quota"]: each["limit"] for each in json.loads(done.stdout)["quotas"]}
    assert (limits["experiments"], limits["artifact_bytes"], limits["points"]) == (0, 2 * 2**30, None)
    deadline = time.monotonic() + 60
    names = iter(range(10_000))
    while tenant.api.post("/experiments", json={"name": f"e{next(names)}"}).status_code != 403:
        assert time.monotonic() < deadline, "the server never learnt of it"
        time.sleep(0.05)
    shown = gnomon("quotas", "show", tenant.name, *home)
    assert "2.1 GB" in shown.stdout, shown.stdout
    assert tenant.name in gnomon("quotas", "list", "--limit", "1000", *home).stdout
    assert gnomon("quotas", "clear", tenant.name, "experiments", *home).returncode == 0
    left = json.loads(gnomon("quotas", "clear", tenant.name, *home, "--json").stdout)
    assert {each["limit"] for each in left["quotas"]} == {None}
    missing = gnomon("quotas", "set", "nobody", "--points", "1", *home)
    assert (missing.returncode, "there is no tenant" in missing.stderr) == (1, True)
    assert gnomon("quotas", "set", tenant.name, *home).returncode == 2
    assert gnomon("quotas", "set", tenant.name, "--points", "many", *home).returncode == 2


def _at_once(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _uuid7() -> str:
    now = time.time_ns() // 1_000_000
    return f"{now:012x}7{uuid.uuid4().hex[:3]}8{uuid.uuid4().hex[:15]}"


def test_a_job_past_its_quota_goes_on_and_what_it_logged_is_sent_when_there_is_room(
    tenant: Tenant, tmp_path: Path
) -> None:
    tenant.set(points=10)
    spool = tmp_path / "spool"
    program = "import gnomon\nrun = gnomon.init('fraud')\nfor i in range(100): run.log({'loss': i / 7})\nprint(run.id)"
    known = {"GNOMON_URL": tenant.house.server.base_url, "GNOMON_API_KEY": tenant.key.text, "GNOMON_SPOOL": str(spool)}
    env = {name: value for name, value in os.environ.items() if name != "GNOMON_STRICT"} | known
    job = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False)
    assert job.returncode == 0, job.stderr
    assert "Traceback" not in job.stderr
    assert job.stderr.count("of its quota") == 1, "said once"
    run = job.stdout.split()[0]
    assert tenant.use() == {"experiments": 1, "runs": 1, "series": 0, "points": 0, "artifact_bytes": 0}

    def sync() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gnomon", "sync", str(spool)]
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False)

    held = sync()
    assert held.returncode == 1
    assert "all of it is kept" in held.stderr
    assert f"tenant {tenant.name} keeps 0 of the 10 points of its quota, and this would add 100" in held.stderr
    tenant.set(points=100)
    sent = sync()
    assert sent.returncode == 0, sent.stderr
    (series,) = tenant.api.get(f"/experiments/runs/{run}/history").json()["series"]
    assert series["value"] == [i / 7 for i in range(100)]
    assert tenant.use()["points"] == 100
    assert tenant.api.get(f"/experiments/runs/{run}").json()["status"] == "finished"


def test_the_counters_say_what_is_there(tenant: Tenant) -> None:
    first, second = tenant.experiment("a"), tenant.experiment("b")
    runs = [tenant.run(experiment) for experiment in (first, first, second)]
    for number, run in enumerate(runs):
        assert tenant.log(run, ["x", "y"][: number + 1], range(10 * number + 5)).status_code == 200
        for name in ("shared", f"own{number}", f"own{number}"):
            content = b"s" * 50 if name == "shared" else os.urandom(20 + number)
            assert tenant.upload(run, name, content).status_code == 200
    tenant.api.delete(f"/experiments/runs/{runs[0]}")
    tenant.api.post(f"/experiments/runs/{runs[0]}/purge").raise_for_status()
    tenant.send("DELETE", second, runs[2], "own2").raise_for_status()
    assert tenant.use() == {
        "experiments": 2, "runs": 2, "series": 4, "points": 2 * 15 + 2 * 25, "artifact_bytes": 50 + 21,
    }  # fmt: skip
    for uid in (first, second):
        tenant.api.delete(f"/experiments/{uid}").raise_for_status()
        tenant.api.post(f"/experiments/{uid}/purge").raise_for_status()
    assert set(tenant.use().values()) == {0}
