"""What holds for every route: problems, unknown and read-only fields, media types, headers, bounds of pages."""

import re
from typing import Any

import httpx
import pytest
from tests.support.problems import assert_problem
from tests.support.server_process import ServerProcess

Json = dict[str, Any]
NOBODY = "f" * 32
# Every route that reads a JSON body, with one it takes; EXPERIMENT and RUN stand for ids of the tenant.
BODIES: list[tuple[str, str, Json]] = [
    ("POST", "/experiments", {"name": "another"}),
    ("PATCH", "/experiments/EXPERIMENT", {"description": "d"}),
    ("POST", "/experiments/EXPERIMENT/restore", {}),
    ("POST", "/experiments/runs", {"experiment_id": "EXPERIMENT"}),
    ("PATCH", "/experiments/runs/RUN", {"description": "d"}),
    ("POST", "/experiments/runs/RUN/log-metrics", {"metrics": {"a": 1}}),
    ("POST", "/experiments/runs/RUN/log-params", {"params": {"a": 1}}),
    ("POST", "/experiments/runs/RUN/log-batch", {"metrics": [{"key": "a", "value": 1}]}),
    ("POST", "/experiments/runs/RUN/batches", {"writer": "w", "seq": 0}),
    ("POST", "/experiments/runs/RUN/end", {"status": "finished"}),
    ("POST", "/experiments/runs/RUN/restore", {}),
    ("POST", "/experiments/runs/series", {"run_ids": ["RUN"], "keys": ["a"]}),
]
# Fields of answers, which no request may set.
READ_ONLY = (
    "id number lifecycle_stage created_at last_updated run_count tenant tenant_id start_time duration_ms artifact_uri"
    " created_by metric total limit"
).split()
LISTS = [
    ("/experiments", "experiments"),
    ("/experiments/runs", "runs"),
    ("/experiments/EXPERIMENT/keys", "keys"),
    ("/experiments/EXPERIMENT/table", "run_ids"),
    ("/experiments/EXPERIMENT/groups?by=name", "groups"),
    ("/experiments/runs/RUN/artifacts", "artifacts"),
]


def _filled(text: str, experiment: str, run: str) -> str:
    return text.replace("EXPERIMENT", experiment).replace("RUN", run)


def _body(body: Json, experiment: str, run: str) -> Json:
    ids = {"EXPERIMENT": experiment, "RUN": run}
    return {
        name: [ids.get(entry, entry) if isinstance(entry, str) else entry for entry in value]
        if isinstance(value, list)
        else ids.get(value, value)
        if isinstance(value, str)
        else value
        for name, value in body.items()
    }


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda value: value if isinstance(value, str) else "")
def test_unknown_fields_are_named(
    api: httpx.Client, experiment: str, run: str, method: str, path: str, body: Json
) -> None:
    target, good = _filled(path, experiment, run), _body(body, experiment, run)
    refused = api.request(method, target, json={**good, "bogus": 1})
    assert_problem(refused, 400, "invalid_request", field="bogus")
    assert [error["field"] for error in refused.json()["errors"]] == ["bogus"]
    assert api.request(method, target, json=good).status_code in (200, 201)


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda value: value if isinstance(value, str) else "")
def test_read_only_fields_are_refused_and_change_nothing(
    api: httpx.Client, experiment: str, run: str, method: str, path: str, body: Json
) -> None:
    target, good = _filled(path, experiment, run), _body(body, experiment, run)
    before = [api.get(f"/experiments/{experiment}").json(), api.get(f"/experiments/runs/{run}").json()]
    for name in READ_ONLY:
        if name not in good:
            refused = api.request(method, target, json={**good, name: "x"})
            assert_problem(refused, 400, "invalid_request", field=name)
    assert [api.get(f"/experiments/{experiment}").json(), api.get(f"/experiments/runs/{run}").json()] == before


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda value: value if isinstance(value, str) else "")
def test_bodies_are_json_objects(
    api: httpx.Client, experiment: str, run: str, method: str, path: str, body: Json
) -> None:
    target = _filled(path, experiment, run)
    for content in (b"{", b"[]", b"1", b'"a"', b"{}x", b"\xff", b"[" * 5_000, b'{"a":' * 5_000, b"\x00"):
        refused = api.request(method, target, content=content, headers={"Content-Type": "application/json"})
        assert_problem(refused, 400, refused.json()["code"])
        assert refused.json()["code"] in ("invalid_json", "invalid_request")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
        refused = api.request(method, target, content=b"{}", headers={"Content-Type": kind})
        assert_problem(refused, 415, "unsupported_media_type")
    accepted = api.request(
        method,
        target,
        json=_body(body, experiment, run),
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert accepted.status_code in (200, 201), accepted.text


@pytest.mark.parametrize(("path", "items"), LISTS)
def test_every_list_has_total_limit_and_offset(
    api: httpx.Client, experiment: str, run: str, path: str, items: str
) -> None:
    target = _filled(path, experiment, run)
    page = api.get(target).json()
    assert (page["limit"], page["offset"]) == (100, 0)
    assert page["total"] == len(page[items])
    mark = "&" if "?" in target else "?"
    assert api.get(f"{target}{mark}limit=1000&offset=0").json()["limit"] == 1000
    beyond = api.get(f"{target}{mark}limit=1&offset=7").json()
    assert (beyond["limit"], beyond["offset"], beyond[items]) == (1, 7, [])
    assert beyond["total"] == page["total"]
    for name, values in (
        ("limit", ("0", "1001", "-1", "a", "1.5", "", "null", "1e9", "9" * 30)),
        ("offset", ("-1", "a", "0.5", "", "null")),
    ):
        for value in values:
            assert_problem(api.get(f"{target}{mark}{name}={value}"), 400, "invalid_request", field=name)
    assert_problem(api.get(f"{target}{mark}limit=1&limit=2"), 400, "invalid_request", field="limit")


def test_null_is_text_in_a_query(api: httpx.Client, experiment: str) -> None:
    api.post("/experiments", json={"name": "null and void"})
    assert [one["name"] for one in api.get("/experiments", params={"search": "null"}).json()["experiments"]] == [
        "null and void"
    ]
    for name in ("status", "lifecycle_stage"):
        assert_problem(api.get("/experiments/runs", params={name: "null"}), 400, "invalid_request", field=name)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/experiments/EXPERIMENT/nothing", 404, "no_such_route"),
        ("GET", "/", 404, "no_such_route"),
        ("PUT", "/experiments/EXPERIMENT", 405, "method_not_allowed"),
        ("PATCH", "/experiments/runs", 405, "method_not_allowed"),
        ("GET", "/experiments/runs/compare", 405, "method_not_allowed"),
        ("DELETE", "/experiments", 405, "method_not_allowed"),
        ("TRACE", "/experiments", 405, "method_not_allowed"),
        ("GET", f"/experiments/{NOBODY}", 404, "experiment_not_found"),
        ("GET", f"/experiments/runs/{NOBODY}", 404, "run_not_found"),
        ("GET", f"/experiments/runs/{'F' * 32}", 404, "run_not_found"),
        ("GET", "/experiments/0", 404, "experiment_not_found"),
        ("GET", "/experiments/runs/RUN/artifacts/nothing", 404, "artifact_not_found"),
        ("GET", "/experiments/runs/RUN/artifacts/a%00b", 400, "invalid_request"),
        ("GET", f"/experiments?search={'a' * 9000}", 414, "uri_too_long"),
    ],
)
def test_every_refusal_is_a_problem(
    api: httpx.Client, experiment: str, run: str, method: str, path: str, status: int, code: str
) -> None:
    refused = api.request(method, _filled(path, experiment, run))
    assert_problem(refused, status, code)
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["type"] == f"urn:gnomon:problem:{code}"
    assert re.fullmatch("[a-z][a-z0-9_]*", problem["code"])
    assert set(problem) <= {"type", "title", "status", "detail", "code", "errors", "request_id"}


