"""Webhooks over HTTP: what happens is sent, signed, once it is committed; and sent again until it arrives."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.receiver import Receiver
from tests.support.secured import as_key, make_key
from tests.support.server_process import ServerProcess

Receive = Callable[..., Receiver]
RUN_EVENTS = ["run.created", "run.finished", "run.failed", "run.killed", "run.resumed"]


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("sending") / "home"
    env = {"GNOMON_EGRESS_ALLOW": "127.0.0.1", "GNOMON_PUBLIC_URL": "https://gnomon.example.com/"}
    running = ServerProcess(home, env=env).start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture
def api(sending: ServerProcess, tenant: str) -> Iterator[httpx.Client]:
    with sending.client(tenant) as client:
        yield client


@pytest.fixture
def receive() -> Iterator[Receive]:
    made: list[Receiver] = []

    def start(*replies: bytes) -> Receiver:
        made.append(Receiver("127.0.0.1", *replies[:1]) if replies else Receiver("127.0.0.1"))
        return made[-1]

    yield start
    for receiver in made:
        receiver.close()


def make_hook(api: httpx.Client, receiver: Receiver, *events: str, **more: Any) -> tuple[str, str]:
    body = {"name": "w", "url": f"http://127.0.0.1:{receiver.port}/hook", "events": events or RUN_EVENTS, **more}
    answer = api.post("/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/webhooks/{answer.json()['webhook']['id']}"
    return answer.json()["webhook"]["id"], answer.json()["secret"]


def wait_for(receiver: Receiver, count: int) -> list[tuple[dict[str, str], bytes]]:
    deadline = time.monotonic() + 60
    while len(receiver.requests) < count:
        assert time.monotonic() < deadline, f"{len(receiver.requests)} of {count} came"
        time.sleep(0.05)
    return [parts_of(request) for request in receiver.requests]


def parts_of(request: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.decode().partition(": ") for line in head.split(b"\r\n")[1:]]
    return {name.lower(): value for name, _, value in lines}, body


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


def state_of(api: httpx.Client, hook: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/webhooks/{hook}/deliveries").json()["deliveries"]
    return found


def wait_state(api: httpx.Client, hook: str, done: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 60
    while not done(found := state_of(api, hook)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_the_life_of_a_run_is_told(api: httpx.Client, receive: Receive, tenant: str) -> None:
    receiver = receive()
    hook, secret = make_hook(api, receiver)
    experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
    run = api.post("/experiments/runs", json={"experiment_id": experiment, "name": "r <1>"}).json()["id"]
    api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 0.5, "odd": "NaN"}})
    for _ in range(2):  # the same end again is no second event
        api.post(f"/experiments/runs/{run}/end", json={"status": "failed"})
    api.patch(f"/experiments/runs/{run}", json={"status": "running"})
    api.patch(f"/experiments/runs/{run}", json={"name": "other", "status": "running"})
    api.post(f"/experiments/runs/{run}/end")
    begun = {"writer": "w", "seq": 0, "create": {"experiment": "fraud", "name": "by a batch"}}
    assert api.post(f"/experiments/runs/{'7' * 32}/batches", json=begun).status_code == 200
    sent = wait_for(receiver, 5)
    told = [json.loads(body) for _, body in sent]
    assert [each["type"] for each in told] == [
        "run.created", "run.failed", "run.resumed", "run.finished", "run.created",
    ]  # fmt: skip
    failed = told[1]
    assert failed["tenant"] == tenant
    assert failed["data"]["experiment"]["name"] == "fraud"
    assert failed["data"]["run"]["id"] == run
    assert failed["data"]["run"]["status"] == "failed"
    assert failed["data"]["run"]["metrics"] == {"loss": 0.5, "odd": "NaN"}
    assert failed["data"]["run"]["url"] == f"https://gnomon.example.com/r/{run}?tenant={tenant}"
    assert all(is_signed(headers, body, secret) for headers, body in sent)
    assert len({headers["webhook-id"] for headers, _ in sent}) == 5
    log = wait_state(api, hook, lambda found: len(found) == 5 and found[0]["state"] == "delivered")
    assert [each["status"] for each in log] == [204] * 5
    assert [each["id"] for each in log[::-1]] == [headers["webhook-id"] for headers, _ in sent]
    assert log[-1]["body"].encode() == sent[0][1]


def test_only_what_is_wanted_is_sent(api: httpx.Client, receive: Receive) -> None:
    wanted, other = (api.post("/experiments", json={"name": name}).json()["id"] for name in ("a", "b"))
    receiver = receive()
    make_hook(api, receiver, "run.killed", experiment_id=wanted)
    for experiment in (other, wanted):
        run = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
        api.post(f"/experiments/runs/{run}/end", json={"status": "killed"})
    ((_, body),) = wait_for(receiver, 1)
    assert json.loads(body)["data"]["experiment"]["id"] == wanted


def test_the_registry_is_told(api: httpx.Client, sending: ServerProcess, tenant: str, receive: Receive) -> None:
    receiver = receive()
    make_hook(
        api, receiver, "model_version.created", "model_version.stage_changed", "model_alias.set", "model_alias.deleted"
    )
    with httpx.Client(base_url=f"{sending.base_url}/api/2.0/mlflow", headers={"X-Tenant-ID": tenant}) as mlflow:
        experiment = mlflow.post("/experiments/create", json={"name": "e"}).json()["experiment_id"]
        run = mlflow.post("/runs/create", json={"experiment_id": experiment}).json()["run"]["info"]
        version = {"name": "m", "source": f"{run['artifact_uri']}/model", "run_id": run["run_id"]}
        for method, path, body in (
            ("POST", "/registered-models/create", {"name": "m"}),
            ("POST", "/model-versions/create", version),
            ("POST", "/model-versions/transition-stage", {"name": "m", "version": "1", "stage": "Production"}),
            ("POST", "/registered-models/alias", {"name": "m", "alias": "champion", "version": "1"}),
            ("DELETE", "/registered-models/alias", {"name": "m", "alias": "champion"}),
        ):
            answer = mlflow.request(method, path, json=body)
            assert answer.status_code == 200, answer.text
    told = [json.loads(body) for _, body in wait_for(receiver, 4)]
    assert [each["type"] for each in told] == [
        "model_version.created", "model_version.stage_changed", "model_alias.set", "model_alias.deleted",
    ]  # fmt: skip
    assert told[1]["data"]["model"]["stage"] == "Production"


def test_slack_gets_messages_that_it_shows(api: httpx.Client, receive: Receive, tenant: str) -> None:
    receiver = receive()
    make_hook(api, receiver, "run.failed", format="slack")
    experiment = api.post("/experiments", json={"name": "fraud & co"}).json()["id"]
    run = api.post("/experiments/runs", json={"experiment_id": experiment, "name": "<!channel> r|1"}).json()["id"]
    api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": {"loss": 0.25}})
    api.post(f"/experiments/runs/{run}/end", json={"status": "failed"})
    ((_, body),) = wait_for(receiver, 1)
    message = json.loads(body)
    assert set(message) == {"text", "blocks"}
    assert f"<https://gnomon.example.com/r/{run}?tenant={tenant}|&lt;!channel&gt; r¦1>" in message["text"]
    assert "fraud &amp; co" in message["text"]
    assert message["blocks"][0] == {"type": "section", "text": {"type": "mrkdwn", "text": message["text"]}}
    assert "loss *0.25*" in message["blocks"][1]["elements"][0]["text"]


def test_a_failure_is_tried_again_with_the_same_bytes_and_holds_up_no_other(
    api: httpx.Client, receive: Receive
) -> None:
    answers = [b"HTTP/1.1 500 No\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"]
    receiver = Receiver("127.0.0.1", lambda connection: connection.sendall(answers[min(len(receiver.requests) - 1, 1)]))
    try:
        hook, secret = make_hook(api, receiver)
        first, second = (api.post(f"/webhooks/{hook}/test").json() for _ in range(2))
        assert (first["state"], first["attempts"]) == ("waiting", 0)
        sent = wait_for(receiver, 3)
        assert [headers["webhook-id"] for headers, _ in sent] == [first["id"], second["id"], first["id"]]
        assert sent[0][1] == sent[2][1]
        assert sent[0][0]["webhook-timestamp"] < sent[2][0]["webhook-timestamp"]
        assert is_signed(*sent[2], secret)
        log = wait_state(api, hook, lambda found: found[1]["state"] == "delivered")
        assert (log[1]["attempts"], log[1]["status"], log[1]["error"]) == (2, 204, None)
        again = api.post(f"/webhooks/{hook}/deliveries/{first['id']}/redeliver").json()
        assert again["state"] == "waiting"
        assert wait_for(receiver, 4)[3][0]["webhook-id"] == first["id"]
    finally:
        receiver.close()


def test_what_was_committed_is_sent_after_a_kill(tmp_path: Path, receive: Receive) -> None:
    server = ServerProcess(tmp_path / "home", env={"GNOMON_EGRESS_ALLOW": "127.0.0.1"}).start()
    receiver = receive()
    with server.client() as api:
        hook, _ = make_hook(api, receiver)
        api.patch(f"/webhooks/{hook}", json={"active": False})
        experiment = api.post("/experiments", json={"name": "e"}).json()["id"]
        assert api.post(f"/webhooks/{hook}/test").json()["code"] == "webhook_inactive"
        api.post("/experiments/runs", json={"experiment_id": experiment, "name": "not told"})
        api.patch(f"/webhooks/{hook}", json={"active": True})
        api.post("/experiments/runs", json={"experiment_id": experiment, "name": "told"})
        server.kill()
    server.start()
    try:
        sent = wait_for(receiver, 1)
        assert {json.loads(body)["data"]["run"]["name"] for _, body in sent} == {"told"}
    finally:
        assert server.stop() == 0


def test_a_new_secret_overlaps_with_the_old_one(api: httpx.Client, receive: Receive) -> None:
    receiver = receive()
    hook, old = make_hook(api, receiver)
    new = api.post(f"/webhooks/{hook}/rotate-secret").json()["secret"]
    assert new != old
    api.post(f"/webhooks/{hook}/test")
    ((headers, body),) = wait_for(receiver, 1)
    assert is_signed(headers, body, old)
    assert is_signed(headers, body, new)
    assert not is_signed(headers, body + b" ", new)


def test_a_webhook_is_listed_changed_and_removed_and_never_shows_its_secret(
    api: httpx.Client, receive: Receive
) -> None:
    hook, secret = make_hook(api, receive(), "run.failed", name="alerts")
    changed = api.patch(
        f"/webhooks/{hook}", json={"name": "renamed", "events": ["run.killed"], "format": "slack"}
    ).json()
    assert (changed["name"], changed["events"], changed["format"]) == ("renamed", ["run.killed"], "slack")
    listed = api.get("/webhooks")
    assert listed.json() == {"webhooks": [api.get(f"/webhooks/{hook}").json()], "total": 1}
    assert secret not in listed.text
    assert api.patch(f"/webhooks/{hook}", json={}).status_code == 400
    assert api.patch(f"/webhooks/{hook}", json={"secret": "mine"}).status_code == 400
    assert api.delete(f"/webhooks/{hook}").json()["id"] == hook
    for answer in (api.get(f"/webhooks/{hook}"), api.delete(f"/webhooks/{hook}"), api.post(f"/webhooks/{hook}/test")):
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook_not_found")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.2/",
        "https://169.254.169.254/",
        "https://u:p@example.com/",
        "https://example.com:22/x",
    ],
)
def test_a_url_that_the_guard_refuses_makes_no_webhook(api: httpx.Client, url: str) -> None:
    answer = api.post("/webhooks", json={"name": "w", "url": url, "events": ["run.failed"]})
    assert (answer.status_code, answer.json()["code"]) == (400, "egress_refused")
    assert answer.json()["errors"][0]["field"] == "url"


def test_bounds(api: httpx.Client) -> None:
    body = {"name": "w", "url": "https://example.com/", "events": ["run.failed"]}
    for wrong in ({"events": []}, {"events": ["run.exploded"]}, {"name": ""}, {"format": "xml"}, {"url": "x"}):
        assert api.post("/webhooks", json=body | wrong).status_code == 400, wrong
    assert api.post("/webhooks", json=body | {"experiment_id": "0" * 32}).status_code == 404
    for _ in range(50):
        assert api.post("/webhooks", json=body).status_code == 201
    assert api.post("/webhooks", json=body).json()["code"] == "too_many_webhooks"


def test_admins_alone_manage_webhooks_and_it_is_written_down(tmp_path: Path) -> None:
    home = tmp_path / "home"
    admin, editor = make_key(home, "admin", "a"), make_key(home, "editor", "a")
    server = ServerProcess(home).start()
    body = {"name": "w", "url": "https://example.com/", "events": ["run.failed"]}
    try:
        with as_key(server, editor.text) as api:
            assert api.get("/webhooks").status_code == 403
            assert api.post("/webhooks", json=body).status_code == 403
        with as_key(server, admin.text) as api:
            made = api.post("/webhooks", json=body).json()
            api.delete(f"/webhooks/{made['webhook']['id']}")
            log = api.get("/audit")
            deeds = [
                (each["target"], each["detail"]["method"])
                for each in log.json()["entries"]
                if "webhooks" in each["action"]
            ]
            assert deeds == [(f"/api/v1/webhooks/{made['webhook']['id']}", "DELETE"), ("/api/v1/webhooks", "POST")]
            assert made["secret"] not in log.text
    finally:
        assert server.stop() == 0
