"""Every known way to cheat at a sign-in: forged tokens, codes and states of others, replays, a provider that lies."""

import base64
import hashlib
import hmac
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.identity_provider import CLIENT_ID, Provider, ec_key, env_for, rsa_key, running, unsigned
from tests.support.secured import code_of
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


def _claim(**changed: Any) -> Callable[[Provider, str], str]:
    return lambda provider, nonce: provider.sign(provider.claims(nonce, **changed))


def _public_pem(provider: Provider) -> bytes:
    public = provider.keys[0].private.public_key()
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _with_hmac(provider: Provider, nonce: str) -> str:
    """Key confusion: the provider's public key as the secret of an HMAC."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{part(provider.claims(nonce))}"
    mac = hmac.new(_public_pem(provider), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _tampered(provider: Provider, nonce: str) -> str:
    head, _, signature = provider.sign(provider.claims(nonce)).split(".")
    body = unsigned(provider.claims(nonce, groups=["leads"])).split(".")[1]
    return f"{head}.{body}.{signature}"


STRANGER = rsa_key("k1")
FORGED: dict[str, Callable[[Provider, str], str]] = {
    "another audience": _claim(aud="another"),
    "several audiences without azp": _claim(aud=[CLIENT_ID, "another"]),
    "made for another party": _claim(aud=[CLIENT_ID, "another"], azp="another"),
    "another issuer": _claim(iss="https://evil.example"),
    "expired": _claim(exp=int(time.time()) - 120, iat=int(time.time()) - 400),
    "from the future": _claim(iat=int(time.time()) + 3_600, exp=int(time.time()) + 7_200),
    "not yet": _claim(nbf=int(time.time()) + 3_600),
    "never expires": _claim(exp=None),
    "no audience": _claim(aud=None),
    "no issuer": _claim(iss=None),
    "no subject": _claim(sub=None),
    "an empty subject": _claim(sub=""),
    "no nonce": _claim(nonce=None),
    "nonce of another attempt": _claim(nonce="replayed"),
    "a nonce that is no text": _claim(nonce=["a"]),
    "no time of issue": _claim(iat=None),
    "unsigned": lambda provider, nonce: unsigned(provider.claims(nonce)),
    "unsigned, naming a key": lambda provider, nonce: unsigned(provider.claims(nonce), kid="k1"),
    "unsigned, in capitals": lambda provider, nonce: unsigned(provider.claims(nonce), alg="NONE"),
    "unsigned, claiming RS256": lambda provider, nonce: unsigned(provider.claims(nonce), alg="RS256", kid="k1"),
    "key confusion": _with_hmac,
    "changed after signing": _tampered,
    "signed by a stranger under a known id": lambda provider, nonce: provider.sign(
        provider.claims(nonce), key=STRANGER
    ),
    "signed by a key it brings along": lambda provider, nonce: provider.sign(
        provider.claims(nonce), key=STRANGER, kid="mine", jwk=STRANGER.public
    ),
    "a key from an address it brings along": lambda provider, nonce: provider.sign(
        provider.claims(nonce), key=STRANGER, kid="mine", jku="https://evil.example/jwks"
    ),
    "an extension that nobody knows": lambda provider, nonce: provider.sign(
        provider.claims(nonce), crit=["exp"], exp=1
    ),
    "RS512 with the right key": lambda provider, nonce: jwt.encode(
        provider.claims(nonce), provider.keys[0].private, algorithm="RS512", headers={"kid": "k1"}
    ),
    "PS256 with the right key": lambda provider, nonce: jwt.encode(
        provider.claims(nonce), provider.keys[0].private, algorithm="PS256", headers={"kid": "k1"}
    ),
    "no token": lambda _provider, _nonce: "",
    "no JWT": lambda _provider, _nonce: "a.b.c",
    "a token of 100 KB": _claim(padding="x" * 100_000),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_token_opens_nothing(provider: Provider, browser: Browser, forged: str) -> None:
    browser.start()
    answer = browser.finish(provider.grant(FORGED[forged](provider, browser.asked["nonce"])))
    assert code_of(answer) == FAILED, answer.text
    assert "gns_" not in answer.text


def test_a_symmetric_key_among_the_providers_is_never_used(provider: Provider, browser: Browser) -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    oct_key = {"kty": "oct", "kid": "shared", "alg": "HS256", "k": jwt.utils.base64url_encode(secret).decode()}
    provider.extra_jwks.append(oct_key)
    try:
        browser.start()
        token = jwt.encode(
            provider.claims(browser.asked["nonce"]), secret, algorithm="HS256", headers={"kid": "shared"}
        )
        assert code_of(browser.finish(provider.grant(token))) == FAILED
    finally:
        provider.extra_jwks.clear()


def test_another_browser_cannot_finish_an_attempt(server: ServerProcess, provider: Provider) -> None:
    """Login CSRF: an attacker's code and state, sent from the browser of a victim."""
    attacker, victim = Browser(server), Browser(server)
    attacker.start()
    code = provider.grant(provider.sign(provider.claims(attacker.asked["nonce"])))
    stolen = {"code": code, "state": attacker.asked["state"]}
    assert code_of(victim.post("/sign-in/finish", stolen)) == FAILED
    victim.start()
    assert code_of(victim.post("/sign-in/finish", stolen)) == FAILED
    assert code in provider.tokens  # it was not even sent to the provider


