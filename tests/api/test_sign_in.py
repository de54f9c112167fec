"""Signing in with an identity provider: what a session opens, and how it ends."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, Provider, env_for, running
from tests.support.secured import as_key, code_of, make_key
from tests.support.server_process import ServerProcess
from tests.support.sign_in import FAILED, Browser


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("oidc") / "home"
    running_server = ServerProcess(home, env=env_for(provider.issuer)).start()
    yield running_server
    assert running_server.stop() == 0, running_server.log_path.read_text()[-4000:]


@pytest.fixture
def browser(server: ServerProcess) -> Browser:
    return Browser(server)


def test_a_person_signs_in_and_has_the_role_of_the_groups(
    server: ServerProcess, provider: Provider, browser: Browser
) -> None:
    assert httpx.get(f"{server.base_url}/api/v1/sign-in").json() == {"mode": "secured", "provider": "127.0.0.1"}
    begun = browser.start(return_to="/e/abc?q=1")
    url = begun.json()["url"]
    assert url.startswith(f"{provider.issuer}/auth?")
    asked = browser.asked
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == "http://127.0.0.1:7417/signed-in"
    assert asked["code_challenge_method"] == "S256"
    cookie = begun.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert begun.headers["cache-control"] == "no-store"

    provider.asked.clear()
    done = browser.finish(provider.grant(provider.sign(provider.claims(asked["nonce"], groups=["leads", "ml-team"]))))
    assert done.status_code == 201, done.text
    assert done.json()["return_to"] == "/e/abc?q=1"
    assert "Max-Age=0" in done.headers["set-cookie"]
    (sent,) = (body for path, _, body in provider.asked if path == "/token")
    digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
    assert jwt.utils.base64url_encode(digest).decode() == asked["code_challenge"]
    assert CLIENT_SECRET not in json.dumps(sent)  # it goes in the header

    session = done.json()["session"]
    assert session["tenants"] == {"risk": "admin", "vision": "viewer"}
    with as_key(server, done.json()["secret"]) as api:
        me = api.get("/me").json()
        assert (me["name"], me["session_id"], me["key_id"]) == ("ana", session["id"], None)
        assert me["tenants"] == ["risk", "vision"]
        assert me["expires_at"] == session["expires_at"]
        assert api.get("/experiments").status_code == 400  # which of the two?
        made = api.post("/experiments", json={"name": "by ana"}, headers={"X-Tenant-ID": "risk"})
        assert made.status_code == 201
        run = api.post(
            "/experiments/runs", json={"experiment_id": made.json()["id"]}, headers={"X-Tenant-ID": "risk"}
        ).json()
        assert run["created_by"] == "ana"
        refused = api.post("/experiments", json={"name": "x"}, headers={"X-Tenant-ID": "vision"})
        assert code_of(refused) == (403, "role_required")
        assert code_of(api.get("/experiments", headers={"X-Tenant-ID": "other"})) == (403, "tenant_access_denied")
        entries = api.get("/audit", headers={"X-Tenant-ID": "risk"}).json()["entries"]
        began = next(entry for entry in entries if entry["action"] == "session.begin")
        assert (began["target"], began["detail"]["subject"]) == (session["id"], "user-1")


def test_signing_out_ends_the_session(server: ServerProcess, provider: Provider, browser: Browser) -> None:
    begun = browser.sign_in(provider)
    with as_key(server, begun["secret"]) as api:
        assert [one["id"] for one in api.get("/sessions").json()["sessions"]].count(begun["session"]["id"]) == 1
        out = api.post("/sign-out")
        assert out.status_code == 200
        assert out.json()["revoked_at"] is not None
        assert code_of(api.get("/me")) == (401, "unauthenticated")


def test_a_person_sees_the_own_sessions_and_an_admin_those_of_the_tenant(
    server: ServerProcess, provider: Provider
) -> None:
    ana, guest, lead = (
        Browser(server).sign_in(provider, sub=sub, groups=[group], preferred_username=sub)
        for sub, group in (("ana-2", "ml-team"), ("guest-2", "guests"), ("lead-2", "leads"))
    )

    def seen(secret: str) -> set[str]:
        with as_key(server, secret, X_Tenant_ID="risk") as api:
            return {one["subject"] for one in api.get("/sessions").json()["sessions"]}

    assert seen(ana["secret"]) == {"ana-2"}
    assert seen(guest["secret"]) == {"guest-2"}
    assert {"ana-2", "guest-2", "lead-2"} <= seen(lead["secret"])
    with as_key(server, guest["secret"]) as api:
        assert code_of(api.delete(f"/sessions/{ana['session']['id']}")) == (404, "session_not_found")
    with as_key(server, lead["secret"], X_Tenant_ID="risk") as api:
        for _ in range(2):
            assert api.delete(f"/sessions/{ana['session']['id']}").status_code == 200
    with as_key(server, ana["secret"]) as api:
        assert code_of(api.get("/me")) == (401, "unauthenticated")


def test_a_session_is_no_key_and_a_key_is_no_session(
    server: ServerProcess, provider: Provider, browser: Browser
) -> None:
    begun = browser.sign_in(provider)
    text = begun["secret"]
    with as_key(server, text.replace("gns_", "gnm_", 1)) as api:
        assert code_of(api.get("/me")) == (401, "unauthenticated")
    with httpx.Client(base_url=f"{server.base_url}/api/v1") as api:
        assert code_of(api.get("/me", params={"token": text})) == (400, "key_in_url")
        assert api.get("/me", headers={"Cookie": f"session={text}"}).status_code == 401
    key = make_key(server.home, "viewer", "risk")
    with as_key(server, key.text) as api:
        while api.get("/me").status_code != 200:
            time.sleep(0.02)
        assert code_of(api.post("/sign-out")) == (400, "no_session")


def test_nothing_secret_is_kept_or_logged(server: ServerProcess, provider: Provider, browser: Browser) -> None:
    begun = browser.sign_in(provider)
    secret = begun["secret"].split("_")[2]
    with as_key(server, begun["secret"]) as api:
        api.get("/me")
    for path in server.home.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
            assert CLIENT_SECRET.encode() not in path.read_bytes(), path
    log = server.log_path.read_text()
    assert secret not in log
    assert CLIENT_SECRET not in log


def test_an_hour_glass_that_is_a_little_off_is_forgiven(provider: Provider, browser: Browser) -> None:
    now = int(time.time())
    browser.sign_in(provider, exp=now - 30, iat=now - 300)
    browser.sign_in(provider, iat=now + 30, exp=now + 300)


def test_groups_that_open_nothing_are_told_whom_to_ask(provider: Provider, browser: Browser) -> None:
    provider.userinfo = {"sub": "user-1"}
    for groups in ([], ["strangers"], None, "strangers", 7, {"a": 1}):
        browser.start()
        answer = browser.finish(provider.grant(provider.sign(provider.claims(browser.asked["nonce"], groups=groups))))
        assert code_of(answer) == (403, "no_tenant_granted")


def test_groups_come_from_userinfo_when_the_token_has_none(provider: Provider, browser: Browser) -> None:
    provider.userinfo = {"sub": "user-1", "groups": ["guests"], "iss": "https://evil.example"}
    try:
        assert browser.sign_in(provider, groups=None)["session"]["tenants"] == {"risk": "viewer"}
        # The token's word counts before userinfo's, and userinfo of somebody else counts nothing.
        assert browser.sign_in(provider)["session"]["tenants"] == {"risk": "editor"}
        provider.userinfo = {"sub": "user-2", "groups": ["leads"]}
        browser.start()
        token = provider.sign(provider.claims(browser.asked["nonce"], groups=None))
        assert code_of(browser.finish(provider.grant(token))) == FAILED
    finally:
        provider.userinfo = {}


@pytest.mark.nightly
def test_a_session_ends_by_itself_and_a_person_holds_a_few(tmp_path: Path) -> None:
    with running() as provider:
        env = env_for(provider.issuer, oidc_session_hours="0.0015", oidc_groups="*=lab:viewer")
        server = ServerProcess(tmp_path / "home", env=env).start()
        try:
            begun = Browser(server).sign_in(provider, groups=None)
            with as_key(server, begun["secret"]) as api:
                began = time.monotonic()
                while api.get("/me").status_code == 200:
                    assert time.monotonic() - began < 60
                    time.sleep(0.05)
                assert code_of(api.get("/me")) == (401, "unauthenticated")
        finally:
            assert server.stop() == 0
        server = ServerProcess(tmp_path / "home", env=env_for(provider.issuer)).start()
        try:
            held = [Browser(server).sign_in(provider)["secret"] for _ in range(22)]
            alive = []
            for secret in held:
                with as_key(server, secret) as api:
                    alive.append(api.get("/me").status_code)
            assert alive == [401] * 2 + [200] * 20
        finally:
            assert server.stop() == 0


def test_without_a_provider_nothing_changes(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    try:
        with server.client() as api:
            assert api.get("/sign-in").json() == {"mode": "open", "provider": None}
            assert code_of(api.post("/sign-in/start")) == (404, "no_identity_provider")
            assert code_of(api.post("/sign-in/finish", json={"code": "a", "state": "b"})) == (
                404,
                "no_identity_provider",
            )
            assert api.get("/sessions").json() == {"sessions": [], "total": 0}
            assert api.get("/experiments").status_code == 200
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"OIDC_ISSUER": "http://idp.example.com"}, "https://"),
        ({"OIDC_ISSUER": "https://idp.example.com/?tenant=1"}, "https://"),
        ({"OIDC_CLIENT_ID": ""}, "GNOMON_OIDC_CLIENT_ID"),
        ({"PUBLIC_URL": ""}, "GNOMON_PUBLIC_URL"),
        ({"PUBLIC_URL": "http://gnomon.example.com"}, "GNOMON_PUBLIC_URL"),
        ({"OIDC_SCOPES": "profile"}, "openid"),
        ({"OIDC_GROUPS": ""}, "group=tenant:role"),
        ({"OIDC_GROUPS": "a"}, "group=tenant:role"),
        ({"OIDC_GROUPS": "a=risk:platform"}, "viewer, editor, admin"),
        ({"OIDC_GROUPS": "a=risk:ingest"}, "viewer, editor, admin"),
        ({"OIDC_GROUPS": "a=Not A Tenant:viewer"}, "GNOMON_OIDC_GROUPS"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_work_stops_the_start(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    env = env_for("https://idp.example.com") | {f"GNOMON_{name}": value for name, value in changed.items()}
    with pytest.raises(RuntimeError, match="the server ended with 1") as refused:
        ServerProcess(tmp_path / "home", env=env).start()
    assert said in str(refused.value)
    assert "Traceback" not in str(refused.value)
