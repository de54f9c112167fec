"""The identity provider: its addresses, its keys, and the exchange of a code. All that this server asks of it.

What is asked goes to the issuer that the operator named and to the addresses in its discovery document, which must be
HTTPS (plain HTTP only where the issuer itself is on loopback). Redirects are not followed, waits are short, answers are
bounded. The document is asked for again each hour; the keys too, and when a token names one that is not known, which
is how a provider changes its keys; but at most every half minute, so that made-up tokens cannot make us ask.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from gnomon_server.model.errors import Unavailable

log = logging.getLogger("gnomon.oidc")

T = TypeVar("T")

WELL_KNOWN = "/.well-known/openid-configuration"
_MAX_ANSWER_BYTES = 1 << 20
_CONNECT_SECS, _READ_SECS = 4.0, 8.0
_REFRESH_SECS = 3_600.0
_KEYS_PAUSE_SECS = 30.0
_UNREACHABLE = "the identity provider cannot be reached or does not answer as it should; try again in a moment"


class CodeRefused(Exception):
    """The provider gives nothing for this code: used before, too old, or not ours. The text is for the log."""


class Metadata(Struct, frozen=True):
    """What is used of the discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(Struct, frozen=True):
    """What is used of the answer for a code."""

    id_token: str
    access_token: str | None = None


class _Keys(Struct, frozen=True):
    keys: list[dict[str, Any]]  # any: documents of the provider, read by model/oidc.py


class Provider:
    """One provider, by its issuer. Safe to share between threads."""

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        import urllib3  # only a server with a provider pays for it

        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=4,
            timeout=urllib3.Timeout(connect=_CONNECT_SECS, read=_READ_SECS),
            retries=urllib3.Retry(total=2, connect=1, read=0, redirect=0, status=0, other=0),
        )
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, Sequence[Mapping[str, Any]]] | None = None

    def metadata(self) -> Metadata:
        """The discovery document; raises `Unavailable` when it cannot be had."""
        with self._lock:
            known = self._metadata
        if known is not None and self._clock() - known[0] < _REFRESH_SECS:
            return known[1]
        found = self._read("GET", f"{self.issuer.rstrip('/')}{WELL_KNOWN}", Metadata)
        if found.issuer != self.issuer:
            raise _broken(f"its discovery document says issuer {found.issuer!r}, the setting says {self.issuer!r}")
        for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint):
            if address is not None:
                check_address(address, issuer=self.issuer)
        with self._lock:
            self._metadata = (self._clock(), found)
        return found

    def keys(self, *, is_unknown_named: bool = False) -> Sequence[Mapping[str, Any]]:
        """The provider's keys; asked for anew when a token named one that is not among them."""
        with self._lock:
            known = self._keys
        if known is not None:
            age = self._clock() - known[0]
            if age < (_KEYS_PAUSE_SECS if is_unknown_named else _REFRESH_SECS):
                return known[1]
        found = self._read("GET", self.metadata().jwks_uri, _Keys).keys
        with self._lock:
            self._keys = (self._clock(), found)
        return found

    def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> Tokens:
        """The tokens for a code; raises `CodeRefused` or `Unavailable`."""
        import urllib3

        metadata = self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if not self._client_secret:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
            headers |= urllib3.make_headers(basic_auth=pair)
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        return self._read("POST", metadata.token_endpoint, Tokens, headers=headers, body=urlencode(form).encode())

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """What the provider says of the person beside the ID token; nothing when it serves no such thing."""
        address = self.metadata().userinfo_endpoint
        if address is None:
            return {}
        return self._read("GET", address, dict[str, Any], headers={"Authorization": f"Bearer {access_token}"})

    def _read(
        self,
        method: str,
        address: str,
        shape: type[T],
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> T:
        import urllib3

        sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        try:
            answer = self._pool.request(
                method, address, headers=sent, body=body, redirect=False, preload_content=False, decode_content=False
            )
            try:
                content = answer.read(_MAX_ANSWER_BYTES + 1)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise _broken(f"{method} {address}: {error}") from None
        if method == "POST" and answer.status in (400, 401, 403):
            raise CodeRefused(f"the provider answers {answer.status} for the code: {content[:300]!r}")
        if answer.status != 200:
            raise _broken(f"{method} {address} is answered with {answer.status}")
        if len(content) > _MAX_ANSWER_BYTES:
            raise _broken(f"{method} {address} is answered with more than 1 MiB")
        try:
            return msgspec.json.decode(content, type=shape)
        except msgspec.DecodeError as error:
            raise _broken(f"{method} {address}: {error}") from None


def check_address(address: str, *, issuer: str) -> None:
    """Raise `Unavailable` unless the address may be asked: HTTPS, or loopback beside an issuer on loopback."""
    if not is_address(address) or (urlsplit(address).scheme == "http" and urlsplit(issuer).scheme != "http"):
        raise _broken(f"its discovery document names {address!r}, which is neither HTTPS nor on loopback")


def is_address(address: str) -> bool:
    """Whether this is an HTTPS address, or an HTTP address on loopback, without credentials in it."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _broken(why: str) -> Unavailable:
    log.warning("the identity provider: %s", why)
    return Unavailable(_UNREACHABLE, code="identity_provider_unavailable", retry_after_secs=5)
