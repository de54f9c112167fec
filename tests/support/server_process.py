"""A real server in a process of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

# Tests try wrong keys by the thousand, all of them from one address.
UNBOUNDED = {"GNOMON_ATTEMPTS_PER_MINUTE": "0"}


class ServerProcess:
    """`gnomon server` on a free port. `base_url` has no trailing slash."""

    # What the database of a home is, where a test session chose another than the embedded one.
    database_of: Callable[[Path], str] | None = None

    def __init__(self, home: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.home = home
        self.log_path = home.parent / f"{home.name}.log"
        self._port_file = home.parent / f"{home.name}.port"
        self._options = options
        self._env = env or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.base_url = ""

    def start(self, *, prefix: tuple[str, ...] = ()) -> "ServerProcess":
        self._port_file.unlink(missing_ok=True)
        command = [
            *prefix,
            sys.executable,
            "-m",
            "gnomon_server",
            "--port",
            "0",
            "--home",
            str(self.home),
            "--port-file",
            str(self._port_file),
            *self._options,
        ]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **UNBOUNDED, **self._chosen(), **self._env},
            )
        while not self._port_file.exists():
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log_path.read_text()}")
            time.sleep(0.01)
        self.base_url = f"http://127.0.0.1:{self._port_file.read_text()}"
        return self

    def _chosen(self) -> dict[str, str]:
        url = chosen_database(self.home)
        return {"GNOMON_DATABASE": url} if url else {}

    def kill(self) -> None:
        """SIGKILL, as the kernel or a careless operator does it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def client(self, tenant: str | None = None) -> httpx.Client:
        headers = {} if tenant is None else {"X-Tenant-ID": tenant}
        return httpx.Client(base_url=f"{self.base_url}/api/v1", headers=headers, timeout=60)


def chosen_database(home: Path) -> str:
    """The URL of a home's database where the test session chose another than the embedded one; else the setting's ''.

    For what opens the home in this process: `Settings(home=str(home), database=chosen_database(home))`.
    """
    return "" if ServerProcess.database_of is None else ServerProcess.database_of(home)
