"""Secured mode: who gets in, what each role may do, and how keys are made, replaced and ended."""

import base64
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.secured import Key, as_key, code_of, gnomon, make_key
from tests.support.server_process import ServerProcess

from gnomon_server.model.api_keys import mint_key, parse_key

UNAUTHENTICATED = (401, "unauthenticated")
DENIED = (403, "tenant_access_denied")
ROLE = (403, "role_required")


Minter = Callable[..., Key]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secured") / "home"


@pytest.fixture(scope="module")
def platform(home: Path) -> Key:
    return make_key(home, "platform", name="platform")


@pytest.fixture(scope="module")
def secured(home: Path, platform: Key) -> Iterator[ServerProcess]:
    running = ServerProcess(home).start()
    yield running
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture(scope="module")
def mint(secured: ServerProcess, platform: Key) -> Minter:
    """Makes keys over the API, with the platform key."""

    def minted(role: str, *tenants: str, **more: object) -> Key:
        with as_key(secured, platform.text) as api:
            answer = api.post("/keys", json={"role": role, "tenants": tenants, **more})
        assert answer.status_code == 201, answer.text
        return Key(answer.json()["key"]["id"], answer.json()["secret"])

    return minted


@pytest.fixture(scope="module")
def editor(mint: Minter) -> Key:
    return mint("editor", "risk", name="ana")


@pytest.fixture(scope="module")
def admin(mint: Minter) -> Key:
    return mint("admin", "risk", name="boss")


@pytest.fixture(scope="module")
def run(secured: ServerProcess, editor: Key) -> str:
    """A run of tenant `risk`."""
    with as_key(secured, editor.text) as api:
        experiment = api.post("/experiments", json={"name": "fraud"}).json()["id"]
        made = api.post("/experiments/runs", json={"experiment_id": experiment})
        assert made.json()["created_by"] == "ana"
        return str(made.json()["id"])


def _await_key(server: ServerProcess, key: Key | None, *, status: int = 200) -> float:
    """Ask until the server knows of a change made beside it; how long that took, in seconds."""
    began = time.monotonic()
    with as_key(server, None if key is None else key.text) as api:
        while api.get("/me").status_code != status:
            assert time.monotonic() - began < 60
            time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer gnm_aaaaaaaaaa_x_y"},
        {"Authorization": "Bearer " + mint_key()[0]},
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic " + base64.b64encode(b"admin:").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()},
        {"Authorization": "Digest username=a"},
        {"X-API-Key": "admin"},
        {"Cookie": "session=1"},
    ],
    ids=str,
)
def test_without_a_key_nothing_is_told(secured: ServerProcess, headers: dict[str, str]) -> None:
    answers = [
        httpx.get(f"{secured.base_url}/api/v1/{path}", headers=headers) for path in ("experiments", "me", "keys")
    ]
    assert [code_of(answer) for answer in answers] == [UNAUTHENTICATED] * 3
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_a_changed_key_opens_nothing(secured: ServerProcess, editor: Key, run: str) -> None:
    other = mint_key()[0]
    mixed = other.replace(other.split("_")[1], editor.id)
    wrong = [editor.text[:-1], editor.text + "x", editor.text.upper(), mixed, editor.text.swapcase()]
    for text in wrong:
        with as_key(secured, text) as api:
            assert code_of(api.get(f"/experiments/runs/{run}")) == UNAUTHENTICATED


def test_a_key_comes_in_each_header_that_clients_can_send(secured: ServerProcess, editor: Key, run: str) -> None:
    basic = base64.b64encode(f"anyone:{editor.text}".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {editor.text}"},
        {"Authorization": f"bearer {editor.text}"},
        {"Authorization": f"Basic {basic}"},
        {"X-API-Key": editor.text},
    ):
        answer = httpx.get(f"{secured.base_url}/api/v1/experiments/runs/{run}", headers=headers)
        assert answer.status_code == 200, headers
    in_the_url = httpx.get(f"{secured.base_url}/api/v1/experiments", params={"search": editor.text})
    assert code_of(in_the_url) == (400, "key_in_url")


def test_public_pages_need_no_key(secured: ServerProcess) -> None:
    for path in ("/healthz", "/readyz", "/openapi.json", "/docs", "/", "/version", "/health"):
        assert httpx.get(secured.base_url + path).status_code == 200, path