def test_each_header_and_charset_is_said_once(server: ServerProcess, api: httpx.Client, run: str) -> None:
    for name in ("a.txt", "b.html", "c.bin"):
        assert api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, b"x")}).status_code == 200
    targets = [
        *(f"/api/v1/experiments/runs/{run}/artifacts/{name}" for name in ("a.txt", "b.html", "c.bin")),
        f"/api/v1/experiments/runs/{run}/history",
        *(
            "/",
            "/docs",
            "/metrics",
            "/healthz",
            "/health",
            "/version",
            "/openapi.json",
            "/api/v1/experiments",
            "/nowhere",
        ),
    ]
    for target in targets:
        for accept in ("*/*", "text/csv"):
            answer = httpx.get(f"{server.base_url}{target}", headers={**api.headers, "Accept": accept})
            names = [name for name, _ in answer.headers.multi_items()]
            assert len(names) == len(set(names)), (target, names)
            assert answer.headers["content-type"].count("charset") <= 1, (target, answer.headers["content-type"])
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
            assert answer.headers["content-security-policy"]
            assert not any(name.startswith("access-control-") for name in names)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/html, */*", "application/json"),
        ("image/png", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("Text/CSV", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("application/vnd.apache.arrow.stream, */*;q=0.1", "application/vnd.apache.arrow.stream"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=x", "application/json"),
        ("text/csv, application/json", "text/csv; charset=utf-8"),
    ],
)
def test_the_type_of_a_history_is_what_accept_prefers(
    api: httpx.Client, run: str, accept: str | None, media: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = api.get(f"/experiments/runs/{run}/history", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    assert answer.headers["vary"] == "Accept"


def test_detail_says_what_may_stand_there(api: httpx.Client, experiment: str, run: str) -> None:
    target = f"/experiments/runs/{run}"
    cases: list[tuple[httpx.Response, str, str]] = [
        (api.post("/experiments", json={"name": "x", "tags": {"ok": "y", "a.b": 1}}), "tags.a.b", "`str`"),
        (api.patch(f"/experiments/{experiment}", json={"tags": {"a": 1}}), "tags.a", "null"),
        (api.post(f"{target}/log-metrics", json={"metrics": {"ok": 1, "a": "inf"}}), "metrics.a", '"Infinity"'),
        (
            api.post(
                f"{target}/log-metrics",
                content=b'{"metrics":{"a":1e999}}',
                headers={"Content-Type": "application/json"},
            ),
            "metrics.a",
            '"Infinity"',
        ),
        (api.post(f"{target}/log-batch", json={"metrics": [{"key": "a", "value": None}]}), "metrics[0].value", '"NaN"'),
        (api.post(f"{target}/end", json={"status": "running"}), "status", "finished, failed, killed"),
        (api.patch(target, json={"status": "done"}), "status", "running, scheduled, finished, failed, killed"),
        (api.get("/experiments", params={"lifecycle_stage": "all"}), "lifecycle_stage", "active, deleted"),
        (api.get("/experiments", params={"limit": "many"}), "limit", "whole number"),
        (api.get("/experiments", params={"limit": 0}), "limit", "at least 1"),
        (api.get(f"/experiments/{experiment}/keys", params={"kind": "x"}), "kind[0]", "metric, param, tag"),
    ]
    for refused, field, says in cases:
        assert_problem(refused, 400, "invalid_request", field=field)
        assert says in refused.json()["errors"][0]["message"], refused.text
        assert refused.json()["detail"].startswith(f"{field}: ")