def test_what_comes_back_is_taken_once(server: ServerProcess, provider: Provider) -> None:
    """Replay: of the code, and of state and nonce with a code that the provider takes again."""
    browser = Browser(server)
    browser.start()
    kept = dict(browser.cookies)
    token = provider.sign(provider.claims(browser.asked["nonce"]))
    code = provider.grant(token)
    assert browser.finish(code).status_code == 201
    for again in (code, provider.grant(token)):
        browser.cookies = dict(kept)
        assert code_of(browser.finish(again)) == FAILED


@pytest.mark.parametrize("changed", [{"state": "other"}, {"state": ""}, {"code": ""}, {"iss": "https://evil.example"}])
def test_what_does_not_belong_together_is_refused(
    provider: Provider, browser: Browser, changed: dict[str, str]
) -> None:
    browser.start()
    code = provider.grant(provider.sign(provider.claims(browser.asked["nonce"])))
    assert code_of(browser.finish(**{"code": code, **changed})) == FAILED
    assert code in provider.tokens


@pytest.mark.parametrize("cookie", ["", "x", "e30", "bnVsbA", "W10", "e" * 5_000, "%00", "é"])
def test_a_cookie_that_is_none_is_refused(server: ServerProcess, browser: Browser, cookie: str) -> None:
    browser.start()
    answer = httpx.post(
        f"{server.base_url}/api/v1/sign-in/finish",
        json={"code": "c", "state": browser.asked["state"]},
        headers={"Cookie": f"gnomon-sign-in={cookie}".encode()},
    )
    assert code_of(answer) == FAILED


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\r\nb: c",
        "\t//evil.example",
        "/" + "a" * 2_000,
        "/\u2028",
    ],
)
def test_nobody_is_sent_elsewhere(browser: Browser, path: str) -> None:
    assert browser.start(return_to=path).status_code == 400


def test_a_page_of_another_site_cannot_begin(server: ServerProcess) -> None:
    answer = httpx.post(f"{server.base_url}/api/v1/sign-in/start", json={}, headers={"Origin": "https://evil.example"})
    assert code_of(answer) == (403, "cross_site")


def test_a_provider_may_change_its_keys(tmp_path: Path) -> None:
    with running() as provider:
        server = ServerProcess(tmp_path / "home", env=env_for(provider.issuer)).start()
        try:
            browser = Browser(server)
            provider.keys.append(ec_key("k2"))
            browser.sign_in(provider)
            elliptic = provider.keys[1]
            browser.start()
            token = provider.sign(provider.claims(browser.asked["nonce"]), key=elliptic)
            assert browser.finish(provider.grant(token)).status_code == 201
            # A made-up key id makes this server ask at most now and then, whatever comes.
            provider.asked.clear()
            for _ in range(5):
                browser.start()
                token = provider.sign(provider.claims(browser.asked["nonce"]), key=rsa_key("unheard-of"))
                assert code_of(browser.finish(provider.grant(token))) == FAILED
            assert sum(path == "/jwks" for path, _, _ in provider.asked) <= 1
        finally:
            assert server.stop() == 0


def test_a_weak_key_and_a_lying_document_are_not_believed(tmp_path: Path) -> None:
    with running() as provider:
        provider.keys = [rsa_key("weak", bits=1024)]
        warnings.simplefilter("ignore", jwt.warnings.InsecureKeyLengthWarning)  # the test signs with it on purpose
        provider.metadata = {"issuer": "https://evil.example"}
        server = ServerProcess(tmp_path / "home", env=env_for(provider.issuer)).start()
        try:
            browser = Browser(server)
            gone = browser.start()
            assert code_of(gone) == (503, "identity_provider_unavailable")
            assert int(gone.headers["retry-after"]) >= 1
            for document in (
                {"token_endpoint": "http://evil.example/token"},
                {"jwks_uri": "ftp://evil.example/keys"},
                {"authorization_endpoint": "javascript:alert(1)"},
                {"token_endpoint": "https://user:pass@evil.example/token"},
                {"jwks_uri": 5},
            ):
                provider.metadata = document
                assert code_of(browser.start())[0] == 503
            provider.metadata = {"authorization_response_iss_parameter_supported": True}
            browser.start()
            code = provider.grant(provider.sign(provider.claims(browser.asked["nonce"])))
            assert code_of(browser.finish(code)) == FAILED  # mix-up: it promises to say who it is, and does not
            assert code in provider.tokens
            assert code_of(browser.finish(code, iss=provider.issuer)) == FAILED  # the weak key
            provider.is_down = True
            browser.start()
            assert code_of(browser.finish("c", iss=provider.issuer)) == (503, "identity_provider_unavailable")
        finally:
            assert server.stop() == 0
