"""Saved views: made, listed, replaced, removed; named once per experiment; kept to their tenant."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

STATE = "q=status+%3D+'running'&s=-metrics.loss.min&c=params.lr,metrics.loss&x=step"


@pytest.fixture
def place(experiment: str) -> str:
    return f"/experiments/{experiment}/views"


@pytest.fixture
def other(server: ServerProcess) -> Iterator[httpx.Client]:
    with server.client("views-foreign") as client:
        yield client


def save(api: httpx.Client, place: str, name: str, state: str = STATE) -> dict[str, Any]:
    answer = api.post(place, json={"name": name, "state": state})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_view_comes_back_as_it_was_saved(api: httpx.Client, place: str) -> None:
    assert api.get(place).json() == {"views": [], "total": 0}
    made = save(api, place, "Best runs ✓")
    assert len(made["id"]) == 32
    assert (made["name"], made["state"]) == ("Best runs ✓", STATE)
    assert made["created_at"] == made["last_updated"]
    assert made["created_by"]
    assert api.get(place).json() == {"views": [made], "total": 1}


def test_the_answer_says_where_the_view_is(api: httpx.Client, place: str) -> None:
    answer = api.post(place, json={"name": "a", "state": ""})
    assert answer.headers["location"] == f"/api/v1{place}/{answer.json()['id']}"
    assert answer.json()["state"] == ""


def test_views_are_listed_by_name(api: httpx.Client, place: str) -> None:
    for name in ("b", "c", "a"):
        save(api, place, name)
    assert [view["name"] for view in api.get(place).json()["views"]] == ["a", "b", "c"]


def test_a_view_is_replaced_as_a_whole(api: httpx.Client, place: str) -> None:
    made = save(api, place, "a")
    changed = api.put(f"{place}/{made['id']}", json={"name": "b", "state": "x=time"}).json()
    assert (changed["id"], changed["name"], changed["state"]) == (made["id"], "b", "x=time")
    assert changed["created_at"] == made["created_at"]
    assert changed["last_updated"] >= made["last_updated"]
    assert api.get(place).json()["views"] == [changed]
    same = api.put(f"{place}/{made['id']}", json={"name": "b", "state": "x=time"})
    assert same.status_code == 200


def test_a_removed_view_is_gone(api: httpx.Client, place: str) -> None:
    made, kept = save(api, place, "a"), save(api, place, "b")
    removed = api.delete(f"{place}/{made['id']}")
    assert (removed.status_code, removed.json()) == (200, made)
    assert api.get(place).json()["views"] == [kept]
    assert_problem(api.delete(f"{place}/{made['id']}"), 404, "view_not_found")
    assert_problem(api.put(f"{place}/{made['id']}", json={"name": "a", "state": ""}), 404, "view_not_found")
    assert save(api, place, "a")["id"] != made["id"]


def test_a_name_is_taken_once_in_an_experiment(api: httpx.Client, place: str) -> None:
    first, second = save(api, place, "a"), save(api, place, "b")
    assert_problem(api.post(place, json={"name": "a", "state": ""}), 400, "already_exists", field="name")
    refused = api.put(f"{place}/{second['id']}", json={"name": "a", "state": "changed"})
    assert_problem(refused, 400, "already_exists", field="name")
    assert api.get(place).json()["views"] == [first, second]
    neighbour = api.post("/experiments", json={"name": "neighbour"}).json()["id"]
    save(api, f"/experiments/{neighbour}/views", "a")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": ""}, "name"),
        ({"name": "a"}, "state"),
        ({"name": "", "state": ""}, "name"),
        ({"name": " ", "state": ""}, "name"),
        ({"name": "x" * 256, "state": ""}, "name"),
        ({"name": "a\nb", "state": ""}, "name"),
        ({"name": "a", "state": "x" * 8193}, "state"),
        ({"name": "a", "state": "q=\n"}, "state"),
        ({"name": "a", "state": "q=\x00"}, "state"),
        ({"name": "a", "state": "q=é"}, "state"),
        ({"name": "a", "state": 1}, "state"),
        ({"name": "a", "state": "", "more": 1}, "more"),
    ],
)
def test_wrong_fields_are_named(api: httpx.Client, place: str, body: dict[str, Any], field: str) -> None:
    made = save(api, place, "there")
    assert_problem(api.post(place, json=body), 400, "invalid_request", field=field)
    assert_problem(api.put(f"{place}/{made['id']}", json=body), 400, "invalid_request", field=field)
    assert api.get(place).json()["views"] == [made]


def test_a_state_may_be_as_long_as_a_url(api: httpx.Client, place: str) -> None:
    assert save(api, place, "x" * 255, "q" * 8192)["state"] == "q" * 8192


def test_an_experiment_takes_two_hundred_views(api: httpx.Client, place: str) -> None:
    for number in range(200):
        save(api, place, f"{number:03}")
    assert_problem(api.post(place, json={"name": "one more", "state": ""}), 400, "too_many_views")
    first = api.get(place).json()["views"][0]
    assert api.put(f"{place}/{first['id']}", json={"name": "renamed", "state": ""}).status_code == 200
    assert api.delete(f"{place}/{first['id']}").status_code == 200
    save(api, place, "one more")


def test_views_of_an_archived_experiment_are_read_and_not_written(
    api: httpx.Client, experiment: str, place: str
) -> None:
    made = save(api, place, "a")
    api.delete(f"/experiments/{experiment}")
    assert api.get(place).json()["views"] == [made]
    body = {"name": "b", "state": ""}
    assert_problem(api.post(place, json=body), 400, "experiment_archived")
    assert_problem(api.put(f"{place}/{made['id']}", json=body), 400, "experiment_archived")
    assert_problem(api.delete(f"{place}/{made['id']}"), 400, "experiment_archived")
    api.post(f"/experiments/{experiment}/restore")
    assert api.get(place).json()["views"] == [made]


def test_a_purged_experiment_takes_its_views_along(api: httpx.Client, experiment: str, place: str) -> None:
    save(api, place, "a")
    api.delete(f"/experiments/{experiment}")
    assert api.post(f"/experiments/{experiment}/purge").is_success
    assert_problem(api.get(place), 404, "experiment_not_found")


def test_views_keep_to_their_tenant_and_experiment(api: httpx.Client, other: httpx.Client, place: str) -> None:
    made = save(api, place, "a")
    body = {"name": "b", "state": ""}
    for refused in (
        other.get(place),
        other.post(place, json=body),
        other.put(f"{place}/{made['id']}", json=body),
        other.delete(f"{place}/{made['id']}"),
    ):
        assert_problem(refused, 403, "tenant_access_denied")
    neighbour = api.post("/experiments", json={"name": "neighbour"}).json()["id"]
    elsewhere = f"/experiments/{neighbour}/views/{made['id']}"
    assert_problem(api.put(elsewhere, json=body), 404, "view_not_found")
    assert_problem(api.delete(elsewhere), 404, "view_not_found")
    assert api.get(place).json()["views"] == [made]
    unknown = f"/experiments/{'f' * 32}/views"
    assert_problem(api.get(unknown), 404, "experiment_not_found")
    assert_problem(api.post(unknown, json=body), 404, "experiment_not_found")
