"""Ten thousand connections that are slow in every way, from eight addresses: others are served, memory keeps its bound.

Half of them never end a head, some never end a body, the rest never read what they asked for.
"""

import asyncio
import contextlib
import itertools
import random
import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.support.process_use import anonymous_mb, open_files
from tests.support.server_process import ServerProcess

CONNECTIONS = 10_000
MOST_MB = 512
# The server's own bound (docs/guides/limits.md), each with the file that it reads, and what is open besides.
MOST_FILES = 2 * 2_000 + 200
_ATTACK_SECS = 45
_HALF_HEAD = b"GET /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nX-A: "
_HALF_BODY = (
    b"POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100000\r\n\r\n{"
)


@dataclass
class Seen:
    """What a client with manners was told meanwhile, and what the server used."""

    logged: int = 0
    refused: int = 0
    healthy: int = 0
    begun: int = 0
    most_mb: float = 0.0
    most_files: int = 0
    wrong: list[str] = field(default_factory=list)


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 1_000
    assert hard == resource.RLIM_INFINITY or hard >= wanted, f"let this process open {wanted} files (ulimit -Hn)"
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("many_files")
def test_ten_thousand_slow_connections_stop_nobody_else(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", "--quiet").start()
    try:
        with server.client() as client:
            experiment = client.post("/experiments", json={"name": "slow"}).json()["id"]
            run = client.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
            large = client.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"]
            data = random.Random(1).randbytes(8 << 20)
            sent = client.post(f"/experiments/runs/{large}/log-artifact", files={"file": ("large", data)})
            assert sent.status_code == 200, sent.text
        # In a thread of its own: a browser of other tests may have a loop in this one.
        with ThreadPoolExecutor(1) as pool:
            seen = pool.submit(
                asyncio.run, _attack(server, run, f"/api/v1/experiments/runs/{large}/artifacts/large")
            ).result()
        assert seen.wrong == []
        assert seen.begun >= CONNECTIONS
        assert seen.most_mb < MOST_MB, seen
        assert seen.most_files < MOST_FILES, seen
        assert seen.healthy > 20, seen
        assert seen.logged > 100, seen
        with server.client() as client:
            assert client.get(f"/experiments/runs/{run}").json()["metrics"]["a"] == seen.logged - 1
    finally:
        assert server.stop() == 0


async def _attack(server: ServerProcess, run: str, path: str) -> Seen:
    seen = Seen()
    ends = asyncio.get_running_loop().time() + _ATTACK_SECS
    flood = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    kinds = [_HALF_HEAD] * 5 + [_HALF_BODY] * 3 + [flood] * 2
    port = int(server.base_url.rpartition(":")[2])
    slow = [
        asyncio.create_task(_be_slow(port, f"127.0.0.{2 + nth % 8}", kinds[nth % 10], ends, seen))
        for nth in range(CONNECTIONS)
    ]
    await asyncio.gather(_log(server, run, ends, seen), _look(server, ends, seen))
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    return seen


async def _be_slow(port: int, address: str, sent: bytes, ends: float, seen: Seen) -> None:
    """Hold a connection until the server ends it, and then another."""
    loop = asyncio.get_running_loop()
    while loop.time() < ends:
        with socket.socket() as connection, contextlib.suppress(OSError, TimeoutError):
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.bind((address, 0))
            await asyncio.wait_for(loop.sock_connect(connection, ("127.0.0.1", port)), 30)
            await loop.sock_sendall(connection, sent)
            seen.begun += 1
            while loop.time() < ends:
                await asyncio.sleep(2)
                if sent[:3] != b"GET" or sent is _HALF_HEAD:
                    await loop.sock_sendall(connection, b"x")  # a byte every two seconds, for ever
                elif not connection.recv(1):  # next to nothing of a large answer
                    break
        await asyncio.sleep(1)


async def _log(server: ServerProcess, run: str, ends: float, seen: Seen) -> None:
    """A job beside it: one connection, which it opens again when it has to."""
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(base_url=f"{server.base_url}/api/v1", timeout=60) as client:
        for value in itertools.count():
            body = {"metrics": {"a": value}, "step": value}
            while True:
                try:
                    answer = await client.post(f"/experiments/runs/{run}/log-metrics", json=body)
                except httpx.TransportError:
                    seen.refused += 1
                    continue
                if answer.status_code == 200:
                    break
                seen.refused += 1
                if answer.status_code not in (429, 503) or "Retry-After" not in answer.headers:
                    seen.wrong.append(f"{answer.status_code} {answer.text}")
            seen.logged += 1
            if loop.time() > ends:
                return
            await asyncio.sleep(0.02)


async def _look(server: ServerProcess, ends: float, seen: Seen) -> None:
    """A probe with a connection each time, and what the server uses."""
    assert server.process is not None
    pid = server.process.pid
    while asyncio.get_running_loop().time() < ends:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(timeout=60) as client:
                seen.healthy += (await client.get(f"{server.base_url}/healthz")).status_code == 200
        seen.most_mb = max(seen.most_mb, anonymous_mb(pid))
        seen.most_files = max(seen.most_files, open_files(pid))
        await asyncio.sleep(0.2)
