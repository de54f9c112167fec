"""Removing for good: only what is archived, all of it, and the space comes back."""

from pathlib import Path

import httpx
import pytest
from tests.support.problems import assert_problem

from gnomon_server.app import open_server
from gnomon_server.core.access import Principal
from gnomon_server.settings import Settings
from gnomon_server.store.meta.purge import give_back_pages


def test_a_run_is_removed_with_everything_of_it(api: httpx.Client, experiment: str, run: str) -> None:
    body = {
        "metrics": [{"key": "loss", "value": 1, "step": step} for step in range(100)],
        "params": [{"key": "lr", "value": 0.1}],
        "tags": [{"key": "team", "value": "risk"}],
    }
    assert api.post(f"/experiments/runs/{run}/log-batch", json=body).status_code == 200
    assert api.post(f"/experiments/runs/{run}/log-artifact", files={"file": ("a.txt", b"abc")}).status_code == 200
    assert_problem(api.post(f"/experiments/runs/{run}/purge"), 400, "not_archived")
    api.delete(f"/experiments/runs/{run}")
    assert api.post(f"/experiments/runs/{run}/purge").json() == {"id": run, "purged": True}
    assert_problem(api.get(f"/experiments/runs/{run}"), 404, "run_not_found")
    assert_problem(api.post(f"/experiments/runs/{run}/log-batch", json=body), 404, "run_not_found")
    assert api.get(f"/experiments/{experiment}/keys").json()["keys"] == []
    assert api.get(f"/experiments/{experiment}").json()["run_count"] == 0
    again = api.post("/experiments/runs", json={"experiment_id": experiment}).json()
    assert (again["params"], again["metrics"], again["tags"]) == ({}, {}, {})


def test_an_experiment_is_removed_with_its_runs_and_frees_its_name(api: httpx.Client, experiment: str) -> None:
    runs = [api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"] for _ in range(45)]
    assert_problem(api.post(f"/experiments/{experiment}/purge"), 400, "not_archived")
    api.delete(f"/experiments/{experiment}")
    assert api.post(f"/experiments/{experiment}/purge").status_code == 200
    assert_problem(api.get(f"/experiments/{experiment}"), 404, "experiment_not_found")
    assert_problem(api.get(f"/experiments/runs/{runs[0]}"), 404, "run_not_found")
    assert api.post("/experiments", json={"name": "fraud"}).status_code == 201


@pytest.mark.embedded("PostgreSQL gives space back by itself, by its autovacuum")
def test_the_file_shrinks_after_a_purge(tmp_path: Path) -> None:
    server = open_server(Settings(home=str(tmp_path / "home")))
    try:
        services, writer = server.services, server.services.stores.writer
        principal: Principal = services.access.principal(None)
        made = services.experiments.create(principal, name="large", description="", artifact_location=None, tags={})
        runs = []
        for _ in range(40):
            run = services.runs.create(principal, experiment_uid=made.uid, name=None, description="", tags={})
            tags = {f"note{number}": "x" * 8000 for number in range(100)}
            services.runs.update(principal, run.uid, tags=tags)
            runs.append(run)
        database = services.stores.database
        services.experiments.archive(principal, made.uid)

        def pages() -> int:
            with database.system() as connection:
                return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())

        before = pages()
        services.experiments.purge(principal, made.uid)
        while writer.call(principal.tenant, give_back_pages):
            pass
        assert pages() < before / 2
    finally:
        server.close()
