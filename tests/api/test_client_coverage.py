"""The client has a typed call of every endpoint: `/openapi.json` says which there are."""

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest
from tests.support.server_process import ServerProcess
from tests.unit.test_sdk_http.scripted import Answer, ScriptedServer

import gnomon
import gnomon.wire
from gnomon.wire import RuleSave

E = R = V = "0" * 32
Call = Callable[[gnomon.Client], Any]
CALLS: dict[str, Call] = {
    "GET /experiments": lambda c: c.experiments.list(),
    "POST /experiments": lambda c: c.experiments.create("x"),
    "GET /experiments/{}": lambda c: c.experiments.get(E),
    "PATCH /experiments/{}": lambda c: c.experiments.update(E, name="x"),
    "DELETE /experiments/{}": lambda c: c.experiments.archive(E),
    "POST /experiments/{}/restore": lambda c: c.experiments.restore(E),
    "POST /experiments/{}/purge": lambda c: c.experiments.purge(E),
    "GET /experiments/{}/keys": lambda c: c.experiments.keys(E),
    "GET /experiments/{}/storage": lambda c: c.experiments.storage(E),
    "GET /experiments/{}/storage/runs": lambda c: c.storage.runs(E),
    "GET /experiments/{}/storage/metrics": lambda c: c.storage.metrics(E),
    "GET /experiments/runs/{}/storage": lambda c: c.storage.run(R),
    "GET /experiments/runs/{}/storage/metrics": lambda c: c.storage.run_metrics(R),
    "GET /quotas": lambda c: c.quotas.list(),
    "GET /quotas/{}": lambda c: c.quotas.get("a"),
    "PATCH /quotas/{}": lambda c: c.quotas.set("a", gnomon.wire.QuotaChange(points=1)),
    "GET /retention": lambda c: c.retention.rules(),
    "POST /retention": lambda c: c.retention.add(gnomon.wire.RetentionRuleCreate("purge", 30)),
    "DELETE /retention/{}": lambda c: c.retention.remove(V),
    "GET /retention/{}/preview": lambda c: c.retention.preview(V),
    "POST /retention/{}/apply": lambda c: c.retention.apply(V),
    "GET /storage": lambda c: c.storage.installation(),
    "GET /storage/experiments": lambda c: c.storage.experiments(),
    "GET /experiments/{}/table": lambda c: c.experiments.table(E, ["name"]),
    "GET /experiments/{}/groups": lambda c: c.experiments.groups(E, ["name"]),
    "GET /experiments/{}/live": lambda c: next(c.live.watch(E)),
    "GET /experiments/{}/views": lambda c: c.views.list(E),
    "POST /experiments/{}/views": lambda c: c.views.create(E, "x", ""),
    "PUT /experiments/{}/views/{}": lambda c: c.views.replace(E, V, "x", ""),
    "DELETE /experiments/{}/views/{}": lambda c: c.views.delete(E, V),
    "GET /experiments/runs": lambda c: c.runs.list(),
    "POST /experiments/runs": lambda c: c.runs.create(E),
    "POST /experiments/runs/compare": lambda c: c.runs.compare([R, V]),
    "POST /experiments/runs/series": lambda c: c.metrics.series([R], ["x"]),
    "GET /experiments/runs/{}": lambda c: c.runs.get(R),
    "PATCH /experiments/runs/{}": lambda c: c.runs.update(R, name="x"),
    "DELETE /experiments/runs/{}": lambda c: c.runs.archive(R),
    "POST /experiments/runs/{}/restore": lambda c: c.runs.restore(R),
    "POST /experiments/runs/{}/purge": lambda c: c.runs.purge(R),
    "POST /experiments/runs/{}/end": lambda c: c.runs.end(R),
    "POST /experiments/runs/{}/log-metrics": lambda c: c.runs.log_metrics(R, {"x": 1.0}),
    "POST /experiments/runs/{}/log-params": lambda c: c.runs.log_params(R, {"x": 1}),
    "POST /experiments/runs/{}/log-batch": lambda c: c.runs.log_batch(R, params={"x": 1}),
    "POST /experiments/runs/{}/batches": lambda c: c.runs.log_sequenced(R, gnomon.wire.SequencedBatch("w", 0)),
    "POST /experiments/runs/{}/log-artifact": lambda c: c.artifacts.log(R, b"x", name="x"),
    "GET /experiments/runs/{}/artifacts": lambda c: c.artifacts.list(R),
    "GET /experiments/runs/{}/artifacts/{}": lambda c: c.artifacts.read(R, "x"),
    "POST /experiments/runs/{}/uploads": lambda c: c.uploads.begin(R, "x", 1, "0" * 64),
    "GET /experiments/runs/{}/uploads/{}": lambda c: c.uploads.get(R, V),
    "PUT /experiments/runs/{}/uploads/{}/parts/{}": lambda c: c.uploads.put_part(R, V, 0, b"x"),
    "POST /experiments/runs/{}/uploads/{}/complete": lambda c: c.uploads.complete(R, V),
    "DELETE /experiments/runs/{}/uploads/{}": lambda c: c.uploads.remove(R, V),
    "GET /experiments/runs/{}/history": lambda c: c.metrics.history(R),
    "GET /experiments/runs/{}/ledger": lambda c: c.runs.ledger(R),
    "POST /experiments/runs/{}/check-in": lambda c: c.runs.check_in(R),
    "GET /experiments/runs/{}/events": lambda c: c.runs.events(R),
    "GET /experiments/runs/{}/traces": lambda c: c.traces.list(R),
    "GET /traces/{}": lambda c: c.traces.get("tr-1"),
    "GET /me": lambda c: c.access.me(),
    "GET /keys": lambda c: c.access.keys(),
    "POST /keys": lambda c: c.access.create_key("viewer"),
    "POST /keys/{}/rotate": lambda c: c.access.rotate_key("a" * 10),
    "DELETE /keys/{}": lambda c: c.access.revoke_key("a" * 10),
    "GET /experiments/{}/rules": lambda c: c.rules.list(E),
    "POST /experiments/{}/rules": lambda c: c.rules.create(E, RuleSave(name="n", kind="nonfinite")),
    "PUT /experiments/{}/rules/{}": lambda c: c.rules.replace(E, V, RuleSave(name="n", kind="nonfinite")),
    "DELETE /experiments/{}/rules/{}": lambda c: c.rules.delete(E, V),
    "POST /experiments/{}/rules/{}/test": lambda c: c.rules.test(E, V),
    "GET /experiments/{}/rules/{}/firings": lambda c: c.rules.firings(E, V),
    "POST /experiments/{}/rules/{}/firings/{}/clear": lambda c: c.rules.clear(E, V, R),
    "GET /webhooks": lambda c: c.webhooks.list(),
    "POST /webhooks": lambda c: c.webhooks.create("n", "https://example.com/", ["run.failed"]),
    "GET /webhooks/{}": lambda c: c.webhooks.get(V),
    "PATCH /webhooks/{}": lambda c: c.webhooks.update(V, active=False),
    "DELETE /webhooks/{}": lambda c: c.webhooks.delete(V),
    "POST /webhooks/{}/rotate-secret": lambda c: c.webhooks.rotate_secret(V),
    "POST /webhooks/{}/test": lambda c: c.webhooks.test(V),
    "GET /webhooks/{}/deliveries": lambda c: c.webhooks.deliveries(V),
    "POST /webhooks/{}/deliveries/{}/redeliver": lambda c: c.webhooks.redeliver(V, V),
    "GET /audit": lambda c: c.access.audit(),
    "GET /sign-in": lambda c: c.access.sign_in_ways(),
    "GET /sessions": lambda c: c.access.sessions(),
    "DELETE /sessions/{}": lambda c: c.access.end_session("a" * 10),
    "POST /sign-out": lambda c: c.access.sign_out(),
}
# The headers of a file come with the file; signing in is the browser's, with its cookie.
LEFT_OUT = re.compile(r"HEAD .*|POST /sign-in/(start|finish)")


def routes(server: ServerProcess) -> set[str]:
    paths = httpx.get(f"{server.base_url}/openapi.json").json()["paths"]
    found = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path.removeprefix('/api/v1'))}"
        for path, item in paths.items()
        if path.startswith("/api/v1/")
        for method in item
        if method in ("get", "post", "put", "patch", "delete", "head")
    }
    return {route for route in found if not LEFT_OUT.fullmatch(route)}


def test_every_route_has_a_call(server: ServerProcess) -> None:
    assert routes(server) == set(CALLS)


@pytest.mark.parametrize("route", CALLS)
def test_a_call_asks_for_its_route(route: str) -> None:
    answer = Answer(404, b'{"type":"x","title":"x","status":404,"detail":"x","code":"x"}')
    with closing(ScriptedServer(answer)) as scripted, gnomon.Client(scripted.url) as client:
        with pytest.raises(gnomon.NotFound):
            CALLS[route](client)
        (asked,) = scripted.script.asked
    path = asked.target.partition("?")[0].removeprefix("/api/v1")
    method, template = route.split(" ")
    assert asked.method == method
    assert re.fullmatch(template.replace("{}", "[^/]+"), path)