def test_a_key_opens_its_tenants_and_no_other(secured: ServerProcess, editor: Key, run: str, mint: Minter) -> None:
    for tenant, expected in (("risk", 200), ("other", 403), ("default", 403)):
        with as_key(secured, editor.text, X_Tenant_ID=tenant) as api:
            answer = api.get(f"/experiments/runs/{run}")
            assert answer.status_code == expected
    with as_key(secured, editor.text, X_Tenant_ID="No Name") as api:
        assert api.get("/me").status_code == 400
    outsider = mint("admin", "other")
    with as_key(secured, outsider.text) as api:
        assert code_of(api.get(f"/experiments/runs/{run}")) == DENIED
        assert api.get("/experiments").json()["total"] == 0


def test_a_key_of_several_tenants_must_say_which(secured: ServerProcess, mint: Minter) -> None:
    both = mint("viewer", "risk", "other")
    with as_key(secured, both.text) as api:
        assert code_of(api.get("/experiments")) == (400, "invalid_request")
        me = api.get("/me").json()
        assert (me["tenant"], me["tenants"]) == (None, ["other", "risk"])
    for tenant in ("risk", "other"):
        with as_key(secured, both.text, X_Tenant_ID=tenant) as api:
            me = api.get("/me").json()
            assert (me["tenant"], me["tenants"], me["role"]) == (tenant, ["other", "risk"], "viewer")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("viewer", {"get", "list", "history"}),
        ("ingest", {"get", "create", "log", "history", "upload", "end"}),
        ("editor", {"get", "list", "create", "log", "history", "upload", "end", "patch", "archive"}),
        (
            "admin",
            {"get", "list", "create", "log", "history", "upload", "end", "patch", "archive", "keys", "audit"},
        ),
    ],
)
def test_what_each_role_may_do(secured: ServerProcess, editor: Key, role: str, allowed: set[str], mint: Minter) -> None:
    key = mint(role, "risk")
    with as_key(secured, editor.text) as api:
        experiment = api.post("/experiments", json={"name": f"for {role} {key.id}"}).json()["id"]
        own = api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
    at = f"/experiments/runs/{own}"
    with as_key(secured, key.text) as api:
        asked = {
            "get": api.get(at),
            "history": api.get(f"{at}/history", params={"key": "m"}),
            "list": api.get("/experiments/runs"),
            "create": api.post("/experiments/runs", json={"experiment_id": experiment}),
            "log": api.post(f"{at}/log-metrics", json={"metrics": {"m": 1}}),
            "upload": api.post(f"{at}/log-artifact", files={"file": ("a.txt", b"a")}),
            "end": api.post(f"{at}/end"),
            "patch": api.patch(f"/experiments/{experiment}", json={"description": "new"}),
            "archive": api.delete(at),
            "keys": api.get("/keys"),
            "audit": api.get("/audit"),
        }
    assert {name for name, answer in asked.items() if answer.is_success} == allowed
    assert {code_of(answer) for answer in asked.values() if not answer.is_success} <= {ROLE}


def test_a_platform_key_manages_and_reads_no_data(secured: ServerProcess, run: str, mint: Minter) -> None:
    key = mint("platform")
    with as_key(secured, key.text) as api:
        for path in ("/experiments", f"/experiments/runs/{run}", "/experiments/runs"):
            assert code_of(api.get(path)) == ROLE
        assert (
            code_of(httpx.get(f"{api.base_url}experiments", headers={**api.headers, "X-Tenant-ID": "risk"})) == DENIED
        )
        made = api.post("/keys", json={"role": "editor", "tenants": ["brand-new"], "name": "eve"})
        assert made.status_code == 201
        secret = made.json()["secret"]
    with as_key(secured, secret) as api:
        assert api.post("/experiments", json={"name": "at once"}).status_code == 201


