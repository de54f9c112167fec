"""A person's browser in an attempt to sign in, without a browser."""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.identity_provider import Provider
from tests.support.server_process import ServerProcess

FAILED = (400, "sign_in_failed")


class Browser:
    """A person's browser: it keeps the cookie of its attempt."""

    def __init__(self, server: ServerProcess) -> None:
        self.base_url = f"{server.base_url}/api/v1"
        self.cookies: dict[str, str] = {}
        self.asked: dict[str, str] = {}

    def post(self, path: str, body: dict[str, str]) -> httpx.Response:
        with httpx.Client(base_url=self.base_url, cookies=self.cookies, timeout=60) as http:
            answer = http.post(path, json=body)
        for name, morsel in SimpleCookie(answer.headers.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
        return answer

    def start(self, **body: str) -> httpx.Response:
        answer = self.post("/sign-in/start", body)
        if answer.status_code == 200:
            query = parse_qs(urlsplit(answer.json()["url"]).query)
            self.asked = {name: values[0] for name, values in query.items()}
        return answer

    def finish(self, code: str, **changed: str) -> httpx.Response:
        return self.post("/sign-in/finish", {"code": code, "state": self.asked["state"], **changed})

    def sign_in(self, provider: Provider, **claims: Any) -> dict[str, Any]:
        """Through to a session."""
        self.start()
        answer = self.finish(provider.grant(provider.sign(provider.claims(self.asked["nonce"], **claims))))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found
