"""Every route with ids of one's own, of another tenant and of nobody: the right answer, and nothing of the other's."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess
from tests.support.tenant_rows import (
    MLFLOW,
    MLFLOW_ELSEWHERE,
    MLFLOW_PUBLIC,
    NATIVE,
    NO_DELIVERY,
    NO_KEY,
    NO_RULE,
    NO_SESSION,
    NO_TRACE,
    NO_UPLOAD,
    NO_VIEW,
    NO_WEBHOOK,
    Row,
)
from tests.support.tenant_world import NOBODY, Ids, World, ask, make_world, seen, snapshot

from gnomon_server.api import mlflow
from gnomon_server.api.native import ROUTES

# An id that could never be one, in each of the ways that ids go wrong.
MALFORMED = ["x", "0", NOBODY.upper(), NOBODY[:-1], f"{NOBODY}0", "null", "*", "%2A", f"{NOBODY[:8]}-{NOBODY[8:12]}"]


@pytest.fixture(scope="module")
def victim(server: ServerProcess) -> Iterator[World]:
    yield from _unchanged(make_world(server, "matrix-victim"))


@pytest.fixture(scope="module")
def bystander(server: ServerProcess) -> Iterator[World]:
    """A tenant whose requests are all refused."""
    yield from _unchanged(make_world(server, "matrix-bystander"))


@pytest.fixture
def attacker(server: ServerProcess, tenant: str) -> Iterator[World]:
    world = make_world(server, f"{tenant}-matrix")
    yield world
    world.client.close()


def _unchanged(world: World) -> Iterator[World]:
    before = snapshot(world)
    yield world
    assert snapshot(world) == before, f"the requests of these tests changed something of {world.tenant}"
    world.client.close()


def _with_ids(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.slots]


def _assert_no_canary(answer: httpx.Response, victim: World) -> None:
    assert victim.canary.encode() not in seen(answer)
    assert victim.tenant.encode() not in seen(answer)


def test_every_route_is_in_the_matrix() -> None:
    """Made from the routers, so that nobody can forget a route here."""
    declared = {
        (handler.opt["doc"].method, re.sub(r"\{(\w+):\w+\}", r"{\1}", handler.opt["doc"].path)) for handler in ROUTES
    }
    places = {
        "EXPERIMENT": "{experiment_id}",
        "RUN": "{run_id}",
        "secret.txt": "{path}",
        NO_VIEW: "{view_id}",
        NO_TRACE: "{trace_id}",
        NO_KEY: "{key_id}",
        "quotas/nobody": "quotas/{tenant}",
        NO_SESSION: "{session_id}",
        NO_UPLOAD: "{upload_id}",
        NO_RULE: "{rule_id}",
        NO_WEBHOOK: "{webhook_id}",
        NO_DELIVERY: "{delivery_id}",
        "parts/0": "parts/{number}",
    }
    listed = set()
    for row in NATIVE:
        path = row.path
        for place, parameter in places.items():
            path = path.replace(place, parameter)
        listed.add((row.method, path))
    assert listed == declared
    spoken = {
        (str(method), path) for handler in mlflow.ROUTES for path in handler.paths for method in handler.http_methods
    }
    assert {(row.method, place + _parameters(row.path)) for row in MLFLOW for place in _places(row)} == spoken - {
        ("GET", path) for path in MLFLOW_PUBLIC
    }


def _places(row: Row) -> tuple[str, ...]:
    """Below what a row of MLflow's is served."""
    return MLFLOW_ELSEWHERE.get(row.path, mlflow.declare.PREFIXES)


def _parameters(path: str) -> str:
    path = re.sub(r"(/mlflow-artifacts/(?:artifacts|presigned|mpu/\w+)/).*", r"\1{rest:path}", path)
    path = path.replace(NO_WEBHOOK, "{webhook_id:str}")
    path = path.replace("MODEL_ID", "{model_id:str}").replace("tags/secret", "tags/{tag_key:str}")
    return path.replace("TRACE", "{trace_id:str}").replace("assessments/secret", "assessments/{assessment_id:str}")


@pytest.mark.parametrize("row", NATIVE, ids=str)
def test_ids_of_ones_own_are_served(attacker: World, victim: World, row: Row) -> None:
    answer = ask(attacker, row, attacker.ids)
    assert answer.status_code in row.own, answer.text
    _assert_no_canary(answer, victim)


