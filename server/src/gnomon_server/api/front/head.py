"""The rules that the head of a request must keep before anything of ours looks at it.

One pass over the headers finds the few that matter, each of which may come once: parsers that see two disagree on
which counts. Then the walls: Host (a rebound DNS name), Origin and Sec-Fetch-Site (another site's page), the path, the
media type of the body. No request field can switch a rule off.
"""

import ipaddress
import re
from typing import NamedTuple

from gnomon_server.api.front.bodies import BodyRule, BodyRules
from gnomon_server.api.front.limits import FrontLimits
from gnomon_server.api.front.paths import fault_of_path
from gnomon_server.api.front.problems import Refusal
from gnomon_server.api.front.unpacking import CODINGS

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_READING = frozenset(("GET", "HEAD", "OPTIONS"))
# Probes of orchestrators name a server by an address it does not know; these two say nothing worth protecting.
_PROBES = frozenset(("/healthz", "/readyz"))
_LOOPBACK_NAMES = frozenset(("localhost", "localhost.localdomain"))
_ONCE = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"origin",
        b"sec-fetch-site",
        b"transfer-encoding",
        b"x-api-key",
        b"x-mlflow-workspace",
        b"x-tenant-id",
    )
)
_KEY = re.compile(rb"gn[ms]_[A-Za-z0-9]{4,}_[A-Za-z0-9]")
_HOST = re.compile(rb"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")
_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}

_NO_HOST = Refusal(400, "invalid_request", "send one Host header", close=True)
_TWO_LENGTHS = Refusal(400, "invalid_request", "send Content-Length or Transfer-Encoding, not both", close=True)
_BAD_FRAMING = Refusal(400, "invalid_request", "Transfer-Encoding may be chunked, nothing else", close=True)
_BAD_LENGTH = Refusal(400, "invalid_request", "Content-Length is not a number of bytes", close=True)
_EMPTY_TENANT = Refusal(400, "invalid_request", "X-Tenant-ID is empty; name a tenant or leave the header out")
_LONG_URL = Refusal(
    414, "uri_too_long", "the URL is longer than 8 KiB; ask with a shorter filter or for fewer columns", close=True
)
_LARGE_HEAD = Refusal(431, "headers_too_large", "the headers are too many or too long", close=True)
_KEY_IN_URL = Refusal(
    400,
    "key_in_url",
    "an API key stands in the URL, where logs keep it: revoke it, and send keys in a header",
    close=True,
)
_BAD_HOST = Refusal(
    403,
    "host_not_allowed",
    "this server does not answer to that Host; name it in the server's allowed hosts",
    close=True,
)
_CROSS_SITE = Refusal(403, "cross_site", "pages of other sites may not write here; allow their origin if they should")
_BAD_METHOD = Refusal(
    405,
    "method_not_allowed",
    "this method is not served here",
    close=True,
    headers=((b"allow", b", ".join(method.encode() for method in sorted(METHODS))),),
)
_BAD_CODING = Refusal(
    415, "unsupported_media_type", "send the body plain, or with one layer of gzip or zstd", close=True
)
_TOO_LARGE = Refusal(413, "too_large", "the body is larger than this route takes; send it in smaller parts", close=True)


class Head(NamedTuple):
    """What the guard keeps of a good head. `rule` is None when there is no body."""

    rule: BodyRule | None
    coding: bytes | None
    tenant: bytes | None


