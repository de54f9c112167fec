"""Every bound on the size of a request: taken at the limit, refused one past it."""

import gzip
import json
from collections.abc import Iterator

import pytest
import zstandard

from gnomon_server.api.front import FrontLimits
from gnomon_server.api.front.limits import KIB, MIB
from tests.attacks.checks import assert_guarded, assert_healthy, assert_problem
from tests.attacks.corpus import JSON
from tests.attacks.guarded import GuardedServer
from tests.attacks.raw_http import Answer, Wire, chunked, exchange, request

# The bounds that count megabytes are made small here; what is tested is that each stands where it is set.
SMALL = FrontLimits(
    json_bytes=4 * KIB,
    ingest_bytes=256 * KIB,
    artifact_bytes=512 * KIB,
    tenant_body_bytes=300 * KIB,
    process_body_bytes=700 * KIB,
)
INGEST = "/api/v1/experiments/runs/x/log-batch"
UPLOAD = "/api/v1/experiments/runs/x/artifacts/a.bin"


@pytest.fixture(scope="module")
def server() -> Iterator[GuardedServer]:
    with GuardedServer(SMALL) as running:
        yield running


@pytest.fixture(scope="module")
def ordinary() -> Iterator[GuardedServer]:
    with GuardedServer() as running:
        yield running


def _one(server: GuardedServer, payload: bytes) -> Answer:
    (answer,) = exchange(server.address, payload)
    assert_guarded(answer)
    if answer.status >= 400:
        assert_problem(answer)
    assert_healthy(server.address)
    return answer


def _url(n: int) -> bytes:
    return request("GET", "/" + "a" * (n - 1))


def _url_with_query(n: int) -> bytes:
    return request("GET", "/?" + "a" * (n - 2))


def _head_fields(n: int) -> bytes:
    return request("GET", "/", *(f"X-{i}: a" for i in range(n - 2)))  # Host and Connection are two


def _head_bytes(n: int) -> bytes:
    without = len("Host: localhost\r\nConnection: close\r\nX-A: \r\n")
    return request("GET", "/", "X-A: " + "a" * (n - without))


@pytest.mark.parametrize(
    ("build", "limit", "status"),
    [(_url, 8192, 414), (_url_with_query, 8192, 414), (_head_fields, 100, 431), (_head_bytes, 32768, 431)],
)
def test_the_head(ordinary: GuardedServer, build: object, limit: int, status: int) -> None:
    assert callable(build)
    assert _one(ordinary, build(limit)).status == 200
    assert _one(ordinary, build(limit + 1)).status == status


def test_a_head_without_end_is_cut(ordinary: GuardedServer) -> None:
    with Wire(ordinary.address) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        while wire.send(b"a" * 65536):
            if (answer := wire.answer()) is not None:
                break
        assert answer is not None
        assert answer.status == 431
    assert_healthy(ordinary.address)


BODIES = {
    "json": ("POST", "/api/v1/experiments", JSON, SMALL.json_bytes),
    "ingest": ("POST", INGEST, JSON, SMALL.ingest_bytes),
    "upload": ("PUT", UPLOAD, "Content-Type: application/octet-stream", SMALL.artifact_bytes),
    "form": ("POST", "/x/log-artifact", "Content-Type: multipart/form-data; boundary=x", SMALL.artifact_bytes),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_declared_body(server: GuardedServer, kind: str) -> None:
    method, target, media, limit = BODIES[kind]
    assert limit is not None
    taken = _one(server, request(method, target, media, body=b"x" * limit))
    assert taken.status == 200
    assert json.loads(taken.body)["bytes"] == limit
    assert _one(server, request(method, target, media, body=b"x" * (limit + 1))).status == 413


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_of_unknown_length(server: GuardedServer, kind: str) -> None:
    method, target, media, limit = BODIES[kind]
    assert limit is not None
    unframed = "Transfer-Encoding: chunked"
    taken = _one(server, request(method, target, media, unframed, body=chunked(b"x" * (limit - 1), b"y")))
    assert taken.status == 200
    assert json.loads(taken.body)["tail"] == "x" * 19 + "y"
    over = chunked(b"x" * limit, b"y")
    unwound = server.app.unwound
    assert _one(server, request(method, target, media, unframed, body=over)).status == 413
    assert server.app.unwound == unwound + 1  # the handler was unwound, so it could clean up


@pytest.mark.parametrize("declared", ["1000000000000", "9" * 18])
def test_a_huge_declared_body_is_refused_before_it_comes(server: GuardedServer, declared: str) -> None:
    with Wire(server.address) as wire:
        wire.send(request("POST", "/api/v1/experiments", JSON, f"Content-Length: {declared}", close=False))
        answer = wire.answer()
        assert answer is not None
        assert answer.status == 413
        assert answer.headers["connection"] == "close"


def test_a_client_that_sends_on_still_reads_the_refusal(ordinary: GuardedServer) -> None:
    n = 9 * MIB
    with Wire(ordinary.address) as wire:
        wire.send(request("POST", "/api/v1/experiments", JSON, body=b"x" * n))
        answer = wire.answer()
    assert answer is not None
    assert answer.status == 413


def test_the_default_bounds(ordinary: GuardedServer) -> None:
    for target, limit in (("/api/v1/experiments", 8 * MIB), (INGEST, 32 * MIB)):
        assert _one(ordinary, request("POST", target, JSON, f"Content-Length: {limit + 1}")).status == 413
        assert _one(ordinary, request("POST", target, JSON, body=b"x" * limit)).status == 200
    assert _one(ordinary, request("PUT", UPLOAD, body=b"x" * (33 * MIB))).status == 200


PACKERS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
# Hardly compressible, so that the ratio stays out of the way.
NOISE = bytes(i * i % 251 ^ i >> 7 & 255 for i in range(256 * KIB + 1))


@pytest.mark.parametrize("coding", PACKERS)
def test_a_compressed_body(server: GuardedServer, coding: str) -> None:
    pack = PACKERS[coding]
    headers = (JSON, f"Content-Encoding: {coding}")
    taken = _one(server, request("POST", INGEST, *headers, body=pack(NOISE[:-1])))
    assert taken.status == 200
    seen = json.loads(taken.body)
    assert seen["bytes"] == SMALL.ingest_bytes
    assert not {"content-encoding", "content-length"} & set(seen["headers"])
    assert _one(server, request("POST", INGEST, *headers, body=pack(NOISE))).status == 413


@pytest.mark.parametrize("coding", PACKERS)
def test_a_bomb_is_stopped_by_its_ratio(ordinary: GuardedServer, coding: str) -> None:
    pack = PACKERS[coding]
    headers = (JSON, f"Content-Encoding: {coding}")
    assert _one(ordinary, request("POST", INGEST, *headers, body=pack(bytes(64 * KIB)))).status == 200
    answer = _one(ordinary, request("POST", INGEST, *headers, body=pack(bytes(16 * MIB))))
    assert answer.status == 413
    huge = pack(bytes(300 * MIB))
    assert _one(ordinary, request("POST", INGEST, *headers, body=huge)).status == 413


@pytest.mark.parametrize("coding", PACKERS)
def test_a_compressed_body_is_one_whole_frame(server: GuardedServer, coding: str) -> None:
    packed = PACKERS[coding](b'{"metrics": {"loss": 0.5}}')
    headers = (JSON, f"Content-Encoding: {coding}")
    for body in (packed[:-1], packed[:5], packed + b"x", packed + packed, b"\x00" + packed):
        assert _one(server, request("POST", INGEST, *headers, body=body)).status == 400


def test_a_large_zstd_window_is_refused(server: GuardedServer) -> None:
    window = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=window).compressobj()
    packed = packer.compress(NOISE[:1000]) + packer.flush()
    answer = _one(server, request("POST", INGEST, JSON, "Content-Encoding: zstd", body=packed))
    assert answer.status == 400


