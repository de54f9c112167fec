"""Requests that the guard alone must turn away, whatever server stands behind it.

Ids are those of the threat catalogue: ATK-n is an attack of a published advisory, LIM-n a bound. Each row says which
statuses are right; what holds for all of them (no 5xx, no 422, nothing echoed, still healthy) is asserted once.
"""

from typing import NamedTuple

from tests.attacks.raw_http import chunked, request

JSON = "Content-Type: application/json"
CROSS = "Origin: http://evil.example"
CANARY = "canary-7f3a"


class Attack(NamedTuple):
    id: str
    payload: bytes
    allowed: frozenset[int]


def _attack(row: str, payload: bytes, *allowed: int) -> Attack:
    return Attack(row, payload, frozenset(allowed))


def _post(*headers: str, target: str = "/api/v1/experiments", body: bytes = b"{}", host: str = "localhost") -> bytes:
    return request("POST", target, *headers, host=host, body=body)


# ATK-31: parsers that see two of these disagree on which counts; request smuggling starts there.
TWICE = [
    _attack("ATK-31-host", request("GET", "/", "Host: localhost"), 400),
    _attack("ATK-31-host-other", request("GET", "/", "Host: evil.example"), 400),
    _attack("ATK-31-no-host", request("GET", "/", host=None), 400),
    _attack("ATK-31-empty-host", request("GET", "/", host=""), 400, 403),
    _attack("ATK-31-length", _post(JSON, "Content-Length: 2", "Content-Length: 2"), 400),
    _attack("ATK-31-lengths-differ", _post(JSON, "Content-Length: 2", "Content-Length: 3"), 400),
    _attack("ATK-31-length-list", _post(JSON, "Content-Length: 2, 2"), 400),
    _attack("ATK-31-length-sign", _post(JSON, "Content-Length: +2"), 400),
    _attack("ATK-31-length-hex", _post(JSON, "Content-Length: 0x2"), 400),
    _attack("ATK-31-length-negative", _post(JSON, "Content-Length: -1"), 400),
    _attack("ATK-31-length-overflow", _post(JSON, "Content-Length: 99999999999999999999999"), 400, 413),
    _attack("ATK-31-cl-te", _post(JSON, "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    _attack("ATK-31-te-cl", _post(JSON, "Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n"), 400),
    _attack("ATK-31-te-twice", _post(JSON, *["Transfer-Encoding: chunked"] * 2, body=chunked(b"{}")), 400),
    _attack("ATK-31-te-identity", _post(JSON, "Transfer-Encoding: identity"), 400),
    _attack("ATK-31-te-unknown", _post(JSON, "Transfer-Encoding: xchunked", body=chunked(b"{}")), 400),
    _attack("ATK-31-te-two", _post(JSON, "Transfer-Encoding: gzip, chunked", body=chunked(b"{}")), 400),
    _attack("ATK-31-te-tab", _post(JSON, "Transfer-Encoding : chunked", body=chunked(b"{}")), 400),
    _attack("ATK-31-tenant", request("GET", "/", "X-Tenant-ID: a", "X-Tenant-ID: b"), 400),
    _attack("ATK-31-tenant-same", request("GET", "/", "X-Tenant-ID: a", "x-tenant-id: a"), 400),
    _attack("ATK-31-tenant-empty", request("GET", "/", "X-Tenant-ID: "), 400),
    _attack("ATK-31-workspace-empty", request("GET", "/", "X-MLFLOW-WORKSPACE: "), 400),
    _attack("ATK-31-authorization", request("GET", "/", "Authorization: Bearer a", "Authorization: Bearer b"), 400),
    _attack("ATK-31-api-key", request("GET", "/", "X-API-Key: a", "X-API-Key: b"), 400),
    _attack("ATK-31-type", _post(JSON, "Content-Type: text/plain"), 400),
    _attack("ATK-31-origin", _post(JSON, "Origin: http://localhost", CROSS), 400),
    _attack("ATK-31-idempotency-key", _post(JSON, "Idempotency-Key: a", "Idempotency-Key: b"), 400),
    _attack("ATK-31-folded", request("GET", "/", "X-A: b\r\n c"), 400),
    _attack("ATK-31-bare-lf", b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    _attack("ATK-31-nul-in-value", request("GET", "/", "X-A: a\x00b"), 400),
    _attack("ATK-31-space-in-name", request("GET", "/", "X A: b"), 400),
    _attack("ATK-31-chunk-size", _post(JSON, "Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"), 400),
    _attack("ATK-31-chunk-huge", _post(JSON, "Transfer-Encoding: chunked", body=b"f" * 17 + b"\r\n"), 400),
    _attack("ATK-31-chunk-longer", _post(JSON, "Transfer-Encoding: chunked", body=b"1\r\n{}\r\n0\r\n\r\n"), 400),
]

# ATK-20: a DNS name that was rebound to this machine; ATK-16: a page of another site writes; ATK-06, ATK-26 with them.
WALLS = [
    _attack("ATK-20-rebound", request("GET", "/", host="evil.example:5000"), 403),
    _attack("ATK-20-rebound-post", _post(JSON, "Origin: http://evil.example:5000", host="evil.example:5000"), 403),
    _attack("ATK-20-prefix", request("GET", "/", host="localhost.evil.example"), 403),
    _attack("ATK-20-suffix", request("GET", "/", host="evil-localhost"), 403),
    _attack("ATK-20-userinfo", request("GET", "/", host="localhost@evil.example"), 403),
    _attack("ATK-20-nip", request("GET", "/", host="127.0.0.1.nip.io"), 403),
    _attack("ATK-20-all-zeroes", request("GET", "/", host="0.0.0.0:5000"), 403),
    _attack("ATK-20-private", request("GET", "/", host="192.168.0.1"), 403),
    _attack("ATK-20-list", request("GET", "/", host="localhost, evil.example"), 403),
    _attack("ATK-20-path", request("GET", "/", host="localhost/evil"), 403),
    _attack("ATK-20-bytes", request("GET", "/", host="local\xffhost"), 400, 403),
    _attack("ATK-20-absolute-target", request("GET", "http://evil.example/"), 400),
    _attack("ATK-20-forwarded", request("GET", "/", "X-Forwarded-Host: localhost", host="evil.example"), 403),
    _attack("ATK-16-origin", _post(JSON, CROSS), 403),
    _attack("ATK-16-origin-null", _post(JSON, "Origin: null"), 403),
    _attack("ATK-16-origin-empty", _post(JSON, "Origin: "), 403),
    _attack("ATK-16-origin-port", _post(JSON, "Origin: http://localhost:1", host="localhost:2"), 403),
    _attack("ATK-16-origin-prefix", _post(JSON, "Origin: http://localhost.evil.example"), 403),
    _attack("ATK-16-origin-scheme", _post(JSON, "Origin: file://localhost"), 403),
    _attack("ATK-16-cross-site", _post(JSON, "Sec-Fetch-Site: cross-site"), 403),
    _attack("ATK-16-same-site", _post(JSON, "Sec-Fetch-Site: same-site"), 403),
    _attack("ATK-16-unknown-site", _post(JSON, "Sec-Fetch-Site: moon"), 403),
    _attack("ATK-16-delete", request("DELETE", "/api/v1/experiments/x", CROSS), 403),
    _attack("ATK-16-put", request("PUT", "/api/v1/x/artifacts/a", CROSS, body=b"x"), 403),
    _attack("ATK-16-patch", request("PATCH", "/api/v1/x", CROSS, JSON, body=b"{}"), 403),
    _attack("ATK-16-form", _post("Content-Type: application/x-www-form-urlencoded", body=b"name=a"), 415),
    _attack("ATK-16-text", _post("Content-Type: text/plain", body=b'{"name":"a"}'), 415),
    _attack("ATK-16-multipart", _post("Content-Type: multipart/form-data; boundary=x", body=b"--x--"), 415),
    _attack("ATK-16-no-type", _post(body=b'{"name":"a"}'), 415),
    _attack("ATK-16-no-type-chunked", _post("Transfer-Encoding: chunked", body=chunked(b"{}")), 415),
    _attack("ATK-16-type-list", _post("Content-Type: text/plain, application/json"), 415),
    _attack("ATK-16-type-suffix", _post("Content-Type: application/jsonx"), 415),
    _attack("ATK-16-form-upload", _post(JSON, target="/api/v1/experiments/runs/x/log-artifact"), 415),
]

_PATHS = [
    ("ATK-02-absolute", "/api/v1/artifacts//etc/passwd"),
    ("ATK-04-backslash", "/api/v1/runs/..\\..\\etc\\passwd"),
    ("ATK-04-encoded-backslash", "/api/v1/runs/%5c..%5c..%5cetc"),
    ("ATK-04-unc", "/api/v1/x/artifacts/%5C%5C%3F%5CC:%5C"),
    ("ATK-05-dots", "/api/v1/../../../../etc/passwd"),
    ("ATK-05-dot", "/api/v1/./experiments"),
    ("ATK-05-dots-at-the-end", "/api/v1/.."),
    ("ATK-05-encoded-dots", "/api/v1/%2e%2e/%2e%2e/etc/passwd"),
    ("ATK-05-half-encoded-dots", "/api/v1/.%2e/etc/passwd"),
    ("ATK-05-encoded-slash", "/api/v1/runs/..%2f..%2fetc"),
    ("ATK-05-artifact-dots", "/api/v1/experiments/runs/x/artifacts/..%2F..%2Fetc%2Fpasswd"),
    ("ATK-05-artifact-plain-dots", "/api/v1/experiments/runs/x/artifacts/../../etc/passwd"),
    ("ATK-05-artifact-slashes", "/api/v1/experiments/runs/x/artifacts/a%2F%2Fb"),
    ("ATK-05-artifact-slash-first", "/api/v1/experiments/runs/x/artifacts/%2Fetc/passwd"),
    ("ATK-05-artifact-slash-last", "/api/v1/experiments/runs/x/artifacts/a%2F"),
    ("ATK-09-twice", "/api/2.0/mlflow-artifacts/%252E%252E%252F%252E%252E%252Fetc%252fpasswd"),
    ("ATK-09-thrice", "/api/v1/%25252e%25252e%25252fetc"),
    ("ATK-09-overlong", "/api/v1/%c0%ae%c0%ae/etc"),
    ("ATK-09-not-utf8", "/api/v1/%ff"),
    ("ATK-09-surrogate", "/api/v1/%ed%a0%80"),
    ("ATK-09-half-escape", "/api/v1/%2"),
    ("ATK-09-no-escape", "/api/v1/%zz"),
    ("ATK-23-static", "/static-files/../../../../etc/passwd"),
    ("ATK-23-assets", "/assets/..%2f..%2fetc/passwd"),
    ("ATK-27-redirect", "//evil.example/%2e%2e"),
    ("ATK-27-redirect-4", "////evil.example/"),
    ("ATK-27-redirect-backslash", "/\\evil.example"),
    ("ATK-29-crlf", "/api/v1/x%0d%0aSet-Cookie:%20a=1"),
    ("LIM-11-nul", "/api/v1/experiments%00"),
    ("LIM-11-artifact-nul", "/api/v1/x/artifacts/a%00b"),
    ("LIM-11-escape", "/api/v1/%1b[31m"),
    ("LIM-11-del", "/api/v1/%7f"),
    ("LIM-11-fragment", "/api/v1/experiments#x"),
    ("LIM-11-star", "*"),
    ("LIM-11-relative", "api/v1/experiments"),
    ("KEY-06-in-query", "/api/v1/experiments?key=gnm_abcdefghij_0123456789abcdef"),
    ("KEY-06-in-path", "/api/v1/gnm_abcdefghij_0123456789abcdef"),
]

PATHS = [
    attack
    for row, path in _PATHS
    for attack in (
        _attack(row, request("GET", path), 400),
        _attack(f"{row}-delete", request("DELETE", path), 400),
    )
]

METHODS = [
    _attack("ATK-16-trace", request("TRACE", "/"), 405),
    _attack("LIM-10-propfind", request("PROPFIND", "/"), 405),
    _attack("LIM-10-purge", request("PURGE", "/"), 405),
    _attack("LIM-10-connect", request("CONNECT", "evil.example:80"), 400),
    _attack("LIM-10-unknown", request("JEFF", "/"), 400),
    _attack("LIM-10-lower-case", request("get", "/"), 400),
    _attack("LIM-10-http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    _attack("LIM-10-http2-version", b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
    _attack("LIM-10-http09", b"GET /\r\n\r\n", 400),
    _attack("LIM-10-http10-no-host", b"GET / HTTP/1.0\r\n\r\n", 400),
    _attack("LIM-10-tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, 400),
    _attack("LIM-10-noise", bytes(range(256)), 400),
]

ECHO = [
    _attack("ATK-14-type", _post(f"Content-Type: <script>{CANARY}</script>"), 415),
    _attack("ATK-14-path", request("GET", f"/%00<script>{CANARY}"), 400),
    _attack("ATK-14-host", request("GET", "/", host=f"<script>{CANARY}"), 400, 403),
    _attack("ATK-14-origin", _post(JSON, f"Origin: http://<script>{CANARY}"), 403),
    _attack("ATK-14-method", request(CANARY.upper(), "/"), 400),
    _attack("ATK-14-coding", _post(JSON, f"Content-Encoding: {CANARY}"), 415),
]

CODINGS = [
    _attack("LIM-02-br", _post(JSON, "Content-Encoding: br"), 415),
    _attack("LIM-02-deflate", _post(JSON, "Content-Encoding: deflate"), 415),
    _attack("LIM-02-two-layers", _post(JSON, "Content-Encoding: gzip, gzip"), 415),
    _attack("LIM-02-two-headers", _post(JSON, "Content-Encoding: gzip", "Content-Encoding: gzip"), 415),
    _attack("LIM-02-empty", _post(JSON, "Content-Encoding: "), 415),
    _attack("LIM-02-not-gzip", _post(JSON, "Content-Encoding: gzip"), 400),
    _attack("LIM-02-not-zstd", _post(JSON, "Content-Encoding: zstd"), 400),
    _attack("LIM-02-upload", request("PUT", "/x/artifacts/a", "Content-Encoding: gzip", body=b"x"), 415),
]

GUARD_CORPUS = [*TWICE, *WALLS, *PATHS, *METHODS, *ECHO, *CODINGS]