def test_an_admin_manages_the_keys_of_its_tenant_alone(secured: ServerProcess, admin: Key, mint: Minter) -> None:
    stranger = mint("viewer", "other")
    both = mint("viewer", "risk", "other")
    with as_key(secured, admin.text) as api:
        listed = {key["id"] for key in api.get("/keys").json()["keys"]}
        assert {admin.id, both.id} <= listed
        assert stranger.id not in listed
        assert code_of(api.delete(f"/keys/{stranger.id}")) == (404, "key_not_found")
        assert code_of(api.delete(f"/keys/{both.id}")) == ROLE
        assert code_of(api.post("/keys", json={"role": "viewer", "tenants": ["other"]})) == DENIED
        assert code_of(api.post("/keys", json={"role": "platform"})) == ROLE
        made = api.post("/keys", json={"role": "viewer", "name": "reader"})
        assert made.status_code == 201
        assert made.json()["key"]["tenants"] == ["risk"]
        assert made.headers["Location"] == f"/api/v1/keys/{made.json()['key']['id']}"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"role": "owner"},
        {"role": "viewer", "tenants": ["Not A Name"]},
        {"role": "viewer", "tenants": [f"t{i}" for i in range(101)]},
        {"role": "viewer", "expires_at": "2001-01-01T00:00:00Z"},
        {"role": "viewer", "expires_at": "9999-01-01T00:00:00Z"},
        {"role": "viewer", "name": "x" * 501},
        {"role": "viewer", "name": "a\nb"},
        {"role": "viewer", "secret": "mine"},
    ],
    ids=["nothing", "role", "tenant", "tenants", "past", "far", "long", "line", "secret"],
)
def test_a_key_that_cannot_be_is_refused(secured: ServerProcess, platform: Key, body: dict[str, object]) -> None:
    with as_key(secured, platform.text) as api:
        before = api.get("/keys").json()["total"]
        assert api.post("/keys", json={"tenants": ["risk"], **body}).status_code == 400
        assert api.get("/keys").json()["total"] == before


def test_a_revoked_key_opens_nothing_within_a_second(secured: ServerProcess, mint: Minter) -> None:
    key = mint("viewer", "risk")
    with as_key(secured, key.text) as api:
        assert api.get("/me").status_code == 200
    assert gnomon("keys", "revoke", key.id, "--home", str(secured.home)).returncode == 0
    took = _await_key(secured, key, status=401)
    print(f"revoked beside the server: refused after {took:.2f} s")
    again = gnomon("keys", "revoke", key.id, "--home", str(secured.home))
    assert again.returncode == 0


def test_a_key_revoked_over_the_api_is_refused_at_once(secured: ServerProcess, admin: Key) -> None:
    with as_key(secured, admin.text) as api:
        made = api.post("/keys", json={"role": "viewer"}).json()
        with as_key(secured, made["secret"]) as theirs:
            assert theirs.get("/me").status_code == 200
            revoked = api.delete(f"/keys/{made['key']['id']}")
            assert revoked.json()["revoked_at"] is not None
            assert code_of(theirs.get("/me")) == UNAUTHENTICATED
        again = api.delete(f"/keys/{made['key']['id']}").json()
        # When it was last used is written down a moment later, perhaps between the two.
        assert again == {**revoked.json(), "last_used_at": again["last_used_at"]}


def test_rotation_overlaps_and_then_ends_the_old_key(secured: ServerProcess, admin: Key) -> None:
    with as_key(secured, admin.text) as api:
        old = api.post("/keys", json={"role": "viewer", "name": "job"}).json()
        new = api.post(f"/keys/{old['key']['id']}/rotate").json()
        assert (new["key"]["name"], new["key"]["role"]) == ("job", "viewer")
        for secret in (old["secret"], new["secret"]):
            with as_key(secured, secret) as theirs:
                assert theirs.get("/me").status_code == 200
        last = api.post(f"/keys/{new['key']['id']}/rotate", json={"overlap_secs": 0})
        assert last.status_code == 201
        with as_key(secured, new["secret"]) as theirs:
            assert code_of(theirs.get("/me")) == UNAUTHENTICATED
        assert code_of(api.post(f"/keys/{new['key']['id']}/rotate")) == (400, "key_ended")
        assert api.post(f"/keys/{old['key']['id']}/rotate", json={"overlap_secs": -1}).status_code == 400


def test_a_key_ends_when_it_expires(secured: ServerProcess, admin: Key) -> None:
    with as_key(secured, admin.text) as api:
        soon_ms = time.time_ns() // 1_000_000 + 1_500
        made = api.post("/keys", json={"role": "viewer", "expires_at": soon_ms}).json()
        key = Key(made["key"]["id"], made["secret"])
    _await_key(secured, key, status=401)


