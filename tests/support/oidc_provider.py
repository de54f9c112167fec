"""The real identity provider of tests/support/oidc/, in a process of its own."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET

FOLDER = Path(__file__).parent / "oidc"


@contextmanager
def real_provider(redirect_uri: str, log_path: Path) -> Iterator[str]:
    """Its issuer, for a client that is sent back to this address."""
    if not (FOLDER / "node_modules").is_dir():
        subprocess.run(
            ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True, timeout=300
        )
    command = ["node", "provider.mjs", CLIENT_ID, CLIENT_SECRET, redirect_uri]
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        issuer = process.stdout.readline().strip()
        assert issuer.startswith("http://127.0.0.1:"), log_path.read_text()
        yield issuer
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def free_port() -> int:
    """A port for a server whose address must be known before it starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
