"""One address tries to get in too often, by key or by the identity provider: 429, for it and nobody else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.identity_provider import env_for, running
from tests.support.secured import Key, make_key
from tests.support.server_process import ServerProcess

WRONG = "Bearer gnm_aaaaaaaaaa_" + "a" * 49
PROXY = {"GNOMON_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8", "GNOMON_ATTEMPTS_PER_MINUTE": "5"}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Key]:
    home = tmp_path_factory.mktemp("attempts") / "home"
    return home, make_key(home, "editor", "team")


@pytest.fixture(scope="module")
def server(key: tuple[Path, Key]) -> Iterator[ServerProcess]:
    with running() as provider:
        started = ServerProcess(key[0], env={**env_for(provider.issuer), **PROXY}).start()
        yield started
        assert started.stop() == 0


def ask(server: ServerProcess, authorization: str, *forwarded: str, path: str = "/me") -> httpx.Response:
    headers = [("Authorization", authorization), *(("X-Forwarded-For", value) for value in forwarded)]
    return httpx.get(f"{server.base_url}/api/v1{path}", headers=headers, timeout=60)


def test_wrong_keys_of_one_address_are_bounded_and_the_right_one_opens(
    server: ServerProcess, key: tuple[Path, Key]
) -> None:
    answers = [ask(server, WRONG, "203.0.113.5") for _ in range(8)]
    assert [answer.status_code for answer in answers[:5]] == [401] * 5
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1
    assert ask(server, WRONG, "203.0.113.6").status_code == 401, "another address"
    assert ask(server, f"Bearer {key[1].text}", "203.0.113.5").status_code == 200, "a job beside the wrong one"
    logged = httpx.post(
        f"{server.base_url}/api/v1/experiments/runs/{'0' * 32}/log-metrics",
        json={"metrics": {"a": 1}},
        headers={"Authorization": WRONG, "X-Forwarded-For": "203.0.113.5"},
    )
    assert logged.status_code == 429, "by whichever way"
    mlflow = httpx.get(
        f"{server.base_url}/api/2.0/mlflow/experiments/get?experiment_id=0",
        headers={"Authorization": WRONG, "X-Forwarded-For": "203.0.113.5"},
    )
    assert (mlflow.status_code, mlflow.json()["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED")


def test_the_address_is_the_last_that_is_no_trusted_proxy(server: ServerProcess) -> None:
    """Whatever a client writes into the header itself stands before what the proxies add."""
    for number in range(5):
        assert ask(server, WRONG, f"198.51.100.{number}, 203.0.113.7, 10.1.2.3").status_code == 401
    assert ask(server, WRONG, "198.51.100.99, 203.0.113.7, 10.1.2.3").status_code == 429
    assert ask(server, WRONG, "198.51.100.99", "203.0.113.7").status_code == 429, "the header in two lines"
    assert ask(server, WRONG, "203.0.113.7, 198.51.100.50").status_code == 401


def test_beginning_and_finishing_to_sign_in_are_bounded(server: ServerProcess) -> None:
    with httpx.Client(base_url=f"{server.base_url}/api/v1", headers={"X-Forwarded-For": "203.0.113.8"}) as http:
        begun = [http.post("/sign-in/start", json={}).status_code for _ in range(6)]
        assert begun == [200] * 5 + [429]
        refused = http.post("/sign-in/finish", json={"state": "s", "code": "c"})
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) >= 1
        assert http.get("/sign-in").status_code == 200
    other = httpx.post(f"{server.base_url}/api/v1/sign-in/start", json={}, headers={"X-Forwarded-For": "203.0.113.9"})
    assert other.status_code == 200


def test_without_a_trusted_proxy_nobody_chooses_the_own_address(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_key(home, "editor", "team")
    server = ServerProcess(home, env={"GNOMON_ATTEMPTS_PER_MINUTE": "5"}).start()
    try:
        answers = [ask(server, WRONG, f"203.0.113.{number}").status_code for number in range(7)]
        assert answers == [401] * 5 + [429] * 2
        audit = ask(server, WRONG, "203.0.113.99")
        assert audit.status_code == 429
    finally:
        assert server.stop() == 0


def test_a_proxy_that_is_no_address_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="GNOMON_TRUSTED_PROXIES"):
        ServerProcess(tmp_path / "home", env={"GNOMON_TRUSTED_PROXIES": "proxy.example.com"}).start()