class HeadRules:
    """Judges heads under the given limits. It remembers Host values that passed, which are few."""

    def __init__(self, limits: FrontLimits) -> None:
        self._limits = limits
        self._bodies = BodyRules(limits)
        self._names = _LOOPBACK_NAMES | {name.lower() for name in limits.hosts}
        self._origins = {origin.lower().rstrip("/").encode() for origin in limits.origins}
        self._known_hosts: set[bytes] = set()

    def judge(
        self, method: str, path: str, raw_path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]
    ) -> Head | Refusal:
        limits = self._limits
        if len(raw_path) + len(query) + (1 if query else 0) > limits.url_bytes:
            return _LONG_URL
        found: dict[bytes, bytes] = {}
        size = 0
        for name, value in headers:
            size += len(name) + len(value) + 4
            if name in _ONCE:
                if name in found:
                    return _twice(name)
                found[name] = value
        if size > limits.head_bytes or len(headers) > limits.head_fields:
            return _LARGE_HEAD
        if method not in METHODS:
            return _BAD_METHOD
        if (fault := fault_of_path(raw_path)) is not None:
            return Refusal(400, "invalid_request", fault)
        if (b"gn" in query or b"gn" in raw_path) and _KEY.search(raw_path + b"?" + query):
            return _KEY_IN_URL
        host = found.get(b"host")
        if host is None:
            return _NO_HOST
        if host not in self._known_hosts and not self._admit_host(host) and path not in _PROBES:
            return _BAD_HOST
        if method not in _READING and self._is_cross_site(host, found):
            return _CROSS_SITE
        return self._judge_body(method, path, found)

    def _judge_body(self, method: str, path: str, found: dict[bytes, bytes]) -> Head | Refusal:
        tenant = found.get(b"x-tenant-id", found.get(b"x-mlflow-workspace"))
        if tenant is not None and not tenant.strip():
            # A variable that was not set, most likely: it must not fall back to the default tenant.
            return _EMPTY_TENANT
        length = _body_length(found)
        if isinstance(length, Refusal):
            return length
        if length == 0:
            return Head(None, None, tenant)
        rule = self._bodies.rule(method, path)
        if length is not None and rule.max_bytes is not None and length > rule.max_bytes:
            return _TOO_LARGE
        coding = found.get(b"content-encoding")
        if coding is not None:
            coding = coding.strip().lower()
            if coding == b"identity":
                coding = None
            elif coding not in CODINGS or not rule.packed:
                return _BAD_CODING
        if not _is_media_of(rule, found.get(b"content-type", b"")):
            return Refusal(415, "unsupported_media_type", f"send the body as {rule.advice}", close=True)
        return Head(rule, coding, tenant)

    def _admit_host(self, host: bytes) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].decode().lower().removeprefix("[").removesuffix("]").removesuffix(".")
        if not ("*" in self._names or name in self._names or self._is_admitted_address(name)):
            return False
        if len(self._known_hosts) < 256:
            self._known_hosts.add(host)
        return True

    def _is_admitted_address(self, name: str) -> bool:
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self._limits.ip_hosts

    def _is_cross_site(self, host: bytes, found: dict[bytes, bytes]) -> bool:
        origin = found.get(b"origin")
        if origin is not None:
            # What the browser says of the page's origin decides, also where it calls a neighbouring port same-site.
            origin = origin.strip().lower()
            return origin not in self._origins and not _is_origin_of(origin, host.lower())
        # An absent Sec-Fetch-Site is a program; "none" is a person who typed the address.
        return found.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none")


def _body_length(found: dict[bytes, bytes]) -> int | Refusal | None:
    """The declared length of the body, 0 where there is none, None where only its end will tell."""
    length = found.get(b"content-length")
    framing = found.get(b"transfer-encoding")
    if framing is not None:
        if length is not None:
            return _TWO_LENGTHS
        return None if framing.strip().lower() == b"chunked" else _BAD_FRAMING
    if length is None:
        return 0
    if not length.isdigit():
        return _BAD_LENGTH
    return int(length) if len(length) < 19 else 1 << 62


def _is_media_of(rule: BodyRule, content_type: bytes) -> bool:
    if rule.media is None or content_type in rule.media:
        return True
    return content_type.partition(b";")[0].strip().lower() in rule.media


def _is_origin_of(origin: bytes, host: bytes) -> bool:
    """Whether a page of this origin came from this host. The scheme is not compared: TLS may end at a proxy."""
    scheme, separator, authority = origin.partition(b"://")
    port = _DEFAULT_PORTS.get(scheme)
    if not separator or port is None:
        return False
    return authority == host or authority.removesuffix(b":" + port) == host.removesuffix(b":" + port)


def _twice(name: bytes) -> Refusal:
    if name == b"content-encoding":
        return _BAD_CODING
    return Refusal(400, "invalid_request", f"send the header {name.decode()} once", close=True)
