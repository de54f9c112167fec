"""Experiments through the public door: create, list, read, change, archive, restore."""

import re

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_create_answers_the_whole_experiment(api: httpx.Client) -> None:
    answer = api.post("/experiments", json={"name": "fraud", "description": "v1", "tags": {"team": "risk"}})
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/experiments/{made['id']}"
    assert re.fullmatch("[0-9a-f]{32}", made["id"])
    assert {**made, "id": "", "created_at": "", "last_updated": "", "artifact_location": ""} == {
        "id": "",
        "number": 1,
        "name": "fraud",
        "description": "v1",
        "artifact_location": "",
        "lifecycle_stage": "active",
        "tags": {"team": "risk"},
        "created_at": "",
        "last_updated": "",
        "run_count": 0,
    }
    assert made["artifact_location"]
    assert ISO.fullmatch(made["created_at"])
    assert ISO.fullmatch(made["last_updated"])
    assert api.get(f"/experiments/{made['id']}").json() == made


def test_number_0_is_kept_for_default(api: httpx.Client) -> None:
    assert api.get("/experiments").json()["experiments"] == []
    numbers = {name: api.post("/experiments", json={"name": name}).json()["number"] for name in ("a", "Default", "b")}
    assert numbers == {"a": 1, "Default": 0, "b": 2}


@pytest.mark.parametrize("name", ["a", "n" * 255, "naïve – 実験 🧪", "a/b c"])
def test_names_of_1_to_255_characters_are_taken(api: httpx.Client, name: str) -> None:
    answer = api.post("/experiments", json={"name": name})
    assert answer.status_code == 201
    assert answer.json()["name"] == name


@pytest.mark.parametrize("name", ["", "n" * 256, "a\x00b", "a\nb", "  "])
def test_other_names_are_refused(api: httpx.Client, name: str) -> None:
    assert_problem(api.post("/experiments", json={"name": name}), 400, "invalid_request", field="name")


def test_description_holds_1000_characters(api: httpx.Client) -> None:
    assert api.post("/experiments", json={"name": "a", "description": "d" * 1000}).status_code == 201
    refused = api.post("/experiments", json={"name": "b", "description": "d" * 1001})
    assert_problem(refused, 400, "invalid_request", field="description")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "a", "color": "red"}, "color"),
        ({"name": "a", "tags": {"k": 1}}, "tags"),
        ({"name": "a", "tags": ["k"]}, "tags"),
        ({"name": "a", "artifact_location": "s3://elsewhere/x"}, "artifact_location"),
        ({"name": "a", "artifact_location": "file:///etc"}, "artifact_location"),
    ],
)
def test_a_wrong_field_is_named(api: httpx.Client, body: dict[str, object], field: str) -> None:
    assert_problem(api.post("/experiments", json=body), 400, "invalid_request", field=field)


def test_a_taken_name_is_refused_even_when_archived(api: httpx.Client, experiment: str) -> None:
    assert_problem(api.post("/experiments", json={"name": "fraud"}), 400, "already_exists", field="name")
    api.delete(f"/experiments/{experiment}")
    assert_problem(api.post("/experiments", json={"name": "fraud"}), 400, "already_exists", field="name")


def test_two_tenants_may_use_one_name(server: ServerProcess, experiment: str, tenant: str) -> None:
    with server.client(f"{tenant}-other") as other:
        answer = other.post("/experiments", json={"name": "fraud"})
        assert answer.status_code == 201
        assert answer.json()["number"] == 1


def test_list_is_newest_first_with_exact_totals(api: httpx.Client) -> None:
    for name in ("alpha", "beta", "gamma"):
        api.post("/experiments", json={"name": name})
    page = api.get("/experiments", params={"limit": 2, "offset": 1}).json()
    assert [one["name"] for one in page["experiments"]] == ["beta", "alpha"]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 1)


def test_search_is_a_substring_without_wildcards_in_any_case(api: httpx.Client) -> None:
    for name in ("Loss 100%", "loss_100", "lossy", "ÄHNLICH"):
        api.post("/experiments", json={"name": name})

    def found(search: str) -> list[str]:
        answer = api.get("/experiments", params={"search": search}).json()
        return sorted(one["name"] for one in answer["experiments"])

    assert found("LOSS") == ["Loss 100%", "loss_100", "lossy"]
    assert found("100%") == ["Loss 100%"]
    assert found("s_1") == ["loss_100"]
    assert found("ähn") == ["ÄHNLICH"]
    assert found("nothing") == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"lifecycle_stage": "all"}, "lifecycle_stage"),
    ],
)
def test_query_parameters_out_of_range_are_refused(api: httpx.Client, params: dict[str, str | int], field: str) -> None:
    assert_problem(api.get("/experiments", params=params), 400, "invalid_request", field=field)


