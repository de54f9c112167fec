"""Refusals of the outer guard and the headers that every answer carries.

A refusal is `application/problem+json` with a fixed sentence: bytes of the request are never echoed.
"""

from http import HTTPStatus
from random import uniform
from typing import NamedTuple

import msgspec

from gnomon.wire import Problem

Headers = tuple[tuple[bytes, bytes], ...]

# Browsers: read no type into our bytes, never frame us, tell others nothing, let no other site include us.
SECURITY_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
# What an answer carries unless it brings its own: no page of ours needs more, and tenants' data is kept by no cache.
DEFAULT_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
DEFAULT_CACHING = (b"cache-control", b"no-store")

_encode = msgspec.json.Encoder().encode


class Refusal(NamedTuple):
    """An answer of the guard itself. `close` ends the connection: what else the client sends cannot be trusted."""

    status: int
    code: str
    detail: str
    close: bool = False
    headers: Headers = ()


def busy(status: int, code: str, detail: str) -> Refusal:
    """A refusal to be tried again soon: 429 for one tenant's excess, 503 for the whole process."""
    # Jitter, so that clients that were turned away together do not come back together.
    retry_after = str(round(uniform(1, 4))).encode()  # noqa: S311  # no secret
    return Refusal(status, code, detail, close=True, headers=((b"retry-after", retry_after),))


def problem_body(refusal: Refusal, request_id: str) -> bytes:
    return _encode(
        Problem(
            type=f"urn:gnomon:problem:{refusal.code}",
            title=HTTPStatus(refusal.status).phrase,
            status=refusal.status,
            detail=refusal.detail,
            code=refusal.code,
            request_id=request_id,
        )
    )


def problem_headers(refusal: Refusal, body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of a refusal but for the security headers, which every answer gets."""
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *refusal.headers,
    ]
    if refusal.close:
        headers.append((b"connection", b"close"))
    return headers


def raw_answer(refusal: Refusal, request_id: str) -> bytes:
    """A refusal as the bytes of an HTTP/1.1 answer, for where no request could be parsed."""
    body = problem_body(refusal, request_id)
    headers = (
        *problem_headers(refusal._replace(close=True), body),
        *SECURITY_HEADERS,
        DEFAULT_POLICY,
        DEFAULT_CACHING,
        (b"x-request-id", request_id.encode()),
    )
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}".encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", body])
