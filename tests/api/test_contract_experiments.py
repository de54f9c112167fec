"""Experiments, sentence by sentence of the API's description."""

import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

Json = dict[str, Any]
FIELDS = {
    "id",
    "number",
    "name",
    "description",
    "artifact_location",
    "lifecycle_stage",
    "tags",
    "created_at",
    "last_updated",
    "run_count",
}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def _create(api: httpx.Client, name: str, **fields: object) -> Json:
    answer = api.post("/experiments", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def _names(api: httpx.Client, **params: str | int) -> list[str]:
    answer = api.get("/experiments", params=params)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["experiments"]]


def test_an_experiment_has_exactly_these_fields_everywhere(api: httpx.Client) -> None:
    made = _create(api, "e")
    path = f"/experiments/{made['id']}"
    answers = [
        made,
        api.get(path).json(),
        api.get("/experiments").json()["experiments"][0],
        api.patch(path, json={"tags": {"a": "b"}}).json(),
        api.delete(path).json(),
        api.post(f"{path}/restore").json(),
    ]
    for answer in answers:
        assert set(answer) == FIELDS
        assert re.fullmatch("[0-9a-f]{32}", answer["id"])
        assert re.fullmatch(TIME, answer["created_at"])
        assert re.fullmatch(TIME, answer["last_updated"])
        assert isinstance(answer["number"], int)
    assert set(api.get("/experiments").json()) == {"experiments", "total", "limit", "offset"}


def test_ids_are_time_ordered_and_hard_to_guess(api: httpx.Client) -> None:
    ids = [_create(api, f"e{number}")["id"] for number in range(5)]
    assert ids == sorted(ids)
    assert all(one[12] == "7" and one[16] in "89ab" for one in ids)  # UUIDv7, RFC 9562
    assert len({one[17:] for one in ids}) == 5
    milliseconds = int(ids[0][:12], 16)
    created = datetime.fromisoformat(api.get(f"/experiments/{ids[0]}").json()["created_at"]).timestamp() * 1000
    assert abs(milliseconds - created) < 1_000


def test_numbers_count_in_each_tenant(server: ServerProcess, tenant: str) -> None:
    for name in (f"{tenant}-a", f"{tenant}-b"):
        with server.client(name) as client:
            assert [_create(client, title)["number"] for title in ("x", "Default", "y")] == [1, 0, 2]


def test_optional_fields_have_defaults(api: httpx.Client) -> None:
    made = _create(api, "plain")
    assert (made["description"], made["tags"], made["lifecycle_stage"], made["run_count"]) == ("", {}, "active", 0)
    assert made["artifact_location"]
    assert made["created_at"] == made["last_updated"]
    absent = _create(api, "none", artifact_location=None, description=None, tags=None)
    assert absent["artifact_location"]
    assert (absent["description"], absent["tags"]) == ("", {})


def test_a_client_names_no_place_of_its_own_choosing(api: httpx.Client) -> None:
    for place in ("s3://bucket/x", "s3://", "", "file:///etc", "/etc", "https://x/y", "S3://bucket"):
        refused = api.post("/experiments", json={"name": "e", "artifact_location": place})
        assert_problem(refused, 400, "invalid_request", field="artifact_location")
    assert api.get("/experiments").json()["total"] == 0


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("s3") / "home"
    running = ServerProcess(home, env={"GNOMON_ARTIFACT_PREFIXES": "s3://lab/runs, s3://shared/"}).start()
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize("place", ["s3://lab/runs", "s3://lab/runs/a/b", "s3://shared/team", "s3://lab/runs/"])
def test_a_place_under_an_allowed_prefix_is_taken(s3_server: ServerProcess, place: str) -> None:
    with s3_server.client() as client:
        made = _create(client, f"at {place}", artifact_location=place)
    assert made["artifact_location"] == place.rstrip("/")


@pytest.mark.parametrize(
    "place",
    [
        "s3://lab",
        "s3://lab/runsevil",
        "s3://lab/runs/../x",
        "s3://lab/runs/./x",
        "s3://other/runs",
        "file://lab/runs",
        "s3://lab/runs/a?b",
        "s3://lab/runs/a#b",
        "s3://lab/runs/%2e%2e/x",
        "s3://lab/runs/a\\b",
    ],
)
def test_a_place_beside_the_prefixes_is_refused(s3_server: ServerProcess, place: str) -> None:
    with s3_server.client() as client:
        refused = client.post("/experiments", json={"name": "beside", "artifact_location": place})
    assert_problem(refused, 400, "invalid_request", field="artifact_location")


def test_search_is_part_of_the_name_in_any_case_and_any_script(api: httpx.Client) -> None:
    for name in ("Fraud 100%", "fraud_model", "Größe", "ΣΊΓΜΑ", "plain\\slash"):
        _create(api, name)
    assert _names(api, search="FRAUD") == ["fraud_model", "Fraud 100%"]
    assert _names(api, search="%") == ["Fraud 100%"]
    assert _names(api, search="_") == ["fraud_model"]
    assert _names(api, search="\\") == ["plain\\slash"]
    assert _names(api, search="GRÖSSE") == ["Größe"]
    assert _names(api, search="σίγμα") == ["ΣΊΓΜΑ"]
    assert len(_names(api, search="")) == 5
    assert _names(api, search="fraud", limit=1, offset=1) == ["Fraud 100%"]
    assert api.get("/experiments", params={"search": "fraud", "limit": 1}).json()["total"] == 2