def test_patch_changes_what_it_names_and_merges_tags(api: httpx.Client, experiment: str) -> None:
    api.patch(f"/experiments/{experiment}", json={"tags": {"a": "1", "b": "2"}})
    answer = api.patch(f"/experiments/{experiment}", json={"name": "new", "tags": {"a": None, "c": "3"}})
    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["name"], changed["description"], changed["tags"]) == ("new", "", {"b": "2", "c": "3"})
    assert changed["last_updated"] >= changed["created_at"]


def test_an_empty_patch_is_refused(api: httpx.Client, experiment: str) -> None:
    assert_problem(api.patch(f"/experiments/{experiment}", json={}), 400, "invalid_request")


def test_a_patch_to_a_taken_name_changes_nothing(api: httpx.Client, experiment: str) -> None:
    api.post("/experiments", json={"name": "other"})
    refused = api.patch(f"/experiments/{experiment}", json={"name": "other", "description": "x"})
    assert_problem(refused, 400, "already_exists", field="name")
    assert api.get(f"/experiments/{experiment}").json()["description"] == ""


def test_archive_takes_the_runs_and_restore_returns_only_those(api: httpx.Client, experiment: str) -> None:
    runs = [api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"] for _ in range(3)]
    api.delete(f"/experiments/runs/{runs[0]}")
    archived = api.delete(f"/experiments/{experiment}")
    assert archived.status_code == 200
    assert archived.json()["lifecycle_stage"] == "deleted"
    assert api.delete(f"/experiments/{experiment}").json() == archived.json()
    assert experiment not in [one["id"] for one in api.get("/experiments").json()["experiments"]]
    deleted = api.get("/experiments", params={"lifecycle_stage": "deleted"}).json()
    assert [one["id"] for one in deleted["experiments"]] == [experiment]
    refused = api.post(f"/experiments/runs/{runs[1]}/log-metrics", json={"metrics": {"loss": 1}})
    assert_problem(refused, 400, "run_archived")
    refused = api.post("/experiments/runs", json={"experiment_id": experiment})
    assert_problem(refused, 400, "experiment_archived")

    restored = api.post(f"/experiments/{experiment}/restore")
    assert restored.status_code == 200
    assert (restored.json()["lifecycle_stage"], restored.json()["run_count"]) == ("active", 2)
    stages = [api.get(f"/experiments/runs/{run}").json()["lifecycle_stage"] for run in runs]
    assert stages == ["deleted", "active", "active"]
    assert api.post(f"/experiments/runs/{runs[1]}/log-metrics", json={"metrics": {"loss": 1}}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_ids_are_404_and_foreign_ids_403(
    server: ServerProcess, api: httpx.Client, experiment: str, tenant: str, method: str
) -> None:
    body = {"name": "x"} if method == "PATCH" else None
    for unknown in ("f" * 32, "nope", "1", "%00" * 2):
        answer = api.request(method, f"/experiments/{unknown}", json=body)
        assert answer.status_code in (404, 400)
        assert answer.json()["code"] in ("experiment_not_found", "invalid_request", "invalid_path")
    with server.client(f"{tenant}-other") as other:
        refused = other.request(method, f"/experiments/{experiment}", json=body)
        assert_problem(refused, 403, "tenant_access_denied")
    assert api.get(f"/experiments/{experiment}").json()["name"] == "fraud"


def test_the_key_catalogue_counts_runs(api: httpx.Client, experiment: str) -> None:
    for number in range(3):
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        body = {
            "metrics": [{"key": "val/loss", "value": 1}, {"key": f"m{number}", "value": 1}],
            "params": [{"key": "lr", "value": 0.1}],
            "tags": [{"key": "team", "value": "risk"}],
        }
        assert api.post(f"/experiments/runs/{run}/log-batch", json=body).status_code == 200
    found = api.get(f"/experiments/{experiment}/keys").json()
    assert found["total"] == 6
    assert {"kind": "metric", "key": "val/loss", "runs": 3} in found["keys"]
    metrics = api.get(f"/experiments/{experiment}/keys", params={"kind": "metric", "prefix": "m"}).json()
    assert [key["key"] for key in metrics["keys"]] == ["m0", "m1", "m2"]
    two = api.get(f"/experiments/{experiment}/keys", params=[("kind", "param"), ("kind", "tag")]).json()
    assert [(key["kind"], key["key"], key["runs"]) for key in two["keys"]] == [("param", "lr", 3), ("tag", "team", 3)]
