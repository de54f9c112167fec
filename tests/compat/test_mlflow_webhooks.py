"""Webhooks made through MLflow's protocol: kept, changed and listed as there, and sent as its receivers check them."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.wire_client import Json, Wire
from tests.support.receiver import Receiver
from tests.support.server_process import ServerProcess

URL = "https://hooks.example.com/a"
VERSION_CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
MODEL_CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
ALL = [
    {"entity": entity, "action": action}
    for entity, actions in (
        ("REGISTERED_MODEL", ("CREATED",)),
        ("MODEL_VERSION", ("CREATED",)),
        ("MODEL_VERSION_TAG", ("SET", "DELETED")),
        ("MODEL_VERSION_ALIAS", ("CREATED", "DELETED")),
        ("PROMPT", ("CREATED",)),
        ("PROMPT_VERSION", ("CREATED",)),
        ("PROMPT_TAG", ("SET", "DELETED")),
        ("PROMPT_VERSION_TAG", ("SET", "DELETED")),
        ("PROMPT_ALIAS", ("CREATED", "DELETED")),
    )
    for action in actions
]
IS_PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("sending") / "home"
    running = ServerProcess(home, env={"GNOMON_EGRESS_ALLOW": "127.0.0.1"}).start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture
def told(sending: ServerProcess, tenant: str) -> Iterator[Wire]:
    wire = Wire(sending.base_url, tenant)
    yield wire
    wire.http.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver("127.0.0.1")
    yield made
    made.close()


def _made(wire: Wire, name: str = "w", url: str = URL, **more: Any) -> Json:
    body = {"name": name, "url": url, "events": [VERSION_CREATED], **more}
    hook: Json = wire.post("webhooks", **body)["webhook"]
    return hook


def _came(receiver: Receiver, count: int) -> list[tuple[dict[str, str], bytes]]:
    deadline = time.monotonic() + 60
    while len(receiver.requests) < count:
        assert time.monotonic() < deadline, f"{len(receiver.requests)} of {count} came"
        time.sleep(0.05)
    found = []
    for request in receiver.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line.decode().partition(": ") for line in head.split(b"\r\n")[1:]]
        found.append(({name.lower(): value for name, _, value in lines}, body))
    return found


def test_a_webhook_is_kept_as_it_was_made(wire: Wire) -> None:
    made = _made(wire, events=[VERSION_CREATED, MODEL_CREATED], description="who", secret="mine")
    assert made == {
        "webhook_id": made["webhook_id"],
        "name": "w",
        "url": URL,
        "status": "ACTIVE",
        "events": [VERSION_CREATED, MODEL_CREATED],
        "description": "who",
        "creation_timestamp": made["creation_timestamp"],
        "last_updated_timestamp": made["creation_timestamp"],
    }
    assert wire.get(f"webhooks/{made['webhook_id']}")["webhook"] == made


def test_what_is_not_sent_stays(wire: Wire) -> None:
    path = f"webhooks/{_made(wire, description='who')['webhook_id']}"
    changed = wire.send("PATCH", path, {"name": "x", "status": "DISABLED"})["webhook"]
    assert (changed["name"], changed["status"], changed["description"]) == ("x", "DISABLED", "who")
    assert (changed["url"], changed["events"]) == (URL, [VERSION_CREATED])
    changed = wire.send("PATCH", path, {"description": "", "events": [MODEL_CREATED], "url": URL + "b"})["webhook"]
    assert ("description" in changed, changed["events"], changed["url"]) == (False, [MODEL_CREATED], URL + "b")
    assert wire.send("DELETE", path, {}) == {}
    assert wire.get(path, 404)["message"] == f"Webhook with ID {path[9:]} not found."


def test_lists_have_pages_with_the_newest_first(wire: Wire, api: Any) -> None:
    api.post("/webhooks", json={"name": "ours", "url": URL, "events": ["run.failed"]})
    names = [_made(wire, f"w{number}")["name"] for number in range(3)]
    first = wire.get("webhooks", max_results=2)
    rest = wire.get("webhooks", max_results=2, page_token=first["next_page_token"])
    assert [hook["name"] for hook in first["webhooks"] + rest["webhooks"]] == names[::-1]
    assert "next_page_token" not in rest
    assert "between 1 and 1000" in wire.get("webhooks", 400, max_results=1001)["message"]


def test_webhooks_of_another_form_are_none_here(wire: Wire, api: Any) -> None:
    made = api.post("/webhooks", json={"name": "ours", "url": URL, "events": ["run.failed"]}).json()["webhook"]
    assert wire.get(f"webhooks/{made['id']}", 404)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    listed = [api.get(f"/webhooks/{_made(wire)['webhook_id']}").json()["format"], made["format"]]
    assert listed == ["mlflow", "json"]
    refused = api.post("/webhooks", json={"name": "x", "url": URL, "events": ["prompt.created"]})
    assert refused.status_code == 400
    assert "prompt.created" in refused.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "-a"}, "Webhook name '-a' is invalid"),
        ({"url": "   "}, "Webhook URL cannot be empty or just whitespace"),
        ({"url": "ftp://example.com"}, "Invalid webhook URL scheme: 'ftp'"),
        ({"url": "http://example.com"}, "Invalid webhook URL scheme: 'http'"),
        ({"url": "http://[invalid"}, "Invalid webhook URL"),
        ({"url": "https://169.254.169.254/"}, "Invalid webhook URL"),
        ({"events": []}, "Missing value for required parameter 'events'"),
        ({"events": [{"entity": "REGISTERED_MODEL", "action": "DELETED"}]}, "Valid actions are: ['created']"),
        ({"events": [{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}]}, "no budget policies"),
        ({"events": [{"entity": "RUN", "action": "CREATED"}]}, "event.entity"),
        ({"status": "ASLEEP"}, "'status'"),
        ({"secret": "x" * 1_001}, "at most 1000"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused(wire: Wire, change: Json, words: str) -> None:
    body = {"name": "w", "url": URL, "events": [MODEL_CREATED], **change}
    assert words in wire.refused("webhooks", 400, "INVALID_PARAMETER_VALUE", **body)


def test_events_of_the_registry_are_sent_in_mlflows_words(told: Wire, receiver: Receiver, tenant: str) -> None:
    _made(told, url=f"http://127.0.0.1:{receiver.port}/", events=ALL)
    told.post("registered-models/create", name="m", description="d", tags=[{"key": "a", "value": "b"}])
    told.post("model-versions/create", name="m", source="s3://bucket/m", run_id="r", tags=[{"key": "t", "value": "u"}])
    told.post("registered-models/set-tag", name="m", key="c", value="d")  # told of prompts only
    told.post("model-versions/set-tag", name="m", version="1", key="c", value="d")
    told.send("DELETE", "model-versions/delete-tag", {"name": "m", "version": "1", "key": "c"})
    told.post("registered-models/alias", name="m", alias="best", version="1")
    told.send("DELETE", "registered-models/alias", {"name": "m", "alias": "best"})
    told.post("registered-models/create", name="p", tags=[IS_PROMPT])
    text = {"key": "mlflow.prompt.text", "value": "Hi {{x}}"}
    told.post("model-versions/create", name="p", source="dummy-source", tags=[IS_PROMPT, text])
    told.post("registered-models/set-tag", name="p", key="c", value="d")
    told.post("model-versions/set-tag", name="p", version="1", key="c", value="d")
    told.post("registered-models/alias", name="p", alias="best", version="1")
    sent = [json.loads(body) for _, body in _came(receiver, 11)]
    assert {each["workspace"] for each in sent} == {tenant}
    assert [(f"{each['entity']}.{each['action']}", each["data"]) for each in sent] == [
        ("registered_model.created", {"name": "m", "tags": {"a": "b"}, "description": "d"}),
        (
            "model_version.created",
            {
                "name": "m",
                "version": "1",
                "source": "s3://bucket/m",
                "run_id": "r",
                "tags": {"t": "u"},
                "description": None,
            },
        ),
        ("model_version_tag.set", {"name": "m", "version": "1", "key": "c", "value": "d"}),
        ("model_version_tag.deleted", {"name": "m", "version": "1", "key": "c"}),
        ("model_version_alias.created", {"name": "m", "alias": "best", "version": "1"}),
        ("model_version_alias.deleted", {"name": "m", "alias": "best"}),
        ("prompt.created", {"name": "p", "tags": {}, "description": ""}),
        (
            "prompt_version.created",
            {"name": "p", "version": "1", "template": "Hi {{x}}", "tags": {}, "description": None},
        ),
        ("prompt_tag.set", {"name": "p", "key": "c", "value": "d"}),
        ("prompt_version_tag.set", {"name": "p", "version": "1", "key": "c", "value": "d"}),
        ("prompt_alias.created", {"name": "p", "alias": "best", "version": "1"}),
    ]


@pytest.mark.parametrize("secret", ["a secret of the user's own", ""])
def test_a_test_is_signed_with_the_text_of_the_secret(told: Wire, receiver: Receiver, secret: str) -> None:
    hook = _made(told, url=f"http://127.0.0.1:{receiver.port}/", secret=secret)
    assert told.post(f"webhooks/{hook['webhook_id']}/test") == {"result": {"success": True, "response_status": 204}}
    told.post(f"webhooks/{hook['webhook_id']}/test", event={"entity": "PROMPT_ALIAS", "action": "DELETED"})
    (headers, body), (_, second) = _came(receiver, 2)
    assert json.loads(body)["data"]["source"] == "models:/123"
    assert json.loads(second)["data"] == {"name": "example_prompt", "alias": "example_alias"}
    content = f"{headers['x-mlflow-delivery-id']}.{headers['x-mlflow-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()
    assert headers.get("x-mlflow-signature") == (f"v1,{digest}" if secret else None)


def test_a_test_that_reaches_nobody_says_so(told: Wire) -> None:
    gone = Receiver("127.0.0.1")
    gone.close()
    hook = _made(told, url=f"http://127.0.0.1:{gone.port}/")
    result = told.post(f"webhooks/{hook['webhook_id']}/test")["result"]
    assert result["error_message"].startswith("Failed to test webhook: the connection failed")
    assert result["success"] is False
