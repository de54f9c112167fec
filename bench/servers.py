"""The servers under test, each in a process of its own with a fresh home: ours, MLflow's and FastTrackML.

The peers come from PyPI into a virtual environment of their own, made on first use. Each runs at its best setting,
found by trying: MLflow with one worker when the writers are few (SQLite lets one write, more workers only wait for its
lock), without its middleware, job runners and access log; FastTrackML as it comes, with its log at warnings only.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Address

_HERE = Path(__file__).parent
_PEERS = _HERE / ".venv-peers"
# FastTrackML's wheel asks for an older MLflow that its server does not use.
_PEER_INSTALLS = (
    ("mlflow==3.17.2", "wandb==0.31.0", "trackio==0.43.0", "tensorboardX==2.6.5"),
    ("--no-deps", "fasttrackml==0.6.0"),
)
_SOURCES = ("sdk/src", "server/src")
SERVER_CORE, LOAD_CORE = 0, 1
_CORES = os.sched_getaffinity(0)
# Its job runners, seven processes that poll, do nothing for these requests and take processor time from them.
MLFLOW_ENV = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A started server."""

    address: Address
    process: subprocess.Popen[bytes]
    home: Path
    start_secs: float

    def cpu_secs(self) -> float:
        """Processor time of the process and its children so far: what a busy machine does not distort."""
        return sum(_cpu_secs(pid) for pid in (self.process.pid, *_children(self.process.pid)))

    def rss_mb(self) -> float:
        """Resident memory of the process and its children."""
        return sum(_rss_kb(pid) for pid in (self.process.pid, *_children(self.process.pid))) / 1024

    def rest(self, *, longest_secs: float = 60) -> None:
        """Wait until it does nothing of its own accord any more, as MLflow's does for a while after its start."""
        began = time.monotonic()
        before = self.cpu_secs()
        while time.monotonic() - began < longest_secs:
            time.sleep(1)
            spent, before = self.cpu_secs() - before, self.cpu_secs()
            if spent <= 0.03:
                return


def peer(name: str) -> str:
    """The path of a peer's command, installed now if it is not yet."""
    command = _PEERS / "bin" / name
    if not command.exists():
        print(f"installing the peers into {_PEERS}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(_PEERS)], check=True)
        for packages in _PEER_INSTALLS:
            subprocess.run([str(_PEERS / "bin" / "pip"), "install", "--quiet", *packages], check=True)
    return str(command)


def ui_folder(who: str) -> Path:
    """Where the built web UI of ours or of MLflow lies."""
    if who == "gnomon":
        return _HERE.parent / "server" / "src" / "gnomon_server" / "_ui"
    (package,) = Path(peer("mlflow")).parent.parent.glob("lib/python3*/site-packages/mlflow")
    return package / "server" / "js" / "build"


@contextmanager
def gnomon(home: Path, *, is_pinned: bool = True, **env: str) -> Iterator[Running]:
    """Ours, as `gnomon server` starts it, without a line for every request."""
    port_file = home.parent / f"{home.name}.port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "gnomon_server", "--port", "0", "--home", str(home), "--quiet"]
    path = os.pathsep.join(str(_HERE.parent / source) for source in _SOURCES)
    command += ["--port-file", str(port_file)]
    with _started(command, home, {"PYTHONPATH": path, **env}, is_pinned=is_pinned) as (process, began):
        while not port_file.exists():
            _refuse_dead(process, home)
            time.sleep(0.002)
        yield Running(("127.0.0.1", int(port_file.read_text())), process, home, time.perf_counter() - began)


def mlflow_database(home: Path) -> str:
    """The URL of the database that MLflow's server keeps in this home."""
    return f"sqlite:///{home / 'mlflow.db'}"


@contextmanager
def mlflow(home: Path, *, workers: int = 1, is_pinned: bool = True) -> Iterator[Running]:
    port = _free_port()
    home.mkdir(parents=True, exist_ok=True)
    command = [peer("mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    command += ["--backend-store-uri", mlflow_database(home), "--artifacts-destination", str(home / "a")]
    command += ["--disable-security-middleware", "--uvicorn-opts", "--log-level warning --no-access-log"]
    with _started(command, home, MLFLOW_ENV, is_pinned=is_pinned) as (process, began):
        _wait_for(process, home, port, "/health")
        yield Running(("127.0.0.1", port), process, home, time.perf_counter() - began)


@contextmanager
def fasttrackml(home: Path, *, is_durable: bool = True) -> Iterator[Running]:
    """By default its SQLite syncs at checkpoints only and may lose answered points; asked to, it does at commits."""
    port = _free_port()
    home.mkdir(parents=True, exist_ok=True)
    command = [peer("fml"), "server", "--listen-address", f"127.0.0.1:{port}", "--log-level", "warn"]
    database = f"sqlite://{home / 'fml.db'}" + ("?_synchronous=FULL" if is_durable else "")
    command += ["--database-uri", database, "--default-artifact-root", str(home / "a")]
    with _started(command, home, {}) as (process, began):
        _wait_for(process, home, port, "/health")
        yield Running(("127.0.0.1", port), process, home, time.perf_counter() - began)


@contextmanager
def python_server(module: str, home: Path, *arguments: str) -> Iterator[Running]:
    """A module of this package that serves on the port given as its first argument."""
    port = _free_port()
    home.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(str(_HERE.parent / source) for source in (*_SOURCES, "."))
    with _started([sys.executable, "-m", module, str(port), *arguments], home, {"PYTHONPATH": path}) as (
        process,
        began,
    ):
        _wait_for(process, home, port, "/health")
        yield Running(("127.0.0.1", port), process, home, time.perf_counter() - began)


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A home that does not exist yet, removed afterwards; its log and port file lie beside it."""
    with tempfile.TemporaryDirectory(prefix="gnomon-bench-") as scratch:
        yield Path(scratch) / "home"


def take_load_core() -> None:
    """Put this process on the load's core; a server put itself on the other one."""
    if len(_CORES) > 1:
        os.sched_setaffinity(0, {LOAD_CORE})


def take_all_cores() -> None:
    """Let this process run on every core again, beside a server that does too."""
    os.sched_setaffinity(0, _CORES)


@contextmanager
def _started(
    command: list[str], home: Path, env: dict[str, str], *, is_pinned: bool = True
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    began = time.perf_counter()
    cores = {SERVER_CORE} if is_pinned and len(_CORES) > 1 else _CORES
    with (home.parent / f"{home.name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=home.parent,
            env={**os.environ, **env},
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    try:
        yield process, began
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], home: Path, port: int, path: str) -> None:
    while True:
        _refuse_dead(process, home)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.01)


def _refuse_dead(process: subprocess.Popen[bytes], home: Path) -> None:
    if process.poll() is not None:
        log = (home.parent / f"{home.name}.log").read_text()
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}:\n{log[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _rss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _cpu_secs(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in tasks.read_text().split():
            found += [int(child), *_children(int(child))]
    return found