def _hold(server: GuardedServer, tenant: str, n: int) -> Wire:
    """A connection whose body of `n` bytes is in the server, and not yet complete."""
    before = server.front.budget.held_bytes
    wire = Wire(server.address)
    head = request("POST", INGEST, JSON, f"X-Tenant-ID: {tenant}", f"Content-Length: {n + 1}", close=False)
    wire.send(head + b"x" * n)
    while server.front.budget.held_bytes < before + n:
        assert_healthy(server.address)
    return wire


def test_the_bytes_a_tenant_may_have_in_flight(server: GuardedServer) -> None:
    body = b"x" * (200 * KIB)
    with _hold(server, "busy", 200 * KIB) as held:
        answer = _one(server, request("POST", INGEST, JSON, "X-Tenant-ID: busy", body=body))
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert _one(server, request("POST", INGEST, JSON, "X-Tenant-ID: other", body=body)).status == 200
        held.send(b"y")
        done = held.answer()
        assert done is not None
        assert done.status == 200
    assert _one(server, request("POST", INGEST, JSON, "X-Tenant-ID: busy", body=body)).status == 200
    assert server.front.budget.held_bytes == 0


def test_the_bytes_a_process_may_have_in_flight(server: GuardedServer) -> None:
    body = b"x" * (200 * KIB)
    with _hold(server, "a", 200 * KIB), _hold(server, "b", 200 * KIB), _hold(server, "c", 200 * KIB):
        answer = _one(server, request("POST", INGEST, JSON, "X-Tenant-ID: d", body=body))
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1
        # What streams to disk is not held in memory, so it needs no budget.
        assert _one(server, request("PUT", UPLOAD, "X-Tenant-ID: d", body=body)).status == 200
    while server.front.budget.held_bytes:
        assert_healthy(server.address)
    assert _one(server, request("POST", INGEST, JSON, "X-Tenant-ID: d", body=body)).status == 200


def test_a_body_of_single_bytes_is_refused(ordinary: GuardedServer) -> None:
    body = b"1\r\na\r\n" * 400_000 + b"0\r\n\r\n"
    assert _one(ordinary, request("POST", INGEST, JSON, "Transfer-Encoding: chunked", body=body)).status == 400


@pytest.mark.parametrize("tail", [b"1;" + b"a" * MIB, b"0\r\nX-A: " + b"a" * MIB], ids=["extension", "trailer"])
def test_what_is_not_body_is_bounded_too(ordinary: GuardedServer, tail: bytes) -> None:
    payload = request("POST", INGEST, JSON, "Transfer-Encoding: chunked", body=b"1\r\na\r\n" + tail)
    assert _one(ordinary, payload).status == 400


def test_a_route_that_reads_no_body_keeps_the_connection(ordinary: GuardedServer) -> None:
    with Wire(ordinary.address) as wire:
        for _ in range(2):
            wire.send(request("POST", "/unread", JSON, body=b"x" * (512 * KIB), close=False))
            answer = wire.answer()
            assert answer is not None
            assert answer.status == 200


def test_a_body_that_nobody_reads_is_not_drained_for_ever(ordinary: GuardedServer) -> None:
    with Wire(ordinary.address) as wire:
        wire.send(request("PUT", "/uploads/unread", f"Content-Length: {1 << 40}", close=False))
        sent = 0
        while wire.send(b"x" * MIB):
            sent += 1
            assert sent < 200
    assert_healthy(ordinary.address)