@pytest.mark.parametrize("row", _with_ids(NATIVE), ids=str)
def test_an_id_of_another_tenant_is_denied(bystander: World, victim: World, row: Row) -> None:
    for own_last in (False, True):
        answer = ask(bystander, row, victim.ids, own_last=own_last)
        assert answer.status_code == 403
        _assert_no_canary(answer, victim)
        if row.method != "HEAD":
            assert_problem(answer, 403, "tenant_access_denied")
            assert set(answer.json()) == {"type", "title", "status", "detail", "code"}
            assert answer.json()["detail"] == "Tenant access denied"


@pytest.mark.parametrize("row", _with_ids(NATIVE), ids=str)
def test_an_id_of_nobody_is_not_found(bystander: World, row: Row) -> None:
    kind = "experiment" if "EXPERIMENT" in row.slots else "run"
    for unknown in (NOBODY, *MALFORMED):
        answer = ask(bystander, row, Ids(unknown, unknown, unknown))
        assert answer.status_code == 404, (unknown, answer.text)
        if row.method != "HEAD":
            assert_problem(answer, 404, f"{kind}_not_found")


# Whoever signs in is nobody yet and acts in no tenant: these do not look at the header.
PUBLIC = ("/sign-in", "/sign-in/start", "/sign-in/finish")


@pytest.mark.parametrize("row", [row for row in NATIVE if row.path not in PUBLIC], ids=str)
def test_a_malformed_or_doubled_tenant_is_refused(bystander: World, victim: World, row: Row) -> None:
    for tenants in (["Upper"], ["-a"], ["a b"], ["a" * 64], [""], ["a,b"], ["a/../b"], ["a", "b"], ["a", "a"]):
        answer = ask(bystander, row, bystander.ids, headers=[("x-tenant-id", tenant) for tenant in tenants])
        assert answer.status_code == 400, tenants
        if row.method != "HEAD":
            assert_problem(answer, 400, "invalid_request")
        _assert_no_canary(answer, victim)


@pytest.mark.parametrize("row", MLFLOW, ids=str)
def test_the_mlflow_wire_keeps_the_same_walls(attacker: World, victim: World, row: Row) -> None:
    for place in _places(row):
        for slot in row.slots & OF_NOBODY.keys():
            _assert_walled(attacker, victim, row, slot, place)
        doubled = ask(attacker, row, attacker.ids, prefix=place, headers=[("x-tenant-id", "a"), ("x-tenant-id", "b")])
        assert doubled.status_code == 400
        other = [("x-tenant-id", attacker.tenant), ("x-mlflow-workspace", victim.tenant)]
        assert ask(attacker, row, victim.ids, prefix=place, headers=other).status_code == 400
    for place in {"", *mlflow.declare.PREFIXES}.difference(_places(row)):
        assert ask(attacker, row, attacker.ids, prefix=place).status_code == 404
    # Last, because some remove what they name.
    own = ask(attacker, row, attacker.ids, prefix=_places(row)[0])
    assert own.status_code in row.own, own.text
    _assert_no_canary(own, victim)


# Of the same length as those of somebody, so that answers can be compared to the byte.
OF_NOBODY = {
    "RUN": ("run", NOBODY),
    "MODEL_ID": ("model", f"m-{NOBODY}"),
    "REGISTERED": ("registered", f"canary-{'0' * 16}-reg"),
    "TRACE": ("trace", f"tr-{NOBODY}"),
}