def test_the_stage_filters_the_list(api: httpx.Client) -> None:
    kept, gone = _create(api, "kept"), _create(api, "gone")
    api.delete(f"/experiments/{gone['id']}")
    assert _names(api) == _names(api, lifecycle_stage="active") == [kept["name"]]
    assert _names(api, lifecycle_stage="deleted") == [gone["name"]]
    for stage in ("all", "ACTIVE", "", "archived"):
        assert_problem(
            api.get("/experiments", params={"lifecycle_stage": stage}), 400, "invalid_request", field="lifecycle_stage"
        )


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"description": None},
        {"tags": None},
        {"tags": {"a": 1}},
        {"tags": {"": "x"}},
        {"name": ""},
        {"name": "n" * 256},
        {"description": "d" * 1001},
        {"tags": {"k" * 251: "x"}},
        {"tags": {"k": "v" * 8001}},
        {"tags": ["a"]},
        {},
    ],
)
def test_a_wrong_patch_changes_nothing(api: httpx.Client, experiment: str, body: Json) -> None:
    before = api.get(f"/experiments/{experiment}").json()
    mixed = {"description": "changed", **body} if body else body
    assert_problem(api.patch(f"/experiments/{experiment}", json=mixed), 400, "invalid_request")
    assert api.get(f"/experiments/{experiment}").json() == before


def test_a_patch_takes_bounds_exactly(api: httpx.Client, experiment: str) -> None:
    body = {"name": "n" * 255, "description": "d" * 1000, "tags": {"k" * 250: "v" * 8000, "empty": ""}}
    answer = api.patch(f"/experiments/{experiment}", json=body)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in body} == body


def test_tags_merge_and_null_removes(api: httpx.Client) -> None:
    made = _create(api, "e", tags={"keep": "1", "change": "2", "drop": "3"})
    path = f"/experiments/{made['id']}"
    time.sleep(0.002)
    changed = api.patch(path, json={"tags": {"change": "x", "drop": None, "new": "4", "absent": None}}).json()
    assert changed["tags"] == {"keep": "1", "change": "x", "new": "4"}
    assert changed["created_at"] == made["created_at"]
    assert changed["last_updated"] > made["last_updated"]
    assert api.get(path).json() == changed


def test_a_name_is_taken_in_any_spelling_of_the_same_text(api: httpx.Client) -> None:
    _create(api, "Cafe\u0301")
    assert_problem(api.post("/experiments", json={"name": "Caf\u00e9"}), 400, "already_exists", field="name")
    _create(api, "café")  # names differ by case
    assert _create(api, " padded ")["name"] == " padded "


def test_renaming_keeps_names_unique(api: httpx.Client, experiment: str) -> None:
    other = _create(api, "other")
    api.delete(f"/experiments/{other['id']}")
    refused = api.patch(f"/experiments/{experiment}", json={"name": "other", "tags": {"a": "b"}})
    assert_problem(refused, 400, "already_exists", field="name")
    assert api.get(f"/experiments/{experiment}").json()["tags"] == {}
    assert api.patch(f"/experiments/{experiment}", json={"name": "fraud"}).status_code == 200  # its own name
    assert api.patch(f"/experiments/{experiment}", json={"name": "freed"}).status_code == 200
    assert _create(api, "fraud")["name"] == "fraud"


def test_archiving_and_restoring_again_answer_the_same(api: httpx.Client, experiment: str) -> None:
    path = f"/experiments/{experiment}"
    archived = api.delete(path)
    assert archived.status_code == 200
    assert archived.json()["lifecycle_stage"] == "deleted"
    assert api.delete(path).json() == archived.json() == api.get(path).json()
    restored = api.post(f"{path}/restore")
    assert (restored.status_code, restored.json()["lifecycle_stage"]) == (200, "active")
    assert api.post(f"{path}/restore").json() == restored.json() == api.get(path).json()


def test_an_archived_experiment_keeps_its_runs_data_and_takes_no_more(api: httpx.Client, experiment: str) -> None:
    ids = [api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"] for _ in range(3)]
    runs = [f"/experiments/runs/{one}" for one in ids]
    for run in runs:
        assert api.post(f"{run}/log-metrics", json={"metrics": {"loss": 0.5}}).status_code == 200
    api.delete(runs[0])
    assert api.get(f"/experiments/{experiment}").json()["run_count"] == 2
    api.delete(f"/experiments/{experiment}")

    assert_problem(api.post("/experiments/runs", json={"experiment_id": experiment}), 400, "experiment_archived")
    for run in runs:
        assert api.get(run).json()["lifecycle_stage"] == "deleted"
        assert api.get(run).json()["metrics"] == {"loss": 0.5}
        assert api.get(f"{run}/history").json()["series"][0]["value"] == [0.5]
        assert_problem(api.post(f"{run}/log-metrics", json={"metrics": {"loss": 1}}), 400, "run_archived")
        upload = api.post(f"{run}/log-artifact", files={"file": ("a", b"x")})
        assert_problem(upload, 400, "run_archived")

    restored = api.post(f"/experiments/{experiment}/restore").json()
    assert restored["run_count"] == 2
    assert [api.get(run).json()["lifecycle_stage"] for run in runs] == ["deleted", "active", "active"]
    assert api.post(f"{runs[1]}/log-metrics", json={"metrics": {"loss": 1}}).status_code == 200
    assert_problem(api.post(f"{runs[0]}/log-metrics", json={"metrics": {"loss": 1}}), 400, "run_archived")
