"""TEN-01: every route of both dialects, asked by every kind of caller. The routers are the list: none is forgotten."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import httpx
import pytest
from tests.support.secured import Key, as_key, make_key
from tests.support.server_process import ServerProcess
from tests.support.tenant_world import NOBODY

from gnomon_server.api import mlflow
from gnomon_server.api.guards import PERMISSION
from gnomon_server.api.native import ROUTES
from gnomon_server.core.roles import PERMISSIONS, Permission
from gnomon_server.model.api_keys import Role, mint_key

ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    permission: Permission

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _every_route() -> Iterator[Asked]:
    for prefix, handlers in (("/api/v1", ROUTES), ("", mlflow.ROUTES)):
        for handler in handlers:
            (permission,) = (getattr(guard, PERMISSION) for guard in handler.guards or [] if hasattr(guard, PERMISSION))
            for path in handler.paths:
                filled = re.sub(r"\{\w+:path\}", "a.txt", re.sub(r"\{\w+:str\}", NOBODY, path))
                for method in sorted(map(str, handler.http_methods)):
                    yield Asked(method, prefix + filled, permission)


EVERY_ROUTE = list(_every_route())
GUARDED = [asked for asked in EVERY_ROUTE if asked.permission != "public"]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Key]]:
    home = tmp_path_factory.mktemp("roles") / "home"
    platform = make_key(home, "platform")
    running = ServerProcess(home, env={"GNOMON_TENANT_REQUESTS_PER_SEC": "0"}).start()
    yield running, platform
    assert running.stop() == 0, running.log_path.read_text()[-4000:]


@pytest.fixture(scope="module")
def secrets(secured: tuple[ServerProcess, Key]) -> dict[str, str | None]:
    """A key of each role, and what opens nothing: none, one that nobody made, a revoked and an expired one."""
    server, platform = secured
    with as_key(server, platform.text) as api:

        def minted(role: str, **more: object) -> tuple[str, str]:
            tenants = [] if role == "platform" else ["roles"]
            made = api.post("/keys", json={"role": role, "tenants": tenants, **more}).json()
            return made["secret"], made["key"]["id"]

        found: dict[str, str | None] = {role: minted(role)[0] for role in ROLES}
        revoked, revoked_id = minted("admin")
        assert api.delete(f"/keys/{revoked_id}").status_code == 200
        expires_ms = time.time_ns() // 1_000_000 + 300
        expired, _ = minted("admin", expires_at=expires_ms)
        while time.time_ns() // 1_000_000 <= expires_ms:
            time.sleep(0.02)
    return {**found, "none": None, "unknown": mint_key()[0], "revoked": revoked, "expired": expired}


def _ask(server: ServerProcess, asked: Asked, secret: str | None, **headers: str) -> httpx.Response:
    with as_key(server, secret, **headers) as api:
        body = None if asked.method in ("GET", "HEAD") else b"{}"
        sent = {} if body is None else {"Content-Type": "application/json"}
        if asked.path.endswith("/log-artifact"):
            body, sent = b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}
        return api.request(asked.method, f"{server.base_url}{asked.path}", content=body, headers=sent)


@pytest.mark.parametrize("who", ["none", "unknown", "revoked", "expired"])
def test_who_holds_no_key_gets_nothing(
    secured: tuple[ServerProcess, Key], secrets: dict[str, str | None], who: str
) -> None:
    for asked in GUARDED:
        answer = _ask(secured[0], asked, secrets[who])
        assert answer.status_code == 401, f"{asked}: {answer.text}"
        assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_what_it_holds_and_nothing_else(
    secured: tuple[ServerProcess, Key], secrets: dict[str, str | None], role: Role
) -> None:
    for asked in GUARDED:
        answer = _ask(secured[0], asked, secrets[role])
        if asked.permission in PERMISSIONS[role]:
            assert answer.status_code not in (401, 403), f"{asked}: {answer.text}"
            assert answer.status_code < 500 or answer.status_code == 501, f"{asked}: {answer.text}"
        else:
            assert answer.status_code == 403, f"{asked}: {answer.text}"


@pytest.mark.parametrize("role", ["viewer", "platform"])
def test_a_tenant_that_is_not_granted_is_denied_before_anything_else(
    secured: tuple[ServerProcess, Key], secrets: dict[str, str | None], role: Role
) -> None:
    for asked in GUARDED:
        answers = [_ask(secured[0], asked, secrets[role], X_Tenant_ID=tenant) for tenant in ("someone", "nobody")]
        assert [answer.status_code for answer in answers] == [403, 403], str(asked)
        assert len({re.sub(rb"[0-9a-f]{32}", b"", answer.content) for answer in answers}) == 1


def test_what_is_public_is_known() -> None:
    """Nothing becomes public by oversight."""
    found = {re.sub(r"^/(ajax-)?api(?=/[23])", "", asked.path) for asked in EVERY_ROUTE if asked.permission == "public"}
    sign_in = {"/api/v1/sign-in", "/api/v1/sign-in/start", "/api/v1/sign-in/finish"}
    assert found <= sign_in | {"/health", "/version", "/3.0/mlflow/server-info", "/2.0/a.txt", "/3.0/a.txt"}
