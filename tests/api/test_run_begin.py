"""Runs whose id the client made: begun once, by a request of their own or by the first batch that names them."""

import secrets
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess


@pytest.fixture
def uid() -> str:
    return secrets.token_hex(16)


def send(api: httpx.Client, run: str, create: dict[str, Any] | None, *, seq: int = 0, **extra: Any) -> httpx.Response:
    body = {"writer": "w", "seq": seq, "create": create, **extra}
    return api.post(f"/experiments/runs/{run}/batches", json=body)


def count(api: httpx.Client, what: str = "experiments/runs") -> int:
    return int(api.get(f"/{what}").json()["total"])


def test_a_run_asked_for_twice_is_there_once(api: httpx.Client, experiment: str, uid: str) -> None:
    body = {"experiment_id": experiment, "id": uid, "name": "mine", "tags": {"a": "b"}}
    first = api.post("/experiments/runs", json=body)
    assert (first.status_code, first.json()["id"]) == (201, uid)
    assert api.post("/experiments/runs", json={**body, "name": "other"}).json() == first.json()
    assert count(api) == 1


def test_an_id_of_another_experiment_or_tenant_is_refused(
    server: ServerProcess, api: httpx.Client, experiment: str, uid: str
) -> None:
    api.post("/experiments/runs", json={"experiment_id": experiment, "id": uid})
    other = api.post("/experiments", json={"name": "other"}).json()["id"]
    refused = api.post("/experiments/runs", json={"experiment_id": other, "id": uid})
    assert_problem(refused, 400, "invalid_request", field="id")
    with server.client("begin-elsewhere") as stranger:
        theirs = stranger.post("/experiments", json={"name": "theirs"}).json()["id"]
        refused = stranger.post("/experiments/runs", json={"experiment_id": theirs, "id": uid})
        assert_problem(refused, 403, "tenant_access_denied")
        assert_problem(send(stranger, uid, {"experiment": "new"}), 403, "tenant_access_denied")
        assert count(stranger) == 0
        assert count(stranger, "experiments") == 1


@pytest.mark.parametrize("wrong", ["", "abc", "G" * 32, "A" * 32])
def test_an_id_that_is_none_is_refused(api: httpx.Client, experiment: str, wrong: str) -> None:
    refused = api.post("/experiments/runs", json={"experiment_id": experiment, "id": wrong})
    assert_problem(refused, 400, "invalid_request", field="id")


def test_a_batch_begins_its_run_and_the_experiment_once(api: httpx.Client, uid: str) -> None:
    create = {"experiment": "fresh", "name": "first", "description": "d", "tags": {"t": "1"}, "start_time": 1_000}
    for is_repeat in (False, True):
        answer = send(api, uid, create, params={"lr": "0.1"})
        assert (answer.status_code, answer.json()["duplicate"]) == (200, is_repeat)
    run = api.get(f"/experiments/runs/{uid}").json()
    assert run["start_time"] == "1970-01-01T00:00:01.000Z"
    assert (run["name"], run["tags"], run["params"], run["status"]) == ("first", {"t": "1"}, {"lr": "0.1"}, "running")
    (experiment,) = api.get("/experiments").json()["experiments"]
    assert (experiment["name"], experiment["run_count"]) == ("fresh", 1)


def test_a_batch_leaves_a_run_that_is_there_as_it_is(api: httpx.Client, run: str) -> None:
    before = api.get(f"/experiments/runs/{run}").json()
    assert send(api, run, {"experiment": "elsewhere", "name": "other"}).status_code == 200
    assert api.get(f"/experiments/runs/{run}").json() == before
    assert count(api, "experiments") == 1


def test_a_batch_begins_a_run_of_an_experiment_by_its_id(api: httpx.Client, experiment: str, uid: str) -> None:
    assert send(api, uid, {"experiment_id": experiment}).status_code == 200
    run = api.get(f"/experiments/runs/{uid}").json()
    assert run["experiment_id"] == experiment
    assert run["name"]
    assert_problem(send(api, secrets.token_hex(16), {"experiment_id": "f" * 32}), 404, "experiment_not_found")


def test_a_refused_first_batch_leaves_neither_run_nor_experiment(api: httpx.Client, uid: str) -> None:
    gap = send(api, uid, {"experiment": "fresh", "tags": {"t": "1"}}, seq=3)
    assert_problem(gap, 409, "sequence_gap")
    assert gap.json()["expected_seq"] == 0
    assert (count(api), count(api, "experiments")) == (0, 0)
    assert send(api, uid, {"experiment": "fresh", "tags": {"t": "1"}}).status_code == 200
    assert api.get(f"/experiments/runs/{uid}").json()["tags"] == {"t": "1"}


@pytest.mark.parametrize(
    ("create", "field"),
    [
        ({}, "create"),
        ({"experiment": "a", "experiment_id": "0" * 32}, "create"),
        ({"experiment": " "}, "create.experiment"),
        ({"experiment": "a", "name": "x\n"}, "create.name"),
        ({"experiment": "a", "start_time": -1}, "create.start_time"),
        ({"experiment": "a", "tags": {"": "x"}}, "create.tags."),
    ],
)
def test_a_wrong_beginning_is_named(api: httpx.Client, uid: str, create: dict[str, Any], field: str) -> None:
    assert_problem(send(api, uid, create), 400, "invalid_request", field=field)


def test_an_archived_experiment_takes_no_run_by_a_batch(api: httpx.Client, experiment: str, uid: str) -> None:
    api.delete(f"/experiments/{experiment}")
    assert_problem(send(api, uid, {"experiment": "fraud"}), 400, "experiment_archived")
    assert_problem(send(api, "no-uid", {"experiment": "new"}), 400, "invalid_request", field="run_id")
