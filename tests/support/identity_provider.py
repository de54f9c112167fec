"""An identity provider that says what a test wants, true or hostile. The real one is in tests/support/oidc/."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

CLIENT_ID, CLIENT_SECRET = "gnomon", "s3cret-of-the-client"


@dataclass
class SigningKey:
    """A key of the provider, and what it publishes of it."""

    kid: str
    private: Any
    algorithm: str

    @property
    def public(self) -> dict[str, Any]:
        kind = jwt.algorithms.RSAAlgorithm if self.algorithm.startswith("RS") else jwt.algorithms.ECAlgorithm
        found: dict[str, Any] = json.loads(kind.to_jwk(self.private.public_key()))
        return {**found, "kid": self.kid, "use": "sig", "alg": self.algorithm}


def rsa_key(kid: str, bits: int = 2048) -> SigningKey:
    return SigningKey(kid, rsa.generate_private_key(public_exponent=65537, key_size=bits), "RS256")


def ec_key(kid: str) -> SigningKey:
    return SigningKey(kid, ec.generate_private_key(ec.SECP256R1()), "ES256")


@dataclass
class Provider:
    """`tokens` maps a code to the answer of the token endpoint; a code is taken once, as it must be."""

    issuer: str
    keys: list[SigningKey]
    extra_jwks: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    is_down: bool = False

    def claims(self, nonce: str, /, **changed: Any) -> dict[str, Any]:
        """What an honest token says; a changed claim that is None is left out."""
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "user-1",
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "preferred_username": "ana",
            "groups": ["ml-team"],
            **changed,
        }
        return {name: value for name, value in said.items() if value is not None}

    def sign(self, claims: dict[str, Any], *, key: SigningKey | None = None, **headers: Any) -> str:
        used = key or self.keys[0]
        private: PrivateKeyTypes = used.private
        return jwt.encode(claims, private, algorithm=used.algorithm, headers={"kid": used.kid, **headers})

    def grant(self, id_token: str, **more: Any) -> str:
        """A code for this token."""
        code = f"code-{len(self.tokens)}-{time.monotonic_ns()}"
        self.tokens[code] = {"id_token": id_token, "access_token": "at", "token_type": "Bearer", **more}
        return code

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            **self.metadata,
        }

    def answer(self, method: str, path: str, headers: dict[str, str], body: dict[str, str]) -> tuple[int, Any]:
        self.asked.append((path, headers, body))
        if self.is_down:
            return 503, {}
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return 200, self.document()
            case "GET", "/jwks":
                return 200, {"keys": [*(key.public for key in self.keys), *self.extra_jwks]}
            case "GET", "/me":
                return 200, self.userinfo
            case "POST", "/token":
                found = self.tokens.pop(body.get("code", ""), None)
                return (400, {"error": "invalid_grant"}) if found is None else (200, found)
            case _:
                return 404, {}


@contextmanager
def running() -> Iterator[Provider]:
    """The provider on a free port of loopback."""
    holder: list[Provider] = []

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            body = {name: values[0] for name, values in parse_qs(sent).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = holder[0].answer(self.command, urlsplit(self.path).path, headers, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815  # the names that http.server calls

        def log_message(self, *_said: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    holder.append(Provider(f"http://127.0.0.1:{server.server_port}", [rsa_key("k1")]))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield holder[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def env_for(issuer: str, *, public_url: str = "http://127.0.0.1:7417", **more: str) -> dict[str, str]:
    """The settings of a server whose people sign in there."""
    return {
        "GNOMON_PUBLIC_URL": public_url,
        "GNOMON_OIDC_ISSUER": issuer,
        "GNOMON_OIDC_CLIENT_ID": CLIENT_ID,
        "GNOMON_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "GNOMON_OIDC_GROUPS": "ml-team=risk:editor, leads=risk:admin, guests=risk:viewer, leads=vision:viewer",
        **{f"GNOMON_{name.upper()}": value for name, value in more.items()},
    }


def unsigned(claims: dict[str, Any], **headers: Any) -> str:
    """A token with any header and no signature."""
    parts = [{"alg": "none", "typ": "JWT", **headers}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


Forge = Callable[[Provider, str], str]
