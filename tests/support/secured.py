"""A server in secured mode, and keys for it, made as an operator makes them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.server_process import ServerProcess


def gnomon(*arguments: str, settings: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the operator; `--home` says whose database it is of."""
    env = dict(os.environ)
    if ServerProcess.database_of is not None and "--home" in arguments:
        env["GNOMON_DATABASE"] = ServerProcess.database_of(Path(arguments[arguments.index("--home") + 1]))
    env.update(settings or {})
    command = [sys.executable, "-m", "gnomon", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@dataclass(frozen=True)
class Key:
    id: str
    text: str


def make_key(home: Path, role: str, *tenants: str, **options: str) -> Key:
    named = [part for tenant in tenants for part in ("--tenant", tenant)]
    more = [part for name, value in options.items() for part in (f"--{name}", value)]
    made = gnomon("keys", "create", "--home", str(home), "--role", role, *named, *more, "--json")
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    return Key(answer["key"]["id"], answer["secret"])


def as_key(server: ServerProcess, key: str | None, **headers: str) -> httpx.Client:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    return httpx.Client(base_url=f"{server.base_url}/api/v1", headers=sent, timeout=60)


def code_of(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code")