def _assert_walled(attacker: World, victim: World, row: Row, slot: str, place: str) -> None:
    """One slot of the row holds what is another's or nobody's, the others what is one's own."""
    name, of_nobody = OF_NOBODY[slot]
    of_victim = getattr(victim.ids, name)
    foreign = ask(attacker, row, replace(attacker.ids, **{name: of_victim}), prefix=place)
    unknown = ask(attacker, row, replace(attacker.ids, **{name: of_nobody}), prefix=place)
    if slot in row.quiet:
        assert foreign.status_code == unknown.status_code
        assert _masked(foreign.text, of_victim) == _masked(unknown.text, of_nobody)
        assert victim.canary not in foreign.text.replace(of_victim, "")
        return
    _assert_no_canary(foreign, victim)
    assert (foreign.status_code, foreign.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert unknown.status_code == row.nobody
    assert unknown.json().get("error_code") == ("RESOURCE_DOES_NOT_EXIST" if row.nobody == 404 else None)


def _masked(text: str, asked: str) -> str:
    """An answer without what was asked for, and without ids, versions and times that are new with every request."""
    return re.sub(r"[0-9a-f]{32}|\b\d{13}\b|\"version\":\"\d+\"", "#", text.replace(asked, "ASKED"))


def test_a_number_of_mlflow_is_always_ones_own(attacker: World, victim: World) -> None:
    """Both tenants number from 0, so the same number is another experiment."""
    assert attacker.ids.number == victim.ids.number
    row = next(row for row in MLFLOW if row.path.endswith("/experiments/get"))
    answer = ask(attacker, row, victim.ids, prefix="/api")
    assert attacker.canary in answer.text
    _assert_no_canary(answer, victim)


def test_without_a_header_the_tenant_is_default(server: ServerProcess, victim: World) -> None:
    with server.client() as nameless, server.client("default") as named:
        made = nameless.post("/experiments", json={"name": f"of default {victim.canary[-6:]}"}).json()
        assert named.get(f"/experiments/{made['id']}").json() == made
        assert nameless.get(f"/experiments/{victim.ids.experiment}").status_code == 403


@pytest.mark.parametrize("tenant", ["a", "0", "a" * 63, "team-1_x", "9-", "a_"])
def test_a_tenant_exists_as_soon_as_it_is_named(server: ServerProcess, tenant: str) -> None:
    with server.client(tenant) as client:
        assert client.get("/experiments").json()["total"] == 0
        assert client.post("/experiments", json={"name": "Default"}).json()["number"] == 0


def test_names_filters_and_searches_tell_nothing_of_others(attacker: World, victim: World) -> None:
    """TEN-08: what is another's and what is nobody's are answered with the same bytes."""
    api, absent = "/api/v1/experiments", "canary-" + "0" * 16
    assert len(absent) == len(victim.canary)
    asked = [
        (f"{api}", {"search": "{}"}),
        (f"{api}/runs", {"search": "{}"}),
        (f"{api}/runs", {"filter": "name = '{}-r'"}),
        (f"{api}/runs", {"filter": "metrics.`{}-m` > 0"}),
        (f"{api}/runs", {"filter": "params.p = '{}' or tags.secret = '{}'"}),
        (f"{api}/runs", {"order_by": "metrics.`{}-m` desc", "filter": "name = 'nobody'"}),
        (f"{api}/{attacker.ids.experiment}/keys", {"prefix": "{}"}),
        (f"{api}/{attacker.ids.experiment}/groups", {"by": "params.p", "filter": "params.p = '{}'"}),
        (f"{api}/runs/{attacker.ids.run}/artifacts/{{}}.txt", {}),
        (f"{api}/runs/{attacker.ids.run}/history", {"key": "{}-m"}),
        ("/api/2.0/mlflow/experiments/get-by-name", {"experiment_name": "{}-e"}),
    ]
    for path, params in asked:
        answers = [
            attacker.client.get(
                path.replace("{}", text), params={name: value.replace("{}", text) for name, value in params.items()}
            )
            for text in (victim.canary, absent)
        ]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].text.replace(victim.canary, absent) == answers[1].text, path
        assert len(answers[0].headers) == len(answers[1].headers)


def test_a_name_or_a_writer_of_another_is_free(attacker: World, victim: World) -> None:
    api = "/api/v1/experiments"
    mine = attacker.client.post(api, json={"name": f"{victim.canary}-e"})
    assert mine.status_code == 201
    batch = {"writer": f"{victim.canary}-w", "seq": 0}
    kept = attacker.client.post(f"{api}/runs/{attacker.ids.run}/batches", json=batch).json()
    assert kept["duplicate"] is False
    gap = attacker.client.post(f"{api}/runs/{attacker.ids.run}/batches", json={**batch, "seq": 2})
    assert_problem(gap, 409, "sequence_gap")
    assert gap.json()["expected_seq"] == 1


def test_lists_hold_ones_own_alone(attacker: World, victim: World) -> None:
    for path, total in (("/api/v1/experiments", 1), ("/api/v1/experiments/runs", 2)):
        for stage in ("active", "deleted"):
            answer = attacker.client.get(path, params={"lifecycle_stage": stage, "limit": 1000})
            assert victim.canary not in answer.text
            assert json.loads(answer.text)["total"] == (total if stage == "active" else 0)