def test_no_secret_is_anywhere_on_the_disk_or_in_the_log(secured: ServerProcess, editor: Key, run: str) -> None:
    secret = parse_key(editor.text)
    assert secret is not None
    files = [path for path in [*secured.home.rglob("*"), secured.log_path] if path.is_file()]
    assert len(files) >= 3
    for path in files:
        assert secret.secret.encode() not in path.read_bytes(), path


def test_what_was_done_stands_in_the_audit_log_and_its_chain_holds(
    secured: ServerProcess, admin: Key, editor: Key
) -> None:
    with as_key(secured, editor.text) as api:
        experiment = api.post("/experiments", json={"name": "to delete"}).json()["id"]
        assert api.delete(f"/experiments/{experiment}").status_code == 200
    with as_key(secured, None) as api:
        api.get("/experiments")
    with as_key(secured, admin.text) as api:
        minted = api.post("/keys", json={"role": "viewer"}).json()["key"]["id"]
        api.delete(f"/keys/{minted}")
        entries = api.get("/audit", params={"limit": 1000}).json()["entries"]
        assert api.get("/audit", params={"limit": 0}).status_code == 400
    said = {(entry["action"], entry["actor"], entry["target"]) for entry in entries}
    assert ("experiments.delete", editor.id, f"/api/v1/experiments/{experiment}") in said
    assert {("key.create", admin.id, minted), ("key.revoke", admin.id, minted)} <= said
    assert {entry["tenant"] for entry in entries} == {"risk"}
    verified = gnomon("audit", "verify", "--home", str(secured.home))
    assert verified.returncode == 0, verified.stderr
    assert "all as written" in verified.stdout


def test_mlflows_wire_is_behind_the_same_door(secured: ServerProcess, editor: Key) -> None:
    url = f"{secured.base_url}/api/2.0/mlflow/experiments/search?max_results=5"
    refused = httpx.get(url)
    assert refused.status_code == 401
    assert refused.json()["error_code"] == "UNAUTHENTICATED"
    assert httpx.get(url, auth=("anyone", editor.text)).status_code == 200
    log = httpx.post(f"{secured.base_url}/api/2.0/mlflow/runs/log-batch", json={"run_id": "0" * 32})
    assert log.status_code == 401


def test_keys_cannot_be_made_over_the_api_of_an_open_server(server: ServerProcess, api: httpx.Client) -> None:
    assert code_of(api.post("/keys", json={"role": "admin"})) == ROLE
    assert code_of(api.get("/audit")) == ROLE
    me = api.get("/me").json()
    assert (me["mode"], me["role"], me["key_id"]) == ("open", "open", None)


def test_the_first_key_secures_a_server_that_runs(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    try:
        with as_key(server, None) as api:
            assert api.post("/experiments", json={"name": "before"}).status_code == 201
        key = make_key(server.home, "editor", "default")
        _await_key(server, None, status=401)
        with as_key(server, None) as api:
            assert code_of(api.get("/experiments")) == UNAUTHENTICATED
        with as_key(server, key.text) as api:
            assert api.get("/experiments").json()["total"] == 1
        assert gnomon("keys", "revoke", key.id, "--home", str(server.home)).returncode == 0
        _await_key(server, key, status=401)
        with as_key(server, None) as api:
            assert code_of(api.get("/experiments")) == UNAUTHENTICATED
    finally:
        assert server.stop() == 0


def test_beyond_loopback_only_with_a_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(RuntimeError, match=r"refusing to listen on 0\.0\.0\.0"):
        ServerProcess(home, "--host", "0.0.0.0").start()
    make_key(home, "admin", "risk")
    name = socket.gethostname()
    server = ServerProcess(home, "--host", "0.0.0.0", env={"GNOMON_ALLOWED_HOSTS": name}).start()
    try:
        assert code_of(httpx.get(f"{server.base_url}/api/v1/me")) == UNAUTHENTICATED
    finally:
        assert server.stop() == 0
    open_home = tmp_path / "open"
    insecure = ServerProcess(open_home, "--host", "0.0.0.0", "--insecure-open").start()
    try:
        assert httpx.get(f"{insecure.base_url}/api/v1/me").json()["mode"] == "open"
    finally:
        assert insecure.stop() == 0
    assert "WARNING" in insecure.log_path.read_text()
